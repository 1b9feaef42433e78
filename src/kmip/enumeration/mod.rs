//! The enumerations of KMIP 1.0 to 2.1 (KMIP 1.4, section 9.1.3.2; KMIP 2.1, section 11).
//!
//! Each is a Rust enum whose variants bear the names of the XML encoding, so that a value has one name everywhere.
//! A number that the tables do not name is kept as `Other`: an extension (`0x8XXXXXXX`), or a number that is
//! reserved. The decoder decides, field by field, which of the two it lets pass.

mod capability;
mod cryptographic;
mod curve;
mod message;
mod object;
mod pkcs11;
mod profile;
mod version_2;

use std::fmt::{Debug, Display};

use super::tag::Tag;
use super::version::ProtocolVersion;

pub use capability::*;
pub use cryptographic::*;
pub use curve::*;
pub use message::*;
pub use object::*;
pub use pkcs11::*;
pub use profile::*;
pub use version_2::*;

/// What the specification says of one enumeration.
#[derive(Debug)]
pub struct EnumerationFacts {
    /// The name as the specification writes it: `Object Type`.
    pub text: &'static str,
    /// The values, in the order of the numbers.
    pub values: &'static [EnumerationValue],
}

/// What the specification says of one value of an enumeration.
#[derive(Clone, Copy, Debug)]
pub struct EnumerationValue {
    /// The number on the wire.
    pub value: u32,
    /// The name without spaces that the XML and JSON encodings use: `SymmetricKey`.
    pub name: &'static str,
    /// The name as the specification writes it: `Symmetric Key`.
    pub text: &'static str,
    /// The version that the value came with.
    pub since: ProtocolVersion,
}

impl EnumerationFacts {
    /// The facts of a number; `None` where the table lacks it.
    pub fn by_value(&self, value: u32) -> Option<&'static EnumerationValue> {
        let place = self.values.binary_search_by_key(&value, |fact| fact.value).ok()?;
        Some(&self.values[place])
    }

    /// The facts of a name without spaces; `None` where the table lacks it.
    pub fn by_name(&self, name: &str) -> Option<&'static EnumerationValue> {
        self.values.iter().find(|fact| fact.name == name)
    }
}

/// An enumeration of the protocol.
pub trait Enumeration: Copy + Eq + Debug + Display + 'static {
    /// Its table.
    const FACTS: &'static EnumerationFacts;

    /// The variant of a number; `Other` where the table lacks it.
    fn from_value(value: u32) -> Self;

    /// The number on the wire.
    fn value(self) -> u32;

    /// Whether a client of this version knows the value. Extensions are known to whoever uses them.
    fn is_known_in(self, version: ProtocolVersion) -> bool {
        match Self::FACTS.by_value(self.value()) {
            Some(fact) => fact.since <= version,
            None => self.is_extension(),
        }
    }

    /// Whether the number is of the range for extensions, `0x80000000` to `0x8FFFFFFF`.
    fn is_extension(self) -> bool {
        self.value() >> 28 == 0x8
    }
}

/// Makes an enum, its conversions and its table out of the specification's rows.
macro_rules! enumeration {
    ($(#[$doc:meta])* $name:ident, $text:literal {
        $($variant:ident = $value:literal, $value_text:literal, $since:ident;)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(into = "u32", from = "u32")]
        #[allow(non_camel_case_types, reason = "the names of the XML encoding")]
        pub enum $name {
            $(
                #[doc = concat!($value_text, " (`", stringify!($value), "`).")]
                $variant,
            )*
            /// A number that the tables do not name: an extension, or one that is reserved.
            Other(u32),
        }

        impl $name {
            /// Every value that the tables name, in the order of the numbers.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name without spaces; `None` for a number that the tables do not name.
            #[allow(clippy::match_single_binding, clippy::needless_return, reason = "an enumeration may have no value")]
            pub const fn name(self) -> Option<&'static str> {
                match self {
                    $(Self::$variant => Some(stringify!($variant)),)*
                    Self::Other(_) => None,
                }
            }

            /// The value of a name without spaces.
            pub fn from_name(name: &str) -> Option<Self> {
                <Self as $crate::kmip::enumeration::Enumeration>::FACTS
                    .by_name(name)
                    .map(|fact| Self::from(fact.value))
            }
        }

        impl $crate::kmip::enumeration::Enumeration for $name {
            const FACTS: &'static $crate::kmip::enumeration::EnumerationFacts =
                &$crate::kmip::enumeration::EnumerationFacts {
                    text: $text,
                    values: &[
                        $($crate::kmip::enumeration::EnumerationValue {
                            value: $value,
                            name: stringify!($variant),
                            text: $value_text,
                            since: $crate::kmip::version::$since,
                        },)*
                    ],
                };

            fn from_value(value: u32) -> Self {
                match value {
                    $($value => Self::$variant,)*
                    other => Self::Other(other),
                }
            }

            fn value(self) -> u32 {
                match self {
                    $(Self::$variant => $value,)*
                    Self::Other(value) => value,
                }
            }
        }

        impl<'a> $crate::kmip::ttlv::Field<'a> for $name {
            const ITEM_TYPE: $crate::kmip::ttlv::ItemType = $crate::kmip::ttlv::ItemType::Enumeration;

            #[inline]
            fn read(
                reader: &mut $crate::kmip::ttlv::Reader<'a, '_>,
                tag: $crate::kmip::tag::Tag,
            ) -> Result<Self, $crate::kmip::ttlv::DecodeError> {
                reader.enumeration(tag)
            }

            fn write(&self, writer: &mut $crate::kmip::ttlv::Writer<'_>, tag: $crate::kmip::tag::Tag) {
                writer.enumeration(tag, *self);
            }

            fn is_known_in(&self, version: $crate::kmip::version::ProtocolVersion) -> bool {
                $crate::kmip::enumeration::Enumeration::is_known_in(*self, version)
            }
        }

        impl From<u32> for $name {
            fn from(value: u32) -> Self {
                $crate::kmip::enumeration::Enumeration::from_value(value)
            }
        }

        impl From<$name> for u32 {
            fn from(value: $name) -> Self {
                $crate::kmip::enumeration::Enumeration::value(value)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self {
                    $(Self::$variant => f.write_str($value_text),)*
                    Self::Other(value) => write!(f, "0x{value:08X}"),
                }
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self.name() {
                    Some(name) => f.write_str(name),
                    None => write!(f, "{self}"),
                }
            }
        }
    };
}
use enumeration;

/// The enumeration that items of a tag hold; `None` where the tag is not one of an enumeration.
pub fn by_tag(tag: Tag) -> Option<&'static EnumerationFacts> {
    BY_TAG
        .iter()
        .find(|(known, _)| *known == tag)
        .map(|(_, facts)| *facts)
}

/// Each tag of an enumeration with its table. The tag's name is the enumeration's but for one.
static BY_TAG: &[(Tag, &EnumerationFacts)] = &[
    (Tag::CREDENTIAL_TYPE, CredentialType::FACTS),
    (Tag::KEY_COMPRESSION_TYPE, KeyCompressionType::FACTS),
    (Tag::KEY_FORMAT_TYPE, KeyFormatType::FACTS),
    (Tag::WRAPPING_METHOD, WrappingMethod::FACTS),
    (Tag::RECOMMENDED_CURVE, RecommendedCurve::FACTS),
    (Tag::CERTIFICATE_TYPE, CertificateType::FACTS),
    (Tag::SPLIT_KEY_METHOD, SplitKeyMethod::FACTS),
    (Tag::SECRET_DATA_TYPE, SecretDataType::FACTS),
    (Tag::OPAQUE_DATA_TYPE, OpaqueDataType::FACTS),
    (Tag::NAME_TYPE, NameType::FACTS),
    (Tag::OBJECT_TYPE, ObjectType::FACTS),
    (Tag::CRYPTOGRAPHIC_ALGORITHM, CryptographicAlgorithm::FACTS),
    (Tag::BLOCK_CIPHER_MODE, BlockCipherMode::FACTS),
    (Tag::PADDING_METHOD, PaddingMethod::FACTS),
    (Tag::HASHING_ALGORITHM, HashingAlgorithm::FACTS),
    (Tag::KEY_ROLE_TYPE, KeyRoleType::FACTS),
    (Tag::STATE, State::FACTS),
    (Tag::REVOCATION_REASON_CODE, RevocationReasonCode::FACTS),
    (Tag::LINK_TYPE, LinkType::FACTS),
    (Tag::DERIVATION_METHOD, DerivationMethod::FACTS),
    (Tag::CERTIFICATE_REQUEST_TYPE, CertificateRequestType::FACTS),
    (Tag::VALIDITY_INDICATOR, ValidityIndicator::FACTS),
    (Tag::QUERY_FUNCTION, QueryFunction::FACTS),
    (Tag::CANCELLATION_RESULT, CancellationResult::FACTS),
    (Tag::PUT_FUNCTION, PutFunction::FACTS),
    (Tag::OPERATION, Operation::FACTS),
    (Tag::RESULT_STATUS, ResultStatus::FACTS),
    (Tag::RESULT_REASON, ResultReason::FACTS),
    (
        Tag::BATCH_ERROR_CONTINUATION_OPTION,
        BatchErrorContinuationOption::FACTS,
    ),
    (Tag::USAGE_LIMITS_UNIT, UsageLimitsUnit::FACTS),
    (Tag::DIGITAL_SIGNATURE_ALGORITHM, DigitalSignatureAlgorithm::FACTS),
    (Tag::ENCODING_OPTION, EncodingOption::FACTS),
    (Tag::OBJECT_GROUP_MEMBER, ObjectGroupMember::FACTS),
    (Tag::ALTERNATIVE_NAME_TYPE, AlternativeNameType::FACTS),
    (Tag::KEY_VALUE_LOCATION_TYPE, KeyValueLocationType::FACTS),
    (Tag::ATTESTATION_TYPE, AttestationType::FACTS),
    (Tag::RNG_ALGORITHM, RngAlgorithm::FACTS),
    (Tag::DRBG_ALGORITHM, DrbgAlgorithm::FACTS),
    (Tag::FIPS186_VARIATION, Fips186Variation::FACTS),
    (Tag::VALIDATION_AUTHORITY_TYPE, ValidationAuthorityType::FACTS),
    (Tag::VALIDATION_TYPE, ValidationType::FACTS),
    (Tag::PROFILE_NAME, ProfileName::FACTS),
    (Tag::UNWRAP_MODE, UnwrapMode::FACTS),
    (Tag::DESTROY_ACTION, DestroyAction::FACTS),
    (Tag::SHREDDING_ALGORITHM, ShreddingAlgorithm::FACTS),
    (Tag::RNG_MODE, RngMode::FACTS),
    (Tag::CLIENT_REGISTRATION_METHOD, ClientRegistrationMethod::FACTS),
    (Tag::KEY_WRAP_TYPE, KeyWrapType::FACTS),
    (Tag::MASK_GENERATOR, MaskGenerator::FACTS),
    (Tag::MASK_GENERATOR_HASHING_ALGORITHM, HashingAlgorithm::FACTS),
    (Tag::ADJUSTMENT_TYPE, AdjustmentType::FACTS),
    (Tag::ASYNCHRONOUS_INDICATOR, AsynchronousIndicator::FACTS),
    (Tag::DATA, DataReference::FACTS),
    (Tag::ENDPOINT_ROLE, EndpointRole::FACTS),
    (Tag::INTEROP_FUNCTION, InteropFunction::FACTS),
    (Tag::NIST_KEY_TYPE, NISTKeyType::FACTS),
    (Tag::PKCS_11_FUNCTION, PKCS_11Function::FACTS),
    (Tag::PKCS_11_RETURN_CODE, PKCS_11ReturnCode::FACTS),
    (Tag::PROCESSING_STAGE, ProcessingStage::FACTS),
    (Tag::PROTECTION_LEVEL, ProtectionLevel::FACTS),
    (Tag::ROTATE_NAME_TYPE, RotateNameType::FACTS),
    (Tag::TICKET_TYPE, TicketType::FACTS),
    (Tag::UNIQUE_IDENTIFIER, UniqueIdentifierReference::FACTS),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_found_by_its_number_and_by_its_name() {
        for (tag, facts) in BY_TAG {
            for value in facts.values {
                let found = facts
                    .by_value(value.value)
                    .expect("the value is in its own table");
                assert_eq!(found.name, value.name, "{tag}");
                assert_eq!(
                    facts.by_name(value.name).map(|fact| fact.value),
                    Some(value.value),
                    "{tag}"
                );
            }
        }
    }

    #[test]
    fn an_extension_keeps_its_number() {
        let value = ObjectType::from(0x8000_0001);
        assert_eq!(u32::from(value), 0x8000_0001);
        assert!(value.is_extension() && value.is_known_in(crate::kmip::version::V1_0));
        assert!(!ObjectType::from(0x77).is_extension());
        assert!(!ObjectType::from(0x77).is_known_in(crate::kmip::version::V1_4));
    }

    #[test]
    fn a_value_is_hidden_from_a_client_that_is_older_than_it() {
        use crate::kmip::version::{V1_1, V1_2, V1_3};
        assert!(!Operation::Encrypt.is_known_in(V1_1));
        assert!(Operation::Encrypt.is_known_in(V1_2));
        assert!(!QueryFunction::QueryProfiles.is_known_in(V1_2));
        assert!(QueryFunction::QueryProfiles.is_known_in(V1_3));
    }
}
