//! How a key is wrapped (KMIP 1.4, section 2.1.5), and how a client wants it to be (section 2.1.6).

use serde::{Deserialize, Serialize};

use crate::kmip::attribute::{AttributeName, CryptographicParameters};
use crate::kmip::enumeration::{EncodingOption, WrappingMethod};
use crate::kmip::ttlv::structure_fields;

/// How a key is wrapped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyWrappingData {
    /// Encrypted, signed, or both.
    pub wrapping_method: WrappingMethod,
    /// The key that encrypted it.
    pub encryption_key_information: Option<KeyInformation>,
    /// The key that signed it.
    pub mac_signature_key_information: Option<KeyInformation>,
    /// The signature.
    pub mac_signature: Option<Vec<u8>>,
    /// The initialization vector, counter or nonce.
    pub iv_counter_nonce: Option<Vec<u8>>,
    /// What was encrypted: the key's bytes alone, or the Key Value structure. Absent means the structure. Since 1.1.
    pub encoding_option: Option<EncodingOption>,
}

/// A wrapping key and how it is used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyInformation {
    /// The key's Unique Identifier.
    pub unique_identifier: String,
    /// How it is used; absent means by the key's own Cryptographic Parameters.
    pub cryptographic_parameters: Option<Box<CryptographicParameters>>,
}

/// How a client wants a key to be wrapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyWrappingSpecification {
    /// Encrypted, signed, or both.
    pub wrapping_method: WrappingMethod,
    /// The key to encrypt with.
    pub encryption_key_information: Option<KeyInformation>,
    /// The key to sign with.
    pub mac_signature_key_information: Option<KeyInformation>,
    /// Attributes to wrap with the key.
    pub attribute_names: Vec<AttributeName>,
    /// What to encrypt. Absent means the Key Value structure. Since 1.1.
    pub encoding_option: Option<EncodingOption>,
}

structure_fields!(KeyWrappingData {
    wrapping_method: WRAPPING_METHOD,
    encryption_key_information: ENCRYPTION_KEY_INFORMATION,
    mac_signature_key_information: MAC_SIGNATURE_KEY_INFORMATION,
    mac_signature: MAC_SIGNATURE,
    iv_counter_nonce: IV_COUNTER_NONCE,
    encoding_option: ENCODING_OPTION,
});

structure_fields!(KeyInformation {
    unique_identifier: UNIQUE_IDENTIFIER,
    cryptographic_parameters: CRYPTOGRAPHIC_PARAMETERS,
});

structure_fields!(KeyWrappingSpecification {
    wrapping_method: WRAPPING_METHOD,
    encryption_key_information: ENCRYPTION_KEY_INFORMATION,
    mac_signature_key_information: MAC_SIGNATURE_KEY_INFORMATION,
    attribute_names: ATTRIBUTE_NAME,
    encoding_option: ENCODING_OPTION,
});
