//! What is measured of requests to a device: how many are under way, how they end, how long they take.

use std::time::Instant;

use metrics::{Gauge, counter, gauge, histogram};

/// A request that is under way until this is dropped.
pub(super) struct Asked<'a> {
    device: &'a str,
    begun: Instant,
    under_way: Gauge,
}

impl<'a> Asked<'a> {
    pub(super) fn of(device: &'a str) -> Self {
        let under_way = gauge!("claviger_device_operations_under_way", "device" => device.to_owned());
        under_way.increment(1.0);
        Self {
            device,
            begun: Instant::now(),
            under_way,
        }
    }

    /// It was answered, or failed.
    pub(super) fn ended(&self, operation: &'static str, is_done: bool) {
        let result = if is_done { "success" } else { "failed" };
        counter!(
            "claviger_device_operations_total",
            "device" => self.device.to_owned(), "operation" => operation, "result" => result
        )
        .increment(1);
        histogram!(
            "claviger_device_operation_duration_seconds",
            "device" => self.device.to_owned(), "operation" => operation
        )
        .record(self.begun.elapsed());
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.under_way.decrement(1.0);
    }
}
