//! Names of attributes, known and unknown.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{AttributeKind, AttributeRules};

/// Which attribute is meant, in requests that name it and in lists.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum AttributeName {
    /// An attribute of the specification.
    Standard(AttributeKind),
    /// A custom attribute, or a name that the specification does not have.
    Other(String),
}

impl AttributeName {
    /// The attribute of a name as 1.x writes it. Letters count as they are written.
    pub fn from_text(text: &str) -> Self {
        match AttributeKind::from_text(text) {
            Some(kind) => Self::Standard(kind),
            None => Self::Other(text.to_owned()),
        }
    }

    /// The name as 1.x writes it.
    pub fn as_text(&self) -> &str {
        match self {
            Self::Standard(kind) => kind.text(),
            Self::Other(name) => name,
        }
    }

    /// Whether this is a custom attribute that clients make and change (section 3.39): `x-…`.
    pub fn is_client_custom(&self) -> bool {
        matches!(self, Self::Other(name) if name.starts_with("x-"))
    }

    /// Whether this is a custom attribute that the server makes, and clients may not (section 3.39): `y-…`.
    pub fn is_server_custom(&self) -> bool {
        matches!(self, Self::Other(name) if name.starts_with("y-"))
    }

    /// What the specification lets be done with it; `None` for a name that is neither in the specification nor one
    /// of a custom attribute.
    pub fn rules(&self) -> Option<&'static AttributeRules> {
        match self {
            Self::Standard(kind) => Some(kind.rules()),
            Self::Other(_) if self.is_client_custom() => Some(&super::rules::CLIENT_CUSTOM),
            Self::Other(_) if self.is_server_custom() => Some(&super::rules::SERVER_CUSTOM),
            Self::Other(_) => None,
        }
    }
}

impl From<AttributeKind> for AttributeName {
    fn from(kind: AttributeKind) -> Self {
        Self::Standard(kind)
    }
}

impl fmt::Display for AttributeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_text())
    }
}
