//! How attributes are read and written in 1.x: as structures of name, index and value.

use super::{Attribute, AttributeName, AttributeValue};
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::{DecodeError, Field, Reader, Writer};
use crate::kmip::version::ProtocolVersion;

impl<'a> Field<'a> for AttributeName {
    fn read(reader: &mut Reader<'a, '_>, tag: Tag) -> Result<Self, DecodeError> {
        reader.text(tag).map(Self::from_text)
    }

    fn write(&self, writer: &mut Writer<'_>, tag: Tag) {
        writer.text(tag, self.as_text());
    }

    fn is_known_in(&self, version: ProtocolVersion) -> bool {
        match self {
            Self::Standard(kind) => kind.is_known_in(version),
            Self::Other(_) => true,
        }
    }
}

/// Reads an Attribute Index.
pub(crate) fn read_index(reader: &mut Reader<'_, '_>) -> Result<Option<u32>, DecodeError> {
    reader.optional(Tag::ATTRIBUTE_INDEX, |reader| {
        reader.unsigned(Tag::ATTRIBUTE_INDEX)
    })
}

impl<'a> Field<'a> for Attribute {
    fn read(reader: &mut Reader<'a, '_>, tag: Tag) -> Result<Self, DecodeError> {
        reader.structure(tag, |inner| {
            let name = AttributeName::read(inner, Tag::ATTRIBUTE_NAME)?;
            let index = read_index(inner)?;
            let value = match name {
                AttributeName::Standard(kind) => AttributeValue::read(inner, Tag::ATTRIBUTE_VALUE, kind)?,
                AttributeName::Other(name) => AttributeValue::Other {
                    name,
                    value: inner.tree(Tag::ATTRIBUTE_VALUE)?,
                },
            };
            Ok(Self { index, value })
        })
    }

    fn write(&self, writer: &mut Writer<'_>, tag: Tag) {
        writer.structure(tag, |inner| {
            inner.text(Tag::ATTRIBUTE_NAME, self.value.name_text());
            if let Some(index) = self.index {
                inner.unsigned(Tag::ATTRIBUTE_INDEX, index);
            }
            self.value.write(inner, Tag::ATTRIBUTE_VALUE);
        });
    }

    fn is_known_in(&self, version: ProtocolVersion) -> bool {
        self.value.is_known_in(version)
    }
}
