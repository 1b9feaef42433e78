//! The starting process's side of the transport key: the RSA pair that receives it.

use openssl::encrypt::Decrypter;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::{Padding, Rsa};

use super::protocol::{HandedOver, OaepHash, TransportRecipient};
use crate::Error;
use crate::memory::LockedBuffer;
use crate::software::{self, SoftwareKey};

/// The strength of 128 bits (SP 800-57 part 1, table 2), for a key that lives as long as the process.
const RSA_BITS: u32 = 3072;

/// The RSA key pair under which workers hand over their transport keys. It exists in this process's memory only.
pub(crate) struct TransportPair(PKey<Private>);

impl TransportPair {
    /// Makes the pair; takes some tenths of a second.
    pub(crate) fn generate() -> Result<Self, Error> {
        Rsa::generate(RSA_BITS)
            .and_then(PKey::from_rsa)
            .map(Self)
            .map_err(|error| failed(&error))
    }

    pub(crate) fn recipient(&self) -> TransportRecipient {
        let rsa = self.0.rsa().expect("the pair was made from an RSA key");
        TransportRecipient {
            modulus: rsa.n().to_vec(),
            exponent: rsa.e().to_vec(),
        }
    }

    /// Takes a transport key that was handed over.
    pub(crate) fn receive(&self, handed: &HandedOver) -> Result<SoftwareKey, Error> {
        let hash = match handed.hash {
            OaepHash::Sha256 => MessageDigest::sha256(),
            OaepHash::Sha1 => MessageDigest::sha1(),
        };
        let receive = || {
            let mut decrypter = Decrypter::new(&self.0)?;
            decrypter.set_rsa_padding(Padding::PKCS1_OAEP)?;
            decrypter.set_rsa_oaep_md(hash)?;
            decrypter.set_rsa_mgf1_md(hash)?;
            let mut key = LockedBuffer::zeroed(decrypter.decrypt_len(&handed.bytes)?);
            let length = decrypter.decrypt(&handed.bytes, key.as_mut_slice())?;
            key.resize_zeroed(length);
            Ok(key)
        };
        SoftwareKey::new(receive().map_err(|error| failed(&error))?)
    }
}

fn failed(error: &ErrorStack) -> Error {
    Error::transport(software::reason(error).unwrap_or("RSA-OAEP failed"))
}
