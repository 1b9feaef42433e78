//! A key that an administrator revokes or destroys: what is written of it, and what its backend forgets then.

use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

use crate::adapter::AdapterId;
use crate::custody::{Event, ObjectFacts};
use crate::kmip::attribute::RevocationReason;
use crate::kmip::enumeration::{RevocationReasonCode, State};
use crate::kmip::ttlv::DateTime;
use crate::recorder::{self, Recorder, root_key_facts};
use crate::root_key::{self, Pieces, RootKeys};
use crate::store::{self, Change, KeyRow, Store, WrappedUnder};

/// How often it is tried anew because somebody else changed the object meanwhile.
const ATTEMPTS: usize = 8;

/// What is done to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It protects nothing new from now on; clients can still fetch it.
    Revoke,
    /// Its bytes are gone for good.
    Destroy,
}

impl End {
    /// The name, as arguments and records have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Revoke => "revoke",
            Self::Destroy => "destroy",
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a key is as it was.
#[derive(Debug, thiserror::Error)]
pub enum NotEnded {
    /// The adapter has no such key.
    #[error("there is no such key in this adapter")]
    NotFound,
    /// It is in that state already, or beyond it.
    #[error("the key {key} is {} already", .state.to_lowercase())]
    Already {
        /// The key.
        key: Uuid,
        /// Its state.
        state: String,
    },
    /// It is in use, and nobody said that it is to be destroyed all the same.
    #[error("the key {key} is active")]
    Active {
        /// The key.
        key: Uuid,
    },
    /// Such an object has no such end.
    #[error("{0}")]
    Unfit(String),
    /// The row can't be read.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The change can't be written.
    #[error(transparent)]
    Recorder(#[from] recorder::Error),
}

/// What ends keys. A clone is the same.
#[derive(Clone)]
pub struct Ending {
    store: Arc<dyn Store>,
    recorder: Recorder,
    root_keys: RootKeys,
}

impl Ending {
    pub(super) fn new(store: Arc<dyn Store>, recorder: Recorder, root_keys: RootKeys) -> Self {
        Self {
            store,
            recorder,
            root_keys,
        }
    }

    /// Ends a key, and records it as this event, in one commit. One that is Active is destroyed with `force` alone.
    pub async fn carry_out(
        &self,
        end: End,
        adapter: AdapterId,
        key: Uuid,
        force: bool,
        event: &Event,
    ) -> Result<(), NotEnded> {
        for attempt in 1.. {
            let row = self.store.key(adapter, key).await?.ok_or(NotEnded::NotFound)?;
            let ended = self.ended(end, row, force, event.clone()).await?;
            let changes = vec![Change::update_key(ended.row)];
            match self.recorder.commit(changes, ended.event).await {
                Err(recorder::Error::Conflict(_)) if attempt < ATTEMPTS => {}
                Err(error) => return Err(error.into()),
                Ok(_) => {
                    self.give_up(end, ended.held).await;
                    return Ok(());
                }
            }
        }
        unreachable!("the last attempt returns")
    }

    /// What is written of a key that is ended, with the event that tells of it.
    async fn ended(
        &self,
        end: End,
        mut row: KeyRow,
        force: bool,
        mut event: Event,
    ) -> Result<Ended, NotEnded> {
        let now = DateTime::from(time::OffsetDateTime::now_utc());
        let name = |row: &KeyRow| row.object.state(now).and_then(State::name).map(Into::into);
        let (pieces, state_before) = (Pieces::of(&row.object), name(&row));
        let wrapped = row.wrapped.clone();
        apply(end, &mut row, force, now)?;
        if let Some(wrapped) = &wrapped
            && let Some(root_key) = self.store.root_key(wrapped.root_key).await?
        {
            let mut facts = root_key_facts(&root_key);
            facts.version = wrapped.version;
            facts.wrap_profile = Some(wrapped.kek.profile.name().to_owned());
            event.root_key = Some(facts);
        }
        event.object = Some(ObjectFacts {
            identifier: row.object.id().hyphenated().to_string(),
            object_type: row.object.object_type().name().map(Into::into),
            state_before,
            state_after: name(&row),
            ..ObjectFacts::default()
        });
        if force {
            event = event.detail("force", "true");
        }
        Ok(Ended {
            row,
            event,
            held: pieces.zip(wrapped),
        })
    }

    /// Has the backend forget the value, and give up what lies in it of a key that is destroyed. What it does not is found by
    /// the scan of the key manager, or is over with the device's session: the row refuses a release.
    async fn give_up(&self, end: End, held: Option<(Pieces, WrappedUnder)>) {
        let Some((pieces, wrapped)) = held else { return };
        if let Err(error) = self.try_to_give_up(end, &pieces, &wrapped).await {
            tracing::warn!(%error, "a wrapped key that was ended here is still in its backend");
        }
    }

    async fn try_to_give_up(
        &self,
        end: End,
        pieces: &Pieces,
        wrapped: &WrappedUnder,
    ) -> Result<(), NotGivenUp> {
        let Some(root_key) = self.store.root_key(wrapped.root_key).await? else {
            return Ok(());
        };
        let earlier = self.store.earlier_versions(root_key.id).await?.rows;
        let version = earlier
            .into_iter()
            .find(|earlier| earlier.version == wrapped.version);
        let root_key = version.map_or_else(|| root_key.clone(), |version| root_key.at(&version));
        let backend = self.root_keys.for_root(&root_key)?;
        pieces.forget(&*backend, &root_key, &wrapped.kek).await;
        if end == End::Destroy {
            pieces.discard(&*backend, &root_key, &wrapped.kek).await?;
        }
        Ok(())
    }
}

/// What is written of a key that is ended.
struct Ended {
    row: KeyRow,
    event: Event,
    /// What no client gets any more after the commit.
    held: Option<(Pieces, WrappedUnder)>,
}

/// Why a backend still has something.
#[derive(Debug, thiserror::Error)]
enum NotGivenUp {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    RootKey(#[from] root_key::Error),
}

/// Ends the object of a row, or says why it can't be.
pub(super) fn apply(end: End, row: &mut KeyRow, force: bool, now: DateTime) -> Result<(), NotEnded> {
    let state = row.object.state(now);
    let already = |row: &KeyRow| NotEnded::Already {
        key: row.object.id(),
        state: state.map_or_else(|| "destroyed".to_owned(), |state| state.to_string()),
    };
    if row.object.is_destroyed() {
        return Err(already(row));
    }
    let ended = match end {
        End::Revoke if matches!(state, Some(State::Deactivated | State::Compromised)) => {
            return Err(already(row));
        }
        End::Revoke => {
            let reason = RevocationReason {
                code: RevocationReasonCode::CessationOfOperation,
                message: None,
            };
            row.object.revoke(reason, None, now).map(drop)
        }
        End::Destroy if state == Some(State::Active) && !force => {
            return Err(NotEnded::Active { key: row.object.id() });
        }
        End::Destroy => match state {
            Some(_) => row.object.lose(now),
            None => row.object.destroy(now),
        },
    };
    ended.map_err(|error| NotEnded::Unfit(error.to_string()))?;
    if end == End::Destroy {
        row.wrapped = None;
    }
    Ok(())
}
