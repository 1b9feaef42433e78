//! RNG Retrieve and RNG Seed (KMIP 1.4, sections 4.35 and 4.36; KMIP 2.1, sections 6.1.47 and 6.1.48). Since 1.2.

use super::{Data, ProducedData};
use crate::kmip::ttlv::structure_fields;

/// Give random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RngRetrieveRequest {
    /// How many.
    pub data_length: i32,
}

/// The random bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RngRetrieveResponse {
    /// The bytes.
    pub data: ProducedData,
}

/// Mix bytes into the generator of random numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RngSeedRequest<'a> {
    /// The bytes.
    pub data: Data<'a>,
}

/// How much of it was mixed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RngSeedResponse {
    /// The number of bytes.
    pub data_length: i32,
}

structure_fields!(RngRetrieveRequest {
    data_length: DATA_LENGTH,
});

structure_fields!(RngRetrieveResponse { data: DATA });

structure_fields!(RngSeedRequest<'a> { data: DATA, });

structure_fields!(RngSeedResponse {
    data_length: DATA_LENGTH,
});
