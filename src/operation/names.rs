//! Names are unique in an adapter (KMIP 1.4, section 3.2), also when two requests give the same one at once.

use std::hash::{BuildHasher, RandomState};

use tokio::sync::{Mutex, MutexGuard};
use uuid::Uuid;

use super::item::Item;
use super::refusal::Refusal;
use super::undo::Staged;
use crate::adapter::AdapterId;
use crate::key::{IndexTerm, ManagedObject};
use crate::kmip::attribute::{AttributeValue, Name};
use crate::store::KeyRow;

/// How many names can be given at once without waiting, about.
const SHARDS: u64 = 64;
/// How many rows are read at a time.
const PAGE: u32 = 64;

/// Held from the look whether a name is free until the object that has it is written.
pub(super) struct NameLocks {
    shards: Vec<Mutex<()>>,
    hash: RandomState,
}

impl NameLocks {
    pub(super) fn new() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::new(())).collect(),
            hash: RandomState::new(),
        }
    }

    /// Waits until nobody else is giving any name at all.
    pub(super) async fn hold_every(&self) -> Vec<MutexGuard<'_, ()>> {
        let mut held = Vec::with_capacity(self.shards.len());
        for shard in &self.shards {
            held.push(shard.lock().await);
        }
        held
    }

    /// Waits until nobody else is giving one of these names.
    async fn hold(&self, adapter: AdapterId, names: &[Name]) -> Vec<MutexGuard<'_, ()>> {
        let mut shards: Vec<_> = names
            .iter()
            .map(|name| usize::try_from(self.hash.hash_one((adapter, name)) % SHARDS).unwrap_or(0))
            .collect();
        // Each waits for them in the same order, so that no two wait for each other.
        shards.sort_unstable();
        shards.dedup();
        let mut held = Vec::with_capacity(shards.len());
        for shard in shards {
            held.push(self.shards[shard].lock().await);
        }
        held
    }
}

/// Waits until nobody else is giving one of these names in the adapter.
pub(super) async fn hold<'a>(item: &Item<'a>, names: &[Name]) -> Vec<MutexGuard<'a, ()>> {
    match item.staged {
        // The batch holds them all.
        Some(_) => Vec::new(),
        None => item.services.names.hold(item.caller.adapter, names).await,
    }
}

/// Refuses names that an object of the adapter has already, other than `but`. A destroyed object no longer counts.
pub(super) async fn require_free(
    item: &Item<'_>,
    names: &[Name],
    but: Option<Uuid>,
    refusal: impl Fn(&Name) -> Refusal,
) -> Result<(), Refusal> {
    for name in names {
        let taken = find(item, name, |object| {
            !object.is_destroyed() && Some(object.id()) != but
        });
        if taken.await?.is_some() {
            return Err(refusal(name));
        }
    }
    Ok(())
}

/// An object of the adapter that has this name and is one that is wanted.
pub(super) async fn find(
    item: &Item<'_>,
    name: &Name,
    wanted: impl Fn(&ManagedObject) -> bool,
) -> Result<Option<KeyRow>, Refusal> {
    let is_meant = |row: &KeyRow| row.object.names().contains(name) && wanted(&row.object);
    let staged = item.staged.map(Staged::rows).unwrap_or_default();
    if let Some(row) = staged.into_iter().find(is_meant) {
        return Ok(Some(row));
    }
    let is_staged = |row: &KeyRow| {
        item.staged
            .is_some_and(|staged| staged.row(row.object.id()).is_some())
    };
    let terms: Vec<_> = IndexTerm::of(&AttributeValue::Name(name.clone()))
        .into_iter()
        .collect();
    let mut after = None;
    loop {
        let page = item
            .services
            .store
            .locate(item.caller.adapter, &terms, after, PAGE)
            .await
            .map_err(|error| Refusal::of_store(&error))?;
        // A row that another hand changed might have the name: what it says is not believed either way.
        if let Some(error) = page.refused.first() {
            return Err(Refusal::of_store(error));
        }
        let found = page.rows.into_iter().find(|row| is_meant(row) && !is_staged(row));
        match (found, page.next) {
            (Some(row), _) => return Ok(Some(row)),
            (None, Some(next)) => after = Some(next),
            (None, None) => return Ok(None),
        }
    }
}
