//! Trials: what the device can do is found by doing it, with keys that are thrown away.

use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, KeyType, ObjectClass};

use super::kek;
use super::session::Session;
use super::transport::Transport;
use crate::Error;
use crate::key::KeyKind;
use crate::worker::protocol::Trial;

/// What came of wrapping and unwrapping a key.
pub(crate) struct KeyWrapTrial {
    /// The key came back as it was.
    pub(crate) same: bool,
    /// A wrapped key with a changed bit was refused.
    pub(crate) tampered_refused: bool,
}

/// Makes a key, sends it under the transport key, and has the device say its digest.
pub(crate) fn trial(session: &Session, transport: &Transport, kind: KeyKind) -> Result<Trial, Error> {
    let made = kek::make(session, kind)?;
    let transport_key = transport.use_current();
    let key = kek::send(session, &transport_key, &made, kind)?;
    // A device that has no digest at all says so by an error here, not by a refusal.
    let sha256 = session.sha256_of(made.handle()).unwrap_or(None);
    Ok(Trial { key, sha256 })
}

/// Wraps a key under a session key, unwraps it and wraps it again; then unwraps a changed blob.
pub(crate) fn try_key_wrap(session: &Session) -> Result<KeyWrapTrial, Error> {
    let kind = KeyKind::Aes { bytes: 32 };
    let wrapping_key = session.generate(
        &Mechanism::AesKeyGen,
        &[
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::KeyType(KeyType::AES),
            Attribute::ValueLen(32.into()),
            Attribute::Token(false),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Wrap(true),
            Attribute::Unwrap(true),
        ],
    )?;
    let key = kek::make(session, kind)?;
    let wrapped = session.wrap(wrapping_key.handle(), key.handle(), kind.bytes())?;
    let back = session.unwrap(wrapping_key.handle(), &wrapped, &kek::template(kind))?;
    let again = session.wrap(wrapping_key.handle(), back.handle(), kind.bytes())?;
    let mut changed = wrapped.clone();
    changed[0] ^= 1;
    let tampered_refused = session
        .unwrap(wrapping_key.handle(), &changed, &kek::template(kind))
        .is_err();
    Ok(KeyWrapTrial {
        same: wrapped == again,
        tampered_refused,
    })
}
