//! `/v1/key-lists`: keys that are revoked or destroyed by a list, in the background.
//!
//! | request | reply |
//! |---|---|
//! | `POST /v1/key-lists` with [`NewKeyList`] | the list; it is begun, unless it destroys: then it waits for approval. 409 `conflict` while the same is under way |
//! | `GET /v1/key-lists/{sha256}` | how far it is |
//! | `GET /v1/key-lists/{sha256}/lines?from&limit` | a page of lines, with what became of each |
//! | `POST /v1/key-lists/{sha256}/approve` | the list, which is begun; 403 `second_administrator` for who asked |
//!
//! What is approved of is the digest over every line. A list is remembered by the server that it was given to, until that ends;
//! the same list begun anew leaves alone what is done. See [`KeyLists`](crate::job::KeyLists).

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, State};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use serde::Deserialize;

use super::Caller;
use super::administration::Administration;
use super::api::{self, KeyEnd, KeyListResult, List, NewKeyList};
use super::extract::{Body, Parameters, Segments};
use super::refusal::{ANOTHER, Kind, Refusal};
use crate::adapter::Administrator;
use crate::custody::{EventName, Hash};
use crate::job::{End, KeyList, Verdict};
use crate::recorder::approver;

/// The most lines of a list.
const MOST: usize = 100_000;
/// The longest list, in bytes: so many lines with the longest names.
const BODY_LIMIT: usize = 20 << 20;
/// The most lines of one reply.
const PAGE: usize = 5000;

pub(super) fn routes() -> Router<Arc<Administration>> {
    Router::new()
        .route("/v1/key-lists", post(enter))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .route("/v1/key-lists/{sha256}", get(show))
        .route("/v1/key-lists/{sha256}/lines", get(lines))
        .route("/v1/key-lists/{sha256}/approve", post(approve))
}

/// Who asked for a list.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    caller: Caller,
    /// None for the bearer of a token, who may ask for what needs nobody else.
    person: Option<Administrator>,
}

/// Who asked for each of the lists that are remembered.
pub(super) type AllAsked = HashMap<Hash, Asked>;

async fn enter(
    State(administration): State<Arc<Administration>>,
    Extension(caller): Extension<Caller>,
    Body(new): Body<NewKeyList>,
) -> Result<Json<api::KeyList>, Refusal> {
    if new.keys.is_empty() || new.keys.len() > MOST {
        return Err(Refusal::new(
            Kind::Invalid,
            format!("a list has 1 to {MOST} keys, and this one has {}", new.keys.len()),
        )
        .remedy("divide it"));
    }
    let needs_approval = new.end == KeyEnd::Destroy && !new.dry_run;
    let person = if needs_approval {
        Some(caller.person()?)
    } else {
        None
    };
    let order = new.order();
    let lists = &administration.jobs().key_lists;
    let mut asked = administration.key_lists_asked().lock().await;
    let list = lists.enter(order).ok_or_else(|| {
        Refusal::new(Kind::Conflict, "the same list is under way").remedy("wait until it is at its end")
    })?;
    asked.retain(|digest, _| lists.find(*digest).is_some());
    if needs_approval {
        tracing::warn!(by = %caller.name(), keys = list.order.lines.len(), list = %list.digest,
            "an administrator asks to destroy the keys of a list");
    } else {
        // Whoever reads is not on record for it, and a dry run writes nothing.
        lists.begin(&list, caller.event(EventName::KeyListBegin));
    }
    asked.insert(list.digest, Asked { caller, person });
    Ok(Json(shown(&list, &asked)))
}

async fn show(
    State(administration): State<Arc<Administration>>,
    Segments(digest): Segments<String>,
) -> Result<Json<api::KeyList>, Refusal> {
    let list = found(&administration, &digest)?;
    let asked = administration.key_lists_asked().lock().await;
    Ok(Json(shown(&list, &asked)))
}

/// Which lines are wanted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// The number of the first, from 0.
    #[serde(default)]
    from: usize,
    /// How many, at most.
    #[serde(default)]
    limit: Option<usize>,
}

async fn lines(
    State(administration): State<Arc<Administration>>,
    Segments(digest): Segments<String>,
    Parameters(wanted): Parameters<Wanted>,
) -> Result<Json<List<KeyListResult>>, Refusal> {
    let list = found(&administration, &digest)?;
    let limit = wanted.limit.unwrap_or(PAGE).clamp(1, PAGE);
    let verdicts = list.verdicts(wanted.from, limit);
    let next = wanted.from + verdicts.len();
    let done = if list.order.dry_run { "would" } else { "done" };
    let lines = list.order.lines.iter().skip(wanted.from).zip(verdicts);
    let items = lines.map(|(line, verdict)| {
        let (result, why) = match verdict {
            Verdict::Done => (done, None),
            Verdict::Refused(why) => ("refused", Some(why)),
            Verdict::Failed(why) => ("failed", Some(why)),
        };
        KeyListResult {
            adapter: line.adapter.clone(),
            key: line.key,
            result: result.to_owned(),
            why,
        }
    });
    Ok(Json(List {
        items: items.collect(),
        next: (next > wanted.from && next < list.order.lines.len()).then(|| next.to_string()),
        tampered: Vec::new(),
    }))
}

async fn approve(
    State(administration): State<Arc<Administration>>,
    Extension(caller): Extension<Caller>,
    Segments(digest): Segments<String>,
) -> Result<Json<api::KeyList>, Refusal> {
    let list = found(&administration, &digest)?;
    let asked = administration.key_lists_asked().lock().await;
    let person = caller.person()?;
    let Some(Asked {
        caller: who,
        person: Some(first),
    }) = asked.get(&list.digest)
    else {
        return Err(Refusal::new(
            Kind::WrongState,
            "this list needs nobody's approval",
        ));
    };
    if first.is_same_as(&person) {
        let message = format!("{} asked for it, and can't approve of it as well", person.user);
        return Err(Refusal::new(Kind::SecondAdministrator, message).remedy(ANOTHER));
    }
    let mut event = who.event(EventName::KeyListBegin);
    event.approvers = vec![approver(&person)];
    if !administration.jobs().key_lists.begin(&list, event) {
        return Err(Refusal::new(
            Kind::WrongState,
            "this list was approved of already",
        ));
    }
    Ok(Json(shown(&list, &asked)))
}

fn found(administration: &Administration, digest: &str) -> Result<Arc<KeyList>, Refusal> {
    let list = digest
        .parse()
        .ok()
        .and_then(|digest| administration.jobs().key_lists.find(digest));
    list.ok_or_else(|| {
        Refusal::not_found("list of keys that this server remembers", digest)
            .remedy("give the list to it again: what was done by it is left alone")
    })
}

fn shown(list: &KeyList, asked: &AllAsked) -> api::KeyList {
    let status = list.status();
    let asked_by = asked.get(&list.digest).map(|asked| asked.caller.name());
    api::KeyList {
        sha256: list.digest,
        end: match list.order.end {
            End::Revoke => KeyEnd::Revoke,
            End::Destroy => KeyEnd::Destroy,
        },
        dry_run: list.order.dry_run,
        force: list.order.force,
        keys: list.order.lines.len() as u64,
        asked_by: asked_by.unwrap_or_default(),
        asked_at: list.asked_at,
        waits_for_approval: status.waits,
        done: status.done,
        refused: status.refused,
        failed: status.failed,
        ended_at: status.ended_at,
        failure: status.failure,
    }
}
