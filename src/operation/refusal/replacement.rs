//! Why a key is not replaced, not leased, not archived (KMIP 1.4, sections 11.5, 11.18, 11.19, 11.23 and 11.24).

use super::{Refusal, sentence};
use crate::key::{AllocationError, NoActivationDate};
use crate::kmip::enumeration::{ObjectType, ResultReason};

impl Refusal {
    /// Only symmetric keys are re-keyed.
    pub(in crate::operation) fn not_re_keyable(object_type: ObjectType) -> Self {
        Self::new(
            ResultReason::PermissionDenied,
            format!("Re-key is for symmetric keys, and this is a {object_type}"),
        )
        .since_2(ResultReason::InvalidObjectType)
    }

    /// The value is not kept here.
    pub(in crate::operation) fn key_value_not_present() -> Self {
        Self::new(
            ResultReason::KeyValueNotPresent,
            "The value of the object is not kept here",
        )
    }

    /// The dates of a replacement come from the offset, or from the request.
    pub(in crate::operation) fn offset_and_dates() -> Self {
        Self::new(
            ResultReason::InvalidMessage,
            "An Offset and a date of the life cycle cannot both be given",
        )
    }

    /// There is nothing to count the offset from.
    pub(in crate::operation) fn offset_without_activation(_: NoActivationDate) -> Self {
        Self::new(
            ResultReason::IllegalOperation,
            "An Offset moves the dates by the Activation Date, and the key has none",
        )
    }

    /// The object is archived.
    pub(in crate::operation) fn archived() -> Self {
        Self::new(
            ResultReason::ObjectArchived,
            "The object is archived; recover it first",
        )
    }

    /// A lease or an allocation is not given.
    pub(in crate::operation) fn of_allocation(error: AllocationError) -> Self {
        let (reason, since_2) = match error {
            AllocationError::NoLifeCycle => (ResultReason::PermissionDenied, ResultReason::InvalidObjectType),
            AllocationError::NoLimits => (ResultReason::IllegalOperation, ResultReason::AttributeNotFound),
            AllocationError::NotProtecting => (
                ResultReason::IllegalOperation,
                ResultReason::IncompatibleCryptographicUsageMask,
            ),
            AllocationError::Negative => (ResultReason::InvalidField, ResultReason::InvalidField),
            AllocationError::Exceeded => (ResultReason::PermissionDenied, ResultReason::UsageLimitExceeded),
            _ => (ResultReason::PermissionDenied, ResultReason::PermissionDenied),
        };
        Self::new(reason, sentence(&error.to_string())).since_2(since_2)
    }
}
