//! A bundle of the custody log ([`crate::custody::bundle`]), written from a store: a page of it in memory at a time, and the
//! digests of the rows.

use std::io::{self, Seek, Write};
use std::time::{Duration, Instant};

use time::OffsetDateTime;

use crate::custody::bundle::{BUNDLE_FORMAT, BundleWriter, Manifest};
use crate::custody::{
    Checkpoint, CheckpointError, NoteError, Policy, SignedNote, TILE_WIDTH, Tile, consistency_plan,
    root_plan, tiles_of,
};

use super::{Error, RowsAt, Store, StoredCheckpoint, custody_number_at};

/// How many checkpoints, and how many records, are read at a time.
const PAGE: u32 = 1000;
/// Between two looks whether what is to be in the bundle is signed by now.
const LOOK: Duration = Duration::from_millis(50);

/// What of the log a bundle is to have. All of it, with the rows of the store, by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BundleRange {
    /// Only what was written at this time or later; up to 255 records before it come along.
    pub since: Option<OffsetDateTime>,
    /// Only what was written before this time, and what came after it up to the next checkpoint. Such a bundle has no rows.
    pub until: Option<OffsetDateTime>,
    /// The size of the log at the auditor's last visit: what proves that the log goes on from there comes along.
    pub kept: Option<u64>,
}

/// Why there is no bundle. What was written of it is none.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The log can't be read.
    #[error(transparent)]
    Store(#[from] Error),
    /// There is no checkpoint, so a bundle would prove nothing.
    #[error("the custody log has no checkpoint: nothing has signed it yet")]
    Unsigned,
    /// A record is not there.
    #[error("record {0} is missing from the custody log")]
    Missing(u64),
    /// Every record up to the checkpoint was pruned.
    #[error("the bytes of every record up to the checkpoint, over {0}, were pruned")]
    Pruned(u64),
    /// The last visit was to another log than this one, or the auditor is mistaken.
    #[error("the bundle is of {size} records, and the last visit was to {kept}")]
    Shorter {
        /// How many records the bundle has.
        size: u64,
        /// How many the log had at the last visit.
        kept: u64,
    },
    /// A checkpoint is none.
    #[error("the latest checkpoint can't be read: {0}")]
    Note(#[from] NoteError),
    /// The text that was signed is no checkpoint.
    #[error("the latest checkpoint can't be read: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// Nothing can be written.
    #[error("the bundle can't be written: {0}")]
    Write(#[from] io::Error),
}

/// Writes a bundle of `store` to the beginning of `out`, flushed; what it says of itself.
///
/// It is proved by a checkpoint that enough witnesses of `policy` have seen, where there is one, else by the latest. Rows are
/// in it where such a checkpoint is over all that was recorded of them; that is waited for as long as `patience`.
pub async fn write_bundle<W: Write + Seek + Send>(
    store: &dyn Store,
    policy: &Policy,
    range: &BundleRange,
    patience: Duration,
    out: W,
) -> Result<Manifest, BundleError> {
    let (note, checkpoint, rows) = extent(store, policy, range, patience).await?;
    let size = checkpoint.head.size;
    let first = match range.since {
        Some(since) => custody_number_at(store, since).await?.min(size),
        None => 0,
    };
    // Of records that were pruned their hashes are left.
    let kept_from = store.custody_kept().await?.from;
    let from = (first - first % TILE_WIDTH).max(kept_from);
    if from > size {
        return Err(BundleError::Pruned(size));
    }
    let manifest = Manifest {
        format: BUNDLE_FORMAT,
        origin: checkpoint.origin,
        from,
        size,
        rows_at: rows.as_ref().map(|rows| rows.size),
        kept_from: Some(kept_from).filter(|kept_from| *kept_from > 0),
        made_at: OffsetDateTime::now_utc(),
        server_version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let mut bundle = BundleWriter::new(out, &manifest, policy, &note)?;
    checkpoints(store, &mut bundle, from, size).await?;
    tiles(store, &mut bundle, &manifest, range.kept).await?;
    records(store, &mut bundle, from, size).await?;
    if let Some(rows) = rows {
        bundle.begin_rows()?;
        for row in &rows.keys {
            bundle.row(row)?;
        }
        bundle.begin_identities()?;
        for identity in &rows.identities {
            bundle.identity(identity)?;
        }
    }
    bundle.finish()?;
    Ok(manifest)
}

/// The checkpoint that proves the bundle, and the rows that it is over.
async fn extent(
    store: &dyn Store,
    policy: &Policy,
    range: &BundleRange,
    patience: Duration,
) -> Result<(SignedNote, Checkpoint, Option<RowsAt>), BundleError> {
    let (least, rows, patience) = if let Some(until) = range.until {
        (custody_number_at(store, until).await?, None, Duration::ZERO)
    } else {
        let rows = store.rows_at().await?;
        (rows.size, Some(rows), patience)
    };
    let began = Instant::now();
    loop {
        if let Some((note, checkpoint)) = believed_from(store, policy, least).await? {
            return Ok((note, checkpoint, rows));
        }
        if began.elapsed() >= patience {
            break;
        }
        tokio::time::sleep(LOOK).await;
    }
    let latest = store.custody_checkpoint().await?.ok_or(BundleError::Unsigned)?;
    let (note, checkpoint) = signed(&latest)?;
    let rows = rows.filter(|rows| rows.size <= checkpoint.head.size);
    Ok((note, checkpoint, rows))
}

/// The first checkpoint over so many records or more that the policy believes.
async fn believed_from(
    store: &dyn Store,
    policy: &Policy,
    least: u64,
) -> Result<Option<(SignedNote, Checkpoint)>, BundleError> {
    let mut next = least;
    loop {
        let page = store.custody_checkpoints(next, PAGE).await?;
        for stored in &page {
            let (note, checkpoint) = signed(stored)?;
            if policy.believe(&note).is_ok_and(|believed| believed.quorum) {
                return Ok(Some((note, checkpoint)));
            }
        }
        match page.last() {
            Some(newest) if page.len() == PAGE as usize => next = newest.size + 1,
            _ => return Ok(None),
        }
    }
}

fn signed(stored: &StoredCheckpoint) -> Result<(SignedNote, Checkpoint), BundleError> {
    let note: SignedNote = stored.note.parse()?;
    let checkpoint = note.text.parse()?;
    Ok((note, checkpoint))
}

async fn checkpoints<W: Write + Seek + Send>(
    store: &dyn Store,
    bundle: &mut BundleWriter<W>,
    from: u64,
    size: u64,
) -> Result<(), BundleError> {
    bundle.begin_checkpoints()?;
    let mut next = from;
    while next < size {
        let page = store.custody_checkpoints(next, PAGE).await?;
        for other in page.iter().filter(|other| other.size < size) {
            bundle.checkpoint(&other.note)?;
        }
        match page.last() {
            Some(last) => next = last.size + 1,
            None => break,
        }
    }
    Ok(())
}

async fn tiles<W: Write + Seek + Send>(
    store: &dyn Store,
    bundle: &mut BundleWriter<W>,
    manifest: &Manifest,
    kept: Option<u64>,
) -> Result<(), BundleError> {
    let (from, size) = (manifest.from, manifest.size);
    let mut needed = tiles_of([&root_plan(from)], size);
    if let Some(kept) = kept.filter(|kept| *kept < from || *kept > size) {
        let plan = consistency_plan(kept, size).map_err(|_| BundleError::Shorter { size, kept })?;
        needed.extend(tiles_of(&plan, size));
    }
    let first = from / TILE_WIDTH;
    let before = needed
        .into_iter()
        .filter(|tile| tile.level > 0 || tile.index < first);
    let leaves = (first..size.div_ceil(TILE_WIDTH)).filter_map(|index| Tile::at(0, index, size));
    for tile in before.chain(leaves) {
        let place = tile.index * TILE_WIDTH;
        let hashes = store
            .custody_hashes(tile.level, place, u32::from(tile.width))
            .await?;
        bundle.tile(tile, &hashes)?;
    }
    Ok(())
}

async fn records<W: Write + Seek + Send>(
    store: &dyn Store,
    bundle: &mut BundleWriter<W>,
    from: u64,
    size: u64,
) -> Result<(), BundleError> {
    bundle.begin_records()?;
    let mut next = from;
    while next < size {
        let page = store.custody_records(next, PAGE).await?;
        if page.is_empty() {
            return Err(BundleError::Missing(next));
        }
        // What was recorded since the checkpoint is for the next bundle.
        for record in page.iter().take_while(|record| record.sequence < size) {
            if record.sequence != next {
                return Err(BundleError::Missing(next));
            }
            bundle.record(&record.bytes)?;
            next += 1;
        }
    }
    Ok(())
}
