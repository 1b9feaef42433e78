//! When each root key last did its work: what real requests prove need not be tried.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use crate::key::RootKeyLocator;

/// The times, in milliseconds since the start.
pub(super) struct Proofs {
    start: Instant,
    times: RwLock<HashMap<RootKeyLocator, AtomicU64>>,
}

impl Default for Proofs {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            times: RwLock::default(),
        }
    }
}

impl Proofs {
    /// A request under this root key has succeeded.
    pub(super) fn worked(&self, root: &RootKeyLocator) {
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        let times = self.times.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(time) = times.get(root) {
            time.store(now, Ordering::Relaxed);
            return;
        }
        drop(times);
        let mut times = self.times.write().unwrap_or_else(PoisonError::into_inner);
        times.insert(root.clone(), AtomicU64::new(now));
    }

    pub(super) fn last(&self, root: &RootKeyLocator) -> Option<Instant> {
        let times = self.times.read().unwrap_or_else(PoisonError::into_inner);
        let time = times.get(root)?.load(Ordering::Relaxed);
        Some(self.start + Duration::from_millis(time))
    }
}
