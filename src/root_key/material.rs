//! A key on its way out.

use claviger_hsm::{Device, Released};

use super::Error;

/// A key that was released and is still closed: under the transport key of the device's worker.
pub struct Material {
    backend: String,
    release_profile: &'static str,
    released: Inner,
}

enum Inner {
    /// By a device.
    Device(Released),
    /// By the stand-in of a test that has no device.
    #[cfg(test)]
    StandIn(Vec<u8>),
}

impl Material {
    /// What a backend that stands in for a device in a test releases.
    #[cfg(test)]
    pub(crate) fn of_stand_in(key: Vec<u8>) -> Self {
        Self {
            backend: "stand-in".to_owned(),
            release_profile: "transport",
            released: Inner::StandIn(key),
        }
    }

    pub(super) fn new(device: &Device, released: Released) -> Self {
        Self {
            backend: device.name().to_owned(),
            release_profile: device.release_profile().as_str(),
            released: Inner::Device(released),
        }
    }

    /// The key's length in bytes.
    pub fn len(&self) -> usize {
        match &self.released {
            Inner::Device(released) => released.len(),
            #[cfg(test)]
            Inner::StandIn(key) => key.len(),
        }
    }

    /// Never: there is no key without a byte.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Opens the key into `out`, which must have its length. Nothing is written there where it fails.
    pub fn open_into(&self, out: &mut [u8]) -> Result<(), Error> {
        let opened = match &self.released {
            Inner::Device(released) => released.open_into(out),
            #[cfg(test)]
            Inner::StandIn(key) => {
                out.copy_from_slice(key);
                Ok(())
            }
        };
        opened.map_err(|source| Error::Device {
            backend: self.backend.clone(),
            source,
        })
    }

    /// How it left its backend, for the record.
    pub fn release_profile(&self) -> &'static str {
        self.release_profile
    }
}
