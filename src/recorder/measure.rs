//! What is measured of commits.

use std::time::Instant;

use metrics::{counter, histogram};
use tracing::Span;
use tracing::field::Empty;

use super::Error;

/// A change and its record on their way to be durable.
pub(super) struct Commit {
    begun: Instant,
    span: Span,
}

impl Commit {
    pub(super) fn begin() -> Self {
        Self {
            begun: Instant::now(),
            span: tracing::debug_span!("commit", result = Empty),
        }
    }

    /// They were written, or were not. What was refused for what it is counts as no failure.
    pub(super) fn ended<T>(&self, result: &Result<T, Error>) {
        let told = match result {
            Ok(_) => {
                histogram!("claviger_custody_commit_duration_seconds").record(self.begun.elapsed());
                "success"
            }
            Err(
                Error::Refused(_) | Error::OutcomeUnknown(_) | Error::BrokenLog { .. } | Error::WriterEnded,
            ) => {
                counter!("claviger_custody_commit_failures_total").increment(1);
                "failed"
            }
            Err(_) => "refused",
        };
        self.span.record("result", told);
    }
}
