//! Bundles that somebody made to harm whoever verifies them: each is refused, soon and without much memory.

use std::io::{self, Read};

use tar::{EntryType, Header};
use time::Duration;

use super::super::{Code, Report, Visit, verify_bundle};
use super::log::{Log, policy};
use super::{codes, found};

/// More than any disk has.
const HUGE: u64 = 1 << 62;
/// What may be read of a member that is too large.
const SOON: u64 = 1 << 22;

/// The header of a member, whatever its name is.
fn header(name: &str, kind: EntryType, size: u64) -> Vec<u8> {
    let mut header = Header::new_gnu();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_size(size);
    header.set_entry_type(kind);
    header.set_cksum();
    header.as_bytes().to_vec()
}

/// The bundle without its end, for more members to be added.
fn open_end(log: &Log) -> Vec<u8> {
    let mut bundle = log.bundle(0);
    bundle.truncate(bundle.len() - 1024);
    bundle
}

/// A bundle that never ends, and how much of it was read.
struct Endless<'b> {
    begin: &'b [u8],
    then: u8,
    read: u64,
}

impl Read for Endless<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let from_begin = self.begin.read(buffer)?;
        buffer[from_begin..].fill(self.then);
        self.read += buffer.len() as u64;
        Ok(buffer.len())
    }
}

/// What is found in a bundle that goes on like this for ever, and how much of it was read.
fn found_in_endless(begin: &[u8], then: u8) -> (Report, u64) {
    let policy = policy();
    let visit = Visit {
        policy: &policy,
        state: None,
        heartbeat: Duration::seconds(360),
    };
    let mut bundle = Endless { begin, then, read: 0 };
    let report = verify_bundle(&mut bundle, &visit);
    (report, bundle.read)
}

#[test]
fn a_member_that_is_larger_than_any_disk_is_refused_after_its_first_megabytes() {
    let manifest = header("bundle.json", EntryType::Regular, HUGE);
    let log = Log::of_keys(3);
    let sound = log.bundle(0);
    // Up to the header of the member of this name.
    let until = |name: &str| {
        let place = sound
            .chunks(512)
            .position(|block| block.starts_with(name.as_bytes()));
        sound[..512 * place.unwrap()].to_vec()
    };
    let after = |name: &str, kind| {
        let mut bundle = until(name);
        bundle.extend(header(name, kind, HUGE));
        bundle
    };
    for (bundle, what) in [
        (manifest, "bundle.json"),
        (after("checkpoint", EntryType::Regular), "checkpoint"),
        (after("checkpoints", EntryType::Regular), "checkpoints"),
        (after("tile/0/000", EntryType::Regular), "a tile"),
        (after("records.jsonl", EntryType::Regular), "records"),
        (after("rows.jsonl", EntryType::Regular), "rows"),
        // What tar itself reads whole: names of any length, and files of holes alone.
        (after("records.jsonl", EntryType::GNULongName), "a long name"),
        (after("records.jsonl", EntryType::XHeader), "an extended header"),
        (after("records.jsonl", EntryType::GNUSparse), "a sparse file"),
    ] {
        let (report, read) = found_in_endless(&bundle, b'a');
        assert!(!report.verified && report.has(Code::BundleUnreadable), "{what}");
        assert!(
            read < bundle.len() as u64 + SOON,
            "{what}: {read} bytes were read"
        );
    }
}

#[test]
fn a_log_that_claims_to_have_more_records_than_there_can_be_takes_no_memory_for_them() {
    for size in [u64::MAX, HUGE, 1 << 40] {
        for from in [0, size - size % 256] {
            let mut parts = Log::of_keys(3).parts(0);
            (parts.manifest.size, parts.manifest.from) = (size, from);
            parts.checkpoint = super::log::signed(
                super::log::ORIGIN,
                crate::custody::Head {
                    size,
                    root: crate::custody::Hash([7; 32]),
                },
                &super::log::signer(),
            );
            let report = found(&parts.pack(), None);
            assert!(!report.verified, "{size} from {from}");
        }
    }
}

#[test]
fn a_member_whose_name_leads_elsewhere_is_named_and_taken_for_nothing() {
    let log = Log::of_keys(3);
    for (name, kind) in [
        ("../../etc/passwd", EntryType::Regular),
        ("/etc/passwd", EntryType::Regular),
        ("./rows.jsonl", EntryType::Regular),
        ("tile/0/../000", EntryType::Regular),
        ("rows.jsonl\u{1b}[2K", EntryType::Regular),
        ("rows.jsonl", EntryType::Symlink),
        ("rows.jsonl", EntryType::Link),
        ("rows.jsonl", EntryType::Fifo),
        ("tile/", EntryType::Directory),
    ] {
        let mut bundle = open_end(&log);
        bundle.extend(header(name, kind, 0));
        bundle.extend([0; 1024]);
        let report = found(&bundle, None);
        assert_eq!(codes(&report), ["bundle.unknown-member"], "{name}");
        assert_eq!(report.rows, Some(3), "{name}");
        assert!(
            !report.findings[0].words.contains('\u{1b}'),
            "{:?}",
            report.findings
        );
    }
}

#[test]
fn a_member_that_comes_twice_or_too_late_takes_the_place_of_none() {
    let log = Log::of_keys(3);
    for name in [
        "bundle.json",
        "checkpoint",
        "tile/0/000.p/14",
        "records.jsonl",
        "rows.jsonl",
    ] {
        let mut bundle = open_end(&log);
        bundle.extend(header(name, EntryType::Regular, 0));
        bundle.extend([0; 1024]);
        let report = found(&bundle, None);
        assert_eq!(codes(&report), ["bundle.unreadable"], "{name}");
    }
}

#[test]
fn records_that_are_nested_as_deep_as_a_megabyte_are_refused() {
    let mut log = Log::of_keys(1);
    log.push(vec![b'['; 1 << 19]);
    log.push([br#"{"version":"#.to_vec(), vec![b'{'; 1 << 19]].concat());
    let report = found(&log.bundle(0), None);
    assert!(report.has(Code::RecordUnreadable), "{:?}", codes(&report));
}

#[test]
fn a_flood_of_findings_is_counted_and_not_kept() {
    let log = Log::of_keys(1);
    let mut bundle = open_end(&log);
    for number in 0..5000 {
        bundle.extend(header(&format!("no/{number}"), EntryType::Regular, 0));
    }
    bundle.extend([0; 1024]);
    let report = found(&bundle, None);
    assert_eq!(report.findings.len() as u64 + report.more_findings, 5000);
    assert!(report.findings.len() <= 1000);
}
