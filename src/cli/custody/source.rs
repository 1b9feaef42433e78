//! Where the log is read: from the running server, or from the database of one that does not run.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use time::OffsetDateTime;

use crate::admin::api::{CustodyCheckpoint, CustodyHead, CustodyRecord, List};
use crate::cli::client::{Client, path};
use crate::cli::database;
use crate::cli::exit::Failure;
use crate::config::{self, Config};
use crate::custody::{
    CompactRange, Hash, Head, Record, Run, StoredRecord, TILE_WIDTH, Tiles, root_plan, tiles_of,
};
use crate::store::{
    PostgresOptions, PostgresStore, RecordFilter, SealKeys, SearchFrom, SqliteStore, Store, StoredCheckpoint,
};

/// How many records are asked for at a time.
pub(super) const PAGE: u64 = 1000;
/// The most connections to a database that is read.
const CONNECTIONS: u32 = 4;

/// Something that has the log. It is not trusted.
pub(super) enum Source {
    Server(Client),
    Database(Box<dyn Store>),
}

impl Source {
    /// The database that is named: a file, or the address of a PostgreSQL, whose password is that of the configuration where
    /// this is its database. No device and no seal key is needed for the log.
    pub(super) async fn database(named: &str, config: Option<&Config>) -> Result<Self, Failure> {
        if !named.starts_with("postgres://") && !named.starts_with("postgresql://") {
            return Self::file(Path::new(named)).await;
        }
        let configured = match config.map(|config| &config.store) {
            Some(config::Store::Postgres(postgres)) if postgres.url == named => Some(postgres),
            _ => None,
        };
        let options = match configured {
            Some(postgres) => database::options(postgres).map_err(|error| Failure::new(error.to_string()))?,
            None => PostgresOptions::new(named, None, CONNECTIONS).map_err(|error| {
                Failure::usage(format!("this is not the address of a PostgreSQL: {error}"))
                    .remedy("write it as `url` in [store] has it")
            })?,
        };
        let store = PostgresStore::open_to_read(&options, SealKeys::new()).await;
        let store = store.map_err(|error| Failure::new(error.to_string()))?;
        Ok(Self::Database(Box::new(store)))
    }

    /// The database at `file`, which must be there.
    async fn file(file: &Path) -> Result<Self, Failure> {
        if !file.is_file() {
            return Err(Failure::new(format!("there is no database {}", file.display()))
                .remedy("name the file of `store.path`, or a copy of it"));
        }
        let store = SqliteStore::open(file, SealKeys::new()).await;
        let store = store.map_err(|error| Failure::new(error.to_string()))?;
        Ok(Self::Database(Box::new(store)))
    }

    /// What it is, for people.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Server(client) => format!("the server at {}", client.socket().display()),
            Self::Database(_) => "a database".to_owned(),
        }
    }

    /// The head that the source claims.
    pub(super) async fn head(&self) -> Result<Head, Failure> {
        match self {
            Self::Database(store) => Ok(store
                .custody_head()
                .await
                .map_err(|error| unreadable(&error))?
                .head()),
            Self::Server(client) => {
                let head = client.get::<CustodyHead>(path(["custody", "head"])).await;
                let head = head.map_err(|failure| {
                    if client.socket().exists() {
                        return failure;
                    }
                    failure.or("or read its database as it is, with --database FILE or --database URL")
                })?;
                let root = head
                    .root
                    .parse()
                    .map_err(|_| not_understood("the root of its head", &head.root))?;
                Ok(Head {
                    size: head.size,
                    root,
                })
            }
        }
    }

    /// The number of the first record that was not pruned.
    pub(super) async fn kept_from(&self) -> Result<u64, Failure> {
        match self {
            Self::Database(store) => {
                let kept = store.custody_kept().await;
                Ok(kept.map_err(|error| unreadable(&error))?.from)
            }
            Self::Server(client) => {
                let head: CustodyHead = client.get(path(["custody", "head"])).await?;
                Ok(head.kept_from)
            }
        }
    }

    /// The tree over the first so many records, by the hashes that the source keeps.
    pub(super) async fn tree(&self, size: u64) -> Result<CompactRange, Failure> {
        let nodes: Vec<Run> = root_plan(size).into_iter().map(|node| vec![node]).collect();
        let hashes = self.proof(&nodes, size).await?;
        let bytes: Vec<u8> = hashes.iter().flat_map(|hash| hash.0).collect();
        CompactRange::from_bytes(size, &bytes).map_err(|error| Failure::new(error.to_string()).unhealthy())
    }

    /// The records `from` up to, and without, `end`: at most [`PAGE`].
    pub(super) async fn page(&self, from: u64, end: u64) -> Result<Vec<StoredRecord>, Failure> {
        let limit = end.saturating_sub(from).min(PAGE);
        match self {
            Self::Database(store) => {
                let limit = u32::try_from(limit).expect("a page is short");
                store
                    .custody_records(from, limit)
                    .await
                    .map_err(|error| unreadable(&error))
            }
            Self::Server(client) => {
                let page = path(["custody", "records"])
                    .query("from", &from.to_string())
                    .query("limit", &limit.to_string());
                let list: List<CustodyRecord> = client.get(page).await?;
                list.items.iter().map(stored).collect()
            }
        }
    }

    /// Records before this number that an index finds, the newest first: at most [`PAGE`].
    pub(super) async fn search(
        &self,
        filter: &RecordFilter,
        before: u64,
    ) -> Result<Vec<StoredRecord>, Failure> {
        match self {
            Self::Database(store) => {
                let limit = u32::try_from(PAGE).expect("a page is short");
                store
                    .custody_search(filter, SearchFrom::Before(before), limit)
                    .await
                    .map_err(|error| unreadable(&error))
            }
            Self::Server(client) => {
                let mut search = path(["custody", "search"])
                    .query("before", &before.to_string())
                    .query("limit", &PAGE.to_string());
                if let Some(object) = &filter.object {
                    search = search.query("object", object);
                }
                if let Some(certificate) = &filter.client {
                    search = search.query("client", certificate);
                }
                let list: List<CustodyRecord> = client.get(search).await?;
                list.items.iter().map(stored).collect()
            }
        }
    }

    /// The number of the first record that was written at this time or later, of a log of so many records; of those that were
    /// pruned it is none.
    pub(super) async fn number_at(&self, time: OffsetDateTime, size: u64) -> Result<u64, Failure> {
        let (mut low, mut high) = (self.kept_from().await?.min(size), size);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.record(middle).await?.1.time < time {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }

    /// One record, as it is stored and as it is read.
    pub(super) async fn record(&self, sequence: u64) -> Result<(StoredRecord, Record), Failure> {
        let page = self.page(sequence, sequence + 1).await?;
        let stored = page
            .into_iter()
            .next()
            .filter(|stored| stored.sequence == sequence);
        if stored.is_none() && sequence < self.kept_from().await? {
            return Err(Failure::new(format!(
                "record {sequence} was pruned: the log has its hash, and no more"
            ))
            .remedy("look for it in the bundles that were made before; `claviger custody list --event custody.prune` names them"));
        }
        let stored = stored.ok_or_else(|| {
            Failure::new(format!("the log has no record {sequence}"))
                .remedy("`claviger custody list` shows the newest; `claviger custody verify` finds gaps")
        })?;
        let record = Record::from_bytes(&stored.bytes).map_err(|error| {
            Failure::new(format!("record {sequence} cannot be read: {error}"))
                .remedy("run `claviger custody verify`")
                .unhealthy()
        })?;
        Ok((stored, record))
    }

    /// The checkpoint over the most records.
    pub(super) async fn checkpoint(&self) -> Result<StoredCheckpoint, Failure> {
        match self {
            Self::Database(store) => {
                let latest = store
                    .custody_checkpoint()
                    .await
                    .map_err(|error| unreadable(&error))?;
                latest.ok_or_else(|| Failure::new("the log has no checkpoint: it was never signed"))
            }
            Self::Server(client) => {
                let checkpoint: CustodyCheckpoint = client.get(path(["custody", "checkpoint"])).await?;
                Ok(signed(checkpoint))
            }
        }
    }

    /// The checkpoint over just so many records, or the next after it.
    pub(super) async fn checkpoint_from(&self, size: u64) -> Result<Option<StoredCheckpoint>, Failure> {
        Ok(self.checkpoints(size, 1).await?.pop())
    }

    /// The checkpoints over so many records and more, by size, so many at most.
    pub(super) async fn checkpoints(&self, size: u64, limit: u32) -> Result<Vec<StoredCheckpoint>, Failure> {
        match self {
            Self::Database(store) => {
                let found = store.custody_checkpoints(size, limit).await;
                found.map_err(|error| unreadable(&error))
            }
            Self::Server(client) => {
                let page = path(["custody", "checkpoints"])
                    .query("from", &size.to_string())
                    .query("limit", &limit.to_string());
                let list: List<CustodyCheckpoint> = client.get(page).await?;
                Ok(list.items.into_iter().map(signed).collect())
            }
        }
    }

    /// The hashes of a proof, made here from those that the source keeps.
    pub(super) async fn proof(&self, plan: &[Run], size: u64) -> Result<Vec<Hash>, Failure> {
        let mut tiles = Tiles::default();
        for tile in tiles_of(plan, size) {
            let hashes = self
                .hashes(tile.level, tile.index * TILE_WIDTH, u32::from(tile.width))
                .await?;
            tiles.insert(tile.level, tile.index, hashes);
        }
        tiles.proof(plan).ok_or_else(|| {
            Failure::new("hashes that the proof is made of are missing from the log")
                .remedy("run `claviger custody verify`")
                .unhealthy()
        })
    }

    /// Hashes of one level, from this place on: of the leaves, or of full tiles of the level below.
    pub(super) async fn hashes(&self, level: u8, first: u64, count: u32) -> Result<Vec<Hash>, Failure> {
        match self {
            Self::Database(store) => {
                let hashes = store.custody_hashes(level, first, count).await;
                hashes.map_err(|error| unreadable(&error))
            }
            Self::Server(client) => {
                let wanted = path(["custody", "hashes"])
                    .query("level", &level.to_string())
                    .query("first", &first.to_string())
                    .query("count", &count.to_string());
                let list: List<String> = client.get(wanted).await?;
                let hash = |text: &String| text.parse().map_err(|_| not_understood("a hash", text));
                list.items.iter().map(hash).collect()
            }
        }
    }
}

fn signed(checkpoint: CustodyCheckpoint) -> StoredCheckpoint {
    StoredCheckpoint {
        size: checkpoint.size,
        time: checkpoint.time,
        note: checkpoint.note,
    }
}

fn stored(record: &CustodyRecord) -> Result<StoredRecord, Failure> {
    let bytes = STANDARD
        .decode(&record.bytes)
        .map_err(|_| not_understood("a record", &record.bytes))?;
    let leaf = record
        .leaf
        .parse()
        .map_err(|_| not_understood("a leaf's hash", &record.leaf))?;
    Ok(StoredRecord {
        sequence: record.sequence,
        leaf,
        bytes,
    })
}

fn unreadable(error: &crate::store::Error) -> Failure {
    Failure::new(format!("the custody log cannot be read: {error}")).unhealthy()
}

fn not_understood(what: &str, came: &str) -> Failure {
    let shown: String = came.chars().take(80).collect();
    Failure::new(format!("the server gave {shown:?} as {what} of the custody log"))
        .remedy("use the `claviger` of the same version as the server's")
}
