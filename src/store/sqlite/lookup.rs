//! Reads of keys by their identifiers, made by whoever asks.
//!
//! Such a read takes a few microseconds. On the connections of [`sqlx`], each of which has a thread, the way there and back takes
//! several times as long; so these connections have none, and a read holds up the thread that asks: for the time of a few pages,
//! which are in memory or are read from the disk.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Result, Row};
use uuid::Uuid;

use crate::store::table::KeyColumns;

/// Connections that are kept while nobody reads.
const KEPT: usize = 4;

const STATEMENT: &str = "SELECT ordinal, id, adapter, root_key, root_key_version, wrap_profile, revision, sealed_by, seal, \
     wrapped, document FROM managed_object WHERE id = ?1";

pub(super) struct Lookup {
    path: PathBuf,
    /// None once it is closed.
    idle: Mutex<Option<Vec<Connection>>>,
}

impl Lookup {
    /// Nothing is opened before somebody asks.
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            idle: Mutex::new(Some(Vec::new())),
        }
    }

    /// The row of this identifier as it is after this was called, or that there is none. `None` where it could not be read
    /// here: whoever asks reads it on another connection then, and hears why that can't be done.
    #[expect(clippy::unused_async, reason = "other databases are asked")]
    pub(in crate::store) async fn find(&self, id: Uuid) -> Option<Option<KeyColumns>> {
        let idle = self.idle(|idle| idle.as_mut().map(Vec::pop))?;
        let connection = match idle {
            Some(connection) => connection,
            None => open(&self.path).ok()?,
        };
        let found = read(&connection, id).ok()?;
        self.idle(|idle| {
            if let Some(idle) = idle.as_mut().filter(|idle| idle.len() < KEPT) {
                idle.push(connection);
            }
        });
        Some(found)
    }

    /// Nothing is found after this.
    pub(super) fn close(&self) {
        self.idle(Option::take);
    }

    fn idle<T>(&self, with: impl FnOnce(&mut Option<Vec<Connection>>) -> T) -> T {
        with(&mut self.idle.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn open(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    // Who would have to wait reads elsewhere.
    connection.busy_timeout(Duration::ZERO)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    Ok(connection)
}

fn read(connection: &Connection, id: Uuid) -> Result<Option<KeyColumns>> {
    let mut statement = connection.prepare_cached(STATEMENT)?;
    statement.query_row([&id.as_bytes()[..]], columns).optional()
}

fn columns(row: &Row<'_>) -> Result<KeyColumns> {
    Ok(KeyColumns {
        ordinal: row.get(0)?,
        id: row.get(1)?,
        adapter: row.get(2)?,
        root_key: row.get(3)?,
        root_key_version: row.get(4)?,
        wrap_profile: row.get(5)?,
        revision: row.get(6)?,
        sealed_by: row.get(7)?,
        seal: row.get(8)?,
        wrapped: row.get(9)?,
        document: row.get(10)?,
    })
}
