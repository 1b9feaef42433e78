//! Writing items in one pass into one output.

use super::{DateTime, Field, Item, ItemType, Value};
use crate::kmip::enumeration::Enumeration;
use crate::kmip::output::{Material, MaterialError, Output};
use crate::kmip::tag::Tag;
use crate::kmip::version::{ProtocolVersion, V1_0};

/// Writes items for a reader of a certain version.
pub(crate) struct Writer<'o> {
    out: &'o mut dyn Output,
    version: ProtocolVersion,
    failed: Option<MaterialError>,
}

/// How many bytes of padding follow a value of this length.
const fn padding(length: usize) -> usize {
    length.wrapping_neg() & 7
}

fn header(tag: Tag, item_type: ItemType, length: usize) -> [u8; 8] {
    let [a, b, c] = tag.to_bytes();
    // Nothing that is written comes near four gigabytes: the largest parts are bounded by the limits of reading.
    let [l0, l1, l2, l3] = u32::try_from(length)
        .expect("an item is smaller than 4 GiB")
        .to_be_bytes();
    [a, b, c, item_type.code(), l0, l1, l2, l3]
}

impl<'o> Writer<'o> {
    /// A writer at the end of `out`. There was nothing before 1.0, so that it is the least that a reader knows.
    pub(crate) fn new(out: &'o mut dyn Output, version: ProtocolVersion) -> Self {
        Self {
            out,
            version: version.max(V1_0),
            failed: None,
        }
    }

    /// The version of the reader.
    pub(crate) fn version(&self) -> ProtocolVersion {
        self.version
    }

    /// Writes a field of a structure, unless its tag is one that the reader does not know yet.
    #[inline]
    pub(crate) fn field<'a, F: Field<'a>>(&mut self, tag: Tag, value: &F) {
        if self.knows(F::tag_in(self.version, tag)) {
            value.write(self, tag);
        }
    }

    /// Writes with `write` as for a reader that knows everything.
    pub(crate) fn whole(&mut self, write: impl FnOnce(&mut Self)) {
        let version = std::mem::replace(&mut self.version, ProtocolVersion::SUPPORTED[0]);
        write(self);
        self.version = version;
    }

    /// Whether the reader knows items of this tag. Extensions are known to whoever uses them.
    #[inline]
    pub(crate) fn knows(&self, tag: Tag) -> bool {
        tag.facts().is_none_or(|facts| facts.since <= self.version)
    }

    fn four(&mut self, tag: Tag, item_type: ItemType, value: [u8; 4]) {
        let mut item = [0; 16];
        item[..8].copy_from_slice(&header(tag, item_type, 4));
        item[8..12].copy_from_slice(&value);
        self.out.append(&item);
    }

    fn eight(&mut self, tag: Tag, item_type: ItemType, value: [u8; 8]) {
        let mut item = [0; 16];
        item[..8].copy_from_slice(&header(tag, item_type, 8));
        item[8..].copy_from_slice(&value);
        self.out.append(&item);
    }

    fn run(&mut self, tag: Tag, item_type: ItemType, value: &[u8]) {
        self.out.append(&header(tag, item_type, value.len()));
        self.out.append(value);
        self.out.append_zeroed(padding(value.len()));
    }

    /// Writes an Integer.
    pub(crate) fn integer(&mut self, tag: Tag, value: i32) {
        self.four(tag, ItemType::Integer, value.to_be_bytes());
    }

    /// Writes a number that is not negative as an Integer. What is more than an Integer holds is cut to its maximum.
    pub(crate) fn unsigned(&mut self, tag: Tag, value: u32) {
        self.integer(tag, i32::try_from(value).unwrap_or(i32::MAX));
    }

    /// Writes a Long Integer.
    pub(crate) fn long_integer(&mut self, tag: Tag, value: i64) {
        self.eight(tag, ItemType::LongInteger, value.to_be_bytes());
    }

    /// Writes a value of an enumeration.
    pub(crate) fn enumeration<E: Enumeration>(&mut self, tag: Tag, value: E) {
        self.four(tag, ItemType::Enumeration, value.value().to_be_bytes());
    }

    /// Writes a Boolean.
    pub(crate) fn boolean(&mut self, tag: Tag, value: bool) {
        self.eight(tag, ItemType::Boolean, u64::from(value).to_be_bytes());
    }

    /// Writes a Text String.
    pub(crate) fn text(&mut self, tag: Tag, value: &str) {
        self.run(tag, ItemType::TextString, value.as_bytes());
    }

    /// Writes a Byte String.
    pub(crate) fn bytes(&mut self, tag: Tag, value: &[u8]) {
        self.run(tag, ItemType::ByteString, value);
    }

    /// Writes a Byte String whose bytes are opened in their place. Where that fails, [`Writer::finish`] tells.
    pub(crate) fn material(&mut self, tag: Tag, material: &dyn Material) {
        let length = material.len();
        self.out.append(&header(tag, ItemType::ByteString, length));
        let start = self.out.len();
        self.out.append_zeroed(length + padding(length));
        let opened = material.open_into(&mut self.out.as_mut_slice()[start..start + length]);
        self.failed = self.failed.or(opened.err());
    }

    /// Whether all key material was opened. Where it was not, the caller cuts off what was written.
    pub(crate) fn finish(self) -> Result<(), MaterialError> {
        self.failed.map_or(Ok(()), Err)
    }

    /// Writes a Date-Time.
    pub(crate) fn date_time(&mut self, tag: Tag, value: DateTime) {
        self.eight(tag, ItemType::DateTime, value.0.to_be_bytes());
    }

    /// Writes an Interval, in seconds.
    pub(crate) fn interval(&mut self, tag: Tag, value: u32) {
        self.four(tag, ItemType::Interval, value.to_be_bytes());
    }

    /// Writes a Date-Time Extended, in microseconds.
    pub(crate) fn date_time_extended(&mut self, tag: Tag, value: i64) {
        self.eight(tag, ItemType::DateTimeExtended, value.to_be_bytes());
    }

    /// Writes a structure whose items `write` writes.
    #[inline]
    pub(crate) fn structure<R>(&mut self, tag: Tag, write: impl FnOnce(&mut Self) -> R) -> R {
        self.out.append(&header(tag, ItemType::Structure, 0));
        let start = self.out.len();
        let result = write(self);
        let length = u32::try_from(self.out.len() - start).expect("a structure is smaller than 4 GiB");
        self.out.as_mut_slice()[start - 4..start].copy_from_slice(&length.to_be_bytes());
        result
    }

    /// Writes a structure whose items are encoded already.
    pub(crate) fn raw_structure(&mut self, tag: Tag, items: &[u8]) {
        self.out.append(&header(tag, ItemType::Structure, items.len()));
        self.out.append(items);
    }

    /// Writes an item as it is.
    pub(crate) fn tree(&mut self, tag: Tag, value: &Value) {
        match value {
            Value::Structure(items) => self.structure(tag, |writer| {
                for Item { tag, value } in items {
                    writer.tree(*tag, value);
                }
            }),
            Value::Integer(value) => self.integer(tag, *value),
            Value::LongInteger(value) => self.long_integer(tag, *value),
            Value::BigInteger(value) => self.run(tag, ItemType::BigInteger, value),
            Value::Enumeration(value) => self.four(tag, ItemType::Enumeration, value.to_be_bytes()),
            Value::Boolean(value) => self.boolean(tag, *value),
            Value::TextString(value) => self.text(tag, value),
            Value::ByteString(value) => self.bytes(tag, value),
            Value::DateTime(value) => self.date_time(tag, *value),
            Value::Interval(value) => self.interval(tag, *value),
            Value::DateTimeExtended(value) => self.date_time_extended(tag, *value),
        }
    }
}
