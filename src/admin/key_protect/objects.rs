//! Managed objects of an adapter, never their keys.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::Caller;
use super::super::administration::Administration;
use super::super::extract::{Parameters, Segments};
use super::super::refusal::{Kind, Refusal};
use super::super::{key_deletion, keys};
use super::certificates::identifier;
use super::envelope::{Asked, Collection, Page, is_true};
use crate::adapter::{Adapter, Fingerprint};
use crate::custody::{Actor, EventName, Outcome, Record};
use crate::kmip::attribute::AttributeValue;
use crate::kmip::ttlv::DateTime;
use crate::store::{KeyRow, RecordFilter, SearchFrom};

const TYPE: &str = "application/vnd.ibm.kms.kmip_object+json";

/// The most on a page.
const MOST: usize = 5000;

/// How many rows are read at a time.
const ROWS: u32 = 500;

/// How many of an object's last records are looked at for its destruction.
const LOOKED_AT: u32 = 64;

/// An object.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = KmipObject)]
pub(in crate::admin) struct Object {
    id: Uuid,
    kmip_object_type: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<u32>,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    /// Empty where the custody log does not tell.
    created_by_kmip_client_cert_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_by: Option<String>,
    #[serde(
        skip_serializing_if = "Option::is_none",
        with = "time::serde::rfc3339::option"
    )]
    updated_at: Option<OffsetDateTime>,
    #[serde(
        skip_serializing_if = "Option::is_none",
        with = "time::serde::rfc3339::option"
    )]
    destroyed_at: Option<OffsetDateTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destroyed_by_kmip_client_cert_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destroyed_by: Option<String>,
    recoverable: bool,
}

/// How a deletion is meant.
#[derive(Debug, Deserialize)]
pub(super) struct Deletion {
    #[serde(default)]
    force: Option<String>,
}

pub(super) async fn list(
    State(administration): State<Arc<Administration>>,
    Extension(caller): Extension<Caller>,
    Segments(name): Segments<String>,
    Parameters(asked): Parameters<Asked>,
) -> Result<Json<Collection<Object>>, Refusal> {
    let page = asked.page(MOST)?;
    let states = states(asked.state.as_deref())?;
    let adapter = administration.adapter(&name).await?;
    let (rows, total) = wanted(&administration, &caller, &adapter, &states, &page).await?;
    let mut resources = Vec::with_capacity(rows.len());
    for row in &rows {
        resources.push(resource(&administration, row).await?);
    }
    Ok(Json(Collection::new(TYPE, resources).of(total)))
}

pub(super) async fn show(
    State(administration): State<Arc<Administration>>,
    Segments((name, object)): Segments<(String, String)>,
) -> Result<Json<Collection<Object>>, Refusal> {
    let adapter = administration.adapter(&name).await?;
    let row = keys::row(&administration, &adapter, &object).await?;
    let resources = vec![resource(&administration, &row).await?];
    Ok(Json(Collection::new(TYPE, resources)))
}

pub(super) async fn remove(
    State(administration): State<Arc<Administration>>,
    Extension(caller): Extension<Caller>,
    Segments((name, object)): Segments<(String, String)>,
    Parameters(deletion): Parameters<Deletion>,
) -> Result<StatusCode, Refusal> {
    let force = is_true(deletion.force.as_deref(), "force")?;
    key_deletion::delete(&administration, &caller, name, object, force).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The rows of the page, and how many there are in all where that is asked for.
async fn wanted(
    administration: &Administration,
    caller: &Caller,
    adapter: &Adapter,
    states: &[u32],
    page: &Page,
) -> Result<(Vec<KeyRow>, Option<usize>), Refusal> {
    let now = DateTime::from(OffsetDateTime::now_utc());
    let end = page.offset.saturating_add(page.limit);
    let (mut rows, mut met, mut after) = (Vec::new(), 0, None);
    loop {
        let located = administration
            .store()
            .locate(adapter.id, &[], after, ROWS)
            .await?;
        let tampered: Vec<_> = located.refused.iter().map(ToString::to_string).collect();
        administration.record_tampering(&tampered, caller).await?;
        for row in located.rows {
            let state = row.object.state(now).map_or(0, u32::from);
            if states.contains(&state) {
                if (page.offset..end).contains(&met) {
                    rows.push(row);
                }
                met += 1;
            }
        }
        after = located.next;
        if after.is_none() || (met >= end && !page.total_count) {
            return Ok((rows, page.total_count.then_some(met)));
        }
    }
}

/// The states that are asked for, by their numbers in KMIP: those in which there is still a key where nothing is said.
fn states(asked: Option<&str>) -> Result<Vec<u32>, Refusal> {
    let Some(text) = asked.filter(|text| !text.is_empty()) else {
        return Ok((1..=4).collect());
    };
    let numbers = text.split(',').map(|number| {
        let number = number.trim().parse::<u32>().ok();
        number.filter(|number| (1..=6).contains(number)).ok_or_else(|| {
            let message = format!("state is a list of numbers from 1 to 6 such as 2,3, and {text:?} came");
            Refusal::new(Kind::Invalid, message)
        })
    });
    numbers.collect()
}

async fn resource(administration: &Administration, row: &KeyRow) -> Result<Object, Refusal> {
    let object = &row.object;
    let now = DateTime::from(OffsetDateTime::now_utc());
    let (mut changed, mut destroyed) = (None, None);
    let names = object.attribute_names(now);
    for attribute in names.iter().flat_map(|name| object.instances(name, now)) {
        match attribute.value {
            AttributeValue::LastChangeDate(date) => changed = moment(date),
            AttributeValue::DestroyDate(date) => destroyed = moment(date),
            _ => {}
        }
    }
    let made = records(administration, object.id(), SearchFrom::Number(0), 1).await?;
    let (created_by_kmip_client_cert_id, created_by) = match made.first() {
        Some(record) => by(administration, record).await?,
        None => Default::default(),
    };
    let mut destroyed_by = (String::new(), None);
    if destroyed.is_some() {
        let last = records(
            administration,
            object.id(),
            SearchFrom::Before(u64::MAX),
            LOOKED_AT,
        )
        .await?;
        let ends = |record: &&Record| {
            let is_end = matches!(
                record.event,
                EventName::KmipDestroy | EventName::KeyDestroy | EventName::KeyDelete
            );
            is_end && record.outcome == Outcome::Success
        };
        if let Some(record) = last.iter().find(ends) {
            destroyed_by = by(administration, record).await?;
        }
    }
    let (destroyed_by_certificate, destroyed_by) = destroyed_by;
    Ok(Object {
        id: object.id(),
        kmip_object_type: object.object_type().into(),
        state: object.state(now).map(u32::from),
        created_at: moment(object.initial_date()).unwrap_or(OffsetDateTime::UNIX_EPOCH),
        created_by_kmip_client_cert_id,
        created_by,
        updated_at: changed,
        destroyed_at: destroyed,
        destroyed_by_kmip_client_cert_id: Some(destroyed_by_certificate).filter(|id| !id.is_empty()),
        destroyed_by,
        recoverable: false,
    })
}

/// By whom it was done: the identifier of the client's certificate, and who added that; of others, their name alone.
async fn by(administration: &Administration, record: &Record) -> Result<(String, Option<String>), Refusal> {
    let Actor::Client { certificate, .. } = &record.actor else {
        return Ok((String::new(), Some(record.actor.name())));
    };
    let Ok(fingerprint) = certificate.parse::<Fingerprint>() else {
        return Ok(Default::default());
    };
    // One that was taken out since is not there any more, nor who added it.
    let added_by = administration
        .store()
        .certificate(fingerprint)
        .await?
        .and_then(|certificate| certificate.added_by);
    Ok((identifier(fingerprint).to_string(), added_by))
}

async fn records(
    administration: &Administration,
    object: Uuid,
    from: SearchFrom,
    limit: u32,
) -> Result<Vec<Record>, Refusal> {
    let filter = RecordFilter {
        object: Some(object.hyphenated().to_string()),
        client: None,
    };
    let found = administration
        .store()
        .custody_search(&filter, from, limit)
        .await?;
    let read = found.iter().map(|record| Record::from_bytes(&record.bytes));
    read.collect::<Result<_, _>>().map_err(|error| {
        Refusal::new(
            Kind::Tampered,
            format!("a record of the custody log can't be read: {error}"),
        )
    })
}

fn moment(date: DateTime) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(date.0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_named_by_their_numbers() {
        assert_eq!(states(None).unwrap(), [1, 2, 3, 4]);
        assert_eq!(states(Some("2,5")).unwrap(), [2, 5]);
        assert!(states(Some("7")).is_err());
        assert!(states(Some("Active")).is_err());
    }
}
