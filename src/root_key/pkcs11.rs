//! Root keys in the slot of a PKCS#11 device.

use async_trait::async_trait;
use claviger_hsm::{Device, Error as DeviceError, RootKeyLocator, WrapProfile as DeviceProfile, Wrapped};

use super::{
    BackendDescription, CreatedRootKey, Error, KeptKey, KeySpecification, MadeKey, Material, RootKeyBackend,
};
use crate::adapter::RootKey;
use crate::key::{WrapProfile, WrappedKek};

pub(super) const RELEASE_PROFILE: &str = "transport";

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

    fn failed(&self, source: DeviceError) -> Error {
        Error::Device {
            backend: self.device.name().to_owned(),
            source,
        }
    }

    fn made(&self, made: claviger_hsm::MadeKey) -> Result<MadeKey, Error> {
        let claviger_hsm::MadeKey { wrapped, sha256 } = made;
        let wrapped = self.kept(wrapped)?;
        Ok(MadeKey { wrapped, sha256 })
    }

    /// The wrapped key in the form that is kept.
    fn kept(&self, wrapped: Wrapped) -> Result<WrappedKek, Error> {
        let profile = match wrapped.profile {
            DeviceProfile::AesKw => WrapProfile::AesKw,
            DeviceProfile::AesKwp => WrapProfile::AesKwp,
            DeviceProfile::AesGcm => WrapProfile::AesGcm,
            DeviceProfile::AesCbcPad => WrapProfile::AesCbcPad,
            unknown => {
                return Err(self.failed(DeviceError::WrapProfile {
                    profile: unknown.to_string(),
                }));
            }
        };
        Ok(WrappedKek {
            profile,
            bytes: wrapped.bytes,
        })
    }

    /// The wrapped key in the form that the device takes.
    fn sent(&self, wrapped: &WrappedKek) -> Result<Wrapped, Error> {
        match wrapped.profile {
            WrapProfile::AesKw => Ok(Wrapped {
                profile: DeviceProfile::AesKw,
                bytes: wrapped.bytes.clone(),
            }),
            profile => Err(Error::WrapProfile {
                backend: self.device.name().to_owned(),
                profile,
            }),
        }
    }

    fn kept_key(&self, key: KeptKey<'_>) -> Result<claviger_hsm::KeptKey, Error> {
        Ok(claviger_hsm::KeptKey {
            root: locator(key.root_key),
            kind: key.specification,
            wrapped: self.sent(key.wrapped)?,
        })
    }
}

/// Where the key is on its token: by its label, by its version's `CKA_ID`, and with the check value that
/// was recorded, so that no other key is ever used in its place.
fn locator(root_key: &RootKey) -> RootKeyLocator {
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
            token_label: token.label,
            token_serial: token.serial,
            check_value: made.check_value,
        })
    }

    async fn verify(&self, root_key: &RootKey) -> Result<(), Error> {
        let found = self.device.find_root_key(&locator(root_key)).await;
        found.map(|_| ()).map_err(|error| self.failed(error))
    }

    async fn generate(&self, root_key: &RootKey, specification: KeySpecification) -> Result<MadeKey, Error> {
        let made = self.device.generate(&locator(root_key), specification).await;
        self.made(made.map_err(|error| self.failed(error))?)
    }

    async fn import(
        &self,
        root_key: &RootKey,
        specification: KeySpecification,
        material: &[u8],
    ) -> Result<MadeKey, Error> {
        let made = self
            .device
            .import(&locator(root_key), specification, material)
            .await;
        self.made(made.map_err(|error| self.failed(error))?)
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
            .release(&locator(root_key), specification, &wrapped)
            .await;
        let released = released.map_err(|error| self.failed(error))?;
        Ok(Material::new(self.device.name(), released))
    }

    async fn release_under(&self, key: KeptKey<'_>, wrapping_key: KeptKey<'_>) -> Result<Vec<u8>, Error> {
        let (key, wrapping_key) = (self.kept_key(key)?, self.kept_key(wrapping_key)?);
        let released = self.device.release_under(&key, &wrapping_key).await;
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
        let moved = self.device.rewrap(&from, &to, specification, &wrapped).await;
        self.kept(moved.map_err(|error| self.failed(error))?)
    }

    async fn check(&self, root_key: &RootKey) -> Result<(), Error> {
        self.device
            .check(&locator(root_key))
            .await
            .map_err(|error| self.failed(error))
    }

    async fn describe(&self) -> Result<BackendDescription, Error> {
        let token = self.device.token().await.map_err(|error| self.failed(error))?;
        Ok(BackendDescription {
            name: self.device.name().to_owned(),
            kind: "pkcs11",
            token_label: token.label,
            token_serial: token.serial,
            manufacturer: token.manufacturer,
            model: token.model,
            firmware: token.firmware,
            wrap_profile: WrapProfile::AesKw.to_string(),
            release_profile: RELEASE_PROFILE,
            worker_pids: self.device.worker_pids(),
        })
    }
}
