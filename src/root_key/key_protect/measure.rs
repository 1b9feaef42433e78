//! What is measured of requests to the service: how they end, how long they take with all their tries. Each is a span.

use std::time::Instant;

use claviger_hsm::Series;
use metrics::{Counter, Histogram, counter, histogram};
use tracing::Span;
use tracing::field::Empty;

use super::Error;

/// What is measured of one instance.
#[derive(Default)]
pub(super) struct Measures {
    ended: Series<(&'static str, &'static str), Counter>,
    durations: Series<&'static str, Histogram>,
}

/// A request that is under way.
pub(super) struct Asked<'a> {
    measures: &'a Measures,
    backend: &'a str,
    request: &'static str,
    begun: Instant,
    span: Span,
}

impl Measures {
    pub(super) fn ask<'a>(&'a self, backend: &'a str, request: &'static str) -> Asked<'a> {
        Asked {
            measures: self,
            backend,
            request,
            begun: Instant::now(),
            span: tracing::debug_span!("key_protect", backend, request, result = Empty),
        }
    }
}

impl Asked<'_> {
    /// It was answered, or given up.
    pub(super) fn ended<T>(self, answer: &Result<T, Error>) {
        let Self {
            measures,
            backend,
            request,
            ..
        } = self;
        let result = match answer {
            Ok(_) => "success",
            Err(Error::Refused(_)) => "refused",
            Err(_) => "failed",
        };
        self.span.record("result", result);
        let ended = measures.ended.get((request, result), || {
            counter!(
                "claviger_key_protect_requests_total",
                "backend" => backend.to_owned(), "request" => request, "result" => result
            )
        });
        ended.increment(1);
        let duration = measures.durations.get(request, || {
            histogram!(
                "claviger_key_protect_request_duration_seconds",
                "backend" => backend.to_owned(), "request" => request
            )
        });
        duration.record(self.begun.elapsed());
    }
}
