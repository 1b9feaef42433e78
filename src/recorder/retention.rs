//! What goes of the log for good: records that were let go, and checkpoints that are spare.

use std::sync::Arc;
use std::time::Instant;

use time::{Duration, OffsetDateTime};

use super::{Error, Recorder};
use crate::custody::{SignedNote, spare_checkpoints};
use crate::store::StoredCheckpoint;

/// So many records go in one transaction.
const PART: u32 = 2048;
/// So many checkpoints are read at once.
const PAGE: u32 = 1000;
/// All checkpoints of so long are kept.
const ALL: Duration = Duration::DAY;

impl Recorder {
    /// Takes away the records that a record of the log let go ([`Change::PruneRecords`](crate::store::Change::PruneRecords)),
    /// part after part, and gives the number of the first that is left. Where it breaks off, the next call goes on.
    pub async fn prune(&self) -> Result<u64, Error> {
        loop {
            self.require_not_held()?;
            let began = Instant::now();
            let kept = self.store.custody_kept().await.map_err(refused)?;
            if kept.from >= kept.prune_below {
                return Ok(kept.from);
            }
            let mut transaction = self.store.begin().await.map_err(refused)?;
            transaction.prune_records(PART).await.map_err(refused)?;
            transaction.commit().await.map_err(refused)?;
            // Clients come first.
            tokio::time::sleep(began.elapsed()).await;
        }
    }

    /// Takes away the checkpoints that are spare ([`spare_checkpoints`]), of those over `from` records and more that were signed
    /// more than a day before `now`; the latest stays in any case. Gives the size from which on to look the next time.
    pub async fn thin_checkpoints(&self, from: u64, now: OffsetDateTime) -> Result<u64, Error> {
        let (mut next, mut settled) = (from, from);
        let mut of_an_hour: Vec<StoredCheckpoint> = Vec::new();
        loop {
            self.require_not_held()?;
            let page = self
                .store
                .custody_checkpoints(next, PAGE)
                .await
                .map_err(refused)?;
            let Some(last) = page.last() else {
                return Ok(settled);
            };
            next = last.size + 1;
            for checkpoint in page {
                if of_an_hour
                    .first()
                    .is_some_and(|first| hour_of(first) != hour_of(&checkpoint))
                {
                    self.remove_spare(&of_an_hour).await?;
                    of_an_hour.clear();
                }
                if of_an_hour.is_empty() {
                    settled = checkpoint.size;
                }
                // Of an hour that goes on, or is too young, nothing is judged.
                if hour_of(&checkpoint) >= hour(now - ALL) {
                    return Ok(settled);
                }
                of_an_hour.push(checkpoint);
            }
        }
    }

    async fn remove_spare(&self, of_an_hour: &[StoredCheckpoint]) -> Result<(), Error> {
        let signed: Vec<_> = of_an_hour
            .iter()
            .map(|checkpoint| (checkpoint.size, signatures(checkpoint)))
            .collect();
        let spare = spare_checkpoints(&signed);
        if spare.is_empty() {
            return Ok(());
        }
        let mut transaction = self.store.begin().await.map_err(refused)?;
        transaction.remove_checkpoints(&spare).await.map_err(refused)?;
        transaction.commit().await.map_err(refused)
    }

    fn require_not_held(&self) -> Result<(), Error> {
        match self.held() {
            Some(rollback) => Err(Error::Held(rollback)),
            None => Ok(()),
        }
    }
}

fn signatures(checkpoint: &StoredCheckpoint) -> usize {
    let note = checkpoint.note.parse::<SignedNote>();
    note.map_or(0, |note| note.signatures.len())
}

fn hour_of(checkpoint: &StoredCheckpoint) -> i64 {
    hour(checkpoint.time)
}

fn hour(time: OffsetDateTime) -> i64 {
    time.unix_timestamp().div_euclid(3600)
}

fn refused(error: crate::store::Error) -> Error {
    Error::Refused(Arc::new(error))
}
