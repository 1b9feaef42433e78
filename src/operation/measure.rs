//! What is measured of requests: how many, with what result, and how long they took. No label comes from a client: what has
//! no name in the protocol's tables is `other`.

use std::time::Instant;

use metrics::{counter, histogram};

use crate::kmip::enumeration::{Operation, ResultReason, ResultStatus};
use crate::kmip::message::ResponseItem;

/// What an unknown operation or reason is called.
const OTHER: &str = "other";

/// An item was answered.
pub(super) fn answered(response: &ResponseItem<'_>) {
    count(
        response.operation,
        match (response.result_status, response.result_reason) {
            (ResultStatus::Success, _) => "success",
            (ResultStatus::OperationPending, _) => "pending",
            (_, reason) => reason.and_then(ResultReason::name).unwrap_or(OTHER),
        },
    );
}

/// A message was refused before it had items.
pub(super) fn refused(reason: ResultReason) {
    count(None, reason.name().unwrap_or(OTHER));
}

fn count(operation: Option<Operation>, result: &'static str) {
    let operation = operation.and_then(Operation::name).unwrap_or(OTHER);
    counter!("claviger_kmip_requests_total", "operation" => operation, "result" => result).increment(1);
}

/// An item was worked on since then.
pub(super) fn took(operation: Operation, begun: Instant) {
    let operation = operation.name().unwrap_or(OTHER);
    histogram!("claviger_kmip_request_duration_seconds", "operation" => operation).record(begun.elapsed());
}
