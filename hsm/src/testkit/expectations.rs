//! In what the tokens differ: one table, so that the tests have no cases of their own.

use super::TokenKind;
use crate::{SignatureScheme, WrapProfile};

/// What a test may expect of a token.
#[derive(Debug)]
pub struct Expectations {
    /// The profiles that the token has, the best first.
    pub wrap_profiles: &'static [WrapProfile],
    /// Whether the token refuses every wrapped key that was changed, or is of another root key. Where it does not, it is
    /// the seal of Claviger's rows that finds it, before the token sees it.
    pub finds_changes: bool,
    /// Whether the token can wrap a key under a client's key by AES key wrap, without and with padding (RFC 3394 and 5649).
    pub wraps_for_clients: bool,
    /// By which hashes of RSA-OAEP a root key can be brought to the token. None where it leaves a key readable that it
    /// unwraps.
    pub root_keys_come_by: &'static [&'static str],
    /// The longest secret that the token makes, in bytes.
    pub longest_secret: u16,
    /// `CKA_COPYABLE` of a root key; `None` where the token does not know this attribute.
    pub copyable: Option<bool>,
    /// What succeeds of that which somebody who has the PIN tries with a root key.
    pub attacks_that_succeed: &'static [&'static str],
    /// How a new key signs; `None` where the token signs by no scheme that a log is signed by.
    pub signs_by: Option<SignatureScheme>,
    /// What succeeds of that which somebody who has the PIN tries with a key that signs.
    pub attacks_on_signing_keys_that_succeed: &'static [&'static str],
    /// The checks of the doctor's that end in a warning on a token that is as good as it can be.
    pub doctor_warns_of: &'static [&'static str],
}

const SOFTHSM: Expectations = Expectations {
    wrap_profiles: &[WrapProfile::AesKw],
    finds_changes: true,
    wraps_for_clients: true,
    root_keys_come_by: &["SHA1"],
    longest_secret: 4096,
    copyable: Some(false),
    attacks_that_succeed: &[],
    signs_by: Some(SignatureScheme::Ed25519),
    attacks_on_signing_keys_that_succeed: &[],
    doctor_warns_of: &[],
};

/// It takes no notice of `CKA_SENSITIVE` where it unwraps. It does not know `CKA_COPYABLE`, and takes any other attributes for the copy of a key that is not modifiable.
const OPENCRYPTOKI: Expectations = Expectations {
    wrap_profiles: &[WrapProfile::AesCbcPad],
    finds_changes: false,
    wraps_for_clients: false,
    root_keys_come_by: &[],
    longest_secret: 256,
    copyable: None,
    attacks_that_succeed: &[
        "copy it with CKA_ENCRYPT",
        "copy it with CKA_DECRYPT",
        "copy it with CKA_MODIFIABLE",
    ],
    signs_by: None,
    attacks_on_signing_keys_that_succeed: &[],
    doctor_warns_of: &[
        "copy a root key to one that decrypts",
        "unwrap a key as a readable one",
        "unwrap a key as one that decrypts",
    ],
};

/// `scripts/build-kryoptic` builds it without Ed25519.
const KRYOPTIC: Expectations = Expectations {
    wrap_profiles: &WrapProfile::ALL,
    finds_changes: true,
    wraps_for_clients: true,
    root_keys_come_by: &["SHA256", "SHA1"],
    longest_secret: 4096,
    copyable: Some(false),
    attacks_that_succeed: &[],
    signs_by: Some(SignatureScheme::EcdsaP256),
    attacks_on_signing_keys_that_succeed: &[],
    doctor_warns_of: &[],
};

impl Expectations {
    /// What to expect of a token of this kind.
    pub fn of(kind: TokenKind) -> &'static Self {
        match kind {
            TokenKind::SoftHsm => &SOFTHSM,
            TokenKind::OpenCryptoki | TokenKind::Grep11 => &OPENCRYPTOKI,
            TokenKind::Kryoptic => &KRYOPTIC,
        }
    }
}
