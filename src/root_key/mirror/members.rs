//! The members of a mirror: what is under way at each, and for which root keys it is away.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use claviger_hsm::Error as DeviceError;
use tokio::sync::Notify;

use crate::adapter::{RootKey, RootKeyId};
use crate::root_key::{Error, RootKeyBackend};

/// All members of one mirror.
pub(super) struct Members {
    mirror: String,
    all: Vec<Member>,
    /// Where the search for the least busy member begins: with the next one each time.
    turn: AtomicUsize,
    /// Told when a member is away that was not before.
    pub(super) lost: Notify,
}

/// One member.
pub(super) struct Member {
    name: String,
    backend: Arc<dyn RootKeyBackend>,
    under_way: AtomicUsize,
    away: Mutex<BTreeMap<Version, Away>>,
}

/// A version of a root key.
type Version = (RootKeyId, u32);

/// For a root key that a member does not serve.
#[derive(Clone)]
pub(super) struct Away {
    pub(super) root_key: RootKey,
    pub(super) why: Error,
}

/// A member that a request may be sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) index: usize,
    pub(super) is_away: bool,
}

/// A request under way at a member, until it is dropped.
pub(super) struct Counted<'a>(&'a AtomicUsize);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn version(root_key: &RootKey) -> Version {
    (root_key.id, root_key.version)
}

impl Members {
    pub(super) fn new(mirror: &str, members: Vec<(String, Arc<dyn RootKeyBackend>)>) -> Self {
        let member = |(name, backend)| Member {
            name,
            backend,
            under_way: AtomicUsize::new(0),
            away: Mutex::default(),
        };
        Self {
            mirror: mirror.to_owned(),
            all: members.into_iter().map(member).collect(),
            turn: AtomicUsize::new(0),
            lost: Notify::new(),
        }
    }

    pub(super) fn mirror(&self) -> &str {
        &self.mirror
    }

    pub(super) fn get(&self, index: usize) -> &Member {
        &self.all[index]
    }

    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = &Member> {
        self.all.iter()
    }

    /// All members in the order in which they are asked: those that serve all of these root keys, the least busy first,
    /// then the others.
    pub(super) fn for_request(&self, root_keys: &[&RootKey]) -> Vec<Candidate> {
        let count = self.all.len();
        let first = self.turn.fetch_add(1, Ordering::Relaxed);
        let mut candidates: Vec<_> = (0..count)
            .map(|offset| {
                let index = first.wrapping_add(offset) % count;
                Candidate {
                    index,
                    is_away: self.all[index].is_away(root_keys),
                }
            })
            .collect();
        // Stable: of those that are equally busy, the one whose turn it is.
        candidates.sort_by_key(|candidate| {
            let under_way = &self.all[candidate.index].under_way;
            (candidate.is_away, under_way.load(Ordering::Relaxed))
        });
        candidates
    }

    /// Asks a member no more for these root keys until it is taken back.
    pub(super) fn lose(&self, index: usize, root_keys: &[&RootKey], why: &Error) {
        let member = &self.all[index];
        for root_key in root_keys {
            let away = Away {
                root_key: (*root_key).clone(),
                why: why.clone(),
            };
            if member.away().insert(version(root_key), away).is_none() {
                tracing::warn!(
                    mirror = %self.mirror, member = %member.name, root_key = %root_key.name, version = root_key.version,
                    error = %why, "a member of the mirror does not serve: the others do in its place"
                );
                self.lost.notify_one();
            }
        }
    }

    /// Asks a member for this root key again.
    pub(super) fn take_back(&self, member: &Member, root_key: &RootKey) {
        if member.away().remove(&version(root_key)).is_some() {
            tracing::info!(
                mirror = %self.mirror, member = %member.name, root_key = %root_key.name, version = root_key.version,
                "a member of the mirror serves again"
            );
        }
    }

    /// What is said of a member that has not answered while another has.
    pub(super) fn silent(&self, index: usize) -> Error {
        Error::Device {
            backend: self.all[index].name.clone(),
            source: DeviceError::Deadline,
        }
    }
}

impl Member {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn backend(&self) -> &dyn RootKeyBackend {
        &*self.backend
    }

    /// The same, for somebody who keeps it.
    pub(super) fn shared(&self) -> Arc<dyn RootKeyBackend> {
        Arc::clone(&self.backend)
    }

    /// Counts a request as under way until what it returns is dropped.
    pub(super) fn count(&self) -> Counted<'_> {
        self.under_way.fetch_add(1, Ordering::Relaxed);
        Counted(&self.under_way)
    }

    /// The root keys that it does not serve.
    pub(super) fn all_away(&self) -> Vec<Away> {
        self.away().values().cloned().collect()
    }

    /// Remembers why it is still away.
    pub(super) fn still_away(&self, root_key: &RootKey, why: Error) {
        if let Some(away) = self.away().get_mut(&version(root_key)) {
            away.why = why;
        }
    }

    /// Why it does not serve a root key, for a person; none where it serves all.
    pub(super) fn trouble(&self) -> Option<String> {
        let away = self.away();
        let Away { root_key, why } = away.values().next()?;
        Some(format!("it does not serve root key {}: {why}", root_key.name))
    }

    fn is_away(&self, root_keys: &[&RootKey]) -> bool {
        let away = self.away();
        root_keys
            .iter()
            .any(|root_key| away.contains_key(&version(root_key)))
    }

    fn away(&self) -> MutexGuard<'_, BTreeMap<Version, Away>> {
        self.away.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
