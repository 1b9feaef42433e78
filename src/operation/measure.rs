//! What is measured of requests: how many, with what result, and how long they took; and the span that a request is. No label
//! comes from a client: what has no name in the protocol's tables is `other`.

use std::borrow::Cow;
use std::sync::LazyLock;
use std::time::Instant;

use claviger_hsm::Series;
use metrics::{Counter, Histogram, counter, histogram};
use tracing::Span;
use tracing::field::Empty;
use uuid::Uuid;

use crate::adapter::Caller;
use crate::kmip::enumeration::{Operation, ResultReason, ResultStatus};
use crate::kmip::message::{RequestItem, ResponseItem};

/// What an unknown operation or reason is called.
const OTHER: &str = "other";

/// What an item is called that was carried out.
const SUCCESS: &str = "success";
/// Of how many items of a message the span tells the operation.
const OPERATIONS: usize = 8;

/// A request, as the lines of the log that are said in it show it and as it is traced.
///
/// It has the level of errors so that no line of any level lacks it. It tells no operation where the message could not be read.
pub(super) fn request(caller: &Caller, id: &Uuid, items: Option<&[RequestItem<'_>]>) -> Span {
    let operation = items.map(asked);
    tracing::error_span!(
        "kmip",
        request_id = %id,
        adapter = %caller.adapter_name,
        operation = operation.as_deref(),
        result = Empty
    )
}

/// What a message asks for.
fn asked(items: &[RequestItem<'_>]) -> Cow<'static, str> {
    if let [item] = items {
        return name(item.operation).into();
    }
    let first = items.iter().take(OPERATIONS);
    let mut names: Vec<_> = first.map(|item| name(item.operation)).collect();
    if items.len() > OPERATIONS {
        names.push("…");
    }
    names.join(",").into()
}

/// What the items of a message came to: success, or the first that is not.
pub(super) struct Results(&'static str);

impl Results {
    pub(super) const fn none_yet() -> Self {
        Self(SUCCESS)
    }

    /// An item was answered.
    pub(super) fn add(&mut self, response: &ResponseItem<'_>) {
        let result = answered(response);
        if self.0 == SUCCESS {
            self.0 = result;
        }
    }

    /// All were: tells the span.
    pub(super) fn tell(self) {
        Span::current().record("result", self.0);
    }
}

fn answered(response: &ResponseItem<'_>) -> &'static str {
    let result = match (response.result_status, response.result_reason) {
        (ResultStatus::Success, _) => SUCCESS,
        (ResultStatus::OperationPending, _) => "pending",
        (_, reason) => reason.and_then(ResultReason::name).unwrap_or(OTHER),
    };
    count(response.operation, result);
    result
}

/// A message was refused before it had items.
pub(super) fn refused(reason: ResultReason) {
    let result = reason.name().unwrap_or(OTHER);
    count(None, result);
    Span::current().record("result", result);
}

fn name(operation: Operation) -> &'static str {
    operation.name().unwrap_or(OTHER)
}

/// A message was refused, for its adapter sent more than it may.
pub(super) fn throttled() {
    counter!("claviger_kmip_throttled_requests_total").increment(1);
}

fn count(operation: Option<Operation>, result: &'static str) {
    static REQUESTS: LazyLock<Series<(&str, &str), Counter>> = LazyLock::new(Series::default);
    let operation = operation.map_or(OTHER, name);
    let requests = REQUESTS.get(
        (operation, result),
        || counter!("claviger_kmip_requests_total", "operation" => operation, "result" => result),
    );
    requests.increment(1);
}

/// An item was worked on since then.
pub(super) fn took(operation: Operation, begun: Instant) {
    static DURATIONS: LazyLock<Series<&str, Histogram>> = LazyLock::new(Series::default);
    let operation = name(operation);
    let duration = DURATIONS.get(
        operation,
        || histogram!("claviger_kmip_request_duration_seconds", "operation" => operation),
    );
    duration.record(begun.elapsed());
}
