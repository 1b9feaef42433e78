//! Logs whose oldest records were pruned.

use super::super::super::{Actor, Approver, Event, EventName};
use super::log::Log;
use super::{codes, found};

/// A log of which the records before 512 are let go, its rows told again, by one administrator and so many approvers.
fn let_go(approvers: usize) -> Log {
    let mut log = Log::of_keys(300);
    let mut carry = Event::new(EventName::CustodyCarry, Actor::Server);
    carry.rows = log.rows.values().cloned().collect();
    log.append(carry);
    let asked = Actor::Administrator {
        uid: 1000,
        user: "olivia".into(),
    };
    let mut event = Event::new(EventName::CustodyPrune, asked).detail("below", "512");
    event.approvers = vec![
        Approver {
            uid: Some(1001),
            user: "pavel".into(),
            certificate: None,
        };
        approvers
    ];
    log.append(event);
    log
}

#[test]
fn a_pruned_log_is_verified_with_the_rows_of_all_its_keys() {
    let log = let_go(1);
    let mut parts = log.parts(512);
    parts.manifest.kept_from = Some(512);
    let report = found(&parts.pack(), Some(&log.checkpoint(50).to_string()));
    assert_eq!(codes(&report), ["log.pruned"]);
    assert!(report.verified);
    assert_eq!(
        (report.from, report.kept_from, report.rows),
        (512, Some(512), Some(300))
    );
    assert!(
        report
            .not_verified
            .iter()
            .any(|words| words.contains("before 512")),
        "{:?}",
        report.not_verified
    );
    // The first key was made, and written last, in what is gone.
    let mut swapped = parts.clone();
    let first = swapped.rows.first_entry().unwrap().into_mut();
    first.sha256 = super::super::super::leaf_hash(b"another");
    assert_eq!(
        codes(&found(&swapped.pack(), None)),
        ["log.pruned", "row.swapped"]
    );
    let mut added = parts;
    let mut unknown = added.rows.values().next().unwrap().clone();
    unknown.identifier = uuid::Uuid::from_u128(9999);
    added.rows.insert(unknown.identifier, unknown);
    assert_eq!(codes(&found(&added.pack(), None)), ["log.pruned", "row.unknown"]);
}

#[test]
fn records_that_nobody_let_go_are_missed() {
    for log in [Log::of_keys(300), let_go(0)] {
        let mut parts = log.parts(512);
        parts.manifest.kept_from = Some(512);
        let report = found(&parts.pack(), None);
        assert!(
            codes(&report).contains(&"log.pruned-unrecorded"),
            "{:?}",
            codes(&report)
        );
        assert!(!report.verified);
    }
}
