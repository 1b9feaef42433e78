//! When requests under each root key last succeeded, and when one last found a root key that can't be used.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::Error;

/// So long a root key in trouble is worth a closer look at all.
const RECENT: Duration = Duration::from_secs(2);

/// The times, by the key's identifier in the key manager.
#[derive(Default)]
pub(super) struct Worked(Mutex<Times>);

#[derive(Default)]
struct Times {
    worked: HashMap<Uuid, Instant>,
    /// When a root key that is disabled, deleted or the like was last met.
    troubled: Option<Instant>,
}

impl Worked {
    /// One has succeeded.
    pub(super) fn now(&self, key: Uuid) {
        self.times().worked.insert(key, Instant::now());
    }

    /// Notes what came of a request under a root key, and passes it on.
    pub(super) fn noted<T>(&self, key: Uuid, outcome: Result<T, Error>) -> Result<T, Error> {
        if outcome.is_ok() {
            self.now(key);
        }
        self.met(key, outcome)
    }

    /// Notes where a root key can't be used, and passes on what came of a request.
    pub(super) fn met<T>(&self, key: Uuid, outcome: Result<T, Error>) -> Result<T, Error> {
        if outcome
            .as_ref()
            .is_err_and(|error| error.root_key_trouble().is_some())
        {
            let mut times = self.times();
            times.worked.remove(&key);
            times.troubled = Some(Instant::now());
        }
        outcome
    }

    /// When one last succeeded.
    pub(super) fn last(&self, key: Uuid) -> Option<Instant> {
        self.times().worked.get(&key).copied()
    }

    /// Whether a request has met a root key that can't be used, a moment ago.
    pub(super) fn has_met_trouble(&self) -> bool {
        let troubled = self.times().troubled;
        troubled.is_some_and(|at| at.elapsed() < RECENT)
    }

    fn times(&self) -> MutexGuard<'_, Times> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
