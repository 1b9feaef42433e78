//! What was read of the store and verified, kept at hand until the recorder says that any of its kind has changed.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::adapter::{AdapterId, Credentials, Quota, RootKey, RootKeyId};
use crate::store::{Error, Settings};

/// Rows that many requests need and few change.
pub(super) struct AtHand {
    changed: watch::Receiver<u64>,
    rows: Mutex<Rows>,
}

/// Rows, of the time at which the recorder's number was this.
#[derive(Default)]
struct Rows {
    as_of: u64,
    kinds: Kinds,
}

/// The rows of each kind by what they are found by.
#[derive(Default)]
pub(super) struct Kinds {
    pub(super) root_keys: HashMap<RootKeyId, Arc<RootKey>>,
    pub(super) root_key_of: HashMap<AdapterId, Arc<RootKeyId>>,
    pub(super) settings: HashMap<AdapterId, Arc<Settings>>,
    pub(super) quotas: HashMap<AdapterId, Arc<Quota>>,
    pub(super) credentials: HashMap<AdapterId, Arc<Credentials>>,
}

impl AtHand {
    /// Nothing yet. `changed` grows with each change of what is kept here.
    pub(super) fn new(changed: watch::Receiver<u64>) -> Self {
        Self {
            changed,
            rows: Mutex::default(),
        }
    }

    /// The row of this key; read, and kept, where it is not at hand. None where there is none.
    pub(super) async fn get<K, V>(
        &self,
        kind: impl Fn(&mut Kinds) -> &mut HashMap<K, Arc<V>>,
        key: K,
        read: impl AsyncFnOnce() -> Result<Option<V>, Error>,
    ) -> Result<Option<Arc<V>>, Error>
    where
        K: Eq + Hash,
    {
        let as_of = {
            let mut rows = self.rows();
            if let Some(row) = kind(&mut rows.kinds).get(&key) {
                return Ok(Some(Arc::clone(row)));
            }
            rows.as_of
        };
        let Some(row) = read().await?.map(Arc::new) else {
            return Ok(None);
        };
        let mut rows = self.rows();
        // What was read before a change is not kept after it.
        if rows.as_of == as_of {
            kind(&mut rows.kinds).insert(key, Arc::clone(&row));
        }
        Ok(Some(row))
    }

    /// The rows, emptied where they may have changed.
    fn rows(&self) -> MutexGuard<'_, Rows> {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let now = *self.changed.borrow();
        if rows.as_of != now {
            *rows = Rows {
                as_of: now,
                kinds: Kinds::default(),
            };
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(byte: u8) -> Settings {
        Settings {
            defaults: Some(vec![byte]),
            ..Settings::default()
        }
    }

    #[tokio::test]
    async fn what_was_read_before_a_change_is_not_served_after_it() {
        let (change, changed) = watch::channel(0);
        let at_hand = AtHand::new(changed);
        let adapter = AdapterId::from(uuid::Uuid::now_v7());
        let read = async |read: Settings, changes: bool| {
            let row = at_hand.get(
                |kinds| &mut kinds.settings,
                adapter,
                async || {
                    if changes {
                        change.send_modify(|number| *number += 1);
                    }
                    Ok(Some(read))
                },
            );
            row.await
                .expect("it is read")
                .expect("it is there")
                .as_ref()
                .clone()
        };
        assert_eq!(read(settings(1), true).await, settings(1));
        assert_eq!(
            read(settings(2), false).await,
            settings(2),
            "the change came after the first was read"
        );
        assert_eq!(read(settings(3), false).await, settings(2), "it is at hand");
        change.send_modify(|number| *number += 1);
        assert_eq!(read(settings(4), false).await, settings(4));
    }
}
