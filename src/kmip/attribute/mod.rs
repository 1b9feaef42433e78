//! Attributes of managed objects (KMIP 1.4, section 3): one model for every version.
//!
//! Here belongs which attributes there are, what type each has, and what the specification lets client and server do
//! with it ([`AttributeRules`]). What an operation does with attributes belongs to `operation`, and how an object
//! keeps them to `key`.
//!
//! An attribute of the specification has a [`AttributeKind`] and a typed [`AttributeValue`]. In 1.x it travels under
//! its name ([`AttributeKind::text`]), from 2.0 on under its tag ([`AttributeKind::tag`]); the tables serve both.

mod codec;
mod kind;
mod name;
mod pattern;
mod rules;
mod structure;
mod tagged;

pub(crate) use codec::read_index;
pub use kind::{AttributeKind, AttributeValue};
pub use name::AttributeName;
pub use pattern::{AttributePattern, AttributePatterns};
pub use rules::{AttributeRules, ObjectTypes, Permission, SetBy};
pub use structure::{
    AlternativeName, ApplicationSpecificInformation, CryptographicDomainParameters, CryptographicParameters,
    Digest, KeyValueLocation, Link, Name, RevocationReason, RngParameters, RotateName, UsageLimits,
};
pub use tagged::Attributes;
pub(crate) use tagged::{read_all, write_all};

use serde::{Deserialize, Serialize};

use super::ttlv::Value;

/// An attribute instance: which one it is and what it holds (section 2.1.1).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Attribute {
    /// Which instance this is. Absent means 0 in a request that names one instance, and "the next" where a new
    /// instance is added.
    pub index: Option<u32>,
    /// What the attribute holds; it says which attribute it is.
    pub value: AttributeValue,
}

impl Attribute {
    /// An attribute without an index.
    pub fn new(value: AttributeValue) -> Self {
        Self { index: None, value }
    }

    /// The instance of an attribute with this index.
    pub fn indexed(index: u32, value: AttributeValue) -> Self {
        Self {
            index: Some(index),
            value,
        }
    }

    /// A custom attribute that holds a text, as VMware's products use them.
    pub fn custom_text(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(AttributeValue::Other {
            name: name.into(),
            value: Value::TextString(text.into()),
        })
    }

    /// Which attribute this is.
    pub fn name(&self) -> AttributeName {
        self.value.name()
    }
}

impl From<AttributeValue> for Attribute {
    fn from(value: AttributeValue) -> Self {
        Self::new(value)
    }
}
