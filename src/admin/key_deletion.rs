//! `DELETE /v1/adapters/{adapter}/keys/{key}`: whoever looks after an adapter destroys one of its objects.
//!
//! An object in use is destroyed with `force=true` alone, as Key Protect has it: what is encrypted under it can't be read any
//! more, and its clients learn that from their next request.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;

use super::Caller;
use super::administration::Administration;
use super::extract::{Parameters, Segments};
use super::keys;
use super::refusal::{Kind, Refusal};
use crate::custody::{EventName, ObjectFacts};
use crate::job::{End, NotEnded};

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
        let id = keys::row(&administration, &adapter, &key).await?.object.id();
        let ending = &administration.jobs().ending;
        let ended = ending
            .carry_out(End::Destroy, adapter.id, id, force, &event)
            .await;
        ended.map_err(Refusal::from)
    });
    done.await
}

impl From<NotEnded> for Refusal {
    fn from(error: NotEnded) -> Self {
        let message = error.to_string();
        match error {
            NotEnded::NotFound => Self::new(Kind::NotFound, message),
            NotEnded::Already { .. } => Self::new(Kind::WrongState, message).key_protect("KEY_DELETED_ERR"),
            NotEnded::Active { .. } => Self::new(Kind::WrongState, message)
                .remedy("have a client revoke it first, or ask for it with force"),
            NotEnded::Unfit(_) => Self::new(Kind::WrongState, message),
            NotEnded::Store(error) => error.into(),
            NotEnded::Recorder(error) => error.into(),
        }
    }
}
