//! Records, a line each, that somebody signed who has the log's key: whatever they say, verification ends, no record is taken for
//! another one, and each form that they are exported in has one line a record.
#![no_main]

use std::sync::LazyLock;

use claviger::custody::export::Format;
use claviger::custody::verification::{Visit, verify_bundle};
use claviger::custody::{Policy, Record};
use libfuzzer_sys::fuzz_target;
use time::Duration;

#[path = "../src/signed.rs"]
#[allow(dead_code)]
mod signed;

static POLICY: LazyLock<Policy> = LazyLock::new(signed::policy);

fuzz_target!(|bytes: &[u8]| {
    let records: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    let bundle = signed::bundle(&records);
    let visit = Visit {
        policy: &POLICY,
        state: None,
        heartbeat: Duration::seconds(360),
    };
    let report = verify_bundle(&bundle[..], &visit);
    let number = records.len() as u64;
    assert!(report.records <= number, "{:?}", report.findings);
    assert!(
        !report.verified || report.records == number,
        "{:?}",
        report.findings
    );
    for bytes in records {
        let Ok(record) = Record::from_bytes(bytes) else {
            assert!(!report.verified, "a record that can't be read is refused");
            continue;
        };
        for format in Format::ALL {
            let line = format.line(&record, bytes);
            // A cell of CSV may have several lines in it (RFC 4180).
            assert!(
                format == Format::Csv || !line.contains('\n'),
                "{format}: {line:?}"
            );
        }
    }
});
