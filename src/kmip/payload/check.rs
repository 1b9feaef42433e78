//! Check (KMIP 1.4, section 4.10).

use super::UniqueIdentifier;
use crate::kmip::mask::CryptographicUsageMask;
use crate::kmip::ttlv::structure_fields;

/// May the client use an object so?
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckRequest<'a> {
    /// Which object; absent means the one of the ID Placeholder.
    pub unique_identifier: Option<UniqueIdentifier<'a>>,
    /// How many Usage Limits Units are needed.
    pub usage_limits_count: Option<i64>,
    /// What the object is to be used for.
    pub cryptographic_usage_mask: Option<CryptographicUsageMask>,
    /// For how long, in seconds.
    pub lease_time: Option<u32>,
}

/// It may, or what stands against it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckResponse {
    /// The object's Unique Identifier; absent where it may not be used.
    pub unique_identifier: Option<String>,
    /// The count of the request, where it is more than is allowed.
    pub usage_limits_count: Option<i64>,
    /// The mask of the request, where it is not allowed.
    pub cryptographic_usage_mask: Option<CryptographicUsageMask>,
    /// The time of the request, where it is longer than is allowed.
    pub lease_time: Option<u32>,
}

structure_fields!(CheckRequest<'a> {
    unique_identifier: UNIQUE_IDENTIFIER,
    usage_limits_count: USAGE_LIMITS_COUNT,
    cryptographic_usage_mask: CRYPTOGRAPHIC_USAGE_MASK,
    lease_time: LEASE_TIME,
});

structure_fields!(CheckResponse {
    unique_identifier: UNIQUE_IDENTIFIER,
    usage_limits_count: USAGE_LIMITS_COUNT,
    cryptographic_usage_mask: CRYPTOGRAPHIC_USAGE_MASK,
    lease_time: LEASE_TIME,
});
