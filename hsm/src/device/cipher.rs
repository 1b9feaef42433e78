//! Encrypting and decrypting with a kept AES key.

use cryptoki::object::{Attribute, KeyType, ObjectHandle};
use cryptoki_sys as ck;

use super::kek::RootKey;
use super::key_use::{self, unsupported};
use super::raw::{Parameter, Use};
use super::session::Session;
use crate::Error;
use crate::cryptography::{Cipher, CipherMode};
use crate::key::KeptKey;

/// Room behind the data for padding and a tag.
const ROOM: usize = 64;

/// Encrypts; a tag stands behind the ciphertext.
pub(crate) fn encrypt(
    session: &Session,
    (root, key): (RootKey, &KeptKey),
    cipher: &Cipher,
    data: &[u8],
) -> Result<Vec<u8>, Error> {
    let opened = key_use::open(session, root, key, KeyType::AES, Attribute::Encrypt(true))?;
    encrypt_with(session, opened.handle(), cipher, data)
}

/// Decrypts what [`encrypt`] gave.
///
/// Fails with [`Error::DataRefused`] where the device says plainly that a tag or a padding is wrong. Some say something else.
pub(crate) fn decrypt(
    session: &Session,
    (root, key): (RootKey, &KeptKey),
    cipher: &Cipher,
    data: &[u8],
) -> Result<Vec<u8>, Error> {
    let opened = key_use::open(session, root, key, KeyType::AES, Attribute::Decrypt(true))?;
    let length = data.len().saturating_sub(cipher.tag_bytes());
    session
        .transform(
            Use::Decrypt,
            mechanism(cipher, length),
            opened.handle(),
            data,
            data.len() + ROOM,
        )
        .map_err(|error| match error.code() {
            Some(
                ck::CKR_ENCRYPTED_DATA_INVALID
                | ck::CKR_ENCRYPTED_DATA_LEN_RANGE
                | ck::CKR_DATA_INVALID
                | ck::CKR_DATA_LEN_RANGE
                | ck::CKR_AEAD_DECRYPT_FAILED,
            ) => Error::DataRefused,
            _ => unsupported(error, cipher.mode()),
        })
}

/// Encrypts with an object of the session.
pub(super) fn encrypt_with(
    session: &Session,
    key: ObjectHandle,
    cipher: &Cipher,
    data: &[u8],
) -> Result<Vec<u8>, Error> {
    session
        .transform(
            Use::Encrypt,
            mechanism(cipher, data.len()),
            key,
            data,
            data.len() + ROOM,
        )
        .map_err(|error| match error.code() {
            Some(ck::CKR_DATA_INVALID | ck::CKR_DATA_LEN_RANGE) => Error::DataLength { bytes: data.len() },
            _ => unsupported(error, cipher.mode()),
        })
}

/// The mechanism for so many bytes of plaintext.
fn mechanism(cipher: &Cipher, length: usize) -> (ck::CK_MECHANISM_TYPE, Parameter<'_>) {
    let parameter = match cipher {
        Cipher::Ecb => Parameter::None,
        Cipher::Cbc { iv } | Cipher::CbcPad { iv } | Cipher::Cfb { iv } | Cipher::Ofb { iv } => {
            Parameter::Vector(iv)
        }
        Cipher::Ctr {
            counter_block,
            counter_bits,
        } => Parameter::Counter {
            block: *counter_block,
            bits: *counter_bits,
        },
        Cipher::Gcm(aead) => Parameter::GcmOf(aead),
        Cipher::Ccm(aead) => Parameter::Ccm(aead, length),
    };
    let mechanism = match cipher.mode() {
        CipherMode::Ecb => ck::CKM_AES_ECB,
        CipherMode::Cbc => ck::CKM_AES_CBC,
        CipherMode::CbcPad => ck::CKM_AES_CBC_PAD,
        CipherMode::Cfb => ck::CKM_AES_CFB128,
        CipherMode::Ofb => ck::CKM_AES_OFB,
        CipherMode::Ctr => ck::CKM_AES_CTR,
        CipherMode::Gcm => ck::CKM_AES_GCM,
        CipherMode::Ccm => ck::CKM_AES_CCM,
    };
    (mechanism, parameter)
}
