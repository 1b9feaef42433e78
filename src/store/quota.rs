//! How much an adapter may have, beside what it has.

use crate::adapter::Quota;

/// The quota of an adapter, and how many keys it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaUse {
    /// What it may have.
    pub quota: Quota,
    /// How many objects with key bytes it has; counted where the quota bounds them.
    pub keys: Option<u64>,
}

impl QuotaUse {
    /// The most keys that it may have, where it has no fewer.
    pub fn full(&self) -> Option<u64> {
        let (most, keys) = self.quota.keys.zip(self.keys)?;
        (keys >= most).then_some(most)
    }
}
