//! The way of a whole database from SQLite to PostgreSQL: row by row as they are, seals and all, and each compared afterwards.
//!
//! It needs no seal key and no device. What is compared is every column of every row, and the log: its hashes, made again from
//! the records that were copied, must give its head.

use std::collections::BTreeMap;

use tokio::sync::mpsc;

use super::{Error, PostgresStore, SqliteStore, Store, WriteStore as _};
use crate::custody::{CompactRange, Head, leaf_hash};

/// Records, and their hashes, that are read at a time.
const PAGE: u32 = 4096;
/// Pieces that are on the way at a time.
const ON_THE_WAY: usize = 4;

/// What was brought over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migrated {
    /// The number of rows of each table.
    pub rows: BTreeMap<&'static str, u64>,
    /// The head of the log, which its records give.
    pub head: Head,
}

/// Brings everything over, in one transaction, and compares it with what it was.
///
/// Nobody may write to either meanwhile. Fails with [`Error::NotEmpty`] where there is something already, with
/// [`Error::Unlike`] where what arrived is not what was sent; nothing is left there then.
pub async fn migrate(from: &SqliteStore, to: &PostgresStore) -> Result<Migrated, Error> {
    let (out, pieces) = mpsc::channel(ON_THE_WAY);
    let (sent, filled) = tokio::join!(from.send_rows(out), to.fill(pieces));
    // Where the rows did not come, that is why they were not taken.
    sent?;
    let rows = filled?;
    let head = verify_log(to).await?;
    Ok(Migrated { rows, head })
}

/// Makes the hashes of the log again, which must give its head. Of records that were pruned there are the leaves alone.
pub async fn verify_log(store: &dyn Store) -> Result<Head, Error> {
    let head = store.custody_head().await?;
    let mut tree = CompactRange::new();
    while tree.size() < head.tree.size() {
        let leaves = store.custody_hashes(0, tree.size(), PAGE).await?;
        if leaves.is_empty() {
            let what = format!("record {} of the custody log is missing", tree.size());
            return Err(Error::Unlike { what });
        }
        for leaf in leaves {
            tree.append(leaf);
        }
    }
    if tree != head.tree {
        let what = format!(
            "the log has the root {}, and its records give {}",
            head.tree.root(),
            tree.root()
        );
        return Err(Error::BrokenHead { what });
    }
    let mut next = 0;
    loop {
        let records = store.custody_records(next, PAGE).await?;
        let Some(last) = records.last() else {
            return Ok(head.head());
        };
        next = last.sequence + 1;
        if let Some(changed) = records
            .iter()
            .find(|record| leaf_hash(&record.bytes) != record.leaf)
        {
            let what = format!(
                "record {} of the custody log does not give its hash",
                changed.sequence
            );
            return Err(Error::Unlike { what });
        }
    }
}
