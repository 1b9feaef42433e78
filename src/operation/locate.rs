//! Locate (KMIP 1.4, section 4.9).

use uuid::Uuid;

use super::earlier::Placeholder;
use super::item::{Item, shortened};
use super::refusal::{AttributeUse, Refusal, Tampered};
use super::undo::Staged;
use crate::key::LocateFilter;
use crate::kmip::enumeration::ObjectGroupMember;
use crate::kmip::payload::{LocateRequest, LocateResponse};
use crate::store::KeyRow;

/// How many candidates are read at a time.
const PAGE: u32 = 256;
/// How many identifiers a record repeats.
const RECORDED: usize = 16;

pub(super) async fn perform(item: &mut Item<'_>, request: LocateRequest) -> Result<LocateResponse, Refusal> {
    item.placeholder.empty();
    let asked: Vec<_> = request
        .attributes
        .0
        .iter()
        .map(|pattern| shortened(pattern.name.as_text()))
        .collect();
    item.event.details.insert("attributes".into(), asked.join(", "));
    let filter = LocateFilter::new(request.attributes.0)
        .map_err(|error| Refusal::of_attribute(&error, AttributeUse::Locating))?
        .in_storage(request.storage_status_mask);
    let mut found = search(item, &filter, request.object_group_member).await?;
    match request.object_group_member {
        // The freshest go last, so that those who ask for one at a time use a group up in the order of its making.
        Some(ObjectGroupMember::GroupMemberFresh) => found.reverse(),
        Some(_) => {
            found.reverse();
            let group = filter.object_group().unwrap_or_default();
            let next = item.services.turns.next(item.caller.adapter, group, &found);
            found = next.into_iter().collect();
        }
        None => {}
    }
    let total = found.len();
    let limit = item.services.limits.located_items;
    let at_most = request
        .maximum_items
        .map_or(limit, |items| limit.min(as_count(items)));
    let identifiers: Vec<_> = found
        .into_iter()
        .skip(request.offset_items.map_or(0, as_count))
        .take(at_most)
        .collect();
    item.event.details.insert("located".into(), total.to_string());
    let recorded: Vec<_> = identifiers.iter().take(RECORDED).map(Uuid::to_string).collect();
    item.event
        .details
        .insert("identifiers".into(), recorded.join(", "));
    item.record().await?;
    // Several may be meant, unless the client asked for one of them.
    let placeholder = match identifiers.as_slice() {
        [id] if total == 1 || request.maximum_items == Some(1) => Placeholder::Object(*id),
        _ => Placeholder::Empty,
    };
    if let Placeholder::Object(id) = placeholder {
        item.placeholder.fill(id);
    }
    Ok(LocateResponse {
        // Of use to who goes through the objects page by page.
        located_items: request
            .offset_items
            .map(|_| u32::try_from(total).unwrap_or(u32::MAX)),
        unique_identifiers: identifiers.iter().map(|id| id.hyphenated().to_string()).collect(),
    })
}

/// The objects that are meant, the last made first.
async fn search(
    item: &Item<'_>,
    filter: &LocateFilter,
    member: Option<ObjectGroupMember>,
) -> Result<Vec<Uuid>, Refusal> {
    let now = item.now();
    let (services, adapter) = (item.services, item.caller.adapter);
    let fresh_alone = member == Some(ObjectGroupMember::GroupMemberFresh);
    let is_meant = |row: &KeyRow| {
        row.object.is_reached_by(item.user)
            && filter.matches(&row.object, now)
            && (!fresh_alone || row.object.is_fresh())
    };
    if let Some(asked) = filter.unique_identifier() {
        let Ok(id) = Uuid::parse_str(asked) else {
            return Ok(Vec::new());
        };
        let staged = item.staged.and_then(|staged| staged.row(id));
        let row = match staged {
            Some(row) => Some(row),
            None => services
                .store
                .key(adapter, id)
                .await
                .map_err(|error| Refusal::of_store(&error))?,
        };
        return Ok(row
            .filter(is_meant)
            .map(|row| row.object.id())
            .into_iter()
            .collect());
    }
    let terms = filter.terms();
    let staged = item.staged.map(Staged::rows).unwrap_or_default();
    let is_staged = |row: &KeyRow| staged.iter().any(|other| other.object.id() == row.object.id());
    let mut found: Vec<_> = staged
        .iter()
        .filter(|row| is_meant(row))
        .map(|row| row.object.id())
        .collect();
    let mut after = None;
    loop {
        let page = services
            .store
            .locate(adapter, &terms, after, PAGE)
            .await
            .map_err(|error| Refusal::of_store(&error))?;
        // A row that another hand changed is not found; its neighbours are.
        for tampered in page.refused.iter().filter_map(Tampered::of) {
            services.report_tampered(item.caller, &tampered).await;
        }
        found.extend(
            page.rows
                .iter()
                .filter(|row| is_meant(row) && !is_staged(row))
                .map(|row| row.object.id()),
        );
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(found),
        }
    }
}

fn as_count(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
