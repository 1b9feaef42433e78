//! What an auditor takes along: the bytes of a record, its proof, a checkpoint, a bundle.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use serde::Deserialize;

use super::Pages;
use super::failure::Failure;
use super::record::stored;
use super::search::time_of;
use super::use_record::Visitor;
use crate::custody::{SignedNote, TlogProof};
use crate::store::{BundleRange, Store, StoredCheckpoint, custody_inclusion};

/// `GET /records/{sequence}/record.json`: its exact bytes.
pub(super) async fn record(
    State(pages): State<Arc<Pages>>,
    Extension(visitor): Extension<Visitor>,
    Path(sequence): Path<String>,
) -> Response {
    match stored(pages.administration.store(), &sequence).await {
        Ok(stored) => file(
            "application/json",
            &format!("record-{}.json", stored.sequence),
            stored.bytes,
        ),
        Err(failure) => failure.answer(&visitor),
    }
}

/// `GET /records/{sequence}/proof`: that it is in the log of the latest checkpoint.
pub(super) async fn proof(
    State(pages): State<Arc<Pages>>,
    Extension(visitor): Extension<Visitor>,
    Path(sequence): Path<String>,
) -> Response {
    match proof_of(pages.administration.store(), &sequence).await {
        Ok((number, proof)) => file(
            "text/plain; charset=utf-8",
            &format!("record-{number}.tlog-proof"),
            proof.to_string(),
        ),
        Err(failure) => failure.answer(&visitor),
    }
}

/// `GET /checkpoint`: the latest, as it was signed.
pub(super) async fn checkpoint(
    State(pages): State<Arc<Pages>>,
    Extension(visitor): Extension<Visitor>,
) -> Response {
    match latest(pages.administration.store()).await {
        Ok(latest) => file(
            "text/plain; charset=utf-8",
            &format!("checkpoint-{}.txt", latest.size),
            latest.note,
        ),
        Err(failure) => failure.answer(&visitor),
    }
}

/// For which time a bundle is wanted, as the form sends it: what is not filled in is empty.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Wanted {
    since: String,
    until: String,
    /// The size of the log at the auditor's last visit.
    kept: String,
}

/// `GET /bundle?since&until&kept`: the records, and what proves them, for a time or whole.
pub(super) async fn bundle(
    State(pages): State<Arc<Pages>>,
    Extension(visitor): Extension<Visitor>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Response {
    let range = match wanted {
        Ok(Query(wanted)) => range_of(&wanted),
        Err(error) => Err(error.body_text()),
    };
    let range = match range {
        Ok(range) => range,
        Err(problem) => return Failure::bad_request(problem).answer(&visitor),
    };
    match crate::admin::bundle::sent(&pages.administration, range).await {
        Ok(answer) => answer,
        Err(refusal) => Failure::from(refusal).answer(&visitor),
    }
}

fn range_of(wanted: &Wanted) -> Result<BundleRange, String> {
    let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let kept = given(&wanted.kept).map(|kept| {
        kept.parse().map_err(|_| {
            format!("“{kept}” is no number of records: write the second line of the checkpoint of your last visit.")
        })
    });
    Ok(BundleRange {
        since: given(&wanted.since).map(|text| time_of(&text)).transpose()?,
        until: given(&wanted.until).map(|text| time_of(&text)).transpose()?,
        kept: kept.transpose()?,
    })
}

async fn proof_of(store: &dyn Store, sequence: &str) -> Result<(u64, TlogProof), Failure> {
    let number = stored(store, sequence).await?.sequence;
    let latest = latest(store).await?;
    if latest.size <= number {
        return Err(Failure::new(
            StatusCode::CONFLICT,
            format!(
                "No checkpoint is over record {number} yet: the latest is over the {} records before it.",
                latest.size
            ),
        )
        .remedy("Try again in a moment. Where that goes on, nothing signs the log: the overview says why."));
    }
    let note: SignedNote = latest.note.parse().map_err(|error: crate::custody::NoteError| {
        Failure::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("The latest checkpoint can’t be read: {error}."),
        )
    })?;
    let proof = TlogProof {
        extra: None,
        index: number,
        hashes: custody_inclusion(store, number, latest.size).await?,
        note,
    };
    Ok((number, proof))
}

async fn latest(store: &dyn Store) -> Result<StoredCheckpoint, Failure> {
    store.custody_checkpoint().await?.ok_or_else(|| {
        Failure::not_found("No checkpoint of this log was signed yet.")
            .remedy("Have the operator see where the log is signed: `claviger doctor` says so.")
    })
}

fn file(media_type: &str, name: &str, bytes: impl Into<Body>) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers = [
        (header::CONTENT_TYPE, media_type),
        (header::CONTENT_DISPOSITION, disposition.as_str()),
    ];
    (headers, bytes.into()).into_response()
}
