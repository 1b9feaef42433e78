//! Set Attribute and Adjust Attribute (KMIP 2.1, sections 6.1.51 and 6.1.3). Since 2.0.

use super::UniqueIdentifier;
use crate::kmip::attribute::{Attribute, AttributeName};
use crate::kmip::enumeration::AdjustmentType;
use crate::kmip::ttlv::{Value, structure_fields};

/// Give an attribute this value, whether it has one or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAttributeRequest<'a> {
    /// Which object; absent means the one of the ID Placeholder.
    pub unique_identifier: Option<UniqueIdentifier<'a>>,
    /// The attribute with its value.
    pub attribute: Attribute,
}

/// The attribute has the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAttributeResponse {
    /// The object's Unique Identifier.
    pub unique_identifier: String,
}

/// Count an attribute up or down, or turn it round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdjustAttributeRequest<'a> {
    /// Which object; absent means the one of the ID Placeholder.
    pub unique_identifier: Option<UniqueIdentifier<'a>>,
    /// Which attribute.
    pub attribute_name: AttributeName,
    /// What to do with its value.
    pub adjustment_type: AdjustmentType,
    /// By how much; absent means one, or the smallest step of a moment.
    pub adjustment_value: Option<Value>,
}

/// The attribute is adjusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdjustAttributeResponse {
    /// The object's Unique Identifier.
    pub unique_identifier: String,
}

structure_fields!(SetAttributeRequest<'a> { unique_identifier: UNIQUE_IDENTIFIER, attribute: NEW_ATTRIBUTE, });
structure_fields!(SetAttributeResponse {
    unique_identifier: UNIQUE_IDENTIFIER,
});
structure_fields!(AdjustAttributeResponse {
    unique_identifier: UNIQUE_IDENTIFIER,
});
structure_fields!(AdjustAttributeRequest<'a> {
    unique_identifier: UNIQUE_IDENTIFIER,
    attribute_name: ATTRIBUTE_NAME,
    adjustment_type: ADJUSTMENT_TYPE,
    adjustment_value: ADJUSTMENT_VALUE,
});
