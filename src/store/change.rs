//! What can be changed.

use uuid::Uuid;

use crate::adapter::{
    AccessToken, Adapter, AdapterId, ClientCertificate, Fingerprint, Quota, RootKey, RootKeyId, RootKeyState,
    RootKeyVersion, VersionState,
};

use super::{KeyRow, SettingKind};

/// One change of the store. The changes of one commit are made together or not at all.
#[derive(Clone, Debug)]
pub enum Change {
    /// Writes a key. The row's own `revision` and `digest` are not looked at. Refused with
    /// [`Error::VersionGone`](super::Error::VersionGone) where the key is under a version of a root key that is not there,
    /// with [`Error::NameTaken`](super::Error::NameTaken) where it is given a name that, once all changes of the commit are made,
    /// another object of its adapter has which is not destroyed, and
    /// with [`Error::QuotaReached`](super::Error::QuotaReached) where it is one key more than the adapter may have.
    PutKey {
        /// The key as it is to be.
        row: KeyRow,
        /// The revision that the change was made from; none for a key that is new. Where another stands there, the
        /// commit is refused with [`Error::Conflict`](super::Error::Conflict).
        expected_revision: Option<u64>,
    },
    /// Changes nothing. Refuses the commit with [`Error::RootKeyUnusable`](super::Error::RootKeyUnusable) where this root key
    /// is not enabled at the moment of the commit: for what makes, releases or re-wraps a key.
    UseRootKey(RootKeyId),
    /// Enters a root key. Its seal key must be in [`SealKeys`](super::SealKeys) by then.
    CreateRootKey(RootKey),
    /// Puts a new version of a root key in the place of the one before it, which is kept as an earlier one. Refused with
    /// [`Error::RootKeyMoved`](super::Error::RootKeyMoved) where the present version is not the one before it, or its state
    /// not the one that the change was made from.
    RotateRootKey {
        /// The root key with its new version, its seal key wrapped under that.
        root_key: RootKey,
        /// The version that it takes the place of.
        superseded: RootKeyVersion,
        /// The state that it was read in.
        from: RootKeyState,
    },
    /// Changes whether a root key may be used, and no other of its facts. Refused with
    /// [`Error::RootKeyMoved`](super::Error::RootKeyMoved) where it is not in the state `from`.
    SetRootKeyState {
        /// The root key.
        root_key: RootKeyId,
        /// The state that it was read in.
        from: RootKeyState,
        /// The state that it is to be in.
        to: RootKeyState,
    },
    /// Changes the state of an earlier version of a root key. Refused with [`Error::InUse`](super::Error::InUse) while a key
    /// is under it, and with [`Error::RootKeyMoved`](super::Error::RootKeyMoved) where it is not in the state `from`.
    SetVersionState {
        /// The root key.
        root_key: RootKeyId,
        /// Which version.
        version: u32,
        /// The state that it was read in.
        from: VersionState,
        /// The state that it is to be in.
        to: VersionState,
    },
    /// Enters an adapter. Refused with [`Error::RootKeyUnusable`](super::Error::RootKeyUnusable) where its root key is not
    /// enabled.
    CreateAdapter(Adapter),
    /// Takes out an adapter with its certificates and what is left of its destroyed objects. Refused with
    /// [`Error::InUse`](super::Error::InUse) while one of its objects still has key bytes.
    DeleteAdapter(AdapterId),
    /// Puts an adapter, with its certificates, under another root key, and under the seal of that. Its keys stay as they are:
    /// each is sealed by the new root key when it is written next. Refused with
    /// [`Error::RootKeyUnusable`](super::Error::RootKeyUnusable) where the root key is not enabled.
    MoveAdapter {
        /// The adapter.
        adapter: AdapterId,
        /// The root key that it is to be under.
        to: RootKeyId,
    },
    /// Sets something for all objects of an adapter, or takes it away.
    SetForAdapter {
        /// The adapter.
        adapter: AdapterId,
        /// What is set.
        kind: SettingKind,
        /// In the form of who sets it; none takes it away.
        document: Option<Vec<u8>>,
    },
    /// Bounds what the clients of an adapter may have and do, in the place of what was bounded before. What the adapter has
    /// beyond that stays.
    SetQuota {
        /// The adapter.
        adapter: AdapterId,
        /// The bounds; none at all takes them away.
        quota: Quota,
    },
    /// The same, where what is set is what the change was made from. Refused with
    /// [`Error::SettingMoved`](super::Error::SettingMoved) where it is not.
    ReplaceForAdapter {
        /// The adapter.
        adapter: AdapterId,
        /// What is set.
        kind: SettingKind,
        /// The document that was read; none where none was set.
        from: Option<Vec<u8>>,
        /// The document that is to be; none takes it away.
        to: Option<Vec<u8>>,
    },
    /// Lets a client certificate in.
    AddCertificate(ClientCertificate),
    /// Takes a client certificate out.
    RemoveCertificate(Fingerprint),
    /// Lets go of the records of the custody log before this number, a multiple of 256: from now on
    /// [`prune_records`](super::WriteTransaction::prune_records) takes them away. Refused with
    /// [`Error::NotPrunable`](super::Error::NotPrunable) for a number that is beyond what a start needs, or before what was let
    /// go already.
    PruneRecords {
        /// The number of the first record that stays.
        below: u64,
    },
    /// Enters an access token. Refused with [`Error::RootKeyUnusable`](super::Error::RootKeyUnusable) where the root key that
    /// is to seal it is not enabled.
    CreateAccessToken(AccessToken),
    /// Takes out the access token of this identifier.
    DeleteAccessToken(Uuid),
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

    /// Whether it writes a key that is new.
    pub const fn is_of_new_key(&self) -> bool {
        matches!(
            self,
            Self::PutKey {
                expected_revision: None,
                ..
            }
        )
    }

    /// Whether it changes who may come in, to what, or what is set there: what is kept at hand must be read again.
    pub const fn is_of_identities(&self) -> bool {
        !matches!(
            self,
            Self::PutKey { .. }
                | Self::UseRootKey(_)
                | Self::PruneRecords { .. }
                | Self::CreateAccessToken(_)
                | Self::DeleteAccessToken(_)
        )
    }
}
