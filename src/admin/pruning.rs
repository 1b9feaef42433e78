//! `/v1/custody/pruning`: the oldest records of the custody log, let go by the policy of `[custody.retention]`.
//!
//! | request | reply |
//! |---|---|
//! | `GET /v1/custody/pruning` | [`Pruning`]: what may go now, and what was asked for |
//! | `POST /v1/custody/pruning` with [`Prune`] | the same, once it was asked for; 409 `wrong_state` where nothing may go, or no policy is stated |
//! | `POST /v1/custody/pruning/approve` | the same, while it is carried out; 403 `second_administrator` for who asked |
//!
//! The record that lets records go tells of both administrators. What was asked for is forgotten when the server ends.
//! Whoever names a bundle has verified it; here only that its head is one of this log is looked at.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Caller;
use super::administration::{Administration, now};
use super::api::{ArchiveNamed, Prune, Pruning, PruningAsked};
use super::extract::Body;
use super::refusal::{ANOTHER, Kind, Refusal};
use crate::adapter::Administrator;
use crate::custody::{Event, EventName};
use crate::job::{Archive, LedgerError, Prunable, RetentionError};
use crate::recorder::approver;

pub(super) fn routes() -> Router<Arc<Administration>> {
    Router::new()
        .route("/v1/custody/pruning", get(show).post(ask))
        .route("/v1/custody/pruning/approve", post(approve))
}

/// What waits for a second administrator.
#[derive(Clone, Debug)]
struct Waiting {
    caller: Caller,
    person: Administrator,
    at: OffsetDateTime,
    archives: Vec<ArchiveNamed>,
}

/// What became of what was asked for.
#[derive(Debug, Default)]
pub(super) struct Asked {
    waiting: Option<Waiting>,
    is_under_way: bool,
    failure: Option<String>,
}

async fn show(State(administration): State<Arc<Administration>>) -> Result<Json<Pruning>, Refusal> {
    let asked = administration.pruning_asked().lock().await;
    let archives = asked.waiting.as_ref().map(|waiting| waiting.archives.as_slice());
    let going = prunable(&administration, archives.unwrap_or_default()).await?;
    Ok(Json(shown(&administration, going, &asked)?))
}

async fn ask(
    State(administration): State<Arc<Administration>>,
    Extension(caller): Extension<Caller>,
    Body(wanted): Body<Prune>,
) -> Result<Json<Pruning>, Refusal> {
    let mut asked = administration.pruning_asked().lock().await;
    if wanted.dry_run {
        let going = prunable(&administration, &wanted.archives).await?;
        return Ok(Json(shown(&administration, going, &asked)?));
    }
    if asked.is_under_way {
        return Err(Refusal::new(Kind::WrongState, "records are being let go already"));
    }
    let going = prunable(&administration, &wanted.archives).await?;
    let policy = administration.jobs().retention.policy;
    if wanted.archives.is_empty() && !policy.is_some_and(|policy| policy.without_archive) {
        return Err(RetentionError::NoArchive.into());
    }
    if going.below == going.from {
        return Err(RetentionError::Nothing(going.because).into());
    }
    let person = caller.person()?;
    tracing::warn!(user = %person.user, uid = ?person.uid, below = going.below, "an administrator asks to let records of the custody log go");
    asked.waiting = Some(Waiting {
        caller,
        person,
        at: now(),
        archives: wanted.archives,
    });
    asked.failure = None;
    Ok(Json(shown(&administration, going, &asked)?))
}

async fn approve(
    State(administration): State<Arc<Administration>>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Pruning>, Refusal> {
    let mut asked = administration.pruning_asked().lock().await;
    let Some(waiting) = asked.waiting.clone() else {
        return Err(
            Refusal::new(Kind::WrongState, "nobody has asked to let records go")
                .remedy("`claviger custody prune`, by another administrator"),
        );
    };
    let person = caller.person()?;
    if waiting.person.is_same_as(&person) {
        let message = format!(
            "{} asked to let records go, and can't approve of it as well",
            person.user
        );
        return Err(Refusal::new(Kind::SecondAdministrator, message).remedy(ANOTHER));
    }
    let Waiting {
        caller: who,
        at,
        archives,
        ..
    } = waiting;
    let going = prunable(&administration, &archives).await?;
    let mut event = who
        .event(EventName::CustodyPrune)
        .detail("asked_at", at.format(&Rfc3339).unwrap_or_else(|_| at.to_string()));
    event.approvers = vec![approver(&person)];
    asked.waiting = None;
    asked.is_under_way = true;
    let begun = shown(&administration, going, &asked)?;
    let doing = Arc::clone(&administration);
    // The whole log is read first: nobody waits for that.
    administration.under_way().spawn(async move {
        let failure = carry_out(&doing, &archives, event).await.err();
        let mut asked = doing.pruning_asked().lock().await;
        asked.is_under_way = false;
        asked.failure = failure.map(|error| error.to_string());
    });
    Ok(Json(begun))
}

/// Lets go what may go, and records it also where that fails.
async fn carry_out(
    administration: &Administration,
    archives: &[ArchiveNamed],
    event: Event,
) -> Result<(), RetentionError> {
    let retention = &administration.jobs().retention;
    let done = retention
        .let_go(&known(archives), administration.feeds(), now(), event.clone())
        .await;
    let Err(error) = done else { return Ok(()) };
    tracing::error!(%error, "records of the custody log were not let go");
    let failed = event.failed(error.to_string());
    if let Err(unrecorded) = administration.recorder().commit(Vec::new(), failed).await {
        tracing::error!(%unrecorded, "that they were not could not be recorded");
    }
    Err(error)
}

async fn prunable(administration: &Administration, archives: &[ArchiveNamed]) -> Result<Prunable, Refusal> {
    let retention = &administration.jobs().retention;
    let found = retention
        .prunable(&known(archives), administration.feeds(), now())
        .await;
    Ok(found?)
}

fn known(archives: &[ArchiveNamed]) -> Vec<Archive> {
    let archive = |named: &ArchiveNamed| Archive {
        sha256: named.sha256,
        from: named.from,
        size: named.size,
        root: named.root,
    };
    archives.iter().map(archive).collect()
}

fn shown(administration: &Administration, going: Prunable, asked: &Asked) -> Result<Pruning, Refusal> {
    let retention = &administration.jobs().retention;
    let policy = retention.policy.ok_or(RetentionError::NoPolicy)?;
    let asked_for = asked.waiting.as_ref().map(|waiting| PruningAsked {
        by: waiting.person.user.clone(),
        uid: waiting.person.uid,
        at: waiting.at,
        archives: waiting.archives.clone(),
    });
    Ok(Pruning {
        kept_from: going.kept_from,
        from: going.from,
        below: going.below,
        because: going.because,
        first: going.times.map(|(first, _)| first),
        last: going.times.map(|(_, last)| last),
        keep_seconds: policy.keep.as_secs(),
        without_archive: policy.without_archive,
        asked: asked_for,
        under_way: asked.is_under_way,
        failure: asked.failure.clone().or_else(|| retention.failure()),
    })
}

impl From<RetentionError> for Refusal {
    fn from(error: RetentionError) -> Self {
        let message = error.to_string();
        match error {
            RetentionError::NoPolicy => Self::new(Kind::WrongState, message).remedy(
                "write how long records are kept into the configuration: `keep` in [custody.retention]; docs/custody-log.md",
            ),
            RetentionError::NoArchive => Self::new(Kind::WrongState, message).remedy(
                "`claviger custody bundle FILE`, then `claviger custody prune --archive FILE`",
            ),
            RetentionError::OtherLog { .. } => Self::new(Kind::Invalid, message)
                .remedy("name a bundle of this log; look at `claviger custody verify` if it is one"),
            RetentionError::Nothing(_) => Self::new(Kind::WrongState, message),
            RetentionError::Store(error) | RetentionError::Log(LedgerError::Store(error)) => error.into(),
            RetentionError::Log(_) => Self::new(Kind::Tampered, message),
            RetentionError::Recorder(error) => error.into(),
        }
    }
}
