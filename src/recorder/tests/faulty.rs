//! A store that fails when it is told to, and counts what it is asked for.

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tokio::sync::{Semaphore, mpsc};
use uuid::Uuid;

use crate::adapter::{
    AccessToken, Adapter, AdapterId, ClientCertificate, Fingerprint, Quota, RootKey, RootKeyId,
    RootKeyVersion, SecretDigest,
};
use crate::custody::{Hash, StoredRecord, TileHash};
use crate::key::IndexTerm;
use crate::store::{
    Appended, Applied, Change, Cursor, CustodyHead, CustodyKept, Error, KeyCounts, KeyRow, Listing, Located,
    Piece, QuotaUse, RecordFilter, RowsAt, SearchFrom, Setting, SettingKind, Settings, Store,
    StoredCheckpoint, UnverifiedRootKey, WriteStore, WriteTransaction,
};

/// Where a write, or the reading of the log, can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Begin,
    Apply,
    Append,
    Commit,
    ReadTail,
    PutCheckpoint,
    ReadCheckpoint,
}

/// How it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// It was not done.
    Failed,
    /// It was done, and is reported as failed.
    FailedButDone,
}

#[derive(Default)]
pub(crate) struct Plan {
    faults: Mutex<VecDeque<(Step, How)>>,
    /// How often a transaction was asked for, whether it may begin or not.
    pub(crate) begins: AtomicUsize,
    pub(crate) commits: AtomicUsize,
}

impl Plan {
    /// The next time this step is come to, it fails. Faults come in the order they were planned.
    pub(crate) fn fail(&self, step: Step, how: How) {
        self.faults.lock().unwrap().push_back((step, how));
    }

    pub(crate) fn is_used_up(&self) -> bool {
        self.faults.lock().unwrap().is_empty()
    }

    fn take(&self, step: Step) -> Option<How> {
        let mut faults = self.faults.lock().unwrap();
        match faults.front() {
            Some((next, how)) if *next == step => {
                let how = *how;
                faults.pop_front();
                Some(how)
            }
            _ => None,
        }
    }
}

/// A store behind a plan of faults.
pub(crate) struct Faulty {
    pub(crate) inner: Arc<dyn WriteStore>,
    pub(crate) plan: Arc<Plan>,
    /// Closed while no transaction may begin.
    pub(crate) gate: Arc<Semaphore>,
}

fn injected() -> Error {
    Error::Database {
        doing: "do as it is told",
        source: sqlx::Error::WorkerCrashed,
    }
}

#[async_trait]
impl WriteStore for Faulty {
    async fn begin(&self) -> Result<Box<dyn WriteTransaction>, Error> {
        self.plan.begins.fetch_add(1, Ordering::Relaxed);
        drop(self.gate.acquire().await.unwrap());
        if self.plan.take(Step::Begin).is_some() {
            return Err(injected());
        }
        let inner = self.inner.begin().await?;
        Ok(Box::new(FaultyTransaction {
            inner,
            plan: Arc::clone(&self.plan),
        }))
    }

    async fn fill(&self, pieces: mpsc::Receiver<Piece>) -> Result<BTreeMap<&'static str, u64>, Error> {
        self.inner.fill(pieces).await
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

struct FaultyTransaction {
    inner: Box<dyn WriteTransaction>,
    plan: Arc<Plan>,
}

#[async_trait]
impl WriteTransaction for FaultyTransaction {
    async fn apply(&mut self, changes: &[Change]) -> Result<Applied, Error> {
        match self.plan.take(Step::Apply) {
            None => self.inner.apply(changes).await,
            Some(How::Failed) => Err(injected()),
            Some(How::FailedButDone) => self.inner.apply(changes).await.and(Err(injected())),
        }
    }

    async fn append(
        &mut self,
        appended: &Appended,
        from: &CustodyHead,
        to: &CustodyHead,
    ) -> Result<(), Error> {
        match self.plan.take(Step::Append) {
            None => self.inner.append(appended, from, to).await,
            Some(How::Failed) => Err(injected()),
            Some(How::FailedButDone) => self.inner.append(appended, from, to).await.and(Err(injected())),
        }
    }

    async fn put_hashes(&mut self, hashes: &[TileHash]) -> Result<(), Error> {
        self.inner.put_hashes(hashes).await
    }

    async fn put_checkpoint(
        &mut self,
        checkpoint: &StoredCheckpoint,
        before: Option<u64>,
    ) -> Result<(), Error> {
        match self.plan.take(Step::PutCheckpoint) {
            None => self.inner.put_checkpoint(checkpoint, before).await,
            Some(How::Failed) => Err(injected()),
            Some(How::FailedButDone) => {
                let done = self.inner.put_checkpoint(checkpoint, before).await;
                done.and(Err(injected()))
            }
        }
    }

    async fn replace_checkpoint(&mut self, checkpoint: &StoredCheckpoint, note: &str) -> Result<(), Error> {
        self.inner.replace_checkpoint(checkpoint, note).await
    }

    async fn prune_records(&mut self, limit: u32) -> Result<u64, Error> {
        self.inner.prune_records(limit).await
    }

    async fn remove_checkpoints(&mut self, sizes: &[u64]) -> Result<(), Error> {
        self.inner.remove_checkpoints(sizes).await
    }

    async fn commit(self: Box<Self>) -> Result<(), Error> {
        self.plan.commits.fetch_add(1, Ordering::Relaxed);
        match self.plan.take(Step::Commit) {
            None => self.inner.commit().await,
            Some(How::Failed) => Err(injected()),
            Some(How::FailedButDone) => self.inner.commit().await.and(Err(injected())),
        }
    }
}

#[async_trait]
impl Store for Faulty {
    async fn key(&self, adapter: AdapterId, id: Uuid) -> Result<Option<KeyRow>, Error> {
        self.inner.key(adapter, id).await
    }

    async fn is_taken(&self, id: Uuid) -> Result<bool, Error> {
        self.inner.is_taken(id).await
    }

    async fn locate(
        &self,
        adapter: AdapterId,
        terms: &[IndexTerm],
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<Located, Error> {
        self.inner.locate(adapter, terms, after, limit).await
    }

    async fn adapters(&self) -> Result<Listing<Adapter>, Error> {
        self.inner.adapters().await
    }

    async fn adapter(&self, id: AdapterId) -> Result<Option<Adapter>, Error> {
        self.inner.adapter(id).await
    }

    async fn adapter_named(&self, name: &str) -> Result<Option<Adapter>, Error> {
        self.inner.adapter_named(name).await
    }

    async fn settings(&self, adapter: AdapterId) -> Result<Settings, Error> {
        self.inner.settings(adapter).await
    }

    async fn quotas(&self) -> Result<Listing<(AdapterId, Quota)>, Error> {
        self.inner.quotas().await
    }

    async fn quota(&self, adapter: AdapterId) -> Result<Option<QuotaUse>, Error> {
        self.inner.quota(adapter).await
    }

    async fn settings_of(&self, kind: SettingKind) -> Result<Listing<Setting>, Error> {
        self.inner.settings_of(kind).await
    }

    async fn root_keys(&self) -> Result<Listing<RootKey>, Error> {
        self.inner.root_keys().await
    }

    async fn root_key(&self, id: RootKeyId) -> Result<Option<RootKey>, Error> {
        self.inner.root_key(id).await
    }

    async fn root_key_named(&self, name: &str) -> Result<Option<RootKey>, Error> {
        self.inner.root_key_named(name).await
    }

    async fn unverified_root_keys(&self) -> Result<Listing<UnverifiedRootKey>, Error> {
        self.inner.unverified_root_keys().await
    }

    async fn certificates(&self, adapter: Option<AdapterId>) -> Result<Listing<ClientCertificate>, Error> {
        self.inner.certificates(adapter).await
    }

    async fn certificate(&self, fingerprint: Fingerprint) -> Result<Option<ClientCertificate>, Error> {
        self.inner.certificate(fingerprint).await
    }

    async fn access_tokens(&self) -> Result<Listing<AccessToken>, Error> {
        self.inner.access_tokens().await
    }

    async fn access_token(&self, secret: SecretDigest) -> Result<Option<AccessToken>, Error> {
        self.inner.access_token(secret).await
    }

    async fn key_counts(&self) -> Result<KeyCounts, Error> {
        self.inner.key_counts().await
    }

    async fn earlier_versions(&self, root_key: RootKeyId) -> Result<Listing<RootKeyVersion>, Error> {
        self.inner.earlier_versions(root_key).await
    }

    async fn keys_by_version(&self, root_key: RootKeyId) -> Result<BTreeMap<u32, u64>, Error> {
        self.inner.keys_by_version(root_key).await
    }

    async fn keys_under(
        &self,
        root_key: RootKeyId,
        before: u32,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<Located, Error> {
        self.inner.keys_under(root_key, before, after, limit).await
    }

    async fn keys_to_move(
        &self,
        adapter: AdapterId,
        root_key: RootKeyId,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<Located, Error> {
        self.inner.keys_to_move(adapter, root_key, after, limit).await
    }

    async fn number_to_move(&self, adapter: AdapterId, root_key: RootKeyId) -> Result<u64, Error> {
        self.inner.number_to_move(adapter, root_key).await
    }

    async fn rows_at(&self) -> Result<RowsAt, Error> {
        self.inner.rows_at().await
    }

    async fn send_rows(&self, out: mpsc::Sender<Piece>) -> Result<(), Error> {
        self.inner.send_rows(out).await
    }

    async fn custody_head(&self) -> Result<CustodyHead, Error> {
        self.inner.custody_head().await
    }

    async fn custody_tail(&self, limit: u32) -> Result<(CustodyHead, Vec<StoredRecord>), Error> {
        match self.plan.take(Step::ReadTail) {
            None => self.inner.custody_tail(limit).await,
            Some(_) => Err(injected()),
        }
    }

    async fn custody_records(&self, from: u64, limit: u32) -> Result<Vec<StoredRecord>, Error> {
        self.inner.custody_records(from, limit).await
    }

    async fn custody_search(
        &self,
        filter: &RecordFilter,
        from: SearchFrom,
        limit: u32,
    ) -> Result<Vec<StoredRecord>, Error> {
        self.inner.custody_search(filter, from, limit).await
    }

    async fn custody_latest(
        &self,
        objects: &[Uuid],
        from: u64,
        before: u64,
    ) -> Result<Vec<StoredRecord>, Error> {
        self.inner.custody_latest(objects, from, before).await
    }

    async fn custody_hashes(&self, level: u8, first: u64, count: u32) -> Result<Vec<Hash>, Error> {
        self.inner.custody_hashes(level, first, count).await
    }

    async fn custody_hash_count(&self, level: u8) -> Result<u64, Error> {
        self.inner.custody_hash_count(level).await
    }

    async fn custody_kept(&self) -> Result<CustodyKept, Error> {
        self.inner.custody_kept().await
    }

    async fn custody_checkpoint(&self) -> Result<Option<StoredCheckpoint>, Error> {
        match self.plan.take(Step::ReadCheckpoint) {
            None => self.inner.custody_checkpoint().await,
            Some(_) => Err(injected()),
        }
    }

    async fn custody_checkpoints(&self, from_size: u64, limit: u32) -> Result<Vec<StoredCheckpoint>, Error> {
        self.inner.custody_checkpoints(from_size, limit).await
    }
}
