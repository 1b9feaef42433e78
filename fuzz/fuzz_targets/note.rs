//! Signed notes, checkpoints and keys: what is taken is written back to the byte, and nobody's signature holds that is not made.
#![no_main]

use std::sync::LazyLock;

use claviger::custody::{Checkpoint, NoteSignature, SignedNote, VerifierKey};
use libfuzzer_sys::fuzz_target;

#[path = "../src/signed.rs"]
#[allow(dead_code)]
mod signed;

static KEY: LazyLock<VerifierKey> = LazyLock::new(signed::key);

fuzz_target!(|text: &str| {
    if let Ok(note) = text.parse::<SignedNote>() {
        assert_eq!(note.to_string(), text);
        let _ = note.verified_by([&*KEY]);
        if let Ok(checkpoint) = note.text.parse::<Checkpoint>() {
            assert!(note.text.starts_with(&checkpoint.to_string()));
        }
    }
    if let Ok(checkpoint) = text.parse::<Checkpoint>() {
        assert!(text.starts_with(&checkpoint.to_string()));
    }
    if let Ok(key) = text.parse::<VerifierKey>() {
        assert_eq!(key.to_string(), text);
    }
    if let Ok(signature) = text.parse::<NoteSignature>() {
        assert_eq!(signature.to_string(), format!("{text}\n"));
    }
});
