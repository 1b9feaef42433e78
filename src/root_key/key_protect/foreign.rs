//! Keys that go out, or come, wrapped under a key of the client's: AES key wrap in this process, over locked memory. OpenSSL
//! has a copy of the wrapping key in memory of its own for the time of one operation, and cleanses it.

use claviger_hsm::KeyWrap;
use claviger_hsm::memory::LockedBuffer;
use openssl::cipher::{Cipher, CipherRef};
use openssl::cipher_ctx::{CipherCtx, CipherCtxFlags};
use openssl::error::ErrorStack;

use super::Error;

/// `openssl` wants room for one block more than it writes.
const BLOCK: usize = 16;

/// Wraps a key under another.
pub(super) fn wrap(key_wrap: KeyWrap, under: &LockedBuffer, key: &LockedBuffer) -> Result<Vec<u8>, Error> {
    fits(key.len())?;
    let mut context = context().map_err(|error| Error::cryptography(&error))?;
    let mut wrapped = Vec::with_capacity(key.len() + BLOCK);
    context
        .encrypt_init(Some(cipher(key_wrap, under.len())?), Some(under.as_slice()), None)
        .and_then(|()| context.cipher_update_vec(key.as_slice(), &mut wrapped))
        .map_err(|error| Error::cryptography(&error))?;
    Ok(wrapped)
}

/// Unwraps a key of that many bytes.
///
/// Fails with [`Error::ForeignKeyRefused`] where it does not open, and with [`Error::KeyLength`], which names the length that
/// came out, where that is another one.
pub(super) fn unwrap(
    key_wrap: KeyWrap,
    under: &LockedBuffer,
    wrapped: &[u8],
    bytes: usize,
) -> Result<LockedBuffer, Error> {
    fits(bytes)?;
    match wrapped.len().checked_sub(8) {
        Some(held) if held < 16 || !held.is_multiple_of(8) => return Err(Error::ForeignKeyRefused),
        None => return Err(Error::ForeignKeyRefused),
        // With padding the true length may be up to seven bytes less, which is found below.
        Some(held) if held != bytes => return Err(Error::KeyLength { bytes: held }),
        Some(_) => {}
    }
    let mut context = context().map_err(|error| Error::cryptography(&error))?;
    context
        .decrypt_init(Some(cipher(key_wrap, under.len())?), Some(under.as_slice()), None)
        .map_err(|error| Error::cryptography(&error))?;
    let mut key = LockedBuffer::zeroed(wrapped.len() + BLOCK);
    let length = context
        .cipher_update(wrapped, Some(key.as_mut_slice()))
        .map_err(|_| Error::ForeignKeyRefused)?;
    key.resize_zeroed(length);
    if length != bytes {
        return Err(Error::KeyLength { bytes: length });
    }
    Ok(key)
}

/// RFC 3394 takes whole multiples of eight bytes, sixteen at least. A device wraps no other keys by RFC 5649 either.
pub(super) fn fits(bytes: usize) -> Result<(), Error> {
    if bytes >= 16 && bytes.is_multiple_of(8) {
        return Ok(());
    }
    Err(Error::KeyLength { bytes })
}

fn context() -> Result<CipherCtx, ErrorStack> {
    let mut context = CipherCtx::new()?;
    context.set_flags(CipherCtxFlags::FLAG_WRAP_ALLOW);
    Ok(context)
}

fn cipher(key_wrap: KeyWrap, bytes: usize) -> Result<&'static CipherRef, Error> {
    Ok(match (key_wrap, bytes) {
        (KeyWrap::Nist, 16) => Cipher::aes_128_wrap(),
        (KeyWrap::Nist, 24) => Cipher::aes_192_wrap(),
        (KeyWrap::Nist, 32) => Cipher::aes_256_wrap(),
        (KeyWrap::Padded, 16) => Cipher::aes_128_wrap_pad(),
        (KeyWrap::Padded, 24) => Cipher::aes_192_wrap_pad(),
        (KeyWrap::Padded, 32) => Cipher::aes_256_wrap_pad(),
        _ => return Err(Error::KeyLength { bytes }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locked(bytes: &[u8]) -> LockedBuffer {
        let mut buffer = LockedBuffer::default();
        buffer.extend_from_slice(bytes);
        buffer
    }

    /// RFC 3394, section 4.6: 256 bits of key data with a 256-bit KEK.
    #[test]
    fn a_client_that_goes_by_rfc_3394_reads_the_key() {
        let under: Vec<u8> = (0..32).collect();
        let key = hex::decode("00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f").unwrap();
        let expected = "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21";
        let wrapped = wrap(KeyWrap::Nist, &locked(&under), &locked(&key)).unwrap();
        assert_eq!(hex::encode(&wrapped), expected);
        let opened = unwrap(KeyWrap::Nist, &locked(&under), &wrapped, 32).unwrap();
        assert_eq!(opened.as_slice(), key);
    }

    #[test]
    fn a_key_that_was_changed_on_the_way_is_refused() {
        let under = locked(&[7; 32]);
        for key_wrap in [KeyWrap::Nist, KeyWrap::Padded] {
            let wrapped = wrap(key_wrap, &under, &locked(&[9; 24])).unwrap();
            assert_eq!(
                unwrap(key_wrap, &under, &wrapped, 24).unwrap().as_slice(),
                [9; 24]
            );
            for place in 0..wrapped.len() {
                let mut changed = wrapped.clone();
                changed[place] ^= 1;
                let refused = unwrap(key_wrap, &under, &changed, 24).err();
                assert!(
                    matches!(refused, Some(Error::ForeignKeyRefused | Error::KeyLength { .. })),
                    "{refused:?}"
                );
            }
            let other = unwrap(key_wrap, &under, &wrapped, 32).err();
            assert_eq!(other, Some(Error::KeyLength { bytes: 24 }));
            let empty = unwrap(key_wrap, &under, &[], 24).err();
            assert_eq!(empty, Some(Error::ForeignKeyRefused));
        }
    }
}
