//! Keys that sign: how, and what verifies it.

use openssl::bn::BigNumContext;
use openssl::ec::{EcGroup, EcKey, EcPoint};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Public};
use openssl::sign::Verifier;
use serde::{Deserialize, Serialize};

/// How it is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SignatureScheme {
    /// Ed25519 (RFC 8032). A signature is its 64 bytes.
    Ed25519,
    /// ECDSA with P-256 and SHA-256 (FIPS 186-5). A signature is `ECDSA-Sig-Value` in DER (RFC 3279, section 2.2.3).
    EcdsaP256,
}

impl SignatureScheme {
    /// All of them, the best first.
    pub const ALL: [Self; 2] = [Self::Ed25519, Self::EcdsaP256];

    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "Ed25519",
            Self::EcdsaP256 => "ECDSA P-256",
        }
    }
}

/// A key pair on the token that does nothing but sign, as it is known outside of the token.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SigningKey {
    /// `CKA_LABEL` of both halves.
    pub label: String,
    /// How it signs.
    pub scheme: SignatureScheme,
    /// The public key: 32 bytes of Ed25519 (RFC 8032), or the `SubjectPublicKeyInfo` of P-256 in DER (RFC 5480).
    pub public_key: Vec<u8>,
}

impl SigningKey {
    /// Whether this is a signature of the message by this key.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.verify(message, signature).unwrap_or(false)
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<bool, ErrorStack> {
        match self.scheme {
            SignatureScheme::Ed25519 => {
                let key = PKey::public_key_from_raw_bytes(&self.public_key, Id::ED25519)?;
                Verifier::new_without_digest(&key)?.verify_oneshot(signature, message)
            }
            SignatureScheme::EcdsaP256 => {
                let key: PKey<Public> = PKey::public_key_from_der(&self.public_key)?;
                Verifier::new(MessageDigest::sha256(), &key)?.verify_oneshot(signature, message)
            }
        }
    }
}

/// The public key from what a token has in `CKA_EC_POINT`; `None` where that is no key of the scheme.
///
/// PKCS#11 wants the point within an `OCTET STRING`; some tokens give it as it is, and some that of Ed25519 within a
/// `BIT STRING`.
pub(crate) fn public_key(scheme: SignatureScheme, ec_point: &[u8]) -> Option<Vec<u8>> {
    match scheme {
        SignatureScheme::Ed25519 => match ec_point {
            [0x04, 32, key @ ..] | [0x03, 33, 0, key @ ..] | key if key.len() == 32 => Some(key.to_vec()),
            _ => None,
        },
        SignatureScheme::EcdsaP256 => match ec_point {
            [0x04, 65, point @ ..] | point if point.len() == 65 => spki(point).ok(),
            _ => None,
        },
    }
}

fn spki(point: &[u8]) -> Result<Vec<u8>, ErrorStack> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    let point = EcPoint::from_bytes(&group, point, &mut *BigNumContext::new()?)?;
    let key = EcKey::from_public_key(&group, &point)?;
    key.check_key()?;
    PKey::from_ec_key(key)?.public_key_to_der()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8032, section 7.1, test 2.
    const ED25519: [&str; 3] = [
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
         085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ];

    #[test]
    fn a_signature_of_another_message_or_another_key_is_not_taken() {
        let [key, message, signature] = ED25519.map(|text| hex::decode(text).unwrap());
        let key = SigningKey {
            label: "key".into(),
            scheme: SignatureScheme::Ed25519,
            public_key: key,
        };
        assert!(key.verifies(&message, &signature));
        assert!(!key.verifies(b"another", &signature));
        assert!(!key.verifies(&message, &signature[1..]));
        let other = SigningKey {
            public_key: vec![9; 32],
            ..key
        };
        assert!(!other.verifies(&message, &signature));
    }

    #[test]
    fn a_public_key_is_read_in_each_form_that_tokens_give_it_in() {
        let key = hex::decode(ED25519[0]).unwrap();
        for before in [&[][..], &[4, 32], &[3, 33, 0]] {
            let point = [before, &key].concat();
            assert_eq!(public_key(SignatureScheme::Ed25519, &point).as_ref(), Some(&key));
        }
        for wrong in [&[][..], &[4, 32], &key[1..], &[&[4, 31], &key[..]].concat()] {
            assert_eq!(public_key(SignatureScheme::Ed25519, wrong), None);
        }
        // The generator of P-256 (SEC 2, section 2.4.2).
        let point = hex::decode(
            "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296\
             4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
        )
        .unwrap();
        let spki = public_key(SignatureScheme::EcdsaP256, &point).unwrap();
        assert!(spki.ends_with(&point));
        let within = [&[4, 65], &point[..]].concat();
        assert_eq!(public_key(SignatureScheme::EcdsaP256, &within), Some(spki));
        let mut beside = point;
        beside[64] ^= 1;
        assert_eq!(public_key(SignatureScheme::EcdsaP256, &beside), None);
    }
}
