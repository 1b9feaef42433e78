//! Data that a client has worked on, and what comes of it (KMIP 1.4, section 2.1.10; KMIP 2.1, section 11.13).

use std::fmt;
use std::ops::Deref;

use zeroize::Zeroizing;

use crate::kmip::enumeration::DataReference;
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::{DecodeError, Field, ItemType, Reader, Writer};

/// Data that a client brings, or where it is. It stays where it is read, and is never shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Data<'a> {
    /// The data.
    Bytes(&'a [u8]),
    /// What an operation before this one answered, in the same batch. Since 2.0.
    Reference(DataReference),
    /// What the item at this place of the batch answered. Since 2.0.
    Position(i32),
}

impl<'a> From<&'a [u8]> for Data<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(bytes)
    }
}

impl fmt::Debug for Data<'_> {
    /// Of bytes the length alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "<{} bytes>", bytes.len()),
            Self::Reference(reference) => write!(f, "{reference:?}"),
            Self::Position(position) => write!(f, "{position}"),
        }
    }
}

impl<'a> Field<'a> for Data<'a> {
    const ITEM_TYPE: ItemType = ItemType::ByteString;

    fn read(reader: &mut Reader<'a, '_>, tag: Tag) -> Result<Self, DecodeError> {
        let has_references = reader.version().tags_attributes();
        match (has_references && reader.is_next(tag))
            .then(|| reader.next_type())
            .transpose()?
        {
            Some(ItemType::Enumeration) => reader.enumeration(tag).map(Self::Reference),
            Some(ItemType::Integer) => reader.integer(tag).map(Self::Position),
            _ => reader.bytes(tag).map(Self::Bytes),
        }
    }

    fn write(&self, writer: &mut Writer<'_>, tag: Tag) {
        match self {
            Self::Bytes(bytes) => writer.bytes(tag, bytes),
            Self::Reference(reference) => writer.enumeration(tag, *reference),
            Self::Position(position) => writer.integer(tag, *position),
        }
    }
}

/// Data that comes of an operation, which may be a plain text: zeroised when it is dropped, and never shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ProducedData(Zeroizing<Vec<u8>>);

impl From<Vec<u8>> for ProducedData {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl From<Zeroizing<Vec<u8>>> for ProducedData {
    fn from(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }
}

impl Deref for ProducedData {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for ProducedData {
    /// The length alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{} bytes>", self.0.len())
    }
}

impl<'a> Field<'a> for ProducedData {
    const ITEM_TYPE: ItemType = ItemType::ByteString;

    fn read(reader: &mut Reader<'a, '_>, tag: Tag) -> Result<Self, DecodeError> {
        reader.bytes(tag).map(|bytes| Self::from(bytes.to_vec()))
    }

    fn write(&self, writer: &mut Writer<'_>, tag: Tag) {
        writer.bytes(tag, &self.0);
    }
}
