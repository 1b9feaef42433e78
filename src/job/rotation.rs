//! Rotation: every key that is under an earlier version of its root key is wrapped under the present one, on the device.
//!
//! There is no state beside the keys' own rows: what is still to be done is the keys that name an earlier version. So it
//! goes on by itself after any end of the server, and a key that was made under the old version while the root key was
//! being rotated is found too. Each key is one commit, with a record of its own that has the digest of its row: which key
//! is under which version is then a matter of the custody log alone. The recorder gathers the commits of a batch.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{OptionFuture, join};
use time::OffsetDateTime;

use super::pace::Pace;
use super::progress::Progress;
use super::replacing::{self, Under};
use crate::adapter::{RootKey, VersionState};
use crate::custody::{Actor, Event, EventName, ObjectFacts, RootKeyFacts};
use crate::kmip::ttlv::DateTime;
use crate::recorder::{self, Deletion, NotEntered, Recorder, root_key_facts};
use crate::root_key::{self, Pieces, RootKeys};
use crate::store::{self, Change, KeyRow, Store, WrappedUnder};

/// Keys that are read at a time.
const BATCH: u32 = 256;
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
    #[error(transparent)]
    NotEntered(#[from] NotEntered),
}

/// Whether the root key may not be used at all.
fn is_disabled(error: &recorder::Error) -> bool {
    matches!(error.store(), Some(store::Error::RootKeyUnusable { .. }))
}

/// The job that wraps keys under the present version of their root key.
pub struct Rotation {
    store: Arc<dyn Store>,
    recorder: Recorder,
    root_keys: RootKeys,
    progress: Progress,
}

impl Rotation {
    /// The job over this store and these root keys, which tells `progress` how far it is.
    pub fn new(store: Arc<dyn Store>, recorder: Recorder, root_keys: RootKeys, progress: Progress) -> Self {
        Self {
            store,
            recorder,
            root_keys,
            progress,
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

    /// Looks once at every key that is under an earlier version of a root key that is enabled.
    pub(super) async fn pass(&self) -> Result<(), store::Error> {
        for root_key in self.store.root_keys().await?.rows {
            if !root_key.state.is_enabled() {
                continue;
            }
            let earlier: Vec<RootKey> = self
                .store
                .earlier_versions(root_key.id)
                .await?
                .rows
                .iter()
                .filter(|version| version.state == VersionState::Kept)
                .map(|version| root_key.at(version))
                .collect();
            if !earlier.is_empty() {
                self.rotate(&root_key, &earlier).await?;
            }
        }
        Ok(())
    }

    async fn rotate(&self, root_key: &RootKey, earlier: &[RootKey]) -> Result<(), store::Error> {
        let backend = match self.root_keys.for_root(root_key) {
            Ok(backend) => backend,
            Err(error) => {
                tracing::warn!(root_key = %root_key.name, %error, "its keys stay under an earlier version");
                return Ok(());
            }
        };
        let job = Pace::at(backend);
        let (mut done, mut failed) = (0_u64, 0_u64);
        let read = async |after| {
            let version = root_key.version;
            self.store.keys_under(root_key.id, version, after, BATCH).await
        };
        let mut page = read(None).await?;
        loop {
            if !page.rows.is_empty() {
                self.progress.begin(root_key.id.uuid());
            }
            for error in page.refused {
                failed += 1;
                self.progress.failed(root_key.id.uuid());
                tracing::error!(%error, "a key stays under an earlier version of its root key");
            }
            let rewrap = |row| self.rewrap(root_key, earlier, &job, row);
            let ended = |outcome| {
                match outcome {
                    Ok(()) => done += 1,
                    // The root key was disabled meanwhile: that is all that is to be said of its keys.
                    Err(Failure::Recorder(error)) if is_disabled(&error) => return false,
                    Err(error) => {
                        failed += 1;
                        self.progress.failed(root_key.id.uuid());
                        tracing::warn!(root_key = %root_key.name, %error,
                            "a key stays under an earlier version of its root key; it is tried again");
                    }
                }
                true
            };
            // The device is not to wait until the next ones are read.
            let next = OptionFuture::from(page.next.map(|next| read(Some(next))));
            let (goes_on, next) = join(job.work(page.rows, rewrap, ended), next).await;
            if !goes_on {
                return Ok(());
            }
            match next {
                Some(next) => page = next?,
                None => break,
            }
        }
        if failed == 0 {
            self.progress.end(root_key.id.uuid());
        }
        if done + failed > 0 {
            tracing::info!(root_key = %root_key.name, version = root_key.version, done, failed,
                "keys were wrapped under the present version of their root key");
        }
        Ok(())
    }

    /// Wraps one key under the present version, and writes and records it. Where somebody else wrote the key meanwhile, it
    /// is left for the next look.
    async fn rewrap(
        &self,
        root_key: &RootKey,
        earlier: &[RootKey],
        pace: &Pace,
        mut row: KeyRow,
    ) -> Result<(), Failure> {
        let Some(wrapped) = row.wrapped.take() else {
            return Ok(());
        };
        let from = earlier.iter().find(|from| from.version == wrapped.version);
        let (Some(from), Some(pieces)) = (from, Pieces::of(&row.object)) else {
            return Ok(());
        };
        let backend = self.root_keys.for_root(root_key)?;
        let rewrapped = pace
            .ask(pieces.rewrap(&*backend, from, root_key, &wrapped.kek))
            .await;
        let kek = match rewrapped {
            Ok(kek) => kek,
            Err(error) => return self.enter_deletion(error).await,
        };
        let mut event = Event::new(EventName::KeyRewrap, Actor::Server)
            .detail("from_version", from.version.to_string())
            .detail("adapter_id", row.object.adapter().to_string());
        event.object = Some(ObjectFacts {
            identifier: row.object.id().hyphenated().to_string(),
            ..ObjectFacts::default()
        });
        event.root_key = Some(RootKeyFacts {
            wrap_profile: Some(kek.profile.name().to_owned()),
            ..root_key_facts(root_key)
        });
        row.wrapped = Some(WrappedUnder {
            root_key: root_key.id,
            version: root_key.version,
            kek: kek.clone(),
        });
        let changes = vec![Change::UseRootKey(root_key.id), Change::update_key(row)];
        let committed = self.recorder.commit(changes, event).await;
        let before = Under {
            root_key: from,
            kek: &wrapped.kek,
        };
        let after = Under { root_key, kek: &kek };
        replacing::give_up(&self.root_keys, &pieces, &committed, before, after).await;
        committed?;
        self.progress.rewrapped(root_key.id.uuid());
        Ok(())
    }

    /// A key that was deleted in the key manager is destroyed, and has no need of another version.
    async fn enter_deletion(&self, error: root_key::Error) -> Result<(), Failure> {
        let Some(deletion) = Deletion::of(&error) else {
            return Err(error.into());
        };
        let now = DateTime::from(OffsetDateTime::now_utc());
        let _ = self
            .recorder
            .enter_deletion(&*self.store, &self.root_keys, &deletion, now)
            .await?;
        Ok(())
    }
}
