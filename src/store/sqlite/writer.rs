//! The one connection that writes, kept from one transaction to the next.
//!
//! A connection that goes back to its pool is tried first: two ways to its thread and back a commit that whoever commits next
//! waits for.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use sqlx::{Connection as _, SqliteConnection, SqlitePool};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, OwnedMutexGuard};

type Kept = Option<SqliteConnection>;

pub(super) struct Writer {
    /// What makes a connection, where none is kept.
    pool: SqlitePool,
    kept: Arc<Mutex<Kept>>,
}

/// The connection, in a transaction until it is committed. Dropped before, what was written is taken back.
pub(super) struct Writing {
    /// There until this is dropped.
    connection: Kept,
    /// Where it goes back to; nobody else writes before. There as long as the connection.
    place: Option<OwnedMutexGuard<Kept>>,
    is_committed: bool,
}

impl Writer {
    pub(super) fn new(pool: SqlitePool) -> Self {
        Self {
            pool,
            kept: Arc::default(),
        }
    }

    /// Waits until nobody else writes. Immediate: a transaction that will write takes the lock before it reads.
    pub(super) async fn begin(&self) -> sqlx::Result<Writing> {
        let mut place = Arc::clone(&self.kept).lock_owned().await;
        let connection = match place.take() {
            Some(connection) => connection,
            None => self.pool.acquire().await?.detach(),
        };
        let mut writing = Writing {
            connection: Some(connection),
            place: Some(place),
            is_committed: false,
        };
        sqlx::query("BEGIN IMMEDIATE").execute(&mut *writing).await?;
        Ok(writing)
    }

    /// Waits for the transaction under way. Nothing is begun after this.
    pub(super) async fn close(&self) {
        self.pool.close().await;
        if let Some(connection) = self.kept.lock().await.take() {
            // Nothing is left to be written.
            let _ = connection.close().await;
        }
    }
}

impl Writing {
    /// Makes what was written durable. The connection may be used on, out of a transaction.
    pub(super) async fn commit(&mut self) -> sqlx::Result<()> {
        sqlx::query("COMMIT").execute(&mut **self).await?;
        self.is_committed = true;
        Ok(())
    }
}

impl Deref for Writing {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        self.connection
            .as_ref()
            .expect("it is there until this is dropped")
    }
}

impl DerefMut for Writing {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        self.connection
            .as_mut()
            .expect("it is there until this is dropped")
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        let (Some(mut connection), Some(mut place)) = (self.connection.take(), self.place.take()) else {
            return;
        };
        if self.is_committed {
            *place = Some(connection);
        } else if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                // Where the disk is full, or fails, SQLite has taken the transaction back by itself; such a connection is given
                // up, as it is without a runtime.
                if sqlx::query("ROLLBACK").execute(&mut connection).await.is_ok() {
                    *place = Some(connection);
                }
            });
        }
    }
}
