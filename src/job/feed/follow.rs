//! The loop of a feed: what is new in the log goes to its receiver, and what the receiver has moves its position.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::position::{Delivered, Position};
use super::status::Teller;
use super::{Sink, Trouble, Turn};
use crate::custody::StoredRecord;
use crate::recorder;
use crate::store::{self, Store, custody_number_at};

/// How many records are read and handed over at a time.
const BATCH: u32 = 256;
/// How many may be handed over unconfirmed: what is sent twice at most when a connection breaks.
const UNCONFIRMED: u64 = 16 * 1024;
/// How long to wait after a trouble: the first time, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(30));

pub(super) struct Follower {
    pub(super) name: String,
    pub(super) position: Position,
    pub(super) teller: Teller,
    pub(super) sink: Box<dyn Sink>,
    pub(super) store: Arc<dyn Store>,
    pub(super) log: watch::Receiver<recorder::Status>,
}

impl Follower {
    /// Follows the log while it is this server's turn; while it is another's, tells how far that is.
    pub(super) async fn run_in(mut self, mut turn: Turn) {
        loop {
            if turn.take().await {
                tokio::select! {
                    () = self.run() => return,
                    () = turn.lost() => {
                        tracing::info!(feed = %self.name, "another server delivers the feed of the custody log");
                    }
                }
            } else if let Ok(kept) = self.position.read().await {
                self.teller.is_at(kept.next);
            }
            turn.rest().await;
        }
    }

    /// Follows the log until the recorder ends.
    async fn run(&mut self) {
        let mut pause = PAUSES.0;
        loop {
            let before = self.position.read().await.ok().map(|kept| kept.next);
            let Err(Trouble(why)) = self.follow().await else {
                return;
            };
            if self.teller.stands_still(&why) {
                tracing::error!(feed = %self.name, "a feed of the custody log stands still: {why}");
            }
            if self.position.read().await.ok().map(|kept| kept.next) > before {
                pause = PAUSES.0;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    /// Delivers from the kept position on, until something goes wrong or the recorder ends.
    async fn follow(&mut self) -> Result<(), Trouble> {
        let kept = self.position.read().await?;
        let mut confirmed = resumed(&self.name, &*self.store, &kept).await?;
        let (mut next, mut last) = (confirmed, kept);
        // When what was handed over has to be confirmed.
        let mut due = None;
        let mut is_told = false;
        loop {
            let mut size = self.log.borrow_and_update().head.size;
            if next > size {
                // What was committed is read before the recorder tells of it.
                size = self.store.custody_head().await.map_err(unreadable)?.tree.size();
            }
            if next > size {
                return Err(Trouble(format!(
                    "it has delivered {next} records, and the log has {size}: was the database put back? To have it begin with the \
                     first record, {}",
                    self.position.anew()
                )));
            }
            let confirm_now = next > confirmed
                && (due.is_some_and(|due| due <= Instant::now()) || next - confirmed >= UNCONFIRMED);
            if confirm_now {
                self.sink.confirm().await?;
                self.position.keep(last).await?;
                confirmed = next;
                due = None;
                self.delivered(next, &mut is_told);
            } else if next < size {
                let records = self.store.custody_records(next, BATCH).await;
                let records = records.map_err(unreadable)?;
                tell_of_pruned(&*self.store, &self.name, next, records.first()).await?;
                self.sink.deliver(&records).await?;
                last = records
                    .last()
                    .map(Delivered::after)
                    .ok_or_else(|| Trouble(format!("record {next} is missing in the log")))?;
                next = last.next;
                due.get_or_insert_with(|| Instant::now() + self.sink.patience());
            } else {
                if next == confirmed {
                    self.delivered(next, &mut is_told);
                }
                let waited = async {
                    match due {
                        Some(due) => tokio::time::sleep_until(due).await,
                        None => std::future::pending().await,
                    }
                };
                tokio::select! {
                    changed = self.log.changed() => if changed.is_err() {
                        return Ok(());
                    },
                    () = waited => {}
                }
            }
        }
    }

    fn delivered(&self, next: u64, is_told: &mut bool) {
        self.teller.is_at(next);
        if !std::mem::replace(is_told, true) {
            tracing::info!(feed = %self.name, next, "a feed of the custody log delivers");
        }
    }
}

/// A feed that is new, or begins anew, begins with what the log still has.
async fn tell_of_pruned(
    store: &dyn Store,
    feed: &str,
    next: u64,
    found: Option<&StoredRecord>,
) -> Result<(), Trouble> {
    let Some(found) = found.map(|found| found.sequence).filter(|found| *found > next) else {
        return Ok(());
    };
    let kept = store.custody_kept().await.map_err(unreadable)?;
    if found > kept.from {
        return Err(Trouble(format!("record {next} is missing in the log")));
    }
    tracing::warn!(
        feed,
        from = found,
        "the records before were pruned, and are not delivered"
    );
    Ok(())
}

/// The number to go on with. Where the database was put back since, and the log goes on otherwise, that is the first record
/// which was written after the last one that was delivered: some may be delivered that were before, and none is left out.
async fn resumed(name: &str, store: &dyn Store, kept: &Delivered) -> Result<u64, Trouble> {
    let (Some(before), Some((leaf, time))) = (kept.next.checked_sub(1), kept.last) else {
        return Ok(kept.next);
    };
    let size = store.custody_head().await.map_err(unreadable)?.tree.size();
    if size >= kept.next {
        let there = store.custody_hashes(0, before, 1).await.map_err(unreadable)?;
        if there.first() == Some(&leaf) {
            return Ok(kept.next);
        }
    }
    let newer = custody_number_at(store, time).await.map_err(unreadable)?;
    if newer == size {
        // Nothing was written since.
        return Ok(kept.next);
    }
    let next = newer.min(kept.next);
    tracing::warn!(feed = %name, delivered = kept.next, next,
        "the log is not the one that this feed has delivered: it goes on with what was written since");
    Ok(next)
}

#[allow(clippy::needless_pass_by_value, reason = "what `map_err` gives")]
fn unreadable(error: store::Error) -> Trouble {
    Trouble(format!("the log can't be read: {error}"))
}
