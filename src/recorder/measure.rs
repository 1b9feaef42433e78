//! What is measured of commits.

use std::time::Instant;

use metrics::{counter, histogram};

use super::Error;

/// A change and its record were written since then, or were not. One that was refused for what it is counts as no failure.
pub(super) fn committed<T>(begun: Instant, result: &Result<T, Error>) {
    match result {
        Ok(_) => histogram!("claviger_custody_commit_duration_seconds").record(begun.elapsed()),
        Err(Error::Refused(_) | Error::OutcomeUnknown(_) | Error::BrokenLog { .. } | Error::WriterEnded) => {
            counter!("claviger_custody_commit_failures_total").increment(1);
        }
        Err(_) => {}
    }
}
