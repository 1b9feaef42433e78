//! Keys that are wrapped under a root key: made, taken in, released. Each is a session object for as long as that takes.

use std::sync::Arc;

use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, KeyType, ObjectClass, ObjectHandle};
use cryptoki::types::Ulong;

use super::session::{Session, SessionObject};
use super::transport::{Transport, TransportKey};
use super::wrapping::Wrapping;
use crate::Error;
use crate::configuration::ReleaseProfile;
use crate::key::KeyKind;
use crate::worker::protocol::Transported;
use crate::wrapped::Wrapped;

/// A root key, and how new keys are wrapped under it.
#[derive(Clone, Copy)]
pub(crate) struct RootKey {
    pub(crate) handle: ObjectHandle,
    pub(crate) wrapping: Wrapping,
}

impl RootKey {
    pub(super) fn wrap(
        self,
        session: &Session,
        key: &SessionObject<'_>,
        kind: KeyKind,
    ) -> Result<Wrapped, Error> {
        session.wrap(self.wrapping, self.handle, key.handle(), kind.padded_bytes())
    }

    /// Unwraps a key into a session object.
    pub(super) fn open<'a>(
        self,
        session: &'a Session,
        kind: KeyKind,
        wrapped: &Wrapped,
        template: &[Attribute],
    ) -> Result<SessionObject<'a>, Error> {
        session
            .unwrap(self.handle, wrapped, kind.padded_bytes(), template)
            .map_err(refusal)
    }
}

/// Makes a key, wraps it under the root key, and has the device say its SHA-256.
///
/// A key whose length is no multiple of eight is made longer: its value is the first bytes, and the digest is not theirs.
pub(crate) fn generate(
    session: &Session,
    root: RootKey,
    kind: KeyKind,
) -> Result<(Wrapped, [u8; 32]), Error> {
    let key = make(session, kind, &template(kind))?;
    let wrapped = root.wrap(session, &key, kind)?;
    Ok((wrapped, digest(session, &key)?))
}

/// SHA-256 of a key, by a device that is known to say it.
pub(super) fn digest(session: &Session, key: &SessionObject<'_>) -> Result<[u8; 32], Error> {
    let sha256 = session.sha256_of(key.handle())?;
    sha256.ok_or_else(|| Error::transport("the device refused a digest that it gave before"))
}

/// Makes a key, wraps it under the root key, and under the transport key as well.
pub(crate) fn generate_and_transport(
    session: &Session,
    root: RootKey,
    kind: KeyKind,
    transport: &Transport,
) -> Result<(Wrapped, Transported, Arc<TransportKey>), Error> {
    let transport_key = transport.use_current();
    let key = make(session, kind, &transport_key.template(kind))?;
    let transported = transport_key.send(session, &key, kind)?;
    Ok((root.wrap(session, &key, kind)?, transported, transport_key))
}

/// Takes a key in that comes under a transport key, and wraps it under the root key.
pub(crate) fn import(
    session: &Session,
    root: RootKey,
    kind: KeyKind,
    transport_key: &TransportKey,
    material: &Transported,
) -> Result<Wrapped, Error> {
    let key = transport_key.take(session, material, kind)?;
    root.wrap(session, &key, kind)
}

/// Unwraps a key and wraps it under the current transport key, which comes with it.
///
/// Fails with [`Error::WrappedKeyRefused`] only where the device says so plainly. Many say something else about a
/// changed blob: whoever calls this finds out whether the device works otherwise, see [`check`].
pub(crate) fn release(
    session: &Session,
    root: RootKey,
    kind: KeyKind,
    wrapped: &Wrapped,
    transport: &Transport,
) -> Result<(Transported, Arc<TransportKey>), Error> {
    let transport_key = transport.use_current();
    let key = root.open(session, kind, wrapped, &transport_key.template(kind))?;
    let transported = transport_key.send(session, &key, kind)?;
    Ok((transported, transport_key))
}

/// Unwraps a key and wraps it under another root key. Fails as [`release`] does.
pub(crate) fn rewrap(
    session: &Session,
    root: RootKey,
    to: RootKey,
    kind: KeyKind,
    wrapped: &Wrapped,
) -> Result<Wrapped, Error> {
    let key = root.open(session, kind, wrapped, &template(kind))?;
    to.wrap(session, &key, kind)
}

/// Does with a key that is thrown away all that is done with one that is kept.
pub(crate) fn check(session: &Session, root: RootKey, transport: &Transport) -> Result<(), Error> {
    let kind = KeyKind::Aes { bytes: 32 };
    let wrapped = root.wrap(session, &make(session, kind, &template(kind))?, kind)?;
    release(session, root, kind, &wrapped, transport)?;
    Ok(())
}

pub(super) fn make<'a>(
    session: &'a Session,
    kind: KeyKind,
    template: &[Attribute],
) -> Result<SessionObject<'a>, Error> {
    let mechanism = match kind {
        KeyKind::Aes { .. } => Mechanism::AesKeyGen,
        KeyKind::Generic { .. } => Mechanism::GenericSecretKeyGen,
    };
    let mut template = template.to_vec();
    // Only where a key is new: some tokens refuse the length of a key that is unwrapped.
    template.push(Attribute::ValueLen(length(kind)?));
    session
        .generate(&mechanism, &template)
        .map_err(|error| match error.code() {
            Some(cryptoki_sys::CKR_KEY_SIZE_RANGE) => Error::KeyLength { bytes: kind.bytes() },
            _ => error,
        })
}

/// `CKA_VALUE_LEN` of a key that is made.
pub(super) fn length(kind: KeyKind) -> Result<Ulong, Error> {
    let length = u64::try_from(kind.padded_bytes());
    length
        .map(Into::into)
        .map_err(|_| Error::KeyLength { bytes: kind.bytes() })
}

/// A key that can be wrapped and nothing else, and whose value can't be read.
pub(super) fn template(kind: KeyKind) -> Vec<Attribute> {
    let key_type = match kind {
        KeyKind::Aes { .. } => KeyType::AES,
        KeyKind::Generic { .. } => KeyType::GENERIC_SECRET,
    };
    vec![
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(key_type),
        Attribute::Token(false),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(true),
        Attribute::Encrypt(false),
        Attribute::Decrypt(false),
        Attribute::Sign(false),
        Attribute::Verify(false),
        Attribute::Wrap(false),
        Attribute::Unwrap(false),
        Attribute::Derive(false),
    ]
}

/// The template of a key that leaves by a release profile.
pub(super) fn template_for(kind: KeyKind, release: ReleaseProfile) -> Vec<Attribute> {
    let mut template = template(kind);
    if release == ReleaseProfile::Read {
        template.retain(|attribute| !matches!(attribute, Attribute::Sensitive(_)));
        template.push(Attribute::Sensitive(false));
    }
    template
}

/// The return values that can only mean the wrapped bytes.
fn refusal(error: Error) -> Error {
    use cryptoki_sys as ck;
    match error.code() {
        Some(
            ck::CKR_WRAPPED_KEY_INVALID
            | ck::CKR_WRAPPED_KEY_LEN_RANGE
            | ck::CKR_ENCRYPTED_DATA_INVALID
            | ck::CKR_ENCRYPTED_DATA_LEN_RANGE,
        ) => Error::WrappedKeyRefused,
        _ => error,
    }
}
