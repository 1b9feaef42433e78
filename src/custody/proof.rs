//! Proofs over the tree (RFC 6962, sections 2.1.1 and 2.1.2): which nodes they are made of, and whether they hold.
//!
//! A proof is planned first and made afterwards, so that whoever has the nodes may fetch them all at once, from a database
//! or from tiles. Every hash of a plan is the root over a run of leaves, given as the complete subtrees that it is made of.

use super::{Hash, node_hash};

/// A complete subtree: the leaves `index << height` up to, and without, `(index + 1) << height`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Node {
    /// How many levels it is above its leaves.
    pub height: u8,
    /// Its place among those of its height, from 0.
    pub index: u64,
}

/// One hash of a proof: the root over these complete subtrees, from left to right.
pub type Run = Vec<Node>;

/// Why a proof does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// The tree of this size has no such part.
    #[error("there is no leaf or tree {part} in a tree of {size}")]
    OutOfRange {
        /// The leaf's index, or the smaller tree's size.
        part: u64,
        /// The size of the tree.
        size: u64,
    },
    /// It has more or fewer hashes than a proof of its kind has.
    #[error("a proof of this kind has {expected} hashes, and {found} came")]
    Length {
        /// How many it should have.
        expected: usize,
        /// How many it has.
        found: usize,
    },
    /// It leads to another root.
    #[error("the proof leads to the root {found}, and the tree of {size} has {expected}")]
    Root {
        /// The size of the tree whose root is another.
        size: u64,
        /// Its root.
        expected: Hash,
        /// Where the proof leads.
        found: Hash,
    },
}

/// What the root of a tree of this size is made of; nothing of an empty one.
pub fn root_plan(size: u64) -> Run {
    run(0, size)
}

/// What proves that a leaf is in a tree of this size.
pub fn inclusion_plan(index: u64, size: u64) -> Result<Vec<Run>, ProofError> {
    if index >= size {
        return Err(ProofError::OutOfRange { part: index, size });
    }
    Ok(siblings(&to_leaf(index, size)))
}

/// What proves that a tree of `from` leaves is the beginning of one of `size`. Nothing where one of them is empty, or both
/// are the same.
pub fn consistency_plan(from: u64, size: u64) -> Result<Vec<Run>, ProofError> {
    if from > size {
        return Err(ProofError::OutOfRange { part: from, size });
    }
    if from == 0 || from == size {
        return Ok(Vec::new());
    }
    let from_end = to_end(from, size);
    // What begins at the first leaf is the smaller tree itself, which whoever verifies has.
    let begin = (from_end.low > 0).then(|| run(from_end.low, from));
    Ok(begin.into_iter().chain(siblings(&from_end)).collect())
}

/// The root over a run of complete subtrees; none over no subtree.
pub fn fold<'h>(hashes: impl IntoIterator<Item = &'h Hash, IntoIter: DoubleEndedIterator>) -> Option<Hash> {
    let mut from_the_right = hashes.into_iter().rev();
    let last = *from_the_right.next()?;
    Some(from_the_right.fold(last, |right, left| node_hash(left, &right)))
}

/// Whether the leaf is at this place of the tree.
pub fn verify_inclusion(
    leaf: Hash,
    index: u64,
    (size, root): (u64, Hash),
    proof: &[Hash],
) -> Result<(), ProofError> {
    require_length(inclusion_plan(index, size)?.len(), proof)?;
    let found = to_leaf(index, size)
        .up
        .iter()
        .zip(proof)
        .fold(leaf, |hash, (step, sibling)| match step.side {
            Side::Left => node_hash(sibling, &hash),
            Side::Right => node_hash(&hash, sibling),
        });
    require_root(size, root, found)
}

/// Whether the smaller tree, with its root, is the beginning of the larger one.
pub fn verify_consistency(
    (from, from_root): (u64, Hash),
    (size, root): (u64, Hash),
    proof: &[Hash],
) -> Result<(), ProofError> {
    require_length(consistency_plan(from, size)?.len(), proof)?;
    if from == 0 {
        return Ok(());
    }
    if from == size {
        return require_root(size, root, from_root);
    }
    // From the subtree that ends where the smaller tree does, upwards: with what lies to the left, it gives the smaller
    // tree; with all, the larger one.
    let from_end = to_end(from, size);
    let mut hashes = proof.iter();
    let mut next = || *hashes.next().expect("their number was compared");
    let begin = if from_end.low > 0 { next() } else { from_root };
    let (mut smaller, mut larger) = (begin, begin);
    for step in &from_end.up {
        let other = next();
        match step.side {
            Side::Left => {
                smaller = node_hash(&other, &smaller);
                larger = node_hash(&other, &larger);
            }
            Side::Right => larger = node_hash(&larger, &other),
        }
    }
    require_root(from, from_root, smaller)?;
    require_root(size, root, larger)
}

/// On which side of a node its sibling is.
enum Side {
    Left,
    Right,
}

/// A node's sibling.
struct Step {
    side: Side,
    /// Its first leaf, and the one after its last.
    leaves: (u64, u64),
}

/// The way from a node up to the root.
struct Way {
    /// The first leaf of the node where it begins.
    low: u64,
    up: Vec<Step>,
}

/// The way up from a leaf.
fn to_leaf(index: u64, size: u64) -> Way {
    way(index + 1, size, |low, high| high - low == 1)
}

/// The way up from the largest node whose last leaf is the one before `end`.
fn to_end(end: u64, size: u64) -> Way {
    way(end, size, |_, high| high == end)
}

/// Goes down, always to the side with the leaf before `end`, until it is `there`.
fn way(end: u64, size: u64, there: impl Fn(u64, u64) -> bool) -> Way {
    let (mut low, mut high) = (0, size);
    let mut up = Vec::new();
    while !there(low, high) {
        let middle = low + split(high - low);
        let (beside, leaves) = if end <= middle {
            (Side::Right, (middle, high))
        } else {
            (Side::Left, (low, middle))
        };
        match beside {
            Side::Right => high = middle,
            Side::Left => low = middle,
        }
        up.push(Step { side: beside, leaves });
    }
    up.reverse();
    Way { low, up }
}

/// What the siblings on a way are made of.
fn siblings(way: &Way) -> Vec<Run> {
    way.up
        .iter()
        .map(|step| run(step.leaves.0, step.leaves.1))
        .collect()
}

/// The greatest power of two below the number of leaves, two at least.
const fn split(leaves: u64) -> u64 {
    1 << (leaves - 1).ilog2()
}

/// The complete subtrees of a run of leaves that begins where one of its size may.
fn run(mut low: u64, high: u64) -> Run {
    let mut nodes = Vec::new();
    while low < high {
        let height = (high - low)
            .ilog2()
            .min(if low == 0 { 63 } else { low.trailing_zeros() });
        nodes.push(Node {
            height: u8::try_from(height).expect("a number of 64 bits has no more"),
            index: low >> height,
        });
        low += 1 << height;
    }
    nodes
}

const fn require_length(expected: usize, proof: &[Hash]) -> Result<(), ProofError> {
    if proof.len() == expected {
        Ok(())
    } else {
        Err(ProofError::Length {
            expected,
            found: proof.len(),
        })
    }
}

fn require_root(size: u64, expected: Hash, found: Hash) -> Result<(), ProofError> {
    if found == expected {
        Ok(())
    } else {
        Err(ProofError::Root {
            size,
            expected,
            found,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{CompactRange, leaf_hash};
    use super::*;

    fn leaves(size: u64) -> Vec<Hash> {
        (0..size).map(|number| leaf_hash(&number.to_be_bytes())).collect()
    }

    fn root(leaves: &[Hash]) -> Hash {
        let mut tree = CompactRange::new();
        for leaf in leaves {
            tree.append(*leaf);
        }
        tree.root()
    }

    fn hash(leaves: &[Hash], node: Node) -> Hash {
        let at = |index: u64| usize::try_from(index << node.height).unwrap();
        root(&leaves[at(node.index)..at(node.index + 1)])
    }

    fn made(leaves: &[Hash], plan: &[Run]) -> Vec<Hash> {
        let hashes = |run: &Run| run.iter().map(|node| hash(leaves, *node)).collect::<Vec<_>>();
        plan.iter().map(|run| fold(&hashes(run)).unwrap()).collect()
    }

    #[test]
    fn the_root_is_made_of_what_is_planned() {
        for size in 1..70 {
            let leaves = leaves(size);
            assert_eq!(made(&leaves, &[root_plan(size)]), [root(&leaves)], "{size}");
        }
        assert_eq!(root_plan(0), []);
    }

    proptest! {
        #[test]
        fn a_leaf_is_proved_at_its_place_and_at_no_other(size in 1u64..300, at in 0u64..300, other in 0u64..300) {
            let index = at % size;
            let leaves = leaves(size);
            let tree = (size, root(&leaves));
            let proof = made(&leaves, &inclusion_plan(index, size).unwrap());
            let leaf = leaves[usize::try_from(index).unwrap()];
            prop_assert_eq!(verify_inclusion(leaf, index, tree, &proof), Ok(()));
            let other = other % size;
            if other != index {
                prop_assert!(verify_inclusion(leaf, other, tree, &proof).is_err());
            }
            prop_assert!(verify_inclusion(leaf_hash(b"another"), index, tree, &proof).is_err());
            prop_assert!(verify_inclusion(leaf, size, tree, &proof).is_err());
            let mut longer = proof.clone();
            longer.push(leaf);
            prop_assert!(verify_inclusion(leaf, index, tree, &longer).is_err());
        }

        #[test]
        fn a_log_that_was_rewritten_is_proved_consistent_with_nothing(size in 1u64..300, at in 1u64..300, changed in 0usize..300) {
            let from = at % size + 1;
            let leaves = leaves(size);
            let tree = (size, root(&leaves));
            let before = &leaves[..usize::try_from(from).unwrap()];
            let proof = made(&leaves, &consistency_plan(from, size).unwrap());
            prop_assert_eq!(verify_consistency((from, root(before)), tree, &proof), Ok(()));
            let mut rewritten = before.to_vec();
            let changed = changed % rewritten.len();
            rewritten[changed] = leaf_hash(b"another");
            prop_assert!(verify_consistency((from, root(&rewritten)), tree, &proof).is_err());
        }
    }
}
