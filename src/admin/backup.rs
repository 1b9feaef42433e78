//! `POST /v1/backups`: a backup of everything, made now and sent as the answer ([`crate::backup`]).
//!
//! Like a bundle of the custody log it is made in a file without a name first: it takes the disk as much as it is long. That it
//! was made, and left the server, is in the custody log before its first byte is sent. The backup itself is as of before.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Extension, Router};

use super::Caller;
use super::administration::Administration;
use super::api;
use super::bundle::{content, unnamed};
use super::refusal::{Kind, Refusal};
use crate::backup::{self, BackupKey, Error, LastBackup, Made, Source};
use crate::custody::{Event, EventName};

/// What there is to do where no key for backups is known.
const MAKE_ONE: &str = "make the key that backups are under, once: `claviger backup key create`";

/// How a server's backups are made.
#[derive(Clone, Debug)]
pub struct Backups {
    /// The file that says which key they are under.
    pub key: PathBuf,
    /// Whose they are, and which files belong into them.
    pub source: Source,
    /// Where it is kept when the last one was made.
    pub state_directory: PathBuf,
}

pub(super) fn routes() -> Router<Arc<Administration>> {
    Router::new().route("/v1/backups", post(create))
}

async fn create(
    State(administration): State<Arc<Administration>>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Refusal> {
    if let Some(rollback) = administration.recorder().held() {
        // Nothing leaves that can't be recorded.
        return Err(crate::recorder::Error::Held(rollback).into());
    }
    let _alone = administration.bundles().lock().await;
    let event = caller.event(EventName::BackupCreate);
    let (file, made) = match make(&administration).await {
        Ok(made) => made,
        Err(refusal) => return Err(administration.record_refusal(event, refusal).await),
    };
    administration.commit(Vec::new(), told(event, &made)).await?;
    remember(&administration, &made);
    let disposition = format!("attachment; filename=\"{}\"", made.header.file_name());
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
        (header::CONTENT_LENGTH, made.bytes.to_string()),
    ];
    Ok((headers, content(file)).into_response())
}

/// A backup in a file, which stands at its beginning.
async fn make(administration: &Administration) -> Result<(File, Made), Refusal> {
    let backups = administration.server().backups.clone();
    let key = BackupKey::read(&backups.key)
        .map_err(refusal)?
        .ok_or_else(|| Refusal::new(Kind::WrongState, "no key for backups is known").remedy(MAKE_ONE))?;
    let no_room = |error: std::io::Error| {
        Refusal::new(Kind::Unavailable, format!("no backup can be made: {error}"))
            .remedy("a backup needs as much room in the state directory as it is long")
    };
    let file = unnamed(&administration.server().bundle_directory).map_err(no_room)?;
    let out = file.try_clone().map_err(no_room)?;
    let store = administration.shared_store();
    let made = backup::write(store, administration.root_keys(), &key, backups.source, out).await;
    let made = made.map_err(refusal)?;
    backup::rewound(&file).map_err(refusal)?;
    Ok((file, made))
}

/// The record of a backup.
fn told(event: Event, made: &Made) -> Event {
    made.details()
        .into_iter()
        .fold(event, |event, (name, value)| event.detail(name, value))
}

/// What is known of the last backup is for the status alone: without it there is a backup all the same.
fn remember(administration: &Administration, made: &Made) {
    let kept = LastBackup::from(made).keep(&administration.server().backups.state_directory);
    if let Err(error) = kept {
        tracing::error!(%error, "when the last backup was made will not be known after this");
    }
}

/// The last backup that this server made, for its status.
pub(super) fn last(administration: &Administration) -> Option<api::LastBackup> {
    let state_directory = &administration.server().backups.state_directory;
    match LastBackup::within(state_directory) {
        Ok(last) => last.map(|last| api::LastBackup {
            at: last.at,
            records: last.records,
            bytes: last.bytes,
            sha256: last.sha256,
        }),
        Err(error) => {
            tracing::warn!(%error, "when the last backup was made is not known");
            None
        }
    }
}

fn refusal(error: Error) -> Refusal {
    let what = error.to_string();
    match error {
        Error::Store(error) => error.into(),
        Error::Key { .. } => Refusal::new(Kind::BackendFailed, what)
            .remedy("`claviger doctor` tells more of the device; the key is the one that `backup.key` names"),
        Error::NoKey { .. } => Refusal::new(Kind::WrongState, what)
            .remedy("put the file back; every backup has it: `claviger backup show FILE`"),
        Error::Io { .. } => Refusal::new(Kind::Unavailable, what)
            .remedy("a backup needs as much room in the state directory as it is long"),
        Error::File { .. } => Refusal::new(Kind::Unavailable, what)
            .remedy("the server's user has to be able to read every file of its configuration"),
        _ => Refusal::new(Kind::Internal, what),
    }
}
