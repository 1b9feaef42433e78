//! Export (KMIP 1.4, section 4.40; KMIP 2.1, section 6.1.18).

use super::UniqueIdentifier;
use crate::kmip::attribute::Attributes;
use crate::kmip::enumeration::{KeyCompressionType, KeyFormatType, KeyWrapType, ObjectType};
use crate::kmip::object::{KeyWrappingSpecification, Object};
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::{DecodeError, Field, Reader, Writer, structure_fields};

/// Hand out an object with all that is known of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExportRequest<'a> {
    /// Which; absent means the one of the ID Placeholder.
    pub unique_identifier: Option<UniqueIdentifier<'a>>,
    /// How a key is to be written.
    pub key_format_type: Option<KeyFormatType>,
    /// Whether a key that was registered wrapped is to be unwrapped.
    pub key_wrap_type: Option<KeyWrapType>,
    /// How the point of an elliptic curve is to be written.
    pub key_compression_type: Option<KeyCompressionType>,
    /// How a key is to be wrapped.
    pub key_wrapping_specification: Option<Box<KeyWrappingSpecification>>,
}

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

structure_fields!(ExportRequest<'a> {
    unique_identifier: UNIQUE_IDENTIFIER,
    key_format_type: KEY_FORMAT_TYPE,
    key_wrap_type: KEY_WRAP_TYPE,
    key_compression_type: KEY_COMPRESSION_TYPE,
    key_wrapping_specification: KEY_WRAPPING_SPECIFICATION,
});

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
