//! Which tokens there are for tests.

use std::fmt;
use std::str::FromStr;

use super::{SoftHsm, TestToken, kryoptic, opencryptoki};

/// What there is in IBM's PKCS#11 module for GREP11, as its reference has it ("Cryptographic operations: PKCS #11 API", tables
/// 1 and 2): no AES-GCM, no AES key wrap, no CMAC, no digest of a key, no seed.
const GREP11: &str = "
mechanisms CKM_AES_KEY_GEN CKM_GENERIC_SECRET_KEY_GEN CKM_RSA_PKCS_KEY_PAIR_GEN CKM_EC_KEY_PAIR_GEN
mechanisms CKM_AES_ECB CKM_AES_CBC CKM_AES_CBC_PAD CKM_RSA_PKCS CKM_RSA_PKCS_OAEP CKM_ECDSA
mechanisms CKM_SHA_1 CKM_SHA224 CKM_SHA256 CKM_SHA384 CKM_SHA512
mechanisms CKM_SHA_1_HMAC CKM_SHA256_HMAC CKM_SHA384_HMAC CKM_SHA512_HMAC
C_DigestKey all fail CKR_FUNCTION_NOT_SUPPORTED
C_SeedRandom all fail CKR_FUNCTION_NOT_SUPPORTED
C_SignRecoverInit all fail CKR_FUNCTION_NOT_SUPPORTED
C_VerifyRecoverInit all fail CKR_FUNCTION_NOT_SUPPORTED
C_WaitForSlotEvent all fail CKR_FUNCTION_NOT_SUPPORTED
";

/// A kind of token that tests run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// SoftHSMv2, which every test of the project needs.
    SoftHsm,
    /// openCryptoki's soft token, for what the HSMs of IBM Z speak.
    OpenCryptoki,
    /// The same with no more than IBM's module for GREP11 has.
    Grep11,
    /// Kryoptic, for what PKCS#11 3 has.
    Kryoptic,
}

impl TokenKind {
    /// The kind that a test module is for, by the module's name: `softhsm`, `opencryptoki`, `grep11` or `kryoptic` in its
    /// path.
    pub fn of_module(path: &str) -> Self {
        path.split("::")
            .find_map(|part| part.parse().ok())
            .expect("a module of the suite is named after its token")
    }

    /// A new token; `None` where there is none of this kind on this machine, which is said on standard error.
    ///
    /// # Panics
    ///
    /// Where there is none and `CLAVIGER_TEST_NO_SKIP` is set, and always where it is SoftHSMv2 that is missing.
    #[allow(clippy::print_stderr)] // It is for whoever runs the tests.
    pub fn token(self) -> Option<TestToken> {
        let made = match self {
            Self::SoftHsm => Ok(SoftHsm::new().into()),
            Self::OpenCryptoki | Self::Grep11 => opencryptoki::token(self),
            Self::Kryoptic => kryoptic::token(),
        };
        made.inspect_err(|reason| {
            assert!(
                std::env::var_os("CLAVIGER_TEST_NO_SKIP").is_none(),
                "{self} is needed: {reason}"
            );
            eprintln!("SKIPPED, for want of {self}: {reason}");
        })
        .ok()
    }
}

impl TokenKind {
    /// What the token is kept from, as a script of the fault-injecting module.
    pub(super) fn limits(self) -> Option<&'static str> {
        (self == Self::Grep11).then_some(GREP11)
    }
}

impl FromStr for TokenKind {
    type Err = String;

    /// By its name as one word of small letters: `softhsm`, `opencryptoki`, `grep11`, `kryoptic`.
    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "softhsm" => Ok(Self::SoftHsm),
            "opencryptoki" => Ok(Self::OpenCryptoki),
            "grep11" => Ok(Self::Grep11),
            "kryoptic" => Ok(Self::Kryoptic),
            other => Err(format!(
                "softhsm, opencryptoki, grep11 or kryoptic was expected, not {other}"
            )),
        }
    }
}

impl fmt::Display for TokenKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SoftHsm => "SoftHSMv2",
            // What has to be there is the same, and so is what the documentation has of it.
            Self::OpenCryptoki | Self::Grep11 => "openCryptoki",
            Self::Kryoptic => "Kryoptic",
        })
    }
}
