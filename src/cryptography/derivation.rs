//! Deriving keys, by KMIP's Derivation Method (KMIP 1.4, section 4.7). ENCRYPT is [`CipherStream`](super::CipherStream).

use claviger_hsm::memory::LockedBuffer;
use openssl::pkcs5::pbkdf2_hmac;

use super::hash::digest;
use super::{Error, MacAlgorithm, MacStream, hash, locked};
use crate::kmip::enumeration::HashingAlgorithm;

/// The modes of SP 800-108, with HMAC.
#[derive(Clone, Copy, Debug)]
pub enum KeyBasedDerivation<'a> {
    /// Section 4.1: counter mode.
    Counter,
    /// Section 4.2: feedback mode, with this initial value.
    Feedback(&'a [u8]),
    /// Section 4.3: double-pipeline iteration mode.
    DoublePipeline,
}

/// PBKDF2 (RFC 8018, section 5.2) with HMAC.
pub fn pbkdf2(
    hash: HashingAlgorithm,
    password: &LockedBuffer,
    salt: &[u8],
    iterations: usize,
    length: usize,
) -> Result<LockedBuffer, Error> {
    if iterations == 0 {
        return Err(Error::unsupported("PBKDF2 without an iteration"));
    }
    let mut derived = LockedBuffer::zeroed(length);
    let digest = digest(hash)?;
    pbkdf2_hmac(
        password.as_slice(),
        salt,
        iterations,
        digest,
        derived.as_mut_slice(),
    )?;
    Ok(derived)
}

/// HASH: the beginning of the hash of the key, or of the data where there is some.
///
/// Fails with [`Error::Length`] where the hash is shorter.
pub fn derive_by_hash(
    algorithm: HashingAlgorithm,
    input: &LockedBuffer,
    length: usize,
) -> Result<LockedBuffer, Error> {
    beginning(locked(&hash(algorithm, input.as_slice())?), length)
}

/// HMAC: the beginning of the code of the data under the key.
///
/// Fails with [`Error::Length`] where the code is shorter.
pub fn derive_by_hmac(
    algorithm: HashingAlgorithm,
    key: &LockedBuffer,
    data: &[u8],
    length: usize,
) -> Result<LockedBuffer, Error> {
    beginning(prf(algorithm, key, &[data])?, length)
}

/// SP 800-108 with HMAC and a counter of 32 bits before the data, which is the fixed input: label, context and length as the
/// caller has them.
pub fn nist_800_108(
    mode: KeyBasedDerivation<'_>,
    algorithm: HashingAlgorithm,
    key: &LockedBuffer,
    data: &[u8],
    length: usize,
) -> Result<LockedBuffer, Error> {
    let mut derived = LockedBuffer::with_capacity(length);
    let mut chained = match mode {
        KeyBasedDerivation::Counter => LockedBuffer::default(),
        KeyBasedDerivation::Feedback(initial) => locked(initial),
        KeyBasedDerivation::DoublePipeline => locked(data),
    };
    for number in 1_u32.. {
        if derived.len() >= length {
            break;
        }
        let number = number.to_be_bytes();
        let block = match mode {
            KeyBasedDerivation::Counter => prf(algorithm, key, &[&number, data])?,
            KeyBasedDerivation::Feedback(_) => {
                let block = prf(algorithm, key, &[chained.as_slice(), &number, data])?;
                chained = locked(block.as_slice());
                block
            }
            KeyBasedDerivation::DoublePipeline => {
                chained = prf(algorithm, key, &[chained.as_slice()])?;
                prf(algorithm, key, &[chained.as_slice(), &number, data])?
            }
        };
        derived.extend_from_slice(block.as_slice());
    }
    beginning(derived, length)
}

/// HKDF (RFC 5869): extract with the salt, expand with the information.
pub fn hkdf(
    algorithm: HashingAlgorithm,
    key: &LockedBuffer,
    salt: &[u8],
    information: &[u8],
    length: usize,
) -> Result<LockedBuffer, Error> {
    // HMAC fills a short key up with zeros, which is what an absent salt stands for.
    let extracted = prf(algorithm, &locked(salt), &[key.as_slice()])?;
    let mut derived = LockedBuffer::with_capacity(length);
    let mut block = LockedBuffer::default();
    for number in 1..=u8::MAX {
        if derived.len() >= length {
            break;
        }
        block = prf(algorithm, &extracted, &[block.as_slice(), information, &[number]])?;
        derived.extend_from_slice(block.as_slice());
    }
    beginning(derived, length)
}

fn prf(algorithm: HashingAlgorithm, key: &LockedBuffer, parts: &[&[u8]]) -> Result<LockedBuffer, Error> {
    let mut stream = MacStream::new(MacAlgorithm::Hmac(algorithm), key)?;
    for part in parts {
        stream.update(part)?;
    }
    Ok(locked(&stream.finish()?))
}

fn beginning(mut bytes: LockedBuffer, length: usize) -> Result<LockedBuffer, Error> {
    if length > bytes.len() {
        return Err(Error::Length {
            what: "the derived key",
            bytes: length,
        });
    }
    bytes.resize_zeroed(length);
    Ok(bytes)
}
