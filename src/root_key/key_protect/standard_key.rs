//! Standard keys of the key manager that hold wrapped keys: how they are called, and what a row keeps in place of the wrapped
//! key.

use async_trait::async_trait;
use claviger_hsm::memory::LockedBuffer;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Error, Key, KeyProtectBackend};
use crate::root_key::Binding;

/// How the name of a standard key begins that holds a wrapped key; as IBM's KMIP for VMware had it.
pub const NAME_PREFIX: &str = "vmware_kmip";
/// How the description of one begins; what follows is the adapter.
const DESCRIPTION: &str = "Claviger, adapter ";
/// Behind it are the identifier of a standard key and the digest of its payload. An envelope of a wrapped key begins with
/// another byte.
const REFERENCE: u8 = 3;

/// The name of the standard key of a value, or of a piece of one.
pub(super) fn name_of(binding: Binding) -> String {
    let Binding { object, part, .. } = binding;
    if part == 0 {
        format!("{NAME_PREFIX}_{object}")
    } else {
        format!("{NAME_PREFIX}_{object}_{part}")
    }
}

/// The description of the standard key of a value.
pub(super) fn description_of(binding: Binding) -> String {
    format!("{DESCRIPTION}{}", binding.adapter)
}

/// The adapter that a description names.
pub(super) fn adapter_in(description: &str) -> Option<Uuid> {
    description.strip_prefix(DESCRIPTION)?.parse().ok()
}

/// What a row has of a wrapped key that lies in a standard key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    /// The standard key.
    pub(super) id: Uuid,
    /// SHA-256 of its payload, so that another payload is found out before anything is done with it.
    sha256: [u8; 32],
}

impl Reference {
    pub(super) fn to(id: Uuid, payload: &[u8]) -> Self {
        Self {
            id,
            sha256: Sha256::digest(payload).into(),
        }
    }

    pub(super) fn is_of(&self, payload: &[u8]) -> bool {
        self.sha256 == <[u8; 32]>::from(Sha256::digest(payload))
    }

    pub(super) fn to_bytes(self) -> Vec<u8> {
        [&[REFERENCE], &self.id.as_bytes()[..], &self.sha256[..]].concat()
    }

    /// None of bytes that are the wrapped key itself.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (&REFERENCE, rest) = bytes.split_first()? else {
            return None;
        };
        let (id, sha256) = rest.split_first_chunk::<16>()?;
        Some(Self {
            id: Uuid::from_bytes(*id),
            sha256: sha256.try_into().ok()?,
        })
    }
}

/// The standard keys of an instance, as far as wrapped keys are concerned.
#[async_trait]
pub(super) trait StandardKeys: Send + Sync {
    /// The instance's name in the configuration.
    fn backend(&self) -> &str;

    /// Keeps a payload as a standard key.
    async fn create(&self, name: &str, description: &str, payload: &[u8]) -> Result<Uuid, Error>;

    /// The payload of one.
    async fn payload(&self, id: Uuid) -> Result<LockedBuffer, Error>;

    /// What the key manager tells of one, in whichever key ring it is.
    async fn metadata(&self, id: Uuid) -> Result<Key, Error>;

    /// Deletes one.
    async fn delete(&self, id: Uuid) -> Result<(), Error>;

    /// A page of those that are not deleted, of whatever name, in the order of their identifiers.
    async fn page(&self, offset: usize, limit: usize) -> Result<Vec<Key>, Error>;
}

#[async_trait]
impl StandardKeys for KeyProtectBackend {
    fn backend(&self) -> &str {
        self.name()
    }

    async fn create(&self, name: &str, description: &str, payload: &[u8]) -> Result<Uuid, Error> {
        let service = self.inner.client.begin().await?;
        let key = service.create_standard_key(name, None, description, payload);
        Ok(key.await?.id)
    }

    async fn payload(&self, id: Uuid) -> Result<LockedBuffer, Error> {
        self.inner.client.begin().await?.payload(id).await
    }

    async fn metadata(&self, id: Uuid) -> Result<Key, Error> {
        self.inner.client.begin().await?.key_in_any_ring(id).await
    }

    async fn delete(&self, id: Uuid) -> Result<(), Error> {
        self.inner.client.begin().await?.delete(id).await
    }

    async fn page(&self, offset: usize, limit: usize) -> Result<Vec<Key>, Error> {
        let service = self.inner.client.begin().await?;
        service.keys_from(offset, limit, Some(true), "", "0,1,2,3").await
    }
}

#[cfg(test)]
mod tests {
    use super::super::envelope::Envelope;
    use super::*;

    #[test]
    fn a_reference_is_never_taken_for_a_wrapped_key_or_the_other_way_round() {
        let reference = Reference::to(Uuid::from_u128(7), b"payload");
        let bytes = reference.to_bytes();
        assert_eq!(Reference::from_bytes(&bytes), Some(reference));
        assert!(Envelope::from_bytes(&bytes).is_none());
        let wrapped = Envelope::Wrapped {
            version: Uuid::from_u128(7),
            ciphertext: "A".repeat(44),
        };
        assert_eq!(Reference::from_bytes(&wrapped.to_bytes()), None);
        assert_eq!(Reference::from_bytes(&bytes[..48]), None);
        assert!(reference.is_of(b"payload") && !reference.is_of(b"another"));
    }

    #[test]
    fn an_administrator_finds_the_key_of_a_disk_by_its_name() {
        let binding = Binding {
            adapter: Uuid::from_u128(1),
            object: Uuid::from_u128(2),
            part: 0,
        };
        let name = "vmware_kmip_00000000-0000-0000-0000-000000000002";
        assert_eq!(name_of(binding), name);
        assert_eq!(name_of(Binding { part: 3, ..binding }), format!("{name}_3"));
        assert_eq!(adapter_in(&description_of(binding)), Some(binding.adapter));
        assert_eq!(adapter_in("somebody else's"), None);
    }
}
