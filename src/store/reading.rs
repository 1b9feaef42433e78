//! The reading half of a store.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{mpsc, watch};
use uuid::Uuid;

use crate::adapter::{
    AccessToken, Adapter, AdapterId, ClientCertificate, Fingerprint, Quota, RootKey, RootKeyId,
    RootKeyVersion, SecretDigest,
};
use crate::custody::{Hash, StoredRecord};
use crate::key::IndexTerm;

use super::{
    Cursor, CustodyHead, CustodyKept, Elsewhere, Error, KeyRow, Listing, Located, Piece, QuotaUse,
    RecordFilter, RowsAt, SearchFrom, Setting, SettingKind, Settings, StoredCheckpoint, UnverifiedRootKey,
};

/// What a store can be asked. Every row that it gives was verified against its seal; each read sees what was committed
/// before it began.
#[async_trait]
pub trait Store: Send + Sync {
    /// What all servers that share this store have done in it, and each change of that, within a second; none where the store
    /// is one server's alone.
    fn elsewhere(&self) -> Option<watch::Receiver<Elsewhere>> {
        None
    }

    /// Takes on what one server at a time does, or goes on with it, for this term from now on; false where it is another's.
    /// Where the store is one server's alone, it always has it.
    async fn lease(&self, _name: &str, _holder: &str, _term: Duration) -> Result<bool, Error> {
        Ok(true)
    }

    /// How far the feed of this name has delivered the log, as [`keep_feed_position`](Self::keep_feed_position) was told last. In
    /// a store that several servers share; none in any other.
    async fn feed_position(&self, _name: &str) -> Result<Option<String>, Error> {
        Ok(None)
    }

    /// Keeps how far the feed of this name has delivered the log, in the words of the feed. Durable when this returns, in a
    /// store that several servers share.
    async fn keep_feed_position(&self, _name: &str, _position: &str) -> Result<(), Error> {
        Ok(())
    }

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

    /// The quotas of all adapters that have one.
    async fn quotas(&self) -> Result<Listing<(AdapterId, Quota)>, Error>;

    /// The quota of an adapter and what it has, as of one moment; none where nothing is bounded.
    async fn quota(&self, adapter: AdapterId) -> Result<Option<QuotaUse>, Error>;

    /// What is set of a kind, for all adapters that have it.
    async fn settings_of(&self, kind: SettingKind) -> Result<Listing<Setting>, Error>;

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

    /// All access tokens, by name; those that have expired too.
    async fn access_tokens(&self) -> Result<Listing<AccessToken>, Error>;

    /// The access token of this secret.
    async fn access_token(&self, secret: SecretDigest) -> Result<Option<AccessToken>, Error>;

    /// How many objects each adapter has. Counted by an index, without verifying each row.
    async fn key_counts(&self) -> Result<KeyCounts, Error>;

    /// Every row that the custody log tells of, as of one moment, without looking at its seal.
    async fn rows_at(&self) -> Result<RowsAt, Error>;

    /// Sends every row of every table, all as of one moment, and at last [`Piece::End`]. Whoever takes them has to be quick:
    /// meanwhile the database keeps what is deleted. That they are not taken any more is no error of this.
    async fn send_rows(&self, out: mpsc::Sender<Piece>) -> Result<(), Error>;

    /// The head of the custody log.
    async fn custody_head(&self) -> Result<CustodyHead, Error>;

    /// The head of the custody log and at most `limit` records from its anchor on, all as of one moment.
    async fn custody_tail(&self, limit: u32) -> Result<(CustodyHead, Vec<StoredRecord>), Error>;

    /// At most `limit` records of the custody log, in order, from number `from`; those that were pruned are left out.
    async fn custody_records(&self, from: u64, limit: u32) -> Result<Vec<StoredRecord>, Error>;

    /// At most `limit` records that the filter names, found by an index, in the order that `from` says; without a filter,
    /// all of them.
    async fn custody_search(
        &self,
        filter: &RecordFilter,
        from: SearchFrom,
        limit: u32,
    ) -> Result<Vec<StoredRecord>, Error>;

    /// For each of these objects the last record about it, of those from number `from` on and before number `before`, found by
    /// an index; none for an object without one. In no order.
    async fn custody_latest(
        &self,
        objects: &[Uuid],
        from: u64,
        before: u64,
    ) -> Result<Vec<StoredRecord>, Error>;

    /// At most `count` hashes of the custody log, in order, from place `first` of a level: 0 has the leaves, each level above
    /// it the roots of the full tiles below. Ends before a hash that is missing.
    async fn custody_hashes(&self, level: u8, first: u64, count: u32) -> Result<Vec<Hash>, Error>;

    /// How many hashes of a level above the leaves are kept, by the last one.
    async fn custody_hash_count(&self, level: u8) -> Result<u64, Error>;

    /// The checkpoint over the most records.
    async fn custody_checkpoint(&self) -> Result<Option<StoredCheckpoint>, Error>;

    /// From which record on the log has more than hashes, and how far it is to be pruned.
    async fn custody_kept(&self) -> Result<CustodyKept, Error>;

    /// At most `limit` checkpoints, by size, from those over `from_size` records on.
    async fn custody_checkpoints(&self, from_size: u64, limit: u32) -> Result<Vec<StoredCheckpoint>, Error>;
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
