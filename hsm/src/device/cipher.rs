//! Encrypting and decrypting with a kept AES key.
//!
//! The padding of CBC is put on and taken off here: there are tokens whose `CKM_AES_CBC_PAD` takes no notice of a wrong one,
//! and gives bytes of its own memory in the place of the data.

use cryptoki::object::{Attribute, KeyType, ObjectHandle};
use cryptoki_sys as ck;
use zeroize::Zeroize;

use super::kek::RootKey;
use super::key_use::{self, unsupported};
use super::raw::{Parameter, Use};
use super::session::Session;
use crate::Error;
use crate::cryptography::{Cipher, CipherMode};
use crate::key::KeptKey;

/// Room behind the data for padding and a tag.
const ROOM: usize = 64;
const BLOCK: usize = 16;

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
    let decrypt_by = |cipher: &Cipher| decrypt_with(session, opened.handle(), cipher, data);
    match cipher {
        Cipher::CbcPad { iv } => {
            let mut padded = decrypt_by(&Cipher::Cbc { iv: *iv })?;
            take_off(&mut padded)?;
            Ok(padded)
        }
        cipher => decrypt_by(cipher),
    }
}

fn decrypt_with(
    session: &Session,
    key: ObjectHandle,
    cipher: &Cipher,
    data: &[u8],
) -> Result<Vec<u8>, Error> {
    let length = data.len().saturating_sub(cipher.tag_bytes());
    let room = data.len() + ROOM;
    let decrypted = session
        .transform(Use::Decrypt, mechanism(cipher, length), key, data, room)
        .map_err(|error| match error.code() {
            Some(
                ck::CKR_ENCRYPTED_DATA_INVALID
                | ck::CKR_ENCRYPTED_DATA_LEN_RANGE
                | ck::CKR_DATA_INVALID
                | ck::CKR_DATA_LEN_RANGE
                | ck::CKR_AEAD_DECRYPT_FAILED,
            ) => Error::DataRefused,
            _ => unsupported(error, cipher.mode()),
        })?;
    of_length(decrypted, length)
}

/// Refuses what has not the length that the standard gives it.
fn of_length(out: Vec<u8>, length: usize) -> Result<Vec<u8>, Error> {
    if out.len() == length {
        Ok(out)
    } else {
        Err(Error::protocol(
            "the device gave data of another length than the standard says",
        ))
    }
}

/// Puts the padding of PKCS #7 behind the data (RFC 5652, section 6.3).
fn padded(data: &[u8]) -> Vec<u8> {
    let padding = BLOCK - data.len() % BLOCK;
    let mut padded = Vec::with_capacity(data.len() + padding);
    padded.extend_from_slice(data);
    padded.resize(
        data.len() + padding,
        u8::try_from(padding).expect("at most sixteen"),
    );
    padded
}

/// Takes it off; looks at each byte that may be of it, whatever the others are.
fn take_off(data: &mut Vec<u8>) -> Result<(), Error> {
    let last = data.last().copied().unwrap_or(0);
    let padding = usize::from(last);
    let block = data.len().saturating_sub(BLOCK);
    let wrong = data[block..].iter().rev().enumerate().fold(
        u8::from(!(1..=BLOCK).contains(&padding)),
        |wrong, (place, byte)| wrong | (u8::from(place < padding) * (byte ^ last)),
    );
    if wrong != 0 {
        data.zeroize();
        return Err(Error::DataRefused);
    }
    data.truncate(data.len() - padding);
    Ok(())
}

/// Encrypts with an object of the session.
pub(super) fn encrypt_with(
    session: &Session,
    key: ObjectHandle,
    cipher: &Cipher,
    data: &[u8],
) -> Result<Vec<u8>, Error> {
    if let Cipher::CbcPad { iv } = cipher {
        let mut padded = padded(data);
        let encrypted = encrypt_with(session, key, &Cipher::Cbc { iv: *iv }, &padded);
        padded.zeroize();
        return encrypted;
    }
    let (length, room) = (data.len(), data.len() + ROOM);
    let encrypted = session
        .transform(Use::Encrypt, mechanism(cipher, length), key, data, room)
        .map_err(|error| match error.code() {
            Some(ck::CKR_DATA_INVALID | ck::CKR_DATA_LEN_RANGE) => Error::DataLength { bytes: data.len() },
            _ => unsupported(error, cipher.mode()),
        })?;
    of_length(encrypted, length + cipher.tag_bytes())
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
