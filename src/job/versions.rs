//! Root keys that somebody else has rotated: in the key manager's console, or by a rotation policy there. New keys go under
//! the new version at once, by the key manager's doing; here it is entered as one of ours is, so that the log has it and
//! [`Rotation`](super::Rotation) brings the other keys under it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{pending, select_all};
use time::OffsetDateTime;
use tokio::sync::{Mutex, OwnedMutexGuard, watch};

use crate::adapter::{RootKey, RootKeyOrigin};
use crate::custody::{Actor, Event, EventName};
use crate::recorder::{self, Recorder, root_key_facts};
use crate::root_key::{self, RootKeys};
use crate::store::{self, Change, Store};

/// How long a rotation may go unnoticed under a root key that wraps nothing meanwhile.
const REST: Duration = Duration::from_mins(1);

/// Why a version is not entered for now.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    RootKey(#[from] root_key::Error),
    #[error(transparent)]
    Recorder(#[from] recorder::Error),
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// The job that enters them. A clone is the same job.
#[derive(Clone)]
pub struct Versions {
    store: Arc<dyn Store>,
    recorder: Recorder,
    root_keys: RootKeys,
    alone: Arc<Mutex<()>>,
}

impl Versions {
    /// The job over this store and these root keys.
    pub fn new(store: Arc<dyn Store>, recorder: Recorder, root_keys: RootKeys) -> Self {
        Self {
            store,
            recorder,
            root_keys,
            alone: Arc::default(),
        }
    }

    /// Has no version entered as long as this is held: for who rotates a root key, from the backend's part to the commit.
    pub async fn hold(&self) -> OwnedMutexGuard<()> {
        Arc::clone(&self.alone).lock_owned().await
    }

    /// Works until it is dropped: at once, now and then, and whenever a backend has noticed another version.
    pub async fn run(self) {
        let mut noticed: Vec<_> = self
            .root_keys
            .names()
            .filter_map(|name| self.root_keys.backend(name).ok()?.other_versions())
            .collect();
        loop {
            for noticed in &mut noticed {
                noticed.mark_unchanged();
            }
            if let Err(error) = self.pass().await {
                tracing::error!(%error, "which versions root keys have can't be read; it is tried again");
            }
            tokio::select! {
                () = any_changes(&mut noticed) => {}
                () = tokio::time::sleep(REST) => {}
            }
        }
    }

    /// Looks once at every root key that is enabled.
    pub(super) async fn pass(&self) -> Result<(), store::Error> {
        for root_key in self.store.root_keys().await?.rows {
            if !root_key.state.is_enabled() {
                continue;
            }
            if let Err(error) = self.look(&root_key).await {
                tracing::warn!(root_key = %root_key.name, %error,
                    "whether it was rotated elsewhere is not known; it is tried again");
            }
        }
        Ok(())
    }

    async fn look(&self, root_key: &RootKey) -> Result<(), Failure> {
        let backend = self.root_keys.for_root(root_key)?;
        let differs = |found: &Option<Vec<u8>>, known: &RootKey| {
            found.as_ref().is_some_and(|found| *found != known.check_value)
        };
        if !differs(&backend.present_version(root_key).await?, root_key) {
            return Ok(());
        }
        // It may be one of ours, on its way into the store.
        let _alone = self.alone.lock().await;
        let Some(present) = self.store.root_key(root_key.id).await? else {
            return Ok(());
        };
        let found = backend.present_version(&present).await?;
        let Some(check_value) = found.filter(|found| differs(&Some(found.clone()), &present)) else {
            return Ok(());
        };
        let earlier = self.store.earlier_versions(present.id).await?.rows;
        if let Some(earlier) = earlier.iter().find(|earlier| earlier.check_value == check_value) {
            tracing::warn!(root_key = %present.name, version = earlier.version,
                "its backend calls an earlier version the present one; nothing is changed");
            return Ok(());
        }
        self.enter(present, check_value).await
    }

    /// Enters a version that was made elsewhere, with the seal key under it.
    async fn enter(&self, present: RootKey, check_value: Vec<u8>) -> Result<(), Failure> {
        let mut next = RootKey {
            version: present.version.saturating_add(1),
            check_value,
            origin: RootKeyOrigin::Adopted,
            ..present.clone()
        };
        next.seal_key = self.root_keys.rewrap_seal_key(&present, &next).await?;
        let mut event = Event::new(EventName::RootKeyRotate, Actor::Server)
            .detail("name", &next.name)
            .detail("rotated_in", "key-manager");
        event.root_key = Some(root_key_facts(&next));
        let now = OffsetDateTime::now_utc();
        let now = now.replace_microsecond(now.microsecond()).unwrap_or(now);
        let (name, version) = (next.name.clone(), next.version);
        let change = Change::RotateRootKey {
            superseded: present.superseded(now),
            root_key: next,
            from: present.state,
        };
        self.recorder.commit(vec![change], event).await?;
        tracing::info!(root_key = %name, version, "it was rotated in the key manager; its keys follow");
        Ok(())
    }
}

/// Returns when one of them has changed; never, where there is none that still can.
async fn any_changes(noticed: &mut [watch::Receiver<u64>]) {
    let changes: Vec<_> = noticed
        .iter_mut()
        .map(|noticed| {
            Box::pin(async {
                if noticed.changed().await.is_err() {
                    pending::<()>().await;
                }
            })
        })
        .collect();
    if changes.is_empty() {
        pending::<()>().await;
    }
    select_all(changes).await;
}
