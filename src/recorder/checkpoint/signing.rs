//! The task that signs.

use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use super::{Broken, CheckpointFailure, CheckpointStatus, Checkpoints, latest_of};
use crate::custody::{Actor, Checkpoint, Event, EventName, Head, SignedNote};
use crate::recorder::log::to_the_microsecond;
use crate::recorder::{Entry, Hold, Status};
use crate::store::{self, StoredCheckpoint, WriteStore};

/// How long a signature is waited for.
const SIGNATURE: Duration = Duration::from_secs(10);
/// How often a signer that stays away is told of in the log of the program.
const REMINDER: time::Duration = time::Duration::MINUTE;

pub(crate) struct Signing {
    pub(crate) store: Arc<dyn WriteStore>,
    pub(crate) checkpoints: Checkpoints,
    /// Weak, so that the writer ends when nobody else is left who could send.
    pub(crate) entries: mpsc::WeakSender<Entry>,
    /// Closed by the writer once all that waited is written.
    pub(crate) log: watch::Receiver<Status>,
    pub(crate) status: Arc<watch::Sender<CheckpointStatus>>,
    pub(crate) broken: Arc<watch::Sender<Option<String>>>,
    /// A log that is held is not signed.
    pub(crate) hold: watch::Receiver<Option<Hold>>,
    /// What is kept, for those who ask the witnesses. Closed when there will be no more.
    pub(crate) kept: watch::Sender<Option<StoredCheckpoint>>,
}

/// When what is due.
struct Pace {
    /// How many records the latest checkpoint covers.
    signed: u64,
    /// No checkpoint is made before this.
    not_before: Instant,
    /// The size of the log when it was looked at last.
    size: u64,
    /// Since when it has that size.
    quiet_since: Instant,
}

/// What it is time for.
enum Due {
    Checkpoint,
    Heartbeat,
    /// All is written, and nothing more will be.
    End,
}

/// Why no checkpoint was made.
enum Failed {
    /// It may be made later.
    Now(String),
    /// It never may.
    Broken(String),
}

impl Signing {
    /// Signs until the writer has ended, and a last time then.
    pub(crate) async fn run(mut self) {
        let now = Instant::now();
        let mut pace = Pace {
            signed: 0,
            not_before: now,
            size: 0,
            quiet_since: now,
        };
        let mut reminded = None;
        loop {
            let end = match self.due(&mut pace).await {
                Due::Heartbeat => {
                    self.heartbeat().await;
                    pace.quiet_since = Instant::now();
                    continue;
                }
                Due::Checkpoint => false,
                Due::End => true,
            };
            pace.not_before = Instant::now() + self.checkpoints.interval;
            let head = self.log.borrow().head;
            if head.size > pace.signed && self.hold.borrow().is_none() {
                match self.checkpoint(head).await {
                    Ok(size) => {
                        pace.signed = size;
                        self.succeeded(&mut reminded);
                    }
                    Err(Failed::Now(why)) => self.failed(why, head.size, &mut reminded),
                    Err(Failed::Broken(why)) => {
                        tracing::error!("the custody log is signed no more, and nothing is written: {why}");
                        self.broken.send_replace(Some(why));
                        return;
                    }
                }
            }
            if end {
                return;
            }
        }
    }

    async fn due(&mut self, pace: &mut Pace) -> Due {
        loop {
            let size = self.log.borrow_and_update().head.size;
            if size != pace.size {
                pace.size = size;
                pace.quiet_since = Instant::now();
            }
            let heartbeat = pace.quiet_since + self.checkpoints.heartbeat;
            let (at, due) = if size > pace.signed && pace.not_before < heartbeat {
                (pace.not_before, Due::Checkpoint)
            } else {
                (heartbeat, Due::Heartbeat)
            };
            tokio::select! {
                changed = self.log.changed() => {
                    if changed.is_err() {
                        return Due::End;
                    }
                }
                () = tokio::time::sleep_until(at) => return due,
            }
        }
    }

    /// Records that the log is alive. The checkpoint follows from the record.
    async fn heartbeat(&self) {
        let Some(entries) = self.entries.upgrade() else {
            return;
        };
        let (answer, answered) = oneshot::channel();
        let entry = Entry {
            changes: Vec::new(),
            events: vec![Event::new(EventName::CustodyHeartbeat, Actor::Server)],
            opens_epoch: false,
            answer,
        };
        // What keeps it from being written, the writer tells of itself.
        if entries.send(entry).await.is_ok() {
            drop(entries);
            let _ = answered.await;
        }
    }

    /// Signs this head and keeps it, and gives the size of the latest checkpoint.
    async fn checkpoint(&self, head: Head) -> Result<u64, Failed> {
        let latest = self.latest(head).await?;
        if let Some((stored, signed)) = &latest
            && signed.size >= head.size
        {
            self.tell(stored.clone());
            return Ok(signed.size);
        }
        let checkpoint = StoredCheckpoint {
            size: head.size,
            time: to_the_microsecond(OffsetDateTime::now_utc()),
            note: self.signed(head).await?,
        };
        let before = latest.map(|(_, signed)| signed.size);
        let kept = self.keep(checkpoint, before).await?;
        let size = kept.size;
        self.tell(kept);
        Ok(size)
    }

    /// The latest checkpoint, once it is made out to be the beginning of the log with this head.
    async fn latest(&self, head: Head) -> Result<Option<(StoredCheckpoint, Head)>, Failed> {
        let latest = latest_of(&*self.store, head)
            .await
            .map_err(|broken| match broken {
                Broken::Unreadable(error) => Failed::Now(error.to_string()),
                Broken::Contradiction(why) => Failed::Broken(why),
            })?;
        let known = self.status.borrow().latest.as_ref().map_or(0, |known| known.size);
        let found = latest.as_ref().map_or(0, |(_, signed)| signed.size);
        if found < known {
            return Err(Failed::Broken(format!(
                "a checkpoint over {known} records was kept, and the latest one is over {found} now: the database was \
                 put back, or the checkpoint taken away"
            )));
        }
        Ok(latest)
    }

    async fn signed(&self, head: Head) -> Result<String, Failed> {
        let Checkpoints { origin, signer, .. } = &self.checkpoints;
        let text = Checkpoint {
            origin: origin.clone(),
            head,
        }
        .to_string();
        let signature = tokio::time::timeout(SIGNATURE, signer.sign(&text))
            .await
            .map_err(|_| {
                Failed::Now(format!(
                    "no signature came within {} seconds",
                    SIGNATURE.as_secs()
                ))
            })?
            .map_err(|error| Failed::Now(error.to_string()))?;
        let key = signer.key();
        if key.verify(&text, &signature).is_none() {
            return Err(Failed::Now(format!(
                "what the signer gave is no signature by {}: is it still the same key?",
                key.name()
            )));
        }
        let note = SignedNote {
            text,
            signatures: vec![key.signature(signature)],
        };
        Ok(note.to_string())
    }

    /// Keeps a checkpoint, unless another server has signed since, and gives the one that is the latest now.
    async fn keep(
        &self,
        checkpoint: StoredCheckpoint,
        before: Option<u64>,
    ) -> Result<StoredCheckpoint, Failed> {
        let Err(error) = self.write(&checkpoint, before).await else {
            return Ok(checkpoint);
        };
        // It may have been written all the same.
        match self.store.custody_checkpoint().await {
            Ok(Some(found)) if found == checkpoint => {
                tracing::warn!("a checkpoint was reported as not kept, and was: {error}");
                Ok(found)
            }
            // Compared with the log before the next one is signed, as any that is found there.
            Ok(Some(found)) if matches!(error, store::Error::HeadMoved) => Ok(found),
            _ => Err(Failed::Now(error.to_string())),
        }
    }

    async fn write(&self, checkpoint: &StoredCheckpoint, before: Option<u64>) -> Result<(), store::Error> {
        let mut transaction = self.store.begin().await?;
        transaction.put_checkpoint(checkpoint, before).await?;
        transaction.commit().await
    }

    fn tell(&self, checkpoint: StoredCheckpoint) {
        self.status
            .send_modify(|status| status.latest = Some(checkpoint.clone()));
        self.kept.send_replace(Some(checkpoint));
    }

    fn succeeded(&self, reminded: &mut Option<OffsetDateTime>) {
        *reminded = None;
        let mut failure = None;
        self.status.send_if_modified(|status| {
            failure = status.failure.take();
            failure.is_some()
        });
        if failure.is_some() {
            tracing::info!("the custody log is signed again");
        }
    }

    fn failed(&self, why: String, size: u64, reminded: &mut Option<OffsetDateTime>) {
        let now = OffsetDateTime::now_utc();
        let lag = self.status.borrow().lag(size);
        if reminded.is_none_or(|last| (now - last).abs() >= REMINDER) {
            *reminded = Some(now);
            tracing::error!(
                "the custody log could not be signed, and {lag} records are under no checkpoint: {why}"
            );
        }
        self.status.send_modify(|status| {
            let since = status.failure.as_ref().map_or(now, |failure| failure.since);
            status.failure = Some(CheckpointFailure { since, why });
        });
    }
}
