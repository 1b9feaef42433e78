//! `GET /v1/custody/bundle?since&until&kept`: what an auditor takes along ([`crate::custody::bundle`]).
//!
//! `since` and `until` are times of RFC 3339, `kept` is the size of the log at the auditor's last visit. A bundle is made in a
//! file without a name, and sent from there: it takes the disk as much as it is long, and memory next to nothing.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Seek as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::BytesMut;
use serde::Deserialize;
use time::OffsetDateTime;
use tokio::io::AsyncReadExt as _;
use tokio::runtime::Handle;
use uuid::Uuid;

use super::administration::Administration;
use super::extract::Parameters;
use super::refusal::{Kind, Refusal};
use crate::custody::Policy;
use crate::custody::bundle::Manifest;
use crate::store::{BundleError, BundleRange, write_bundle};

/// How long it is waited for that a checkpoint is over the rows: under load there is one each second, and witnesses answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How much of the file is in memory, in bytes.
const CHUNK: usize = 1 << 18;

pub(super) fn routes() -> Router<Arc<Administration>> {
    Router::new().route("/v1/custody/bundle", get(bundle))
}

/// What is wanted of the log.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Range {
    #[serde(default, with = "time::serde::rfc3339::option")]
    since: Option<OffsetDateTime>,
    #[serde(default, with = "time::serde::rfc3339::option")]
    until: Option<OffsetDateTime>,
    #[serde(default)]
    kept: Option<u64>,
}

async fn bundle(
    State(administration): State<Arc<Administration>>,
    Parameters(range): Parameters<Range>,
) -> Result<Response, Refusal> {
    let range = BundleRange {
        since: range.since,
        until: range.until,
        kept: range.kept,
    };
    sent(&administration, range).await
}

/// The answer with a bundle.
pub(super) async fn sent(administration: &Administration, range: BundleRange) -> Result<Response, Refusal> {
    let _alone = administration.bundles().lock().await;
    let (file, length, manifest) = made(administration, range).await?;
    let disposition = format!(
        "attachment; filename=\"custody-{}-{}.tar\"",
        manifest.from, manifest.size
    );
    let headers = [
        (header::CONTENT_TYPE, "application/x-tar".to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
        (header::CONTENT_LENGTH, length.to_string()),
    ];
    Ok((headers, content(file)).into_response())
}

/// What a file has from its present place on.
pub(super) fn content(file: File) -> Body {
    let chunks = futures_util::stream::try_unfold(tokio::fs::File::from_std(file), async |mut file| {
        let mut chunk = BytesMut::with_capacity(CHUNK);
        let read = file.read_buf(&mut chunk).await?;
        io::Result::Ok((read > 0).then(|| (chunk.freeze(), file)))
    });
    Body::from_stream(chunks)
}

/// A bundle in a file, its length, and what it says of itself.
async fn made(administration: &Administration, range: BundleRange) -> Result<(File, u64, Manifest), Refusal> {
    let policy = policy(administration)?;
    let store = administration.shared_store();
    let folder = administration.server().bundle_directory.clone();
    let runtime = Handle::current();
    // Files are written where nobody else waits for it.
    let made = tokio::task::spawn_blocking(move || {
        let file = unnamed(&folder)?;
        let out = BufWriter::with_capacity(CHUNK, &file);
        let writing = write_bundle(&*store, &policy, &range, PATIENCE, out);
        let manifest = runtime.block_on(writing)?;
        let length = (&file).stream_position()?;
        (&file).rewind()?;
        Ok::<_, BundleError>((file, length, manifest))
    });
    let made = made.await.map_err(|error| {
        Refusal::new(
            Kind::Internal,
            format!("the making of a bundle broke off: {error}"),
        )
    })?;
    made.map_err(refusal)
}

/// The keys that this server knows: the log's, and its witnesses' with their quorum.
fn policy(administration: &Administration) -> Result<Policy, Refusal> {
    let key = administration.recorder().checkpoints().borrow().key.clone();
    let key = key.ok_or_else(|| refusal(BundleError::Unsigned))?;
    Ok(match &administration.server().witnesses {
        Some(witnesses) => witnesses.clone().with_log(key),
        None => Policy::of_log(key),
    })
}

/// A file that is gone when it is closed.
pub(super) fn unnamed(folder: &Path) -> io::Result<File> {
    let path = folder.join(format!("bundle-{}", Uuid::now_v7()));
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

fn refusal(error: BundleError) -> Refusal {
    let what = error.to_string();
    match error {
        BundleError::Store(error) => error.into(),
        BundleError::Unsigned => Refusal::not_found("checkpoint", "latest")
            .remedy("a bundle is proved by a checkpoint: `claviger status` says why the log is not signed"),
        BundleError::Shorter { .. } => Refusal::new(Kind::Invalid, what)
            .remedy("give the size of a checkpoint of this log; a log that became shorter was taken back"),
        BundleError::Pruned(_) => Refusal::new(Kind::Invalid, what)
            .remedy("ask for a later time; what was pruned is in the bundle that was archived before"),
        BundleError::Missing(_) | BundleError::Note(_) | BundleError::Checkpoint(_) => {
            Refusal::new(Kind::Tampered, what).remedy("run `claviger custody verify`")
        }
        BundleError::Write(_) => Refusal::new(Kind::Unavailable, what)
            .remedy("a bundle needs as much room in the state directory as it is long"),
    }
}
