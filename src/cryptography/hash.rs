//! Hashes, by KMIP's Hashing Algorithm (KMIP 1.4, section 9.1.3.2.16).

use openssl::hash::{Hasher, MessageDigest};

use super::Error;
use crate::kmip::enumeration::HashingAlgorithm;

/// A hash whose data comes in pieces.
pub struct HashStream(Hasher);

impl HashStream {
    /// Begins. Fails with [`Error::Unsupported`] for MD2, MD4, Tiger, and what the library was built without.
    pub fn new(algorithm: HashingAlgorithm) -> Result<Self, Error> {
        let missing = |_| Error::unsupported(format!("the hash {algorithm:?}"));
        Hasher::new(digest(algorithm)?).map(Self).map_err(missing)
    }

    /// Takes the next piece.
    pub fn update(&mut self, data: &[u8]) -> Result<(), Error> {
        Ok(self.0.update(data)?)
    }

    /// The hash of all that came.
    pub fn finish(mut self) -> Result<Vec<u8>, Error> {
        Ok(self.0.finish()?.to_vec())
    }
}

/// The hash of data.
pub fn hash(algorithm: HashingAlgorithm, data: &[u8]) -> Result<Vec<u8>, Error> {
    let mut stream = HashStream::new(algorithm)?;
    stream.update(data)?;
    stream.finish()
}

/// What the library calls it.
pub(super) fn digest(algorithm: HashingAlgorithm) -> Result<MessageDigest, Error> {
    use HashingAlgorithm as H;
    let name = match algorithm {
        H::MD5 => "MD5",
        H::SHA_1 => "SHA1",
        H::SHA_224 => "SHA224",
        H::SHA_256 => "SHA256",
        H::SHA_384 => "SHA384",
        H::SHA_512 => "SHA512",
        H::RIPEMD_160 => "RIPEMD160",
        H::Whirlpool => "whirlpool",
        H::SHA_512_224 => "SHA512-224",
        H::SHA_512_256 => "SHA512-256",
        H::SHA_3_224 => "SHA3-224",
        H::SHA_3_256 => "SHA3-256",
        H::SHA_3_384 => "SHA3-384",
        H::SHA_3_512 => "SHA3-512",
        other => return Err(Error::unsupported(format!("the hash {other:?}"))),
    };
    MessageDigest::from_name(name).ok_or_else(|| Error::unsupported(format!("the hash {name}")))
}
