//! What a log sends to a witness: what is taken is written back to the byte, and nothing is signed that is not the continuation
//! of what was signed last.
#![no_main]

use std::sync::LazyLock;

use claviger::custody::{Head, leaf_hash};
use claviger::witness::{AddCheckpoint, WitnessedLog, judge};
use libfuzzer_sys::fuzz_target;

#[path = "../src/signed.rs"]
#[allow(dead_code)]
mod signed;

static LOGS: LazyLock<Vec<WitnessedLog>> = LazyLock::new(|| {
    vec![WitnessedLog {
        origin: signed::ORIGIN.to_owned(),
        keys: vec![signed::key()],
    }]
});

/// What was signed last: the head over as many records as the seeds continue.
static LATEST: LazyLock<Head> = LazyLock::new(|| Head {
    size: 5,
    root: signed::root(&[0u64, 1, 2, 3, 4].map(|number| leaf_hash(&number.to_be_bytes()))),
});

fuzz_target!(|text: &str| {
    let Ok(request) = text.parse::<AddCheckpoint>() else {
        return;
    };
    assert_eq!(request.to_string(), text);
    for latest in [None, Some(*LATEST)] {
        if let Ok(checkpoint) = judge(&request, &LOGS, |_| latest) {
            let before = latest.map_or(0, |latest| latest.size);
            assert_eq!(request.old, before);
            assert!(checkpoint.head.size >= before);
        }
    }
});
