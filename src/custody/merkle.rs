//! The Merkle tree of RFC 6962, section 2.1, held as a compact range.
//!
//! A compact range over the first *n* leaves keeps one hash a complete subtree (one a set bit of *n*), so
//! appending costs O(log n) hashes at most and two on average, and the root is always at hand. Proofs
//! are in `proof`.

use sha2::{Digest, Sha256};

use super::{Hash, Node};

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
        self.append_telling(leaf, |_, _| {});
    }

    /// Appends one leaf, and tells of each subtree above it that is complete now: which one, and its root.
    pub fn append_telling(&mut self, leaf: Hash, mut completed: impl FnMut(Node, Hash)) {
        let mut hash = leaf;
        let mut node = Node {
            height: 0,
            index: self.size,
        };
        // As in a binary counter: each subtree that is now complete joins the one of the same size before it.
        for _ in 0..self.size.trailing_ones() {
            let left = self
                .hashes
                .pop()
                .expect("there is one hash a set bit of the size");
            hash = node_hash(&left, &hash);
            node = Node {
                height: node.height + 1,
                index: node.index >> 1,
            };
            completed(node, hash);
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The inputs of the test vectors of the Certificate Transparency project (`merkle_tree_test`), eight leaves.
    const LEAVES: [&str; 8] = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ];
    /// The roots over the first leaf, the first two, and so on.
    const ROOTS: [&str; 8] = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    /// RFC 6962, section 2.1, word for word.
    fn merkle_tree_hash(leaves: &[Vec<u8>]) -> Hash {
        match leaves {
            [] => Hash(Sha256::digest([]).into()),
            [leaf] => leaf_hash(leaf),
            _ => {
                let split = leaves.len().next_power_of_two() / 2;
                node_hash(
                    &merkle_tree_hash(&leaves[..split]),
                    &merkle_tree_hash(&leaves[split..]),
                )
            }
        }
    }

    #[test]
    fn the_roots_are_those_of_rfc_6962() {
        let mut range = CompactRange::new();
        assert_eq!(
            range.root().to_string(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        for (leaf, root) in LEAVES.iter().zip(ROOTS) {
            range.append(leaf_hash(&hex::decode(leaf).unwrap()));
            assert_eq!(range.root().to_string(), root, "{} leaves", range.size());
        }
    }

    #[test]
    fn hashes_that_do_not_fit_the_size_are_refused() {
        for (size, bytes) in [(3, 32), (3, 65), (0, 32), (4, 0), (u64::MAX, 32)] {
            assert!(
                CompactRange::from_bytes(size, &vec![0; bytes]).is_err(),
                "{size} leaves, {bytes} bytes"
            );
        }
    }

    proptest! {
        #[test]
        fn appending_one_by_one_gives_the_tree_of_the_definition(
            leaves in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..200)
        ) {
            let mut range = CompactRange::new();
            for leaf in &leaves {
                range.append(leaf_hash(leaf));
            }
            prop_assert_eq!(range.root(), merkle_tree_hash(&leaves));
        }

        #[test]
        fn a_range_that_is_stored_and_read_goes_on_as_if_it_had_not_been(
            before in 0_usize..300, after in 0_usize..40
        ) {
            let leaf = |number: usize| leaf_hash(&number.to_be_bytes());
            let mut kept = CompactRange::new();
            (0..before).for_each(|number| kept.append(leaf(number)));
            let mut read = CompactRange::from_bytes(kept.size(), &kept.to_bytes()).unwrap();
            for number in before..before + after {
                kept.append(leaf(number));
                read.append(leaf(number));
            }
            prop_assert_eq!(read.root(), kept.root());
            prop_assert_eq!(read, kept);
        }
    }
}
