//! What a device can be asked to do with a kept key, in the words of PKCS#11 and SP 800-38.

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

use crate::Error;

/// The block of AES in bytes.
const BLOCK: usize = 16;

/// The most that is encrypted, decrypted or authenticated in one request, in bytes.
pub const LONGEST_DATA: usize = 1 << 20;

/// A mode of AES with what it needs besides the key and the data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cipher {
    /// ECB (SP 800-38A, section 6.1); whole blocks only.
    Ecb,
    /// CBC (section 6.2); whole blocks only.
    Cbc {
        /// The initialisation vector.
        iv: [u8; BLOCK],
    },
    /// CBC with the padding of PKCS #7 (RFC 5652, section 6.3).
    CbcPad {
        /// The initialisation vector.
        iv: [u8; BLOCK],
    },
    /// CFB with segments of a block (SP 800-38A, section 6.3).
    Cfb {
        /// The initialisation vector.
        iv: [u8; BLOCK],
    },
    /// OFB (section 6.4).
    Ofb {
        /// The initialisation vector.
        iv: [u8; BLOCK],
    },
    /// CTR (section 6.5).
    Ctr {
        /// The first counter block.
        counter_block: [u8; BLOCK],
        /// How many of its last bits are counted up, 1 to 128.
        counter_bits: u8,
    },
    /// GCM (SP 800-38D). The tag stands behind the ciphertext.
    Gcm(Aead),
    /// CCM (SP 800-38C). The tag stands behind the ciphertext.
    Ccm(Aead),
}

/// What authenticated encryption needs besides the key and the data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aead {
    /// The nonce: for GCM 1 to 256 bytes, twelve as a rule; for CCM 7 to 13.
    pub nonce: Vec<u8>,
    /// What is authenticated and not encrypted.
    pub additional_data: Vec<u8>,
    /// The length of the tag in bytes, 4 to 16.
    pub tag_bytes: u8,
}

impl Cipher {
    /// The mode alone.
    pub fn mode(&self) -> CipherMode {
        match self {
            Self::Ecb => CipherMode::Ecb,
            Self::Cbc { .. } => CipherMode::Cbc,
            Self::CbcPad { .. } => CipherMode::CbcPad,
            Self::Cfb { .. } => CipherMode::Cfb,
            Self::Ofb { .. } => CipherMode::Ofb,
            Self::Ctr { .. } => CipherMode::Ctr,
            Self::Gcm(_) => CipherMode::Gcm,
            Self::Ccm(_) => CipherMode::Ccm,
        }
    }

    /// The length in bytes of the tag behind the ciphertext; 0 in a mode without one.
    pub fn tag_bytes(&self) -> usize {
        match self {
            Self::Gcm(aead) | Self::Ccm(aead) => usize::from(aead.tag_bytes),
            _ => 0,
        }
    }

    /// Refuses data to be encrypted that the mode does not take.
    pub(crate) fn check_plaintext(&self, length: usize) -> Result<(), Error> {
        let fits = match self {
            Self::Ecb | Self::Cbc { .. } => length > 0 && length.is_multiple_of(BLOCK),
            _ => true,
        };
        check_length(fits, length)
    }

    /// Refuses data to be decrypted that the mode does not take.
    pub(crate) fn check_ciphertext(&self, length: usize) -> Result<(), Error> {
        let fits = match self {
            Self::Ecb | Self::Cbc { .. } | Self::CbcPad { .. } => length > 0 && length.is_multiple_of(BLOCK),
            _ => length >= self.tag_bytes(),
        };
        check_length(fits, length.saturating_sub(self.tag_bytes()))
    }
}

/// A mode of AES.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum CipherMode {
    /// `CKM_AES_ECB`.
    Ecb,
    /// `CKM_AES_CBC`.
    Cbc,
    /// `CKM_AES_CBC` with a padding that the worker puts on and takes off.
    CbcPad,
    /// `CKM_AES_CFB128`.
    Cfb,
    /// `CKM_AES_OFB`.
    Ofb,
    /// `CKM_AES_CTR`.
    Ctr,
    /// `CKM_AES_GCM`.
    Gcm,
    /// `CKM_AES_CCM`.
    Ccm,
}

impl CipherMode {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Ecb,
        Self::Cbc,
        Self::CbcPad,
        Self::Cfb,
        Self::Ofb,
        Self::Ctr,
        Self::Gcm,
        Self::Ccm,
    ];
}

impl fmt::Display for CipherMode {
    /// The name of the mechanism.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ecb => "CKM_AES_ECB",
            Self::Cbc => "CKM_AES_CBC",
            Self::CbcPad => "CKM_AES_CBC_PAD",
            Self::Cfb => "CKM_AES_CFB128",
            Self::Ofb => "CKM_AES_OFB",
            Self::Ctr => "CKM_AES_CTR",
            Self::Gcm => "CKM_AES_GCM",
            Self::Ccm => "CKM_AES_CCM",
        })
    }
}

/// How a message authentication code is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum MacAlgorithm {
    /// HMAC (FIPS 198-1) with SHA-1.
    HmacSha1,
    /// HMAC with SHA-224.
    HmacSha224,
    /// HMAC with SHA-256.
    HmacSha256,
    /// HMAC with SHA-384.
    HmacSha384,
    /// HMAC with SHA-512.
    HmacSha512,
    /// CMAC (SP 800-38B) with AES.
    AesCmac,
}

impl MacAlgorithm {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::HmacSha1,
        Self::HmacSha224,
        Self::HmacSha256,
        Self::HmacSha384,
        Self::HmacSha512,
        Self::AesCmac,
    ];

    /// The length of a code in bytes.
    pub fn bytes(self) -> usize {
        match self {
            Self::AesCmac => BLOCK,
            Self::HmacSha1 => 20,
            Self::HmacSha224 => 28,
            Self::HmacSha256 => 32,
            Self::HmacSha384 => 48,
            Self::HmacSha512 => 64,
        }
    }
}

impl fmt::Display for MacAlgorithm {
    /// The name of the mechanism.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HmacSha1 => "CKM_SHA_1_HMAC",
            Self::HmacSha224 => "CKM_SHA224_HMAC",
            Self::HmacSha256 => "CKM_SHA256_HMAC",
            Self::HmacSha384 => "CKM_SHA384_HMAC",
            Self::HmacSha512 => "CKM_SHA512_HMAC",
            Self::AesCmac => "CKM_AES_CMAC",
        })
    }
}

/// How a key is derived by encrypting data with another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DerivingCipher {
    /// `CKM_AES_ECB_ENCRYPT_DATA`.
    Ecb,
    /// `CKM_AES_CBC_ENCRYPT_DATA`.
    Cbc {
        /// The initialisation vector.
        iv: [u8; BLOCK],
    },
}

impl fmt::Display for DerivingCipher {
    /// The name of the mechanism.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ecb => "CKM_AES_ECB_ENCRYPT_DATA",
            Self::Cbc { .. } => "CKM_AES_CBC_ENCRYPT_DATA",
        })
    }
}

/// What a device can do with kept keys, found by doing it with keys that are thrown away.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    /// The modes of AES that it encrypts and decrypts by.
    pub ciphers: Vec<CipherMode>,
    /// The message authentication codes that it makes.
    pub macs: Vec<MacAlgorithm>,
    /// Whether it takes a seed for its generator of random numbers.
    pub takes_seed: bool,
    /// Whether it derives a key by encrypting data, by ECB and by CBC.
    pub derives_by_encryption: bool,
}

/// Refuses data that is longer than a request may have.
pub(crate) fn check_data(length: usize) -> Result<(), Error> {
    check_length(true, length)
}

pub(crate) fn check_length(fits: bool, length: usize) -> Result<(), Error> {
    if fits && length <= LONGEST_DATA {
        Ok(())
    } else {
        Err(Error::DataLength { bytes: length })
    }
}

/// Data on its way between the processes: its `Debug` shows the length alone, and it is wiped when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Data(Vec<u8>);

impl Data {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn into_bytes(mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }
}

impl Drop for Data {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Data({} bytes)", self.0.len())
    }
}

impl Serialize for Data {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(Bytes)
    }
}

struct Bytes;

impl serde::de::Visitor<'_> for Bytes {
    type Value = Data;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Data, E> {
        Ok(Data(bytes.to_vec()))
    }
}
