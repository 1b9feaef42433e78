//! Relocation: the keys of an adapter follow it to the root key that it was put under, on the devices.
//!
//! As with a rotation, what is still to be done is told by the keys' own rows: those of the adapter that are under another
//! root key, or sealed by another, than the adapter's. So it goes on by itself after any end of the server. Each key is one
//! commit, with a record of its own; the row is sealed by the new root key in the same commit.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};

use super::progress::Progress;
use crate::adapter::{Adapter, RootKey, RootKeyId};
use crate::custody::{Actor, AdapterFacts, Event, EventName, ObjectFacts, RootKeyFacts};
use crate::recorder::{self, Recorder, root_key_facts};
use crate::root_key::{self, Pieces, RootKeys, Way};
use crate::store::{self, Change, KeyRow, Store, WrappedUnder};

const BATCH: u32 = 64;
/// Keys that are at the devices or at the recorder at a time: few, so that releases pass between them.
const AT_ONCE: usize = 4;
const REST: Duration = Duration::from_secs(30);

/// Why a key stays where it is for now.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    RootKey(#[from] root_key::Error),
    #[error(transparent)]
    Recorder(#[from] recorder::Error),
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error("the version of the root key that it is under is not known")]
    NoVersion,
}

/// The job that moves keys.
pub(super) struct Relocation {
    store: Arc<dyn Store>,
    recorder: Recorder,
    root_keys: RootKeys,
    progress: Progress,
}

/// A root key that keys are moved from, at each of its versions, and the way to the one that they are moved to.
struct Source {
    versions: Vec<RootKey>,
    way: Way,
}

impl Relocation {
    pub(super) fn new(
        store: Arc<dyn Store>,
        recorder: Recorder,
        root_keys: RootKeys,
        progress: Progress,
    ) -> Self {
        Self {
            store,
            recorder,
            root_keys,
            progress,
        }
    }

    /// Works until it is dropped: at once, and again whenever an adapter may have been moved.
    pub(super) async fn run(self) {
        let mut changes = self.recorder.subscribe();
        self.sweep().await;
        loop {
            changes.mark_unchanged();
            if let Err(error) = self.pass().await {
                tracing::error!(%error, "what is to be moved can't be read; it is tried again");
            }
            tokio::select! {
                told = changes.changed() => if told.is_err() { return },
                () = tokio::time::sleep(REST) => {}
            }
        }
    }

    /// Destroys the keys that two devices have in common from a move that a kill has ended.
    async fn sweep(&self) {
        let Ok(root_keys) = self.store.root_keys().await else {
            return;
        };
        for from in &root_keys.rows {
            for to in &root_keys.rows {
                if let Err(error) = self.root_keys.sweep(from, to).await {
                    tracing::warn!(from = %from.name, to = %to.name, %error,
                        "whether an earlier move has left a key on the devices can't be found out");
                }
            }
        }
    }

    /// Looks once at every adapter.
    pub(super) async fn pass(&self) -> Result<(), store::Error> {
        let root_keys = self.store.root_keys().await?.rows;
        for adapter in self.store.adapters().await?.rows {
            let to = root_keys.iter().find(|root_key| root_key.id == adapter.root_key);
            if let Some(to) = to
                && to.state.is_enabled()
            {
                self.relocate(&adapter, to, &root_keys).await?;
            }
        }
        Ok(())
    }

    async fn relocate(
        &self,
        adapter: &Adapter,
        to: &RootKey,
        root_keys: &[RootKey],
    ) -> Result<(), store::Error> {
        let (mut after, mut done, mut failed) = (None, 0_u64, 0_u64);
        let mut sources = HashMap::new();
        loop {
            let page = self.store.keys_to_move(adapter.id, to.id, after, BATCH).await?;
            if !page.rows.is_empty() {
                self.progress.begin(adapter.id.uuid());
            }
            for error in page.refused {
                failed += 1;
                tracing::error!(adapter = %adapter.name, %error, "a key is not moved");
            }
            for from in page.rows.iter().filter_map(|row| row.wrapped.as_ref()) {
                self.reach(from.root_key, to, root_keys, &mut sources).await;
            }
            let (sources, moved) = (&sources, page.rows);
            let outcomes: Vec<_> = stream::iter(moved)
                .map(|row| self.relocate_key(adapter, to, sources, row))
                .buffer_unordered(AT_ONCE)
                .collect()
                .await;
            for outcome in outcomes {
                match outcome {
                    Ok(()) => done += 1,
                    Err(error) => {
                        failed += 1;
                        self.progress.failed(adapter.id.uuid());
                        tracing::warn!(adapter = %adapter.name, %error, "a key is not moved yet; it is tried again");
                    }
                }
            }
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        for source in sources.into_values().flatten() {
            if let Err(error) = self.root_keys.close_way(&source.way).await {
                tracing::error!(adapter = %adapter.name, %error,
                    "the key that two devices have in common for a move could not be destroyed");
            }
        }
        if failed == 0 {
            self.progress.end(adapter.id.uuid());
        }
        if done + failed > 0 {
            tracing::info!(adapter = %adapter.name, root_key = %to.name, done, failed, "keys were moved to another root key");
        }
        Ok(())
    }

    /// Opens the way from a root key, once. Where that fails, no key is moved from there in this pass.
    async fn reach(
        &self,
        from: RootKeyId,
        to: &RootKey,
        root_keys: &[RootKey],
        sources: &mut HashMap<RootKeyId, Option<Source>>,
    ) {
        if from == to.id || sources.contains_key(&from) {
            return;
        }
        let found = root_keys
            .iter()
            .find(|root_key| root_key.id == from && root_key.state.is_enabled());
        let source = match found {
            None => None,
            Some(root_key) => self
                .source(root_key, to)
                .await
                .inspect_err(|error| {
                    tracing::error!(from = %root_key.name, to = %to.name, %error, "keys can't be moved between these now");
                })
                .ok(),
        };
        sources.insert(from, source);
    }

    async fn source(&self, from: &RootKey, to: &RootKey) -> Result<Source, Failure> {
        let mut versions = vec![from.clone()];
        let earlier = self.store.earlier_versions(from.id).await?.rows;
        versions.extend(earlier.iter().map(|version| from.at(version)));
        let way = self.root_keys.open_way(from, to).await?;
        Ok(Source { versions, way })
    }

    /// Moves one key, and writes and records it. Where somebody else wrote the key meanwhile, it is left for the next look.
    async fn relocate_key(
        &self,
        adapter: &Adapter,
        to: &RootKey,
        sources: &HashMap<RootKeyId, Option<Source>>,
        mut row: KeyRow,
    ) -> Result<(), Failure> {
        let mut event = Event::new(EventName::KeyMove, Actor::Server);
        event.adapter = Some(AdapterFacts {
            id: adapter.id.uuid(),
            name: adapter.name.clone(),
        });
        event.object = Some(ObjectFacts {
            identifier: row.object.id().hyphenated().to_string(),
            ..ObjectFacts::default()
        });
        event.root_key = Some(root_key_facts(to));
        let mut changes = vec![Change::UseRootKey(to.id)];
        let mut left = None;
        // What has no key is sealed by the new root key, and no more.
        if let Some(wrapped) = row.wrapped.take_if(|wrapped| wrapped.root_key != to.id) {
            let Some(Some(source)) = sources.get(&wrapped.root_key) else {
                return Err(Failure::NoVersion);
            };
            let from = source
                .versions
                .iter()
                .find(|from| from.version == wrapped.version)
                .ok_or(Failure::NoVersion)?;
            let Some(pieces) = Pieces::of(&row.object) else {
                return Ok(());
            };
            let kek = self
                .root_keys
                .bring(&source.way, from, &pieces, &wrapped.kek)
                .await?;
            event.root_key = Some(RootKeyFacts {
                wrap_profile: Some(kek.profile.name().to_owned()),
                ..root_key_facts(to)
            });
            event = event
                .detail("from_root_key", from.id.to_string())
                .detail("from_label", &from.label);
            changes.push(Change::UseRootKey(from.id));
            left = Some((from, pieces, wrapped.kek));
            row.wrapped = Some(WrappedUnder {
                root_key: to.id,
                version: to.version,
                kek,
            });
        }
        changes.push(Change::update_key(row));
        self.recorder.commit(changes, event).await?;
        if let Some((from, pieces, kek)) = left {
            let backend = self.root_keys.for_root(from)?;
            pieces.forget(&*backend, from, &kek).await;
        }
        self.progress.rewrapped(adapter.id.uuid());
        Ok(())
    }
}
