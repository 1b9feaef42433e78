//! A key as it is kept: wrapped by a device under a root key, and as it came where it came wrapped.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::kmip::object::KeyWrappingData;

/// How a backend wraps a key. Recorded with each key, since a backend may come to know a better one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum WrapProfile {
    /// AES Key Wrap, RFC 3394 (`CKM_AES_KEY_WRAP`).
    AesKw,
    /// AES Key Wrap with Padding, RFC 5649 (`CKM_AES_KEY_WRAP_KWP`).
    AesKwp,
    /// AES-GCM.
    AesGcm,
    /// AES-CBC with padding; what protects its integrity is the seal of the row.
    AesCbcPad,
    /// The wrap action of Key Protect.
    KeyProtect,
    /// The same, with what the key is bound to it as additional authenticated data.
    KeyProtectAad,
}

impl WrapProfile {
    const ALL: [Self; 6] = [
        Self::AesKw,
        Self::AesKwp,
        Self::AesGcm,
        Self::AesCbcPad,
        Self::KeyProtect,
        Self::KeyProtectAad,
    ];

    /// The name in the store, in records and for operators.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AesKw => "aes-kw",
            Self::AesKwp => "aes-kwp",
            Self::AesGcm => "aes-gcm",
            Self::AesCbcPad => "aes-cbc-pad",
            Self::KeyProtect => "key-protect",
            Self::KeyProtectAad => "key-protect-aad",
        }
    }

    /// The profile of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name() == name)
    }
}

impl fmt::Display for WrapProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A key wrapped under a root key. Its bytes show in no log.
#[derive(Clone, PartialEq, Eq)]
pub struct WrappedKek {
    /// How it was wrapped.
    pub profile: WrapProfile,
    /// What the device gave.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for WrappedKek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WrappedKek")
            .field("profile", &self.profile)
            .field("length", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

/// A value that came wrapped under a key of the client's, as it came. Its bytes show in no log.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisteredWrapped {
    /// How it is wrapped, and by which key.
    pub data: KeyWrappingData,
    /// The wrapped bytes.
    pub value: Vec<u8>,
    /// Whether they came as the Key Material of a Key Value structure, and not as the Key Value itself.
    pub in_structure: bool,
}

impl fmt::Debug for RegisteredWrapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegisteredWrapped")
            .field("data", &self.data)
            .field("length", &self.value.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrapped_key_does_not_show_in_a_log() {
        let wrapped = WrappedKek {
            profile: WrapProfile::AesKw,
            bytes: vec![0xAB; 40],
        };
        let shown = format!("{wrapped:?}");
        assert!(
            !shown.contains("171") && !shown.to_lowercase().contains("ab, ab"),
            "{shown}"
        );
    }

    #[test]
    fn a_profile_is_found_by_the_name_it_is_stored_under() {
        for profile in WrapProfile::ALL {
            assert_eq!(WrapProfile::from_name(profile.name()), Some(profile));
            assert_eq!(serde_json::to_value(profile).unwrap(), profile.name());
        }
    }
}
