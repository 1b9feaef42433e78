//! Hash (KMIP 1.4, section 4.37; KMIP 2.1, section 6.1.24). Since 1.2.

use super::{Data, ProducedData};
use crate::kmip::attribute::CryptographicParameters;
use crate::kmip::ttlv::structure_fields;

/// Hash data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HashRequest<'a> {
    /// By which Hashing Algorithm.
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

/// The hash.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HashResponse {
    /// The hash; absent as long as a stream goes on.
    pub data: Option<ProducedData>,
    /// The stream, as long as it goes on. Since 1.3.
    pub correlation_value: Option<Vec<u8>>,
}

structure_fields!(HashRequest<'a> {
    cryptographic_parameters: CRYPTOGRAPHIC_PARAMETERS,
    data: DATA,
    correlation_value: CORRELATION_VALUE,
    init_indicator: INIT_INDICATOR,
    final_indicator: FINAL_INDICATOR,
});

structure_fields!(HashResponse {
    data: DATA,
    correlation_value: CORRELATION_VALUE,
});
