//! Root keys in the slot of a PKCS#11 device.

use std::time::Instant;

use async_trait::async_trait;
use claviger_hsm::{
    Device, Error as DeviceError, RootKeyLocator, RsaPublicKey, WrapProfile as DeviceProfile, Wrapped,
    WrappedRootKey,
};

use super::{
    BackendDescription, Capabilities, Cipher, CreatedRootKey, DerivingCipher, Error, Healing, KeptKey,
    KeySpecification, KeyWrap, MacAlgorithm, MadeKey, Material, RootKeyBackend,
};
use crate::adapter::{RootKey, RootKeyOrigin};
use crate::key::{WrapProfile, WrappedKek};

/// A device as a backend.
#[derive(Clone)]
pub struct Pkcs11Backend {
    device: Device,
}

impl Pkcs11Backend {
    /// The backend of a device, which is called as the device is.
    pub fn new(device: Device) -> Self {
        Self { device }
    }

    /// The device, for its shutdown and its workers' process numbers.
    pub fn device(&self) -> &Device {
        &self.device
    }

    fn kept_key(&self, key: KeptKey<'_>) -> Result<claviger_hsm::KeptKey, Error> {
        Ok(claviger_hsm::KeptKey {
            root: locator(key.root_key),
            kind: key.specification.kind,
            wrapped: self.sent(key.wrapped)?,
        })
    }

    /// The wrapped key in the form that the device takes.
    fn sent(&self, wrapped: &WrappedKek) -> Result<Wrapped, Error> {
        sent(wrapped).map_err(|error| self.failed(error))
    }

    fn failed(&self, source: DeviceError) -> Error {
        match source {
            DeviceError::Unsupported { what } => Error::Unsupported { what },
            source => Error::Device {
                backend: self.device.name().to_owned(),
                source,
            },
        }
    }
}

fn made(made: claviger_hsm::MadeKey) -> MadeKey {
    MadeKey {
        wrapped: kept(made.wrapped),
        sha256: made.sha256,
    }
}

/// The wrapped key in the form that is kept.
fn kept(wrapped: Wrapped) -> WrappedKek {
    WrappedKek {
        profile: of_device(wrapped.profile),
        bytes: wrapped.bytes,
    }
}

/// The wrapped key in the form that the device takes.
fn sent(wrapped: &WrappedKek) -> Result<Wrapped, DeviceError> {
    let profile = match wrapped.profile {
        WrapProfile::AesKw => DeviceProfile::AesKw,
        WrapProfile::AesKwp => DeviceProfile::AesKwp,
        WrapProfile::AesGcm => DeviceProfile::AesGcm,
        WrapProfile::AesCbcPad => DeviceProfile::AesCbcPad,
        WrapProfile::KeyProtect | WrapProfile::KeyProtectAad => {
            return Err(DeviceError::WrapProfile {
                profile: wrapped.profile.name().to_owned(),
            });
        }
    };
    Ok(Wrapped {
        profile,
        bytes: wrapped.bytes.clone(),
    })
}

fn of_device(profile: DeviceProfile) -> WrapProfile {
    match profile {
        DeviceProfile::AesKw => WrapProfile::AesKw,
        DeviceProfile::AesKwp => WrapProfile::AesKwp,
        DeviceProfile::AesGcm => WrapProfile::AesGcm,
        DeviceProfile::AesCbcPad => WrapProfile::AesCbcPad,
    }
}

/// Where the key is on its token: by its label, by its version's `CKA_ID`, and with the check value that
/// was recorded, so that no other key is ever used in its place.
pub fn locator(root_key: &RootKey) -> RootKeyLocator {
    let check_value = &root_key.check_value;
    RootKeyLocator {
        label: root_key.label.clone(),
        id: root_key.token_id(),
        check_value: (!check_value.is_empty()).then(|| check_value.clone()),
    }
}

#[async_trait]
impl RootKeyBackend for Pkcs11Backend {
    async fn create(&self, root_key: &RootKey) -> Result<CreatedRootKey, Error> {
        let token = self.device.token().await.map_err(|error| self.failed(error))?;
        let made = self
            .device
            .create_root_key(&locator(root_key))
            .await
            .map_err(|error| self.failed(error))?;
        Ok(CreatedRootKey {
            label: root_key.label.clone(),
            token_label: token.label,
            token_serial: token.serial,
            check_value: made.check_value,
            origin: RootKeyOrigin::Generated,
        })
    }

    async fn verify(&self, root_key: &RootKey) -> Result<(), Error> {
        let found = self.device.find_root_key(&locator(root_key)).await;
        found.map(|_| ()).map_err(|error| self.failed(error))
    }

    async fn generate(&self, root_key: &RootKey, specification: KeySpecification) -> Result<MadeKey, Error> {
        let made = self.device.generate(&locator(root_key), specification.kind).await;
        made.map(self::made).map_err(|error| self.failed(error))
    }

    async fn import(
        &self,
        root_key: &RootKey,
        specification: KeySpecification,
        material: &[u8],
    ) -> Result<MadeKey, Error> {
        let made = self
            .device
            .import(&locator(root_key), specification.kind, material)
            .await;
        made.map(self::made).map_err(|error| self.failed(error))
    }

    async fn release(
        &self,
        root_key: &RootKey,
        specification: KeySpecification,
        wrapped: &WrappedKek,
    ) -> Result<Material, Error> {
        let wrapped = self.sent(wrapped)?;
        let released = self
            .device
            .release(&locator(root_key), specification.kind, &wrapped)
            .await;
        let released = released.map_err(|error| self.failed(error))?;
        Ok(Material::new(&self.device, released))
    }

    async fn release_under(
        &self,
        key: KeptKey<'_>,
        wrapping_key: KeptKey<'_>,
        key_wrap: KeyWrap,
    ) -> Result<Vec<u8>, Error> {
        let (key, wrapping_key) = (self.kept_key(key)?, self.kept_key(wrapping_key)?);
        let released = self.device.release_under(&key, &wrapping_key, key_wrap).await;
        released.map_err(|error| self.failed(error))
    }

    async fn rewrap(
        &self,
        from: &RootKey,
        to: &RootKey,
        specification: KeySpecification,
        wrapped: &WrappedKek,
    ) -> Result<WrappedKek, Error> {
        let wrapped = self.sent(wrapped)?;
        let (from, to) = (locator(from), locator(to));
        let moved = self.device.rewrap(&from, &to, specification.kind, &wrapped).await;
        moved.map(kept).map_err(|error| self.failed(error))
    }

    async fn forget(&self, root_key: &RootKey, wrapped: Option<&WrappedKek>) {
        // What the device can't take never was on it.
        if let Ok(wrapped) = wrapped.map(sent).transpose() {
            self.device.forget(&locator(root_key), wrapped.as_ref()).await;
        }
    }

    async fn destroy(&self, root_key: &RootKey) -> Result<(), Error> {
        let destroyed = self.device.destroy_root_key(&locator(root_key)).await;
        destroyed.map_err(|error| self.failed(error))
    }

    async fn offer_take_in(&self, label: &str) -> Result<RsaPublicKey, Error> {
        let offered = self.device.offer_take_in(label).await;
        offered.map_err(|error| self.failed(error))
    }

    async fn take_in(
        &self,
        label: &str,
        wrapped: &WrappedRootKey,
        root_key: &RootKey,
    ) -> Result<CreatedRootKey, Error> {
        let token = self.device.token().await.map_err(|error| self.failed(error))?;
        let taken_in = self.device.take_in(label, wrapped, &locator(root_key)).await;
        let facts = taken_in.map_err(|error| self.failed(error))?;
        Ok(CreatedRootKey {
            label: root_key.label.clone(),
            token_label: token.label,
            token_serial: token.serial,
            check_value: facts.check_value,
            origin: RootKeyOrigin::Imported,
        })
    }

    fn device(&self) -> Result<Device, Error> {
        Ok(self.device.clone())
    }

    async fn check(&self, root_key: &RootKey) -> Result<(), Error> {
        self.device
            .check(&locator(root_key))
            .await
            .map_err(|error| self.failed(error))
    }

    async fn encrypt(&self, key: KeptKey<'_>, cipher: &Cipher, data: &[u8]) -> Result<Vec<u8>, Error> {
        let encrypted = self.device.encrypt(&self.kept_key(key)?, cipher, data).await;
        encrypted.map_err(|error| self.failed(error))
    }

    async fn decrypt(&self, key: KeptKey<'_>, cipher: &Cipher, data: &[u8]) -> Result<Vec<u8>, Error> {
        let decrypted = self.device.decrypt(&self.kept_key(key)?, cipher, data).await;
        decrypted.map_err(|error| self.failed(error))
    }

    async fn mac(&self, key: KeptKey<'_>, algorithm: MacAlgorithm, data: &[u8]) -> Result<Vec<u8>, Error> {
        let code = self.device.mac(&self.kept_key(key)?, algorithm, data).await;
        code.map_err(|error| self.failed(error))
    }

    async fn verify_mac(
        &self,
        key: KeptKey<'_>,
        algorithm: MacAlgorithm,
        data: &[u8],
        code: &[u8],
    ) -> Result<bool, Error> {
        let key = self.kept_key(key)?;
        let verified = self.device.verify_mac(&key, algorithm, data, code);
        verified.await.map_err(|error| self.failed(error))
    }

    async fn unwrap_under(
        &self,
        root_key: &RootKey,
        specification: KeySpecification,
        wrapping_key: KeptKey<'_>,
        key_wrap: KeyWrap,
        wrapped: &[u8],
    ) -> Result<MadeKey, Error> {
        let (root, under) = (locator(root_key), self.kept_key(wrapping_key)?);
        let made = self
            .device
            .unwrap_under(&under, key_wrap, wrapped, &root, specification.kind)
            .await;
        made.map(self::made).map_err(|error| self.failed(error))
    }

    async fn derive_by_encryption(
        &self,
        root_key: &RootKey,
        specification: KeySpecification,
        base: KeptKey<'_>,
        cipher: DerivingCipher,
        data: &[u8],
    ) -> Result<MadeKey, Error> {
        let (root, base) = (locator(root_key), self.kept_key(base)?);
        let derived = self
            .device
            .derive_by_encryption(&base, cipher, data, &root, specification.kind)
            .await;
        derived.map(made).map_err(|error| self.failed(error))
    }

    async fn random(&self, length: u16) -> Result<Vec<u8>, Error> {
        let random = self.device.random(length).await;
        random.map_err(|error| self.failed(error))
    }

    async fn seed_random(&self, seed: &[u8]) -> Result<bool, Error> {
        let taken = self.device.seed_random(seed).await;
        taken.map_err(|error| self.failed(error))
    }

    async fn capabilities(&self) -> Result<Capabilities, Error> {
        let capabilities = self.device.capabilities().await;
        capabilities.map_err(|error| self.failed(error))
    }

    fn under_way(&self) -> usize {
        self.device.under_way()
    }

    fn last_worked(&self, root_key: &RootKey) -> Option<Instant> {
        self.device.last_worked(&locator(root_key))
    }

    fn healing(&self) -> Option<Healing> {
        Some(self.device.healing())
    }

    async fn describe(&self) -> Result<BackendDescription, Error> {
        let token = self.device.token().await.map_err(|error| self.failed(error))?;
        Ok(BackendDescription {
            name: self.device.name().to_owned(),
            kind: self.kind().name(),
            token_label: token.label,
            token_serial: token.serial,
            manufacturer: token.manufacturer,
            model: token.model,
            firmware: token.firmware,
            wrap_profile: self
                .device
                .wrap_profile()
                .map(|profile| profile.to_string())
                .unwrap_or_default(),
            release_profile: self.device.release_profile().as_str(),
            worker_pids: self.device.worker_pids(),
            members: Vec::new(),
        })
    }
}
