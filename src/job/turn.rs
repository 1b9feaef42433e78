//! What one of the servers that share a store does at a time.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::store::Store;

/// So long after its last word a server is taken for gone, and what it did is taken on by another.
const TERM: Duration = Duration::from_secs(10);
/// So often it says that it is there.
const PACE: Duration = Duration::from_secs(2);

/// Whose turn it is to do something. Where the store is one server's alone, it is always its own. A clone is of the same holder.
#[derive(Clone)]
pub struct Turn {
    store: Arc<dyn Store>,
    name: String,
    holder: String,
    until: Instant,
}

impl Turn {
    /// The turn at what is called `name`, which this `holder` has not taken yet. Each start of a server is another holder.
    pub fn new(store: Arc<dyn Store>, name: impl Into<String>, holder: impl Into<String>) -> Self {
        Self {
            store,
            name: name.into(),
            holder: holder.into(),
            until: Instant::now(),
        }
    }

    /// Takes it where nobody has it, or goes on with it; whether it is this holder's.
    pub async fn take(&mut self) -> bool {
        let asked = Instant::now();
        match self.store.lease(&self.name, &self.holder, TERM).await {
            Ok(true) => self.until = asked + TERM,
            Ok(false) => self.until = asked,
            Err(error) => tracing::warn!(%error, turn = %self.name, "whose turn it is can't be settled"),
        }
        Instant::now() < self.until
    }

    /// Waits until it may be asked for again.
    pub async fn rest(&self) {
        sleep(PACE).await;
    }

    /// Goes on with it, and returns when it is another's.
    pub async fn lost(&mut self) {
        loop {
            self.rest().await;
            if !self.take().await {
                return;
            }
        }
    }

    /// Leaves it to another at once, where it is this holder's.
    pub async fn give_up(&self) {
        if let Err(error) = self.store.lease(&self.name, &self.holder, Duration::ZERO).await {
            tracing::debug!(%error, turn = %self.name, "another takes it on once the term is over");
        }
    }
}
