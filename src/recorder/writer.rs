//! The one task that writes: takes what waits and commits it as a group.

use std::sync::Arc;
use std::{mem, vec};

use tokio::sync::{mpsc, oneshot, watch};
use uuid::Uuid;

use crate::custody::Event;
use crate::store::{Applied, Change, WriteStore, WriteTransaction};

use super::log::{Log, Staged};
use super::{Committed, Entry, Error, Hold, Status};

/// How many entries one commit takes at most.
const GROUP: usize = 64;

pub(super) struct Writer {
    store: Arc<dyn WriteStore>,
    log: Log,
    /// The outcome of a commit is unknown, or another writer was seen: the log is read again before the next group.
    doubtful: bool,
    groups: u64,
    identities_changed: watch::Sender<u64>,
    status_changed: watch::Sender<Status>,
    /// Why nothing may be written any more.
    broken: watch::Receiver<Option<String>>,
    /// Why nothing may be written for now, but what opens a new epoch.
    hold: watch::Receiver<Option<Hold>>,
}

/// An entry of the group that has its place in the log, unless the group fails.
struct Placed {
    answer: oneshot::Sender<Result<Committed, Error>>,
    committed: Committed,
}

/// A group on its way: what will be said to whom, once it is known what became of the group.
struct Group {
    staged: Staged,
    placed: Vec<Placed>,
    refused: Vec<(oneshot::Sender<Result<Committed, Error>>, Error)>,
    changes_identities: bool,
}

impl Writer {
    pub(super) const fn new(
        store: Arc<dyn WriteStore>,
        log: Log,
        identities_changed: watch::Sender<u64>,
        status_changed: watch::Sender<Status>,
        broken: watch::Receiver<Option<String>>,
        hold: watch::Receiver<Option<Hold>>,
    ) -> Self {
        Self {
            store,
            log,
            doubtful: false,
            groups: 0,
            identities_changed,
            status_changed,
            broken,
            hold,
        }
    }

    /// Writes until it is told to stop, or nobody is left who could send, and all that waits is written.
    pub(super) async fn run(
        mut self,
        mut waiting: mpsc::Receiver<Entry>,
        mut stopping: watch::Receiver<bool>,
    ) {
        let mut entries = Vec::new();
        let mut closed = false;
        loop {
            tokio::select! {
                taken = waiting.recv_many(&mut entries, GROUP) => {
                    if taken == 0 {
                        return;
                    }
                    let entries = self.not_held(mem::take(&mut entries));
                    if !entries.is_empty() {
                        self.write(entries).await;
                    }
                    // Those who were answered may have more to write: they come into the next group, not the one after.
                    tokio::task::yield_now().await;
                }
                () = told(&mut stopping), if !closed => {
                    waiting.close();
                    closed = true;
                }
            }
        }
    }

    /// What may be written of these; the others are refused.
    fn not_held(&self, mut entries: Vec<Entry>) -> Vec<Entry> {
        let hold = self.hold.borrow();
        if let Some(hold) = &*hold {
            let refused = entries.extract_if(.., |entry| !entry.opens_epoch);
            for entry in refused {
                let _ = entry.answer.send(Err(Error::Held(Arc::clone(&hold.rollback))));
            }
        }
        entries
    }

    async fn write(&mut self, entries: Vec<Entry>) {
        let number = entries.len();
        let mut entries = entries.into_iter();
        let settled = self.settle().await;
        let mut group = Group::new(self.log.stage());
        let result = match settled {
            Ok(()) => self.write_group(&mut group, &mut entries).await,
            Err(error) => Err(error),
        };
        // Also after an error: where the outcome is unknown, it may have been written.
        if group.changes_identities {
            self.identities_changed.send_modify(|generation| *generation += 1);
        }
        let failure = result.as_ref().err().map(ToString::to_string);
        if let Some(failure) = &failure {
            tracing::error!(entries = number, "{failure}");
        }
        self.status_changed.send_replace(Status {
            head: self.log.head().head(),
            groups: self.groups,
            failure,
        });
        group.answer(&result);
        // What the group did not get to is refused with it.
        for entry in entries {
            let error = result.clone().err().unwrap_or(Error::WriterEnded);
            let _ = entry.answer.send(Err(error));
        }
    }

    /// Reads the log again where its state is in doubt.
    async fn settle(&mut self) -> Result<(), Error> {
        if let Some(why) = self.broken.borrow().clone() {
            return Err(Error::BrokenLog { why });
        }
        if self.doubtful {
            self.log.reopen(&*self.store).await?;
            self.doubtful = false;
        }
        Ok(())
    }

    /// Takes `entries` into the group and commits it. An error is everybody's; who was refused alone is in the group.
    async fn write_group(
        &mut self,
        group: &mut Group,
        entries: &mut vec::IntoIter<Entry>,
    ) -> Result<(), Error> {
        let refused = |error| Error::Refused(Arc::new(error));
        let mut transaction = self.store.begin().await.map_err(refused)?;
        // By reference: what an error leaves in it is refused with the group.
        for entry in entries.by_ref() {
            self.place(group, &mut *transaction, entry).await?;
        }
        if group.placed.is_empty() {
            return Ok(());
        }
        if let Err(error) = transaction
            .append(&group.staged.appended, self.log.head(), &group.staged.head)
            .await
        {
            self.doubtful = true;
            return Err(refused(error));
        }
        if let Err(error) = transaction.commit().await {
            return self.find_out(group, error).await;
        }
        self.log.advance(&group.staged);
        self.groups += 1;
        Ok(())
    }

    /// Applies an entry's changes and makes its record.
    async fn place(
        &self,
        group: &mut Group,
        transaction: &mut dyn WriteTransaction,
        entry: Entry,
    ) -> Result<(), Error> {
        let Entry {
            changes,
            mut events,
            answer,
            ..
        } = entry;
        let applied = if changes.is_empty() {
            Applied::default()
        } else {
            match transaction.apply(&changes).await {
                Ok(applied) => applied,
                Err(error) if error.is_of_one_change() => {
                    group.refused.push((answer, Error::of_change(error)));
                    return Ok(());
                }
                Err(error) => {
                    let error = Error::Refused(Arc::new(error));
                    group.refused.push((answer, error.clone()));
                    return Err(error);
                }
            }
        };
        tell_rows(&mut events, &applied);
        group.changes_identities |= changes.iter().any(Change::is_of_identities);
        let mut sequences = events
            .into_iter()
            .map(|event| self.log.record(&mut group.staged, event));
        let sequence = sequences.next().unwrap_or_default();
        sequences.for_each(drop);
        group.placed.push(Placed {
            answer,
            committed: Committed {
                sequence,
                rows: applied.rows,
            },
        });
        Ok(())
    }

    /// Reads the store to know whether a commit that failed was made all the same.
    async fn find_out(&mut self, group: &Group, error: crate::store::Error) -> Result<(), Error> {
        let error = Arc::new(error);
        self.doubtful = true;
        if let Err(unreadable) = self.settle().await {
            tracing::error!("after a failed commit, the custody log cannot be read: {unreadable}");
            return Err(Error::OutcomeUnknown(error));
        }
        // Each record has an identifier of its own, so this head cannot be another group's.
        if *self.log.head() == group.staged.head {
            tracing::warn!("a commit was reported as failed, and was made: {error}");
            return Ok(());
        }
        Err(Error::Refused(error))
    }
}

/// Tells the last event about each key how its row was written; where none is about it, the last event of all.
fn tell_rows(events: &mut [Event], applied: &Applied) {
    for row in &applied.rows {
        let about = events.iter().rposition(|event| {
            let object = event.object.as_ref();
            object.is_some_and(|object| Uuid::parse_str(&object.identifier) == Ok(row.identifier))
        });
        let Some(event) = events.get_mut(about.unwrap_or(events.len().saturating_sub(1))) else {
            continue;
        };
        if about.is_some()
            && let Some(object) = &mut event.object
        {
            object.row_sha256 = Some(row.sha256);
        }
        // Written twice in one commit, it was only ever seen as it is last.
        event.rows.retain(|before| before.identifier != row.identifier);
        event.rows.push(row.clone());
    }
}

/// Returns when it is time to stop, also when nobody is left to say so.
async fn told(stopping: &mut watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stop| *stop).await;
}

impl Group {
    const fn new(staged: Staged) -> Self {
        Self {
            staged,
            placed: Vec::new(),
            refused: Vec::new(),
            changes_identities: false,
        }
    }

    fn answer(&mut self, result: &Result<(), Error>) {
        for Placed { answer, committed } in self.placed.drain(..) {
            // Whoever no longer waits does not hear it; it was written all the same.
            let _ = answer.send(result.clone().map(|()| committed));
        }
        for (answer, error) in self.refused.drain(..) {
            let _ = answer.send(Err(error));
        }
    }
}
