//! A key that was deleted in the key manager where it lay, wrapped: here it is destroyed, and the log says by whose hand.
//!
//! Whoever finds a key deleted enters it here, be it a request or a job.

use crate::adapter::{AdapterId, RootKey};
use crate::custody::{Actor, AdapterFacts, Event, EventName, ObjectFacts};
use crate::kmip::enumeration::State;
use crate::kmip::ttlv::DateTime;
use crate::root_key::{self, Binding, Pieces, RootKeys};
use crate::store::{self, Change, KeyRow, Store};

use super::{Error, Recorder, root_key_facts};

/// How often it is entered anew because somebody else changed the object meanwhile.
const ATTEMPTS: usize = 8;

/// A wrapped key that the key manager said was deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// The backend that it lay in.
    pub backend: String,
    /// What the key manager called it by.
    pub id: String,
    /// Which value it was.
    pub binding: Binding,
}

impl Deletion {
    /// What a backend's error tells of; none where it tells of no deletion.
    pub fn of(error: &root_key::Error) -> Option<Self> {
        let (backend, id, binding) = error.deleted_wrapped_key()?;
        Some(Self {
            backend: backend.to_owned(),
            id: id.to_owned(),
            binding,
        })
    }
}

/// What there was to be entered of a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Entered {
    /// The object is destroyed now.
    Destroyed,
    /// The object was destroyed already.
    Already,
    /// The object's value lies elsewhere by now: it was not the object that was deleted.
    Nothing,
}

/// Why a deletion was not entered.
#[derive(Debug, thiserror::Error)]
pub enum NotEntered {
    /// The row can't be read.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The record can't be written.
    #[error(transparent)]
    Recorder(#[from] Error),
}

impl Recorder {
    /// Destroys the object whose value was deleted, in whatever state it is, and records it, in one commit.
    ///
    /// Only what the row names *now* counts: a value that was wrapped anew meanwhile leaves a deleted one behind.
    pub async fn enter_deletion(
        &self,
        store: &dyn Store,
        root_keys: &RootKeys,
        deletion: &Deletion,
        now: DateTime,
    ) -> Result<Entered, NotEntered> {
        let adapter = AdapterId::from(deletion.binding.adapter);
        for attempt in 1.. {
            let Some(row) = store.key(adapter, deletion.binding.object).await? else {
                return Ok(Entered::Nothing);
            };
            if row.object.is_destroyed() {
                return Ok(Entered::Already);
            }
            let Some(lost) = Lost::find(store, root_keys, deletion, row).await? else {
                return Ok(Entered::Nothing);
            };
            let adapter = store.adapter(adapter).await?;
            let Some((changes, event)) = lost.entry(deletion, now) else {
                return Ok(Entered::Nothing);
            };
            let adapter = adapter.map(|adapter| AdapterFacts {
                id: adapter.id.uuid(),
                name: adapter.name,
            });
            match self.commit(changes, Event { adapter, ..event }).await {
                Ok(_) => {}
                Err(Error::Conflict(_)) if attempt < ATTEMPTS => continue,
                Err(error) => return Err(error.into()),
            }
            tracing::warn!(backend = %deletion.backend, id = %deletion.id, object = %deletion.binding.object,
                "a key was deleted in the key manager: it is destroyed");
            lost.give_up_the_rest(root_keys).await;
            return Ok(Entered::Destroyed);
        }
        unreachable!("the last attempt returns")
    }
}

/// A row that names the deleted value, or one piece of it.
struct Lost {
    row: KeyRow,
    root_key: RootKey,
}

impl Lost {
    /// None where the row does not name it.
    async fn find(
        store: &dyn Store,
        root_keys: &RootKeys,
        deletion: &Deletion,
        row: KeyRow,
    ) -> Result<Option<Self>, store::Error> {
        let (Some(wrapped), Some(pieces)) = (&row.wrapped, Pieces::of(&row.object)) else {
            return Ok(None);
        };
        let root_key = store.root_key(wrapped.root_key).await?;
        let Some(root_key) = root_key.filter(|root_key| root_key.backend == deletion.backend) else {
            return Ok(None);
        };
        let Ok(backend) = root_keys.for_root(&root_key) else {
            return Ok(None);
        };
        let there = pieces.kept_there(&*backend, &root_key, &wrapped.kek);
        Ok(there.contains(&deletion.id).then_some(Self { row, root_key }))
    }

    /// What is to be written; none for an object that can't be destroyed any more.
    fn entry(&self, deletion: &Deletion, now: DateTime) -> Option<(Vec<Change>, Event)> {
        let mut row = self.row.clone();
        let state = |row: &KeyRow| row.object.state(now).and_then(State::name).map(Into::into);
        let before = state(&row);
        row.object.lose(now).ok()?;
        let wrapped = row.wrapped.take()?;
        let mut event = Event::new(EventName::KeyDestroy, Actor::Server)
            .detail("deleted_in", "key-manager")
            .detail("key_manager_id", &deletion.id);
        event.object = Some(ObjectFacts {
            identifier: row.object.id().hyphenated().to_string(),
            object_type: row.object.object_type().name().map(Into::into),
            state_before: before,
            state_after: state(&row),
            ..ObjectFacts::default()
        });
        let mut facts = root_key_facts(&self.root_key);
        facts.version = wrapped.version;
        facts.wrap_profile = Some(wrapped.kek.profile.name().to_owned());
        event.root_key = Some(facts);
        Some((vec![Change::update_key(row)], event))
    }

    /// One piece of the value was deleted; the others are worth nothing.
    async fn give_up_the_rest(&self, root_keys: &RootKeys) {
        let (Some(wrapped), Some(pieces), Ok(backend)) = (
            &self.row.wrapped,
            Pieces::of(&self.row.object),
            root_keys.for_root(&self.root_key),
        ) else {
            return;
        };
        if pieces.only().is_some() {
            return;
        }
        if let Err(error) = pieces.discard(&*backend, &self.root_key, &wrapped.kek).await {
            tracing::warn!(%error, "the other pieces of a key that was deleted in the key manager stay there");
        }
    }
}
