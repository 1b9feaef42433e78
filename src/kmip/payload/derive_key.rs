//! Derive Key (KMIP 1.4, section 4.6; KMIP 2.1, sections 6.1.14 and 7.12).

use std::fmt;

use super::UniqueIdentifier;
use crate::kmip::attribute::CryptographicParameters;
use crate::kmip::enumeration::{DerivationMethod, ObjectType};
use crate::kmip::object::TemplateAttribute;
use crate::kmip::ttlv::structure_fields;

/// Make a key or secret data out of others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeriveKeyRequest<'a> {
    /// What to make.
    pub object_type: ObjectType,
    /// Out of what.
    pub unique_identifiers: Vec<UniqueIdentifier<'a>>,
    /// How.
    pub derivation_method: DerivationMethod,
    /// What the method needs.
    pub derivation_parameters: DerivationParameters<'a>,
    /// What the new object is to be.
    pub template_attribute: TemplateAttribute,
}

/// What was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeriveKeyResponse {
    /// Its Unique Identifier.
    pub unique_identifier: String,
    /// Attributes that the server set without being asked to.
    pub template_attribute: Option<TemplateAttribute>,
}

/// What a Derivation Method needs besides the keys.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct DerivationParameters<'a> {
    /// The hash, or the cipher.
    pub cryptographic_parameters: Option<Box<CryptographicParameters>>,
    /// The initialization vector; absent means an empty one.
    pub initialization_vector: Option<&'a [u8]>,
    /// What is hashed or encrypted. Several since 2.0.
    pub derivation_data: Vec<&'a [u8]>,
    /// The salt of PBKDF2 and HKDF.
    pub salt: Option<&'a [u8]>,
    /// The rounds of PBKDF2.
    pub iteration_count: Option<i32>,
}

impl fmt::Debug for DerivationParameters<'_> {
    /// Of data the length alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lengths: Vec<_> = self.derivation_data.iter().map(|data| data.len()).collect();
        f.debug_struct("DerivationParameters")
            .field("cryptographic_parameters", &self.cryptographic_parameters)
            .field("derivation_data_bytes", &lengths)
            .field("salt_bytes", &self.salt.map(<[u8]>::len))
            .field("iteration_count", &self.iteration_count)
            .finish_non_exhaustive()
    }
}

structure_fields!(DerivationParameters<'a> {
    cryptographic_parameters: CRYPTOGRAPHIC_PARAMETERS,
    initialization_vector: INITIALIZATION_VECTOR,
    derivation_data: DERIVATION_DATA,
    salt: SALT,
    iteration_count: ITERATION_COUNT,
});

structure_fields!(DeriveKeyRequest<'a> {
    object_type: OBJECT_TYPE,
    unique_identifiers: UNIQUE_IDENTIFIER,
    derivation_method: DERIVATION_METHOD,
    derivation_parameters: DERIVATION_PARAMETERS,
    template_attribute: TEMPLATE_ATTRIBUTE,
});

structure_fields!(DeriveKeyResponse {
    unique_identifier: UNIQUE_IDENTIFIER,
    template_attribute: TEMPLATE_ATTRIBUTE,
});
