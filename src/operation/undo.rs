//! A batch that is carried out as a whole or not at all: the Batch Error Continuation Option Undo (KMIP 1.4, section
//! 6.13).
//!
//! Nothing of such a batch is written before its last item has gone well: what its items change and what the custody log
//! will say of them is staged here, each item sees what the ones before it staged, and all of it is made durable by one
//! commit. So a server that is killed in the middle leaves nothing behind, and nobody else ever sees half of it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::MutexGuard;
use uuid::Uuid;

use super::batch::{Answered, Message};
use super::loose::{End, Loose};
use super::names::NameLocks;
use super::refusal::Refusal;
use crate::custody::{Event, Outcome};
use crate::kmip::enumeration::ResultStatus;
use crate::kmip::message::ResponseItem;
use crate::kmip::payload::ResponsePayload;
use crate::recorder;
use crate::store::{Change, KeyRow};

/// The most items of such a batch: while it is worked on, nobody else can give an object a name.
pub(super) const LONGEST_BATCH: usize = 64;

/// What a batch has done so far.
pub(super) struct Staged<'a> {
    work: Mutex<Work>,
    /// Every name of every adapter, so that none that was found free is given by somebody else before the commit.
    _names: Vec<MutexGuard<'a, ()>>,
}

#[derive(Default)]
struct Work {
    changes: Vec<Change>,
    events: Vec<Event>,
    /// The objects that were changed, as they are now.
    rows: BTreeMap<Uuid, KeyRow>,
    loose: Loose,
}

impl Work {
    /// Adds a change. An object that was changed before is written once, as it is now, over the revision that the first
    /// change was made from.
    fn add(&mut self, change: Change) {
        let Change::PutKey { row, .. } = &change else {
            return self.changes.push(change);
        };
        let id = row.object.id();
        self.rows.insert(id, row.clone());
        let before = self.changes.iter_mut().find_map(|change| match change {
            Change::PutKey { row, .. } if row.object.id() == id => Some(row),
            _ => None,
        });
        match before {
            Some(before) => before.clone_from(row),
            None => self.changes.push(change),
        }
    }
}

impl<'a> Staged<'a> {
    /// Begins a batch.
    pub(super) async fn begin(names: &'a NameLocks) -> Self {
        Self {
            work: Mutex::default(),
            _names: names.hold_every().await,
        }
    }

    /// Stages changes, with what will be recorded of them.
    pub(super) fn add(&self, changes: Vec<Change>, event: Event) {
        let mut work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        for change in changes {
            work.add(change);
        }
        work.events.push(event);
    }

    /// Takes on what lies in the key manager for an item until the end of the batch is known.
    pub(super) fn join(&self, loose: Loose) {
        let mut work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        work.loose.join(loose);
    }

    /// The object as the batch has changed it; none where it has not.
    pub(super) fn row(&self, id: Uuid) -> Option<KeyRow> {
        let work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        work.rows.get(&id).cloned()
    }

    /// Every object that the batch has changed or made, the last made first.
    pub(super) fn rows(&self) -> Vec<KeyRow> {
        let work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        work.rows.values().rev().cloned().collect()
    }

    /// All that was staged.
    pub(super) fn into_parts(self) -> (Vec<Change>, Vec<Event>, Loose) {
        let work = self.work.into_inner().unwrap_or_else(PoisonError::into_inner);
        (work.changes, work.events, work.loose)
    }
}

impl Message<'_> {
    /// Makes durable what a batch has staged, if each item went well; else nothing of it has happened, and is answered and
    /// recorded so.
    pub(super) async fn settle(&self, staged: Staged<'_>, answered: &mut [Answered]) {
        let (changes, events, loose) = staged.into_parts();
        let all_went_well = answered
            .iter()
            .all(|item| item.response.result_status == ResultStatus::Success);
        if all_went_well {
            let written = if events.is_empty() {
                Ok(())
            } else {
                let committed = self.services.recorder.commit_together(changes, events).await;
                committed.map(drop).map_err(|error| match error {
                    recorder::Error::Conflict(_) => Refusal::busy(),
                    error => Refusal::of_recorder(&error),
                })
            };
            let Err(refusal) = written else {
                loose.settle(End::Done).await;
                return;
            };
            loose.settle(End::of(&refusal)).await;
            if let Some(last) = answered.last_mut() {
                let operation = last.response.operation;
                let id = last.response.unique_batch_item_id.take();
                last.response =
                    ResponseItem::failure(operation, refusal.reason(self.version), refusal.message())
                        .with_id(id);
                last.event.outcome = refusal.outcome();
                last.event.reason = Some(refusal.for_the_record());
                self.record_undone(last.event.clone()).await;
            }
        } else {
            loose.settle(End::Undone).await;
        }
        for item in answered.iter_mut() {
            if item.response.result_status == ResultStatus::Success {
                item.response.result_status = ResultStatus::OperationUndone;
                item.response.payload = item.response.payload.take().filter(tells_identifiers_alone);
                item.event.outcome = Outcome::Refused;
                item.event.reason = Some("undone, because an item of its batch failed".to_owned());
                self.record_undone(item.event.clone()).await;
            }
        }
    }

    async fn record_undone(&self, mut event: Event) {
        if let Some(object) = &mut event.object {
            object.state_after = None;
        }
        if let Some(root_key) = &mut event.root_key {
            root_key.release_profile = None;
        }
        if let Err(error) = self.services.recorder.commit(Vec::new(), event).await {
            tracing::error!(%error, "that an item was undone could not be recorded");
        }
    }
}

/// Whether an answer can be given though nothing has happened: one that tells which object was meant and no more.
const fn tells_identifiers_alone(payload: &ResponsePayload<'_>) -> bool {
    matches!(
        payload,
        ResponsePayload::Create(_)
            | ResponsePayload::Register(_)
            | ResponsePayload::Import(_)
            | ResponsePayload::ReKey(_)
            | ResponsePayload::Check(_)
            | ResponsePayload::GetUsageAllocation(_)
            | ResponsePayload::Archive(_)
            | ResponsePayload::Recover(_)
            | ResponsePayload::Activate(_)
            | ResponsePayload::Revoke(_)
            | ResponsePayload::Destroy(_)
            | ResponsePayload::AddAttribute(_)
            | ResponsePayload::ModifyAttribute(_)
            | ResponsePayload::DeleteAttribute(_)
            | ResponsePayload::SetAttribute(_)
            | ResponsePayload::AdjustAttribute(_)
    )
}
