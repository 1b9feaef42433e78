//! How a device makes pairs and signs, and a key pair that is thrown away, for trials and measurements. The one that signs
//! the custody log is in [`super::signer`].

use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::object::Attribute;

use super::session::{Session, SessionObject};
use crate::Error;
use crate::signing_key::SignatureScheme;

/// `CKA_EC_PARAMS` of P-256: its object identifier, 1.2.840.10045.3.1.7, in DER (RFC 5480, section 2.1.1.1).
pub(super) const P_256: [u8; 10] = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// `CKA_EC_PARAMS` of Ed25519: the object identifier 1.3.101.112 (RFC 8410, section 3).
const ED25519: [u8; 5] = [0x06, 0x03, 0x2b, 0x65, 0x70];
/// The same as a `PrintableString`, as PKCS#11 3.0 first had it (section 2.3.10) and SoftHSM takes it.
const ED25519_BY_NAME: &[u8] = b"\x13\x0cedwards25519";

/// By what is signed: Ed25519 the message itself, ECDSA a digest that the caller made.
pub(super) fn mechanism(scheme: SignatureScheme) -> Mechanism<'static> {
    match scheme {
        SignatureScheme::Ed25519 => Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Ed25519)),
        SignatureScheme::EcdsaP256 => Mechanism::Ecdsa,
    }
}

/// By what pairs are made, and their `CKA_EC_PARAMS`: one after the other until the device takes one.
pub(super) fn pair_mechanisms(scheme: SignatureScheme) -> &'static [(Mechanism<'static>, &'static [u8])] {
    match scheme {
        SignatureScheme::Ed25519 => &[
            (Mechanism::EccEdwardsKeyPairGen, &ED25519),
            (Mechanism::EccEdwardsKeyPairGen, ED25519_BY_NAME),
        ],
        SignatureScheme::EcdsaP256 => &[(Mechanism::EccKeyPairGen, &P_256)],
    }
}

/// A key pair of the session.
pub(crate) struct SigningPair<'a> {
    session: &'a Session,
    scheme: SignatureScheme,
    private: SessionObject<'a>,
    public: SessionObject<'a>,
}

impl<'a> SigningPair<'a> {
    /// Makes a pair whose private key can't be read.
    pub(crate) fn make(session: &'a Session, scheme: SignatureScheme) -> Result<Self, Error> {
        let mut tries = pair_mechanisms(scheme)
            .iter()
            .map(|(mechanism, parameters)| Self::make_by(session, scheme, mechanism, parameters));
        let first = tries.next().expect("each scheme has a mechanism");
        first.or_else(|first| tries.find_map(Result::ok).ok_or(first))
    }

    fn make_by(
        session: &'a Session,
        scheme: SignatureScheme,
        mechanism: &Mechanism<'_>,
        parameters: &[u8],
    ) -> Result<Self, Error> {
        let public = [
            Attribute::Token(false),
            Attribute::Private(false),
            Attribute::Verify(true),
            Attribute::EcParams(parameters.to_vec()),
        ];
        let private = [
            Attribute::Token(false),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Sign(true),
        ];
        let (public, private) = session.pkcs11().generate_key_pair(mechanism, &public, &private)?;
        Ok(Self {
            session,
            scheme,
            private: session.object(private),
            public: session.object(public),
        })
    }

    /// Signs 32 bytes.
    pub(crate) fn sign(&self, message: &[u8; 32]) -> Result<Vec<u8>, Error> {
        self.session
            .sign(&mechanism(self.scheme), self.private.handle(), message)
    }

    /// Whether the device takes a signature for one over the message.
    pub(crate) fn verifies(&self, message: &[u8; 32], signature: &[u8]) -> bool {
        let pkcs11 = self.session.pkcs11();
        pkcs11
            .verify(&mechanism(self.scheme), self.public.handle(), message, signature)
            .is_ok()
    }
}
