//! The starting process's side of the transport key: the RSA pair that receives it, and AES key wrap (RFC 3394) with it.

use openssl::cipher::Cipher;
use openssl::cipher_ctx::{CipherCtx, CipherCtxFlags};
use openssl::encrypt::Decrypter;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::{Padding, Rsa};

use super::protocol::{HandedOver, OaepHash, TransportRecipient};
use crate::Error;
use crate::memory::LockedBuffer;

/// The strength of 128 bits (SP 800-57 part 1, table 2), for a key that lives as long as the process.
const RSA_BITS: u32 = 3072;
/// An AES-256 key, in bytes.
const KEY: usize = 32;
/// What RFC 3394 adds.
const WRAP_OVERHEAD: usize = 8;
/// `openssl` wants room for one block more than it writes.
const BLOCK: usize = 8;

/// The RSA key pair under which workers hand over their transport keys. It exists in this process's memory only.
pub(crate) struct TransportPair(PKey<Private>);

impl TransportPair {
    /// Makes the pair; takes some tenths of a second.
    pub(crate) fn generate() -> Result<Self, Error> {
        Rsa::generate(RSA_BITS)
            .and_then(PKey::from_rsa)
            .map(Self)
            .map_err(|error| Error::transport(openssl(&error)))
    }

    pub(crate) fn recipient(&self) -> TransportRecipient {
        let rsa = self.0.rsa().expect("the pair was made from an RSA key");
        TransportRecipient {
            modulus: rsa.n().to_vec(),
            exponent: rsa.e().to_vec(),
        }
    }

    /// Takes a transport key that was handed over.
    pub(crate) fn receive(&self, handed: &HandedOver) -> Result<TransportKey, Error> {
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
        let key: LockedBuffer = receive().map_err(|error: ErrorStack| Error::transport(openssl(&error)))?;
        if key.len() != KEY {
            return Err(Error::transport(format!(
                "the device handed over a key of {} bytes",
                key.len()
            )));
        }
        Ok(TransportKey(key))
    }
}

/// A transport key as this process has it: in locked memory. OpenSSL has a copy in memory of its own for the time of one
/// operation, and cleanses it.
pub(crate) struct TransportKey(LockedBuffer);

impl TransportKey {
    /// Opens the first `out.len()` bytes of a key that the device holds with `padded` bytes.
    pub(crate) fn open(&self, wrapped: &[u8], padded: usize, out: &mut [u8]) -> Result<(), Error> {
        if wrapped.len() != padded + WRAP_OVERHEAD || out.len() > padded {
            return Err(Error::transport(
                "the device sent a key of another length than was asked for",
            ));
        }
        let mut opened = LockedBuffer::zeroed(wrapped.len() + BLOCK);
        let length = Self::run(wrapped, opened.as_mut_slice(), |context| {
            context.decrypt_init(Some(Cipher::aes_256_wrap()), Some(self.0.as_slice()), None)
        })?;
        if length != padded {
            return Err(Error::transport(
                "the device sent a key of another length than was asked for",
            ));
        }
        out.copy_from_slice(&opened.as_slice()[..out.len()]);
        Ok(())
    }

    /// Wraps `material`, with zeros behind it to `padded` bytes, for the device.
    pub(crate) fn seal(&self, material: &[u8], padded: usize) -> Result<Vec<u8>, Error> {
        let mut clear = LockedBuffer::with_capacity(padded);
        clear.extend_from_slice(material);
        clear.resize_zeroed(padded);
        let mut wrapped = vec![0; padded + WRAP_OVERHEAD + BLOCK];
        let length = Self::run(clear.as_slice(), &mut wrapped, |context| {
            context.encrypt_init(Some(Cipher::aes_256_wrap()), Some(self.0.as_slice()), None)
        })?;
        wrapped.truncate(length);
        Ok(wrapped)
    }

    fn run(
        input: &[u8],
        output: &mut [u8],
        init: impl FnOnce(&mut CipherCtx) -> Result<(), ErrorStack>,
    ) -> Result<usize, Error> {
        let run = || {
            let mut context = CipherCtx::new()?;
            context.set_flags(CipherCtxFlags::FLAG_WRAP_ALLOW);
            init(&mut context)?;
            context.cipher_update(input, Some(output))
        };
        run().map_err(|error| Error::transport(openssl(&error)))
    }
}

/// The first line of an error stack; a failed integrity check of AES key wrap leaves none.
fn openssl(error: &ErrorStack) -> String {
    error
        .errors()
        .first()
        .and_then(openssl::error::Error::reason)
        .unwrap_or("not accepted by AES key wrap")
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        hex::decode(text.replace(' ', "")).unwrap()
    }

    fn key(bytes: &[u8]) -> TransportKey {
        let mut key = LockedBuffer::default();
        key.extend_from_slice(bytes);
        TransportKey(key)
    }

    /// RFC 3394, section 4.6: 256 bits of key data with a 256-bit KEK.
    #[test]
    fn a_key_is_wrapped_as_rfc_3394_says() {
        let transport = key(&hex(
            "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
        ));
        let clear = hex("00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F");
        let wrapped = hex("28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21");
        assert_eq!(transport.seal(&clear, 32).unwrap(), wrapped);
        let mut out = [0; 32];
        transport.open(&wrapped, 32, &mut out).unwrap();
        assert_eq!(out[..], clear[..]);
    }

    #[test]
    fn a_changed_byte_is_refused_and_nothing_is_written() {
        let transport = key(&[7; 32]);
        let wrapped = transport.seal(&[9; 20], 24).unwrap();
        for position in 0..wrapped.len() {
            let mut changed = wrapped.clone();
            changed[position] ^= 1;
            let mut out = [0; 20];
            assert!(transport.open(&changed, 24, &mut out).is_err());
            assert_eq!(out, [0; 20]);
        }
        let mut out = [0; 20];
        transport.open(&wrapped, 24, &mut out).unwrap();
        assert_eq!(out, [9; 20]);
    }

    #[test]
    fn a_key_of_another_length_than_asked_for_is_refused() {
        let transport = key(&[7; 32]);
        let wrapped = transport.seal(&[9; 24], 24).unwrap();
        assert!(transport.open(&wrapped, 32, &mut [0; 32]).is_err());
        assert!(transport.open(&[], 24, &mut [0; 24]).is_err());
    }
}
