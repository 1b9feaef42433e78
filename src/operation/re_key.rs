//! Re-key (KMIP 1.4, section 4.4): a key that takes the place of another, made and wrapped on the device. The replacement,
//! what becomes of the key that it replaces, and the record of both are durable together.
//!
//! Rotation that the server begins by itself is not offered: clients decide when a key is replaced, and the Rotate
//! attributes by which they would leave it to the server are refused.

use uuid::Uuid;

use super::item::{Commit, Item};
use super::refusal::Refusal;
use super::{make, names, shaping};
use crate::key::{self, KeyDraft, ManagedObject, Origin};
use crate::kmip::attribute::{Attribute, AttributeValue};
use crate::kmip::enumeration::ObjectType;
use crate::kmip::payload::{ReKeyRequest, ReKeyResponse};
use crate::root_key::MadeKey;
use crate::store::{Change, KeyRow, WrappedUnder};

/// How often a key is replaced anew because somebody else changed it meanwhile.
const ATTEMPTS: usize = 8;

pub(super) async fn perform(
    item: &mut Item<'_>,
    request: ReKeyRequest<'_>,
) -> Result<ReKeyResponse, Refusal> {
    shaping::require_storage(request.protection_storage_masks.as_ref())?;
    let wanted = make::attributes(item, request.template_attribute.unwrap_or_default()).await?;
    if request.offset.is_some() && wanted.iter().any(|attribute| is_planned_date(&attribute.value)) {
        return Err(Refusal::offset_and_dates());
    }
    let id = item.meant(request.unique_identifier)?.hyphenated().to_string();
    for _ in 0..ATTEMPTS {
        let existing = item.object(Some(id.as_str().into())).await?;
        let draft = draft(item, &existing.object, request.offset, &wanted)?;
        let names = draft.names();
        let _held = names::hold(item, &names).await;
        names::require_free(
            item,
            &names,
            Some(existing.object.id()),
            Refusal::name_of_new_taken,
        )
        .await?;
        if let Some(unique_identifier) = replace(item, existing, draft).await? {
            return Ok(ReKeyResponse {
                unique_identifier,
                template_attribute: None,
            });
        }
    }
    Err(Refusal::busy())
}

/// The replacement as it is to be, if the key is one that can be replaced.
fn draft(
    item: &Item<'_>,
    existing: &ManagedObject,
    offset: Option<u32>,
    wanted: &[Attribute],
) -> Result<KeyDraft, Refusal> {
    if existing.object_type() != ObjectType::SymmetricKey {
        return Err(Refusal::not_re_keyable(existing.object_type()));
    }
    if existing.is_destroyed() {
        return Err(Refusal::destroyed());
    }
    if existing.is_elsewhere() {
        return Err(Refusal::key_value_not_present());
    }
    let now = item.now();
    let copied = existing
        .replacement_attributes(offset, now)
        .map_err(Refusal::offset_without_activation)?;
    let attributes = key::merge(vec![copied], wanted.to_vec()).map_err(|error| make::of_attribute(&error))?;
    KeyDraft::new(
        Uuid::now_v7(),
        item.caller.adapter.uuid(),
        Origin::Created,
        attributes,
        now,
    )
    .map_err(|error| make::of_attribute(&error))
}

/// Has the replacement made and writes both keys. Returns its Unique Identifier; none where the key was changed meanwhile.
async fn replace(
    item: &mut Item<'_>,
    mut existing: KeyRow,
    draft: KeyDraft,
) -> Result<Option<String>, Refusal> {
    shaping::require_allowed(item, draft.object()).await?;
    make::require_room(item).await?;
    let root_key = make::root_key(item).await?;
    let specification = make::specification(draft.object())?;
    // Of an attempt before this one.
    item.loose.give_up_made().await;
    let MadeKey { wrapped, sha256 } = item
        .services
        .root_keys
        .for_root(&root_key)
        .map_err(|error| Refusal::not_made(&error))?
        .generate(&root_key, specification)
        .await
        .map_err(|error| Refusal::not_made(&error))?;
    item.made(&root_key, specification, &wrapped);
    item.uses(&root_key, root_key.version, Some(wrapped.profile));
    let mut replacement = draft.finish(sha256);
    replacement.give_to(item.user);
    existing
        .object
        .replaced_by(&mut replacement, item.now())
        .map_err(|error| make::of_attribute(&error))?;

    let (id, replaced) = (replacement.id(), existing.object.id());
    item.event
        .details
        .insert("replaces".into(), replaced.hyphenated().to_string());
    let before = item.event.object.take();
    item.becomes(&replacement);
    let wrapped = WrappedUnder {
        root_key: root_key.id,
        version: root_key.version,
        kek: wrapped,
    };
    let changes = vec![
        Change::UseRootKey(root_key.id),
        Change::create_key(KeyRow::new(replacement, Some(wrapped))),
        Change::update_key(existing),
    ];
    if item.commit(changes).await? == Commit::Conflict {
        item.event.object = before;
        return Ok(None);
    }
    item.placeholder.fill(id);
    Ok(Some(id.hyphenated().to_string()))
}

/// Whether it is one of the dates that an offset sets.
const fn is_planned_date(value: &AttributeValue) -> bool {
    matches!(
        value,
        AttributeValue::ActivationDate(_)
            | AttributeValue::ProcessStartDate(_)
            | AttributeValue::ProtectStopDate(_)
            | AttributeValue::DeactivationDate(_)
    )
}
