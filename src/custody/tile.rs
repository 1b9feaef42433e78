//! Tiles (C2SP tlog-tiles): the tree in pieces of at most 256 hashes, and what is read from them.

use std::collections::{BTreeSet, HashMap};
use std::fmt;

use super::proof::{Node, Run, fold};
use super::{CompactRange, Hash};

/// How many levels of the tree a tile spans.
pub const TILE_HEIGHT: u8 = 8;
/// The most hashes of a tile.
pub const TILE_WIDTH: u64 = 256;

/// A hash of a level above the leaves: the root over a full tile of the level below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TileHash {
    /// Its level, from 1.
    pub level: u8,
    /// Its place in the level, from 0: that of the tile below it.
    pub index: u64,
    /// The hash.
    pub hash: Hash,
}

impl TileHash {
    /// The hash as tiles have it; none of a subtree that is no full tile.
    pub const fn of(node: Node, hash: Hash) -> Option<Self> {
        if node.height == 0 || !node.height.is_multiple_of(TILE_HEIGHT) {
            return None;
        }
        Some(Self {
            level: node.height / TILE_HEIGHT,
            index: node.index,
            hash,
        })
    }
}

/// Where a tile is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tile {
    /// Its level: 0 has the leaves.
    pub level: u8,
    /// Its place in the level, from 0.
    pub index: u64,
    /// How many hashes it has, 1 to 256.
    pub width: u16,
}

impl Tile {
    /// The tile of a tree of this size that has the node's hash, or from which it is made. None where that tree does not
    /// have the node.
    pub fn of(node: Node, size: u64) -> Option<Self> {
        let level = node.height / TILE_HEIGHT;
        let index = (node.index << (node.height % TILE_HEIGHT)) / TILE_WIDTH;
        Self::at(level, index, size)
    }

    /// The tile at this place in a tree of this size. None where it has no hash there.
    pub fn at(level: u8, index: u64, size: u64) -> Option<Self> {
        let hashes = size
            .checked_shr(u32::from(level) * u32::from(TILE_HEIGHT))
            .unwrap_or(0);
        let width = hashes
            .checked_sub(index.checked_mul(TILE_WIDTH)?)?
            .min(TILE_WIDTH);
        (width > 0).then(|| Self {
            level,
            index,
            width: u16::try_from(width).expect("it is 256 at most"),
        })
    }

    /// Whether it has all of its hashes and will not change.
    pub const fn is_full(&self) -> bool {
        self.width as u64 == TILE_WIDTH
    }
}

/// The path under the log's prefix, as `tile/0/x001/067.p/3`.
impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tile/{}/", self.level)?;
        place(self.index, self.width, f)
    }
}

/// The path of the records under the tile at this place of level 0.
pub struct Entries {
    /// Its place, from 0.
    pub index: u64,
    /// How many records it has, 1 to 256.
    pub width: u16,
}

impl fmt::Display for Entries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tile/entries/")?;
        place(self.index, self.width, f)
    }
}

fn place(index: u64, width: u16, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut groups = vec![index % 1000];
    let mut rest = index / 1000;
    while rest > 0 {
        groups.push(rest % 1000);
        rest /= 1000;
    }
    for group in groups[1..].iter().rev() {
        write!(f, "x{group:03}/")?;
    }
    write!(f, "{:03}", groups[0])?;
    if u64::from(width) < TILE_WIDTH {
        write!(f, ".p/{width}")?;
    }
    Ok(())
}

/// The tiles of a tree of this size that these runs are made from.
pub fn tiles_of<'r>(runs: impl IntoIterator<Item = &'r Run>, size: u64) -> BTreeSet<Tile> {
    let nodes = runs.into_iter().flatten();
    nodes.filter_map(|node| Tile::of(*node, size)).collect()
}

/// Tiles that were read.
#[derive(Clone, Debug, Default)]
pub struct Tiles(HashMap<(u8, u64), Vec<Hash>>);

impl Tiles {
    /// Takes the hashes of a tile.
    pub fn insert(&mut self, level: u8, index: u64, hashes: Vec<Hash>) {
        self.0.insert((level, index), hashes);
    }

    /// The hash of a complete subtree, where the tile that has it is there and wide enough.
    pub fn node(&self, node: Node) -> Option<Hash> {
        let level = node.height / TILE_HEIGHT;
        let within = node.height % TILE_HEIGHT;
        let first = node.index << within;
        let hashes = self.0.get(&(level, first / TILE_WIDTH))?;
        let first = usize::try_from(first % TILE_WIDTH).ok()?;
        let mut tree = CompactRange::new();
        for hash in hashes.get(first..first + (1 << within))? {
            tree.append(*hash);
        }
        Some(tree.root())
    }

    /// The root over a run, where all of its tiles are there.
    pub fn run(&self, run: &Run) -> Option<Hash> {
        let hashes: Option<Vec<Hash>> = run.iter().map(|node| self.node(*node)).collect();
        fold(&hashes?)
    }

    /// The hashes of a proof, where all of its tiles are there.
    pub fn proof(&self, plan: &[Run]) -> Option<Vec<Hash>> {
        plan.iter().map(|run| self.run(run)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::leaf_hash;
    use super::super::proof::{
        consistency_plan, inclusion_plan, root_plan, verify_consistency, verify_inclusion,
    };
    use super::*;

    /// All tiles of a tree of this size over numbered leaves, and its leaves.
    fn tree(size: u64) -> (Tiles, Vec<Hash>) {
        let leaves: Vec<Hash> = (0..size).map(|number| leaf_hash(&number.to_be_bytes())).collect();
        let (mut tiles, mut hashes) = (Tiles::default(), leaves.clone());
        for level in 0.. {
            for (index, tile) in (0..).zip(hashes.chunks(256)) {
                tiles.insert(level, index, tile.to_vec());
            }
            hashes = hashes.chunks_exact(256).map(root).collect();
            if hashes.is_empty() {
                return (tiles, leaves);
            }
        }
        unreachable!("a level without a full tile is the last")
    }

    fn root(leaves: &[Hash]) -> Hash {
        let mut tree = CompactRange::new();
        for leaf in leaves {
            tree.append(*leaf);
        }
        tree.root()
    }

    #[test]
    fn the_hashes_of_full_tiles_come_with_the_leaves_that_complete_them() {
        let (tiles, leaves) = tree(70_000);
        let mut range = CompactRange::new();
        let mut told = Vec::new();
        for leaf in leaves {
            range.append_telling(leaf, |node, hash| told.extend(TileHash::of(node, hash)));
        }
        assert_eq!(told.len(), 273 + 1);
        for TileHash { level, index, hash } in told {
            let node = Node {
                height: level * TILE_HEIGHT,
                index,
            };
            assert_eq!(tiles.node(node), Some(hash), "{node:?}");
        }
    }

    #[test]
    fn proofs_are_made_from_tiles() {
        let (tiles, leaves) = tree(70_000);
        let head = (70_000, root(&leaves));
        assert_eq!(tiles.run(&root_plan(70_000)), Some(head.1));
        for index in [0, 255, 256, 65_535, 65_536, 69_999] {
            let plan = inclusion_plan(index, 70_000).unwrap();
            let proof = tiles.proof(&plan).unwrap();
            let leaf = leaves[usize::try_from(index).unwrap()];
            assert_eq!(verify_inclusion(leaf, index, head, &proof), Ok(()));
        }
        for from in [1, 255, 256, 257, 65_536, 65_537, 69_999] {
            let before = root(&leaves[..usize::try_from(from).unwrap()]);
            let proof = tiles.proof(&consistency_plan(from, 70_000).unwrap()).unwrap();
            assert_eq!(verify_consistency((from, before), head, &proof), Ok(()));
        }
    }

    /// The example of tlog-tiles, "Partial Tiles".
    #[test]
    fn a_tree_has_the_tiles_that_the_format_says() {
        let width = |level, index| Tile::at(level, index, 70_000).map(|tile| tile.width);
        assert_eq!(
            (width(0, 272), width(0, 273), width(0, 274)),
            (Some(256), Some(112), None)
        );
        assert_eq!(
            (width(1, 0), width(1, 1), width(1, 2)),
            (Some(256), Some(17), None)
        );
        assert_eq!((width(2, 0), width(3, 0)), (Some(1), None));
        assert_eq!(Tile::at(1, 0, 256).map(|tile| tile.width), Some(1));
        assert_eq!(Tile::at(63, 0, u64::MAX), None);
    }

    #[test]
    fn a_tile_is_where_other_readers_of_the_format_look() {
        let tile = |index, width| {
            Tile {
                level: 0,
                index,
                width,
            }
            .to_string()
        };
        assert_eq!(tile(1_234_067, 256), "tile/0/x001/x234/067");
        assert_eq!(tile(0, 1), "tile/0/000.p/1");
        assert_eq!(
            Entries {
                index: 1000,
                width: 255
            }
            .to_string(),
            "tile/entries/x001/000.p/255"
        );
    }
}
