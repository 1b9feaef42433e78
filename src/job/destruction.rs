//! Destruction: of an earlier version of a root key, and of a root key as a whole.
//!
//! Each is in two commits, with the device between them. The first says, in the custody log, that it will be done; from
//! then on no key can come under what is destroyed, and nobody can stop it. Then the key is destroyed on the token and
//! looked for; then the second commit says that it is gone. What breaks off in between is found by its state and carried
//! on: every step on the device can be repeated.
//!
//! # What is left of a root key
//!
//! The first commit of a whole root key's destruction puts a last version in place, which was made for that and wraps the
//! seal key alone, never a key of a client. All versions before it are destroyed. So the rows that are left, of adapters,
//! certificates and unreadable keys, can still be told from forged ones, and clients can still be told what happened.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use time::OffsetDateTime;

use crate::adapter::{
    Destruction, RootKey, RootKeyId, RootKeyOrigin, RootKeyState, RootKeyVersion, VersionState,
};
use crate::custody::{Actor, Event, EventName};
use crate::recorder::{self, Recorder, approver, root_key_facts};
use crate::root_key::{self, RootKeyBackend, RootKeys, is_same_key};
use crate::store::{self, Change, Store};

/// The longest wait for work that nobody tells of: what failed before is tried again then.
const REST: Duration = Duration::from_secs(30);

/// Why a destruction is not at its end yet.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The device did not do its part.
    #[error(transparent)]
    RootKey(#[from] root_key::Error),
    /// A step could not be recorded.
    #[error(transparent)]
    Recorder(#[from] recorder::Error),
    /// What is to be destroyed can't be read.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The device has another token than the one that has the root key.
    #[error("the device has another token now than the one that the root key is on")]
    OtherToken,
}

/// The job that destroys. A clone is the same job.
#[derive(Clone)]
pub struct Destroyer {
    store: Arc<dyn Store>,
    recorder: Recorder,
    root_keys: RootKeys,
    /// One look at a time, whoever asks for it.
    alone: Arc<tokio::sync::Mutex<()>>,
    failures: Arc<Mutex<BTreeMap<RootKeyId, String>>>,
}

impl Destroyer {
    pub(super) fn new(store: Arc<dyn Store>, recorder: Recorder, root_keys: RootKeys) -> Self {
        Self {
            store,
            recorder,
            root_keys,
            alone: Arc::default(),
            failures: Arc::default(),
        }
    }

    /// Works until it is dropped: at once, when something may have changed, and when a destruction is due.
    pub(super) async fn run(self) {
        let mut changes = self.recorder.subscribe();
        loop {
            changes.mark_unchanged();
            let now = OffsetDateTime::now_utc();
            let rest = match self.work(now).await {
                Ok(Some(next)) => Duration::try_from(next - now).unwrap_or(Duration::ZERO).min(REST),
                Ok(None) => REST,
                Err(error) => {
                    tracing::error!(%error, "which root keys are to be destroyed can't be read; it is tried again");
                    REST
                }
            };
            tokio::select! {
                told = changes.changed() => if told.is_err() { return },
                () = tokio::time::sleep(rest) => {}
            }
        }
    }

    /// Does once what is to be done at this time. Returns when the next destruction is due.
    pub async fn work(&self, now: OffsetDateTime) -> Result<Option<OffsetDateTime>, store::Error> {
        let _alone = self.alone.lock().await;
        let mut next: Option<OffsetDateTime> = None;
        for root_key in self.store.root_keys().await?.rows {
            let done = match &root_key.state {
                RootKeyState::Scheduled(destruction) if destruction.is_due(now) => {
                    self.destroy(&root_key, destruction, now).await
                }
                RootKeyState::Scheduled(Destruction {
                    approved_by: Some(_),
                    due_at,
                    ..
                }) => {
                    next = Some(next.map_or(*due_at, |next| next.min(*due_at)));
                    Ok(())
                }
                RootKeyState::Destroying => self.finish(&root_key, now).await,
                _ => Ok(()),
            };
            let done = match done {
                Ok(()) => self.destroy_versions(&root_key, now).await,
                failed => failed,
            };
            self.remember(&root_key, done.err());
        }
        Ok(next)
    }

    /// Why the last look did not bring a destruction of this root key, or of a version of it, to its end.
    pub fn failure(&self, root_key: RootKeyId) -> Option<String> {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.get(&root_key).cloned()
    }

    fn remember(&self, root_key: &RootKey, failure: Option<Failure>) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        match failure {
            None => {
                failures.remove(&root_key.id);
            }
            Some(error) => {
                tracing::error!(root_key = %root_key.name, %error,
                    "a destruction did not reach its end; it is tried again");
                failures.insert(root_key.id, error.to_string());
            }
        }
    }

    /// Begins the destruction of a whole root key, and carries it out.
    async fn destroy(
        &self,
        root_key: &RootKey,
        destruction: &Destruction,
        now: OffsetDateTime,
    ) -> Result<(), Failure> {
        let backend = self.root_keys.for_root(root_key)?;
        // A key manager where it was disabled, since this began or by another hand, would not give up the seal key.
        backend.enable(root_key).await?;
        let version = root_key.version.saturating_add(1);
        let mut last = RootKey {
            version,
            label: RootKey::label_of(&root_key.name, version),
            check_value: Vec::new(),
            state: RootKeyState::Destroying,
            origin: RootKeyOrigin::Generated,
            ..root_key.clone()
        };
        // A try that broke off before its commit left one there that wraps nothing.
        backend.destroy(&last).await?;
        let begun = match self.prepare(&*backend, root_key, &mut last).await {
            Ok(()) => self.begin(root_key, &last, destruction, now).await,
            failed => failed,
        };
        if let Err(error) = begun {
            // Where it may have been committed, it is the present version.
            if !matches!(
                error,
                Failure::Recorder(ref error) if error.is_outcome_unknown()
            ) {
                backend.destroy(&last).await?;
            }
            return Err(error);
        }
        self.finish(&last, now).await
    }

    /// Makes the last version, and puts the seal key under it.
    async fn prepare(
        &self,
        backend: &dyn RootKeyBackend,
        root_key: &RootKey,
        last: &mut RootKey,
    ) -> Result<(), Failure> {
        let made = backend.create(last).await?;
        if made.token_serial != root_key.token_serial {
            return Err(Failure::OtherToken);
        }
        last.label = made.label;
        last.check_value = made.check_value;
        last.seal_key = self.root_keys.rewrap_seal_key(root_key, last).await?;
        Ok(())
    }

    /// From this commit on there is no way back.
    async fn begin(
        &self,
        root_key: &RootKey,
        last: &RootKey,
        destruction: &Destruction,
        now: OffsetDateTime,
    ) -> Result<(), Failure> {
        let keys: u64 = self.store.keys_by_version(root_key.id).await?.values().sum();
        let mut event = Event::new(EventName::RootKeyDestroy, Actor::Server)
            .detail("name", &root_key.name)
            .detail("keys", keys.to_string())
            .detail("requested_by", &destruction.requested_by.user);
        event.approvers = destruction.approved_by.iter().map(approver).collect();
        event.root_key = Some(root_key_facts(root_key));
        let change = Change::RotateRootKey {
            root_key: last.clone(),
            superseded: root_key.superseded(now),
            from: root_key.state.clone(),
        };
        self.recorder.commit(vec![change], event).await?;
        Ok(())
    }

    /// Destroys every version but the last, and records that they are gone.
    async fn finish(&self, root_key: &RootKey, now: OffsetDateTime) -> Result<(), Failure> {
        let backend = self.root_keys.for_root(root_key)?;
        let mut event = Event::new(EventName::RootKeyDestroyed, Actor::Server).detail("name", &root_key.name);
        event.root_key = Some(root_key_facts(root_key));
        let mut labels = Vec::new();
        for version in self.versions(root_key).await? {
            backend.destroy(&root_key.at(&version)).await?;
            labels.push(version.label);
        }
        let change = Change::SetRootKeyState {
            root_key: root_key.id,
            from: RootKeyState::Destroying,
            to: RootKeyState::Destroyed { at: now },
        };
        let event = event.detail("destroyed", labels.join(" "));
        self.recorder.commit(vec![change], event).await?;
        tracing::warn!(root_key = %root_key.name, "a root key is destroyed");
        Ok(())
    }

    /// Carries out the destruction of versions that was begun.
    async fn destroy_versions(&self, root_key: &RootKey, now: OffsetDateTime) -> Result<(), Failure> {
        let versions = self.versions(root_key).await?;
        for version in &versions {
            if version.state != VersionState::Destroying {
                continue;
            }
            let gone = root_key.at(version);
            let backend = self.root_keys.for_root(&gone)?;
            // A version may be a key of its own also in a backend that destroys versions together.
            let is_alone = !is_same_key(&gone, root_key)
                && versions.iter().all(|other| {
                    other.version == version.version || !is_same_key(&gone, &root_key.at(other))
                });
            if is_alone {
                backend.destroy(&gone).await?;
            } else {
                backend.destroy_version(&gone).await?;
            }
            let mut event =
                Event::new(EventName::RootKeyVersionDestroyed, Actor::Server).detail("name", &root_key.name);
            event.root_key = Some(root_key_facts(&gone));
            let change = Change::SetVersionState {
                root_key: root_key.id,
                version: version.version,
                from: VersionState::Destroying,
                to: VersionState::Destroyed { at: now },
            };
            self.recorder.commit(vec![change], event).await?;
            tracing::warn!(root_key = %root_key.name, version = version.version, "a version of a root key is destroyed");
        }
        Ok(())
    }

    /// All earlier versions. One that can't be trusted stops the work: nobody would know what to destroy.
    async fn versions(&self, root_key: &RootKey) -> Result<Vec<RootKeyVersion>, store::Error> {
        let mut listing = self.store.earlier_versions(root_key.id).await?;
        match listing.refused.pop() {
            Some(error) => Err(error),
            None => Ok(listing.rows),
        }
    }
}
