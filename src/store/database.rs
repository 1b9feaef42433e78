//! A database that is open, of whichever kind.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::{Error, Piece, PostgresOptions, PostgresStore, SealKeys, SqliteStore, Store, WriteStore};

/// A database that is open, of whichever kind.
pub struct Database {
    store: Arc<dyn WriteStore>,
    keys: SealKeys,
}

impl Database {
    /// SQLite in this file; see [`SqliteStore::open`].
    pub async fn sqlite(path: &Path, keys: SealKeys) -> Result<Self, Error> {
        let store = Arc::new(SqliteStore::open(path, keys.clone()).await?);
        Ok(Self { store, keys })
    }

    /// PostgreSQL at this address; see [`PostgresStore::open`].
    pub async fn postgres(options: &PostgresOptions, keys: SealKeys) -> Result<Self, Error> {
        Ok(Self::of_postgres(PostgresStore::open(options, keys).await?))
    }

    /// PostgreSQL that is open already.
    pub fn of_postgres(store: PostgresStore) -> Self {
        let keys = store.seal_keys().clone();
        let store = Arc::new(store);
        Self { store, keys }
    }

    /// The reading half, for everybody.
    pub fn reading(&self) -> Arc<dyn Store> {
        self.store.clone()
    }

    /// The writing half, for the recorder.
    pub fn writing(&self) -> Arc<dyn WriteStore> {
        Arc::clone(&self.store)
    }

    /// The seal keys that it is read and written with.
    pub const fn seal_keys(&self) -> &SealKeys {
        &self.keys
    }

    /// Takes in every row of another database; see [`WriteStore::fill`].
    pub async fn fill(&self, pieces: mpsc::Receiver<Piece>) -> Result<BTreeMap<&'static str, u64>, Error> {
        self.store.fill(pieces).await
    }

    /// Waits for what is under way and lets the database go. Afterwards every call fails.
    pub async fn close(&self) {
        self.store.close().await;
    }
}
