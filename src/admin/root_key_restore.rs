//! Root keys that are brought back: `POST /v1/root-keys/{name or id}/restore`, the reply is the root key.
//!
//! A key manager keeps what it has deleted for some time. One that was destroyed from here comes back disabled, as a new
//! version with the key of the last one that wrapped keys of clients: the version in between, which has held the seal key
//! since, is destroyed. One that somebody deleted in the key manager is here what it was before. Bringing back destroys
//! nothing, so it takes one administrator.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::post;
use axum::{Extension, Json, Router};
use time::OffsetDateTime;

use super::Caller;
use super::administration::{Administration, Found, now};
use super::api;
use super::extract::Segments;
use super::refusal::{Kind, Refusal};
use super::root_key_life::wrong_state;
use super::root_key_resource::whole;
use crate::adapter::{RootKey, RootKeyState, RootKeyVersion, VersionState};
use crate::custody::{Event, EventName};
use crate::recorder::root_key_facts;
use crate::root_key::{self, RootKeyBackend};
use crate::store::Change;

pub(super) fn routes() -> Router<Arc<Administration>> {
    Router::new().route("/v1/root-keys/{root_key}/restore", post(restore))
}

async fn restore(
    State(administration): State<Arc<Administration>>,
    Extension(caller): Extension<Caller>,
    Segments(name): Segments<String>,
) -> Result<Json<api::RootKey>, Refusal> {
    let event = caller
        .event(EventName::RootKeyRestore)
        .detail("name", name.clone());
    let done = administration.carry_out(event, async move |administration, event| {
        let root_key = match administration.root_key_or_claim(&name).await? {
            Found::Open(root_key) => root_key,
            Found::Closed(row) => {
                let claimed = row.claimed();
                let backend = administration.root_keys().for_root(claimed)?;
                bring_back(&*backend, claimed).await?;
                administration.open(row).await?
            }
        };
        let event = Event {
            root_key: Some(root_key_facts(&root_key)),
            ..event
        };
        match root_key.state {
            RootKeyState::Destroying => {
                return Err(wrong_state(
                    &root_key,
                    "its destruction must come to its end first",
                ));
            }
            RootKeyState::Destroyed { .. } => {
                return restore_destroyed(&administration, root_key, event).await;
            }
            _ => {}
        }
        let backend = administration.root_keys().for_root(&root_key)?;
        bring_back(&*backend, &root_key).await?;
        let recorded = administration.commit(Vec::new(), event).await;
        recorded.map_err(|refusal| unrecorded(refusal, &root_key))?;
        whole(&administration, root_key).await
    });
    done.await.map(Json)
}

/// Puts the version that was the present one before the destruction back into its place, under a new number.
async fn restore_destroyed(
    administration: &Administration,
    last: RootKey,
    event: Event,
) -> Result<api::RootKey, Refusal> {
    let backend = administration.root_keys().for_root(&last)?;
    let version = last_real_version(administration, &last).await?;
    let mut restored = RootKey {
        version: last.version.saturating_add(1),
        state: RootKeyState::Disabled,
        seal_key: last.seal_key.clone(),
        ..last.at(&version)
    };
    bring_back(&*backend, &restored).await?;
    restored.seal_key = administration
        .root_keys()
        .rewrap_seal_key(&last, &restored)
        .await
        .map_err(|error| unrecorded(error.into(), &last))?;
    let event = Event {
        root_key: Some(root_key_facts(&restored)),
        ..event
    };
    let change = Change::RotateRootKey {
        root_key: restored.clone(),
        superseded: RootKeyVersion {
            state: VersionState::Destroying,
            ..last.superseded(now())
        },
        from: last.state.clone(),
    };
    let committed = administration
        .commit(vec![change], event.detail("restored", version.label))
        .await;
    committed.map_err(|refusal| unrecorded(refusal, &last))?;
    // What held the seal key meanwhile. Where it fails the job tries again, and the answer says so.
    administration
        .jobs()
        .destroyer
        .work(OffsetDateTime::now_utc())
        .await?;
    whole(administration, restored).await
}

/// The version that wrapped keys of clients when the destruction began.
async fn last_real_version(
    administration: &Administration,
    root_key: &RootKey,
) -> Result<RootKeyVersion, Refusal> {
    let mut earlier = administration.store().earlier_versions(root_key.id).await?;
    if let Some(error) = earlier.refused.pop() {
        return Err(error.into());
    }
    let kept = earlier
        .rows
        .into_iter()
        .filter(|version| version.state == VersionState::Kept);
    kept.max_by_key(|version| version.version).ok_or_else(|| {
        let message = format!("root key {:?} has no version that wrapped a key", root_key.name);
        Refusal::new(Kind::WrongState, message)
    })
}

async fn bring_back(backend: &dyn RootKeyBackend, root_key: &RootKey) -> Result<(), Refusal> {
    let restored = backend.restore(root_key).await;
    restored.map_err(|error| match error {
        root_key::Error::Unsupported { .. } => Refusal::new(
            Kind::Invalid,
            format!(
                "the device {} keeps nothing of a key that was destroyed on it",
                root_key.backend
            ),
        )
        .remedy("restore the token from its backup by the HSM's own means; a root key that is there again is used again"),
        error => error.into(),
    })
}

/// It is there again in the key manager, and here it is what it was.
fn unrecorded(refusal: Refusal, root_key: &RootKey) -> Refusal {
    refusal
        .and("in the key manager the root key is there again, and here it is what it was")
        .remedy(format!("repeat `claviger root-key restore {}`", root_key.name))
}
