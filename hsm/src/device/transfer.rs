//! The source's side of a transfer: a key that another device has too, so that keys go from one to the other wrapped.
//!
//! It is made on this device for the length of one call, wrapped under an RSA key of the other device and under one of this
//! device, and taken in on both, closed like a root key. Keys are then re-wrapped from a root key to it here, and from it to
//! a root key there; whoever carries them between sees wrapped bytes.

use cryptoki::mechanism::Mechanism;
use cryptoki::object::Attribute;

use super::root_key::require_free;
use super::root_template::{Manner, plain_attributes};
use super::session::Session;
use super::take_in::{offer, take_in, withdraw};
use super::transport::{oaep, public_key_template};
use crate::Error;
use crate::key::{RootKeyFacts, RootKeyLocator, RsaPublicKey};
use crate::worker::protocol::OaepHash;

/// Makes the key, and gives it out under the RSA key of another device: by this hash, or by SHA-1 where this device refuses
/// that. The session must be a writing one.
pub(crate) fn give_out(
    session: &Session,
    manner: Manner,
    locator: &RootKeyLocator,
    recipient: &RsaPublicKey,
    hash: OaepHash,
) -> Result<(RootKeyFacts, Vec<u8>), Error> {
    require_free(session, locator)?;
    let mut open = plain_attributes();
    open.retain(|attribute| !matches!(attribute, Attribute::Extractable(_)));
    open.extend([Attribute::Token(false), Attribute::Extractable(true)]);
    let key = session.generate(&Mechanism::AesKeyGen, &open)?;
    let wrapped_under = |public_key: &RsaPublicKey| {
        let template = public_key_template(&public_key.modulus, &public_key.exponent);
        let public_key = session.create(&template)?;
        let wrap = |hash| {
            session
                .pkcs11()
                .wrap_key(&oaep(hash), public_key.handle(), key.handle())
        };
        Ok::<_, Error>(wrap(hash).or_else(|_| wrap(OaepHash::Sha1))?)
    };
    let wrapped = wrapped_under(recipient)?;
    let own = offer(session, &locator.label)?;
    let taken_in =
        wrapped_under(&own).and_then(|own| take_in(session, manner, &locator.label, &own, locator));
    if taken_in.is_err() {
        withdraw(session, &locator.label)?;
    }
    Ok((taken_in?, wrapped))
}
