//! The hashes that proofs are made from: made where they are missing, and compared with the head.

use std::sync::Arc;

use super::Error;
use crate::custody::{CompactRange, Hash, Head, TILE_HEIGHT, TILE_WIDTH, TileHash};
use crate::store::{self, WriteStore};

/// How many tiles are read at once.
const TILES: u64 = 1024;

/// Makes the hashes of full tiles that are missing. A log of an earlier version of the program has none.
pub(super) async fn complete(store: &dyn WriteStore, head: Head) -> Result<(), Error> {
    for level in 1_u8.. {
        let full = head
            .size
            .checked_shr(u32::from(level) * u32::from(TILE_HEIGHT))
            .unwrap_or(0);
        if full == 0 {
            break;
        }
        let mut there = store.custody_hash_count(level).await.map_err(refused)?;
        while there < full {
            let number = (full - there).min(TILES);
            let hashes = roots(store, level, there, number).await?;
            let mut transaction = store.begin().await.map_err(refused)?;
            transaction.put_hashes(&hashes).await.map_err(refused)?;
            transaction.commit().await.map_err(refused)?;
            there += number;
        }
    }
    Ok(())
}

/// The roots of so many full tiles of the level below, from this place on.
async fn roots(store: &dyn WriteStore, level: u8, first: u64, number: u64) -> Result<Vec<TileHash>, Error> {
    let count = u32::try_from(number * TILE_WIDTH).expect("a few tiles are read at once");
    let below = store
        .custody_hashes(level - 1, first * TILE_WIDTH, count)
        .await
        .map_err(refused)?;
    if below.len() < count as usize {
        let missing = first * TILE_WIDTH + below.len() as u64;
        return Err(Error::BrokenLog {
            why: format!("hash {missing} of level {} is missing", level - 1),
        });
    }
    let tiles = below.chunks_exact(usize::try_from(TILE_WIDTH).expect("a tile has 256 hashes"));
    let roots = (first..).zip(tiles).map(|(index, tile)| TileHash {
        level,
        index,
        hash: root(tile),
    });
    Ok(roots.collect())
}

fn root(hashes: &[Hash]) -> Hash {
    let mut tree = CompactRange::new();
    for hash in hashes {
        tree.append(*hash);
    }
    tree.root()
}

fn refused(error: store::Error) -> Error {
    Error::Refused(Arc::new(error))
}
