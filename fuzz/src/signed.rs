//! A custody log that the targets sign themselves: what a forger can make who has the log's key.

use std::io::Cursor;

use claviger::custody::bundle::{BUNDLE_FORMAT, BundleWriter, Manifest};
use claviger::custody::{
    Checkpoint, CompactRange, Hash, Head, Policy, SignatureType, SignedNote, Tile, VerifierKey, leaf_hash,
};
use ed25519_dalek::{Signer, SigningKey};
use time::OffsetDateTime;

/// The name of the log.
pub const ORIGIN: &str = "fuzz/claviger";

fn signer() -> SigningKey {
    SigningKey::from_bytes(&[1; 32])
}

/// The log's key.
pub fn key() -> VerifierKey {
    let key = signer().verifying_key();
    VerifierKey::new(ORIGIN, SignatureType::Ed25519, key.as_bytes()).expect("it is a key")
}

/// That of an auditor who believes this log.
pub fn policy() -> Policy {
    Policy::of_log(key())
}

/// The tree over these leaves.
pub fn root(leaves: &[Hash]) -> Hash {
    let mut tree = CompactRange::new();
    leaves.iter().for_each(|leaf| tree.append(*leaf));
    tree.root()
}

/// The checkpoint over these leaves, signed.
pub fn checkpoint(leaves: &[Hash]) -> SignedNote {
    let head = Head {
        size: leaves.len() as u64,
        root: root(leaves),
    };
    let origin = ORIGIN.to_owned();
    let text = Checkpoint { origin, head }.to_string();
    let signature = signer().sign(text.as_bytes()).to_bytes().to_vec();
    SignedNote {
        signatures: vec![key().signature(signature)],
        text,
    }
}

/// The bundle of the log of these records, as a server exports it.
pub fn bundle(records: &[&[u8]]) -> Vec<u8> {
    let leaves: Vec<Hash> = records.iter().map(|record| leaf_hash(record)).collect();
    let size = leaves.len() as u64;
    let manifest = Manifest {
        format: BUNDLE_FORMAT,
        origin: ORIGIN.to_owned(),
        from: 0,
        size,
        rows_at: None,
        kept_from: None,
        made_at: OffsetDateTime::UNIX_EPOCH,
        server_version: "0".to_owned(),
    };
    let written = "a bundle is written to memory";
    let out = Cursor::new(Vec::new());
    let mut writer = BundleWriter::new(out, &manifest, &policy(), &checkpoint(&leaves)).expect(written);
    writer.begin_checkpoints().expect(written);
    let earlier = checkpoint(&leaves[..leaves.len() / 2]);
    writer.checkpoint(&earlier.to_string()).expect(written);
    for (index, hashes) in (0..).zip(leaves.chunks(256)) {
        let tile = Tile::at(0, index, size).expect("the tree has it");
        writer.tile(tile, hashes).expect(written);
    }
    writer.begin_records().expect(written);
    for record in records {
        writer.record(record).expect(written);
    }
    writer.finish().expect(written).into_inner()
}
