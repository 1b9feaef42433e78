//! Rotation: every key that is under an earlier version of its root key is wrapped under the present one, on the device.
//!
//! There is no state beside the keys' own rows: what is still to be done is the keys that name an earlier version. So it
//! goes on by itself after any end of the server, and a key that was made under the old version while the root key was
//! being rotated is found too. Each key is one commit, with a record of its own that has the digest of its row: which key
//! is under which version is then a matter of the custody log alone. The recorder gathers the commits of a batch.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};

use crate::adapter::RootKey;
use crate::custody::{Actor, Event, EventName, ObjectFacts, RootKeyFacts};
use crate::recorder::{self, Recorder};
use crate::root_key::{self, RootKeys};
use crate::store::{self, Change, KeyRow, Store, WrappedUnder};

/// Keys that are read at a time.
const BATCH: u32 = 64;
/// Keys that are at the device or at the recorder at a time: few, so that releases pass between them.
const AT_ONCE: usize = 4;
/// The longest wait for work that nobody tells of: a key that was made while its root key was rotated, or one that could
/// not be wrapped before.
const REST: Duration = Duration::from_secs(30);

/// Why a key stays under its earlier version for now.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    RootKey(#[from] root_key::Error),
    #[error(transparent)]
    Recorder(#[from] recorder::Error),
}

/// The job that wraps keys under the present version of their root key.
pub struct Rotation {
    store: Arc<dyn Store>,
    recorder: Recorder,
    root_keys: RootKeys,
}

impl Rotation {
    /// The job over this store and these root keys.
    pub fn new(store: Arc<dyn Store>, recorder: Recorder, root_keys: RootKeys) -> Self {
        Self {
            store,
            recorder,
            root_keys,
        }
    }

    /// Works until it is dropped: at once, and again whenever a root key may have been rotated.
    pub async fn run(self) {
        let mut changes = self.recorder.subscribe();
        loop {
            changes.mark_unchanged();
            if let Err(error) = self.pass().await {
                tracing::error!(%error, "what a rotation has to do can't be read; it is tried again");
            }
            tokio::select! {
                told = changes.changed() => if told.is_err() { return },
                () = tokio::time::sleep(REST) => {}
            }
        }
    }

    /// Looks once at every key that is under an earlier version.
    async fn pass(&self) -> Result<(), store::Error> {
        for root_key in self.store.root_keys().await?.rows {
            let earlier: Vec<RootKey> = self
                .store
                .earlier_versions(root_key.id)
                .await?
                .rows
                .iter()
                .map(|version| root_key.at(version))
                .collect();
            if !earlier.is_empty() {
                self.rotate(&root_key, &earlier).await?;
            }
        }
        Ok(())
    }

    async fn rotate(&self, root_key: &RootKey, earlier: &[RootKey]) -> Result<(), store::Error> {
        let (mut after, mut done, mut failed) = (None, 0_u64, 0_u64);
        loop {
            let page = self
                .store
                .keys_under(root_key.id, root_key.version, after, BATCH)
                .await?;
            for error in page.refused {
                failed += 1;
                tracing::error!(%error, "a key stays under an earlier version of its root key");
            }
            let outcomes: Vec<_> = stream::iter(page.rows)
                .map(|row| self.rewrap(root_key, earlier, row))
                .buffer_unordered(AT_ONCE)
                .collect()
                .await;
            for outcome in outcomes {
                match outcome {
                    Ok(()) => done += 1,
                    Err(error) => {
                        failed += 1;
                        tracing::warn!(root_key = %root_key.name, %error,
                            "a key stays under an earlier version of its root key; it is tried again");
                    }
                }
            }
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        if done + failed > 0 {
            tracing::info!(root_key = %root_key.name, version = root_key.version, done, failed,
                "keys were wrapped under the present version of their root key");
        }
        Ok(())
    }

    /// Wraps one key under the present version, and writes and records it. Where somebody else wrote the key meanwhile, it
    /// is left for the next look.
    async fn rewrap(&self, root_key: &RootKey, earlier: &[RootKey], mut row: KeyRow) -> Result<(), Failure> {
        let Some(wrapped) = row.wrapped.take() else {
            return Ok(());
        };
        let from = earlier.iter().find(|from| from.version == wrapped.version);
        let (Some(from), Some(specification)) = (from, root_key::specification(&row.object)) else {
            return Ok(());
        };
        let backend = self.root_keys.for_root(root_key)?;
        let kek = backend
            .rewrap(from, root_key, specification, &wrapped.kek)
            .await?;
        let mut event = Event::new(EventName::KeyRewrap, Actor::Server)
            .detail("from_version", from.version.to_string())
            .detail("adapter_id", row.object.adapter().to_string());
        event.object = Some(ObjectFacts {
            identifier: row.object.id().hyphenated().to_string(),
            ..ObjectFacts::default()
        });
        event.root_key = Some(RootKeyFacts {
            id: root_key.id.uuid(),
            backend: root_key.backend.clone(),
            token_serial: root_key.token_serial.clone(),
            label: root_key.label.clone(),
            version: root_key.version,
            wrap_profile: Some(kek.profile.name().to_owned()),
            release_profile: None,
        });
        row.wrapped = Some(WrappedUnder {
            root_key: root_key.id,
            version: root_key.version,
            kek,
        });
        self.recorder.commit(vec![Change::update_key(row)], event).await?;
        backend.forget(from, Some(&wrapped.kek)).await;
        Ok(())
    }
}
