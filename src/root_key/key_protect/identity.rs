//! Which key of the key manager a root key is, and which version of it: the check value that is recorded with it.

use uuid::Uuid;

use super::Error;
use crate::adapter::RootKey;

/// A version of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) key: Uuid,
    pub(super) version: Uuid,
}

impl Identity {
    /// The check value: the sixteen bytes of the key's identifier, then those of the version's.
    pub(super) fn check_value(self) -> Vec<u8> {
        [self.key.into_bytes(), self.version.into_bytes()].concat()
    }

    /// What the facts of a root key say, which must be of this instance.
    pub(super) fn of(root_key: &RootKey, instance: &str) -> Result<Self, Error> {
        is_of(root_key, instance)?;
        let check_value = &root_key.check_value;
        let (key, version) = check_value
            .split_first_chunk::<16>()
            .and_then(|(key, version)| Some((key, <[u8; 16]>::try_from(version).ok()?)))
            .ok_or_else(|| Error::NotOfKeyManager {
                name: root_key.name.clone(),
                bytes: check_value.len(),
            })?;
        Ok(Self {
            key: Uuid::from_bytes(*key),
            version: Uuid::from_bytes(version),
        })
    }
}

/// A root key that was made, or taken up, in another instance is none of this one.
pub(super) fn is_of(root_key: &RootKey, instance: &str) -> Result<(), Error> {
    let expected = &root_key.token_serial;
    if expected.is_empty() || expected == instance {
        return Ok(());
    }
    Err(Error::OtherInstance {
        name: root_key.name.clone(),
        expected: expected.clone(),
        found: instance.to_owned(),
    })
}
