//! Wrapped keys that lie in the key manager itself, and which no row names: what an item has had made and then could not
//! keep, and what it has put something else in the place of. They are given up there, after the commit that decides it.
//!
//! What is not given up, because the key manager is away or the server was killed, is found by the scan
//! (`job::inventory`).

use std::sync::Arc;

use super::item::Item;
use super::refusal::Refusal;
use super::services::Services;
use crate::adapter::RootKey;
use crate::key::WrappedKek;
use crate::recorder::Entered;
use crate::root_key::{Pieces, RootKeyBackend};
use crate::store::WrappedUnder;

/// What becomes of an item, or of a batch that is one commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It is recorded.
    Done,
    /// Nothing of it has happened.
    Undone,
    /// Nobody knows yet.
    Unknown,
}

impl End {
    /// The end of what was refused.
    pub(super) const fn of(refusal: &Refusal) -> Self {
        if refusal.is_unknown() {
            Self::Unknown
        } else {
            Self::Undone
        }
    }
}

/// The wrapped keys of an item that will be named by no row, once its end is known.
#[derive(Default)]
pub(super) struct Loose {
    /// Where nothing of it happens.
    made: Vec<Lying>,
    /// Where it is recorded.
    replaced: Vec<Lying>,
}

/// A value that lies in the key manager, or some pieces of it do.
struct Lying {
    backend: Arc<dyn RootKeyBackend>,
    root_key: RootKey,
    pieces: Pieces,
    wrapped: WrappedKek,
}

impl Lying {
    /// None where all of it lies in the store.
    fn find(services: &Services, root_key: &RootKey, pieces: Pieces, wrapped: &WrappedKek) -> Option<Self> {
        let backend = services.root_keys.for_root(root_key).ok()?;
        if pieces.kept_there(&*backend, root_key, wrapped).is_empty() {
            return None;
        }
        Some(Self {
            backend,
            root_key: root_key.clone(),
            pieces,
            wrapped: wrapped.clone(),
        })
    }

    async fn give_up(self) {
        let given_up = self.pieces.discard(&*self.backend, &self.root_key, &self.wrapped);
        if let Err(error) = given_up.await {
            tracing::warn!(backend = %self.root_key.backend, %error,
                "a wrapped key that is not needed any more stays in the key manager, where the next scan finds it");
        }
    }
}

impl Loose {
    /// A value was wrapped, and no row names it before the commit.
    pub(super) fn made(
        &mut self,
        services: &Services,
        root_key: &RootKey,
        pieces: Pieces,
        wrapped: &WrappedKek,
    ) {
        self.made.extend(Lying::find(services, root_key, pieces, wrapped));
    }

    /// No row names the value any more after the commit.
    pub(super) async fn replaced(&mut self, services: &Services, pieces: Pieces, wrapped: &WrappedUnder) {
        // Whether the root key is enabled does not matter to that, nor which version it was.
        if let Ok(root_key) = services.any_root_key(wrapped.root_key).await {
            self.replaced
                .extend(Lying::find(services, &root_key, pieces, &wrapped.kek));
        }
    }

    /// What was replaced is not, after all: the commit is tried anew with what is there then.
    pub(super) fn keep_replaced(&mut self) {
        self.replaced.clear();
    }

    /// Takes on what an item of the same commit left.
    pub(super) fn join(&mut self, other: Self) {
        self.made.extend(other.made);
        self.replaced.extend(other.replaced);
    }

    /// Gives up what no row names after this end.
    pub(super) async fn settle(self, end: End) {
        let loose = match end {
            End::Done => self.replaced,
            End::Undone => self.made,
            End::Unknown => return,
        };
        for lying in loose {
            lying.give_up().await;
        }
    }

    /// Gives up what was made so far: it is made anew.
    pub(super) async fn give_up_made(&mut self) {
        for lying in std::mem::take(&mut self.made) {
            lying.give_up().await;
        }
    }
}

impl Item<'_> {
    /// Comes to the end of an item: enters that a key was deleted in the key manager, where that was found, and gives up what
    /// no row names. What comes of it is the answer.
    pub(super) async fn settle<T>(&mut self, result: Result<T, Refusal>) -> Result<T, Refusal> {
        self.leave_renewal().await;
        let loose = std::mem::take(&mut self.loose);
        match result {
            Ok(done) => {
                match self.staged {
                    Some(staged) => staged.join(loose),
                    None => loose.settle(End::Done).await,
                }
                Ok(done)
            }
            Err(refusal) => {
                loose.settle(End::of(&refusal)).await;
                Err(self.enter_deletion(refusal).await)
            }
        }
    }

    /// The refusal that the client hears, after the deletion that caused it is recorded.
    async fn enter_deletion(&self, refusal: Refusal) -> Refusal {
        let Some(deletion) = refusal.deletion() else {
            return refusal;
        };
        let services = self.services;
        let entered =
            services
                .recorder
                .enter_deletion(&*services.store, &services.root_keys, deletion, self.now());
        let object = deletion.binding.object.hyphenated().to_string();
        let wraps = self.event.details.get("wrapping_key") == Some(&object);
        match entered.await {
            Ok(Entered::Destroyed | Entered::Already) if wraps => Refusal::wrapping_key_destroyed(),
            Ok(Entered::Destroyed | Entered::Already) => Refusal::value_destroyed(),
            // It was wrapped anew meanwhile, and what was deleted is what it was before.
            Ok(Entered::Nothing) => Refusal::busy(),
            Err(error) => {
                tracing::error!(object = %deletion.binding.object, %error,
                    "that a key was deleted in the key manager could not be recorded");
                refusal
            }
        }
    }
}
