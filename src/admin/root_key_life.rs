//! The life of a root key: disabled and enabled, destroyed, as a whole or a version of it. That one is brought back is in
//! [`root_key_restore`](super::root_key_restore).
//!
//! | request | reply |
//! |---|---|
//! | `POST /v1/root-keys/{name or id}/disable` | the root key; nothing is made, released or re-wrapped under it |
//! | `POST …/enable` | the root key |
//! | `POST …/schedule-destruction` with [`ScheduleDestruction`] | the root key, disabled from now on |
//! | `POST …/approve-destruction` | the root key; 403 `second_administrator` for who scheduled it |
//! | `POST …/cancel-destruction` | the root key, disabled |
//! | `POST …/versions/{version}/destroy` | the root key; 409 `in_use` while a key is under that version |
//!
//! # What the backend does of it
//!
//! A key manager has such states too, and is told: of a disabling after it is in force and recorded here, of an enabling
//! before. Where it fails half way, the same request can be repeated. A root key that is to be destroyed is enabled there:
//! here it is as good as disabled, and its seal key has to be brought under the last version.
//!
//! # Two administrators
//!
//! An administrator is the user of the process at the other end of the socket, or the holder of a certificate over HTTPS. A
//! destruction needs two different ones; two certificates of one subject are one. An access token is nobody. Root is one of
//! them and no more: that root can become any user of the machine, or put a certificate where it lets in, is the machine's
//! business.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::routing::post;
use axum::{Extension, Json, Router};
use time::OffsetDateTime;

use super::Caller;
use super::administration::{Administration, Found, now};
use super::api::{self, ScheduleDestruction};
use super::extract::{Body, Segments};
use super::refusal::{ANOTHER, Kind, Refusal};
use super::root_key_resource::whole;
use crate::adapter::{Destruction, RootKey, RootKeyState, VersionState};
use crate::custody::{Event, EventName};
use crate::recorder::root_key_facts;
use crate::root_key::{self, BackendKind, RootKeyBackend};
use crate::store::Change;

pub(super) fn routes() -> Router<Arc<Administration>> {
    Router::new()
        .route("/v1/root-keys/{root_key}/disable", post(disable))
        .route("/v1/root-keys/{root_key}/enable", post(enable))
        .route("/v1/root-keys/{root_key}/schedule-destruction", post(schedule))
        .route("/v1/root-keys/{root_key}/approve-destruction", post(approve))
        .route("/v1/root-keys/{root_key}/cancel-destruction", post(cancel))
        .route(
            "/v1/root-keys/{root_key}/versions/{version}/destroy",
            post(destroy_version),
        )
}

type Answer = Result<Json<api::RootKey>, Refusal>;

/// What changes of a root key.
struct Step {
    state: RootKeyState,
    event: Event,
    there: There,
}

/// What is done in the backend.
#[derive(Clone, Copy, PartialEq, Eq)]
enum There {
    Nothing,
    EnabledBefore,
    DisabledAfter,
}

impl Step {
    fn new(state: RootKeyState, event: Event, there: There) -> Self {
        Self { state, event, there }
    }
}

async fn disable(
    State(administration): State<Arc<Administration>>,
    Extension(caller): Extension<Caller>,
    Segments(name): Segments<String>,
) -> Answer {
    let event = caller.event(EventName::RootKeyDisable);
    transition(&administration, event, name, |root_key, event| {
        match root_key.state {
            // Again, where the backend has not done its part.
            RootKeyState::Enabled | RootKeyState::Disabled => {
                Ok(Step::new(RootKeyState::Disabled, event, There::DisabledAfter))
            }
            _ => Err(wrong_state(root_key, "only one that is enabled can be disabled")),
        }
    })
    .await
}

async fn enable(
    State(administration): State<Arc<Administration>>,
    Extension(caller): Extension<Caller>,
    Segments(name): Segments<String>,
) -> Answer {
    let event = caller.event(EventName::RootKeyEnable);
    transition(&administration, event, name, |root_key, event| {
        match root_key.state {
            // Again, where somebody has disabled it in the backend alone.
            RootKeyState::Disabled | RootKeyState::Enabled => {
                Ok(Step::new(RootKeyState::Enabled, event, There::EnabledBefore))
            }
            RootKeyState::Scheduled(_) => Err(wrong_state(root_key, "cancel its destruction first")),
            _ => Err(wrong_state(root_key, "only one that is disabled can be enabled")),
        }
    })
    .await
}

async fn schedule(
    State(administration): State<Arc<Administration>>,
    Extension(caller): Extension<Caller>,
    Segments(name): Segments<String>,
    Body(asked): Body<ScheduleDestruction>,
) -> Answer {
    let event = caller.event(EventName::RootKeyScheduleDestruction);
    let least = administration.destruction_waiting_time();
    transition(&administration, event, name, move |root_key, event| {
        if !matches!(root_key.state, RootKeyState::Enabled | RootKeyState::Disabled) {
            return Err(wrong_state(root_key, "its destruction was asked for before"));
        }
        let wait = asked.after_seconds.map_or(least, Duration::from_secs);
        if wait < least {
            let message = format!(
                "the waiting time is {} s, and `admin.destruction_waiting_time` is {} s",
                wait.as_secs(),
                least.as_secs()
            );
            return Err(Refusal::new(Kind::Invalid, message).remedy("wait longer"));
        }
        let requested_at = now();
        let due_at = time::Duration::try_from(wait)
            .ok()
            .and_then(|wait| requested_at.checked_add(wait))
            .ok_or_else(|| Refusal::new(Kind::Invalid, "that time never comes"))?;
        let destruction = Destruction {
            requested_at,
            due_at,
            requested_by: caller.person()?,
            approved_by: None,
        };
        let event = event.detail("due_at", shown(due_at));
        let there = match root_key.state {
            RootKeyState::Disabled => There::EnabledBefore,
            _ => There::Nothing,
        };
        Ok(Step::new(RootKeyState::Scheduled(destruction), event, there))
    })
    .await
}

async fn approve(
    State(administration): State<Arc<Administration>>,
    Extension(caller): Extension<Caller>,
    Segments(name): Segments<String>,
) -> Answer {
    let event = caller.event(EventName::RootKeyApproveDestruction);
    transition(&administration, event, name, move |root_key, event| {
        let RootKeyState::Scheduled(destruction) = &root_key.state else {
            return Err(wrong_state(root_key, "its destruction was not asked for"));
        };
        if let Some(approved_by) = &destruction.approved_by {
            let why = format!("{} has approved of its destruction already", approved_by.user);
            return Err(wrong_state(root_key, &why));
        }
        let person = caller.person()?;
        if destruction.requested_by.is_same_as(&person) {
            let message = format!(
                "{} asked for the destruction, and can't approve of it as well",
                person.user
            );
            return Err(Refusal::new(Kind::SecondAdministrator, message).remedy(ANOTHER));
        }
        let event = event
            .detail("requested_by", &destruction.requested_by.user)
            .detail("due_at", shown(destruction.due_at));
        let approved = Destruction {
            approved_by: Some(person),
            ..destruction.clone()
        };
        Ok(Step::new(
            RootKeyState::Scheduled(approved),
            event,
            There::Nothing,
        ))
    })
    .await
}

async fn cancel(
    State(administration): State<Arc<Administration>>,
    Extension(caller): Extension<Caller>,
    Segments(name): Segments<String>,
) -> Answer {
    let event = caller.event(EventName::RootKeyCancelDestruction);
    transition(&administration, event, name, |root_key, event| {
        match root_key.state {
            RootKeyState::Scheduled(_) => Ok(Step::new(RootKeyState::Disabled, event, There::DisabledAfter)),
            RootKeyState::Destroying | RootKeyState::Destroyed { .. } => {
                Err(wrong_state(root_key, "its destruction can't be stopped any more"))
            }
            _ => Err(wrong_state(root_key, "its destruction was not asked for")),
        }
    })
    .await
}

/// Brings a root key from the state that it is in to the one that `decide` says.
async fn transition(
    administration: &Arc<Administration>,
    event: Event,
    name: String,
    decide: impl FnOnce(&RootKey, Event) -> Result<Step, Refusal> + Send + 'static,
) -> Answer {
    let event = event.detail("name", name.clone());
    let done = administration.carry_out(event, async move |administration, event| {
        let found = administration.root_key_or_claim(&name).await?;
        let claimed = match &found {
            Found::Open(root_key) => root_key,
            Found::Closed(row) => row.claimed(),
        };
        let event = Event {
            root_key: Some(root_key_facts(claimed)),
            ..event
        };
        let step = decide(claimed, event)?;
        let backend = administration.root_keys().for_root(claimed)?;
        if step.there == There::EnabledBefore {
            backend.enable(claimed).await?;
        }
        let root_key = match found {
            Found::Open(root_key) => root_key,
            Found::Closed(row) => administration.open(row).await?,
        };
        let Step { state, event, there } = step;
        let changes = if state == root_key.state {
            Vec::new()
        } else {
            vec![Change::SetRootKeyState {
                root_key: root_key.id,
                from: root_key.state.clone(),
                to: state.clone(),
            }]
        };
        let committed = administration.commit(changes, event).await;
        committed.map_err(|refusal| half_enabled(refusal, there, &*backend))?;
        if !state.is_enabled() {
            forget(&administration, &root_key).await?;
        }
        if there == There::DisabledAfter {
            let disabled = backend.disable(&root_key).await;
            disabled.map_err(|error| half_disabled(error, &root_key, &*backend))?;
        }
        whole(&administration, RootKey { state, ..root_key }).await
    });
    done.await.map(Json)
}

/// It was enabled in the backend, and is not here.
fn half_enabled(refusal: Refusal, there: There, backend: &dyn RootKeyBackend) -> Refusal {
    match (there, backend.kind()) {
        (There::EnabledBefore, BackendKind::KeyProtect) => {
            refusal.and("in the key manager the root key is enabled now, and here it is what it was")
        }
        _ => refusal,
    }
}

/// It is disabled here, and was not in the backend.
fn half_disabled(error: root_key::Error, root_key: &RootKey, backend: &dyn RootKeyBackend) -> Refusal {
    let more = format!(
        "root key {:?} is disabled here, so nothing is released under it, and in the {} it is what it was",
        root_key.name,
        backend.kind().noun(),
    );
    Refusal::from(error)
        .and(&more)
        .remedy(format!("repeat `claviger root-key disable {}`", root_key.name))
}

/// Has the backend forget what it keeps open of keys under any version of a root key.
async fn forget(administration: &Administration, root_key: &RootKey) -> Result<(), Refusal> {
    let Ok(backend) = administration.root_keys().for_root(root_key) else {
        return Ok(());
    };
    backend.forget(root_key, None).await;
    for version in administration.store().earlier_versions(root_key.id).await?.rows {
        backend.forget(&root_key.at(&version), None).await;
    }
    Ok(())
}

async fn destroy_version(
    State(administration): State<Arc<Administration>>,
    Extension(caller): Extension<Caller>,
    Segments((name, version)): Segments<(String, u32)>,
) -> Answer {
    let event = caller
        .event(EventName::RootKeyDestroyVersion)
        .detail("name", name.clone())
        .detail("version", version.to_string());
    let done = administration.carry_out(event, async move |administration, event| {
        let root_key = administration.root_key(&name).await?;
        if version == root_key.version {
            let message = format!(
                "version {version} is the present one of root key {:?}: new keys and the seal key are under it",
                root_key.name
            );
            return Err(Refusal::new(Kind::InUse, message).remedy("rotate the root key first"));
        }
        let earlier = administration.store().earlier_versions(root_key.id).await?.rows;
        let found = earlier.into_iter().find(|earlier| earlier.version == version);
        let found = found
            .ok_or_else(|| Refusal::not_found("version of the root key", &version.to_string()))?;
        if found.state != VersionState::Kept || root_key.state.is_beyond_recall() {
            let message = format!("version {version} of root key {:?} is destroyed already", root_key.name);
            return Err(Refusal::new(Kind::WrongState, message));
        }
        let backend = administration.root_keys().for_root(&root_key)?;
        if backend.keeps_versions() {
            let message = format!(
                "in the key manager the versions of root key {:?} can only be destroyed together",
                root_key.name
            );
            return Err(Refusal::new(Kind::Invalid, message).remedy(format!(
                "leave it: no key is made under an earlier version. To be rid of it, make another root key, move the \
                 adapters there (`claviger adapter move`), and destroy this one (`claviger root-key schedule-destruction \
                 {}`)",
                root_key.name
            )));
        }
        let event = Event {
            root_key: Some(root_key_facts(&root_key.at(&found))),
            ..event
        };
        let change = Change::SetVersionState {
            root_key: root_key.id,
            version,
            from: VersionState::Kept,
            to: VersionState::Destroying,
        };
        if let Err(refusal) = administration.commit(vec![change], event).await {
            return Err(match refusal.kind() {
                Kind::InUse => refusal.remedy(format!(
                    "wait until no key is under it any more: `claviger root-key show {}`",
                    root_key.name
                )),
                _ => refusal,
            });
        }
        // Where this fails the job tries again, and the answer says so.
        administration.jobs().destroyer.work(OffsetDateTime::now_utc()).await?;
        whole(&administration, root_key).await
    });
    done.await.map(Json)
}

pub(super) fn wrong_state(root_key: &RootKey, why: &str) -> Refusal {
    let message = format!("root key {:?} is {}: {why}", root_key.name, root_key.state.name());
    Refusal::new(Kind::WrongState, message)
}

pub(super) fn shown(time: OffsetDateTime) -> String {
    time.format(&time::format_description::well_known::Rfc3339)
        .unwrap_or_else(|_| time.to_string())
}
