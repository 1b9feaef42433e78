//! `/v1/key-scan`: the wrapped keys that lie in key managers, compared with the rows.
//!
//! | request | reply |
//! |---|---|
//! | `GET /v1/key-scan` | what the last scan found; 404 where there was none since the start |
//! | `POST /v1/key-scan` | what a scan finds that is made now |
//!
//! A scan destroys the keys that were deleted in the key manager, and records each; see [`Inventory`](crate::job::Inventory).

use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};

use super::administration::Administration;
use super::api::{KeptElsewhere, KeyDeletedElsewhere, KeyScan, KeyScanSummary};
use super::refusal::Refusal;
use crate::job::Findings;

pub(super) fn routes() -> Router<Arc<Administration>> {
    Router::new().route("/v1/key-scan", get(last).post(scan))
}

async fn last(State(administration): State<Arc<Administration>>) -> Result<Json<KeyScan>, Refusal> {
    let findings = administration.jobs().inventory.last();
    let findings = findings.ok_or_else(|| {
        Refusal::not_found("scan since the server's start", "the last one")
            .remedy("`claviger key scan` makes one")
    })?;
    Ok(Json(shown(&findings)))
}

async fn scan(State(administration): State<Arc<Administration>>) -> Result<Json<KeyScan>, Refusal> {
    let findings = administration.jobs().inventory.scan().await?;
    Ok(Json(shown(&findings)))
}

fn shown(findings: &Findings) -> KeyScan {
    let only_there = findings.only_there.iter().map(|(backend, kept)| KeptElsewhere {
        backend: backend.clone(),
        id: kept.id.clone(),
        name: kept.name.clone(),
        adapter: kept.adapter,
        created_at: kept.created_at,
    });
    let destroyed = findings.destroyed.iter().map(|deletion| KeyDeletedElsewhere {
        backend: deletion.backend.clone(),
        id: deletion.id.clone(),
        adapter: deletion.binding.adapter,
        key: deletion.binding.object,
    });
    KeyScan {
        began_at: findings.began_at,
        ended_at: findings.ended_at,
        there: findings.there.clone(),
        keys: findings.rows,
        only_there: only_there.collect(),
        destroyed: destroyed.collect(),
        troubles: findings.troubles.clone(),
    }
}

/// The last scan in numbers, where any wrapped key lies in a key manager or should.
pub(super) fn summary(administration: &Administration) -> Option<KeyScanSummary> {
    let findings = administration.jobs().inventory.last()?;
    if findings.there.is_empty() && findings.rows == 0 && findings.troubles.is_empty() {
        return None;
    }
    Some(KeyScanSummary {
        ended_at: findings.ended_at,
        keys: findings.rows,
        only_there: findings.only_there.len() as u64,
        destroyed: findings.destroyed.len() as u64,
        troubles: findings.troubles.len() as u64,
    })
}
