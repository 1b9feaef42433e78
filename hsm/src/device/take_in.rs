//! A root key that is brought to the device: wrapped under an RSA key that the device made for it, and used once.
//!
//! The private key is a token object, so that the wrapped key may come later and to another session. It is destroyed as
//! soon as it has served, and when a new one is made under its label.

use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};

use super::fault::Fault;
use super::kek;
use super::root_key::{require_free, verify};
use super::root_template::{self, Brought, Manner, Narrowing};
use super::session::Session;
use super::transport::oaep;
use crate::Error;
use crate::key::{KeyKind, RootKeyFacts, RootKeyLocator, RsaPublicKey};
use crate::worker::protocol::OaepHash;

const RSA_BITS: u64 = 3072;
const RSA_EXPONENT: [u8; 3] = [1, 0, 1];

/// Makes the RSA pair and gives out its public key. One of an earlier time under this label is destroyed. The session must
/// be a writing one.
pub(crate) fn offer(session: &Session, label: &str) -> Result<RsaPublicKey, Error> {
    withdraw(session, label)?;
    let public = [
        Attribute::Token(false),
        Attribute::Private(false),
        Attribute::ModulusBits(RSA_BITS.into()),
        Attribute::PublicExponent(RSA_EXPONENT.to_vec()),
        Attribute::Wrap(true),
        Attribute::Encrypt(false),
        Attribute::Verify(false),
    ];
    let private = [
        Attribute::Token(true),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Modifiable(false),
        Attribute::Unwrap(true),
        // With it, whoever has the PIN would read what is brought here.
        Attribute::Decrypt(false),
        Attribute::Sign(false),
        Attribute::Label(label.into()),
        Attribute::Id(label.into()),
    ];
    let (public, private) =
        session
            .pkcs11()
            .generate_key_pair(&Mechanism::RsaPkcsKeyPairGen, &public, &private)?;
    let public = session.object(public);
    let given_out = || {
        require_closed(session, private, label)?;
        public_key(session, public.handle())
    };
    given_out().inspect_err(|_| {
        // Nothing was wrapped under it.
        let _ = session.pkcs11().destroy_object(private);
    })
}

/// Destroys the RSA pair of this label, where there is one. The session must be a writing one.
pub(crate) fn withdraw(session: &Session, label: &str) -> Result<(), Error> {
    for private in private_keys(session, label)? {
        session.pkcs11().destroy_object(private)?;
    }
    Ok(())
}

/// Unwraps a root key that came under the RSA key of this label, checks what came out, and destroys the RSA pair. The
/// session must be a writing one.
///
/// It is narrowed as far as the device narrows keys that it unwraps. Both of the usual hashes of RSA-OAEP are tried, each
/// with its own as that of the mask. Fails with [`Error::WrappedKeyRefused`] where the device takes it with neither; the RSA
/// pair stays then.
pub(crate) fn take_in(
    session: &Session,
    manner: Manner,
    label: &str,
    wrapped: &[u8],
    locator: &RootKeyLocator,
) -> Result<RootKeyFacts, Error> {
    require_free(session, locator)?;
    let [private] = private_keys(session, label)?[..] else {
        return Err(Error::RootKeyNotFound {
            locator: format!("to take one in with ({label})"),
        });
    };
    let brought = Brought {
        private_key: private,
        hash: find_out_hash(session, manner, label, private, wrapped)?,
        wrapped,
    };
    let narrowing = Narrowing::found_on(session, manner, |narrowing| {
        brought.unwrap_like(session, manner, narrowing)
    });
    let key = brought.unwrap(session, manner, narrowing, locator)?;
    let facts = verify(session, key, locator).inspect_err(|_| {
        // It came a moment ago and has wrapped nothing.
        let _ = session.pkcs11().destroy_object(key);
    })?;
    withdraw(session, label)?;
    Ok(facts)
}

/// By which hash the key was wrapped, found on an object of the session; and that it is a key of 32 bytes, which not every
/// token tells of what it has unwrapped.
fn find_out_hash(
    session: &Session,
    manner: Manner,
    label: &str,
    private: ObjectHandle,
    wrapped: &[u8],
) -> Result<OaepHash, Error> {
    let kind = KeyKind::Aes { bytes: 32 };
    let template = kek::template(kind);
    let mut trouble = Error::WrappedKeyRefused;
    for hash in [OaepHash::Sha256, OaepHash::Sha1] {
        let unwrapped = session.unwrap_as_the_token_likes(&template, |template| {
            let unwrapped = session
                .pkcs11()
                .unwrap_key(&oaep(hash), private, wrapped, template);
            Ok(unwrapped?)
        });
        match unwrapped {
            Ok(key) => {
                let key = session.object(key);
                require_unreadable(session, key.handle(), label)?;
                let length =
                    kek::make(session, kind, &root_template::wrapping_attributes()).and_then(|under| {
                        session.wrap(manner.wrapping, under.handle(), key.handle(), kind.bytes())
                    });
                return length
                    .map(|_| hash)
                    .map_err(|_| unfit(label, "what came is not an AES-256 key"));
            }
            Err(error) => trouble = error,
        }
    }
    // Many say of a bad key that they are out of order themselves: those that still find things are not.
    if Fault::of(&trouble) == Fault::Request || private_keys(session, label)?.len() == 1 {
        return Err(Error::WrappedKeyRefused);
    }
    Err(trouble)
}

fn private_keys(session: &Session, label: &str) -> Result<Vec<ObjectHandle>, Error> {
    Ok(session.pkcs11().find_objects(&[
        Attribute::Class(ObjectClass::PRIVATE_KEY),
        Attribute::KeyType(KeyType::RSA),
        Attribute::Token(true),
        Attribute::Label(label.into()),
    ])?)
}

/// Refuses a private key that can be read, or that tells what it unwraps.
fn require_closed(session: &Session, private: ObjectHandle, label: &str) -> Result<(), Error> {
    let asked = [
        AttributeType::Sensitive,
        AttributeType::Extractable,
        AttributeType::Decrypt,
        AttributeType::Local,
    ];
    let attributes = session.pkcs11().get_attributes(private, &asked)?;
    let expected = [
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Decrypt(false),
        Attribute::Local(true),
    ];
    match expected.iter().find(|one| !attributes.contains(one)) {
        None => Ok(()),
        Some(_) => Err(unfit(
            label,
            "the RSA key to take a root key in with came out less closed than it was asked for",
        )),
    }
}

/// Some tokens take no notice of `CKA_SENSITIVE` in the template of a key that they unwrap.
fn require_unreadable(session: &Session, key: ObjectHandle, label: &str) -> Result<(), Error> {
    let sensitive = session
        .pkcs11()
        .get_attributes(key, &[AttributeType::Sensitive])?;
    if sensitive == [Attribute::Sensitive(true)] {
        return Ok(());
    }
    Err(unfit(
        label,
        "this device leaves a key readable that it unwraps: no root key can be brought to it or go along with keys; make \
         the root key on the device (`claviger root-key create`)",
    ))
}

fn unfit(label: &str, reason: &str) -> Error {
    Error::RootKeyUnfit {
        locator: label.to_owned(),
        reason: reason.to_owned(),
    }
}

fn public_key(session: &Session, public: ObjectHandle) -> Result<RsaPublicKey, Error> {
    let asked = [AttributeType::Modulus, AttributeType::PublicExponent];
    let mut key = RsaPublicKey {
        modulus: Vec::new(),
        exponent: Vec::new(),
    };
    for attribute in session.pkcs11().get_attributes(public, &asked)? {
        match attribute {
            Attribute::Modulus(modulus) => key.modulus = modulus,
            Attribute::PublicExponent(exponent) => key.exponent = exponent,
            _ => {}
        }
    }
    Ok(key)
}
