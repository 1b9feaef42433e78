//! Signatures by a key pair that is thrown away: for trials and measurements. Claviger itself signs nothing on a device.

use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::object::Attribute;

use super::session::{Session, SessionObject};
use crate::Error;

/// `CKA_EC_PARAMS` of P-256: its object identifier, 1.2.840.10045.3.1.7, in DER (RFC 5480, section 2.1.1.1).
const P_256: [u8; 10] = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// `CKA_EC_PARAMS` of Ed25519: the object identifier 1.3.101.112 (RFC 8410, section 3).
const ED25519: [u8; 5] = [0x06, 0x03, 0x2b, 0x65, 0x70];
/// The same as a `PrintableString`, as PKCS#11 3.0 first had it (section 2.3.10) and SoftHSM takes it.
const ED25519_BY_NAME: &[u8] = b"\x13\x0cedwards25519";

/// How it is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signature {
    /// Ed25519 (RFC 8032), by `CKM_EDDSA`.
    Ed25519,
    /// ECDSA with P-256 over a digest that the caller made, by `CKM_ECDSA`.
    EcdsaP256,
}

impl Signature {
    pub(crate) const ALL: [Self; 2] = [Self::Ed25519, Self::EcdsaP256];

    /// What it is called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "Ed25519",
            Self::EcdsaP256 => "ECDSA P-256",
        }
    }

    fn mechanism(self) -> Mechanism<'static> {
        match self {
            Self::Ed25519 => Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Ed25519)),
            Self::EcdsaP256 => Mechanism::Ecdsa,
        }
    }
}

/// A key pair of the session.
pub(crate) struct SigningPair<'a> {
    session: &'a Session,
    signature: Signature,
    private: SessionObject<'a>,
    public: SessionObject<'a>,
}

impl<'a> SigningPair<'a> {
    /// Makes a pair whose private key can't be read.
    pub(crate) fn make(session: &'a Session, signature: Signature) -> Result<Self, Error> {
        match signature {
            Signature::EcdsaP256 => Self::make_by(session, signature, &Mechanism::EccKeyPairGen, &P_256),
            Signature::Ed25519 => {
                let by = |parameters| {
                    Self::make_by(session, signature, &Mechanism::EccEdwardsKeyPairGen, parameters)
                };
                by(&ED25519).or_else(|first| by(ED25519_BY_NAME).map_err(|_| first))
            }
        }
    }

    fn make_by(
        session: &'a Session,
        signature: Signature,
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
            signature,
            private: session.object(private),
            public: session.object(public),
        })
    }

    /// Signs 32 bytes.
    pub(crate) fn sign(&self, message: &[u8; 32]) -> Result<Vec<u8>, Error> {
        let pkcs11 = self.session.pkcs11();
        Ok(pkcs11.sign(&self.signature.mechanism(), self.private.handle(), message)?)
    }

    /// Whether the device takes a signature for one over the message.
    pub(crate) fn verifies(&self, message: &[u8; 32], signature: &[u8]) -> bool {
        let pkcs11 = self.session.pkcs11();
        let mechanism = self.signature.mechanism();
        pkcs11
            .verify(&mechanism, self.public.handle(), message, signature)
            .is_ok()
    }
}
