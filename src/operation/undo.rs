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

use super::names::NameLocks;
use crate::custody::Event;
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
    pub(super) fn into_parts(self) -> (Vec<Change>, Vec<Event>) {
        let work = self.work.into_inner().unwrap_or_else(PoisonError::into_inner);
        (work.changes, work.events)
    }
}
