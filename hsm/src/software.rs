//! The wrap profiles in software, for the end of a transport key that is no device: OpenSSL's AES with a key in locked
//! memory. OpenSSL has a copy of the key in memory of its own for the time of one operation, and cleanses it.
//!
//! No key that is at rest is wrapped here.

use std::sync::LazyLock;

use openssl::cipher::{Cipher, CipherRef};
use openssl::cipher_ctx::{CipherCtx, CipherCtxFlags};
use openssl::error::ErrorStack;

use crate::Error;
use crate::memory::LockedBuffer;
use crate::wrapped::{WrapProfile, Wrapped};

/// `openssl` wants room for one block more than it writes.
const BLOCK: usize = 16;
const TAG: usize = 16;

/// An AES-256 key of this process.
pub(crate) struct SoftwareKey(LockedBuffer);

impl SoftwareKey {
    /// The key's length in bytes.
    pub(crate) const BYTES: usize = 32;

    /// Fails where the key has another length than [`Self::BYTES`].
    pub(crate) fn new(key: LockedBuffer) -> Result<Self, Error> {
        if key.len() == Self::BYTES {
            return Ok(Self(key));
        }
        let reason = format!("the device handed over a key of {} bytes", key.len());
        Err(Error::transport(reason))
    }

    /// A key of random bytes.
    pub(crate) fn generate() -> Result<Self, Error> {
        let mut key = LockedBuffer::zeroed(Self::BYTES);
        openssl::rand::rand_bytes(key.as_mut_slice()).map_err(|error| failed(&error))?;
        Ok(Self(key))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// Opens the first `out.len()` bytes of a key that was wrapped with `padded` bytes. Nothing is written where it fails.
    pub(crate) fn open(&self, wrapped: &Wrapped, padded: usize, out: &mut [u8]) -> Result<(), Error> {
        let other_length = || Error::transport("the device sent a key of another length than was asked for");
        let Wrapped { profile, bytes } = wrapped;
        if bytes.len() != profile.wrapped_bytes(padded) || out.len() > padded {
            return Err(other_length());
        }
        let (iv, rest) = bytes.split_at(profile.iv_bytes());
        let mut opened = LockedBuffer::zeroed(rest.len() + BLOCK);
        let run = |opened: &mut [u8]| {
            let mut context = CipherCtx::new()?;
            context.set_flags(CipherCtxFlags::FLAG_WRAP_ALLOW);
            context.decrypt_init(Some(cipher(*profile)), Some(self.bytes()), iv_of(iv))?;
            if *profile == WrapProfile::AesGcm {
                let (text, tag) = rest.split_at(rest.len() - TAG);
                context.set_tag(tag)?;
                let length = context.cipher_update(text, Some(opened))?;
                return Ok(length + context.cipher_final(&mut opened[length..])?);
            }
            let length = context.cipher_update(rest, Some(opened))?;
            match profile {
                WrapProfile::AesCbcPad => Ok(length + context.cipher_final(&mut opened[length..])?),
                _ => Ok(length),
            }
        };
        let length = run(opened.as_mut_slice()).map_err(|error| failed(&error))?;
        if length != padded {
            return Err(other_length());
        }
        out.copy_from_slice(&opened.as_slice()[..out.len()]);
        Ok(())
    }

    /// Wraps `material`, with zeros behind it to `padded` bytes.
    pub(crate) fn seal(
        &self,
        profile: WrapProfile,
        material: &[u8],
        padded: usize,
    ) -> Result<Wrapped, Error> {
        let mut clear = LockedBuffer::with_capacity(padded);
        clear.extend_from_slice(material);
        clear.resize_zeroed(padded);
        let iv_bytes = profile.iv_bytes();
        let mut bytes = vec![0; profile.wrapped_bytes(padded) + BLOCK];
        let (iv, out) = bytes.split_at_mut(iv_bytes);
        let run = |iv: &mut [u8], out: &mut [u8]| {
            openssl::rand::rand_bytes(iv)?;
            let mut context = CipherCtx::new()?;
            context.set_flags(CipherCtxFlags::FLAG_WRAP_ALLOW);
            context.encrypt_init(Some(cipher(profile)), Some(self.bytes()), iv_of(iv))?;
            let mut length = context.cipher_update(clear.as_slice(), Some(out))?;
            if matches!(profile, WrapProfile::AesGcm | WrapProfile::AesCbcPad) {
                length += context.cipher_final(&mut out[length..])?;
            }
            if profile == WrapProfile::AesGcm {
                context.tag(&mut out[length..length + TAG])?;
                length += TAG;
            }
            Ok(length)
        };
        let length = run(iv, out).map_err(|error| failed(&error))?;
        bytes.truncate(iv_bytes + length);
        Ok(Wrapped { profile, bytes })
    }
}

fn cipher(profile: WrapProfile) -> &'static CipherRef {
    // By its old name OpenSSL would look for it at each use.
    macro_rules! found {
        ($name:literal, $otherwise:path) => {{
            static FOUND: LazyLock<Option<Cipher>> = LazyLock::new(|| Cipher::fetch(None, $name, None).ok());
            FOUND.as_deref().unwrap_or_else(|| $otherwise())
        }};
    }
    match profile {
        WrapProfile::AesKw => found!("AES-256-WRAP", Cipher::aes_256_wrap),
        WrapProfile::AesKwp => found!("AES-256-WRAP-PAD", Cipher::aes_256_wrap_pad),
        WrapProfile::AesGcm => found!("AES-256-GCM", Cipher::aes_256_gcm),
        WrapProfile::AesCbcPad => found!("AES-256-CBC", Cipher::aes_256_cbc),
    }
}

/// AES key wrap has the initial values of its standard where none is given.
fn iv_of(iv: &[u8]) -> Option<&[u8]> {
    (!iv.is_empty()).then_some(iv)
}

/// A failed integrity check leaves no error on OpenSSL's stack.
fn failed(error: &ErrorStack) -> Error {
    Error::transport(reason(error).unwrap_or("the wrapped bytes were not accepted"))
}

/// The first line of an error stack.
pub(crate) fn reason(error: &ErrorStack) -> Option<&'static str> {
    error.errors().first().and_then(openssl::error::Error::reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        hex::decode(text.replace(' ', "")).unwrap()
    }

    fn key(bytes: &[u8]) -> SoftwareKey {
        let mut key = LockedBuffer::default();
        key.extend_from_slice(bytes);
        SoftwareKey::new(key).unwrap()
    }

    /// RFC 3394, section 4.6: 256 bits of key data with a 256-bit KEK.
    #[test]
    fn a_key_is_wrapped_as_rfc_3394_says() {
        let transport = key(&hex(
            "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
        ));
        let clear = hex("00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F");
        let wrapped = hex("28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21");
        let sealed = transport.seal(WrapProfile::AesKw, &clear, 32).unwrap();
        assert_eq!(sealed.bytes, wrapped);
        let mut out = [0; 32];
        transport.open(&sealed, 32, &mut out).unwrap();
        assert_eq!(out[..], clear[..]);
    }

    #[test]
    fn a_key_comes_back_in_its_true_length_by_every_profile() {
        let transport = key(&[7; 32]);
        for profile in WrapProfile::ALL {
            for length in [1_usize, 16, 20, 24, 32, 33, 4096] {
                let padded = length.next_multiple_of(8).max(16);
                let sealed = transport.seal(profile, &vec![9; length], padded).unwrap();
                assert_eq!(sealed.bytes.len(), profile.wrapped_bytes(padded), "{profile}");
                let mut out = vec![0; length];
                transport.open(&sealed, padded, &mut out).unwrap();
                assert_eq!(out, vec![9; length], "{profile}");
            }
        }
    }

    #[test]
    fn a_changed_byte_is_refused_and_nothing_is_written() {
        let transport = key(&[7; 32]);
        for profile in [WrapProfile::AesKw, WrapProfile::AesKwp, WrapProfile::AesGcm] {
            let sealed = transport.seal(profile, &[9; 20], 24).unwrap();
            for position in 0..sealed.bytes.len() {
                let mut changed = sealed.clone();
                changed.bytes[position] ^= 1;
                let mut out = [0; 20];
                assert!(transport.open(&changed, 24, &mut out).is_err(), "{profile}");
                assert_eq!(out, [0; 20]);
            }
        }
    }

    #[test]
    fn a_key_of_another_length_than_asked_for_is_refused() {
        let transport = key(&[7; 32]);
        for profile in WrapProfile::ALL {
            let wrapped = transport.seal(profile, &[9; 24], 24).unwrap();
            assert!(transport.open(&wrapped, 32, &mut [0; 32]).is_err());
            let empty = Wrapped {
                profile,
                bytes: Vec::new(),
            };
            assert!(transport.open(&empty, 24, &mut [0; 24]).is_err());
        }
    }
}
