//! The writing half: a transaction.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use sqlx::{AssertSqlSafe, SqliteConnection};
use tokio::sync::mpsc;

use super::open::BUSY;
use super::sql::{change, custody, prune, rows};
use super::writer::{Statement, Writing};
use super::{SqliteStore, dialect};
use crate::custody::TileHash;
use crate::store::{
    Appended, Applied, Change, CustodyHead, Error, Piece, StoredCheckpoint, WriteStore, WriteTransaction,
};

#[async_trait]
impl WriteStore for SqliteStore {
    async fn begin(&self) -> Result<Box<dyn WriteTransaction>, Error> {
        Ok(Box::new(SqliteTransaction {
            transaction: self.writer.begin().await?,
            last: None,
            erases: false,
            erasure_due: Arc::clone(&self.erasure_due),
        }))
    }

    async fn fill(&self, mut pieces: mpsc::Receiver<Piece>) -> Result<BTreeMap<&'static str, u64>, Error> {
        let mut transaction = self.writer.begin().await?;
        let (connection, changes) = transaction.parts();
        changes.forget();
        let filled = rows::fill(connection, &mut pieces).await?;
        transaction
            .commit(None)
            .await
            .map_err(Error::database("commit"))?;
        Ok(filled)
    }

    async fn close(&self) {
        self.close().await;
    }
}

struct SqliteTransaction {
    transaction: Writing,
    /// What is still to be written, with the commit.
    last: Option<Statement>,
    /// A row that is written has no key bytes, and may have had some.
    erases: bool,
    erasure_due: Arc<AtomicBool>,
}

#[async_trait]
impl WriteTransaction for SqliteTransaction {
    async fn apply(&mut self, changes: &[Change]) -> Result<Applied, Error> {
        let (connection, made) = self.transaction.parts();
        let applied = change::apply_all_or_none(made, connection, changes).await?;
        self.erases |= changes.iter().any(|change| {
            matches!(
                change,
                Change::PutKey { row, expected_revision: Some(_) } if row.wrapped.is_none()
            )
        });
        Ok(applied)
    }

    async fn append(
        &mut self,
        appended: &Appended,
        from: &CustodyHead,
        to: &CustodyHead,
    ) -> Result<(), Error> {
        if self.transaction.head().replace(to.head()) != Some(from.head()) {
            return Err(Error::HeadMoved);
        }
        if let Some(mut before) = self.last.take() {
            let written = before.build().execute(&mut *self.transaction).await;
            written.map_err(Error::database("append to the custody log"))?;
        }
        self.last = Some(dialect::append(&mut self.transaction, appended, to).await?);
        custody::put_hashes(&mut self.transaction, &appended.hashes).await
    }

    async fn put_hashes(&mut self, hashes: &[TileHash]) -> Result<(), Error> {
        custody::put_hashes(&mut self.transaction, hashes).await
    }

    async fn put_checkpoint(
        &mut self,
        checkpoint: &StoredCheckpoint,
        before: Option<u64>,
    ) -> Result<(), Error> {
        custody::put_checkpoint(&mut self.transaction, checkpoint, before).await
    }

    async fn replace_checkpoint(&mut self, checkpoint: &StoredCheckpoint, note: &str) -> Result<(), Error> {
        custody::replace_checkpoint(&mut self.transaction, checkpoint, note).await
    }

    async fn prune_records(&mut self, limit: u32) -> Result<u64, Error> {
        // What an operator wants gone is not to stay in the write-ahead log either.
        self.erases = true;
        prune::records(&mut self.transaction, limit).await
    }

    async fn remove_checkpoints(&mut self, sizes: &[u64]) -> Result<(), Error> {
        prune::checkpoints(&mut self.transaction, sizes).await
    }

    async fn commit_and_begin(mut self: Box<Self>) -> Result<Option<Box<dyn WriteTransaction>>, Error> {
        let erases = self.erases || self.erasure_due.load(Ordering::Relaxed);
        if erases || self.transaction.is_wanted() {
            self.commit().await?;
            return Ok(None);
        }
        let last = self.last.take();
        self.transaction.commit_and_begin(last).await?;
        Ok(Some(self))
    }

    async fn commit(mut self: Box<Self>) -> Result<(), Error> {
        let last = self.last.take();
        let committed = self.transaction.commit(last).await;
        committed.map_err(Error::database("commit"))?;
        if self.erases {
            self.erasure_due.store(true, Ordering::Relaxed);
        }
        if self.erasure_due.load(Ordering::Relaxed) {
            erase(&mut self.transaction, &self.erasure_due).await;
        }
        Ok(())
    }
}

/// Writes the write-ahead log into the file and empties it: what was deleted is then in neither. Where somebody is
/// reading an older state, it is tried again after the next commit. What was committed stays so in any case.
async fn erase(connection: &mut SqliteConnection, due: &AtomicBool) {
    match empty_log(connection).await {
        Ok((0, _, _)) => due.store(false, Ordering::Relaxed),
        Ok(_) => tracing::debug!("deleted key bytes stay in the write-ahead log until its readers are done"),
        Err(error) => {
            tracing::warn!("the write-ahead log could not be emptied of deleted key bytes: {error}");
        }
    }
}

/// Does not wait for readers, such as a backup: commits would wait with it.
async fn empty_log(connection: &mut SqliteConnection) -> sqlx::Result<(i64, i64, i64)> {
    sqlx::query("PRAGMA busy_timeout = 0")
        .execute(&mut *connection)
        .await?;
    let emptied = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)")
        .fetch_one(&mut *connection)
        .await;
    let patience = format!("PRAGMA busy_timeout = {}", BUSY.as_millis());
    sqlx::query(AssertSqlSafe(patience))
        .execute(&mut *connection)
        .await?;
    emptied
}
