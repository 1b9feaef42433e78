//! Register (KMIP 1.4, section 4.3).

use super::ProtectionStorageMasks;
use crate::kmip::enumeration::ObjectType;
use crate::kmip::object::{Object, TemplateAttribute};
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::{DecodeError, Field, Reader, Writer, structure_fields};

/// Keep an object that the client brings.
#[derive(Debug)]
pub struct RegisterRequest<'a> {
    /// What it is said to be. That it is what it is said to be is for the operation to check.
    pub object_type: ObjectType,
    /// What it is to have.
    pub template_attribute: TemplateAttribute,
    /// The object. 1.0 and 1.1 let some objects be left out.
    pub object: Option<Object<'a>>,
    /// How it may be kept. Since 2.0.
    pub protection_storage_masks: Option<ProtectionStorageMasks>,
}

/// The object that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisterResponse {
    /// Its Unique Identifier.
    pub unique_identifier: String,
    /// Attributes that the server set without being asked to.
    pub template_attribute: Option<TemplateAttribute>,
}

impl<'a> Field<'a> for RegisterRequest<'a> {
    fn read(reader: &mut Reader<'a, '_>, tag: Tag) -> Result<Self, DecodeError> {
        reader.structure(tag, |inner| {
            Ok(Self {
                object_type: Field::read(inner, Tag::OBJECT_TYPE)?,
                template_attribute: Field::read(inner, Tag::TEMPLATE_ATTRIBUTE)?,
                object: Object::read_if_next(inner)?,
                protection_storage_masks: Field::read(inner, Tag::PROTECTION_STORAGE_MASKS)?,
            })
        })
    }

    fn write(&self, writer: &mut Writer<'_>, tag: Tag) {
        writer.structure(tag, |inner| {
            inner.field(Tag::OBJECT_TYPE, &self.object_type);
            inner.field(Tag::TEMPLATE_ATTRIBUTE, &self.template_attribute);
            if let Some(object) = &self.object {
                object.write(inner);
            }
            inner.field(Tag::PROTECTION_STORAGE_MASKS, &self.protection_storage_masks);
        });
    }
}

structure_fields!(RegisterResponse {
    unique_identifier: UNIQUE_IDENTIFIER,
    template_attribute: TEMPLATE_ATTRIBUTE,
});
