//! The opening of a root key whose seal key is still closed: at a start, and when its backend has it back.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::adapter::{RootKey, RootKeyId};
use crate::root_key::{self, RootKeys};
use crate::store::{self, SealKey, SealKeys, UnverifiedRootKey};

/// Why a root key can't be used.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// What holds it failed, or has another key in its place.
    #[error(transparent)]
    Backend(#[from] root_key::Error),
    /// What holds it takes its time.
    #[error("what holds it has not answered yet")]
    Late,
    /// Its row is not the one that was written.
    #[error(transparent)]
    Row(#[from] store::Error),
}

impl Unusable {
    /// Whether it may be over later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Backend(error) => error.is_retryable(),
            Self::Late => true,
            Self::Row(_) => false,
        }
    }
}

/// Compares the key in its backend with the row, and opens the seal key under which the row itself is verified.
pub async fn open(
    root_keys: &RootKeys,
    seal_keys: &SealKeys,
    row: UnverifiedRootKey,
) -> Result<RootKey, Unusable> {
    let claimed = row.claimed();
    root_keys.for_root(claimed)?.verify(claimed).await?;
    let material = root_keys.release_seal_key(claimed).await?;
    let key = SealKey::filled_by(|place| material.open_into(place))?;
    Ok(seal_keys.admit(row, key)?)
}

/// The root keys whose seal keys are not open, and why: nothing of their rows can be trusted. A clone is the same.
#[derive(Clone, Default)]
pub struct ClosedRootKeys(Arc<Mutex<BTreeMap<RootKeyId, (RootKey, String)>>>);

impl ClosedRootKeys {
    /// What the last try failed with.
    pub fn remember(&self, claimed: &RootKey, why: &Unusable) {
        self.all().insert(claimed.id, (claimed.clone(), why.to_string()));
    }

    /// It is open.
    pub fn forget(&self, root_key: RootKeyId) {
        self.all().remove(&root_key);
    }

    /// What the rows claim of them, and why each is not open.
    pub fn told(&self) -> Vec<(RootKey, String)> {
        self.all().values().cloned().collect()
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<RootKeyId, (RootKey, String)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
