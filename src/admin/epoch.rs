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

use super::Peer;
use super::administration::{Administration, actor, now};
use super::api::{Epoch, EpochAsked, OpenEpoch};
use super::extract::Body;
use super::refusal::{Kind, Refusal};
use crate::custody::{Approver, Event, EventName};

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
    peer: Peer,
    reason: String,
    at: OffsetDateTime,
}

async fn show(State(administration): State<Arc<Administration>>) -> Json<Epoch> {
    let asked = administration.epoch_asked().lock().await;
    Json(shown(&administration, asked.as_ref()))
}

async fn open(
    State(administration): State<Arc<Administration>>,
    Extension(peer): Extension<Peer>,
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
    tracing::warn!(user = %peer.user, uid = peer.uid, reason, "an administrator asks for a new epoch of the custody log");
    *asked = Some(Asked {
        peer,
        reason: reason.to_owned(),
        at: now(),
    });
    Ok(Json(shown(&administration, asked.as_ref())))
}

async fn approve(
    State(administration): State<Arc<Administration>>,
    Extension(peer): Extension<Peer>,
) -> Result<Json<Epoch>, Refusal> {
    // To its end, also where nobody waits for it any more.
    let done = tokio::spawn(async move {
        let mut asked = administration.epoch_asked().lock().await;
        require_held(&administration)?;
        let Some(wanted) = asked.as_ref() else {
            return Err(Refusal::new(Kind::WrongState, "nobody has asked for a new epoch")
                .remedy("`claviger custody epoch open --reason …`, by another administrator"));
        };
        if wanted.peer.uid == peer.uid {
            let message = format!(
                "{} asked for the new epoch, and can't approve of it as well",
                peer.user
            );
            return Err(Refusal::new(Kind::SecondAdministrator, message)
                .remedy("another administrator, that is another user of this machine, must approve of it"));
        }
        let asked_at = wanted
            .at
            .format(&Rfc3339)
            .unwrap_or_else(|_| wanted.at.to_string());
        let mut event = Event::new(EventName::CustodyEpoch, actor(&wanted.peer))
            .detail("reason", &wanted.reason)
            .detail("asked_at", asked_at);
        event.approvers = vec![Approver {
            uid: peer.uid,
            user: peer.user.clone(),
        }];
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
            by: asked.peer.user.clone(),
            uid: asked.peer.uid,
            at: asked.at,
            reason: asked.reason.clone(),
        }),
    }
}
