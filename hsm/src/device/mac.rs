//! Message authentication codes with a kept key.

use cryptoki::object::{Attribute, KeyType, ObjectHandle};
use cryptoki_sys as ck;

use super::kek::RootKey;
use super::key_use::{self, unsupported};
use super::raw::{Parameter, Use};
use super::session::Session;
use crate::Error;
use crate::cryptography::MacAlgorithm;
use crate::key::KeptKey;

/// Makes a code of its whole length.
pub(crate) fn mac(
    session: &Session,
    (root, key): (RootKey, &KeptKey),
    algorithm: MacAlgorithm,
    data: &[u8],
) -> Result<Vec<u8>, Error> {
    let key = key_use::open(session, root, key, key_type(algorithm), Attribute::Sign(true))?;
    mac_with(session, key.handle(), algorithm, data)
}

/// Whether the code is the one of the data, in its whole length; the device compares.
pub(crate) fn verify_mac(
    session: &Session,
    (root, key): (RootKey, &KeptKey),
    algorithm: MacAlgorithm,
    data: &[u8],
    code: &[u8],
) -> Result<bool, Error> {
    if code.len() != algorithm.bytes() {
        return Ok(false);
    }
    let key = key_use::open(session, root, key, key_type(algorithm), Attribute::Verify(true))?;
    let mechanism = (mechanism(algorithm), Parameter::None);
    match session.verify(mechanism, key.handle(), data, code) {
        Ok(()) => Ok(true),
        Err(error) => match error.code() {
            Some(ck::CKR_SIGNATURE_INVALID | ck::CKR_SIGNATURE_LEN_RANGE) => Ok(false),
            _ => Err(unsupported(error, algorithm)),
        },
    }
}

/// Makes a code with an object of the session.
pub(super) fn mac_with(
    session: &Session,
    key: ObjectHandle,
    algorithm: MacAlgorithm,
    data: &[u8],
) -> Result<Vec<u8>, Error> {
    let mechanism = (mechanism(algorithm), Parameter::None);
    let code = session
        .transform(Use::Sign, mechanism, key, data, algorithm.bytes())
        .map_err(|error| unsupported(error, algorithm))?;
    if code.len() == algorithm.bytes() {
        Ok(code)
    } else {
        Err(Error::protocol(
            "the device made a code of another length than the standard says",
        ))
    }
}

pub(super) fn key_type(algorithm: MacAlgorithm) -> KeyType {
    match algorithm {
        MacAlgorithm::AesCmac => KeyType::AES,
        _ => KeyType::GENERIC_SECRET,
    }
}

fn mechanism(algorithm: MacAlgorithm) -> ck::CK_MECHANISM_TYPE {
    match algorithm {
        MacAlgorithm::HmacSha1 => ck::CKM_SHA_1_HMAC,
        MacAlgorithm::HmacSha224 => ck::CKM_SHA224_HMAC,
        MacAlgorithm::HmacSha256 => ck::CKM_SHA256_HMAC,
        MacAlgorithm::HmacSha384 => ck::CKM_SHA384_HMAC,
        MacAlgorithm::HmacSha512 => ck::CKM_SHA512_HMAC,
        MacAlgorithm::AesCmac => ck::CKM_AES_CMAC,
    }
}
