//! Where the log is read: from the running server, or from the database of one that does not run.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::admin::api::{CustodyHead, CustodyRecord, List};
use crate::cli::client::{Client, path};
use crate::cli::exit::Failure;
use crate::custody::{Head, StoredRecord};
use crate::store::{SealKeys, SqliteStore, Store};

/// How many records are asked for at a time.
pub(super) const PAGE: u64 = 1000;

/// Something that has the log. It is not trusted.
pub(super) enum Source {
    Server(Client),
    Database(SqliteStore),
}

impl Source {
    /// The database at `file`, which must be there. No device and no seal key is needed for the log.
    pub(super) async fn database(file: &Path) -> Result<Self, Failure> {
        if !file.is_file() {
            return Err(Failure::new(format!("there is no database {}", file.display()))
                .remedy("name the file of `store.path`, or a copy of it"));
        }
        let store = SqliteStore::open(file, SealKeys::new()).await;
        store
            .map(Self::Database)
            .map_err(|error| Failure::new(error.to_string()))
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
                    failure.or("or read its database as it is, with --database FILE")
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
