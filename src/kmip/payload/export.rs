//! Export (KMIP 1.4, section 4.40; KMIP 2.1, section 6.1.18).

use super::GetRequest;
use crate::kmip::attribute::Attributes;
use crate::kmip::enumeration::ObjectType;
use crate::kmip::object::Object;
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::{DecodeError, Field, Reader, Writer};

/// Hand out an object with all that is known of it: asked for in the words of Get.
pub type ExportRequest<'a> = GetRequest<'a>;

/// The object with its attributes.
#[derive(Debug)]
pub struct ExportResponse<'a> {
    /// Its Unique Identifier.
    pub unique_identifier: String,
    /// All of its attributes, every instance.
    pub attributes: Attributes,
    /// The object, which tells the Object Type. Of one that was destroyed, without its value.
    pub object: Object<'a>,
}

impl<'a> Field<'a> for ExportResponse<'a> {
    fn read(reader: &mut Reader<'a, '_>, tag: Tag) -> Result<Self, DecodeError> {
        reader.structure(tag, |inner| {
            let _: ObjectType = Field::read(inner, Tag::OBJECT_TYPE)?;
            let unique_identifier = Field::read(inner, Tag::UNIQUE_IDENTIFIER)?;
            let attributes = Field::read(inner, Tag::ATTRIBUTE)?;
            match Object::read_if_next(inner)? {
                Some(object) => Ok(Self {
                    unique_identifier,
                    attributes,
                    object,
                }),
                None => Err(inner.missing(Tag::SYMMETRIC_KEY)),
            }
        })
    }

    fn write(&self, writer: &mut Writer<'_>, tag: Tag) {
        writer.structure(tag, |inner| {
            inner.field(Tag::OBJECT_TYPE, &self.object.object_type());
            inner.field(Tag::UNIQUE_IDENTIFIER, &self.unique_identifier);
            inner.field(Tag::ATTRIBUTE, &self.attributes);
            self.object.write(inner);
        });
    }
}
