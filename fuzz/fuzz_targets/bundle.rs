//! Bundles: whatever comes is survived, and what is verified has nothing in it that is to be refused.
#![no_main]

use std::sync::LazyLock;

use claviger::custody::Policy;
use claviger::custody::verification::{Severity, Visit, verify_bundle};
use libfuzzer_sys::fuzz_target;
use time::Duration;

#[path = "../src/signed.rs"]
#[allow(dead_code)]
mod signed;

static POLICY: LazyLock<Policy> = LazyLock::new(signed::policy);

fuzz_target!(|bytes: &[u8]| {
    let visit = Visit {
        policy: &POLICY,
        state: None,
        heartbeat: Duration::seconds(360),
    };
    let report = verify_bundle(bytes, &visit);
    let refused = report
        .findings
        .iter()
        .any(|finding| finding.code.severity() == Severity::Refused);
    assert!(!(report.verified && refused));
    if report.verified {
        assert_eq!(report.records, report.size - report.from);
    }
    serde_json::to_string(&report).expect("a report can be written");
});
