//! What goes on in the background: keys are wrapped anew or moved, root keys and their versions destroyed. The home of
//! readiness, reconciliation and inventory too.

mod comparison;
mod destruction;
mod ending;
pub mod feed;
mod identities;
mod inventory;
mod key_list;
mod ledger;
mod opening;
mod pace;
mod progress;
mod readiness;
mod relocation;
mod replacing;
mod retention;
mod rotation;
#[cfg(test)]
mod tests;
mod turn;
mod unused;
mod versions;

use std::sync::Arc;

use tokio::task::JoinSet;

pub use comparison::{Compared, Comparison, RowFinding};
pub use destruction::{Destroyer, Failure};
pub use ending::{End, Ending, NotEnded};
pub use feed::{FeedStatus, Feeds};
pub use identities::IdentityFinding;
pub use inventory::{Findings, Inventory};
pub use key_list::{KeyList, KeyListLine, KeyListStatus, KeyLists, KeyOrder, Verdict};
pub use ledger::{LedgerError, Reading};
pub use opening::{ClosedRootKeys, Unusable, open};
pub use progress::{Progress, RotationProgress};
pub use readiness::Readiness;
pub use retention::{Archive, Prunable, Retention, RetentionError, RetentionPolicy};
pub use rotation::Rotation;
pub use turn::Turn;
pub use unused::{Horizon, LastFetch, UnusedError, UnusedKey, UnusedPage};
pub use versions::Versions;

use relocation::Relocation;

use crate::recorder::Recorder;
use crate::root_key::RootKeys;
use crate::store::Store;

/// The jobs of a server, and what others may know of them. A clone is the same jobs.
#[derive(Clone)]
pub struct Jobs {
    /// How far the re-wrapping of keys is, by root key, and their move, by adapter.
    pub progress: Progress,
    /// What destroys root keys and versions.
    pub destroyer: Destroyer,
    /// The root keys whose seal keys are not open, and why.
    pub closed: ClosedRootKeys,
    /// What compares the wrapped keys in key managers with the rows.
    pub inventory: Inventory,
    /// What revokes and destroys single keys for administrators.
    pub ending: Ending,
    /// What does so by a list.
    pub key_lists: KeyLists,
    /// What compares the rows of keys with the custody log.
    pub comparison: Comparison,
    /// What enters versions of root keys that were made elsewhere.
    pub versions: Versions,
    /// What takes away what is to go of the custody log.
    pub retention: Retention,
    /// How the live feeds of the custody log do.
    pub feeds: Feeds,
    store: Arc<dyn Store>,
    recorder: Recorder,
    root_keys: RootKeys,
}

impl Jobs {
    /// The jobs over this store and these root keys. None of them runs yet.
    pub fn new(store: Arc<dyn Store>, recorder: Recorder, root_keys: RootKeys) -> Self {
        let ending = Ending::new(Arc::clone(&store), recorder.clone(), root_keys.clone());
        Self {
            key_lists: KeyLists::new(Arc::clone(&store), recorder.clone(), ending.clone()),
            ending,
            progress: Progress::default(),
            feeds: Feeds::default(),
            closed: ClosedRootKeys::default(),
            inventory: Inventory::new(Arc::clone(&store), recorder.clone(), root_keys.clone()),
            retention: Retention::new(Arc::clone(&store), recorder.clone()),
            comparison: Comparison::new(Arc::clone(&store), recorder.clone()),
            versions: Versions::new(Arc::clone(&store), recorder.clone(), root_keys.clone()),
            destroyer: Destroyer::new(Arc::clone(&store), recorder.clone(), root_keys.clone()),
            store,
            recorder,
            root_keys,
        }
    }

    /// Starts the jobs, each as a task of the set. Each goes on by itself after any end of the server, so it can be ended at any time.
    pub fn start_in(&self, running: &mut JoinSet<()>) {
        let rotation = Rotation::new(
            Arc::clone(&self.store),
            self.recorder.clone(),
            self.root_keys.clone(),
            self.progress.clone(),
        );
        let relocation = Relocation::new(
            Arc::clone(&self.store),
            self.recorder.clone(),
            self.root_keys.clone(),
            self.progress.clone(),
        );
        running.spawn(rotation.run());
        running.spawn(relocation.run());
        running.spawn(self.destroyer.clone().run());
        running.spawn(self.versions.clone().run());
        running.spawn(self.inventory.clone().run());
        running.spawn(self.comparison.clone().run());
        running.spawn(self.retention.clone().run());
    }
}
