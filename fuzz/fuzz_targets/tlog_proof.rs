//! Proofs of records: what is taken is written back to the byte, and proves its record and no other.
#![no_main]

use std::sync::LazyLock;

use claviger::custody::{TlogProof, VerifierKey};
use libfuzzer_sys::fuzz_target;

#[path = "../src/signed.rs"]
#[allow(dead_code)]
mod signed;

static KEY: LazyLock<VerifierKey> = LazyLock::new(signed::key);

fuzz_target!(|text: &str| {
    let Ok(proof) = text.parse::<TlogProof>() else {
        return;
    };
    assert_eq!(proof.to_string(), text);
    let record = proof.extra.clone().unwrap_or_default();
    if proof.verify(&record, [&*KEY]).is_ok() {
        let other = [&record[..], b"."].concat();
        assert!(proof.verify(&other, [&*KEY]).is_err());
    }
});
