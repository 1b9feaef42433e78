//! The Merkle tree of RFC 6962, section 2.1, held as a compact range.
//!
//! A compact range over the first *n* leaves keeps one hash a complete subtree (one a set bit of *n*), so
//! appending costs O(log n) hashes at most and two on average, and the root is always at hand. Proofs of
//! inclusion and of consistency (RFC 6962, 2.1.1 and 2.1.2) belong beside it once they are needed.

use sha2::{Digest, Sha256};

use super::Hash;

/// The hash of a leaf: `SHA-256(0x00 || data)`.
pub fn leaf_hash(data: &[u8]) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([0x00]);
    hasher.update(data);
    Hash(hasher.finalize().into())
}

/// The hash of a node: `SHA-256(0x01 || left || right)`.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut input = [0x01; 65];
    input[1..33].copy_from_slice(&left.0);
    input[33..].copy_from_slice(&right.0);
    Hash(Sha256::digest(input).into())
}

/// The first *n* leaves of a tree, as the roots of their complete subtrees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CompactRange {
    size: u64,
    /// One a set bit of `size`, the largest subtree first.
    hashes: Vec<Hash>,
}

/// Hashes that cannot be the compact range of so many leaves.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a compact range over {size} leaves has {expected} hashes, and {found} bytes of them came")]
pub struct CompactRangeError {
    /// The number of leaves.
    pub size: u64,
    /// The number of hashes that it takes.
    pub expected: u32,
    /// The number of bytes that came.
    pub found: usize,
}

impl CompactRange {
    /// The range over no leaf.
    pub const fn new() -> Self {
        Self {
            size: 0,
            hashes: Vec::new(),
        }
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    pub fn from_bytes(size: u64, bytes: &[u8]) -> Result<Self, CompactRangeError> {
        let (hashes, rest) = bytes.as_chunks::<32>();
        if !rest.is_empty() || hashes.len() != size.count_ones() as usize {
            return Err(CompactRangeError {
                size,
                expected: size.count_ones(),
                found: bytes.len(),
            });
        }
        Ok(Self {
            size,
            hashes: hashes.iter().copied().map(Hash).collect(),
        })
    }

    /// The hashes one after another, the largest subtree first.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.hashes.iter().flat_map(|hash| hash.0).collect()
    }

    /// How many leaves it covers.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Appends one leaf by its [`leaf_hash`].
    pub fn append(&mut self, leaf: Hash) {
        let mut hash = leaf;
        // As in a binary counter: each subtree that is now complete joins the one of the same size before it.
        for _ in 0..self.size.trailing_ones() {
            let left = self
                .hashes
                .pop()
                .expect("there is one hash a set bit of the size");
            hash = node_hash(&left, &hash);
        }
        self.hashes.push(hash);
        self.size += 1;
    }

    /// The root of the tree; of no leaf, the SHA-256 of nothing.
    pub fn root(&self) -> Hash {
        let mut smallest_first = self.hashes.iter().rev();
        match smallest_first.next() {
            None => Hash(Sha256::digest([]).into()),
            Some(smallest) => smallest_first.fold(*smallest, |root, left| node_hash(left, &root)),
        }
    }
}
