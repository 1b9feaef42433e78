//! Obtain Lease and Get Usage Allocation (KMIP 1.4, sections 4.17 and 4.18).

use super::UniqueIdentifier;
use crate::kmip::ttlv::{DateTime, structure_fields};

/// May the client go on using what it knows of an object?
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObtainLeaseRequest<'a> {
    /// Which object; absent means the one of the ID Placeholder.
    pub unique_identifier: Option<UniqueIdentifier<'a>>,
}

/// It may, for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObtainLeaseResponse {
    /// The object's Unique Identifier.
    pub unique_identifier: String,
    /// For how long, in seconds.
    pub lease_time: u32,
    /// When the object was changed last.
    pub last_change_date: DateTime,
}

/// Let the client protect so much with an object that has Usage Limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetUsageAllocationRequest<'a> {
    /// Which object; absent means the one of the ID Placeholder.
    pub unique_identifier: Option<UniqueIdentifier<'a>>,
    /// How many Usage Limits Units.
    pub usage_limits_count: i64,
}

/// It may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetUsageAllocationResponse {
    /// The object's Unique Identifier.
    pub unique_identifier: String,
}

structure_fields!(ObtainLeaseRequest<'a> { unique_identifier: UNIQUE_IDENTIFIER, });
structure_fields!(ObtainLeaseResponse {
    unique_identifier: UNIQUE_IDENTIFIER,
    lease_time: LEASE_TIME,
    last_change_date: LAST_CHANGE_DATE,
});
structure_fields!(GetUsageAllocationRequest<'a> {
    unique_identifier: UNIQUE_IDENTIFIER,
    usage_limits_count: USAGE_LIMITS_COUNT,
});
structure_fields!(GetUsageAllocationResponse {
    unique_identifier: UNIQUE_IDENTIFIER,
});
