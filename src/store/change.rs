//! What can be changed.

use crate::adapter::{Adapter, AdapterId, ClientCertificate, Fingerprint, RootKey, RootKeyVersion};

use super::KeyRow;

/// One change of the store. The changes of one commit are made together or not at all.
#[derive(Clone, Debug)]
pub enum Change {
    /// Writes a key. The row's own `revision` and `digest` are not looked at.
    PutKey {
        /// The key as it is to be.
        row: KeyRow,
        /// The revision that the change was made from; none for a key that is new. Where another stands there, the
        /// commit is refused with [`Error::Conflict`](super::Error::Conflict).
        expected_revision: Option<u64>,
    },
    /// Enters a root key. Its seal key must be in [`SealKeys`](super::SealKeys) by then.
    CreateRootKey(RootKey),
    /// Puts a new version of a root key in the place of the one before it, which is kept as an earlier one. Refused with
    /// [`Error::NotFound`](super::Error::NotFound) where the present version is not the one before it.
    RotateRootKey {
        /// The root key with its new version, its seal key wrapped under that.
        root_key: RootKey,
        /// The version that it takes the place of.
        superseded: RootKeyVersion,
    },
    /// Enters an adapter.
    CreateAdapter(Adapter),
    /// Takes out an adapter with its certificates and what is left of its destroyed objects. Refused with
    /// [`Error::InUse`](super::Error::InUse) while one of its objects still has key bytes.
    DeleteAdapter(AdapterId),
    /// Lets a client certificate in.
    AddCertificate(ClientCertificate),
    /// Takes a client certificate out.
    RemoveCertificate(Fingerprint),
}

impl Change {
    /// Writes a key that is new.
    pub fn create_key(row: KeyRow) -> Self {
        Self::PutKey {
            row,
            expected_revision: None,
        }
    }

    /// Writes a key that was read, over the revision that was read.
    pub fn update_key(row: KeyRow) -> Self {
        let expected_revision = Some(row.revision);
        Self::PutKey {
            row,
            expected_revision,
        }
    }

    /// Whether it changes who may come in, or to what: what an endpoint keeps at hand must be read again.
    pub const fn is_of_identities(&self) -> bool {
        !matches!(self, Self::PutKey { .. })
    }
}
