//! AES key wrap of any data, for keys that are wrapped with what stands around them (KMIP 1.4, section 2.1.6: TTLV encoding).

use claviger_hsm::memory::LockedBuffer;
use openssl::cipher::{Cipher, CipherRef};
use openssl::cipher_ctx::{CipherCtx, CipherCtxFlags};

use super::Error;

/// How data is wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrapping {
    /// RFC 3394: whole multiples of eight bytes, sixteen at least.
    Nist,
    /// RFC 5649: any length from one byte on.
    Padded,
}

/// Wraps data.
pub fn wrap(wrapping: Wrapping, key: &LockedBuffer, data: &[u8]) -> Result<Vec<u8>, Error> {
    let fits = match wrapping {
        Wrapping::Nist => data.len() >= 16 && data.len().is_multiple_of(8),
        Wrapping::Padded => !data.is_empty(),
    };
    check_length(fits, data.len())?;
    let mut context = context()?;
    context.encrypt_init(Some(cipher(wrapping, key.len())?), Some(key.as_slice()), None)?;
    let mut wrapped = Vec::new();
    context.cipher_update_vec(data, &mut wrapped)?;
    Ok(wrapped)
}

/// Unwraps data. Fails with [`Error::Refused`] where it was changed, or another key wrapped it.
pub fn unwrap(wrapping: Wrapping, key: &LockedBuffer, wrapped: &[u8]) -> Result<LockedBuffer, Error> {
    let shortest = match wrapping {
        Wrapping::Nist => 24,
        Wrapping::Padded => 16,
    };
    let fits = wrapped.len() >= shortest && wrapped.len().is_multiple_of(8);
    check_length(fits, wrapped.len())?;
    let mut context = context()?;
    context.decrypt_init(Some(cipher(wrapping, key.len())?), Some(key.as_slice()), None)?;
    // What OpenSSL may need besides: a block.
    let mut data = LockedBuffer::zeroed(wrapped.len() + 16);
    let length = context
        .cipher_update(wrapped, Some(data.as_mut_slice()))
        .map_err(|_| Error::Refused)?;
    data.resize_zeroed(length);
    Ok(data)
}

fn check_length(fits: bool, bytes: usize) -> Result<(), Error> {
    let what = "the data";
    fits.then_some(()).ok_or(Error::Length { what, bytes })
}

fn context() -> Result<CipherCtx, Error> {
    let mut context = CipherCtx::new()?;
    context.set_flags(CipherCtxFlags::FLAG_WRAP_ALLOW);
    Ok(context)
}

fn cipher(wrapping: Wrapping, key: usize) -> Result<&'static CipherRef, Error> {
    Ok(match (wrapping, key) {
        (Wrapping::Nist, 16) => Cipher::aes_128_wrap(),
        (Wrapping::Nist, 24) => Cipher::aes_192_wrap(),
        (Wrapping::Nist, 32) => Cipher::aes_256_wrap(),
        (Wrapping::Padded, 16) => Cipher::aes_128_wrap_pad(),
        (Wrapping::Padded, 24) => Cipher::aes_192_wrap_pad(),
        (Wrapping::Padded, 32) => Cipher::aes_256_wrap_pad(),
        (_, bytes) => {
            return Err(Error::Length {
                what: "the key",
                bytes,
            });
        }
    })
}
