//! The path of a tile, read.

use super::super::{TILE_WIDTH, Tile};

/// The tile of a path as [`Tile`] writes it; none of any other.
pub fn tile_at(path: &str) -> Option<Tile> {
    let (level, place) = path.strip_prefix("tile/")?.split_once('/')?;
    let (place, width) = match place.split_once(".p/") {
        Some((place, width)) => (place, width.parse().ok()?),
        None => (place, u16::try_from(TILE_WIDTH).ok()?),
    };
    let mut index: u64 = 0;
    for group in place.split('/') {
        let group: u64 = group.strip_prefix('x').unwrap_or(group).parse().ok()?;
        index = index.checked_mul(1000)?.checked_add(group)?;
    }
    let tile = Tile {
        level: level.parse().ok()?,
        index,
        width,
    };
    // What is written in any other way is another path.
    (tile.to_string() == path && (1..=TILE_WIDTH).contains(&u64::from(width))).then_some(tile)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tile_is_found_at_its_path_and_at_no_other() {
        for index in [0, 999, 1000, 1_234_067, u64::MAX] {
            for width in [1, 255, 256] {
                let tile = Tile {
                    level: 3,
                    index,
                    width,
                };
                assert_eq!(tile_at(&tile.to_string()), Some(tile));
            }
        }
        for path in [
            "tile/0/0",
            "tile/0/000.p/256",
            "tile/0/000.p/0",
            "tile/00/000",
            "tile/0/x000/001",
            "tile/0/+01",
            "tile/0/001/002",
            "tile/entries/000",
            "tile/0/",
        ] {
            assert_eq!(tile_at(path), None, "{path}");
        }
    }
}
