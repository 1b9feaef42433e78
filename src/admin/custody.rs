//! `/v1/custody/head` and `/v1/custody/records?from&limit`: the custody log as it is stored.
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
use super::api::{CustodyHead, CustodyRecord, List, Signing, Witness};
use super::extract::Parameters;
use super::refusal::Refusal;

/// The most records of one reply.
const PAGE: u32 = 5000;

pub(super) fn routes() -> Router<Arc<Administration>> {
    Router::new()
        .route("/v1/custody/head", get(head))
        .route("/v1/custody/records", get(records))
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
    Ok(CustodyHead {
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
    let items = stored.into_iter().map(|record| CustodyRecord {
        sequence: record.sequence,
        leaf: record.leaf.to_string(),
        bytes: STANDARD.encode(&record.bytes),
    });
    Ok(Json(List {
        items: items.collect(),
        next,
        tampered: Vec::new(),
    }))
}
