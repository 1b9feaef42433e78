//! The only way to write: a change and the custody record that tells of it, in one commit.
//!
//! One task owns the log. It takes what waits, up to a bound, and commits it as one group, so that durability costs
//! one flush to the disk a group and not one a record. An entry whose change is refused (its key was written by
//! somebody else since it was read, say) fails alone; the rest of its group is committed.
//!
//! What the caller can rely on:
//! - `Ok` from [`Recorder::commit`] means that change and record are on the disk.
//! - An error means that neither is there, except [`Error::OutcomeUnknown`] and [`Error::WriterEnded`], which say that
//!   nobody knows yet, and [`Error::Unwitnessed`], which says that both are there.
//! - While the log cannot be written, every commit is refused. There is no mode without a log.

mod checkpoint;
mod deletion;
mod error;
mod event;
mod known;
mod log;
mod measure;
mod retention;
#[cfg(test)]
pub(crate) mod tests;
mod tiles;
mod witnessing;
mod writer;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::task::TaskTracker;

use crate::custody::{Event, Hash, Head, RowFacts};
use crate::store::{Change, WriteStore};

pub use checkpoint::{
    CheckpointFailure, CheckpointStatus, Checkpoints, Consistency, Cosigned, Cosigner, SignError, Signer,
    WitnessStatus,
};
pub use deletion::{Deletion, Entered, NotEntered};
pub use error::Error;
pub use event::{approver, by_client, root_key_facts};
pub use known::{Known, KnownError, KnownHead, Rollback};

/// How many entries may wait. Whoever comes after them waits for room.
const QUEUE: usize = 1024;

/// Who writes the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeFacts {
    /// The name of this server, as its records give it.
    pub name: String,
    /// The version of its program.
    pub server_version: String,
    /// SHA-256 of its configuration file as it was read at the start, where it has one.
    pub configuration_sha256: Option<Hash>,
}

/// What a commit left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The number of its record.
    pub sequence: u64,
    /// The rows of keys that it wrote.
    pub rows: Vec<RowFacts>,
}

/// How the recorder does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The head of the log after the last commit.
    pub head: Head,
    /// How many groups were committed since the start; with the size of the log, how well groups are filled.
    pub groups: u64,
    /// Why the last group could not be written; none where it was.
    pub failure: Option<String>,
}

/// The way to the log. Clones share one log.
#[derive(Clone)]
pub struct Recorder {
    entries: mpsc::Sender<Entry>,
    configuration: Arc<watch::Sender<Option<Hash>>>,
    identities: watch::Receiver<u64>,
    status: watch::Receiver<Status>,
    stop: Arc<watch::Sender<bool>>,
    /// Why nothing may be written; none where all is well.
    hold: Arc<watch::Sender<Option<Hold>>>,
    /// Where the head is kept outside of the store.
    file: Arc<OnceLock<KnownHead>>,
    /// The number of records up to which it was accepted that some are gone; 0 where nothing was.
    accepted: Arc<AtomicU64>,
    store: Arc<dyn WriteStore>,
    checkpoints: Arc<watch::Sender<CheckpointStatus>>,
    broken: Arc<watch::Sender<Option<String>>>,
    /// How long clients wait for witnesses, where they do.
    witnesses: Arc<OnceLock<Duration>>,
    /// Those who sign, and ask for signatures.
    signing: TaskTracker,
}

/// The log is not the one that was written last.
#[derive(Clone, Debug)]
struct Hold {
    rollback: Arc<Rollback>,
    /// What is recorded behind the first record of a new epoch.
    deferred: Vec<Event>,
}

/// What waits to be written.
struct Entry {
    changes: Vec<Change>,
    /// One at least.
    events: Vec<Event>,
    /// Whether it is written also where the log is held.
    opens_epoch: bool,
    answer: oneshot::Sender<Result<Committed, Error>>,
}

impl Recorder {
    /// Reads the log's head, compares it with the records it covers last, and begins to write.
    ///
    /// Refuses a log that does not fit its head, with [`Error::BrokenLog`].
    pub async fn start(store: Arc<dyn WriteStore>, node: NodeFacts) -> Result<Self, Error> {
        let (configuration, configured) = watch::channel(node.configuration_sha256);
        let log = log::Log::open(&*store, &node, configured).await?;
        let (entries, waiting) = mpsc::channel(QUEUE);
        let (identities_changed, identities) = watch::channel(0);
        let (status_changed, status) = watch::channel(Status {
            head: log.head().head(),
            groups: 0,
            failure: None,
        });
        let (stop, stopping) = watch::channel(false);
        let (broken, is_broken) = watch::channel(None);
        let hold = Arc::new(watch::Sender::new(None));
        let latest = store
            .custody_checkpoint()
            .await
            .map_err(|error| Error::Refused(Arc::new(error)))?;
        let checkpoints = CheckpointStatus {
            latest,
            ..CheckpointStatus::default()
        };
        let writer = writer::Writer::new(
            Arc::clone(&store),
            log,
            identities_changed,
            status_changed,
            is_broken,
            hold.subscribe(),
        );
        tokio::spawn(writer.run(waiting, stopping));
        Ok(Self {
            entries,
            configuration: Arc::new(configuration),
            identities,
            status,
            stop: Arc::new(stop),
            hold,
            file: Arc::default(),
            accepted: Arc::default(),
            store,
            checkpoints: Arc::new(watch::Sender::new(checkpoints)),
            broken: Arc::new(broken),
            witnesses: Arc::default(),
            signing: TaskTracker::new(),
        })
    }

    /// Begins to sign the log, and to have it cosigned. To be called once.
    pub fn sign_with(&self, checkpoints: Checkpoints) {
        self.checkpoints
            .send_modify(|status| status.key = Some(checkpoints.signer.key()));
        let (kept, to_cosign) = watch::channel(None);
        if let Some(cosigner) = &checkpoints.cosigner {
            let cosigning = checkpoint::Cosigning {
                store: Arc::clone(&self.store),
                cosigner: Arc::clone(cosigner),
                kept: to_cosign,
                status: Arc::clone(&self.checkpoints),
                hold: Arc::clone(&self.hold),
                accepted: Arc::clone(&self.accepted),
            };
            self.signing.spawn(cosigning.run());
        }
        let signing = checkpoint::Signing {
            store: Arc::clone(&self.store),
            checkpoints,
            entries: self.entries.downgrade(),
            log: self.status.clone(),
            status: Arc::clone(&self.checkpoints),
            broken: Arc::clone(&self.broken),
            hold: self.hold.subscribe(),
            kept,
        };
        let (mut hold, mut stopping) = (self.hold.subscribe(), self.stop.subscribe());
        self.signing.spawn(async move {
            // A log that is held is not signed.
            let is_released = tokio::select! {
                biased;
                released = hold.wait_for(Option::is_none) => released.is_ok(),
                _ = stopping.wait_for(|stop| *stop) => false,
            };
            if is_released {
                signing.run().await;
            }
        });
    }

    /// How far the log is signed, and each change of that.
    pub fn checkpoints(&self) -> watch::Receiver<CheckpointStatus> {
        self.checkpoints.subscribe()
    }

    /// Returns when the log was found to contradict what was signed of it, with what was found. Nothing is written from
    /// then on, and the process should end.
    pub async fn broken(&self) -> String {
        let mut broken = self.broken.subscribe();
        match broken.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(why)) => why.clone(),
            _ => std::future::pending().await,
        }
    }

    /// Makes these changes and records this event, in one commit; with no change, a record alone.
    ///
    /// Durable when it returns `Ok`. Where the caller no longer waits for it, it is still carried out.
    pub async fn commit(&self, changes: Vec<Change>, event: Event) -> Result<Committed, Error> {
        self.commit_together(changes, vec![event]).await
    }

    /// Makes these changes, all or none, and records these events, one at least, in one commit.
    ///
    /// As [`commit`](Self::commit) otherwise. The number that it tells is that of the first record.
    pub async fn commit_together(
        &self,
        changes: Vec<Change>,
        events: Vec<Event>,
    ) -> Result<Committed, Error> {
        if let Some(rollback) = self.held() {
            return Err(Error::Held(rollback));
        }
        self.send(changes, events, false).await
    }

    /// Records the events of a start, one after another; where the log is held, behind the first record of a new epoch.
    pub async fn commit_at_start(&self, mut events: Vec<Event>) -> Result<(), Error> {
        self.hold.send_if_modified(|hold| {
            if let Some(hold) = hold {
                hold.deferred.append(&mut events);
            }
            false
        });
        for event in events {
            self.commit(Vec::new(), event).await?;
        }
        Ok(())
    }

    /// Records name this as the SHA-256 of the configuration file from now on: it was read again.
    pub fn configured_as(&self, sha256: Hash) {
        self.configuration.send_replace(Some(sha256));
    }

    /// Compares the log with what this file knows of it, and keeps in it what is known from now on. What the log was taken
    /// back from is given back; the log is held then. To be called once, before anybody else has this recorder.
    pub async fn remember_in(&self, file: KnownHead) -> Result<Option<Arc<Rollback>>, KnownError> {
        let accepted = file.read()?.and_then(|known| known.accepted);
        self.accepted.store(accepted.unwrap_or(0), Ordering::Relaxed);
        if let Some(rollback) = file.compare(&*self.store).await? {
            self.hold(rollback);
        }
        let _ = self.file.set(file);
        Ok(self.held())
    }

    /// Writes nothing from now on, for the log is not the one that was written last: until [`open_epoch`](Self::open_epoch).
    fn hold(&self, rollback: Rollback) {
        self.hold.send_replace(Some(Hold {
            rollback: Arc::new(rollback),
            deferred: Vec::new(),
        }));
    }

    /// Why nothing is written; none where the log goes on from what was written last.
    pub fn held(&self) -> Option<Arc<Rollback>> {
        self.hold.borrow().as_ref().map(|hold| Arc::clone(&hold.rollback))
    }

    /// Returns when the log is held no more, or nobody is left who could open an epoch.
    pub async fn released(&self) {
        let _ = self.hold.subscribe().wait_for(Option::is_none).await;
    }

    /// Opens a new epoch: the log goes on from what the store has. Its first record is this event, with what was known and what
    /// was found in its details; what the start had to record is behind it.
    ///
    /// Fails with [`Error::NotHeld`] where the log is not held. After any other error it is held still.
    pub async fn open_epoch(&self, event: Event) -> Result<Committed, Error> {
        let hold = self.hold.borrow().clone().ok_or(Error::NotHeld)?;
        let rollback = &hold.rollback;
        let found = self.status().head;
        let mut event = event
            .detail("known_size", rollback.known_size.to_string())
            .detail("found_size", found.size.to_string())
            .detail("found_root", found.root.to_string())
            .detail("found", rollback.to_string());
        if let Some(root) = &rollback.known_root {
            event = event.detail("known_root", root.to_string());
        }
        if let Some(checkpoint) = &rollback.known_checkpoint {
            event = event.detail("known_checkpoint", checkpoint);
        }
        let events = std::iter::once(event).chain(hold.deferred).collect();
        let committed = self.send(Vec::new(), events, true).await?;
        let accepted = rollback.known_size.max(self.accepted.load(Ordering::Relaxed));
        self.accepted.store(accepted, Ordering::Relaxed);
        let head = self.status().head;
        let known = Known {
            size: head.size,
            root: head.root,
            checkpoint: None,
            accepted: Some(accepted),
        };
        if let Some(file) = self.file.get().cloned() {
            let kept = tokio::task::spawn_blocking(move || file.keep(&known)).await;
            if let Ok(Err(error)) = kept {
                tracing::error!(%error, "the next start will ask for a new epoch again");
            }
        }
        self.hold.send_replace(None);
        Ok(committed)
    }

    async fn send(
        &self,
        changes: Vec<Change>,
        events: Vec<Event>,
        opens_epoch: bool,
    ) -> Result<Committed, Error> {
        let (answer, answered) = oneshot::channel();
        let (wait, number) = (self.wait_of(&events), events.len() as u64);
        let commit = measure::Commit::begin();
        self.entries
            .send(Entry {
                changes,
                events,
                opens_epoch,
                answer,
            })
            .await
            .map_err(|_| Error::Stopped)?;
        let written = answered.await.unwrap_or(Err(Error::WriterEnded));
        commit.ended(&written);
        let committed = written?;
        if let Some(wait) = wait {
            self.witnessed(committed.sequence + number, wait).await?;
        }
        Ok(committed)
    }

    /// A number that grows whenever adapters, what is set for them, certificates or root keys have changed: whoever keeps them at hand reads
    /// them again then.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.identities.clone()
    }

    /// How many changes wait to be written.
    pub fn waiting(&self) -> usize {
        self.entries.max_capacity() - self.entries.capacity()
    }

    /// How the recorder does.
    pub fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// How the recorder does, and each change of that, until it has ended.
    pub fn follow(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    /// Takes no more, writes what waits, and returns when all of it has been answered, and signed where it can be.
    pub async fn stop(&self) {
        self.stop.send_replace(true);
        self.entries.closed().await;
        let mut status = self.status.clone();
        // The writer holds the other end until its last answer is given.
        while status.changed().await.is_ok() {}
        // A last checkpoint is made of what was written.
        self.signing.close();
        self.signing.wait().await;
    }
}
