//! Whether a store is whole: its log, its rows, and that its keys can be opened.

use std::collections::BTreeMap;

use crate::adapter::{Adapter, RootKey, RootKeyId};
use crate::custody::{Policy, SignedNote};
use crate::job::{self, Reading};
use crate::root_key::{self, Pieces, RootKeys};
use crate::store::{self, Database, Error as StoreError, KeyRow, Store, WrappedUnder, verify_log};

use super::Error;

/// Rows that are read at a time.
const BATCH: u32 = 256;
/// Checkpoints that are read at a time.
const CHECKPOINTS: u32 = 1024;
/// The most faults that are told in words.
const TOLD: usize = 100;

/// Why a root key is not to be had, where that is as it should be.
pub const DESTROYED: &str = "it is destroyed";

/// How many keys have their wrapping opened, by what holds their root key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unwrap {
    /// Every key.
    All,
    /// About so many, evenly among all.
    About(u64),
}

/// What was looked at, and what was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Records of the custody log, whose hashes were made again.
    pub records: u64,
    /// Checkpoints whose signatures were verified.
    pub checkpoints: u64,
    /// Rows of keys whose seals were verified, and which were compared with the log.
    pub keys: u64,
    /// Other rows whose seals were verified.
    pub rows: u64,
    /// Keys that were unwrapped.
    pub unwrapped: u64,
    /// Root keys that are not to be had, so that nothing of what depends on them was judged; why, in words.
    pub closed: Vec<String>,
    /// How many things are wrong.
    pub wrong: u64,
    /// Those, in words, up to a bound.
    pub faults: Vec<String>,
}

impl Checked {
    fn fault(&mut self, what: String) {
        self.wrong += 1;
        if self.faults.len() < TOLD {
            self.faults.push(what);
        }
    }

    /// What listings refused; what is under a root key that is closed is not judged.
    fn refused(&mut self, refused: Vec<StoreError>) {
        for error in refused {
            if !matches!(error, StoreError::SealKeyMissing { .. }) {
                self.fault(error.to_string());
            }
        }
    }
}

/// Looks at everything in a database that nobody writes to. `policy` has the keys by which checkpoints are believed; without it
/// no signature is verified.
pub async fn check(
    database: &Database,
    root_keys: &RootKeys,
    policy: Option<&Policy>,
    unwrap: Unwrap,
) -> Result<Checked, Error> {
    let reading = database.reading();
    let store = &*reading;
    let mut checked = Checked {
        records: verify_log(store).await?.size,
        ..Checked::default()
    };
    if let Some(policy) = policy {
        checkpoints(store, policy, &mut checked).await?;
    }
    open_root_keys(database, root_keys, &mut checked).await?;
    let adapters = identities(store, &mut checked).await?;
    let mut log = Reading::begin(store).await?;
    log.read_on(store).await?;
    let walk = Walk {
        store,
        root_keys,
        every: every(store, unwrap).await?,
    };
    for adapter in &adapters {
        walk.through(adapter, &mut log, &mut checked).await?;
    }
    let missing: Vec<_> = log.missing().collect();
    for (key, fault) in missing {
        // It may be under a root key that is closed.
        if !store.is_taken(key).await? {
            checked.fault(format!("key {key}: {fault}"));
        }
    }
    Ok(checked)
}

async fn checkpoints(store: &dyn Store, policy: &Policy, checked: &mut Checked) -> Result<(), Error> {
    let mut from = 0;
    loop {
        let page = store.custody_checkpoints(from, CHECKPOINTS).await?;
        let Some(last) = page.last() else { return Ok(()) };
        from = last.size + 1;
        for stored in page {
            let size = stored.size;
            checked.checkpoints += 1;
            let believed = stored
                .note
                .parse::<SignedNote>()
                .map_err(|error| error.to_string())
                .and_then(|note| policy.believe(&note).map_err(|error| error.to_string()));
            match believed {
                Err(why) => checked.fault(format!("the checkpoint over {size} records: {why}")),
                Ok(believed) => {
                    let head = believed.checkpoint.head;
                    let is_of_log = head.size == size && store::custody_root(store, size).await? == head.root;
                    if !is_of_log {
                        checked.fault(format!("the checkpoint over {size} records is not of this log"));
                    }
                }
            }
        }
    }
}

async fn open_root_keys(
    database: &Database,
    root_keys: &RootKeys,
    checked: &mut Checked,
) -> Result<(), Error> {
    let listing = database.reading().unverified_root_keys().await?;
    checked.refused(listing.refused);
    for row in listing.rows {
        let claimed = row.claimed().clone();
        match job::open(root_keys, database.seal_keys(), row).await {
            Ok(_) => checked.rows += 1,
            Err(job::Unusable::Row(error)) => checked.fault(error.to_string()),
            Err(_) if claimed.state.is_beyond_recall() => {
                checked.closed.push(format!("{}: {DESTROYED}", claimed.name));
            }
            Err(error) => checked.closed.push(format!("{}: {error}", claimed.name)),
        }
    }
    Ok(())
}

/// The seals of everything but keys.
async fn identities(store: &dyn Store, checked: &mut Checked) -> Result<Vec<Adapter>, Error> {
    let root_keys = store.root_keys().await?;
    checked.refused(root_keys.refused);
    for root_key in root_keys.rows {
        let versions = store.earlier_versions(root_key.id).await?;
        checked.rows += versions.rows.len() as u64;
        checked.refused(versions.refused);
    }
    let adapters = store.adapters().await?;
    checked.rows += adapters.rows.len() as u64;
    checked.refused(adapters.refused);
    for adapter in &adapters.rows {
        if let Err(error) = store.settings(adapter.id).await {
            checked.refused(vec![error]);
        }
    }
    let quotas = store.quotas().await?;
    checked.rows += quotas.rows.len() as u64;
    checked.refused(quotas.refused);
    let certificates = store.certificates(None).await?;
    checked.rows += certificates.rows.len() as u64;
    checked.refused(certificates.refused);
    let tokens = store.access_tokens().await?;
    checked.rows += tokens.rows.len() as u64;
    checked.refused(tokens.refused);
    Ok(adapters.rows)
}

/// Each how manieth key is unwrapped.
async fn every(store: &dyn Store, unwrap: Unwrap) -> Result<u64, Error> {
    Ok(match unwrap {
        Unwrap::All => 1,
        Unwrap::About(0) => u64::MAX,
        Unwrap::About(number) => {
            let counts = store.key_counts().await?;
            let keys: u64 = counts.values().map(|count| count.with_key).sum();
            keys.div_ceil(number).max(1)
        }
    })
}

/// The way through all keys.
struct Walk<'a> {
    store: &'a dyn Store,
    root_keys: &'a RootKeys,
    every: u64,
}

impl Walk<'_> {
    async fn through(
        &self,
        adapter: &Adapter,
        log: &mut Reading,
        checked: &mut Checked,
    ) -> Result<(), Error> {
        let mut known = BTreeMap::new();
        let mut after = None;
        let mut number: u64 = 0;
        loop {
            let page = self.store.locate(adapter.id, &[], after, BATCH).await?;
            checked.refused(page.refused);
            for row in &page.rows {
                checked.keys += 1;
                if let Some(Err(fault)) = row.facts().and_then(|facts| log.compare(&facts)) {
                    checked.fault(format!("key {}: {fault}", row.object.id()));
                }
                let Some(wrapped) = &row.wrapped else { continue };
                if number.is_multiple_of(self.every) && self.every < u64::MAX {
                    match self.unwrap(row, wrapped, &mut known).await? {
                        Ok(()) => checked.unwrapped += 1,
                        Err(why) => {
                            checked.fault(format!("key {} can't be unwrapped: {why}", row.object.id()));
                        }
                    }
                }
                number += 1;
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// Has what holds the root key open the key; it stays closed here.
    async fn unwrap(
        &self,
        row: &KeyRow,
        wrapped: &WrappedUnder,
        known: &mut BTreeMap<(RootKeyId, u32), RootKey>,
    ) -> Result<Result<(), String>, Error> {
        let place = (wrapped.root_key, wrapped.version);
        if !known.contains_key(&place)
            && let Some(root_key) = self.root_key(wrapped).await?
        {
            known.insert(place, root_key);
        }
        let (Some(root_key), Some(pieces)) = (known.get(&place), Pieces::of(&row.object)) else {
            return Ok(Err("its root key is not there".to_owned()));
        };
        let released = async {
            let backend = self.root_keys.for_root(root_key)?;
            pieces.release(&*backend, root_key, &wrapped.kek).await?;
            Ok::<_, root_key::Error>(())
        };
        Ok(released.await.map_err(|error| error.to_string()))
    }

    async fn root_key(&self, wrapped: &WrappedUnder) -> Result<Option<RootKey>, Error> {
        let Some(present) = self.store.root_key(wrapped.root_key).await? else {
            return Ok(None);
        };
        if present.version == wrapped.version {
            return Ok(Some(present));
        }
        let earlier = self.store.earlier_versions(present.id).await?.rows;
        let earlier = earlier.iter().find(|earlier| earlier.version == wrapped.version);
        Ok(earlier.map(|earlier| present.at(earlier)))
    }
}
