//! A key manager in memory: keys with versions, which are disabled, deleted and restored as a whole.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use uuid::Uuid;

use crate::adapter::{RootKey, RootKeyOrigin};
use crate::key::{WrapProfile, WrappedKek};
use crate::root_key::{
    BackendDescription, BackendKind, CreatedRootKey, Error, KeptKey, KeySpecification, KeyWrap, MadeKey,
    Material, RootKeyBackend, RsaPublicKey, WrappedRootKey,
};

/// What a key is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Is {
    Active,
    Suspended,
    Deleted,
}

struct Key {
    name: String,
    version: Uuid,
    is: Is,
}

#[derive(Default)]
pub(super) struct TestKeyManager {
    keys: Mutex<BTreeMap<Uuid, Key>>,
    /// What is refused from now on, by the name of the call.
    refuses: Mutex<Option<&'static str>>,
}

impl TestKeyManager {
    /// A root key that somebody else made there.
    pub(super) fn with_key(&self, name: &str) -> Uuid {
        let id = Uuid::new_v4();
        let key = Key {
            name: name.to_owned(),
            version: Uuid::new_v4(),
            is: Is::Active,
        };
        self.keys.lock().unwrap().insert(id, key);
        id
    }

    /// What becomes of the keys of this name by somebody's hand there.
    pub(super) fn set(&self, name: &str, is: Is) {
        let mut keys = self.keys.lock().unwrap();
        keys.values_mut()
            .filter(|key| key.name == name)
            .for_each(|key| key.is = is);
    }

    /// The names that there are, with what each is in.
    pub(super) fn states(&self) -> Vec<(String, Is)> {
        let keys = self.keys.lock().unwrap();
        let mut states: Vec<_> = keys.values().map(|key| (key.name.clone(), key.is)).collect();
        states.sort_by(|one, other| one.0.cmp(&other.0));
        states
    }

    /// From now on this is refused; nothing is where none is named.
    pub(super) fn refuse(&self, call: Option<&'static str>) {
        *self.refuses.lock().unwrap() = call;
    }

    fn may(&self, call: &'static str) -> Result<(), Error> {
        if *self.refuses.lock().unwrap() == Some(call) {
            return Err(failure());
        }
        Ok(())
    }

    /// Works with a key that is in one of these.
    fn with<T>(
        &self,
        root_key: &RootKey,
        states: &[Is],
        work: impl FnOnce(&mut Key) -> T,
    ) -> Result<T, Error> {
        let id = root_key
            .check_value
            .get(..16)
            .and_then(|id| Uuid::from_slice(id).ok());
        let mut keys = self.keys.lock().unwrap();
        let key = id.and_then(|id| keys.get_mut(&id)).ok_or_else(failure)?;
        if states.contains(&key.is) {
            Ok(work(key))
        } else {
            Err(failure())
        }
    }

    fn told(id: Uuid, key: &Key, origin: RootKeyOrigin) -> CreatedRootKey {
        CreatedRootKey {
            label: key.name.clone(),
            token_label: String::new(),
            token_serial: "instance".into(),
            check_value: [id.into_bytes(), key.version.into_bytes()].concat(),
            origin,
        }
    }
}

fn failure() -> Error {
    Error::Device {
        backend: "ibm".into(),
        source: claviger_hsm::Error::Deadline,
    }
}

fn wrapped() -> WrappedKek {
    WrappedKek {
        profile: WrapProfile::KeyProtectAad,
        bytes: vec![7; 40],
    }
}

#[async_trait]
impl RootKeyBackend for TestKeyManager {
    fn kind(&self) -> BackendKind {
        BackendKind::KeyProtect
    }

    fn keeps_versions(&self) -> bool {
        true
    }

    async fn create(&self, root_key: &RootKey) -> Result<CreatedRootKey, Error> {
        let id = self.with_key(&root_key.label);
        Ok(Self::told(
            id,
            &self.keys.lock().unwrap()[&id],
            RootKeyOrigin::Generated,
        ))
    }

    async fn rotate(&self, present: &RootKey, _: &RootKey) -> Result<CreatedRootKey, Error> {
        let recorded = present.check_value.clone();
        let version = self.with(present, &[Is::Active], |key| {
            if recorded.ends_with(key.version.as_bytes()) {
                key.version = Uuid::new_v4();
            }
            key.version
        })?;
        Ok(CreatedRootKey {
            label: present.label.clone(),
            token_label: String::new(),
            token_serial: "instance".into(),
            check_value: [&recorded[..16], version.as_bytes()].concat(),
            origin: present.origin,
        })
    }

    async fn adopt(&self, _: &RootKey, existing: &str) -> Result<CreatedRootKey, Error> {
        let id = existing.parse().map_err(|_| failure())?;
        let keys = self.keys.lock().unwrap();
        let key = keys.get(&id).ok_or_else(failure)?;
        Ok(Self::told(id, key, RootKeyOrigin::Adopted))
    }

    async fn verify(&self, root_key: &RootKey) -> Result<(), Error> {
        self.with(root_key, &[Is::Active], |_| ())
    }

    async fn generate(&self, root_key: &RootKey, _: KeySpecification) -> Result<MadeKey, Error> {
        self.with(root_key, &[Is::Active], |_| MadeKey {
            wrapped: wrapped(),
            sha256: [0; 32],
        })
    }

    async fn import(&self, root_key: &RootKey, what: KeySpecification, _: &[u8]) -> Result<MadeKey, Error> {
        self.generate(root_key, what).await
    }

    async fn release(
        &self,
        root_key: &RootKey,
        _: KeySpecification,
        _: &WrappedKek,
    ) -> Result<Material, Error> {
        self.with(root_key, &[Is::Active], |_| ())?;
        Ok(Material::of_stand_in(vec![9; 32]))
    }

    async fn release_under(&self, _: KeptKey<'_>, _: KeptKey<'_>, _: KeyWrap) -> Result<Vec<u8>, Error> {
        unreachable!("an administrator gets no key")
    }

    async fn rewrap(
        &self,
        from: &RootKey,
        to: &RootKey,
        _: KeySpecification,
        _: &WrappedKek,
    ) -> Result<WrappedKek, Error> {
        self.may("rewrap")?;
        self.with(from, &[Is::Active], |_| ())?;
        self.with(to, &[Is::Active], |_| wrapped())
    }

    async fn destroy(&self, root_key: &RootKey) -> Result<(), Error> {
        // One that a try which broke off may have made.
        if root_key.check_value.is_empty() {
            self.set(&root_key.label, Is::Deleted);
            return Ok(());
        }
        self.may("destroy")?;
        self.with(root_key, &[Is::Active, Is::Suspended, Is::Deleted], |key| {
            key.is = Is::Deleted;
        })
    }

    async fn destroy_version(&self, _: &RootKey) -> Result<(), Error> {
        unreachable!("the versions of a key are destroyed together")
    }

    async fn restore(&self, root_key: &RootKey) -> Result<(), Error> {
        self.may("restore")?;
        self.with(root_key, &[Is::Active, Is::Deleted], |key| key.is = Is::Active)
    }

    async fn disable(&self, root_key: &RootKey) -> Result<(), Error> {
        self.may("disable")?;
        self.with(root_key, &[Is::Active, Is::Suspended], |key| {
            key.is = Is::Suspended;
        })
    }

    async fn enable(&self, root_key: &RootKey) -> Result<(), Error> {
        self.may("enable")?;
        self.with(root_key, &[Is::Active, Is::Suspended], |key| key.is = Is::Active)
    }

    async fn offer_take_in(&self, _: &str) -> Result<RsaPublicKey, Error> {
        unreachable!("no root key is brought here")
    }

    async fn take_in(&self, _: &str, _: &WrappedRootKey, _: &RootKey) -> Result<CreatedRootKey, Error> {
        unreachable!("no root key is brought here")
    }

    fn device(&self) -> Result<claviger_hsm::Device, Error> {
        Err(Error::NotOneDevice {
            backend: "ibm".into(),
        })
    }

    async fn check(&self, root_key: &RootKey) -> Result<(), Error> {
        self.with(root_key, &[Is::Active], |_| ())
    }

    async fn describe(&self) -> Result<BackendDescription, Error> {
        Ok(BackendDescription {
            name: "ibm".into(),
            kind: "key-protect",
            token_label: String::new(),
            token_serial: "instance".into(),
            manufacturer: String::new(),
            model: String::new(),
            firmware: String::new(),
            wrap_profile: "key-protect-aad".into(),
            release_profile: "key-protect",
            worker_pids: Vec::new(),
            members: Vec::new(),
        })
    }
}
