//! Wrapped keys: by which profile, and the form of the bytes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Error;

/// How a device wraps a key; recorded with each key. The order is from the best to the least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum WrapProfile {
    /// `CKM_AES_KEY_WRAP_KWP`: RFC 5649.
    AesKwp,
    /// `CKM_AES_KEY_WRAP` with the default initial value: RFC 3394.
    AesKw,
    /// `CKM_AES_GCM` with a 96-bit initialisation vector, no additional data and a 128-bit tag: SP 800-38D.
    AesGcm,
    /// `CKM_AES_CBC_PAD`; has no integrity of its own, so whoever keeps what it wraps must add one, and check it before
    /// the device sees the bytes.
    AesCbcPad,
}

impl WrapProfile {
    /// All of them, the best first.
    pub const ALL: [Self; 4] = [Self::AesKwp, Self::AesKw, Self::AesGcm, Self::AesCbcPad];

    /// The name under which it is stored: `aes-kw`, `aes-kwp`, `aes-gcm`, `aes-cbc-pad`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AesKw => "aes-kw",
            Self::AesKwp => "aes-kwp",
            Self::AesGcm => "aes-gcm",
            Self::AesCbcPad => "aes-cbc-pad",
        }
    }

    /// Whether a changed blob is refused by the profile itself.
    pub fn has_integrity(self) -> bool {
        self != Self::AesCbcPad
    }

    /// How many bytes of initialisation vector stand before what the device gave.
    pub(crate) const fn iv_bytes(self) -> usize {
        match self {
            Self::AesKwp | Self::AesKw => 0,
            Self::AesGcm => 12,
            Self::AesCbcPad => 16,
        }
    }

    /// The length of a wrapped key of `bytes` bytes, a multiple of eight from sixteen on.
    pub(crate) const fn wrapped_bytes(self, bytes: usize) -> usize {
        match self {
            Self::AesKwp | Self::AesKw => bytes + 8,
            Self::AesGcm => self.iv_bytes() + bytes + 16,
            Self::AesCbcPad => self.iv_bytes() + (bytes / 16 + 1) * 16,
        }
    }
}

impl fmt::Display for WrapProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for WrapProfile {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find(|profile| profile.as_str() == name)
            .ok_or_else(|| Error::WrapProfile {
                profile: name.to_owned(),
            })
    }
}

/// A key wrapped under a root key: what is stored.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wrapped {
    /// How it was wrapped.
    pub profile: WrapProfile,
    /// The initialisation vector where the profile has one, and behind it what the device gave.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Wrapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wrapped({}, {} bytes)", self.profile, self.bytes.len())
    }
}
