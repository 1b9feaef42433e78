//! A key, or another value, on its way out.

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
    /// In several pieces.
    Pieces(Vec<Material>),
    /// By the stand-in of a test that has no device.
    #[cfg(any(test, feature = "testkit"))]
    StandIn(Vec<u8>),
}

impl Material {
    /// What a backend that stands in for a device in a test releases.
    #[cfg(any(test, feature = "testkit"))]
    pub fn of_stand_in(key: Vec<u8>) -> Self {
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

    /// What was released in pieces, one at least, as one.
    pub(super) fn joined(mut pieces: Vec<Self>) -> Self {
        let first = pieces.first().expect("a value has one piece at least");
        let (backend, release_profile) = (first.backend.clone(), first.release_profile);
        let one = (pieces.len() == 1).then(|| pieces.pop()).flatten();
        one.unwrap_or(Self {
            backend,
            release_profile,
            released: Inner::Pieces(pieces),
        })
    }

    /// The value's length in bytes.
    pub fn len(&self) -> usize {
        match &self.released {
            Inner::Device(released) => released.len(),
            Inner::Pieces(pieces) => pieces.iter().map(Self::len).sum(),
            #[cfg(any(test, feature = "testkit"))]
            Inner::StandIn(key) => key.len(),
        }
    }

    /// Whether it has no byte, as secret data and opaque objects may.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Opens the value into `out`, which must have its length. Where it fails, what is written there is not the value; of
    /// a value in one piece nothing is written.
    pub fn open_into(&self, out: &mut [u8]) -> Result<(), Error> {
        let opened = match &self.released {
            Inner::Device(released) => released.open_into(out),
            Inner::Pieces(pieces) => {
                let mut rest = out;
                for piece in pieces {
                    let length = piece.len().min(rest.len());
                    let (place, behind) = rest.split_at_mut(length);
                    piece.open_into(place)?;
                    rest = behind;
                }
                Ok(())
            }
            #[cfg(any(test, feature = "testkit"))]
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
