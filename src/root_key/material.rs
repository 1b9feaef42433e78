//! A key, or another value, on its way out.

use claviger_hsm::memory::LockedBuffer;
use claviger_hsm::{Device, Released};

use super::Error;
use crate::key::WrappedKek;

/// A key that was released: closed, under the transport key of the device's worker; or, by a backend that is no device, in
/// the clear in locked memory, from where it is copied once.
pub struct Material {
    backend: String,
    release_profile: &'static str,
    released: Inner,
    rewrapped: Option<Rewrapped>,
}

/// A key that was wrapped anew on the occasion of its release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewrapped {
    /// What is to be kept in place of what was released.
    pub wrapped: WrappedKek,
    /// The check value of the version that it is under now.
    pub check_value: Vec<u8>,
}

enum Inner {
    /// By a device.
    Device(Released),
    /// By a backend that opened it into this memory.
    Memory(LockedBuffer),
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
            rewrapped: None,
        }
    }

    pub(super) fn new(device: &Device, released: Released) -> Self {
        Self {
            backend: device.name().to_owned(),
            release_profile: device.release_profile().as_str(),
            released: Inner::Device(released),
            rewrapped: None,
        }
    }

    /// A key that a backend opened, and how it came from there. Where the backend wrapped it anew on this occasion, that is
    /// told by [`rewrapped`](Self::rewrapped).
    pub(super) fn of_memory(
        backend: &str,
        release_profile: &'static str,
        key: LockedBuffer,
        rewrapped: Option<Rewrapped>,
    ) -> Self {
        Self {
            backend: backend.to_owned(),
            release_profile,
            released: Inner::Memory(key),
            rewrapped,
        }
    }

    /// The key wrapped anew, where it was under an earlier version of its root key and the backend took the occasion: to be
    /// kept in place of what was released. None for a value in several pieces.
    pub fn rewrapped(&self) -> Option<&Rewrapped> {
        self.rewrapped.as_ref()
    }

    /// The same, with what a stand-in for a backend wrapped anew.
    #[cfg(any(test, feature = "testkit"))]
    #[must_use]
    pub fn rewrapped_as(self, rewrapped: Option<Rewrapped>) -> Self {
        Self { rewrapped, ..self }
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
            rewrapped: None,
        })
    }

    /// The value's length in bytes.
    pub fn len(&self) -> usize {
        match &self.released {
            Inner::Device(released) => released.len(),
            Inner::Memory(key) => key.len(),
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
            Inner::Memory(key) => {
                out.copy_from_slice(key.as_slice());
                Ok(())
            }
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
