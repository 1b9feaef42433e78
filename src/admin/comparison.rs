//! `/v1/custody/comparison`: the rows of all keys, adapters, certificates, root keys and tokens, compared with the custody log.
//!
//! | request | reply |
//! |---|---|
//! | `GET /v1/custody/comparison` | what the last comparison found; 404 where there was none since the start |
//! | `POST /v1/custody/comparison` | what a comparison finds that is made now; 500 `tampered` where the log is not whole |
//!
//! What is found is in the custody log by then; see [`Comparison`](crate::job::Comparison).

use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};

use super::administration::Administration;
use super::api::{RowComparison, RowComparisonSummary, WrongIdentity, WrongRow};
use super::refusal::{Kind, Refusal};
use crate::adapter::AdapterId;
use crate::job::{Compared, IdentityFinding, LedgerError, RowFinding};

/// So many keys are told in the status one by one.
const TOLD: usize = 5;

pub(super) fn routes() -> Router<Arc<Administration>> {
    Router::new().route("/v1/custody/comparison", get(last).post(compare))
}

async fn last(State(administration): State<Arc<Administration>>) -> Result<Json<RowComparison>, Refusal> {
    let compared = administration.jobs().comparison.compared();
    let compared = compared.ok_or_else(|| {
        Refusal::not_found("comparison since the server's start", "the last one")
            .remedy("`claviger custody compare` makes one")
    })?;
    Ok(Json(shown(&compared)))
}

async fn compare(State(administration): State<Arc<Administration>>) -> Result<Json<RowComparison>, Refusal> {
    let compared = administration.jobs().comparison.compare().await;
    let compared = compared.map_err(|error| match error {
        LedgerError::Store(error) => Refusal::from(error),
        LedgerError::Log(_) => Refusal::new(Kind::Tampered, error.to_string()),
    })?;
    Ok(Json(shown(&compared)))
}

fn shown(compared: &Compared) -> RowComparison {
    let findings = compared.findings.iter().map(|finding| WrongRow {
        adapter: finding.adapter.map(AdapterId::uuid),
        key: finding.key,
        what: finding.fault.to_string(),
    });
    let identities = compared.identities.iter().map(|finding| WrongIdentity {
        row: finding.row.clone(),
        what: finding.fault.to_string(),
    });
    RowComparison {
        began_at: compared.began_at,
        ended_at: compared.ended_at,
        records: compared.records,
        rows: compared.rows,
        not_judged: compared.not_judged,
        wrong: compared.wrong,
        findings: findings.collect(),
        identities: identities.collect(),
    }
}

/// The last comparison in numbers.
pub(super) fn summary(administration: &Administration) -> Option<RowComparisonSummary> {
    let compared = administration.jobs().comparison.compared()?;
    Some(RowComparisonSummary {
        ended_at: compared.ended_at,
        rows: compared.rows,
        not_judged: compared.not_judged,
        wrong: compared.wrong,
    })
}

/// What the last comparison found wrong, and why there was none.
pub(super) fn problems(administration: &Administration) -> Vec<String> {
    let comparison = &administration.jobs().comparison;
    let failure = comparison.failure();
    let mut problems: Vec<_> = failure
        .map(|failure| format!("the rows of keys could not be compared with the custody log: {failure}"))
        .into_iter()
        .collect();
    let Some(compared) = comparison.compared() else {
        return problems;
    };
    let told = |finding: &RowFinding| format!("key {}: {}", finding.key, finding.fault);
    problems.extend(compared.findings.iter().take(TOLD).map(told));
    let identities = compared.identities.iter();
    problems.extend(identities.map(|IdentityFinding { row, fault }| format!("{row}: {fault}")));
    let more = compared.wrong.saturating_sub(TOLD as u64);
    if more > 0 {
        problems.push(format!(
            "{more} more keys have a row that is not as the custody log says: `claviger custody compare --last` tells which"
        ));
    }
    problems
}
