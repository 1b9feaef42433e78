//! Import (KMIP 1.4, section 4.41; KMIP 2.1, section 6.1.25).

use super::UniqueIdentifier;
use crate::kmip::attribute::Attributes;
use crate::kmip::enumeration::{KeyWrapType, ObjectType};
use crate::kmip::object::Object;
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::{DecodeError, Field, Reader, Writer, structure_fields};

/// Keep an object that comes with all that is known of it.
#[derive(Debug)]
pub struct ImportRequest<'a> {
    /// The identifier that it is to have.
    pub unique_identifier: UniqueIdentifier<'a>,
    /// What it is said to be. Since 2.0; 1.4 leaves it to the object, but some clients write it there as well.
    pub object_type: Option<ObjectType>,
    /// Whether it takes the place of an object that has this identifier; absent means no.
    pub replace_existing: Option<bool>,
    /// Whether a key that comes wrapped is to be unwrapped before it is kept.
    pub key_wrap_type: Option<KeyWrapType>,
    /// What it is to have: all of its attributes.
    pub attributes: Attributes,
    /// The object.
    pub object: Object<'a>,
}

/// The object that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportResponse {
    /// Its Unique Identifier.
    pub unique_identifier: String,
}

impl<'a> Field<'a> for ImportRequest<'a> {
    fn read(reader: &mut Reader<'a, '_>, tag: Tag) -> Result<Self, DecodeError> {
        reader.structure(tag, |inner| {
            let unique_identifier = Field::read(inner, Tag::UNIQUE_IDENTIFIER)?;
            let object_type = Field::read(inner, Tag::OBJECT_TYPE)?;
            let replace_existing = Field::read(inner, Tag::REPLACE_EXISTING)?;
            let key_wrap_type = Field::read(inner, Tag::KEY_WRAP_TYPE)?;
            let attributes = Field::read(inner, Tag::ATTRIBUTE)?;
            match Object::read_if_next(inner)? {
                Some(object) => Ok(Self {
                    unique_identifier,
                    object_type,
                    replace_existing,
                    key_wrap_type,
                    attributes,
                    object,
                }),
                None => Err(inner.missing(Tag::SYMMETRIC_KEY)),
            }
        })
    }

    fn write(&self, writer: &mut Writer<'_>, tag: Tag) {
        writer.structure(tag, |inner| {
            inner.field(Tag::UNIQUE_IDENTIFIER, &self.unique_identifier);
            inner.field(Tag::OBJECT_TYPE, &self.object_type);
            inner.field(Tag::REPLACE_EXISTING, &self.replace_existing);
            inner.field(Tag::KEY_WRAP_TYPE, &self.key_wrap_type);
            inner.field(Tag::ATTRIBUTE, &self.attributes);
            self.object.write(inner);
        });
    }
}

structure_fields!(ImportResponse {
    unique_identifier: UNIQUE_IDENTIFIER,
});
