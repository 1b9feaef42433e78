//! Relocation: the keys of an adapter follow it to the root key that it was put under: on the devices, or over the server's
//! locked memory where one of the root keys is on no device. Each record says which.
//!
//! As with a rotation, what is still to be done is told by the keys' own rows: those of the adapter that are under another
//! root key, or sealed by another, than the adapter's. So it goes on by itself after any end of the server. Each key is one
//! commit, with a record of its own; the row is sealed by the new root key in the same commit.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;

use super::pace::Pace;
use super::progress::Progress;
use super::replacing::{self, Under};
use crate::adapter::{Adapter, RootKey, RootKeyId};
use crate::custody::{Actor, AdapterFacts, Event, EventName, ObjectFacts, RootKeyFacts};
use crate::recorder::{self, Deletion, Recorder, root_key_facts};
use crate::root_key::{self, Pieces, RootKeys, Way};
use crate::store::{self, Change, KeyRow, Store, WrappedUnder};

/// Keys that are read at a time.
const BATCH: u32 = 256;
/// The longest wait for work that nobody tells of.
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
    #[error("there is no way from the root key that it is under; why was said before")]
    NoWay,
    #[error("it was deleted in the key manager where it lay, which could not be recorded: {0}")]
    DeletionNotEntered(recorder::NotEntered),
}

/// Whether the root key that keys go to may not be used at all.
fn is_disabled(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::Recorder(error) if matches!(error.store(), Some(store::Error::RootKeyUnusable { .. }))
    )
}

/// The job that moves keys.
pub(super) struct Relocation {
    store: Arc<dyn Store>,
    recorder: Recorder,
    root_keys: RootKeys,
    progress: Progress,
}

/// A root key that keys are moved from, at each of its versions, the present one first; and the way to the one that they are
/// moved to.
struct Source {
    versions: Vec<RootKey>,
    way: Way,
}

/// The root keys that keys are moved from; none for one that they can't be moved from now.
type Sources = HashMap<RootKeyId, Option<Source>>;

/// A move of one adapter's keys.
struct Move<'a> {
    adapter: &'a Adapter,
    to: &'a RootKey,
    sources: &'a Sources,
    pace: &'a Pace,
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
        let mut sources = HashMap::new();
        let moved = self.move_all(adapter, to, root_keys, &mut sources).await;
        for source in sources.into_values().flatten() {
            let [from, ..] = &source.versions[..] else {
                continue;
            };
            if let Err(error) = self.root_keys.close_way(from, &source.way).await {
                tracing::error!(adapter = %adapter.name, %error,
                    "the key that two devices have in common for a move could not be destroyed");
            }
        }
        moved
    }

    /// Moves all keys that can be moved now.
    async fn move_all(
        &self,
        adapter: &Adapter,
        to: &RootKey,
        root_keys: &[RootKey],
        sources: &mut Sources,
    ) -> Result<(), store::Error> {
        let (mut after, mut done, mut failed) = (None, 0_u64, 0_u64);
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
                self.reach(from.root_key, to, root_keys, sources).await;
            }
            let work = Move {
                adapter,
                to,
                sources,
                pace: &self.pace(to, sources),
            };
            let ended = |outcome| match outcome {
                Ok(()) => {
                    done += 1;
                    true
                }
                // That is all that is to be said of its keys.
                Err(error) if is_disabled(&error) => false,
                Err(error) => {
                    failed += 1;
                    self.progress.failed(adapter.id.uuid());
                    tracing::warn!(adapter = %adapter.name, %error, "a key is not moved yet; it is tried again");
                    true
                }
            };
            let relocate = |row| self.relocate_or_lose(&work, row);
            if !work.pace.work(page.rows, relocate, ended).await {
                return Ok(());
            }
            match page.next {
                Some(next) => after = Some(next),
                None => break,
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

    /// The pace at the backends that the keys come from and go to.
    fn pace(&self, to: &RootKey, sources: &Sources) -> Pace {
        let ways = sources.values().flatten();
        let mut names: BTreeSet<&str> = ways
            .flat_map(|source| &source.versions)
            .map(|from| from.backend.as_str())
            .collect();
        names.insert(&to.backend);
        let backends = names
            .into_iter()
            .filter_map(|name| self.root_keys.backend(name).ok());
        Pace::at_all(backends.collect())
    }

    /// Opens the way from a root key, once. Where that fails, no key is moved from there in this pass.
    async fn reach(&self, from: RootKeyId, to: &RootKey, root_keys: &[RootKey], sources: &mut Sources) {
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

    /// Moves one key. One that was deleted in the key manager where it lay is destroyed instead; what is left of it is moved at
    /// the next look.
    async fn relocate_or_lose(&self, work: &Move<'_>, row: KeyRow) -> Result<(), Failure> {
        let outcome = self.relocate_key(work, row).await;
        let Err(Failure::RootKey(error)) = &outcome else {
            return outcome;
        };
        let Some(deletion) = Deletion::of(error) else {
            return outcome;
        };
        let now = OffsetDateTime::now_utc().into();
        let entered = self
            .recorder
            .enter_deletion(&*self.store, &self.root_keys, &deletion, now);
        entered.await.map(|_| ()).map_err(Failure::DeletionNotEntered)
    }

    /// Moves one key, and writes and records it. Where somebody else wrote the key meanwhile, it is left for the next look.
    async fn relocate_key(&self, work: &Move<'_>, mut row: KeyRow) -> Result<(), Failure> {
        let Move { adapter, to, .. } = work;
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
        let mut replaced = None;
        // What has no key is sealed by the new root key, and no more.
        if let Some(wrapped) = row.wrapped.take_if(|wrapped| wrapped.root_key != to.id) {
            let Some(Some(source)) = work.sources.get(&wrapped.root_key) else {
                return Err(Failure::NoWay);
            };
            let from = source
                .versions
                .iter()
                .find(|from| from.version == wrapped.version)
                .ok_or(Failure::NoVersion)?;
            let Some(pieces) = Pieces::of(&row.object) else {
                return Ok(());
            };
            let brought = source.way.bring(from, &pieces, &wrapped.kek);
            let kek = work.pace.ask(brought).await?;
            event.root_key = Some(RootKeyFacts {
                wrap_profile: Some(kek.profile.name().to_owned()),
                ..root_key_facts(to)
            });
            event = event
                .detail("by", source.way.carrier().name())
                .detail("from_root_key", from.id.to_string())
                .detail("from_label", &from.label);
            changes.push(Change::UseRootKey(from.id));
            replaced = Some((pieces, from, wrapped.kek, kek.clone()));
            row.wrapped = Some(WrappedUnder {
                root_key: to.id,
                version: to.version,
                kek,
            });
        }
        changes.push(Change::update_key(row));
        let committed = self.recorder.commit(changes, event).await;
        if let Some((pieces, from, left, new)) = &replaced {
            let before = Under {
                root_key: from,
                kek: left,
            };
            let after = Under {
                root_key: to,
                kek: new,
            };
            replacing::give_up(&self.root_keys, pieces, &committed, before, after).await;
        }
        committed?;
        self.progress.rewrapped(adapter.id.uuid());
        Ok(())
    }
}
