//! Verification over logs that are sound, and over logs that are not.

mod contents;
mod hostile;
pub(crate) mod log;
mod pruned;
mod table;

use time::Duration;

use super::{Report, Visit, verify_bundle};
use log::{Log, policy};

/// What an auditor finds, with the state of a last visit.
fn found(bundle: &[u8], state: Option<&str>) -> Report {
    let policy = policy();
    let visit = Visit {
        policy: &policy,
        state,
        heartbeat: Duration::seconds(360),
    };
    verify_bundle(bundle, &visit)
}

fn codes(report: &Report) -> Vec<&'static str> {
    report
        .findings
        .iter()
        .map(|finding| finding.code.as_str())
        .collect()
}

#[test]
fn a_sound_log_is_verified_from_its_beginning_and_from_the_last_visit() {
    let log = Log::of_keys(300);
    for kept in [0, 1, 255, 256, 700, log.size()] {
        let state = log.checkpoint(kept).to_string();
        let report = found(&log.bundle(0), Some(&state));
        assert_eq!(report.findings, [], "{kept}");
        assert!(report.verified);
        assert_eq!((report.records, report.size), (log.size(), log.size()));
        assert_eq!(
            (report.keys.made, report.keys.destroyed, report.keys.releases),
            (300, 100, 600)
        );
        assert_eq!(report.rows, Some(300));
        assert!(report.checkpoints > 10);
    }
}

#[test]
fn a_part_of_a_log_is_verified_as_the_continuation_of_what_the_auditor_saw() {
    let log = Log::of_keys(300);
    for kept in [50, 512, 600, log.size()] {
        let state = log.checkpoint(kept).to_string();
        let report = found(&log.bundle(512), Some(&state));
        assert_eq!(report.findings, [], "{kept}");
        assert!(report.verified);
    }
    let unproved = found(&log.bundle(512), Some(&log.checkpoint(300).to_string()));
    assert_eq!(codes(&unproved), ["bundle.incomplete"]);
    assert!(
        unproved.findings[0].words.contains("--kept 300"),
        "{:?}",
        unproved.findings
    );
}

#[test]
fn an_empty_bundle_a_foreign_file_and_a_broken_off_bundle_are_refused_with_a_reason() {
    let bundle = Log::of_keys(3).bundle(0);
    for broken in [&b""[..], b"no bundle", &[0; 4096]] {
        let report = found(broken, None);
        assert!(!report.verified, "{broken:?}");
    }
    for length in (0..bundle.len() - 1024).step_by(511) {
        let report = found(&bundle[..length], None);
        assert!(!report.verified, "{length}");
    }
}

#[test]
fn a_bundle_of_a_later_form_is_refused_as_such() {
    let mut parts = Log::of_keys(3).parts(0);
    parts.manifest.format = 2;
    let report = found(&parts.pack(), None);
    assert_eq!(codes(&report), ["bundle.version"]);
    assert!(report.findings[0].words.contains("later version"));
}
