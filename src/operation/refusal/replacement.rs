//! Why a key is not replaced, not leased, not archived (KMIP 1.4, sections 11.5, 11.18, 11.19, 11.23 and 11.24).

use super::Refusal;
use crate::key::NoActivationDate;
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
    pub(in crate::operation) fn offset_without_activation(_: &NoActivationDate) -> Self {
        Self::new(
            ResultReason::IllegalOperation,
            "An Offset moves the dates by the Activation Date, and the key has none",
        )
    }
}
