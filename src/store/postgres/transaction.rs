//! The writing half: a transaction.

use std::collections::BTreeMap;

use async_trait::async_trait;
use sqlx::{PgConnection, Postgres, Transaction};
use tokio::sync::mpsc;

use super::lifeline::Connections;
use super::sql::change::{self, Changes};
use super::sql::{custody, prune, rows};
use super::{PostgresStore, dialect, watching};
use crate::custody::{Head, TileHash};
use crate::store::{
    Appended, Applied, Change, CustodyHead, Error, Piece, StoredCheckpoint, WriteStore, WriteTransaction,
};

#[async_trait]
impl WriteStore for PostgresStore {
    async fn begin(&self) -> Result<Box<dyn WriteTransaction>, Error> {
        let begun = self
            .readers
            .begin_with("BEGIN ISOLATION LEVEL READ COMMITTED")
            .await;
        let mut transaction = begun.map_err(Error::database("begin a transaction"))?;
        let found = dialect::while_reached(&self.readers, lock_head(&mut transaction)).await?;
        Ok(Box::new(PostgresTransaction {
            transaction,
            changes: Changes::new(self.keys.clone()),
            found,
            connections: self.readers.clone(),
            changes_identities: false,
        }))
    }

    async fn fill(&self, mut pieces: mpsc::Receiver<Piece>) -> Result<BTreeMap<&'static str, u64>, Error> {
        let begun = self
            .readers
            .begin_with("BEGIN ISOLATION LEVEL READ COMMITTED")
            .await;
        let mut transaction = begun.map_err(Error::database("begin a transaction"))?;
        let filling = async {
            let filled = rows::fill(&mut transaction, &mut pieces).await?;
            count_change(&mut transaction).await?;
            transaction.commit().await.map_err(Error::database("commit"))?;
            Ok(filled)
        };
        dialect::while_reached(&self.readers, filling).await
    }

    async fn close(&self) {
        self.close().await;
    }
}

struct PostgresTransaction {
    transaction: Transaction<'static, Postgres>,
    changes: Changes,
    /// The head of the log, which nobody else moves until this transaction ends.
    found: Head,
    connections: Connections,
    changes_identities: bool,
}

#[async_trait]
impl WriteTransaction for PostgresTransaction {
    fn head_found(&self) -> Option<Head> {
        Some(self.found)
    }

    async fn apply(&mut self, changes: &[Change]) -> Result<Applied, Error> {
        let counts = changes.iter().any(Change::is_of_identities);
        self.changes_identities |= counts;
        let step = async {
            let transaction = &mut self.transaction;
            let applied = change::apply_all_or_none(&mut self.changes, transaction, changes).await?;
            if counts {
                count_change(transaction).await?;
            }
            Ok(applied)
        };
        dialect::while_reached(&self.connections, step).await
    }

    async fn append(
        &mut self,
        appended: &Appended,
        from: &CustodyHead,
        to: &CustodyHead,
    ) -> Result<(), Error> {
        let step = async {
            dialect::append(&mut self.transaction, appended, from, to).await?;
            custody::put_hashes(&mut self.transaction, &appended.hashes).await
        };
        dialect::while_reached(&self.connections, step).await
    }

    async fn put_hashes(&mut self, hashes: &[TileHash]) -> Result<(), Error> {
        let step = custody::put_hashes(&mut self.transaction, hashes);
        dialect::while_reached(&self.connections, step).await
    }

    async fn put_checkpoint(
        &mut self,
        checkpoint: &StoredCheckpoint,
        before: Option<u64>,
    ) -> Result<(), Error> {
        let step = custody::put_checkpoint(&mut self.transaction, checkpoint, before);
        dialect::while_reached(&self.connections, step).await
    }

    async fn replace_checkpoint(&mut self, checkpoint: &StoredCheckpoint, note: &str) -> Result<(), Error> {
        let step = custody::replace_checkpoint(&mut self.transaction, checkpoint, note);
        dialect::while_reached(&self.connections, step).await
    }

    async fn prune_records(&mut self, limit: u32) -> Result<u64, Error> {
        let step = prune::records(&mut self.transaction, limit);
        dialect::while_reached(&self.connections, step).await
    }

    async fn remove_checkpoints(&mut self, sizes: &[u64]) -> Result<(), Error> {
        let step = prune::checkpoints(&mut self.transaction, sizes);
        dialect::while_reached(&self.connections, step).await
    }

    async fn commit(self: Box<Self>) -> Result<(), Error> {
        let lifeline = self.connections.lifeline();
        let committed = lifeline.unless_cut(|error| error, self.transaction.commit());
        committed.await.map_err(Error::database("commit"))?;
        if self.changes_identities
            && let Err(error) = watching::tell(&self.connections).await
        {
            tracing::debug!(%error, "the other servers see it when they look");
        }
        Ok(())
    }
}

/// The head of the log, once nobody else can move it.
async fn lock_head(connection: &mut PgConnection) -> Result<Head, Error> {
    let found = sqlx::query_as("SELECT size, root FROM custody_head WHERE id = 1 FOR UPDATE")
        .fetch_one(connection)
        .await
        .map_err(Error::database("lock the head of the custody log"))?;
    custody::found(found)
}

/// Has the other servers read again who may come in, once this is committed.
async fn count_change(connection: &mut PgConnection) -> Result<(), Error> {
    sqlx::query("UPDATE identity_generation SET number = number + 1 WHERE id = 1")
        .execute(connection)
        .await
        .map_err(Error::database("count a change"))?;
    Ok(())
}
