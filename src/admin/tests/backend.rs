//! A root-key backend in memory, which can be told to fail.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;

use crate::adapter::{RootKey, RootKeyOrigin};
use crate::key::{WrapProfile, WrappedKek};
use crate::root_key::{
    BackendDescription, CreatedRootKey, Error, KeptKey, KeySpecification, KeyWrap, MadeKey, Material,
    RootKeyBackend, RsaPublicKey, WrappedRootKey,
};

#[derive(Default)]
pub(super) struct TestBackend {
    labels: Mutex<BTreeSet<String>>,
    checks_fail: AtomicBool,
    sealing_fails: AtomicBool,
    indestructible: Mutex<BTreeSet<String>>,
    answers_are_lost: AtomicBool,
}

impl TestBackend {
    /// The keys on the token.
    pub(super) fn labels(&self) -> Vec<String> {
        self.labels.lock().unwrap().iter().cloned().collect()
    }

    /// Leaves a key on the token that nobody entered.
    pub(super) fn leave(&self, label: &str) {
        self.labels.lock().unwrap().insert(label.to_owned());
    }

    pub(super) fn remove(&self, label: &str) {
        self.labels.lock().unwrap().remove(label);
    }

    /// From now on the key of this label can't be destroyed.
    pub(super) fn protect(&self, label: &str) {
        self.indestructible.lock().unwrap().insert(label.to_owned());
    }

    /// Everything can be destroyed again.
    pub(super) fn protect_nothing(&self) {
        self.indestructible.lock().unwrap().clear();
    }

    /// The next destruction is done, and said to have failed.
    pub(super) fn lose_answer(&self) {
        self.answers_are_lost.store(true, Ordering::SeqCst);
    }

    pub(super) fn fail_checks(&self, fail: bool) {
        self.checks_fail.store(fail, Ordering::SeqCst);
    }

    pub(super) fn fail_sealing(&self, fail: bool) {
        self.sealing_fails.store(fail, Ordering::SeqCst);
    }
}

fn failure() -> Error {
    Error::Device {
        backend: "hsm".into(),
        source: claviger_hsm::Error::Deadline,
    }
}

#[async_trait]
impl RootKeyBackend for TestBackend {
    async fn create(&self, root: &RootKey) -> Result<CreatedRootKey, Error> {
        if !self.labels.lock().unwrap().insert(root.label.clone()) {
            let source = claviger_hsm::Error::RootKeyExists {
                locator: root.label.clone(),
            };
            return Err(Error::Device {
                backend: "hsm".into(),
                source,
            });
        }
        Ok(CreatedRootKey {
            label: root.label.clone(),
            origin: RootKeyOrigin::Generated,
            token_label: "token".into(),
            token_serial: "4711".into(),
            check_value: vec![1; 8],
        })
    }

    async fn verify(&self, _: &RootKey) -> Result<(), Error> {
        Ok(())
    }

    async fn generate(&self, _: &RootKey, _: KeySpecification) -> Result<MadeKey, Error> {
        if self.sealing_fails.load(Ordering::SeqCst) {
            return Err(failure());
        }
        let wrapped = WrappedKek {
            profile: WrapProfile::AesKw,
            bytes: vec![7; 40],
        };
        Ok(MadeKey {
            wrapped,
            sha256: [0; 32],
        })
    }

    async fn import(&self, root: &RootKey, what: KeySpecification, _: &[u8]) -> Result<MadeKey, Error> {
        self.generate(root, what).await
    }

    async fn release(&self, _: &RootKey, _: KeySpecification, _: &WrappedKek) -> Result<Material, Error> {
        Ok(Material::of_stand_in(vec![9; 32]))
    }

    async fn release_under(&self, _: KeptKey<'_>, _: KeptKey<'_>, _: KeyWrap) -> Result<Vec<u8>, Error> {
        unreachable!("an administrator gets no key")
    }

    async fn rewrap(
        &self,
        _: &RootKey,
        _: &RootKey,
        _: KeySpecification,
        wrapped: &WrappedKek,
    ) -> Result<WrappedKek, Error> {
        Ok(wrapped.clone())
    }

    async fn destroy(&self, root: &RootKey) -> Result<(), Error> {
        if self.indestructible.lock().unwrap().contains(&root.label) {
            return Err(failure());
        }
        self.remove(&root.label);
        if self.answers_are_lost.swap(false, Ordering::SeqCst) {
            return Err(failure());
        }
        Ok(())
    }

    async fn offer_take_in(&self, _: &str) -> Result<RsaPublicKey, Error> {
        unreachable!("no root key is brought here")
    }

    async fn take_in(&self, _: &str, _: &WrappedRootKey, _: &RootKey) -> Result<CreatedRootKey, Error> {
        unreachable!("no root key is brought here")
    }

    fn device(&self) -> Result<claviger_hsm::Device, Error> {
        Err(Error::NotOneDevice {
            backend: "hsm".into(),
        })
    }

    async fn check(&self, _: &RootKey) -> Result<(), Error> {
        if self.checks_fail.load(Ordering::SeqCst) {
            Err(failure())
        } else {
            Ok(())
        }
    }

    async fn describe(&self) -> Result<BackendDescription, Error> {
        Ok(BackendDescription {
            name: "hsm".into(),
            kind: "test",
            token_label: "token".into(),
            token_serial: "4711".into(),
            manufacturer: String::new(),
            model: String::new(),
            firmware: String::new(),
            wrap_profile: "aes-kw".into(),
            release_profile: "transport",
            worker_pids: Vec::new(),
            members: Vec::new(),
        })
    }
}
