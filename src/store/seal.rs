//! The seal of a row: HMAC-SHA-256 over all its columns.
//!
//! What is hashed: the text `claviger row 1`, the table's name and the columns in the order of the table, each
//! preceded by its length (eight bytes, big-endian), so that no two rows give the same input; a column that is NULL
//! has the length 2^64 - 1 and no bytes. Integers are eight bytes, big-endian.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use claviger_hsm::memory::LockedBuffer;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use crate::adapter::{RootKey, RootKeyId};
use crate::custody::Hash;

use super::Error;

const DOMAIN: &[u8] = b"claviger row 1";

/// The key that seals the rows of one root key. In locked memory; neither shown nor copied.
pub struct SealKey(LockedBuffer);

impl SealKey {
    /// How many bytes it has.
    pub const LENGTH: usize = 32;

    /// A seal key that `fill` writes into its final place, so that it is in no other.
    pub fn filled_by<E>(fill: impl FnOnce(&mut [u8]) -> Result<(), E>) -> Result<Self, E> {
        let mut key = LockedBuffer::zeroed(Self::LENGTH);
        fill(key.as_mut_slice())?;
        Ok(Self(key))
    }
}

/// The seal keys that are open, by root key. A clone is the same registry.
#[derive(Clone, Default)]
pub struct SealKeys(Arc<RwLock<HashMap<RootKeyId, Arc<SealKey>>>>);

impl SealKeys {
    /// A registry without a key.
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens the seal key of a root key that is being made. For one that is in the store use [`admit`](Self::admit).
    pub fn insert(&self, root_key: RootKeyId, key: SealKey) {
        self.write().insert(root_key, Arc::new(key));
    }

    /// Opens the seal key of a root key that was read, once it is known to fit: the row is verified under it.
    pub fn admit(&self, row: UnverifiedRootKey, key: SealKey) -> Result<RootKey, Error> {
        row.columns.verify(&key, &row.seal, &row.claimed.id.to_string())?;
        self.insert(row.claimed.id, key);
        Ok(row.claimed)
    }

    /// Closes the seal key of a root key, as when making it failed in the end.
    pub fn remove(&self, root_key: RootKeyId) {
        self.write().remove(&root_key);
    }

    /// Whether the seal key of this root key is open.
    pub fn contains(&self, root_key: RootKeyId) -> bool {
        self.get(root_key).is_ok()
    }

    pub(super) fn get(&self, root_key: RootKeyId) -> Result<Arc<SealKey>, Error> {
        let keys = self.0.read().unwrap_or_else(PoisonError::into_inner);
        keys.get(&root_key)
            .cloned()
            .ok_or(Error::SealKeyMissing { root_key })
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, HashMap<RootKeyId, Arc<SealKey>>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A root key as the database claims it. Its seal key is wrapped in the row itself, so nothing of the row can be
/// trusted until the device has opened that and [`SealKeys::admit`] has verified the row under it.
pub struct UnverifiedRootKey {
    pub(super) claimed: RootKey,
    pub(super) columns: Columns,
    pub(super) seal: Vec<u8>,
}

impl UnverifiedRootKey {
    /// What the row says: enough to find the key on its device and open the seal key, and to be used for nothing else.
    pub const fn claimed(&self) -> &RootKey {
        &self.claimed
    }
}

/// The columns of a row in the form that is sealed.
pub(super) struct Columns {
    table: &'static str,
    bytes: Vec<u8>,
}

impl Columns {
    pub(super) fn of(table: &'static str) -> Self {
        let columns = Self {
            table,
            bytes: Vec::with_capacity(1024),
        };
        columns.blob(DOMAIN).text(table)
    }

    pub(super) fn blob(mut self, value: &[u8]) -> Self {
        self.bytes.extend_from_slice(&(value.len() as u64).to_be_bytes());
        self.bytes.extend_from_slice(value);
        self
    }

    pub(super) fn text(self, value: &str) -> Self {
        self.blob(value.as_bytes())
    }

    pub(super) fn integer(self, value: i64) -> Self {
        self.blob(&value.to_be_bytes())
    }

    /// A column that may be NULL; `write` is for one that is not.
    pub(super) fn optional<T>(mut self, value: Option<T>, write: impl FnOnce(Self, T) -> Self) -> Self {
        if let Some(value) = value {
            return write(self, value);
        }
        self.bytes.extend_from_slice(&u64::MAX.to_be_bytes());
        self
    }

    /// A column that the table got later, at the end: left out where it is NULL, so that earlier rows keep their seal. What
    /// stands before it has its length in front, so that one that another hand sets or takes out breaks the seal.
    pub(super) fn added(self, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.text(value),
            None => self,
        }
    }

    /// The digest of the row, which the custody log keeps.
    pub(super) fn digest(&self) -> Hash {
        Hash(Sha256::digest(&self.bytes).into())
    }

    pub(super) fn seal(&self, key: &SealKey) -> [u8; 32] {
        self.mac(key).finalize().into_bytes().into()
    }

    /// Compares in constant time.
    pub(super) fn verify(&self, key: &SealKey, seal: &[u8], id: &str) -> Result<(), Error> {
        self.mac(key).verify_slice(seal).map_err(|_| Error::Tampered {
            table: self.table,
            id: id.to_owned(),
            what: "its seal does not fit its columns".into(),
        })
    }

    fn mac(&self, key: &SealKey) -> Hmac<Sha256> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(key.0.as_slice()).expect("HMAC takes a key of any length");
        mac.update(&self.bytes);
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::suite::fixture::seal_key;

    #[test]
    fn bytes_cannot_be_moved_from_one_column_to_the_next() {
        let sealed =
            |first: &str, second: &str| Columns::of("adapter").text(first).text(second).seal(&seal_key(1));
        assert_ne!(sealed("ab", "c"), sealed("a", "bc"));
        assert_ne!(sealed("", "abc"), sealed("abc", ""));
        let empty = Columns::of("adapter").optional(Some(&b""[..]), Columns::blob);
        let null = Columns::of("adapter").optional(None::<&[u8]>, Columns::blob);
        assert_ne!(empty.seal(&seal_key(1)), null.seal(&seal_key(1)));
        assert_ne!(
            Columns::of("adapter").seal(&seal_key(1)),
            Columns::of("root_key").seal(&seal_key(1))
        );
    }
}
