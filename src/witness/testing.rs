//! A log that signs checkpoints and proves them consistent, as tests need it.

use ed25519_dalek::{Signer as _, SigningKey};

use super::{AddCheckpoint, WitnessedLog};
use crate::custody::{
    Checkpoint, CompactRange, Hash, Head, Node, SignatureType, SignedNote, VerifierKey, consistency_plan,
    fold, leaf_hash,
};

/// A log in memory.
pub(super) struct Log {
    origin: String,
    key: SigningKey,
    leaves: Vec<Hash>,
}

impl Log {
    /// A log of this name, with a key of its own for each seed.
    pub(super) fn new(origin: &str, seed: u8) -> Self {
        Self {
            origin: origin.to_owned(),
            key: SigningKey::from_bytes(&[seed; 32]),
            leaves: Vec::new(),
        }
    }

    /// Lets it have so many records.
    pub(super) fn grow(&mut self, size: u64) {
        let from = self.leaves.len() as u64;
        self.leaves
            .extend((from..size).map(|number| leaf_hash(&number.to_be_bytes())));
    }

    /// Writes one of its records anew.
    pub(super) fn rewrite(&mut self, index: usize) {
        self.leaves[index] = leaf_hash(b"another");
    }

    pub(super) fn verifier(&self) -> VerifierKey {
        let key = self.key.verifying_key().to_bytes();
        VerifierKey::new(&self.origin, SignatureType::Ed25519, &key).unwrap()
    }

    pub(super) fn witnessed(&self) -> WitnessedLog {
        WitnessedLog {
            origin: self.origin.clone(),
            keys: vec![self.verifier()],
        }
    }

    pub(super) fn head(&self, size: u64) -> Head {
        let root = root(&self.leaves[..usize::try_from(size).unwrap()]);
        Head { size, root }
    }

    /// Its checkpoint of this size.
    pub(super) fn checkpoint(&self, size: u64) -> SignedNote {
        self.sign(self.head(size))
    }

    /// Any head, signed by it.
    pub(super) fn sign(&self, head: Head) -> SignedNote {
        let origin = self.origin.clone();
        let text = Checkpoint { origin, head }.to_string();
        let signature = self.sign_text(&text);
        SignedNote {
            text,
            signatures: vec![self.verifier().signature(signature)],
        }
    }

    /// The signature of a text.
    pub(super) fn sign_text(&self, text: &str) -> Vec<u8> {
        self.key.sign(text.as_bytes()).to_bytes().to_vec()
    }

    pub(super) fn proof(&self, old: u64, size: u64) -> Vec<Hash> {
        let hash = |node: &Node| {
            let at = |index: u64| usize::try_from(index << node.height).unwrap();
            root(&self.leaves[at(node.index)..at(node.index + 1)])
        };
        let plan = consistency_plan(old, size).unwrap();
        plan.iter()
            .map(|run| fold(&run.iter().map(hash).collect::<Vec<_>>()).unwrap())
            .collect()
    }

    /// The request to cosign its checkpoint of this size.
    pub(super) fn request(&self, old: u64, size: u64) -> AddCheckpoint {
        AddCheckpoint {
            old,
            proof: self.proof(old, size),
            note: self.checkpoint(size),
        }
    }
}

fn root(leaves: &[Hash]) -> Hash {
    let mut tree = CompactRange::new();
    for leaf in leaves {
        tree.append(*leaf);
    }
    tree.root()
}
