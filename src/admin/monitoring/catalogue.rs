//! What is measured, in words, and the memory of it.

use std::sync::OnceLock;

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// The bounds of the buckets of durations, in seconds: a device in the same host answers in a tenth of a millisecond, one
/// behind a network in tens of them, and a request may take half a minute.
const DURATIONS: &[f64] = &[
    0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];

/// What was measured in this process.
#[derive(Clone)]
pub(super) struct Measuring(pub(super) PrometheusHandle);

/// Measures from now on, in the whole process. Where nobody calls this, nothing is measured and it costs nothing.
pub(super) fn measure() -> Measuring {
    static MEASURING: OnceLock<PrometheusHandle> = OnceLock::new();
    Measuring(MEASURING.get_or_init(install).clone())
}

fn install() -> PrometheusHandle {
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_duration_seconds".to_owned()), DURATIONS)
        .expect("there are buckets");
    let recorder = builder.build_recorder();
    let handle = recorder.handle();
    if metrics::set_global_recorder(recorder).is_err() {
        tracing::error!("another part of this process measures already: the metrics stay empty");
    }
    describe();
    handle
}

/// What kind a metric is of.
enum Kind {
    Counter,
    Duration,
    Gauge,
}

/// Every metric, with what it is.
const METRICS: &[(Kind, &str, &str)] = &[
    (
        Kind::Counter,
        "claviger_kmip_connections_total",
        "Connections that were accepted, by protocol.",
    ),
    (
        Kind::Counter,
        "claviger_certificate_renewals_total",
        "Renewals of the server's certificate by the command, by result.",
    ),
    (
        Kind::Counter,
        "claviger_kmip_requests_total",
        "Items of KMIP requests that were answered, by operation and by result: success, or the reason of the refusal.",
    ),
    (
        Kind::Counter,
        "claviger_kmip_throttled_requests_total",
        "KMIP messages that were refused, for their adapter sent more in a second than its quota.",
    ),
    (
        Kind::Counter,
        "claviger_kmip_refused_connections_total",
        "Connections of known clients that were refused, by whose were too many: of the client or of its adapter.",
    ),
    (
        Kind::Counter,
        "claviger_device_operations_total",
        "Requests to a device, by device, operation and result.",
    ),
    (
        Kind::Counter,
        "claviger_key_protect_requests_total",
        "Requests to an instance of the key manager, by backend, request and result: success, refused or failed.",
    ),
    (
        Kind::Counter,
        "claviger_tracing_lost_spans_total",
        "Spans that the collector of traces did not take, or for which there was no room while it was away.",
    ),
    (
        Kind::Counter,
        "claviger_custody_commits_total",
        "Commits of the custody log by this server, each of all that waited, each flushed to the disk.",
    ),
    (
        Kind::Counter,
        "claviger_custody_commit_failures_total",
        "Changes and records that could not be written; what they were for was refused.",
    ),
    (
        Kind::Duration,
        "claviger_kmip_request_duration_seconds",
        "How long an item of a KMIP request took, by operation, its record included.",
    ),
    (
        Kind::Duration,
        "claviger_device_operation_duration_seconds",
        "How long a request to a device took, by device and operation, waiting for a worker included.",
    ),
    (
        Kind::Duration,
        "claviger_key_protect_request_duration_seconds",
        "How long a request to an instance of the key manager took, by backend and request, all its tries included.",
    ),
    (
        Kind::Duration,
        "claviger_custody_commit_duration_seconds",
        "How long a change and its record took to be durable, waiting for the group included.",
    ),
    (
        Kind::Gauge,
        "claviger_build_info",
        "Always 1; the version is a label.",
    ),
    (
        Kind::Gauge,
        "claviger_start_time_seconds",
        "When the server started, in seconds since 1970.",
    ),
    (
        Kind::Gauge,
        "claviger_ready",
        "1 where keys can be made and released, else 0.",
    ),
    (
        Kind::Gauge,
        "claviger_kmip_connections",
        "Connections that are open, by protocol.",
    ),
    (
        Kind::Gauge,
        "claviger_device_operations_under_way",
        "Requests that wait for a device or are worked on, by device.",
    ),
    (
        Kind::Gauge,
        "claviger_custody_queue_entries",
        "Changes and records that wait to be written.",
    ),
    (
        Kind::Gauge,
        "claviger_custody_records",
        "Records in the custody log.",
    ),
    (
        Kind::Gauge,
        "claviger_custody_held",
        "1 where the custody log is not the one that was written last, so that nothing is released; else 0.",
    ),
    (
        Kind::Gauge,
        "claviger_custody_unsigned_records",
        "Records that no checkpoint covers yet.",
    ),
    (
        Kind::Gauge,
        "claviger_custody_checkpoint_time_seconds",
        "When the latest checkpoint was signed, in seconds since 1970; absent where there is none.",
    ),
    (
        Kind::Gauge,
        "claviger_custody_uncosigned_records",
        "Records that not enough witnesses have cosigned; absent where none is asked.",
    ),
    (
        Kind::Gauge,
        "claviger_custody_witnesses",
        "Witnesses that are asked, by whether they cosigned the last time.",
    ),
    (
        Kind::Gauge,
        "claviger_custody_feed_behind_records",
        "Records that a feed has not delivered yet, by feed.",
    ),
    (
        Kind::Gauge,
        "claviger_certificate_expiry_time_seconds",
        "When a certificate expires, in seconds since 1970: the server's own, and the first to expire of those that clients show and that have not expired.",
    ),
    (
        Kind::Gauge,
        "claviger_backup_time_seconds",
        "When this server made its last backup, in seconds since 1970; absent before the first.",
    ),
    (Kind::Gauge, "claviger_keys", "Keys in the store."),
    (
        Kind::Gauge,
        "claviger_adapters_near_key_quota",
        "Adapters that have nine tenths of the keys of their quota, or more.",
    ),
];

/// The names of all metrics that a server may show; a duration has its three series behind its name.
pub fn metric_names() -> Vec<&'static str> {
    METRICS.iter().map(|(_, name, _)| *name).collect()
}

fn describe() {
    for (kind, name, text) in METRICS {
        match kind {
            Kind::Counter => describe_counter!(*name, Unit::Count, *text),
            Kind::Duration => describe_histogram!(*name, Unit::Seconds, *text),
            Kind::Gauge => describe_gauge!(*name, *text),
        }
    }
}
