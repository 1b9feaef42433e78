//! What stands against the renewal of the server's certificate, for whoever asks.

use std::sync::{Arc, Mutex, PoisonError};

/// Why the last renewal failed. Clones share one.
#[derive(Clone, Debug, Default)]
pub struct RenewalTrouble(Arc<Mutex<Option<String>>>);

impl RenewalTrouble {
    /// The last renewal failed, for this reason.
    pub fn is(&self, why: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
    }

    /// The last renewal went well.
    pub fn is_over(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Why the last renewal failed; none where it went well, or there was none.
    pub fn told(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
