//! Which object a request means (KMIP 2.1, section 4.58).

use crate::kmip::enumeration::UniqueIdentifierReference;
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::{DecodeError, Field, ItemType, Reader, Writer};

/// Which object a request means. In 1.x always a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UniqueIdentifier<'a> {
    /// The object of this Unique Identifier.
    Text(&'a str),
    /// The one that an operation before this made or found, in the same batch. Since 2.0.
    Reference(UniqueIdentifierReference),
    /// The one of the item at this place of the batch, from zero; below zero it is counted back from the item that asks.
    /// Since 2.0.
    Position(i32),
}

impl<'a> From<&'a str> for UniqueIdentifier<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> Field<'a> for UniqueIdentifier<'a> {
    const ITEM_TYPE: ItemType = ItemType::TextString;

    fn read(reader: &mut Reader<'a, '_>, tag: Tag) -> Result<Self, DecodeError> {
        let has_references = reader.version().tags_attributes();
        match (has_references && reader.is_next(tag))
            .then(|| reader.next_type())
            .transpose()?
        {
            Some(ItemType::Enumeration) => reader.enumeration(tag).map(Self::Reference),
            Some(ItemType::Integer) => reader.integer(tag).map(Self::Position),
            _ => reader.text(tag).map(Self::Text),
        }
    }

    fn write(&self, writer: &mut Writer<'_>, tag: Tag) {
        match self {
            Self::Text(text) => writer.text(tag, text),
            Self::Reference(reference) => writer.enumeration(tag, *reference),
            Self::Position(position) => writer.integer(tag, *position),
        }
    }
}
