//! What vendors add to batch items (KMIP 1.4, section 6.16).

use crate::kmip::tag::Tag;
use crate::kmip::ttlv::{DecodeError, Field, Reader, Writer};

/// What a vendor added to a batch item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageExtension<'a> {
    /// Which vendor.
    pub vendor_identification: &'a str,
    /// Whether whoever does not understand it must not go on.
    pub criticality_indicator: bool,
    /// The items of the vendor's structure, encoded. They were not looked at.
    pub vendor_extension: &'a [u8],
}

impl<'a> Field<'a> for MessageExtension<'a> {
    fn read(reader: &mut Reader<'a, '_>, tag: Tag) -> Result<Self, DecodeError> {
        reader.structure(tag, |inner| {
            Ok(Self {
                vendor_identification: Field::read(inner, Tag::VENDOR_IDENTIFICATION)?,
                criticality_indicator: Field::read(inner, Tag::CRITICALITY_INDICATOR)?,
                vendor_extension: inner.raw_structure(Tag::VENDOR_EXTENSION)?,
            })
        })
    }

    fn write(&self, writer: &mut Writer<'_>, tag: Tag) {
        writer.structure(tag, |inner| {
            inner.field(Tag::VENDOR_IDENTIFICATION, &self.vendor_identification);
            inner.field(Tag::CRITICALITY_INDICATOR, &self.criticality_indicator);
            inner.raw_structure(Tag::VENDOR_EXTENSION, self.vendor_extension);
        });
    }
}
