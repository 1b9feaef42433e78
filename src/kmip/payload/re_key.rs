//! Re-key (KMIP 1.4, section 4.4).

use super::{ProtectionStorageMasks, UniqueIdentifier};
use crate::kmip::object::TemplateAttribute;
use crate::kmip::ttlv::structure_fields;

/// Make a key that takes the place of another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReKeyRequest<'a> {
    /// Which key is to be replaced; absent means the one of the ID Placeholder.
    pub unique_identifier: Option<UniqueIdentifier<'a>>,
    /// The seconds from the making of the replacement to its activation; absent means that the dates are copied.
    pub offset: Option<u32>,
    /// What the replacement is to have that the key has not.
    pub template_attribute: Option<TemplateAttribute>,
    /// How it may be kept. Since 2.0.
    pub protection_storage_masks: Option<ProtectionStorageMasks>,
}

/// The replacement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReKeyResponse {
    /// Its Unique Identifier.
    pub unique_identifier: String,
    /// Attributes that the server set without being asked to.
    pub template_attribute: Option<TemplateAttribute>,
}

structure_fields!(ReKeyRequest<'a> {
    unique_identifier: UNIQUE_IDENTIFIER,
    offset: OFFSET,
    template_attribute: TEMPLATE_ATTRIBUTE,
    protection_storage_masks: PROTECTION_STORAGE_MASKS,
});

structure_fields!(ReKeyResponse {
    unique_identifier: UNIQUE_IDENTIFIER,
    template_attribute: TEMPLATE_ATTRIBUTE,
});
