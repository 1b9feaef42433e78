//! The custody log in a store: what is appended, what is asked for, and proofs from the hashes that it keeps.

use std::collections::BTreeSet;

use time::OffsetDateTime;

use crate::custody::{
    Actor, CompactRange, Event, Hash, Head, Record, Run, StoredRecord, TILE_WIDTH, Tile, TileHash, Tiles,
    consistency_plan, inclusion_plan, root_plan, tiles_of,
};

use super::{Error, Store};

/// The head of the custody log as a store keeps it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustodyHead {
    /// The tree over all records.
    pub tree: CompactRange,
    /// The tree over the records up to some number before the last: from here a start makes the hashes again, so that
    /// it need not read the whole log to know that the records fit their head.
    pub anchor: CompactRange,
}

impl CustodyHead {
    /// Size and root of the log.
    pub fn head(&self) -> Head {
        Head {
            size: self.tree.size(),
            root: self.tree.root(),
        }
    }
}

/// What of the custody log is more than hashes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CustodyKept {
    /// The number of the first record whose bytes are there; the log's size where there is none.
    pub from: u64,
    /// The number before which records are to go, as a record says: `from` comes to it.
    pub prune_below: u64,
}

/// A head of the log that was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCheckpoint {
    /// How many records it covers.
    pub size: u64,
    /// When it was signed, to the microsecond.
    pub time: OffsetDateTime,
    /// The signed note, word for word.
    pub note: String,
}

/// What a record is found by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordTerms {
    /// The identifier of its object.
    pub object: Option<String>,
    /// The SHA-256 of the client's certificate, or of the one that the event is about.
    pub client: Option<Hash>,
}

impl RecordTerms {
    /// The terms of an event.
    pub fn of(event: &Event) -> Self {
        let about = event.certificate.as_ref().map(|facts| &facts.fingerprint);
        Self::new(
            event.object.as_ref().map(|facts| &facts.identifier),
            &event.actor,
            about,
        )
    }

    /// The terms of a record that was read.
    pub fn of_record(record: &Record) -> Self {
        let about = record.certificate.as_ref().map(|facts| &facts.fingerprint);
        Self::new(
            record.object.as_ref().map(|facts| &facts.identifier),
            &record.actor,
            about,
        )
    }

    fn new(object: Option<&String>, actor: &Actor, about: Option<&String>) -> Self {
        let client = actor.certificate().or(about.map(String::as_str));
        Self {
            // A client may name what it likes; no object is called so, and not every database takes such a text.
            object: object.filter(|object| !object.contains('\0')).cloned(),
            client: client.and_then(|client| client.parse().ok()),
        }
    }
}

/// What is appended to the log in one transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Appended {
    /// The records, in order, each with what it is found by.
    pub records: Vec<(StoredRecord, RecordTerms)>,
    /// The roots of the tiles that they fill.
    pub hashes: Vec<TileHash>,
}

/// Which records are searched for: those that have all of this.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordFilter {
    /// About the object of this identifier.
    pub object: Option<String>,
    /// By the client of this certificate, or about that certificate: its SHA-256 in hexadecimal.
    pub client: Option<String>,
}

/// Where a search begins, and which way it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchFrom {
    /// At this number, towards the end of the log.
    Number(u64),
    /// Before this number, towards the beginning of the log.
    Before(u64),
}

/// The hashes of these tiles, in few questions.
///
/// A tile of which the store lacks a hash is [`Error::Tampered`].
pub async fn custody_tiles(store: &dyn Store, tiles: impl IntoIterator<Item = Tile>) -> Result<Tiles, Error> {
    let tiles: BTreeSet<Tile> = tiles.into_iter().collect();
    let mut read = Tiles::default();
    let mut rest = tiles.into_iter().peekable();
    while let Some(first) = rest.next() {
        let mut together = vec![first];
        let mut number = u32::from(first.width);
        // Neighbours are one question, up to a bound.
        while let Some(next) = rest.next_if(|next| {
            let last = together[together.len() - 1];
            next.level == last.level && next.index == last.index + 1 && last.is_full() && together.len() < 64
        }) {
            number += u32::from(next.width);
            together.push(next);
        }
        let hashes = store
            .custody_hashes(first.level, first.index * TILE_WIDTH, number)
            .await?;
        let mut hashes = hashes.as_slice();
        for tile in together {
            let (these, others) =
                hashes
                    .split_at_checked(usize::from(tile.width))
                    .ok_or_else(|| Error::Tampered {
                        table: "custody_hash",
                        id: tile.to_string(),
                        what: format!("it should have {} hashes, and some are missing", tile.width),
                    })?;
            read.insert(tile.level, tile.index, these.to_vec());
            hashes = others;
        }
    }
    Ok(read)
}

/// The root over the first `size` records, made from the hashes that the store keeps.
pub async fn custody_root(store: &dyn Store, size: u64) -> Result<Hash, Error> {
    if size == 0 {
        return Ok(CompactRange::new().root());
    }
    let plan = [root_plan(size)];
    Ok(hashes(store, &plan, size).await?[0])
}

/// The tree over the first `size` records, made from the hashes that the store keeps: what reads on from there begins with it.
pub async fn custody_tree(store: &dyn Store, size: u64) -> Result<CompactRange, Error> {
    let nodes: Vec<Run> = root_plan(size).into_iter().map(|node| vec![node]).collect();
    let hashes = hashes(store, &nodes, size).await?;
    let bytes: Vec<u8> = hashes.iter().flat_map(|hash| hash.0).collect();
    CompactRange::from_bytes(size, &bytes).map_err(|error| Error::BrokenHead {
        what: error.to_string(),
    })
}

/// What proves that record `index` is in the log as it was at `size` records.
pub async fn custody_inclusion(store: &dyn Store, index: u64, size: u64) -> Result<Vec<Hash>, Error> {
    let plan = inclusion_plan(index, size).map_err(|error| beyond(index, &error))?;
    hashes(store, &plan, size).await
}

/// What proves that the log at `from` records is the beginning of the log at `size`.
pub async fn custody_consistency(store: &dyn Store, from: u64, size: u64) -> Result<Vec<Hash>, Error> {
    let plan = consistency_plan(from, size).map_err(|error| beyond(from, &error))?;
    hashes(store, &plan, size).await
}

/// The number of the first record that was written at this time or later, of those that were not pruned; the log's size where
/// there is none.
///
/// Records stand in the order of their times, so few of them are read.
pub async fn custody_number_at(store: &dyn Store, time: OffsetDateTime) -> Result<u64, Error> {
    let (mut low, mut high) = (
        store.custody_kept().await?.from,
        store.custody_head().await?.tree.size(),
    );
    while low < high {
        let middle = low + (high - low) / 2;
        let unreadable = |what: String| Error::Tampered {
            table: "custody_record",
            id: middle.to_string(),
            what,
        };
        let stored = store.custody_records(middle, 1).await?;
        let stored = stored.first().filter(|stored| stored.sequence == middle);
        let stored = stored.ok_or_else(|| unreadable("it is missing".into()))?;
        let written = Record::time_of(&stored.bytes).map_err(|error| unreadable(error.to_string()))?;
        if written < time {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

async fn hashes(store: &dyn Store, plan: &[Run], size: u64) -> Result<Vec<Hash>, Error> {
    let tiles = custody_tiles(store, tiles_of(plan, size)).await?;
    tiles.proof(plan).ok_or_else(|| Error::Tampered {
        table: "custody_hash",
        id: size.to_string(),
        what: "hashes of this tree are missing".into(),
    })
}

fn beyond(part: u64, error: &crate::custody::ProofError) -> Error {
    Error::NotFound {
        what: "record or checkpoint",
        id: format!("{part}: {error}"),
    }
}
