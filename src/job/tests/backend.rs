//! A stand-in for a device, or for a key manager, that says in each wrapped key which version of which root key it is under,
//! opens no other, and fails when it is told to.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use claviger_hsm::Error as DeviceError;

use crate::adapter::RootKey;
use crate::key::{WrapProfile, WrappedKek};
use crate::recorder::tests::faulty::How;
use crate::root_key::{
    BackendDescription, CreatedRootKey, Error, KeptKey, KeptThere, KeySpecification, KeyWrap, MadeKey,
    Material, RootKeyBackend, RsaPublicKey, WrappedRootKey,
};

#[derive(Default)]
pub(super) struct StandIn {
    faults: Mutex<VecDeque<How>>,
    is_key_manager: bool,
    discarded: Mutex<Vec<WrappedKek>>,
    /// What somebody has deleted in the key manager.
    deleted: Mutex<Vec<WrappedKek>>,
    /// The check value of the version that wraps now, where others can rotate.
    pub(super) present: Mutex<Option<Vec<u8>>>,
    /// What lies in it.
    pub(super) there: Mutex<BTreeMap<String, KeptThere>>,
    /// It says nothing of what lies in it.
    pub(super) is_away: AtomicBool,
}

impl StandIn {
    /// One that is no device: keys go to and from it in the clear.
    pub(super) fn key_manager() -> Self {
        Self {
            is_key_manager: true,
            ..Self::default()
        }
    }

    /// The next key that is to be wrapped anew, released or taken in is not, or it is not said.
    pub(super) fn fail(&self, how: How) {
        self.faults.lock().unwrap().push_back(how);
    }

    /// Something lies in it from now on.
    pub(super) fn put(&self, id: &str) {
        let kept = KeptThere {
            id: id.to_owned(),
            name: format!("vmware_kmip_{id}"),
            adapter: None,
            created_at: None,
            is_new: false,
        };
        self.there.lock().unwrap().insert(id.to_owned(), kept);
    }

    fn answers(&self) -> Result<(), Error> {
        if self.is_away.load(Ordering::SeqCst) {
            return Err(failed(DeviceError::Deadline));
        }
        Ok(())
    }

    pub(super) fn is_used_up(&self) -> bool {
        self.faults.lock().unwrap().is_empty()
    }

    /// Somebody deletes a wrapped key in the key manager.
    pub(super) fn delete(&self, kept: WrappedKek) {
        self.deleted.lock().unwrap().push(kept);
    }

    /// What is wrapped again is there again, whatever became of one like it before.
    fn put_anew(&self, kept: WrappedKek) -> WrappedKek {
        self.discarded
            .lock()
            .unwrap()
            .retain(|given_up| *given_up != kept);
        kept
    }

    /// What was given up and has not come again.
    pub(super) fn discarded(&self) -> Vec<WrappedKek> {
        self.discarded.lock().unwrap().clone()
    }

    /// Does it, or what the next fault says.
    fn act<T>(&self, act: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        let fault = self.faults.lock().unwrap().pop_front();
        if fault == Some(How::Failed) {
            return Err(failed(DeviceError::Deadline));
        }
        let done = act()?;
        match fault {
            Some(How::FailedButDone) => Err(failed(DeviceError::Deadline)),
            _ => Ok(done),
        }
    }
}

/// A key of this value under this version of the root key.
pub(super) fn wrapped(root_key: &RootKey, value: &[u8]) -> WrappedKek {
    WrappedKek {
        profile: WrapProfile::AesKw,
        bytes: [&place(root_key), value].concat(),
    }
}

/// The key's value, where it is under this version of the root key.
pub(super) fn opened<'a>(root_key: &RootKey, wrapped: &'a WrappedKek) -> Option<&'a [u8]> {
    wrapped.bytes.strip_prefix(&place(root_key)[..])
}

fn place(root_key: &RootKey) -> Vec<u8> {
    [
        &root_key.id.uuid().into_bytes()[..],
        &root_key.version.to_be_bytes(),
    ]
    .concat()
}

fn failed(source: DeviceError) -> Error {
    Error::Device {
        backend: "hsm".into(),
        source,
    }
}

#[async_trait]
impl RootKeyBackend for StandIn {
    async fn rewrap(
        &self,
        from: &RootKey,
        to: &RootKey,
        what: KeySpecification,
        kept: &WrappedKek,
    ) -> Result<WrappedKek, Error> {
        self.act(|| {
            if what == KeySpecification::of_seal_key(from) {
                return Ok(kept.clone());
            }
            let value = opened(from, kept).ok_or_else(|| failed(DeviceError::WrappedKeyRefused))?;
            Ok(self.put_anew(wrapped(to, value)))
        })
    }

    async fn present_version(&self, _: &RootKey) -> Result<Option<Vec<u8>>, Error> {
        self.answers()?;
        Ok(self.present.lock().unwrap().clone())
    }

    async fn inventory(&self) -> Result<Option<Vec<KeptThere>>, Error> {
        self.answers()?;
        Ok(Some(self.there.lock().unwrap().values().cloned().collect()))
    }

    fn kept_there(&self, kept: &WrappedKek) -> Option<String> {
        let is_reference = kept.profile == WrapProfile::KeyProtect;
        if is_reference {
            return Some(String::from_utf8(kept.bytes.clone()).unwrap());
        }
        self.is_key_manager.then(|| hex::encode(&kept.bytes))
    }

    async fn verify_kept(&self, _: &RootKey, what: KeySpecification, kept: &WrappedKek) -> Result<(), Error> {
        self.answers()?;
        let id = self.kept_there(kept).unwrap();
        if self.there.lock().unwrap().contains_key(&id) {
            return Ok(());
        }
        Err(Error::WrappedKeyDeleted {
            backend: "hsm".into(),
            id,
            binding: what.binding,
        })
    }

    async fn create(&self, _: &RootKey) -> Result<CreatedRootKey, Error> {
        unreachable!("no job that wraps keys anew makes a root key")
    }

    async fn verify(&self, _: &RootKey) -> Result<(), Error> {
        unreachable!("that is for the start")
    }

    async fn generate(&self, _: &RootKey, _: KeySpecification) -> Result<MadeKey, Error> {
        unreachable!("no key is made")
    }

    async fn import(
        &self,
        root_key: &RootKey,
        specification: KeySpecification,
        value: &[u8],
    ) -> Result<MadeKey, Error> {
        assert_eq!(value.len(), specification.bytes());
        self.act(|| {
            Ok(MadeKey {
                wrapped: self.put_anew(wrapped(root_key, value)),
                sha256: [0; 32],
            })
        })
    }

    async fn release(
        &self,
        root_key: &RootKey,
        specification: KeySpecification,
        kept: &WrappedKek,
    ) -> Result<Material, Error> {
        if self.deleted.lock().unwrap().contains(kept) {
            return Err(Error::WrappedKeyDeleted {
                backend: root_key.backend.clone(),
                id: hex::encode(&kept.bytes),
                binding: specification.binding,
            });
        }
        self.act(|| {
            let value = opened(root_key, kept).ok_or_else(|| failed(DeviceError::WrappedKeyRefused))?;
            Ok(Material::of_stand_in(value.to_vec()))
        })
    }

    async fn discard(&self, _: &RootKey, kept: &WrappedKek) -> Result<(), Error> {
        self.discarded.lock().unwrap().push(kept.clone());
        Ok(())
    }

    async fn release_under(&self, _: KeptKey<'_>, _: KeptKey<'_>, _: KeyWrap) -> Result<Vec<u8>, Error> {
        unreachable!("no key leaves the device")
    }

    async fn destroy(&self, _: &RootKey) -> Result<(), Error> {
        unreachable!("nothing is destroyed by these jobs")
    }

    async fn offer_take_in(&self, _: &str) -> Result<RsaPublicKey, Error> {
        unreachable!("no root key is brought here")
    }

    async fn take_in(&self, _: &str, _: &WrappedRootKey, _: &RootKey) -> Result<CreatedRootKey, Error> {
        unreachable!("no root key is brought here")
    }

    fn device(&self) -> Result<claviger_hsm::Device, Error> {
        if self.is_key_manager {
            return Err(Error::unsupported("what devices do between them"));
        }
        Err(Error::NotOneDevice {
            backend: "hsm".into(),
        })
    }

    async fn check(&self, _: &RootKey) -> Result<(), Error> {
        unreachable!("that is for readiness")
    }

    async fn describe(&self) -> Result<BackendDescription, Error> {
        unreachable!("jobs do not ask")
    }
}
