//! A key on its way out.

use claviger_hsm::Released;

use super::Error;

/// A key that was released and is still closed: under the transport key of the device's worker.
pub struct Material {
    backend: String,
    released: Released,
}

impl Material {
    pub(super) fn new(backend: &str, released: Released) -> Self {
        Self {
            backend: backend.to_owned(),
            released,
        }
    }

    /// The key's length in bytes.
    pub fn len(&self) -> usize {
        self.released.len()
    }

    /// Never: there is no key without a byte.
    pub fn is_empty(&self) -> bool {
        self.released.is_empty()
    }

    /// Opens the key into `out`, which must have its length. Nothing is written there where it fails.
    pub fn open_into(&self, out: &mut [u8]) -> Result<(), Error> {
        self.released.open_into(out).map_err(|source| Error::Device {
            backend: self.backend.clone(),
            source,
        })
    }

    /// How it left its backend, for the record.
    #[allow(clippy::unused_self)] // Another backend's material leaves by another profile.
    pub fn release_profile(&self) -> &'static str {
        super::pkcs11::RELEASE_PROFILE
    }
}
