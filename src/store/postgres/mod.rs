//! The store in PostgreSQL, or what speaks its protocol: for several servers that work at once.
//!
//! Every transaction that writes locks the head of the custody log first, so that servers write one after another and each
//! sees all that was written before. Nothing of an extension is used, and what a database of another make refuses for its
//! order ([`Error::is_passing`]) is tried again by whoever wrote.

mod dialect;
mod lifeline;
mod lookup;
mod open;
mod options;
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
mod watching;

use sqlx::PgPool;
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use super::{Elsewhere, Error, SealKeys};
use lifeline::{Connections, Lifeline};
use lookup::Lookup;

pub use options::PostgresOptions;
pub use recorded::recorded_root_keys_at;

/// A store in a database of its own on a server.
pub struct PostgresStore {
    readers: Connections,
    /// The same for keys by their identifiers.
    lookup: Lookup,
    keys: SealKeys,
    elsewhere: watch::Receiver<Elsewhere>,
    watching: AbortOnDropHandle<()>,
}

impl PostgresStore {
    /// Connects, and brings the schema up to date, with which servers of the version before can go on.
    ///
    /// A database of a newer schema is left as it is; unless it says that this program can work with it, it is refused with
    /// [`Error::NewerSchema`].
    pub async fn open(options: &PostgresOptions, keys: SealKeys) -> Result<Self, Error> {
        let (silence, lifeline) = Lifeline::new();
        let pool = open::pool(options, &lifeline).await?;
        Self::over(pool, (silence, lifeline), options, keys).await
    }

    /// Connects to read alone, beside running servers: nothing is written, and the schema stays as it is.
    ///
    /// A database of a newer schema is refused as by [`open`](Self::open), and so is one of an older schema, with
    /// [`Error::Schema`].
    pub async fn open_to_read(options: &PostgresOptions, keys: SealKeys) -> Result<Self, Error> {
        let (silence, lifeline) = Lifeline::new();
        let pool = open::reading_pool(options, &lifeline).await?;
        Self::over(pool, (silence, lifeline), options, keys).await
    }

    async fn over(
        pool: PgPool,
        (silence, lifeline): (watch::Sender<bool>, Lifeline),
        options: &PostgresOptions,
        keys: SealKeys,
    ) -> Result<Self, Error> {
        let readers = Connections::new(pool, lifeline);
        let found = watching::look(&readers).await;
        let (known, elsewhere) = watch::channel(found.map_err(Error::database("read"))?);
        let watching = watching::follow(readers.pool().clone(), options.clone(), known, silence);
        let watching = tokio::spawn(watching);
        Ok(Self {
            lookup: Lookup::start(readers.clone()),
            readers,
            keys,
            elsewhere,
            watching: AbortOnDropHandle::new(watching),
        })
    }

    /// The seal keys that this store reads and writes with.
    pub const fn seal_keys(&self) -> &SealKeys {
        &self.keys
    }

    /// Waits for what is under way and lets the connections go. Afterwards every call fails.
    pub async fn close(&self) {
        self.watching.abort();
        self.readers.close().await;
    }
}
