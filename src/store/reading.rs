//! The reading half of a store.

use std::collections::BTreeMap;

use async_trait::async_trait;
use uuid::Uuid;

use crate::adapter::{
    Adapter, AdapterId, ClientCertificate, Fingerprint, RootKey, RootKeyId, RootKeyVersion,
};
use crate::custody::{CompactRange, Head, StoredRecord};
use crate::key::IndexTerm;

use super::{Cursor, Error, KeyRow, Listing, Located, Settings, UnverifiedRootKey};

/// What a store can be asked. Every row that it gives was verified against its seal; each read sees what was committed
/// before it began.
#[async_trait]
pub trait Store: Send + Sync {
    /// A key of this adapter; none where it has no such key, whoever else has one.
    async fn key(&self, adapter: AdapterId, id: Uuid) -> Result<Option<KeyRow>, Error>;

    /// Whether there is an object of this identifier, of whichever adapter.
    async fn is_taken(&self, id: Uuid) -> Result<bool, Error>;

    /// The objects of this adapter that have all of these terms, the last created first; with no term, all of them.
    ///
    /// Looks at no more than `limit` candidates; goes on after `after`.
    async fn locate(
        &self,
        adapter: AdapterId,
        terms: &[IndexTerm],
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<Located, Error>;

    /// All adapters, by name.
    async fn adapters(&self) -> Result<Listing<Adapter>, Error>;

    /// The adapter of this identifier.
    async fn adapter(&self, id: AdapterId) -> Result<Option<Adapter>, Error>;

    /// The adapter of this name.
    async fn adapter_named(&self, name: &str) -> Result<Option<Adapter>, Error>;

    /// What is set for all objects of an adapter.
    async fn settings(&self, adapter: AdapterId) -> Result<Settings, Error>;

    /// All root keys, by name.
    async fn root_keys(&self) -> Result<Listing<RootKey>, Error>;

    /// The root key of this identifier.
    async fn root_key(&self, id: RootKeyId) -> Result<Option<RootKey>, Error>;

    /// The root key of this name.
    async fn root_key_named(&self, name: &str) -> Result<Option<RootKey>, Error>;

    /// The versions of a root key that another has taken the place of, in order.
    async fn earlier_versions(&self, root_key: RootKeyId) -> Result<Listing<RootKeyVersion>, Error>;

    /// How many keys are under each version of a root key. Counted by an index, without verifying each row.
    async fn keys_by_version(&self, root_key: RootKeyId) -> Result<BTreeMap<u32, u64>, Error>;

    /// The keys that are under a version of a root key `before` this one, in the order of creation.
    ///
    /// Looks at no more than `limit` candidates; goes on after `after`.
    async fn keys_under(
        &self,
        root_key: RootKeyId,
        before: u32,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<Located, Error>;

    /// The objects of an adapter that are not yet under this root key, or not yet sealed by it, in the order of creation.
    ///
    /// Looks at no more than `limit` candidates; goes on after `after`.
    async fn keys_to_move(
        &self,
        adapter: AdapterId,
        root_key: RootKeyId,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<Located, Error>;

    /// How many objects [`keys_to_move`](Self::keys_to_move) has yet to tell of. Counted without verifying each row.
    async fn number_to_move(&self, adapter: AdapterId, root_key: RootKeyId) -> Result<u64, Error>;

    /// All root keys before their seal keys are open: what a start needs to open them.
    async fn unverified_root_keys(&self) -> Result<Listing<UnverifiedRootKey>, Error>;

    /// The client certificates of one adapter, or of all, by name.
    async fn certificates(&self, adapter: Option<AdapterId>) -> Result<Listing<ClientCertificate>, Error>;

    /// The client certificate of this fingerprint.
    async fn certificate(&self, fingerprint: Fingerprint) -> Result<Option<ClientCertificate>, Error>;

    /// How many objects each adapter has. Counted by an index, without verifying each row.
    async fn key_counts(&self) -> Result<KeyCounts, Error>;

    /// The head of the custody log.
    async fn custody_head(&self) -> Result<CustodyHead, Error>;

    /// The head of the custody log and at most `limit` records from its anchor on, all as of one moment.
    async fn custody_tail(&self, limit: u32) -> Result<(CustodyHead, Vec<StoredRecord>), Error>;

    /// At most `limit` records of the custody log, in order, from number `from`.
    async fn custody_records(&self, from: u64, limit: u32) -> Result<Vec<StoredRecord>, Error>;
}

/// Numbers of objects, by adapter. An adapter without objects is not in it.
pub type KeyCounts = BTreeMap<AdapterId, KeyCount>;

/// Numbers of objects of one adapter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyCount {
    /// All objects, destroyed ones too.
    pub objects: u64,
    /// Those that have key bytes.
    pub with_key: u64,
}

/// The head of the custody log as a store keeps it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustodyHead {
    /// The tree over all records.
    pub tree: CompactRange,
    /// The tree over the records up to some number before the last: from here a start makes the hashes again, so that
    /// it need not read the whole log to know that the records fit their head.
    pub anchor: CompactRange,
}

impl CustodyHead {
    /// Size and root of the log.
    pub fn head(&self) -> Head {
        Head {
            size: self.tree.size(),
            root: self.tree.root(),
        }
    }
}
