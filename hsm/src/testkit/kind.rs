//! Which tokens there are for tests.

use std::fmt;
use std::str::FromStr;

use super::{SoftHsm, TestToken, kryoptic, opencryptoki};

/// A kind of token that tests run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// SoftHSMv2, which every test of the project needs.
    SoftHsm,
    /// openCryptoki's soft token, for what the HSMs of IBM Z speak.
    OpenCryptoki,
    /// Kryoptic, for what PKCS#11 3 has.
    Kryoptic,
}

impl TokenKind {
    /// The kind that a test module is for, by the module's name: `softhsm`, `opencryptoki` or `kryoptic` in its path.
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
            Self::OpenCryptoki => opencryptoki::token(),
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

impl FromStr for TokenKind {
    type Err = String;

    /// By its name as one word of small letters: `softhsm`, `opencryptoki`, `kryoptic`.
    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "softhsm" => Ok(Self::SoftHsm),
            "opencryptoki" => Ok(Self::OpenCryptoki),
            "kryoptic" => Ok(Self::Kryoptic),
            other => Err(format!(
                "softhsm, opencryptoki or kryoptic was expected, not {other}"
            )),
        }
    }
}

impl fmt::Display for TokenKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SoftHsm => "SoftHSMv2",
            Self::OpenCryptoki => "openCryptoki",
            Self::Kryoptic => "Kryoptic",
        })
    }
}
