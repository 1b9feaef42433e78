//! The one connection that writes, kept from one transaction to the next with what was looked up on it.
//!
//! A connection that goes back to its pool is tried first: two ways to its thread and back a commit that whoever commits next
//! waits for. And what each commit depends on (whether a root key is enabled, an adapter's quota) is looked up, and its seal
//! verified, once, for as long as nobody else has written to the file.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use sqlx::{Connection as _, QueryBuilder, Sqlite, SqliteConnection, SqlitePool};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::sql::change::Changes;
use super::sql::custody;
use crate::custody::Head;
use crate::store::{Error, SealKeys};

/// Immediate: a transaction that will write takes the lock before it reads. The version of the data is another once
/// somebody else has written to the file, and stays what it is for what this connection writes.
const BEGIN: &str = "BEGIN IMMEDIATE; \
     SELECT data_version, size, root FROM pragma_data_version LEFT JOIN custody_head ON custody_head.id = 1";
const COMMIT: &str = "COMMIT";

type Place = Option<Kept>;
/// What a transaction finds as it begins.
type Found = (i64, Option<i64>, Option<Vec<u8>>);
/// What goes to the database with the commit.
pub(super) type Statement = QueryBuilder<Sqlite>;

/// The connection, and what was looked up on it.
struct Kept {
    connection: SqliteConnection,
    /// The version of the data that `changes` knows.
    data: Option<i64>,
    changes: Changes,
}

pub(super) struct Writer {
    /// What makes a connection, where none is kept.
    pool: SqlitePool,
    keys: SealKeys,
    kept: Arc<Mutex<Place>>,
}

/// The connection, in a transaction until it is committed. Dropped before, what was written is taken back.
pub(super) struct Writing {
    /// There until this is dropped.
    kept: Place,
    /// Where it goes back to; nobody else writes before. There as long as the connection.
    place: Option<OwnedMutexGuard<Place>>,
    /// The head of the custody log, which nobody else moves until the transaction ends.
    head: Option<Head>,
    is_committed: bool,
}

impl Writer {
    pub(super) fn new(pool: SqlitePool, keys: SealKeys) -> Self {
        Self {
            pool,
            keys,
            kept: Arc::default(),
        }
    }

    /// Waits until nobody else writes.
    pub(super) async fn begin(&self) -> Result<Writing, Error> {
        let failed = || Error::database("begin a transaction");
        let mut place = Arc::clone(&self.kept).lock_owned().await;
        let kept = match place.take() {
            Some(kept) => kept,
            None => Kept {
                connection: self.pool.acquire().await.map_err(failed())?.detach(),
                data: None,
                changes: Changes::new(self.keys.clone()),
            },
        };
        let mut writing = Writing {
            kept: Some(kept),
            place: Some(place),
            head: None,
            is_committed: false,
        };
        let found = sqlx::query_as(BEGIN).fetch_one(&mut *writing).await;
        writing.begin(found.map_err(failed())?)?;
        Ok(writing)
    }

    /// Waits for the transaction under way. Nothing is begun after this.
    pub(super) async fn close(&self) {
        self.pool.close().await;
        if let Some(kept) = self.kept.lock().await.take() {
            // Nothing is left to be written.
            let _ = kept.connection.close().await;
        }
    }
}

impl Writing {
    /// The connection, and what is known of the rows that changes depend on.
    pub(super) fn parts(&mut self) -> (&mut SqliteConnection, &mut Changes) {
        let kept = self.kept();
        (&mut kept.connection, &mut kept.changes)
    }

    /// The head of the custody log; none where there is no row of it.
    pub(super) fn head(&mut self) -> &mut Option<Head> {
        &mut self.head
    }

    /// Makes what was written durable, with what `last` still has to write. The connection may be used on, out of a transaction.
    pub(super) async fn commit(&mut self, last: Option<Statement>) -> sqlx::Result<()> {
        let mut commit = and(last, COMMIT);
        commit.build().execute(&mut **self).await?;
        self.is_committed = true;
        Ok(())
    }

    /// The same, and begins the next transaction. After an error nobody knows what was committed.
    pub(super) async fn commit_and_begin(&mut self, last: Option<Statement>) -> Result<(), Error> {
        let mut commit = and(Some(and(last, COMMIT)), BEGIN);
        let found = commit.build_query_as().fetch_one(&mut **self).await;
        self.begin(found.map_err(Error::database("commit"))?)
    }

    /// Whether somebody else waits for the connection.
    pub(super) fn is_wanted(&self) -> bool {
        // The writer has it, this has it, and so has each who waits.
        let place = self.place.as_ref();
        place.is_some_and(|place| Arc::strong_count(OwnedMutexGuard::mutex(place)) > 2)
    }

    fn begin(&mut self, (data, size, root): Found) -> Result<(), Error> {
        self.head = size.zip(root).map(custody::found).transpose()?;
        let kept = self.kept();
        if kept.data.replace(data) != Some(data) {
            kept.changes.forget();
        }
        Ok(())
    }

    fn kept(&mut self) -> &mut Kept {
        self.kept.as_mut().expect("it is there until this is dropped")
    }
}

/// Both, which go to the database together: each way to its thread is one that whoever commits next waits for.
fn and(first: Option<Statement>, then: &str) -> Statement {
    match first {
        Some(mut both) => {
            both.push("; ").push(then);
            both
        }
        None => Statement::new(then),
    }
}

impl Deref for Writing {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        let kept = self.kept.as_ref();
        &kept.expect("it is there until this is dropped").connection
    }
}

impl DerefMut for Writing {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.kept().connection
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        let (Some(mut kept), Some(mut place)) = (self.kept.take(), self.place.take()) else {
            return;
        };
        if self.is_committed {
            *place = Some(kept);
        } else if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                kept.changes.forget();
                // Where the disk is full, or fails, SQLite has taken the transaction back by itself; such a connection is given
                // up, as it is without a runtime.
                if sqlx::query("ROLLBACK")
                    .execute(&mut kept.connection)
                    .await
                    .is_ok()
                {
                    *place = Some(kept);
                }
            });
        }
    }
}
