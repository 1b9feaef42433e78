//! Encrypt and Decrypt (KMIP 1.4, sections 4.29 and 4.30; KMIP 2.1, sections 6.1.11 and 6.1.17). Since 1.2.

use super::{Data, ProducedData, UniqueIdentifier};
use crate::kmip::attribute::CryptographicParameters;
use crate::kmip::ttlv::structure_fields;

/// Encrypt data with a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EncryptRequest<'a> {
    /// Which key; absent means the one of the ID Placeholder.
    pub unique_identifier: Option<UniqueIdentifier<'a>>,
    /// How; absent means by the key's own first Cryptographic Parameters.
    pub cryptographic_parameters: Option<Box<CryptographicParameters>>,
    /// The plain text, or the next part of it.
    pub data: Option<Data<'a>>,
    /// The initialization vector, counter or nonce.
    pub iv_counter_nonce: Option<&'a [u8]>,
    /// Which stream the data belongs to. Since 1.3.
    pub correlation_value: Option<&'a [u8]>,
    /// Whether a stream begins. Since 1.3.
    pub init_indicator: Option<bool>,
    /// Whether the stream ends. Since 1.3.
    pub final_indicator: Option<bool>,
    /// What is authenticated and not encrypted; of a stream it comes with the first part. Since 1.4.
    pub authenticated_encryption_additional_data: Option<&'a [u8]>,
}

/// The cipher text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EncryptResponse {
    /// The key's Unique Identifier.
    pub unique_identifier: String,
    /// The cipher text, or as much of it as there is yet.
    pub data: Option<ProducedData>,
    /// The initialization vector, counter or nonce, where the server made it.
    pub iv_counter_nonce: Option<Vec<u8>>,
    /// The stream, as long as it goes on. Since 1.3.
    pub correlation_value: Option<Vec<u8>>,
    /// What authenticates the cipher text. Since 1.4.
    pub authenticated_encryption_tag: Option<Vec<u8>>,
}

/// Decrypt data with a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DecryptRequest<'a> {
    /// Which key; absent means the one of the ID Placeholder.
    pub unique_identifier: Option<UniqueIdentifier<'a>>,
    /// How; absent means by the key's own first Cryptographic Parameters.
    pub cryptographic_parameters: Option<Box<CryptographicParameters>>,
    /// The cipher text, or the next part of it.
    pub data: Option<Data<'a>>,
    /// The initialization vector, counter or nonce.
    pub iv_counter_nonce: Option<&'a [u8]>,
    /// Which stream the data belongs to. Since 1.3.
    pub correlation_value: Option<&'a [u8]>,
    /// Whether a stream begins. Since 1.3.
    pub init_indicator: Option<bool>,
    /// Whether the stream ends. Since 1.3.
    pub final_indicator: Option<bool>,
    /// What is authenticated and not encrypted; of a stream it comes with the first part. Since 1.4.
    pub authenticated_encryption_additional_data: Option<&'a [u8]>,
    /// What authenticates the cipher text; of a stream it comes with the last part. Since 1.4.
    pub authenticated_encryption_tag: Option<&'a [u8]>,
}

/// The plain text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DecryptResponse {
    /// The key's Unique Identifier.
    pub unique_identifier: String,
    /// The plain text, or as much of it as there is yet.
    pub data: Option<ProducedData>,
    /// The stream, as long as it goes on. Since 1.3.
    pub correlation_value: Option<Vec<u8>>,
}

structure_fields!(EncryptRequest<'a> {
    unique_identifier: UNIQUE_IDENTIFIER,
    cryptographic_parameters: CRYPTOGRAPHIC_PARAMETERS,
    data: DATA,
    iv_counter_nonce: IV_COUNTER_NONCE,
    correlation_value: CORRELATION_VALUE,
    init_indicator: INIT_INDICATOR,
    final_indicator: FINAL_INDICATOR,
    authenticated_encryption_additional_data: AUTHENTICATED_ENCRYPTION_ADDITIONAL_DATA,
});

structure_fields!(EncryptResponse {
    unique_identifier: UNIQUE_IDENTIFIER,
    data: DATA,
    iv_counter_nonce: IV_COUNTER_NONCE,
    correlation_value: CORRELATION_VALUE,
    authenticated_encryption_tag: AUTHENTICATED_ENCRYPTION_TAG,
});

structure_fields!(DecryptRequest<'a> {
    unique_identifier: UNIQUE_IDENTIFIER,
    cryptographic_parameters: CRYPTOGRAPHIC_PARAMETERS,
    data: DATA,
    iv_counter_nonce: IV_COUNTER_NONCE,
    correlation_value: CORRELATION_VALUE,
    init_indicator: INIT_INDICATOR,
    final_indicator: FINAL_INDICATOR,
    authenticated_encryption_additional_data: AUTHENTICATED_ENCRYPTION_ADDITIONAL_DATA,
    authenticated_encryption_tag: AUTHENTICATED_ENCRYPTION_TAG,
});

structure_fields!(DecryptResponse {
    unique_identifier: UNIQUE_IDENTIFIER,
    data: DATA,
    correlation_value: CORRELATION_VALUE,
});
