//! The writing half of a store. Only the recorder calls it; a test of the architecture sees to that.

use std::collections::BTreeMap;

use async_trait::async_trait;
use tokio::sync::mpsc;

use crate::custody::{Head, RowFacts, TileHash};

use super::{Appended, Change, CustodyHead, Error, Piece, Store, StoredCheckpoint};

/// A store that can be written.
#[async_trait]
pub trait WriteStore: Store {
    /// Begins the one transaction that can be under way.
    async fn begin(&self) -> Result<Box<dyn WriteTransaction>, Error>;

    /// Takes in every row of another store, in one transaction, and gives the number of rows of each table. Each table is read
    /// back and compared with what was sent.
    ///
    /// Fails with [`Error::NotEmpty`] where there is something already, and with [`Error::Unlike`] where what comes does not
    /// reach its end or is not what arrived; nothing is left there then.
    async fn fill(&self, pieces: mpsc::Receiver<Piece>) -> Result<BTreeMap<&'static str, u64>, Error>;

    /// Waits for what is under way and lets the database go. Afterwards every call fails.
    async fn close(&self);
}

/// A transaction. Dropped without [`commit`](Self::commit), it leaves nothing behind.
#[async_trait]
pub trait WriteTransaction: Send {
    /// The head of the custody log, which nobody else moves until this transaction ends; none where the store is one
    /// writer's alone and has not looked.
    fn head_found(&self) -> Option<Head> {
        None
    }

    /// Makes these changes, all or none, and seals the rows that they write.
    ///
    /// After an error that [`is_of_one_change`](Error::is_of_one_change), the transaction is as it was before this
    /// call and can go on; after any other it can only be dropped.
    async fn apply(&mut self, changes: &[Change]) -> Result<Applied, Error>;

    /// Appends records to the custody log and moves its head from `from` to `to`.
    ///
    /// Fails with [`Error::HeadMoved`] where the head is not `from`.
    async fn append(
        &mut self,
        appended: &Appended,
        from: &CustodyHead,
        to: &CustodyHead,
    ) -> Result<(), Error>;

    /// Keeps hashes of tiles that were filled before they were kept with their records.
    async fn put_hashes(&mut self, hashes: &[TileHash]) -> Result<(), Error>;

    /// Keeps a checkpoint, after the latest one, which is over `before` records.
    ///
    /// Fails with [`Error::HeadMoved`] where another is the latest.
    async fn put_checkpoint(
        &mut self,
        checkpoint: &StoredCheckpoint,
        before: Option<u64>,
    ) -> Result<(), Error>;

    /// Puts a note with more signatures in the place of a checkpoint's.
    ///
    /// Fails with [`Error::HeadMoved`] where another note is there.
    async fn replace_checkpoint(&mut self, checkpoint: &StoredCheckpoint, note: &str) -> Result<(), Error>;

    /// Takes away the bytes of at most `limit` records, the oldest first, of those that [`Change::PruneRecords`] let go, and
    /// what they were found by; their leaves stay. Gives the number of the first record that is left.
    async fn prune_records(&mut self, limit: u32) -> Result<u64, Error>;

    /// Takes away the checkpoints over these numbers of records. One that is not there is gone already.
    async fn remove_checkpoints(&mut self, sizes: &[u64]) -> Result<(), Error>;

    /// Makes all of it durable: when this returns, it is on the disk.
    ///
    /// After an error it is unknown whether the transaction was committed; the store must be read to know.
    async fn commit(self: Box<Self>) -> Result<(), Error>;

    /// The same, and begins the next transaction on the way where that costs less than to [`begin`](WriteStore::begin) it, and
    /// nobody else waits to write.
    async fn commit_and_begin(self: Box<Self>) -> Result<Option<Box<dyn WriteTransaction>>, Error> {
        self.commit().await?;
        Ok(None)
    }
}

/// What changes left behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// The rows of keys that were written, in order.
    pub rows: Vec<RowFacts>,
}
