//! A key on its way out.

use claviger_hsm::Released;

use super::Error;

/// A key that a backend has released and that is still closed.
pub trait Open: Send + Sync {
    /// The key's length in bytes; at least one.
    fn len(&self) -> usize;

    /// Never: there is no key without a byte.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Opens the key into `out`, which must have its length. Nothing is written there where it fails.
    fn open_into(&self, out: &mut [u8]) -> Result<(), Error>;
}

/// A key that was released and is still closed: on a device, under the transport key of the device's worker.
pub struct Material(Box<dyn Open>);

impl Material {
    /// What a backend released.
    pub fn new(open: Box<dyn Open>) -> Self {
        Self(open)
    }

    pub(super) fn of_device(backend: &str, released: Released) -> Self {
        Self::new(Box::new(OfDevice {
            backend: backend.to_owned(),
            released,
        }))
    }

    /// The key's length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Never: there is no key without a byte.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Opens the key into `out`, which must have its length. Nothing is written there where it fails.
    pub fn open_into(&self, out: &mut [u8]) -> Result<(), Error> {
        self.0.open_into(out)
    }

    /// How it left its backend, for the record.
    #[allow(clippy::unused_self)] // Another backend's material leaves by another profile.
    pub fn release_profile(&self) -> &'static str {
        super::pkcs11::RELEASE_PROFILE
    }
}

struct OfDevice {
    backend: String,
    released: Released,
}

impl Open for OfDevice {
    fn len(&self) -> usize {
        self.released.len()
    }

    fn open_into(&self, out: &mut [u8]) -> Result<(), Error> {
        self.released.open_into(out).map_err(|source| Error::Device {
            backend: self.backend.clone(),
            source,
        })
    }
}
