//! `/v1/custody/epoch`: what is done about a custody log that is not the one that was written last.
//!
//! | request | reply |
//! |---|---|
//! | `GET /v1/custody/epoch` | whether the log is held, and why; who has asked for a new epoch |
//! | `POST /v1/custody/epoch` with [`OpenEpoch`] | the same; 409 `wrong_state` where the log is not held |
//! | `POST /v1/custody/epoch/approve` | the same, the log held no more; 403 `second_administrator` for who asked |
//!
//! While the log is held nothing can be recorded, and that a new epoch was asked for neither: the first record of the epoch
//! tells of both administrators. What was asked for is forgotten when the server ends.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Caller;
use super::administration::{Administration, now};
use super::api::{Epoch, EpochAsked, OpenEpoch};
use super::extract::Body;
use super::refusal::{ANOTHER, Kind, Refusal};
use crate::adapter::Administrator;
use crate::custody::EventName;
use crate::recorder::approver;

/// The longest reason, in letters.
const LONGEST_REASON: usize = 1000;

pub(super) fn routes() -> Router<Arc<Administration>> {
    Router::new()
        .route("/v1/custody/epoch", get(show).post(open))
        .route("/v1/custody/epoch/approve", post(approve))
}

/// What an administrator asked for.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    caller: Caller,
    person: Administrator,
    reason: String,
    at: OffsetDateTime,
}

async fn show(State(administration): State<Arc<Administration>>) -> Json<Epoch> {
    let asked = administration.epoch_asked().lock().await;
    Json(shown(&administration, asked.as_ref()))
}

async fn open(
    State(administration): State<Arc<Administration>>,
    Extension(caller): Extension<Caller>,
    Body(wanted): Body<OpenEpoch>,
) -> Result<Json<Epoch>, Refusal> {
    let mut asked = administration.epoch_asked().lock().await;
    require_held(&administration)?;
    let reason = wanted.reason.trim();
    if reason.is_empty() || reason.chars().count() > LONGEST_REASON {
        let message = format!("the reason has {} letters", reason.chars().count());
        return Err(Refusal::new(Kind::Invalid, message).remedy(format!(
            "say in 1 to {LONGEST_REASON} letters why the log is to go on from an older state"
        )));
    }
    let person = caller.person()?;
    tracing::warn!(user = %person.user, uid = ?person.uid, reason, "an administrator asks for a new epoch of the custody log");
    *asked = Some(Asked {
        caller,
        person,
        reason: reason.to_owned(),
        at: now(),
    });
    Ok(Json(shown(&administration, asked.as_ref())))
}

async fn approve(
    State(administration): State<Arc<Administration>>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Epoch>, Refusal> {
    // To its end, also where nobody waits for it any more.
    let done = tokio::spawn(async move {
        let mut asked = administration.epoch_asked().lock().await;
        require_held(&administration)?;
        let Some(wanted) = asked.as_ref() else {
            return Err(Refusal::new(Kind::WrongState, "nobody has asked for a new epoch")
                .remedy("`claviger custody epoch open --reason …`, by another administrator"));
        };
        let person = caller.person()?;
        if wanted.person.is_same_as(&person) {
            let message = format!(
                "{} asked for the new epoch, and can't approve of it as well",
                person.user
            );
            return Err(Refusal::new(Kind::SecondAdministrator, message).remedy(ANOTHER));
        }
        let asked_at = wanted
            .at
            .format(&Rfc3339)
            .unwrap_or_else(|_| wanted.at.to_string());
        let mut event = wanted
            .caller
            .event(EventName::CustodyEpoch)
            .detail("reason", &wanted.reason)
            .detail("asked_at", asked_at);
        event.approvers = vec![approver(&person)];
        administration.recorder().open_epoch(event).await?;
        *asked = None;
        Ok(Json(shown(&administration, None)))
    });
    done.await.unwrap_or_else(|error| {
        Err(Refusal::new(
            Kind::Internal,
            format!("the opening of the epoch broke off: {error}"),
        ))
    })
}

fn require_held(administration: &Administration) -> Result<(), Refusal> {
    if administration.recorder().held().is_some() {
        return Ok(());
    }
    Err(Refusal::new(
        Kind::WrongState,
        "the custody log goes on from what was written last, so there is no new epoch to be opened",
    ))
}

fn shown(administration: &Administration, asked: Option<&Asked>) -> Epoch {
    let held = administration.recorder().held();
    Epoch {
        held: held.is_some(),
        why: held.as_ref().map(ToString::to_string),
        known_size: held.as_ref().map(|rollback| rollback.known_size),
        known_root: held
            .as_ref()
            .and_then(|rollback| rollback.known_root.map(|root| root.to_string())),
        known_checkpoint: held
            .as_ref()
            .and_then(|rollback| rollback.known_checkpoint.clone()),
        found_size: held.as_ref().map(|rollback| rollback.found.size),
        found_root: held.as_ref().map(|rollback| rollback.found.root.to_string()),
        asked: asked.map(|asked| EpochAsked {
            by: asked.person.user.clone(),
            uid: asked.person.uid,
            at: asked.at,
            reason: asked.reason.clone(),
        }),
    }
}
