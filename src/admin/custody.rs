//! `/v1/custody/…`: the custody log as it is stored.
//!
//! | request | reply |
//! |---|---|
//! | `GET head` | [`CustodyHead`] |
//! | `GET records?from&limit` | records in order, from a number on |
//! | `GET search?object&client&before&limit` | records by an index, the newest first: about an object, or by the client of a certificate |
//! | `GET checkpoint` | the latest [`CustodyCheckpoint`]; 404 where nothing is signed yet |
//! | `GET checkpoints?from&limit` | checkpoints by size, from a size on |
//! | `GET hashes?level&first&count` | hashes in hexadecimal: level 0 has the leaves, each level above it the roots of full tiles |
//!
//! Nothing here is verified: who asks verifies, and this server is what is judged.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::administration::Administration;
use super::api::{CustodyCheckpoint, CustodyHead, CustodyRecord, List, Signing, Witness};
use super::extract::Parameters;
use super::refusal::Refusal;
use crate::custody::StoredRecord;
use crate::store::{RecordFilter, SearchFrom, StoredCheckpoint};

/// The most records of one reply.
const PAGE: u32 = 5000;

pub(super) fn routes() -> Router<Arc<Administration>> {
    Router::new()
        .route("/v1/custody/head", get(head))
        .route("/v1/custody/records", get(records))
        .route("/v1/custody/search", get(search))
        .route("/v1/custody/checkpoint", get(checkpoint))
        .route("/v1/custody/checkpoints", get(checkpoints))
        .route("/v1/custody/hashes", get(hashes))
}

/// Which records are wanted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Range {
    /// The first.
    #[serde(default)]
    from: u64,
    /// How many, at most.
    #[serde(default)]
    limit: Option<u32>,
}

pub(super) async fn current_head(administration: &Administration) -> Result<CustodyHead, Refusal> {
    let head = administration.store().custody_head().await?.head();
    let kept = administration.store().custody_kept().await?;
    Ok(CustodyHead {
        kept_from: kept.from,
        size: head.size,
        root: head.root.to_string(),
    })
}

/// How far a log of this size is signed.
pub(super) fn signing(administration: &Administration, size: u64) -> Signing {
    let checkpoints = administration.recorder().checkpoints();
    let status = checkpoints.borrow();
    let latest = status.latest.as_ref();
    let failure = status.failure.as_ref();
    let witnesses = status.witnesses.iter().map(|witness| Witness {
        name: witness.name.clone(),
        trouble: witness.trouble.clone(),
    });
    Signing {
        key: status.key.as_ref().map(ToString::to_string),
        size: latest.map_or(0, |latest| latest.size),
        signed_at: latest.map(|latest| latest.time),
        lag: status.lag(size),
        failure: failure.map(|failure| failure.why.clone()),
        failing_since: failure.map(|failure| failure.since),
        cosigned: status.cosigned,
        witnesses: witnesses.collect(),
    }
}

async fn head(State(administration): State<Arc<Administration>>) -> Result<Json<CustodyHead>, Refusal> {
    current_head(&administration).await.map(Json)
}

async fn records(
    State(administration): State<Arc<Administration>>,
    Parameters(range): Parameters<Range>,
) -> Result<Json<List<CustodyRecord>>, Refusal> {
    let limit = range.limit.unwrap_or(PAGE).min(PAGE);
    let stored = administration.store().custody_records(range.from, limit).await?;
    let full = stored.len() == limit as usize;
    let next = stored
        .last()
        .filter(|_| full)
        .map(|last| (last.sequence + 1).to_string());
    Ok(Json(List {
        items: stored.iter().map(told).collect(),
        next,
        tampered: Vec::new(),
    }))
}

fn told(record: &StoredRecord) -> CustodyRecord {
    CustodyRecord {
        sequence: record.sequence,
        leaf: record.leaf.to_string(),
        bytes: STANDARD.encode(&record.bytes),
    }
}

/// What is searched for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Search {
    /// The identifier of an object.
    #[serde(default)]
    object: Option<String>,
    /// SHA-256 of a certificate, in hexadecimal.
    #[serde(default)]
    client: Option<String>,
    /// Only records before this number.
    #[serde(default)]
    before: Option<u64>,
    /// How many, at most.
    #[serde(default)]
    limit: Option<u32>,
}

async fn search(
    State(administration): State<Arc<Administration>>,
    Parameters(search): Parameters<Search>,
) -> Result<Json<List<CustodyRecord>>, Refusal> {
    let filter = RecordFilter {
        object: search.object,
        client: search.client,
    };
    // A number is at most what a database counts to.
    let before = SearchFrom::Before(search.before.unwrap_or(i64::MAX.cast_unsigned()));
    let limit = search.limit.unwrap_or(PAGE).min(PAGE);
    let found = administration
        .store()
        .custody_search(&filter, before, limit)
        .await?;
    let next = found
        .last()
        .filter(|_| found.len() == limit as usize)
        .map(|last| last.sequence.to_string());
    Ok(Json(List {
        items: found.iter().map(told).collect(),
        next,
        tampered: Vec::new(),
    }))
}

async fn checkpoint(
    State(administration): State<Arc<Administration>>,
) -> Result<Json<CustodyCheckpoint>, Refusal> {
    let latest = administration.store().custody_checkpoint().await?;
    latest.map(signed).map(Json).ok_or_else(|| {
        Refusal::not_found("checkpoint", "latest").remedy(
            "the log is not signed yet: look at `claviger status`, and at [custody] in the configuration",
        )
    })
}

async fn checkpoints(
    State(administration): State<Arc<Administration>>,
    Parameters(range): Parameters<Range>,
) -> Result<Json<List<CustodyCheckpoint>>, Refusal> {
    let limit = range.limit.unwrap_or(PAGE).min(PAGE);
    let stored = administration
        .store()
        .custody_checkpoints(range.from, limit)
        .await?;
    let next = stored
        .last()
        .filter(|_| stored.len() == limit as usize)
        .map(|last| (last.size + 1).to_string());
    Ok(Json(List {
        items: stored.into_iter().map(signed).collect(),
        next,
        tampered: Vec::new(),
    }))
}

fn signed(stored: StoredCheckpoint) -> CustodyCheckpoint {
    CustodyCheckpoint {
        size: stored.size,
        time: stored.time,
        note: stored.note,
    }
}

/// Which hashes are wanted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hashes {
    /// The level.
    level: u8,
    /// The first, from 0.
    first: u64,
    /// How many, at most.
    count: u32,
}

async fn hashes(
    State(administration): State<Arc<Administration>>,
    Parameters(wanted): Parameters<Hashes>,
) -> Result<Json<List<String>>, Refusal> {
    let count = wanted.count.min(PAGE);
    let store = administration.store();
    let hashes = store.custody_hashes(wanted.level, wanted.first, count).await?;
    let hashes: Vec<_> = hashes.iter().map(ToString::to_string).collect();
    Ok(Json(hashes.into()))
}
