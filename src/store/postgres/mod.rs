//! The store in PostgreSQL, or what speaks its protocol: for several servers that work at once.
//!
//! Every transaction that writes locks the head of the custody log first, so that servers write one after another and each
//! sees all that was written before. Nothing of an extension is used, and what a database of another make refuses for its
//! order ([`Error::is_passing`]) is tried again by whoever wrote.

mod dialect;
mod open;
mod options;
#[path = "../sql/mod.rs"]
#[expect(
    clippy::duplicate_mod,
    reason = "the same statements, compiled with the types of each database"
)]
mod sql;
#[cfg(test)]
pub(crate) mod tests;
mod transaction;

use sqlx::PgPool;

use super::{Error, SealKeys};

pub use options::PostgresOptions;

/// A store in a database of its own on a server.
pub struct PostgresStore {
    readers: PgPool,
    keys: SealKeys,
}

impl PostgresStore {
    /// Connects, and brings the schema up to date, with which servers of the version before can go on.
    ///
    /// A database of a newer schema is refused with [`Error::NewerSchema`] and left as it is.
    pub async fn open(options: &PostgresOptions, keys: SealKeys) -> Result<Self, Error> {
        let readers = open::pool(options).await?;
        Ok(Self { readers, keys })
    }

    /// The seal keys that this store reads and writes with.
    pub const fn seal_keys(&self) -> &SealKeys {
        &self.keys
    }

    /// Waits for what is under way and lets the connections go. Afterwards every call fails.
    pub async fn close(&self) {
        self.readers.close().await;
    }
}
