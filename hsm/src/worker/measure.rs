//! What is measured of requests to a device: how many are under way, how they end, how long they take. Each is a span.

use std::time::Instant;

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use tracing::Span;
use tracing::field::Empty;

use crate::Series;

/// What is measured of one device.
pub(super) struct Measures {
    device: String,
    under_way: Gauge,
    ended: Series<(&'static str, &'static str), Counter>,
    durations: Series<&'static str, Histogram>,
}

/// A request that is under way until this is dropped.
pub(super) struct Asked<'a> {
    measures: &'a Measures,
    begun: Instant,
    span: Span,
}

impl Measures {
    pub(super) fn of(device: &str) -> Self {
        Self {
            device: device.to_owned(),
            under_way: gauge!("claviger_device_operations_under_way", "device" => device.to_owned()),
            ended: Series::default(),
            durations: Series::default(),
        }
    }

    pub(super) fn ask(&self) -> Asked<'_> {
        self.under_way.increment(1.0);
        Asked {
            measures: self,
            begun: Instant::now(),
            span: tracing::debug_span!("device", device = self.device, operation = Empty, result = Empty),
        }
    }
}

impl Asked<'_> {
    /// It was answered, or failed.
    pub(super) fn ended(&self, operation: &'static str, is_done: bool) {
        let result = if is_done { "success" } else { "failed" };
        self.span.record("operation", operation);
        self.span.record("result", result);
        let Measures {
            device,
            ended,
            durations,
            ..
        } = self.measures;
        let ended = ended.get((operation, result), || {
            counter!(
                "claviger_device_operations_total",
                "device" => device.clone(), "operation" => operation, "result" => result
            )
        });
        ended.increment(1);
        let duration = durations.get(operation, || {
            histogram!(
                "claviger_device_operation_duration_seconds",
                "device" => device.clone(), "operation" => operation
            )
        });
        duration.record(self.begun.elapsed());
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.measures.under_way.decrement(1.0);
    }
}
