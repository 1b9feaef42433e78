//! The one task that writes: takes what waits and commits it as a group.

use std::mem;
use std::sync::Arc;

use futures_util::future::join;
use tokio::sync::{mpsc, oneshot, watch};
use uuid::Uuid;

use crate::custody::Event;
use crate::store::{Applied, Change, Elsewhere, WriteStore, WriteTransaction};

use super::log::{Log, Staged};
use super::{Committed, Entry, Error, Hold, Status};

/// How many entries one commit takes at most.
const GROUP: usize = 64;
/// How often a group is tried where other servers come in between.
const TRIES: u32 = 10;

pub(super) struct Writer {
    store: Arc<dyn WriteStore>,
    log: Log,
    /// The transaction of the next group, where it was begun with the commit of the one before.
    begun: Option<Box<dyn WriteTransaction>>,
    /// The outcome of a commit is unknown, or another writer was seen: the log is read again before the next group.
    doubtful: bool,
    /// Of the group before.
    untold: Answers,
    groups: u64,
    identities_changed: watch::Sender<u64>,
    status_changed: watch::Sender<Status>,
    /// Why nothing may be written any more.
    broken: watch::Receiver<Option<String>>,
    /// Why nothing may be written for now, but what opens a new epoch.
    hold: watch::Receiver<Option<Hold>>,
    /// What all servers that share the store have done in it.
    elsewhere: Option<watch::Receiver<Elsewhere>>,
    heeded: Elsewhere,
}

/// A group on its way: what will be said to whom, once it is known what became of the group.
struct Group {
    staged: Staged,
    /// What became of the entries so far, in order; who is refused here is refused alone.
    outcomes: Vec<Answer>,
    changes_identities: bool,
}

impl Writer {
    pub(super) fn new(
        store: Arc<dyn WriteStore>,
        log: Log,
        identities_changed: watch::Sender<u64>,
        status_changed: watch::Sender<Status>,
        broken: watch::Receiver<Option<String>>,
        hold: watch::Receiver<Option<Hold>>,
    ) -> Self {
        let elsewhere = store.elsewhere();
        let heeded = elsewhere
            .as_ref()
            .map_or_else(Elsewhere::default, |known| *known.borrow());
        Self {
            elsewhere,
            heeded,
            store,
            log,
            begun: None,
            doubtful: false,
            untold: Answers::default(),
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
                    self.refuse_held(&mut entries);
                    if entries.is_empty() {
                        self.begun = None;
                    } else {
                        self.write(mem::take(&mut entries), &mut waiting).await;
                    }
                    if waiting.is_empty() {
                        self.untold = Answers::default();
                    }
                }
                () = changed(&mut self.elsewhere) => self.heed_others().await,
                () = told(&mut stopping), if !closed => {
                    waiting.close();
                    closed = true;
                }
            }
        }
    }

    /// Takes out what may not be written for now, and refuses it.
    fn refuse_held(&self, entries: &mut Vec<Entry>) {
        let hold = self.hold.borrow();
        if let Some(hold) = &*hold {
            let refused = entries.extract_if(.., |entry| !entry.opens_epoch);
            for entry in refused {
                let _ = entry.answer.send(Err(Error::Held(Arc::clone(&hold.rollback))));
            }
        }
    }

    async fn write(&mut self, mut entries: Vec<Entry>, waiting: &mut mpsc::Receiver<Entry>) {
        let mut tries = 0;
        let (group, result) = loop {
            let mut group = Group::new(self.log.stage());
            // Told once this group waits for the database, which is not to wait for those who are told.
            let before = mem::take(&mut self.untold);
            let commit = self.write_group(&mut group, &mut entries, waiting);
            let (result, ()) = join(commit, async { drop(before) }).await;
            tries += 1;
            match &result {
                // Another server came in between: the same group behind what that has written.
                Err(Error::Refused(error)) if error.is_passing() && tries < TRIES => {}
                _ => break (group, result),
            }
        };
        // Also after an error: where the outcome is unknown, it may have been written.
        if group.changes_identities {
            self.identities_changed.send_modify(|generation| *generation += 1);
        }
        let failure = result.as_ref().err().map(ToString::to_string);
        if let Some(failure) = &failure {
            tracing::error!(entries = entries.len(), "{failure}");
        }
        self.status_changed.send_replace(Status {
            head: self.log.head().head(),
            groups: self.groups,
            failure,
        });
        let mut outcomes = group.outcomes.into_iter();
        for entry in entries {
            let answer = match (outcomes.next(), &result) {
                (Some(Ok(committed)), Ok(())) => Ok(committed),
                (Some(Err(alone)), _) => Err(alone),
                (_, Err(error)) => Err(error.clone()),
                (None, Ok(())) => Err(Error::WriterEnded),
            };
            self.untold.0.push((entry.answer, answer));
        }
    }

    /// Takes in what other servers have done to the store.
    async fn heed_others(&mut self) {
        self.untold = Answers::default();
        let Some(elsewhere) = &mut self.elsewhere else {
            return;
        };
        let found = *elsewhere.borrow_and_update();
        let before = mem::replace(&mut self.heeded, found);
        if (before.identities, before.outages) != (found.identities, found.outages) {
            self.identities_changed.send_modify(|generation| *generation += 1);
        }
        if found.size <= self.log.head().tree.size() {
            return;
        }
        match self.log.follow(&*self.store).await {
            Ok(()) => self
                .status_changed
                .send_modify(|status| status.head = self.log.head().head()),
            Err(error) => {
                tracing::error!("what other servers have recorded can't be taken in: {error}");
                self.doubtful = true;
            }
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
        entries: &mut Vec<Entry>,
        waiting: &mut mpsc::Receiver<Entry>,
    ) -> Result<(), Error> {
        let refused = |error| Error::Refused(Arc::new(error));
        let begun = self.begun.take();
        self.settle().await?;
        let mut transaction = match begun {
            Some(begun) => begun,
            None => self.store.begin().await.map_err(refused)?,
        };
        // Who came meanwhile need not wait for the next group.
        while entries.len() < GROUP
            && let Ok(entry) = waiting.try_recv()
        {
            entries.push(entry);
        }
        self.refuse_held(entries);
        if transaction
            .head_found()
            .is_some_and(|found| found != self.log.head().head())
        {
            self.log.follow(&*self.store).await?;
        }
        group.staged = self.log.stage();
        for entry in &*entries {
            place(&self.log, group, &mut *transaction, entry).await?;
        }
        if !group.outcomes.iter().any(Result::is_ok) {
            return Ok(());
        }
        if let Err(error) = transaction
            .append(&group.staged.appended, self.log.head(), &group.staged.head)
            .await
        {
            self.doubtful = true;
            return Err(refused(error));
        }
        let committed = if waiting.is_empty() {
            transaction.commit().await.map(|()| None)
        } else {
            transaction.commit_and_begin().await
        };
        match committed {
            Ok(next) => self.begun = next,
            Err(error) => return self.find_out(group, error).await,
        }
        self.log.advance(&group.staged);
        self.groups += 1;
        Ok(())
    }

    /// Reads the store to know whether a commit that failed was made all the same.
    async fn find_out(&mut self, group: &Group, error: crate::store::Error) -> Result<(), Error> {
        let error = Arc::new(error);
        self.doubtful = true;
        match self.is_there(group).await {
            Err(unreadable) => {
                tracing::error!("after a failed commit, the custody log cannot be read: {unreadable}");
                Err(Error::OutcomeUnknown(error))
            }
            Ok(true) => {
                tracing::warn!("a commit was reported as failed, and was made: {error}");
                Ok(())
            }
            Ok(false) => Err(Error::Refused(error)),
        }
    }

    /// Whether the log has the records of this group.
    async fn is_there(&mut self, group: &Group) -> Result<bool, Error> {
        let refused = |error| Error::Refused(Arc::new(error));
        // Where others write too, the commit may still be under way on the other side of a connection that broke: whoever
        // begins a transaction waits for it.
        let waited = match &self.elsewhere {
            Some(_) => Some(self.store.begin().await.map_err(refused)?),
            None => None,
        };
        self.settle().await?;
        drop(waited);
        let Some((last, _)) = group.staged.appended.records.last() else {
            return Ok(false);
        };
        // Each record has an identifier of its own, so no other has this leaf.
        let found = self.store.custody_hashes(0, last.sequence, 1).await;
        Ok(found.map_err(refused)?.first() == Some(&last.leaf))
    }
}

type Answer = Result<Committed, Error>;

/// What is still to be said to those who wait for it; said when this is dropped.
#[derive(Default)]
struct Answers(Vec<(oneshot::Sender<Answer>, Answer)>);

impl Drop for Answers {
    fn drop(&mut self) {
        for (asker, answer) in self.0.drain(..) {
            // Whoever no longer waits does not hear it; it was written all the same.
            let _ = asker.send(answer);
        }
    }
}

/// Applies an entry's changes and makes its record.
async fn place(
    log: &Log,
    group: &mut Group,
    transaction: &mut dyn WriteTransaction,
    entry: &Entry,
) -> Result<(), Error> {
    let applied = if entry.changes.is_empty() {
        Applied::default()
    } else {
        match transaction.apply(&entry.changes).await {
            Ok(applied) => applied,
            Err(error) if error.is_of_one_change() => {
                group.outcomes.push(Err(Error::of_change(error)));
                return Ok(());
            }
            Err(error) => return Err(Error::Refused(Arc::new(error))),
        }
    };
    let mut events = entry.events.clone();
    tell_rows(&mut events, &applied);
    group.changes_identities |= entry.changes.iter().any(Change::is_of_identities);
    let mut sequences = events
        .into_iter()
        .map(|event| log.record(&mut group.staged, event));
    let sequence = sequences.next().unwrap_or_default();
    sequences.for_each(drop);
    group.outcomes.push(Ok(Committed {
        sequence,
        rows: applied.rows,
    }));
    Ok(())
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

/// Returns when others have done something to the store; never where nobody else can.
async fn changed(elsewhere: &mut Option<watch::Receiver<Elsewhere>>) {
    if let Some(elsewhere) = elsewhere
        && elsewhere.changed().await.is_ok()
    {
        return;
    }
    std::future::pending::<()>().await;
}

/// Returns when it is time to stop, also when nobody is left to say so.
async fn told(stopping: &mut watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stop| *stop).await;
}

impl Group {
    const fn new(staged: Staged) -> Self {
        Self {
            staged,
            outcomes: Vec::new(),
            changes_identities: false,
        }
    }
}
