//! `/v1/adapters/{adapter}/keys`: the managed objects of an adapter, never their keys.
//!
//! | request | reply |
//! |---|---|
//! | `GET …/keys?state&after&limit` | a page, the last created first; `next` is the `after` of the next page |
//! | `GET …/keys/{Unique Identifier}` | one |
//! | `DELETE …/keys/{Unique Identifier}?force` | 204, see [`key_deletion`] |

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::{Extension, Json, Router};
use serde::Deserialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::administration::Administration;
use super::api::{self, List, RootKeyReference, WrappedUnder};
use super::extract::{Parameters, Segments};
use super::readable::readable;
use super::refusal::{Kind, Refusal};
use super::{Caller, key_deletion};
use crate::adapter::{Adapter, RootKeyId};
use crate::kmip::enumeration;
use crate::kmip::ttlv::DateTime;
use crate::store::{Cursor, KeyRow};

/// The most objects of one reply.
const PAGE: u32 = 500;

pub(super) fn routes() -> Router<Arc<Administration>> {
    Router::new()
        .route("/v1/adapters/{adapter}/keys", get(list))
        .route(
            "/v1/adapters/{adapter}/keys/{key}",
            get(show).delete(key_deletion::remove),
        )
}

/// Which objects are wanted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// The name of a KMIP State, as `Pre-Active` or `pre-active`.
    #[serde(default)]
    state: Option<String>,
    /// The `next` of the page before.
    #[serde(default)]
    after: Option<String>,
    /// How many, at most.
    #[serde(default)]
    limit: Option<u32>,
}

async fn list(
    State(administration): State<Arc<Administration>>,
    Extension(caller): Extension<Caller>,
    Segments(name): Segments<String>,
    Parameters(wanted): Parameters<Wanted>,
) -> Result<Json<List<api::Key>>, Refusal> {
    let adapter = administration.adapter(&name).await?;
    let state = wanted.state.as_deref().map(state).transpose()?;
    let after = wanted.after.as_deref().map(cursor).transpose()?;
    let limit = wanted.limit.unwrap_or(PAGE).clamp(1, PAGE);
    // A state can come with the hour, so it is judged here and not by the index.
    let located = administration
        .store()
        .locate(adapter.id, &[], after, limit)
        .await?;
    let tampered: Vec<_> = located.refused.iter().map(ToString::to_string).collect();
    administration.record_tampering(&tampered, &caller).await?;
    let now = DateTime::from(OffsetDateTime::now_utc());
    let root_keys = root_key_names(&administration).await?;
    let items = located
        .rows
        .iter()
        .filter(|row| state.is_none() || row.object.state(now) == state)
        .map(|row| resource(row, &adapter.name, now, &root_keys));
    Ok(Json(List {
        items: items.collect(),
        next: located.next.map(|next| next.to_string()),
        tampered,
    }))
}

async fn show(
    State(administration): State<Arc<Administration>>,
    Segments((name, key)): Segments<(String, String)>,
) -> Result<Json<api::Key>, Refusal> {
    let adapter = administration.adapter(&name).await?;
    let row = row(&administration, &adapter, &key).await?;
    let now = DateTime::from(OffsetDateTime::now_utc());
    let root_keys = root_key_names(&administration).await?;
    Ok(Json(resource(&row, &adapter.name, now, &root_keys)))
}

/// The object of an adapter by its Unique Identifier.
pub(super) async fn row(
    administration: &Administration,
    adapter: &Adapter,
    key: &str,
) -> Result<KeyRow, Refusal> {
    let not_found = || {
        Refusal::not_found("key of this adapter", key).remedy(format!(
            "`claviger key list {}` shows those that there are",
            adapter.name
        ))
    };
    let id: Uuid = key.parse().map_err(|_| not_found())?;
    administration
        .store()
        .key(adapter.id, id)
        .await?
        .ok_or_else(not_found)
}

pub(super) async fn root_key_names(
    administration: &Administration,
) -> Result<HashMap<RootKeyId, String>, Refusal> {
    let root_keys = administration.store().root_keys().await?.rows;
    Ok(root_keys
        .into_iter()
        .map(|root_key| (root_key.id, root_key.name))
        .collect())
}

pub(super) fn resource(
    row: &KeyRow,
    adapter: &str,
    now: DateTime,
    root_keys: &HashMap<RootKeyId, String>,
) -> api::Key {
    let object = &row.object;
    let names = object.attribute_names(now);
    let attributes = names.iter().flat_map(|name| object.instances(name, now));
    let wrapped_under = row.wrapped.as_ref().map(|wrapped| WrappedUnder {
        root_key: RootKeyReference {
            id: wrapped.root_key.uuid(),
            name: root_keys.get(&wrapped.root_key).cloned().unwrap_or_default(),
        },
        version: wrapped.version,
        profile: wrapped.kek.profile.to_string(),
    });
    api::Key {
        id: object.id(),
        adapter: adapter.to_owned(),
        object_type: object.object_type().to_string(),
        state: object.state(now).map(|state| state.to_string()),
        attributes: attributes.map(|attribute| readable(&attribute)).collect(),
        wrapped_under,
    }
}

/// The state of a name, whatever its letters' case, blanks and hyphens.
fn state(text: &str) -> Result<enumeration::State, Refusal> {
    let plain = |text: &str| text.replace(['-', ' ', '_'], "").to_lowercase();
    let known = enumeration::State::ALL;
    known
        .iter()
        .copied()
        .find(|state| plain(&state.to_string()) == plain(text))
        .ok_or_else(|| {
            let names: Vec<_> = known.iter().map(ToString::to_string).collect();
            Refusal::new(
                Kind::Invalid,
                format!("{text:?} is not a state; the states are {}", names.join(", ")),
            )
        })
}

fn cursor(text: &str) -> Result<Cursor, Refusal> {
    text.parse().map_err(|_| {
        Refusal::new(
            Kind::BadRequest,
            format!("{text:?} is not the `next` of a page of keys"),
        )
    })
}
