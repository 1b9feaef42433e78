//! What of the configuration has changed since the start, and works only after a restart.

use std::sync::{Arc, Mutex, PoisonError};

/// The sections and keys that wait for a restart; clones are the same list.
#[derive(Clone, Debug, Default)]
pub struct NeedsRestart(Arc<Mutex<Vec<String>>>);

impl NeedsRestart {
    /// These wait for it now, and no others.
    pub fn replace(&self, names: Vec<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = names;
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
