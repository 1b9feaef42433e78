//! `GET /v1/unused-keys?for_seconds&adapter&after&limit`: keys that no client has fetched for so long.
//!
//! The reply is a page. `limit` bounds how many keys are looked at, so that a page may have few of them, or none, and `next`
//! all the same. 409 `wrong_state` where the custody log was pruned and does not reach back so far. What is told of a key is in
//! [`Horizon`].

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::routing::get;
use axum::{Extension, Json, Router};
use serde::Deserialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::Caller;
use super::administration::{Administration, now};
use super::api::{List, UnusedKey};
use super::extract::Parameters;
use super::keys::root_key_names;
use super::refusal::{Kind, Refusal};
use crate::job::{Horizon, LastFetch, UnusedError};
use crate::kmip::ttlv::DateTime;
use crate::store::Cursor;

/// The most keys that are looked at for one reply.
const PAGE: u32 = 1000;

pub(super) fn routes() -> Router<Arc<Administration>> {
    Router::new().route("/v1/unused-keys", get(list))
}

/// Which keys are wanted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// For so many seconds.
    for_seconds: u64,
    /// Of this adapter alone.
    #[serde(default)]
    adapter: Option<String>,
    /// The `next` of the page before.
    #[serde(default)]
    after: Option<String>,
    /// How many are looked at, at most.
    #[serde(default)]
    limit: Option<u32>,
}

/// Where a page ends: after this key of the adapter, or before the first of it.
struct Place {
    adapter: Uuid,
    after: Option<Cursor>,
}

async fn list(
    State(administration): State<Arc<Administration>>,
    Extension(caller): Extension<Caller>,
    Parameters(wanted): Parameters<Wanted>,
) -> Result<Json<List<UnusedKey>>, Refusal> {
    let limit = wanted.limit.unwrap_or(PAGE).clamp(1, PAGE);
    let place = wanted.after.as_deref().map(place).transpose()?;
    let time = Duration::from_secs(wanted.for_seconds);
    let since = time::Duration::try_from(time)
        .ok()
        .and_then(|time| now().checked_sub(time))
        .ok_or_else(|| Refusal::new(Kind::Invalid, "the time is longer than there have been any keys"))?;
    let store = administration.store();
    let mut tampered = Vec::new();
    let mut adapters = match &wanted.adapter {
        Some(name) => vec![administration.adapter(name).await?],
        // What is wrong with a row is told, and recorded, with the first page alone.
        None if place.is_some() => store.adapters().await?.rows,
        None => {
            let (adapters, found) = administration.trusted(store.adapters().await?, &caller).await?;
            tampered = found;
            adapters
        }
    };
    // The order in which they were made stays, whatever is made or deleted between two pages.
    adapters.sort_by_key(|adapter| adapter.id.uuid());
    let begun = place.as_ref().map_or_else(Uuid::nil, |place| place.adapter);
    let mut adapters = adapters
        .into_iter()
        .skip_while(|adapter| adapter.id.uuid() < begun);
    let Some(adapter) = adapters.next() else {
        return Ok(Json(List {
            tampered,
            ..List::from(Vec::new())
        }));
    };
    let after = place
        .filter(|place| place.adapter == adapter.id.uuid())
        .and_then(|place| place.after);
    let horizon = Horizon::at(store, since).await?;
    let page = horizon.page(store, adapter.id, after, limit).await?;
    let refused: Vec<_> = page.refused.iter().map(ToString::to_string).collect();
    administration.record_tampering(&refused, &caller).await?;
    tampered.extend(refused);
    let next = match page.next {
        Some(next) => Some(format!("{}.{next}", adapter.id)),
        None => adapters.next().map(|next| next.id.to_string()),
    };
    let root_keys = root_key_names(&administration).await?;
    let moment = DateTime::from(OffsetDateTime::now_utc());
    let shown = page.keys.into_iter().filter_map(|key| {
        let object = &key.row.object;
        let wrapped = key.row.wrapped.as_ref()?;
        let (mut fetched_at, mut fetched_by, mut known_since) = (None, None, None);
        match key.last {
            LastFetch::Never => {}
            LastFetch::NotSince(since) => known_since = Some(since),
            LastFetch::By(record) => {
                fetched_at = Some(record.time);
                fetched_by = Some(record.actor.name());
            }
        }
        Some(UnusedKey {
            adapter: adapter.name.clone(),
            key: object.id(),
            as_of: horizon.size(),
            state: object
                .state(moment)
                .map(|state| state.to_string())
                .unwrap_or_default(),
            created_at: OffsetDateTime::from_unix_timestamp(object.initial_date().0)
                .unwrap_or(OffsetDateTime::UNIX_EPOCH),
            fetched_at,
            fetched_by,
            known_since,
            root_key: root_keys.get(&wrapped.root_key).cloned().unwrap_or_default(),
            root_key_version: wrapped.version,
        })
    });
    Ok(Json(List {
        items: shown.collect(),
        next,
        tampered,
    }))
}

fn place(text: &str) -> Result<Place, Refusal> {
    let (adapter, after) = match text.split_once('.') {
        Some((adapter, after)) => (adapter, Some(after)),
        None => (text, None),
    };
    let read = adapter.parse().ok().zip(after.map(str::parse).transpose().ok());
    let (adapter, after) = read.ok_or_else(|| {
        Refusal::new(
            Kind::BadRequest,
            format!("{text:?} is not the `next` of a page of unused keys"),
        )
    })?;
    Ok(Place { adapter, after })
}

impl From<UnusedError> for Refusal {
    fn from(error: UnusedError) -> Self {
        let message = error.to_string();
        match error {
            UnusedError::Store(error) => error.into(),
            UnusedError::Record { .. } => Self::new(Kind::Tampered, message),
            UnusedError::Pruned { .. } => Self::new(Kind::WrongState, message),
        }
    }
}
