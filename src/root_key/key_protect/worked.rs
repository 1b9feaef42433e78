//! When requests under each root key last succeeded.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use uuid::Uuid;

/// The times, by the key's identifier in the key manager.
#[derive(Default)]
pub(super) struct Worked(Mutex<HashMap<Uuid, Instant>>);

impl Worked {
    /// One has succeeded.
    pub(super) fn now(&self, key: Uuid) {
        let mut times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        times.insert(key, Instant::now());
    }

    /// When one last did.
    pub(super) fn last(&self, key: Uuid) -> Option<Instant> {
        let times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        times.get(&key).copied()
    }
}
