//! In what the tokens differ: one table, so that the tests have no cases of their own.

use super::TokenKind;

/// What a test may expect of a token.
pub struct Expectations {
    /// `CKA_COPYABLE` of a root key; `None` where the token does not know this attribute.
    pub copyable: Option<bool>,
}

const SOFTHSM: Expectations = Expectations {
    copyable: Some(false),
};
const OPENCRYPTOKI: Expectations = Expectations { copyable: None };
const KRYOPTIC: Expectations = Expectations {
    copyable: Some(false),
};

impl Expectations {
    /// What to expect of a token of this kind.
    pub fn of(kind: TokenKind) -> &'static Self {
        match kind {
            TokenKind::SoftHsm => &SOFTHSM,
            TokenKind::OpenCryptoki => &OPENCRYPTOKI,
            TokenKind::Kryoptic => &KRYOPTIC,
        }
    }
}
