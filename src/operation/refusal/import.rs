//! What an Import is refused for.

use super::Refusal;
use crate::kmip::enumeration::ResultReason;

impl Refusal {
    /// The identifier that an object is to have is in no form that is used here.
    pub(in crate::operation) fn identifier_form() -> Self {
        Self::invalid_field(
            "The Unique Identifier is to be a UUID in lower case with hyphens, as 01234567-89ab-7def-8123-456789abcdef",
        )
    }

    /// The identifier that an object is to have is taken (section 11.42). By whom is not told.
    pub(in crate::operation) fn identifier_taken() -> Self {
        Self::new(
            ResultReason::ObjectAlreadyExists,
            "This Unique Identifier is in use, or was, and the object that has it cannot be replaced by this request",
        )
    }

    /// A destroyed object has no value.
    pub(in crate::operation) fn value_of_destroyed() -> Self {
        Self::invalid_field("An object with a Destroy Date has no value, and one came")
    }

    /// A key is to be unwrapped before it is kept, and is not (section 4.41).
    pub(in crate::operation) fn not_unwrapped() -> Self {
        Self::new(
            ResultReason::ItemNotFound,
            "The key that it is wrapped under is not known here, or does not unwrap it, so that it cannot be kept unwrapped",
        )
        .since_2(ResultReason::WrappingObjectNotFound)
    }
}
