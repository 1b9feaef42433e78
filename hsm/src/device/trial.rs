//! Trials: what the device can do is found by doing it, with keys that are thrown away. Its list of mechanisms is not asked.

use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, KeyType, ObjectClass, ObjectHandle};

use super::fault::Fault;
use super::kek;
use super::session::{Session, SessionObject};
use super::transport::Transport;
use super::wrapping::{VectorFrom, Wrapping};
use crate::Error;
use crate::key::KeyKind;
use crate::worker::protocol::Trial;
use crate::wrapped::{WrapProfile, Wrapped};

const KIND: KeyKind = KeyKind::Aes { bytes: 32 };

/// What came of wrapping and unwrapping a key.
pub(crate) struct WrapTrial {
    /// How the device wraps by the profile.
    pub(crate) wrapping: Wrapping,
    /// The key came back as it was.
    pub(crate) same: bool,
    /// A wrapped key with a changed bit was refused.
    pub(crate) tampered_refused: bool,
}

impl WrapTrial {
    /// Whether keys can be entrusted to the profile.
    pub(crate) fn is_passed(&self) -> bool {
        self.same && (self.tampered_refused || !self.wrapping.profile().has_integrity())
    }
}

/// Makes a key, sends it under the transport key, and has the device say its digest.
pub(crate) fn trial(session: &Session, transport: &Transport, kind: KeyKind) -> Result<Trial, Error> {
    let transport_key = transport.use_current();
    let made = kek::make(session, kind, &transport_key.template(kind))?;
    let key = transport_key.send(session, &made, kind)?;
    // A device that has no digest at all says so by an error here, not by a refusal.
    let sha256 = session.sha256_of(made.handle()).unwrap_or(None);
    Ok(Trial { key, sha256 })
}

/// The best profile that passes its trial, or the one that is wanted.
///
/// A better one that failed before is tried once more when another has passed: the device may have been out of order for
/// a moment, and keys would be wrapped by less than it can do until the next start.
///
/// Fails with [`Error::NoWrapProfile`], which says what came of each.
pub(crate) fn choose(session: &Session, wanted: Option<WrapProfile>) -> Result<Wrapping, Error> {
    let mut outcomes = Vec::new();
    let mut out_of_order = Vec::new();
    let candidates = WrapProfile::ALL
        .into_iter()
        .filter(|profile| wanted.is_none_or(|wanted| wanted == *profile));
    for profile in candidates {
        let outcome = match try_wrapping(session, profile) {
            Ok(trial) if trial.is_passed() => {
                let better = out_of_order
                    .into_iter()
                    .find_map(|better| try_wrapping(session, better).ok().filter(WrapTrial::is_passed));
                return Ok(better.unwrap_or(trial).wrapping);
            }
            Ok(trial) if !trial.same => "the key is another after it was wrapped and unwrapped".to_owned(),
            Ok(_) => "a changed blob is accepted".to_owned(),
            Err(error) => {
                if Fault::of(&error) != Fault::Request {
                    out_of_order.push(profile);
                }
                error.to_string()
            }
        };
        outcomes.push(format!("{profile}: {outcome}"));
    }
    Err(Error::NoWrapProfile {
        outcomes: outcomes.join("; "),
    })
}

/// Wraps a key under a session key and unwraps it; then unwraps a changed blob.
pub(crate) fn try_wrapping(session: &Session, profile: WrapProfile) -> Result<WrapTrial, Error> {
    let wrapping_key = wrapping_key(session)?;
    let key = kek::make(session, KIND, &comparable())?;
    let wrapping = match profile {
        WrapProfile::AesKwp => Wrapping::Kwp,
        WrapProfile::AesKw => Wrapping::Kw,
        WrapProfile::AesGcm => Wrapping::Gcm(vector_from(session, wrapping_key.handle(), &key)?),
        WrapProfile::AesCbcPad => Wrapping::CbcPad,
    };
    let wrapped = session.wrap(wrapping, wrapping_key.handle(), key.handle(), KIND.bytes())?;
    let back = session.unwrap(wrapping_key.handle(), &wrapped, KIND.bytes(), &comparable())?;
    let same = fingerprint(session, key.handle())? == fingerprint(session, back.handle())?;
    let mut changed = wrapped.clone();
    let middle = changed.bytes.len() / 2;
    changed.bytes[middle] ^= 1;
    let tampered_refused = session
        .unwrap(wrapping_key.handle(), &changed, KIND.bytes(), &comparable())
        .is_err();
    Ok(WrapTrial {
        wrapping,
        same,
        tampered_refused,
    })
}

/// Whether the device replaces a vector of zeros by one of its own. Only a key that is thrown away is ever wrapped with
/// zeros.
fn vector_from(
    session: &Session,
    wrapping_key: ObjectHandle,
    key: &SessionObject<'_>,
) -> Result<VectorFrom, Error> {
    let mut iv = [0; 16];
    let keys = (wrapping_key, key.handle());
    let Wrapped { .. } = session.wrap_with(WrapProfile::AesGcm, &mut iv, keys, KIND.bytes())?;
    Ok(if iv == [0; 16] {
        VectorFrom::Caller
    } else {
        VectorFrom::Device
    })
}

/// A key for wrapping in a trial, as a root key is, but of the session.
pub(super) fn wrapping_key(session: &Session) -> Result<SessionObject<'_>, Error> {
    session.generate(
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
    )
}

/// The template of a key whose value can be compared with another's on the device.
fn comparable() -> Vec<Attribute> {
    let mut template = kek::template(KIND);
    template.retain(|attribute| !matches!(attribute, Attribute::Encrypt(_)));
    template.push(Attribute::Encrypt(true));
    template
}

/// A block that follows from the key's value: the same for the same key, and tells nothing of it.
fn fingerprint(session: &Session, key: ObjectHandle) -> Result<Vec<u8>, Error> {
    const BLOCK: [u8; 16] = [0; 16];
    Ok(session.pkcs11().encrypt(&Mechanism::AesCbc(BLOCK), key, &BLOCK)?)
}
