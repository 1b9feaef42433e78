//! A payload without fields, as several operations have one.

use crate::kmip::tag::Tag;
use crate::kmip::ttlv::{DecodeError, Field, Reader, Writer};

/// A payload without fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EmptyPayload;

impl<'a> Field<'a> for EmptyPayload {
    fn read(reader: &mut Reader<'a, '_>, tag: Tag) -> Result<Self, DecodeError> {
        reader.structure(tag, |_| Ok(Self))
    }

    fn write(&self, writer: &mut Writer<'_>, tag: Tag) {
        writer.structure(tag, |_| ());
    }
}
