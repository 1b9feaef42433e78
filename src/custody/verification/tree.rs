//! The tree of a bundle, made again from its tiles, and compared with all that was signed of it.

use super::super::{
    CompactRange, Hash, Head, TILE_WIDTH, Tile, Tiles, consistency_plan, root_plan, verify_consistency,
};
use super::checkpoints::{Heads, forked};
use super::finding::{Code, Findings};

/// The leaves whose place is made ready at once, whatever the bundle claims.
const READY: u64 = 1 << 20;

/// The tree while its tiles come.
pub(super) struct Tree {
    from: u64,
    head: Head,
    tiles: Tiles,
    /// The tree over what came; none before the first of the leaves.
    made: Option<CompactRange>,
    leaves: Vec<Hash>,
    /// The next size that something was signed of.
    next: Option<u64>,
    broken: bool,
}

impl Tree {
    pub(super) fn new(from: u64, head: Head, heads: &Heads) -> Self {
        let ready = head.size.saturating_sub(from).min(READY);
        Self {
            from,
            head,
            tiles: Tiles::default(),
            made: None,
            leaves: Vec::with_capacity(usize::try_from(ready).unwrap_or(0)),
            next: heads.next(from),
            broken: false,
        }
    }

    /// Takes the next tile.
    pub(super) fn tile(&mut self, tile: Tile, hashes: &[Hash], heads: &Heads, findings: &mut Findings) {
        let place = tile.index.saturating_mul(TILE_WIDTH);
        if Tile::at(tile.level, tile.index, self.head.size) != Some(tile) {
            self.broken = true;
            let size = self.head.size;
            findings.add(
                Code::TileChanged,
                None,
                format!("a log of {size} records has no {tile}"),
            );
            return;
        }
        if tile.level > 0 || place < self.from || !tile.is_full() {
            self.tiles.insert(tile.level, tile.index, hashes.to_vec());
        }
        if tile.level > 0 || place < self.from || self.broken {
            return;
        }
        if self.made.is_none() {
            self.made = self.before();
        }
        let Some(made) = self.made.as_mut().filter(|made| made.size() == place) else {
            self.broken = true;
            findings.add(
                Code::BundleIncomplete,
                None,
                format!("before {tile}, tiles are missing or out of order"),
            );
            return;
        };
        for leaf in hashes {
            if self.next == Some(made.size()) {
                heads.compare(made.size(), made.root(), findings);
                self.next = heads.next(made.size() + 1);
            }
            made.append(*leaf);
            self.leaves.push(*leaf);
        }
    }

    /// Ends the tiles: the leaves, where they are those of the signed root.
    pub(super) fn end(mut self, heads: &Heads, findings: &mut Findings) -> Leaves {
        let before = self.before();
        if self.made.is_none() && self.from == self.head.size {
            self.made.clone_from(&before);
        }
        let found = self.made.as_ref().filter(|_| !self.broken);
        let found = found
            .filter(|made| made.size() == self.head.size)
            .map(CompactRange::root);
        if found != Some(self.head.root) {
            let Head { size, root } = self.head;
            match found {
                Some(found) => findings.add(
                    Code::TileChanged,
                    None,
                    format!(
                        "the tiles have the root {found}, and the checkpoint over {size} records has {root}"
                    ),
                ),
                None if self.broken => {}
                None => findings.add(
                    Code::BundleIncomplete,
                    None,
                    format!("the tiles do not reach to the end of the log, {size} records"),
                ),
            }
            return Leaves::Unproved { before };
        }
        if self.next == Some(self.head.size) {
            heads.compare(self.head.size, self.head.root, findings);
        }
        self.earlier(heads, findings);
        Leaves::Proved(self.leaves)
    }

    /// Compares with what was signed of the log before the part that the bundle has.
    fn earlier(&self, heads: &Heads, findings: &mut Findings) {
        let Head { size, root } = self.head;
        for (earlier, signed, source) in heads.below(self.from) {
            let proof = consistency_plan(earlier, size)
                .ok()
                .and_then(|plan| self.tiles.proof(&plan));
            match proof {
                None => findings.add(
                    Code::BundleIncomplete,
                    None,
                    format!(
                        "the bundle begins with record {}, and has not what proves that it goes on from the {earlier} records of a checkpoint before that; export it from there, or with --kept {earlier}",
                        self.from
                    ),
                ),
                Some(proof) => {
                    if verify_consistency((earlier, signed), (size, root), &proof).is_err() {
                        forked(earlier, signed, root, source, findings);
                    }
                }
            }
        }
    }

    /// The tree over the part before the bundle's.
    fn before(&self) -> Option<CompactRange> {
        let hashes: Option<Vec<_>> = root_plan(self.from)
            .iter()
            .map(|node| self.tiles.node(*node))
            .collect();
        let bytes: Vec<u8> = hashes?.iter().flat_map(|hash| hash.0).collect();
        CompactRange::from_bytes(self.from, &bytes).ok()
    }
}

/// The leaves of the records of a bundle.
pub(super) enum Leaves {
    /// Those of the signed root.
    Proved(Vec<Hash>),
    /// They are not known. The tree before them, where it is.
    Unproved {
        /// The tree over the records before the first of the bundle.
        before: Option<CompactRange>,
    },
}
