//! MAC and MAC Verify (KMIP 1.4, sections 4.33 and 4.34; KMIP 2.1, sections 6.1.32 and 6.1.33). Since 1.2.

use super::{Data, UniqueIdentifier};
use crate::kmip::attribute::CryptographicParameters;
use crate::kmip::enumeration::ValidityIndicator;
use crate::kmip::ttlv::structure_fields;

/// Make a message authentication code with a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MacRequest<'a> {
    /// Which key; absent means the one of the ID Placeholder.
    pub unique_identifier: Option<UniqueIdentifier<'a>>,
    /// How; absent means by the key's own first Cryptographic Parameters.
    pub cryptographic_parameters: Option<Box<CryptographicParameters>>,
    /// The data, or the next part of it.
    pub data: Option<Data<'a>>,
    /// Which stream the data belongs to. Since 1.3.
    pub correlation_value: Option<&'a [u8]>,
    /// Whether a stream begins. Since 1.3.
    pub init_indicator: Option<bool>,
    /// Whether the stream ends. Since 1.3.
    pub final_indicator: Option<bool>,
}

/// The code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MacResponse {
    /// The key's Unique Identifier.
    pub unique_identifier: String,
    /// The code; absent as long as a stream goes on.
    pub mac_data: Option<Vec<u8>>,
    /// The stream, as long as it goes on. Since 1.3.
    pub correlation_value: Option<Vec<u8>>,
}

/// Is a message authentication code that of the data?
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MacVerifyRequest<'a> {
    /// Which key; absent means the one of the ID Placeholder.
    pub unique_identifier: Option<UniqueIdentifier<'a>>,
    /// How; absent means by the key's own first Cryptographic Parameters.
    pub cryptographic_parameters: Option<Box<CryptographicParameters>>,
    /// The data, or the next part of it.
    pub data: Option<Data<'a>>,
    /// The code; of a stream it comes with any part.
    pub mac_data: Option<Data<'a>>,
    /// Which stream the data belongs to. Since 1.3.
    pub correlation_value: Option<&'a [u8]>,
    /// Whether a stream begins. Since 1.3.
    pub init_indicator: Option<bool>,
    /// Whether the stream ends. Since 1.3.
    pub final_indicator: Option<bool>,
}

/// Whether it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MacVerifyResponse {
    /// The key's Unique Identifier.
    pub unique_identifier: String,
    /// Whether it is; absent as long as a stream goes on.
    pub validity_indicator: Option<ValidityIndicator>,
    /// The stream, as long as it goes on. Since 1.3.
    pub correlation_value: Option<Vec<u8>>,
}

structure_fields!(MacRequest<'a> {
    unique_identifier: UNIQUE_IDENTIFIER,
    cryptographic_parameters: CRYPTOGRAPHIC_PARAMETERS,
    data: DATA,
    correlation_value: CORRELATION_VALUE,
    init_indicator: INIT_INDICATOR,
    final_indicator: FINAL_INDICATOR,
});

structure_fields!(MacResponse {
    unique_identifier: UNIQUE_IDENTIFIER,
    mac_data: MAC_DATA,
    correlation_value: CORRELATION_VALUE,
});

structure_fields!(MacVerifyRequest<'a> {
    unique_identifier: UNIQUE_IDENTIFIER,
    cryptographic_parameters: CRYPTOGRAPHIC_PARAMETERS,
    data: DATA,
    mac_data: MAC_DATA,
    correlation_value: CORRELATION_VALUE,
    init_indicator: INIT_INDICATOR,
    final_indicator: FINAL_INDICATOR,
});

structure_fields!(MacVerifyResponse {
    unique_identifier: UNIQUE_IDENTIFIER,
    validity_indicator: VALIDITY_INDICATOR,
    correlation_value: CORRELATION_VALUE,
});
