//! Wrapped keys that lie in the key manager, each as a standard key, so that an administrator sees them in IBM's console and
//! can delete one to revoke one disk. The row of such a key has no wrapped bytes, but which standard key it is and the digest of
//! its payload ([`Reference`]).
//!
//! Every use asks for the standard key: nothing of it is kept here, so that a deletion works at once. What is *taken* for a
//! deletion destroys the key for good, so only a definite word of the key manager about this very key is: that it was deleted
//! (`KEY_DELETED_ERR`, or state 5), or that there is none of its identifier (`KEY_NOT_FOUND_ERR`), in any key ring, while its
//! root key is found in the same moment. Nothing else is, be it an outage, a right that is missing, or another instance.
//!
//! Seal keys always lie in the store.

use std::borrow::Cow;
use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use claviger_hsm::{Device, RsaPublicKey, WrappedRootKey};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::watch;
use uuid::Uuid;

use super::standard_key::{NAME_PREFIX, Reference, StandardKeys, adapter_in, description_of, name_of};
use super::{Error as KeyProtectError, KeptIn, KeyProtectBackend, Kind};
use crate::adapter::RootKey;
use crate::key::WrappedKek;
use crate::root_key::{
    BackendDescription, BackendKind, Binding, CreatedRootKey, Error, Healing, KeptKey, KeptThere,
    KeySpecification, KeyWrap, MadeKey, Material, RootKeyBackend,
};

/// How many keys a page of the inventory has.
const PAGE: usize = 1000;
/// So long after a standard key was made the row that names it may be on its way.
const NEW: Duration = Duration::from_mins(1);

/// An instance of the key manager that may keep wrapped keys itself. What was put there, or into the store, before the
/// configuration said otherwise is found where it is.
pub struct KeptBackend {
    inner: Arc<dyn RootKeyBackend>,
    standard_keys: Arc<dyn StandardKeys>,
    keeps: bool,
    /// The standard keys that were made here within [`NEW`].
    new: Mutex<VecDeque<(Instant, Uuid)>>,
}

impl KeptBackend {
    /// The instance, with wrapped keys where its configuration says.
    pub fn new(backend: KeyProtectBackend) -> Self {
        let keeps = backend.kept_in() == KeptIn::KeyManager;
        Self::over(Arc::new(backend.clone()), Arc::new(backend), keeps)
    }

    fn over(inner: Arc<dyn RootKeyBackend>, standard_keys: Arc<dyn StandardKeys>, keeps: bool) -> Self {
        Self {
            inner,
            standard_keys,
            keeps,
            new: Mutex::default(),
        }
    }

    fn failed(&self, source: KeyProtectError) -> Error {
        Error::KeyProtect {
            backend: self.standard_keys.backend().to_owned(),
            source,
        }
    }

    fn new_ones(&self) -> MutexGuard<'_, VecDeque<(Instant, Uuid)>> {
        let mut new = self.new.lock().unwrap_or_else(PoisonError::into_inner);
        while new.front().is_some_and(|(made, _)| made.elapsed() > NEW) {
            new.pop_front();
        }
        new
    }

    /// Puts a wrapped key where it is to lie, and gives what the row is to have.
    async fn put(&self, specification: KeySpecification, wrapped: WrappedKek) -> Result<WrappedKek, Error> {
        let binding = specification.binding;
        let is_seal_key = binding.adapter == binding.object;
        if !self.keeps || is_seal_key {
            return Ok(wrapped);
        }
        let (name, description) = (name_of(binding), description_of(binding));
        let id = self.standard_keys.create(&name, &description, &wrapped.bytes);
        let id = id.await.map_err(|error| self.failed(error))?;
        self.new_ones().push_back((Instant::now(), id));
        Ok(WrappedKek {
            profile: wrapped.profile,
            bytes: Reference::to(id, &wrapped.bytes).to_bytes(),
        })
    }

    async fn put_made(&self, specification: KeySpecification, made: MadeKey) -> Result<MadeKey, Error> {
        let wrapped = self.put(specification, made.wrapped).await?;
        Ok(MadeKey { wrapped, ..made })
    }

    /// The wrapped key, from wherever it lies.
    async fn fetch<'a>(
        &self,
        root_key: &RootKey,
        binding: Binding,
        wrapped: &'a WrappedKek,
    ) -> Result<Cow<'a, WrappedKek>, Error> {
        let Some(reference) = Reference::from_bytes(&wrapped.bytes) else {
            return Ok(Cow::Borrowed(wrapped));
        };
        let id = reference.id;
        let payload = match self.standard_keys.payload(id).await {
            Ok(payload) => payload,
            Err(error) if self.is_deleted(root_key, id, &error).await => {
                return Err(Error::WrappedKeyDeleted {
                    backend: self.standard_keys.backend().to_owned(),
                    id: id.to_string(),
                    binding,
                });
            }
            Err(error) => return Err(self.failed(error)),
        };
        if !reference.is_of(payload.as_slice()) {
            return Err(Error::WrappedKeyChanged {
                backend: self.standard_keys.backend().to_owned(),
                id: id.to_string(),
            });
        }
        Ok(Cow::Owned(WrappedKek {
            profile: wrapped.profile,
            bytes: payload.as_slice().to_vec(),
        }))
    }

    async fn fetch_key<'a>(&self, key: KeptKey<'a>) -> Result<Cow<'a, WrappedKek>, Error> {
        self.fetch(key.root_key, key.specification.binding, key.wrapped)
            .await
    }

    /// Whether a standard key that can't be had for this reason is deleted for certain.
    async fn is_deleted(&self, root_key: &RootKey, id: Uuid, error: &KeyProtectError) -> bool {
        if says(error, Kind::KeyDeleted, "KEY_DELETED_ERR") {
            return true;
        }
        let might_be = says(error, Kind::KeyNotFound, "KEY_NOT_FOUND_ERR")
            || matches!(error, KeyProtectError::Unreadable { .. });
        if !might_be || self.inner.verify(root_key).await.is_err() {
            return false;
        }
        // Its root key is there: so it is the right instance, and this service ID sees keys in it.
        match self.standard_keys.metadata(id).await {
            Ok(key) => key.id == id && key.is_deleted(),
            Err(error) => {
                says(&error, Kind::KeyDeleted, "KEY_DELETED_ERR")
                    || says(&error, Kind::KeyNotFound, "KEY_NOT_FOUND_ERR")
            }
        }
    }
}

/// Whether the key manager itself said this, and not something in front of it by the status alone.
fn says(error: &KeyProtectError, kind: Kind, code: &str) -> bool {
    matches!(error, KeyProtectError::Refused(refusal) if refusal.kind == kind && refusal.code == code)
}

#[async_trait]
impl RootKeyBackend for KeptBackend {
    fn kind(&self) -> BackendKind {
        self.inner.kind()
    }

    async fn generate(&self, root_key: &RootKey, specification: KeySpecification) -> Result<MadeKey, Error> {
        let made = self.inner.generate(root_key, specification).await?;
        self.put_made(specification, made).await
    }

    async fn import(
        &self,
        root_key: &RootKey,
        specification: KeySpecification,
        material: &[u8],
    ) -> Result<MadeKey, Error> {
        let made = self.inner.import(root_key, specification, material).await?;
        self.put_made(specification, made).await
    }

    async fn release(
        &self,
        root_key: &RootKey,
        specification: KeySpecification,
        wrapped: &WrappedKek,
    ) -> Result<Material, Error> {
        let wrapped = self.fetch(root_key, specification.binding, wrapped).await?;
        self.inner.release(root_key, specification, &wrapped).await
    }

    async fn keep(
        &self,
        _root_key: &RootKey,
        specification: KeySpecification,
        wrapped: &WrappedKek,
    ) -> Result<WrappedKek, Error> {
        self.put(specification, wrapped.clone()).await
    }

    async fn release_under(
        &self,
        key: KeptKey<'_>,
        wrapping_key: KeptKey<'_>,
        key_wrap: KeyWrap,
    ) -> Result<Vec<u8>, Error> {
        let (wrapped, wrapping) = futures_util::try_join!(self.fetch_key(key), self.fetch_key(wrapping_key))?;
        let key = KeptKey {
            wrapped: &wrapped,
            ..key
        };
        let wrapping_key = KeptKey {
            wrapped: &wrapping,
            ..wrapping_key
        };
        self.inner.release_under(key, wrapping_key, key_wrap).await
    }

    async fn unwrap_under(
        &self,
        root_key: &RootKey,
        specification: KeySpecification,
        wrapping_key: KeptKey<'_>,
        key_wrap: KeyWrap,
        wrapped: &[u8],
    ) -> Result<MadeKey, Error> {
        let wrapping = self.fetch_key(wrapping_key).await?;
        let wrapping_key = KeptKey {
            wrapped: &wrapping,
            ..wrapping_key
        };
        let made = self
            .inner
            .unwrap_under(root_key, specification, wrapping_key, key_wrap, wrapped)
            .await?;
        self.put_made(specification, made).await
    }

    async fn rewrap(
        &self,
        from: &RootKey,
        to: &RootKey,
        specification: KeySpecification,
        wrapped: &WrappedKek,
    ) -> Result<WrappedKek, Error> {
        let wrapped = self.fetch(from, specification.binding, wrapped).await?;
        let rewrapped = self.inner.rewrap(from, to, specification, &wrapped).await?;
        self.put(specification, rewrapped).await
    }

    async fn discard(&self, _root_key: &RootKey, wrapped: &WrappedKek) -> Result<(), Error> {
        let Some(reference) = Reference::from_bytes(&wrapped.bytes) else {
            return Ok(());
        };
        match self.standard_keys.delete(reference.id).await {
            Err(error) if !matches!(error.kind(), Some(Kind::KeyDeleted | Kind::KeyNotFound)) => {
                Err(self.failed(error))
            }
            _ => Ok(()),
        }
    }

    fn kept_there(&self, wrapped: &WrappedKek) -> Option<String> {
        Reference::from_bytes(&wrapped.bytes).map(|reference| reference.id.to_string())
    }

    async fn verify_kept(
        &self,
        root_key: &RootKey,
        specification: KeySpecification,
        wrapped: &WrappedKek,
    ) -> Result<(), Error> {
        self.fetch(root_key, specification.binding, wrapped).await?;
        Ok(())
    }

    async fn inventory(&self) -> Result<Option<Vec<KeptThere>>, Error> {
        let mut there = Vec::new();
        let mut offset = 0;
        loop {
            let page = self.standard_keys.page(offset, PAGE).await;
            let page = page.map_err(|error| self.failed(error))?;
            let read = page.len();
            let new: HashSet<_> = self.new_ones().iter().map(|(_, id)| *id).collect();
            for key in page {
                if key.name.starts_with(NAME_PREFIX) && !key.is_deleted() {
                    let created_at = key.creation_date.as_deref();
                    there.push(KeptThere {
                        is_new: new.contains(&key.id),
                        id: key.id.to_string(),
                        name: key.name,
                        adapter: adapter_in(&key.description),
                        created_at: created_at.and_then(|at| OffsetDateTime::parse(at, &Rfc3339).ok()),
                    });
                }
            }
            if read < PAGE {
                return Ok(Some(there));
            }
            offset += read;
        }
    }

    // The rest has nothing to do with where wrapped keys lie.

    async fn create(&self, root_key: &RootKey) -> Result<CreatedRootKey, Error> {
        self.inner.create(root_key).await
    }

    async fn rotate(&self, present: &RootKey, next: &RootKey) -> Result<CreatedRootKey, Error> {
        self.inner.rotate(present, next).await
    }

    async fn adopt(&self, root_key: &RootKey, existing: &str) -> Result<CreatedRootKey, Error> {
        self.inner.adopt(root_key, existing).await
    }

    async fn present_version(&self, root_key: &RootKey) -> Result<Option<Vec<u8>>, Error> {
        self.inner.present_version(root_key).await
    }

    fn other_versions(&self) -> Option<watch::Receiver<u64>> {
        self.inner.other_versions()
    }

    async fn verify(&self, root_key: &RootKey) -> Result<(), Error> {
        self.inner.verify(root_key).await
    }

    async fn forget(&self, root_key: &RootKey, wrapped: Option<&WrappedKek>) {
        self.inner.forget(root_key, wrapped).await;
    }

    async fn destroy(&self, root_key: &RootKey) -> Result<(), Error> {
        self.inner.destroy(root_key).await
    }

    async fn destroy_version(&self, root_key: &RootKey) -> Result<(), Error> {
        self.inner.destroy_version(root_key).await
    }

    fn keeps_versions(&self) -> bool {
        self.inner.keeps_versions()
    }

    async fn restore(&self, root_key: &RootKey) -> Result<(), Error> {
        self.inner.restore(root_key).await
    }

    async fn disable(&self, root_key: &RootKey) -> Result<(), Error> {
        self.inner.disable(root_key).await
    }

    async fn enable(&self, root_key: &RootKey) -> Result<(), Error> {
        self.inner.enable(root_key).await
    }

    async fn offer_take_in(&self, label: &str) -> Result<RsaPublicKey, Error> {
        self.inner.offer_take_in(label).await
    }

    async fn take_in(
        &self,
        label: &str,
        wrapped: &WrappedRootKey,
        root_key: &RootKey,
    ) -> Result<CreatedRootKey, Error> {
        self.inner.take_in(label, wrapped, root_key).await
    }

    fn device(&self) -> Result<Device, Error> {
        self.inner.device()
    }

    async fn check(&self, root_key: &RootKey) -> Result<(), Error> {
        self.inner.check(root_key).await
    }

    fn rest_between_checks(&self, well: bool) -> Duration {
        self.inner.rest_between_checks(well)
    }

    fn patience_of_checks(&self) -> Duration {
        self.inner.patience_of_checks()
    }

    async fn random(&self, length: u16) -> Result<Vec<u8>, Error> {
        self.inner.random(length).await
    }

    fn under_way(&self) -> usize {
        self.inner.under_way()
    }

    fn last_worked(&self, root_key: &RootKey) -> Option<Instant> {
        self.inner.last_worked(root_key)
    }

    fn healing(&self) -> Option<Healing> {
        self.inner.healing()
    }

    async fn describe(&self) -> Result<BackendDescription, Error> {
        self.inner.describe().await
    }
}

#[cfg(test)]
#[path = "kept_tests.rs"]
mod tests;
