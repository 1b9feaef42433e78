//! The log read through, for what it says of the rows of keys. It is not believed: its hashes are made again, and must be those
//! of its head.

use std::time::Instant;

use uuid::Uuid;

use super::identities::Tokens;
use crate::custody::{CompactRange, Inventory, Record, RowFacts, RowFault, RowLedger, leaf_hash};
use crate::store::{self, Store};

/// Records that are read at a time.
const BATCH: u32 = 256;

/// Why the log says nothing of rows.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The store can't be read.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The log is not whole.
    #[error("the custody log is not whole: {0}; run `claviger custody verify`")]
    Log(String),
}

/// The log as far as it was read.
pub struct Reading {
    pub(super) tree: CompactRange,
    pub(super) ledger: RowLedger,
    pub(super) inventory: Inventory,
    pub(super) tokens: Tokens,
    /// Its first records were pruned.
    pub(super) is_pruned: bool,
}

impl Reading {
    /// Before the first record that was not pruned.
    pub async fn begin(store: &dyn Store) -> Result<Self, LedgerError> {
        let first = store.custody_kept().await?.from;
        Ok(Self {
            tree: store::custody_tree(store, first).await?,
            ledger: RowLedger::from(first),
            inventory: Inventory::new(),
            tokens: Tokens::default(),
            is_pruned: first > 0,
        })
    }

    /// Reads what the log has beyond what was read, and compares the hashes with its head.
    pub async fn read_on(&mut self, store: &dyn Store) -> Result<(), LedgerError> {
        let head = store.custody_head().await?.head();
        while self.tree.size() < head.size {
            let began = Instant::now();
            let page = store.custody_records(self.tree.size(), BATCH).await?;
            let before = self.tree.size();
            // What came after the head was read is read next time.
            for stored in page.iter().take_while(|stored| stored.sequence < head.size) {
                if stored.sequence != self.tree.size() {
                    break;
                }
                let leaf = leaf_hash(&stored.bytes);
                if leaf != stored.leaf {
                    return Err(LedgerError::Log(format!(
                        "record {} was changed",
                        stored.sequence
                    )));
                }
                let record = Record::from_bytes(&stored.bytes).map_err(|error| {
                    LedgerError::Log(format!("record {} cannot be read: {error}", stored.sequence))
                })?;
                self.ledger.read(&record);
                self.inventory.read(&record);
                self.tokens.read(&record);
                self.tree.append(leaf);
            }
            if self.tree.size() == before {
                if store.custody_kept().await?.from <= before {
                    return Err(LedgerError::Log(format!("record {before} is missing")));
                }
                // It was pruned meanwhile, and what it said is told again further on.
                *self = Self::begin(store).await?;
            }
            give_way(began).await;
        }
        if self.tree.size() == head.size && self.tree.root() != head.root {
            return Err(LedgerError::Log(format!(
                "its head has root {}, and its records {}",
                head.root,
                self.tree.root()
            )));
        }
        Ok(())
    }

    /// Compares a row of the database with what was read. None where nothing can be said of this key.
    pub fn compare(&mut self, row: &RowFacts) -> Option<Result<(), RowFault>> {
        self.ledger.compare(row)
    }

    /// The keys that have a row by what was read, and of which none was compared.
    pub fn missing(&self) -> impl Iterator<Item = (Uuid, RowFault)> {
        self.ledger.missing()
    }
}

/// Rests for as long as the work took: clients come first.
pub(super) async fn give_way(began: Instant) {
    tokio::time::sleep(began.elapsed()).await;
}
