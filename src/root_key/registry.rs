//! The backends of the configuration, by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Error, KeySpecification, Material, RootKeyBackend};
use crate::adapter::{RootKey, WrappedBytes};
use crate::key::{WrapProfile, WrappedKek};

/// The backends by their names in the configuration. A cheap handle.
#[derive(Clone, Default)]
pub struct RootKeys {
    backends: Arc<BTreeMap<String, Arc<dyn RootKeyBackend>>>,
}

impl RootKeys {
    /// The backends with their names. Of two with one name the later counts.
    pub fn new(backends: Vec<(String, Arc<dyn RootKeyBackend>)>) -> Self {
        Self {
            backends: Arc::new(backends.into_iter().collect()),
        }
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.backends.keys().map(String::as_str)
    }

    /// The backend of a name.
    ///
    /// Fails with [`Error::BackendUnknown`] where the configuration has none.
    pub fn backend(&self, name: &str) -> Result<Arc<dyn RootKeyBackend>, Error> {
        let backend = self.backends.get(name).map(Arc::clone);
        backend.ok_or_else(|| Error::BackendUnknown {
            backend: name.to_owned(),
        })
    }

    /// The backend that holds a root key.
    ///
    /// Fails with [`Error::BackendUnknown`] where the configuration no longer has it.
    pub fn for_root(&self, root_key: &RootKey) -> Result<Arc<dyn RootKeyBackend>, Error> {
        self.backend(&root_key.backend)
    }

    /// Makes a seal key for the rows of a root key, wrapped under it.
    pub async fn make_seal_key(&self, root_key: &RootKey) -> Result<WrappedBytes, Error> {
        let made = self
            .for_root(root_key)?
            .generate(root_key, KeySpecification::of_seal_key(root_key))
            .await?;
        Ok(WrappedBytes {
            profile: made.wrapped.profile.name().to_owned(),
            bytes: made.wrapped.bytes,
        })
    }

    /// Wraps the seal key of `from` under `to`, another version of it: the seal key itself stays the same, and with it every
    /// seal.
    pub async fn rewrap_seal_key(&self, from: &RootKey, to: &RootKey) -> Result<WrappedBytes, Error> {
        let moved = self
            .for_root(from)?
            .rewrap(
                from,
                to,
                KeySpecification::of_seal_key(from),
                &wrapped_seal_key(from)?,
            )
            .await?;
        Ok(WrappedBytes {
            profile: moved.profile.name().to_owned(),
            bytes: moved.bytes,
        })
    }

    /// Releases the seal key that the facts of the root key carry.
    pub async fn release_seal_key(&self, root_key: &RootKey) -> Result<Material, Error> {
        let wrapped = wrapped_seal_key(root_key)?;
        self.for_root(root_key)?
            .release(root_key, KeySpecification::of_seal_key(root_key), &wrapped)
            .await
    }
}

/// The length of what a check value begins with in a key manager: the key's identifier. The version's comes behind.
const KEY_IDENTIFIER: usize = 16;

/// Whether two root keys are one key of a key manager, at whichever versions. On a device two root keys never are.
pub fn is_same_key(one: &RootKey, other: &RootKey) -> bool {
    let [one_key, other_key] = [one, other].map(|root_key| root_key.check_value.get(..KEY_IDENTIFIER));
    one_key.is_some() && one_key == other_key && one.token_serial == other.token_serial
}

fn wrapped_seal_key(root_key: &RootKey) -> Result<WrappedKek, Error> {
    let WrappedBytes { profile, bytes } = &root_key.seal_key;
    let profile = WrapProfile::from_name(profile).ok_or_else(|| Error::Device {
        backend: root_key.backend.clone(),
        source: claviger_hsm::Error::WrapProfile {
            profile: profile.clone(),
        },
    })?;
    Ok(WrappedKek {
        profile,
        bytes: bytes.clone(),
    })
}
