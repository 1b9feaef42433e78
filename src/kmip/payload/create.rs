//! Create (KMIP 1.4, section 4.1).

use super::ProtectionStorageMasks;
use crate::kmip::enumeration::ObjectType;
use crate::kmip::object::TemplateAttribute;
use crate::kmip::ttlv::structure_fields;

/// Make a symmetric key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateRequest {
    /// What to make.
    pub object_type: ObjectType,
    /// What it is to be.
    pub template_attribute: TemplateAttribute,
    /// How it may be kept. Since 2.0.
    pub protection_storage_masks: Option<ProtectionStorageMasks>,
}

/// The key that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateResponse {
    /// What was made.
    pub object_type: ObjectType,
    /// Its Unique Identifier.
    pub unique_identifier: String,
    /// Attributes that the server set without being asked to.
    pub template_attribute: Option<TemplateAttribute>,
}

structure_fields!(CreateRequest {
    object_type: OBJECT_TYPE,
    template_attribute: TEMPLATE_ATTRIBUTE,
    protection_storage_masks: PROTECTION_STORAGE_MASKS,
});

structure_fields!(CreateResponse {
    object_type: OBJECT_TYPE,
    unique_identifier: UNIQUE_IDENTIFIER,
    template_attribute: TEMPLATE_ATTRIBUTE,
});
