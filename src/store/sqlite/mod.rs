//! The store in one file, by SQLite: one server, no other service needed.
//!
//! Write-ahead log, every commit flushed to the disk, one connection that writes and a few that read. Pages that are
//! freed are overwritten with zeros, so that what was deleted is not found in the file.

mod dialect;
mod lookup;
mod open;
mod recorded;
#[path = "../sql/mod.rs"]
#[expect(
    clippy::duplicate_mod,
    reason = "the same statements, compiled with the types of each database"
)]
mod sql;
#[cfg(test)]
pub(crate) mod tests;
mod transaction;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use sqlx::SqlitePool;

use super::{Error, SealKeys};
use lookup::Lookup;
use writer::Writer;

pub use recorded::recorded_root_keys;

/// A store in a file.
pub struct SqliteStore {
    path: PathBuf,
    /// One connection: SQLite has one writer at a time, and so has the custody log.
    writer: Writer,
    readers: SqlitePool,
    /// The same for keys by their identifiers.
    lookup: Lookup,
    keys: SealKeys,
    /// Key bytes were deleted and may still be in the write-ahead log.
    erasure_due: Arc<AtomicBool>,
}

impl SqliteStore {
    /// Opens the database at `path`, makes it where there is none, and brings its schema up to date.
    ///
    /// The file is readable by its owner alone, and so is the folder where it has to be made. A database of a newer
    /// schema is left as it is; unless it says that this program can work with it, it is refused with [`Error::NewerSchema`].
    pub async fn open(path: &Path, keys: SealKeys) -> Result<Self, Error> {
        let (writer, readers) = open::pools(path).await?;
        Ok(Self {
            path: path.to_owned(),
            writer: Writer::new(writer, keys.clone()),
            lookup: Lookup::new(path),
            readers,
            keys,
            erasure_due: Arc::default(),
        })
    }

    /// The seal keys that this store reads and writes with.
    pub const fn seal_keys(&self) -> &SealKeys {
        &self.keys
    }

    /// Where the database is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Waits for what is under way and closes the file. Afterwards every call fails.
    pub async fn close(&self) {
        self.lookup.close();
        self.readers.close().await;
        self.writer.close().await;
    }
}
