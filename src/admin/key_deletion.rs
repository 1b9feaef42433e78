//! `DELETE /v1/adapters/{adapter}/keys/{key}`: whoever looks after an adapter destroys one of its objects.
//!
//! An object in use is destroyed with `force=true` alone, as Key Protect has it: what is encrypted under it can't be read any
//! more, and its clients learn that from their next request.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use time::OffsetDateTime;

use super::Caller;
use super::administration::Administration;
use super::extract::{Parameters, Segments};
use super::keys;
use super::refusal::{Kind, Refusal};
use crate::custody::{Event, EventName, ObjectFacts};
use crate::kmip::enumeration::State as KmipState;
use crate::kmip::ttlv::DateTime;
use crate::recorder::root_key_facts;
use crate::root_key::Pieces;
use crate::store::{Change, KeyRow, WrappedUnder};

/// How often it is tried anew because somebody else changed the object meanwhile.
const ATTEMPTS: usize = 8;

/// How it is meant.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Deletion {
    #[serde(default)]
    force: bool,
}

pub(super) async fn remove(
    State(administration): State<Arc<Administration>>,
    Extension(caller): Extension<Caller>,
    Segments((name, key)): Segments<(String, String)>,
    Parameters(deletion): Parameters<Deletion>,
) -> Result<StatusCode, Refusal> {
    delete(&administration, &caller, name, key, deletion.force).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Destroys an object; one that is Active with `force` alone.
pub(super) async fn delete(
    administration: &Arc<Administration>,
    caller: &Caller,
    name: String,
    key: String,
    force: bool,
) -> Result<(), Refusal> {
    let event = caller.event(EventName::KeyDelete);
    let mut event = administration.about_adapter(event, &name).await;
    event.object = Some(ObjectFacts {
        identifier: key.clone(),
        ..ObjectFacts::default()
    });
    let done = administration.carry_out(event, async move |administration, event| {
        let adapter = administration.adapter(&name).await?;
        for attempt in 1.. {
            let row = keys::row(&administration, &adapter, &key).await?;
            let end = End::of(&administration, row, force, event.clone()).await?;
            let held = end.held;
            match administration
                .commit(vec![Change::update_key(end.row)], end.event)
                .await
            {
                Err(refusal) if refusal.kind() == Kind::Conflict && attempt < ATTEMPTS => {}
                Err(refusal) => return Err(refusal),
                Ok(()) => {
                    give_up(&administration, held).await;
                    return Ok(());
                }
            }
        }
        unreachable!("the last attempt returns")
    });
    done.await
}

/// What is written of an object that is destroyed.
struct End {
    row: KeyRow,
    event: Event,
    /// What no row names any more after the commit.
    held: Option<(Pieces, WrappedUnder)>,
}

impl End {
    async fn of(
        administration: &Administration,
        mut row: KeyRow,
        force: bool,
        mut event: Event,
    ) -> Result<Self, Refusal> {
        let now = DateTime::from(OffsetDateTime::now_utc());
        let name = |row: &KeyRow| row.object.state(now).and_then(KmipState::name).map(Into::into);
        if row.object.is_destroyed() {
            let message = format!("the key {} is destroyed already", row.object.id());
            return Err(Refusal::new(Kind::WrongState, message).key_protect("KEY_DELETED_ERR"));
        }
        if row.object.state(now) == Some(KmipState::Active) && !force {
            let message = format!("the key {} is active", row.object.id());
            return Err(Refusal::new(Kind::WrongState, message)
                .remedy("have a client revoke it first, or ask for it with force"));
        }
        let pieces = Pieces::of(&row.object);
        let state_before = name(&row);
        let lost = match row.object.state(now) {
            Some(_) => row.object.lose(now),
            None => row.object.destroy(now),
        };
        lost.map_err(|error| Refusal::new(Kind::WrongState, error.to_string()))?;
        let held = pieces.zip(row.wrapped.take());
        if let Some((_, wrapped)) = &held
            && let Some(root_key) = administration.store().root_key(wrapped.root_key).await?
        {
            let mut facts = root_key_facts(&root_key);
            facts.version = wrapped.version;
            facts.wrap_profile = Some(wrapped.kek.profile.name().to_owned());
            event.root_key = Some(facts);
        }
        event.object = Some(ObjectFacts {
            identifier: row.object.id().hyphenated().to_string(),
            object_type: row.object.object_type().name().map(Into::into),
            state_before,
            state_after: name(&row),
            ..ObjectFacts::default()
        });
        if force {
            event = event.detail("force", "true");
        }
        Ok(Self { row, event, held })
    }
}

/// Has the backend forget the value, and give up what lies in it. What it does not is found by the scan of the key manager, or
/// is over with the device's session: the row refuses a release.
async fn give_up(administration: &Administration, held: Option<(Pieces, WrappedUnder)>) {
    let Some((pieces, wrapped)) = held else { return };
    let given_up = async {
        let Some(root_key) = administration.store().root_key(wrapped.root_key).await? else {
            return Ok(());
        };
        let earlier = administration.store().earlier_versions(root_key.id).await?.rows;
        let version = earlier
            .into_iter()
            .find(|earlier| earlier.version == wrapped.version);
        let root_key = version.map_or_else(|| root_key.clone(), |version| root_key.at(&version));
        let backend = administration.root_keys().for_root(&root_key)?;
        pieces.forget(&*backend, &root_key, &wrapped.kek).await;
        pieces.discard(&*backend, &root_key, &wrapped.kek).await?;
        Ok::<_, Refusal>(())
    };
    if let Err(refusal) = given_up.await {
        let error = refusal.message();
        tracing::warn!(%error, "a wrapped key that was deleted here is still in its backend");
    }
}
