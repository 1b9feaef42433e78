//! Key pairs of the token that do nothing but sign: made, found, used.

use std::cell::Cell;

use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use openssl::bn::BigNum;
use openssl::ecdsa::EcdsaSig;
use openssl::error::ErrorStack;
use openssl::sha::sha256;

use super::fault::Fault;
use super::session::Session;
use super::signing::{P_256, mechanism, pair_mechanisms};
use crate::Error;
use crate::signing_key::{SignatureScheme, SigningKey, public_key};

/// What a new key signs, to be looked at and thrown away. No checkpoint begins like it.
const TRIAL: &[u8] = b"Claviger tries a new key that signs.";
/// How many bytes of `CKA_ID` tell a pair from all others.
const ID_BYTES: usize = 16;

/// Makes a key pair by the best scheme that the device signs with. The session must be a writing one.
///
/// `found_free` is false at first and true once the label was found free. Where the same creation is tried again after that,
/// a pair that is there is the one that the attempt before made and did not get an answer for.
///
/// Fails with [`Error::SigningKeyExists`] where a key has the label. A pair that came out otherwise than asked for, or whose
/// signature is none, is destroyed again. [`Error::Unsupported`] says that the device signs by no scheme that is known here.
pub(crate) fn make_signing_key(
    session: &Session,
    label: &str,
    found_free: &Cell<bool>,
) -> Result<SigningKey, Error> {
    let there = halves(session, label)?;
    if !found_free.get() {
        if !there.is_empty() {
            return Err(Error::SigningKeyExists {
                label: label.to_owned(),
            });
        }
        found_free.set(true);
    } else if let Ok((_, key)) = find_signing_key(session, label) {
        return Ok(key);
    } else {
        // One half, of the attempt before.
        discard(session, label);
    }
    let mut id = [0; ID_BYTES];
    session.random(&mut id)?;
    let mut trouble = None;
    for scheme in SignatureScheme::ALL {
        for narrowing in Narrowing::ALL {
            // A device that failed for a moment is not one that does not sign like that.
            for _ in 0..2 {
                match make_by(session, label, &id, scheme, narrowing) {
                    Ok(key) => return Ok(key),
                    Err(error) => {
                        discard(session, label);
                        let is_final = Fault::of(&error) == Fault::Request;
                        trouble = Some(error);
                        if is_final {
                            break;
                        }
                    }
                }
            }
        }
    }
    Err(match trouble.expect("there are schemes") {
        error if Fault::of(&error) == Fault::Request => Error::Unsupported {
            what: format!("sign by Ed25519 or ECDSA P-256 ({error})"),
        },
        error => error,
    })
}

/// How narrow a pair is made: the narrowest that the token takes.
#[derive(Clone, Copy)]
enum Narrowing {
    /// Everything that it must not do is said, and that no copy of it can.
    Whole,
    /// Without `CKA_COPYABLE`, which is of PKCS#11 2.30.
    Modifiable,
    /// What every token knows.
    Plain,
}

impl Narrowing {
    const ALL: [Self; 3] = [Self::Whole, Self::Modifiable, Self::Plain];

    fn attributes(self) -> Vec<Attribute> {
        let mut attributes = Vec::new();
        if let Self::Whole | Self::Modifiable = self {
            attributes.extend([
                Attribute::Decrypt(false),
                Attribute::Unwrap(false),
                Attribute::Derive(false),
            ]);
        }
        if let Self::Whole = self {
            attributes.push(Attribute::Copyable(false));
        }
        if let Self::Whole | Self::Modifiable = self {
            // The last: some tokens go through a template in its order, and change nothing after that.
            attributes.push(Attribute::Modifiable(false));
        }
        attributes
    }
}

fn make_by(
    session: &Session,
    label: &str,
    id: &[u8],
    scheme: SignatureScheme,
    narrowing: Narrowing,
) -> Result<SigningKey, Error> {
    let mut trouble = None;
    for (mechanism, parameters) in pair_mechanisms(scheme) {
        let public = [
            Attribute::Token(true),
            Attribute::Private(false),
            Attribute::Verify(true),
            Attribute::EcParams(parameters.to_vec()),
            Attribute::Label(label.into()),
            Attribute::Id(id.to_vec()),
        ];
        let mut private = vec![
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Sign(true),
            Attribute::Label(label.into()),
            Attribute::Id(id.to_vec()),
        ];
        private.extend(narrowing.attributes());
        match session.pkcs11().generate_key_pair(mechanism, &public, &private) {
            Ok(_) => return tried(session, label),
            Err(error) => {
                trouble.get_or_insert(Error::from(error));
            }
        }
    }
    Err(trouble.expect("each scheme has a mechanism"))
}

/// The pair that was made a moment ago, where it signs.
fn tried(session: &Session, label: &str) -> Result<SigningKey, Error> {
    let (private, key) = find_signing_key(session, label)?;
    let signature = signature(session, private, key.scheme, TRIAL)?;
    if key.verifies(TRIAL, &signature) {
        return Ok(key);
    }
    Err(unfit(label, "what it signs is no signature by its public key"))
}

/// Finds a pair by its label, and checks that it does nothing but sign. It is never made here.
pub(crate) fn find_signing_key(session: &Session, label: &str) -> Result<(ObjectHandle, SigningKey), Error> {
    let private = half(session, label, ObjectClass::PRIVATE_KEY)?;
    require_closed(session, private, label)?;
    let public = half(session, label, ObjectClass::PUBLIC_KEY)?;
    let asked = [
        AttributeType::KeyType,
        AttributeType::EcParams,
        AttributeType::EcPoint,
    ];
    let (mut scheme, mut parameters, mut point) = (None, Vec::new(), Vec::new());
    for attribute in session.pkcs11().get_attributes(public, &asked)? {
        match attribute {
            Attribute::KeyType(KeyType::EC_EDWARDS) => scheme = Some(SignatureScheme::Ed25519),
            Attribute::KeyType(KeyType::EC) => scheme = Some(SignatureScheme::EcdsaP256),
            Attribute::EcParams(found) => parameters = found,
            Attribute::EcPoint(found) => point = found,
            _ => {}
        }
    }
    let scheme = scheme.filter(|scheme| *scheme == SignatureScheme::Ed25519 || parameters == P_256);
    let key = scheme.and_then(|scheme| Some((scheme, public_key(scheme, &point)?)));
    let Some((scheme, public_key)) = key else {
        return Err(unfit(label, "its public key is none of Ed25519 or P-256"));
    };
    let key = SigningKey {
        label: label.to_owned(),
        scheme,
        public_key,
    };
    Ok((private, key))
}

/// Signs a message by this key and no other.
///
/// Fails with [`Error::SigningKeyNotFound`], and with [`Error::SigningKeyMismatch`] where another stands in its place.
pub(crate) fn sign(session: &Session, key: &SigningKey, message: &[u8]) -> Result<Vec<u8>, Error> {
    let (private, found) = find_signing_key(session, &key.label)?;
    let mismatch = || Error::SigningKeyMismatch {
        label: key.label.clone(),
    };
    if found != *key {
        return Err(mismatch());
    }
    let signature = signature(session, private, key.scheme, message)?;
    if key.verifies(message, &signature) {
        return Ok(signature);
    }
    Err(mismatch())
}

fn signature(
    session: &Session,
    private: ObjectHandle,
    scheme: SignatureScheme,
    message: &[u8],
) -> Result<Vec<u8>, Error> {
    let mechanism: Mechanism<'_> = mechanism(scheme);
    match scheme {
        SignatureScheme::Ed25519 => session.sign(&mechanism, private, message),
        SignatureScheme::EcdsaP256 => {
            let raw = session.sign(&mechanism, private, &sha256(message))?;
            der(&raw).map_err(Error::protocol)
        }
    }
}

/// `ECDSA-Sig-Value` of the two numbers that PKCS#11 writes one after the other (section 2.3.1 of its mechanisms).
fn der(raw: &[u8]) -> Result<Vec<u8>, ErrorStack> {
    let (r, s) = raw.split_at(raw.len() / 2);
    EcdsaSig::from_private_components(BigNum::from_slice(r)?, BigNum::from_slice(s)?)?.to_der()
}

/// Both halves of every pair of this label.
fn halves(session: &Session, label: &str) -> Result<Vec<ObjectHandle>, Error> {
    let mut found = objects(session, label, ObjectClass::PRIVATE_KEY)?;
    found.extend(objects(session, label, ObjectClass::PUBLIC_KEY)?);
    Ok(found)
}

fn objects(session: &Session, label: &str, class: ObjectClass) -> Result<Vec<ObjectHandle>, Error> {
    Ok(session.pkcs11().find_objects(&[
        Attribute::Class(class),
        Attribute::Token(true),
        Attribute::Label(label.into()),
    ])?)
}

fn half(session: &Session, label: &str, class: ObjectClass) -> Result<ObjectHandle, Error> {
    let found = objects(session, label, class)?;
    let Some(first) = found.first() else {
        return Err(Error::SigningKeyNotFound {
            label: label.to_owned(),
        });
    };
    // openCryptoki lists a key twice to a process that starts while another one is killed.
    let ids: Vec<_> = found
        .iter()
        .map(|object| session.pkcs11().get_attributes(*object, &[AttributeType::Id]))
        .collect::<Result<_, _>>()?;
    if ids.windows(2).all(|pair| pair[0] == pair[1]) {
        return Ok(*first);
    }
    Err(unfit(label, "several keys have this label"))
}

/// Refuses a private key that can be read, or that does more than sign.
fn require_closed(session: &Session, private: ObjectHandle, label: &str) -> Result<(), Error> {
    let asked = [
        AttributeType::Sensitive,
        AttributeType::Extractable,
        AttributeType::Sign,
        AttributeType::Local,
        AttributeType::Decrypt,
        AttributeType::Unwrap,
        AttributeType::Derive,
    ];
    let told = session.pkcs11().get_attributes(private, &asked)?;
    let must = [
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Sign(true),
    ];
    let must_not = [
        Attribute::Local(false),
        Attribute::Decrypt(true),
        Attribute::Unwrap(true),
        Attribute::Derive(true),
    ];
    if must.iter().all(|one| told.contains(one)) && !must_not.iter().any(|one| told.contains(one)) {
        return Ok(());
    }
    Err(unfit(
        label,
        "it was not made on the device, can be read, or does more than sign",
    ))
}

/// Destroys what an attempt left behind. It has signed nothing but a trial.
fn discard(session: &Session, label: &str) {
    for object in halves(session, label).unwrap_or_default() {
        let _ = session.pkcs11().destroy_object(object);
    }
}

fn unfit(label: &str, reason: &str) -> Error {
    Error::SigningKeyUnfit {
        label: label.to_owned(),
        reason: reason.to_owned(),
    }
}
