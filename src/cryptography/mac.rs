//! Message authentication codes, at once or in pieces: HMAC (FIPS 198-1), CMAC (SP 800-38B) with AES, GMAC (SP 800-38D).

use claviger_hsm::memory::LockedBuffer;
use openssl::hash::Hasher;

use super::cipher::{CipherParameters, CipherStream, Direction};
use super::hash::digest;
use super::{Error, locked};
use crate::kmip::enumeration::{BlockCipherMode, CryptographicAlgorithm, HashingAlgorithm, PaddingMethod};

const BLOCK: usize = 16;

/// How a code is made.
#[derive(Clone, Copy, Debug)]
pub enum MacAlgorithm<'a> {
    /// HMAC with this hash.
    Hmac(HashingAlgorithm),
    /// CMAC with AES.
    Cmac,
    /// GMAC with AES, this nonce, and a tag of 16 bytes.
    Gmac(&'a [u8]),
}

/// A code whose data comes in pieces.
pub struct MacStream(State);

enum State {
    Hmac {
        inner: Hasher,
        outer: Hasher,
    },
    Cmac {
        stream: Box<CipherStream>,
        /// The subkeys of a whole last block, and of a padded one.
        subkeys: [LockedBuffer; 2],
        /// The last block, which is not known to be the last.
        held: LockedBuffer,
    },
    Gmac {
        key: LockedBuffer,
        nonce: Vec<u8>,
        data: LockedBuffer,
    },
}

impl MacStream {
    /// Begins. Fails with [`Error::Unsupported`] or [`Error::Length`].
    pub fn new(algorithm: MacAlgorithm<'_>, key: &LockedBuffer) -> Result<Self, Error> {
        Ok(Self(match algorithm {
            MacAlgorithm::Hmac(hash) => hmac(hash, key)?,
            MacAlgorithm::Cmac => State::Cmac {
                stream: Box::new(CipherStream::new(Direction::Encrypt, key, &cbc())?),
                subkeys: subkeys(key)?,
                held: LockedBuffer::with_capacity(BLOCK),
            },
            MacAlgorithm::Gmac(nonce) => {
                CipherStream::new(Direction::Encrypt, key, &gcm(nonce, &[]))?;
                State::Gmac {
                    key: locked(key.as_slice()),
                    nonce: nonce.to_vec(),
                    data: LockedBuffer::default(),
                }
            }
        }))
    }

    /// Takes the next piece.
    pub fn update(&mut self, data: &[u8]) -> Result<(), Error> {
        match &mut self.0 {
            State::Hmac { inner, .. } => inner.update(data)?,
            State::Gmac { data: held, .. } => held.extend_from_slice(data),
            State::Cmac { stream, held, .. } => {
                if held.len() + data.len() <= BLOCK {
                    held.extend_from_slice(data);
                    return Ok(());
                }
                // All but the last 1 to 16 bytes go on.
                let total = held.len() + data.len();
                let going = (total - 1) / BLOCK * BLOCK - held.len();
                stream.update(held.as_slice())?;
                stream.update(&data[..going])?;
                held.clear();
                held.extend_from_slice(&data[going..]);
            }
        }
        Ok(())
    }

    /// The code of all that came, of its whole length.
    pub fn finish(self) -> Result<Vec<u8>, Error> {
        match self.0 {
            State::Hmac { mut inner, mut outer } => {
                outer.update(&inner.finish()?)?;
                Ok(outer.finish()?.to_vec())
            }
            State::Gmac { key, nonce, data } => {
                let stream = CipherStream::new(Direction::Encrypt, &key, &gcm(&nonce, data.as_slice()))?;
                stream.finish(None)?.tag.ok_or(Error::Refused)
            }
            State::Cmac {
                mut stream,
                subkeys: [whole, padded],
                mut held,
            } => {
                let subkey = if held.len() == BLOCK {
                    whole
                } else {
                    held.extend_from_slice(&[0x80]);
                    held.resize_zeroed(BLOCK);
                    padded
                };
                for (byte, other) in held.as_mut_slice().iter_mut().zip(subkey.as_slice()) {
                    *byte ^= other;
                }
                stream.update(held.as_slice())
            }
        }
    }

    /// Whether this is the code of all that came, in its whole length. The comparison takes the same time for all codes.
    pub fn verify(self, code: &[u8]) -> Result<bool, Error> {
        let made = self.finish()?;
        Ok(made.len() == code.len() && openssl::memcmp::eq(&made, code))
    }
}

fn hmac(hash: HashingAlgorithm, key: &LockedBuffer) -> Result<State, Error> {
    let digest = digest(hash)?;
    let mut block = LockedBuffer::with_capacity(digest.block_size());
    if key.len() > digest.block_size() {
        block.extend_from_slice(&super::hash(hash, key.as_slice())?);
    } else {
        block.extend_from_slice(key.as_slice());
    }
    block.resize_zeroed(digest.block_size());
    let mut begin = |mask: u8| -> Result<Hasher, Error> {
        block.as_mut_slice().iter_mut().for_each(|byte| *byte ^= mask);
        let mut hasher = Hasher::new(digest)?;
        hasher.update(block.as_slice())?;
        block.as_mut_slice().iter_mut().for_each(|byte| *byte ^= mask);
        Ok(hasher)
    };
    Ok(State::Hmac {
        inner: begin(0x36)?,
        outer: begin(0x5c)?,
    })
}

/// SP 800-38B, section 6.1.
fn subkeys(key: &LockedBuffer) -> Result<[LockedBuffer; 2], Error> {
    let mut stream = CipherStream::new(Direction::Encrypt, key, &cbc())?;
    let first = doubled(&locked(&stream.update(&[0; BLOCK])?));
    let second = doubled(&first);
    Ok([first, second])
}

fn doubled(block: &LockedBuffer) -> LockedBuffer {
    let mut carry = 0;
    let mut doubled = locked(block.as_slice());
    for byte in doubled.as_mut_slice().iter_mut().rev() {
        let next = *byte >> 7;
        *byte = *byte << 1 | carry;
        carry = next;
    }
    doubled.as_mut_slice()[BLOCK - 1] ^= carry * 0x87;
    doubled
}

fn cbc() -> CipherParameters<'static> {
    CipherParameters {
        algorithm: CryptographicAlgorithm::AES,
        mode: Some(BlockCipherMode::CBC),
        padding: PaddingMethod::None,
        iv: &[0; BLOCK],
        additional_data: &[],
        tag_bytes: 0,
    }
}

fn gcm<'a>(nonce: &'a [u8], data: &'a [u8]) -> CipherParameters<'a> {
    CipherParameters {
        mode: Some(BlockCipherMode::GCM),
        iv: nonce,
        additional_data: data,
        tag_bytes: BLOCK,
        ..cbc()
    }
}
