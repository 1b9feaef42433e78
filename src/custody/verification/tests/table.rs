//! The table of tampering: whatever is done to a log or a bundle, it is found and named.

use super::super::super::{Actor, CompactRange, Event, EventName, Head, IdentityFacts, leaf_hash};
use super::log::{
    Log, ORIGIN, Parts, adapter, certificate, key, policy, record, root_key, signed, tiles, witness_key,
};
use super::{codes, found};
use ed25519_dalek::SigningKey;
use time::macros::datetime;
use uuid::Uuid;

/// A log, the state of the auditor's last visit, and the bundle.
#[derive(Clone)]
struct Scene {
    log: Log,
    parts: Parts,
    state: String,
}

impl Scene {
    fn new() -> Self {
        let log = Log::of_keys(200).with_identities();
        Self {
            parts: log.parts(0),
            state: log.checkpoint(500).to_string(),
            log,
        }
    }

    /// The whole installation is another one from here on, and signs anew.
    fn again(&mut self, log: Log) {
        self.parts = log.parts(0);
        self.log = log;
    }
}

fn never_logged() -> Vec<u8> {
    let event = Event::new(EventName::KmipPing, Actor::Server);
    record(100, datetime!(2026-11-24 08:01:41 UTC), event)
}

/// What is done, what it is called, and what an auditor finds first.
type Row = (&'static str, fn(&mut Scene), &'static str);

const TABLE: &[Row] = &[
    (
        "a byte of record 100 changed",
        |scene| scene.parts.records[100][40] ^= 1,
        "record.changed",
    ),
    (
        "a name in record 100 changed, still a record",
        |scene| {
            let text = String::from_utf8(scene.parts.records[100].clone()).unwrap();
            scene.parts.records[100] = text.replace("node-1", "node-2").into_bytes();
        },
        "record.changed",
    ),
    (
        "record 100 removed",
        |scene| drop(scene.parts.records.remove(100)),
        "record.missing",
    ),
    (
        "records 100 to 150 removed",
        |scene| drop(scene.parts.records.drain(100..=150)),
        "record.missing",
    ),
    (
        "a record inserted before 100",
        |scene| scene.parts.records.insert(100, never_logged()),
        "record.inserted",
    ),
    (
        "record 100 put there twice",
        |scene| scene.parts.records.insert(101, scene.parts.records[100].clone()),
        "record.inserted",
    ),
    (
        "a record appended after the last",
        |scene| scene.parts.records.push(never_logged()),
        "record.inserted",
    ),
    (
        "records 100 and 200 exchanged",
        |scene| scene.parts.records.swap(100, 200),
        "record.out-of-order",
    ),
    (
        "records 100 and 101 exchanged",
        |scene| scene.parts.records.swap(100, 101),
        "record.out-of-order",
    ),
    (
        "the last ten records cut off",
        |scene| scene.parts.records.truncate(scene.parts.records.len() - 10),
        "log.truncated",
    ),
    (
        "log and bundle cut back to 450 records, signed anew",
        |scene| {
            let mut log = scene.log.clone();
            log.records.truncate(450);
            log.signed.retain(|size| *size <= 450);
            scene.again(log);
        },
        "log.rolled-back",
    ),
    (
        "the checkpoint exchanged for an earlier one",
        |scene| scene.parts.checkpoint = scene.log.checkpoint(600),
        "checkpoint.other",
    ),
    (
        "the log forked: record 100 rewritten, all signed anew",
        |scene| {
            let mut log = scene.log.clone();
            log.records[100] = never_logged();
            scene.again(log);
        },
        "log.forked",
    ),
    (
        "the log forked: an earlier checkpoint is of another log",
        |scene| {
            let head = Head {
                size: 500,
                root: leaf_hash(b"another"),
            };
            let at = scene.log.signed.iter().position(|size| *size == 500).unwrap();
            scene.parts.checkpoints[at] = signed(ORIGIN, head, &super::log::signer());
        },
        "log.forked",
    ),
    (
        "record 100 rewritten with its tiles, checkpoint left",
        |scene| {
            let mut log = scene.log.clone();
            log.records[100] = never_logged();
            let (old, new) = (scene.parts.clone(), log.parts(0));
            scene.parts = Parts {
                checkpoint: old.checkpoint,
                checkpoints: Vec::new(),
                ..new
            };
            scene.state = String::new();
        },
        "tile.changed",
    ),
    (
        "a hash of a tile changed",
        |scene| scene.parts.tiles[0].1[7].0[0] ^= 1,
        "tile.changed",
    ),
    (
        "a tile taken out",
        |scene| drop(scene.parts.tiles.remove(1)),
        "bundle.incomplete",
    ),
    (
        "the signature forged",
        |scene| scene.parts.checkpoint.signatures[0].signature[9] ^= 1,
        "checkpoint.forged",
    ),
    (
        "the size raised in the signed text",
        |scene| {
            let text = &mut scene.parts.checkpoint.text;
            *text = text.replacen(&format!("\n{}\n", scene.log.size()), "\n9999\n", 1);
            scene.parts.manifest.size = 9999;
        },
        "checkpoint.forged",
    ),
    (
        "signed with a wrong key of the same name",
        |scene| {
            let wrong = SigningKey::from_bytes(&[9; 32]);
            let head = Head {
                size: scene.log.size(),
                root: scene
                    .log
                    .parts(0)
                    .checkpoint
                    .text
                    .parse::<crate::custody::Checkpoint>()
                    .unwrap()
                    .head
                    .root,
            };
            scene.parts.checkpoint = signed(ORIGIN, head, &wrong);
            scene.parts.policy = format!("log {}\nquorum none\n", key(ORIGIN, &wrong))
                .parse()
                .unwrap();
        },
        "checkpoint.wrong-key",
    ),
    (
        "the witness's cosignature taken off",
        |scene| scene.parts.checkpoint.signatures.truncate(1),
        "checkpoint.unwitnessed",
    ),
    (
        "the witness's cosignature forged",
        |scene| scene.parts.checkpoint.signatures[1].signature[20] ^= 1,
        "checkpoint.forged",
    ),
    (
        "an earlier checkpoint's signature forged",
        |scene| scene.parts.checkpoints[3].signatures[0].signature[9] ^= 1,
        "checkpoint.forged",
    ),
    (
        "a row written past the log",
        |scene| scene.parts.rows.first_entry().unwrap().get_mut().sha256 = leaf_hash(b"another"),
        "row.swapped",
    ),
    (
        "the rows of two keys swapped in the database",
        |scene| {
            let mut rows: Vec<_> = scene.parts.rows.values().take(2).cloned().collect();
            let first = rows[0].identifier;
            (rows[0].identifier, rows[1].identifier) = (rows[1].identifier, first);
            scene
                .parts
                .rows
                .extend(rows.into_iter().map(|row| (row.identifier, row)));
        },
        "row.swapped",
    ),
    (
        "a row deleted from the database",
        |scene| assert!(scene.parts.rows.pop_first().is_some()),
        "row.missing",
    ),
    (
        "a row that no record made",
        |scene| {
            let mut row = scene.parts.rows.values().next().unwrap().clone();
            row.identifier = Uuid::from_u128(1 << 90);
            scene.parts.rows.insert(row.identifier, row);
        },
        "row.unknown",
    ),
    (
        "the keys' table rolled back, the log left",
        |scene| {
            for row in scene.parts.rows.values_mut() {
                row.revision = row.revision.min(1);
            }
        },
        "row.rolled-back",
    ),
    (
        "a certificate let in past the log",
        |scene| scene.parts.identities.push(certificate(93)),
        "row.unknown",
    ),
    (
        "the certificate of a deleted adapter put back",
        |scene| scene.parts.identities.push(certificate(92)),
        "row.rolled-back",
    ),
    (
        "a certificate that opens another adapter",
        |scene| {
            for identity in &mut scene.parts.identities {
                if let IdentityFacts::Certificate { adapter, .. } = identity {
                    *adapter = Uuid::from_u128(91);
                }
            }
        },
        "row.swapped",
    ),
    (
        "a certificate taken out past the log",
        |scene| drop(scene.parts.identities.pop()),
        "row.missing",
    ),
    (
        "an adapter put under another root key",
        |scene| {
            let places = &mut scene.parts.identities;
            let at = places
                .iter()
                .position(|one| *one == adapter(91, Uuid::from_u128(78)));
            places[at.unwrap()] = adapter(91, Uuid::from_u128(77));
        },
        "row.swapped",
    ),
    (
        "a disabled root key enabled past the log",
        |scene| scene.parts.identities[0] = root_key(Uuid::from_u128(77), "claviger.a.v2", 2, "enabled"),
        "row.swapped",
    ),
    (
        "a root key turned back to an earlier version",
        |scene| scene.parts.identities[0] = root_key(Uuid::from_u128(77), "claviger.a.v1", 1, "disabled"),
        "row.swapped",
    ),
    (
        "the whole database rolled back to a backup",
        |scene| scene.again(Log::of_keys(60)),
        "log.rolled-back",
    ),
    (
        "the whole database rolled back, and written on",
        |scene| {
            let mut log = Log::of_keys(60);
            for _ in 0..900 {
                log.append(Event::new(EventName::KmipPing, Actor::Server));
            }
            scene.again(log);
        },
        "log.forked",
    ),
];

#[test]
fn whatever_is_done_to_a_log_is_found_and_named() {
    let untouched = Scene::new();
    let sound = found(&untouched.parts.pack(), Some(&untouched.state));
    assert_eq!(sound.findings, []);
    assert!(sound.verified);
    println!("{:56} {:24} first words", "what was done", "found as");
    let mut wrong = Vec::new();
    for (name, tamper, expected) in TABLE {
        let mut scene = untouched.clone();
        tamper(&mut scene);
        let state = (!scene.state.is_empty()).then_some(scene.state.as_str());
        let report = found(&scene.parts.pack(), state);
        let named = report
            .findings
            .iter()
            .find(|finding| finding.code.as_str() == *expected);
        match named {
            Some(finding) if !report.verified => {
                let words: String = finding.words.chars().take(90).collect();
                println!("{name:56} {expected:24} {words}");
            }
            _ => wrong.push(format!(
                "{name}: {expected} was expected, and {:?} came",
                codes(&report)
            )),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What was not touched is not accused.
#[test]
fn a_single_changed_record_is_the_only_one_that_is_named() {
    let untouched = Scene::new();
    for number in [0, 1, 255, 256, 400, 932] {
        let mut scene = untouched.clone();
        scene.parts.records[number].push(b' ');
        let report = found(&scene.parts.pack(), Some(&scene.state));
        assert_eq!(codes(&report), ["record.changed"], "{number}");
        assert_eq!(report.findings[0].record, Some(number as u64));
    }
    for number in [0, 1, 255, 256, 400] {
        let mut scene = untouched.clone();
        scene.parts.records.remove(number);
        let report = found(&scene.parts.pack(), Some(&scene.state));
        assert_eq!(codes(&report), ["record.missing"], "{number}");
        assert_eq!(report.findings[0].record, Some(number as u64));
    }
}

#[test]
fn the_tests_own_tiles_are_those_of_the_tree() {
    let leaves: Vec<_> = (0..600u64)
        .map(|number| leaf_hash(&number.to_be_bytes()))
        .collect();
    let mut tree = CompactRange::new();
    for leaf in &leaves {
        tree.append(*leaf);
    }
    let plan = crate::custody::root_plan(600);
    assert_eq!(tiles(&leaves).run(&plan), Some(tree.root()));
    assert!(policy().witnesses().any(|witness| witness.key == witness_key()));
}
