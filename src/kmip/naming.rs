//! What values are called: the names of numbers, by the tag that they stand under.
//!
//! Whoever writes or reads a message in words ([`text`](super::text), [`xml`](super::xml), [`json`](super::json))
//! asks here, so that a value has one name everywhere.

use time::format_description::well_known::Rfc3339;

use super::attribute::AttributeKind;
use super::tag::Tag;
use super::ttlv::{DateTime, DecodeError, ItemType, Reader};
use super::{enumeration, mask};

/// What the items before one in the same structure say about it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Siblings {
    /// The tag of the attribute that the structure names.
    attribute: Option<Tag>,
    /// Whether the attribute is a vendor's, whose name says nothing here.
    is_vendors: bool,
}

impl Siblings {
    /// Takes note of a text of the structure.
    pub(super) fn note(&mut self, tag: Tag, text: &str) {
        match tag {
            Tag::ATTRIBUTE_NAME => self.attribute = AttributeKind::from_text(text).map(AttributeKind::tag),
            Tag::VENDOR_IDENTIFICATION => self.is_vendors = true,
            _ => {}
        }
    }

    /// The tag under which the number of an item has its meaning. What an Attribute Value of 1.x means follows from
    /// the Attribute Name before it.
    pub(super) fn meaning_of(self, tag: Tag) -> Tag {
        match self.attribute {
            Some(attribute) if tag == Tag::ATTRIBUTE_VALUE && !self.is_vendors => attribute,
            _ => tag,
        }
    }
}

/// An Attribute Reference of 2.x names an attribute by its tag (KMIP 2.1, section 5.5).
const ATTRIBUTE_REFERENCE: Tag = Tag::new(0x42_013B);

/// The names of a number of the enumeration that stands under a tag: without spaces, and as the specification writes
/// it.
pub(super) fn of_enumeration(meaning: Tag, number: u32) -> Option<(&'static str, &'static str)> {
    if meaning == ATTRIBUTE_REFERENCE {
        let facts = tag_of_number(number)?.facts()?;
        return Some((facts.name, facts.text));
    }
    let fact = enumeration::by_tag(meaning)?.by_value(number)?;
    Some((fact.name, fact.text))
}

/// The number of a name without spaces of the enumeration that stands under a tag.
pub(super) fn enumeration_number(meaning: Tag, name: &str) -> Option<u32> {
    if meaning == ATTRIBUTE_REFERENCE {
        return Tag::from_name(name).map(Tag::number);
    }
    Some(enumeration::by_tag(meaning)?.by_name(name)?.value)
}

fn tag_of_number(number: u32) -> Option<Tag> {
    let tag = Tag::new(number);
    (tag.number() == number).then_some(tag)
}

/// The names of the bits of a mask, parted by ` | `; `None` where no mask stands under the tag.
pub(super) fn of_mask(meaning: Tag, number: i64) -> Option<String> {
    mask::describe(meaning, number)
}

/// The bits of one name of the mask that stands under a tag.
pub(super) fn mask_bits(meaning: Tag, name: &str) -> Option<u32> {
    mask::bits_by_name(meaning, name)
}

/// What an item of a simple type holds.
pub(super) enum Simple<'a> {
    Integer(i32),
    LongInteger(i64),
    BigInteger(&'a [u8]),
    Enumeration(u32),
    Boolean(bool),
    Text(&'a str),
    Bytes(&'a [u8]),
    DateTime(DateTime),
    Interval(u32),
    DateTimeExtended(i64),
}

/// Reads the next item, which is of this tag and type.
pub(super) fn simple<'a>(
    reader: &mut Reader<'a, '_>,
    tag: Tag,
    item_type: ItemType,
) -> Result<Simple<'a>, DecodeError> {
    Ok(match item_type {
        ItemType::Integer => Simple::Integer(reader.integer(tag)?),
        ItemType::LongInteger => Simple::LongInteger(reader.long_integer(tag)?),
        ItemType::Enumeration => Simple::Enumeration(reader.enumeration_number(tag)?),
        ItemType::Boolean => Simple::Boolean(reader.boolean(tag)?),
        ItemType::TextString => Simple::Text(reader.text(tag)?),
        ItemType::BigInteger => Simple::BigInteger(reader.big_integer(tag)?),
        ItemType::ByteString | ItemType::Structure => Simple::Bytes(reader.bytes(tag)?),
        ItemType::DateTime => Simple::DateTime(reader.date_time(tag)?),
        ItemType::Interval => Simple::Interval(reader.interval(tag)?),
        ItemType::DateTimeExtended => Simple::DateTimeExtended(reader.date_time_extended(tag)?),
    })
}

/// A moment as ISO 8601 writes it; `None` where it is in no year from 0 to 9999.
pub(super) fn of_date_time(moment: DateTime) -> Option<String> {
    moment.to_offset_date_time()?.format(&Rfc3339).ok()
}
