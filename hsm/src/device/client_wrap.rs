//! A key on its way to a client under a key of the client's: both are opened on the device, and none of it is in the clear
//! outside.

use cryptoki::object::{Attribute, KeyType, ObjectClass, ObjectHandle};
use cryptoki_sys as ck;

use super::kek::{self, RootKey};
use super::session::{Session, SessionObject};
use crate::Error;
use crate::key::{KeptKey, KeyWrap};
use crate::memory::LockedBuffer;
use crate::software::SoftwareKey;
use crate::wrapped::WrapProfile;

/// Unwraps a key and a wrapping key, each under its root key, and wraps the one under the other, as a client asks that
/// knows the wrapping key.
///
/// Fails with [`Error::KeyLength`] for a key that the device holds with more bytes than it has, and with
/// [`Error::WrapProfile`] where the device does not know the way of wrapping.
pub(crate) fn release_under(
    session: &Session,
    (root, key): (RootKey, &KeptKey),
    (wrapping_root, wrapping_key): (RootKey, &KeptKey),
    key_wrap: KeyWrap,
) -> Result<Vec<u8>, Error> {
    let bytes = key.kind.bytes();
    if key.kind.padded_bytes() != bytes {
        return Err(Error::KeyLength { bytes });
    }
    let opened = root.open(session, key.kind, &key.wrapped, &kek::template(key.kind))?;
    let mut may_wrap = kek::template(wrapping_key.kind);
    may_wrap.retain(|attribute| !matches!(attribute, Attribute::Wrap(_)));
    may_wrap.push(Attribute::Wrap(true));
    let under = wrapping_root.open(session, wrapping_key.kind, &wrapping_key.wrapped, &may_wrap)?;
    let keys = (under.handle(), opened.handle());
    match key_wrap {
        KeyWrap::Nist => wrap(session, WrapProfile::AesKw, keys, bytes),
        KeyWrap::Padded => wrap_padded(session, keys, bytes),
    }
}

/// By `CKM_AES_KEY_WRAP_KWP`. Where the device does not have that, by `CKM_AES_KEY_WRAP_PAD`, which is the same on some
/// devices and another thing on others: it is tried first with keys of known value.
fn wrap_padded(
    session: &Session,
    keys: (ObjectHandle, ObjectHandle),
    bytes: usize,
) -> Result<Vec<u8>, Error> {
    match wrap(session, WrapProfile::AesKwp, keys, bytes) {
        Err(Error::WrapProfile { .. }) => {}
        wrapped => return wrapped,
    }
    if !pad_is_rfc_5649(session)? {
        return Err(Error::WrapProfile {
            profile: WrapProfile::AesKwp.to_string(),
        });
    }
    session.wrap_by(ck::CKM_AES_KEY_WRAP_PAD, keys, bytes + 8)
}

fn wrap(
    session: &Session,
    profile: WrapProfile,
    keys: (ObjectHandle, ObjectHandle),
    bytes: usize,
) -> Result<Vec<u8>, Error> {
    let wrapped = session.wrap_with(profile, &mut [0; 16], keys, bytes)?;
    Ok(wrapped.bytes)
}

/// Whether `CKM_AES_KEY_WRAP_PAD` gives for a known key what OpenSSL does by RFC 5649.
pub(super) fn pad_is_rfc_5649(session: &Session) -> Result<bool, Error> {
    const KEY: [u8; 32] = [0x5c; 32];
    const WRAPPING_KEY: [u8; SoftwareKey::BYTES] = [0x36; SoftwareKey::BYTES];
    let mut known = LockedBuffer::default();
    known.extend_from_slice(&WRAPPING_KEY);
    let expected = SoftwareKey::new(known)?.seal(WrapProfile::AesKwp, &KEY, KEY.len())?;
    let wrapping_key = known_key(session, &WRAPPING_KEY)?;
    let key = known_key(session, &KEY)?;
    let keys = (wrapping_key.handle(), key.handle());
    let wrapped = session.wrap_by(ck::CKM_AES_KEY_WRAP_PAD, keys, expected.bytes.len());
    Ok(wrapped.is_ok_and(|wrapped| wrapped == expected.bytes))
}

fn known_key<'a>(session: &'a Session, value: &[u8]) -> Result<SessionObject<'a>, Error> {
    session.create(&[
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::AES),
        Attribute::Value(value.to_vec()),
        Attribute::Token(false),
        Attribute::Private(true),
        Attribute::Extractable(true),
        Attribute::Wrap(true),
    ])
}
