//! The vocabulary of keys: what is asked of a device and what it answers. No secret is ever in one of these types in
//! the clear.

use std::fmt;

use openssl::bn::BigNum;
use openssl::error::ErrorStack;
use openssl::rsa::Rsa;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::wrapped::Wrapped;

/// The longest key in bytes that a device is asked to hold.
pub(crate) const LONGEST_KEY: u16 = 4096;

/// Which key on the token is a root key: label and identifier must match, and the check value where one is given.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RootKeyLocator {
    /// `CKA_LABEL`.
    pub label: String,
    /// `CKA_ID`.
    pub id: Vec<u8>,
    /// The check value that the key must have, where one was recorded: another key in its place is not used. Not looked
    /// at when a key is made.
    pub check_value: Option<Vec<u8>>,
}

impl fmt::Display for RootKeyLocator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" (CKA_ID {})", self.label, hex::encode(&self.id))
    }
}

/// A root key as it was found on the token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootKeyFacts {
    /// Its label and identifier.
    pub locator: RootKeyLocator,
    /// Tells this key from any other: eight bytes that follow from its value and tell nothing of it, or the three
    /// bytes of `CKA_CHECK_VALUE` where the device refuses the key of known value that the eight are made with.
    pub check_value: Vec<u8>,
    /// The attributes that decide what can be done with it.
    pub attributes: RootKeyAttributes,
}

/// The attributes of a root key that decide what can be done with it. Names and meaning: PKCS#11 2.40, section 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::struct_excessive_bools)] // Each is a Boolean attribute of PKCS#11.
pub struct RootKeyAttributes {
    /// `CKA_SENSITIVE`: its value can't be read.
    pub sensitive: bool,
    /// `CKA_EXTRACTABLE`: it can be wrapped under another key.
    pub extractable: bool,
    /// `CKA_MODIFIABLE`: its attributes can be changed.
    pub modifiable: bool,
    /// `CKA_WRAP`.
    pub wrap: bool,
    /// `CKA_UNWRAP`.
    pub unwrap: bool,
    /// `CKA_ENCRYPT`.
    pub encrypt: bool,
    /// `CKA_DECRYPT`: with it, who holds the PIN reads every key that it wrapped.
    pub decrypt: bool,
    /// `CKA_SIGN`.
    pub sign: bool,
    /// `CKA_DERIVE`.
    pub derive: bool,
    /// `CKA_COPYABLE`: it can be copied, and the copy have other attributes; `None` where the token does not know this
    /// attribute.
    pub copyable: Option<bool>,
    /// `CKA_LOCAL`: it was generated on the device.
    pub local: bool,
    /// `CKA_ALLOWED_MECHANISMS` names some; `None` where the token does not tell this attribute, as with the two below.
    pub allowed_mechanisms: Option<bool>,
    /// `CKA_UNWRAP_TEMPLATE` names some.
    pub unwrap_template: Option<bool>,
    /// `CKA_WRAP_TEMPLATE` names some.
    pub wrap_template: Option<bool>,
}

/// The token in the slot, from `CK_TOKEN_INFO`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::struct_excessive_bools)] // Each is a flag of CK_TOKEN_INFO.
pub struct TokenFacts {
    /// The slot's number.
    pub slot: u64,
    /// The token's label.
    pub label: String,
    /// The token's serial number.
    pub serial: String,
    /// Who made the device.
    pub manufacturer: String,
    /// The device's model.
    pub model: String,
    /// The firmware's version, `major.minor`.
    pub firmware: String,
    /// `CKF_USER_PIN_COUNT_LOW`: a wrong PIN was entered since the last right one.
    pub user_pin_count_low: bool,
    /// `CKF_USER_PIN_FINAL_TRY`: one more wrong PIN locks the token.
    pub user_pin_final_try: bool,
    /// `CKF_USER_PIN_LOCKED`.
    pub user_pin_locked: bool,
    /// `CKF_WRITE_PROTECTED`.
    pub write_protected: bool,
}

/// A key as it is kept: what it is, and the root key that wraps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptKey {
    /// The root key.
    pub root: RootKeyLocator,
    /// What the device holds when it is unwrapped.
    pub kind: KeyKind,
    /// The key under the root key.
    pub wrapped: Wrapped,
}

/// How a key is wrapped for a client that knows the wrapping key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyWrap {
    /// AES key wrap: RFC 3394.
    Nist,
    /// AES key wrap with padding: RFC 5649.
    Padded,
}

/// What kind of key the device holds while it makes, imports or releases one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum KeyKind {
    /// `CKK_AES`: 16, 24 or 32 bytes.
    Aes {
        /// The key's length in bytes.
        bytes: u16,
    },
    /// `CKK_GENERIC_SECRET`: at most 4,096 bytes, and possibly none. AES key wrap takes multiples of eight from sixteen
    /// on, so the device holds it with more bytes behind it where it must: zeros behind a key that was taken in, random
    /// ones behind one that was made. The caller remembers the true length and names it in each request.
    Generic {
        /// The key's true length in bytes.
        bytes: u16,
    },
}

impl KeyKind {
    /// The key's true length in bytes.
    pub fn bytes(self) -> usize {
        match self {
            Self::Aes { bytes } | Self::Generic { bytes } => usize::from(bytes),
        }
    }

    /// The length in bytes of what the device wraps.
    pub(crate) fn padded_bytes(self) -> usize {
        match self {
            Self::Aes { bytes } => usize::from(bytes),
            Self::Generic { bytes } => usize::from(bytes).next_multiple_of(8).max(16),
        }
    }

    /// Refuses lengths that no device is asked for.
    pub(crate) fn check(self) -> Result<(), Error> {
        let possible = match self {
            Self::Aes { bytes } => matches!(bytes, 16 | 24 | 32),
            Self::Generic { bytes } => bytes <= LONGEST_KEY,
        };
        if possible {
            Ok(())
        } else {
            Err(Error::KeyLength { bytes: self.bytes() })
        }
    }
}

/// A key that the device has just made or taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeKey {
    /// The key under its root key.
    pub wrapped: Wrapped,
    /// SHA-256 of the key's value in its true length. A short or guessable value can be found from it: it is as
    /// confidential as the caller's policy makes it.
    pub sha256: [u8; 32],
}

/// An RSA public key: big-endian integers without leading zeros.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RsaPublicKey {
    /// The modulus.
    pub modulus: Vec<u8>,
    /// The public exponent.
    pub exponent: Vec<u8>,
}

impl RsaPublicKey {
    /// As PEM, `BEGIN PUBLIC KEY` (`SubjectPublicKeyInfo` of RFC 5280).
    pub fn to_pem(&self) -> Result<String, Error> {
        let pem = || {
            let modulus = BigNum::from_slice(&self.modulus)?;
            let exponent = BigNum::from_slice(&self.exponent)?;
            Rsa::from_public_components(modulus, exponent)?.public_key_to_pem()
        };
        let pem = pem().map_err(|error: ErrorStack| Error::protocol(error))?;
        String::from_utf8(pem).map_err(Error::protocol)
    }
}

/// A root key under the RSA key of a device. Its `Debug` shows the length alone.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrappedRootKey(pub Vec<u8>);

impl fmt::Debug for WrappedRootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WrappedRootKey({} bytes)", self.0.len())
    }
}
