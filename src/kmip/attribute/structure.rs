//! The structures that attributes hold (KMIP 1.4, section 3 and 2.1.18; KMIP 2.1, section 4). Fields are in the order of the wire.

use serde::{Deserialize, Serialize};

use crate::kmip::enumeration::{
    AlternativeNameType, BlockCipherMode, CryptographicAlgorithm, DigitalSignatureAlgorithm, DrbgAlgorithm,
    Fips186Variation, HashingAlgorithm, KeyFormatType, KeyRoleType, KeyValueLocationType, LinkType,
    MaskGenerator, NameType, PaddingMethod, RecommendedCurve, RevocationReasonCode, RngAlgorithm,
    RotateNameType, UsageLimitsUnit,
};
use crate::kmip::ttlv::structure_fields;

/// What people call an object (section 3.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[allow(
    missing_docs,
    reason = "the fields are the specification's, and it adds nothing to their names"
)]
pub struct Name {
    pub value: String,
    pub name_type: NameType,
}

impl Name {
    /// A name that is an uninterpreted text.
    pub fn text(value: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            name_type: NameType::UninterpretedTextString,
        }
    }
}

/// How an object is to be used in cryptographic operations (section 3.6). Each field may be absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CryptographicParameters {
    /// The mode of a block cipher.
    pub block_cipher_mode: Option<BlockCipherMode>,
    /// How plain text is filled up.
    pub padding_method: Option<PaddingMethod>,
    /// The hash that goes with the algorithm.
    pub hashing_algorithm: Option<HashingAlgorithm>,
    /// What the key is for, as X9 TR-31 has it.
    pub key_role_type: Option<KeyRoleType>,
    /// Signature algorithm with its hash. Since 1.2.
    pub digital_signature_algorithm: Option<DigitalSignatureAlgorithm>,
    /// The algorithm of the operation. Since 1.2.
    pub cryptographic_algorithm: Option<CryptographicAlgorithm>,
    /// Whether the server makes the initialization vector. Since 1.2.
    pub random_iv: Option<bool>,
    /// Length of the initialization vector, in bits. Since 1.2.
    pub iv_length: Option<i32>,
    /// Length of the authentication tag, in bytes. Since 1.2.
    pub tag_length: Option<i32>,
    /// Length of the vector's fixed field, in bits. Since 1.2.
    pub fixed_field_length: Option<i32>,
    /// Length of the vector's invocation field, in bits. Since 1.2.
    pub invocation_field_length: Option<i32>,
    /// Length of the vector's counter, in bits. Since 1.2.
    pub counter_length: Option<i32>,
    /// Where the counter starts. Since 1.2.
    pub initial_counter_value: Option<i32>,
    /// Length of the salt of PSS. Since 1.4.
    pub salt_length: Option<i32>,
    /// How masks are made in OAEP and PSS. Since 1.4.
    pub mask_generator: Option<MaskGenerator>,
    /// The hash of the mask generator. Since 1.4.
    pub mask_generator_hashing_algorithm: Option<HashingAlgorithm>,
    /// The encoding input of OAEP. Since 1.4.
    pub p_source: Option<Vec<u8>>,
    /// The trailer of PSS. Since 1.4.
    pub trailer_field: Option<i32>,
}

/// Parameters for making key pairs (section 3.7).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CryptographicDomainParameters {
    /// Length of Q, in bits.
    pub qlength: Option<i32>,
    /// The curve.
    pub recommended_curve: Option<RecommendedCurve>,
}

/// The hash of an object's value (section 3.17).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Digest {
    /// The hash.
    pub hashing_algorithm: HashingAlgorithm,
    /// Its value; absent where the server never had the object's value.
    pub digest_value: Option<Vec<u8>>,
    /// The format of the value that was hashed. Since 1.1.
    pub key_format_type: Option<KeyFormatType>,
}

/// How much may be protected with an object (section 3.21).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct UsageLimits {
    /// What is allowed over the life of the object.
    pub total: i64,
    /// What is left; clients do not set it.
    pub count: Option<i64>,
    /// What is counted.
    pub unit: UsageLimitsUnit,
}

/// Why an object was revoked (section 3.31).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RevocationReason {
    /// The reason.
    pub code: RevocationReasonCode,
    /// Words about it.
    pub message: Option<String>,
}

/// An object that belongs to this one (section 3.35).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Link {
    /// What the other object is to this one.
    pub link_type: LinkType,
    /// The other object's Unique Identifier.
    pub linked_object_identifier: String,
}

/// What an application keeps with an object (section 3.36).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ApplicationSpecificInformation {
    /// Whose data it is.
    pub application_namespace: String,
    /// The data; a client that leaves it out asks the server to make it.
    pub application_data: Option<String>,
}

/// Another name of an object (section 3.40). Since 1.2.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[allow(
    missing_docs,
    reason = "the fields are the specification's, and it adds nothing to their names"
)]
pub struct AlternativeName {
    pub value: String,
    pub name_type: AlternativeNameType,
}

/// Where the value of an object is that the server does not hold (section 3.42). Since 1.2.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[allow(
    missing_docs,
    reason = "the fields are the specification's, and it adds nothing to their names"
)]
pub struct KeyValueLocation {
    pub value: String,
    pub location_type: KeyValueLocationType,
}

/// A random number generator (section 2.1.18). Since 1.3.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RngParameters {
    /// The algorithm, `Unspecified` where it is not known or not told.
    pub rng_algorithm: RngAlgorithm,
    /// The cipher that it is built on.
    pub cryptographic_algorithm: Option<CryptographicAlgorithm>,
    /// The length of that cipher's key, in bits.
    pub cryptographic_length: Option<i32>,
    /// The hash that it is built on.
    pub hashing_algorithm: Option<HashingAlgorithm>,
    /// Which deterministic generator it is.
    pub drbg_algorithm: Option<DrbgAlgorithm>,
    /// The curve that it is built on.
    pub recommended_curve: Option<RecommendedCurve>,
    /// Which variation of FIPS 186 it is.
    pub fips186_variation: Option<Fips186Variation>,
    /// Whether it takes fresh entropy for each request.
    pub prediction_resistance: Option<bool>,
}

/// What a set of objects is called that replaced each other (KMIP 2.1, section 4.53). Since 2.1.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[allow(
    missing_docs,
    reason = "the fields are the specification's, and it adds nothing to their names"
)]
pub struct RotateName {
    pub value: String,
    pub name_type: RotateNameType,
}

structure_fields!(RotateName {
    value: ROTATE_NAME_VALUE,
    name_type: ROTATE_NAME_TYPE,
});

structure_fields!(Name {
    value: NAME_VALUE,
    name_type: NAME_TYPE,
});

structure_fields!(CryptographicParameters {
    block_cipher_mode: BLOCK_CIPHER_MODE,
    padding_method: PADDING_METHOD,
    hashing_algorithm: HASHING_ALGORITHM,
    key_role_type: KEY_ROLE_TYPE,
    digital_signature_algorithm: DIGITAL_SIGNATURE_ALGORITHM since V1_2,
    cryptographic_algorithm: CRYPTOGRAPHIC_ALGORITHM since V1_2,
    random_iv: RANDOM_IV,
    iv_length: IV_LENGTH,
    tag_length: TAG_LENGTH,
    fixed_field_length: FIXED_FIELD_LENGTH,
    invocation_field_length: INVOCATION_FIELD_LENGTH,
    counter_length: COUNTER_LENGTH,
    initial_counter_value: INITIAL_COUNTER_VALUE,
    salt_length: SALT_LENGTH,
    mask_generator: MASK_GENERATOR,
    mask_generator_hashing_algorithm: MASK_GENERATOR_HASHING_ALGORITHM,
    p_source: P_SOURCE,
    trailer_field: TRAILER_FIELD,
});

structure_fields!(CryptographicDomainParameters {
    qlength: QLENGTH,
    recommended_curve: RECOMMENDED_CURVE,
});

structure_fields!(Digest {
    hashing_algorithm: HASHING_ALGORITHM,
    digest_value: DIGEST_VALUE,
    key_format_type: KEY_FORMAT_TYPE since V1_1,
});

structure_fields!(UsageLimits {
    total: USAGE_LIMITS_TOTAL,
    count: USAGE_LIMITS_COUNT,
    unit: USAGE_LIMITS_UNIT,
});

structure_fields!(RevocationReason {
    code: REVOCATION_REASON_CODE,
    message: REVOCATION_MESSAGE,
});

structure_fields!(Link {
    link_type: LINK_TYPE,
    linked_object_identifier: LINKED_OBJECT_IDENTIFIER,
});

structure_fields!(ApplicationSpecificInformation {
    application_namespace: APPLICATION_NAMESPACE,
    application_data: APPLICATION_DATA,
});

structure_fields!(AlternativeName {
    value: ALTERNATIVE_NAME_VALUE,
    name_type: ALTERNATIVE_NAME_TYPE,
});

structure_fields!(KeyValueLocation {
    value: KEY_VALUE_LOCATION_VALUE,
    location_type: KEY_VALUE_LOCATION_TYPE,
});

structure_fields!(RngParameters {
    rng_algorithm: RNG_ALGORITHM,
    cryptographic_algorithm: CRYPTOGRAPHIC_ALGORITHM,
    cryptographic_length: CRYPTOGRAPHIC_LENGTH,
    hashing_algorithm: HASHING_ALGORITHM,
    drbg_algorithm: DRBG_ALGORITHM,
    recommended_curve: RECOMMENDED_CURVE,
    fips186_variation: FIPS186_VARIATION,
    prediction_resistance: PREDICTION_RESISTANCE,
});
