//! What tells a root key from another in its place.
//!
//! Eight bytes of SHA-256 over what the key makes of a key of known value: that follows from the root key alone, whichever
//! device holds it, and tells nothing of it. The known key is wrapped by AES key wrap, which has no random part, or, where
//! the device can't do that with this key, by AES-CBC or AES-GCM with a vector of zeros. (Under AES-GCM no two keys may be
//! wrapped with one vector; zeros are for this one known key alone, and the random vectors do not meet them.) Where the
//! device takes no key of known value, or chooses its vectors itself, the three bytes of `CKA_CHECK_VALUE` have to do.

use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use openssl::sha::sha256;

use super::session::{Session, SessionObject};
use crate::Error;
use crate::key::RootKeyLocator;
use crate::wrapped::WrapProfile;

const KNOWN_KEY: [u8; 16] = [0; 16];
/// The length of a check value that is made with a known key.
pub(super) const BYTES: usize = 8;
/// The profiles that make the same of the same key. The order decides which value is recorded.
const REPEATABLE: [WrapProfile; 4] = [
    WrapProfile::AesKw,
    WrapProfile::AesKwp,
    WrapProfile::AesCbcPad,
    WrapProfile::AesGcm,
];

/// The key's check value: the one that the locator expects, or, where that expects none, the first that the device can
/// make.
///
/// Fails with [`Error::RootKeyMismatch`] where the key has none like the one that is expected.
pub(super) fn of(session: &Session, key: ObjectHandle, locator: &RootKeyLocator) -> Result<Vec<u8>, Error> {
    let mut trouble = None;
    let mut found = Vec::new();
    // Each is tried once more: after a failure that passes another value would be made, or recorded.
    match known_key(session).or_else(|_| known_key(session)) {
        Ok(known) => {
            for profile in REPEATABLE {
                let make = || made_with(session, key, &known, profile);
                match make().or_else(|_| make()) {
                    Ok(value) if fits(locator, &value) => return Ok(value),
                    Ok(value) => found.push(value),
                    Err(error) => trouble = Some(error),
                }
            }
        }
        Err(error) => trouble = Some(error),
    }
    match of_the_token(session, key) {
        Ok(Some(value)) if fits(locator, &value) => return Ok(value),
        Ok(Some(value)) => found.push(value),
        Ok(None) => {}
        Err(error) => trouble = Some(error),
    }
    let expected = locator.check_value.clone().unwrap_or_default();
    match found
        .iter()
        .find(|value| value.len() == expected.len())
        .or(found.first())
    {
        // A device that failed on the way may have had the right one.
        Some(value) if trouble.as_ref().is_none_or(|error| !error.is_retryable()) => {
            Err(Error::RootKeyMismatch {
                locator: locator.to_string(),
                expected: hex::encode(&expected),
                found: hex::encode(value),
            })
        }
        _ => Err(trouble.unwrap_or_else(|| Error::RootKeyUnfit {
            locator: locator.to_string(),
            reason: "the token gives no check value and takes no key of known value to make one".to_owned(),
        })),
    }
}

fn fits(locator: &RootKeyLocator, value: &[u8]) -> bool {
    locator
        .check_value
        .as_ref()
        .is_none_or(|expected| expected == value)
}

fn known_key(session: &Session) -> Result<SessionObject<'_>, Error> {
    session.create(&[
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::AES),
        Attribute::Value(KNOWN_KEY.to_vec()),
        Attribute::Token(false),
        Attribute::Private(true),
        Attribute::Extractable(true),
    ])
}

fn made_with(
    session: &Session,
    key: ObjectHandle,
    known: &SessionObject<'_>,
    profile: WrapProfile,
) -> Result<Vec<u8>, Error> {
    let mut vector = [0; 16];
    let wrapped = session.wrap_with(profile, &mut vector, (key, known.handle()), KNOWN_KEY.len())?;
    if vector != [0; 16] {
        return Err(Error::WrapProfile {
            profile: profile.to_string(),
        });
    }
    Ok(sha256(&wrapped.bytes)[..BYTES].to_vec())
}

fn of_the_token(session: &Session, key: ObjectHandle) -> Result<Option<Vec<u8>>, Error> {
    let attributes = session
        .pkcs11()
        .get_attributes(key, &[AttributeType::CheckValue])?;
    Ok(attributes.into_iter().find_map(|attribute| match attribute {
        Attribute::CheckValue(value) => Some(value),
        _ => None,
    }))
}
