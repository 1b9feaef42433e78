//! Cryptography in this process, for what a device lacks; used only where the operator allowed it.
//!
//! Keys are bytes in [`LockedBuffer`]s that the caller opened from a release, and results that are keys go into such
//! buffers. No device and no store is known here, and nothing is decided: whether a key may be used, and whether here, is for
//! whoever asks.
//!
//! What comes in pieces (KMIP 1.4, section 4.29: Init Indicator, Final Indicator, Correlation Value) is a [`CipherStream`], a
//! [`MacStream`] or a [`HashStream`], which the caller keeps between the requests.

mod cipher;
mod derivation;
mod error;
mod hash;
mod key_wrap;
mod mac;
mod padding;
mod password;
#[cfg(test)]
mod tests;

pub use cipher::{CipherParameters, CipherStream, Direction, Finished};
pub use derivation::{KeyBasedDerivation, derive_by_hash, derive_by_hmac, hkdf, nist_800_108, pbkdf2};
pub use error::Error;
pub use hash::{HashStream, hash};
pub use key_wrap::{Wrapping, unwrap, wrap};
pub use mac::{MacAlgorithm, MacStream};
pub(crate) use padding::{data_in, padding};
pub use password::{Argon2id, PASSWORD_HASH};

use claviger_hsm::memory::LockedBuffer;

/// A locked buffer that holds these bytes.
fn locked(bytes: &[u8]) -> LockedBuffer {
    let mut buffer = LockedBuffer::with_capacity(bytes.len());
    buffer.extend_from_slice(bytes);
    buffer
}
