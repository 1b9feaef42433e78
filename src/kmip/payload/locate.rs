//! Locate (KMIP 1.4, section 4.9).

use crate::kmip::attribute::AttributePatterns;
use crate::kmip::enumeration::ObjectGroupMember;
use crate::kmip::mask::StorageStatusMask;
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::{DecodeError, Field, Reader, Writer};

/// Find objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LocateRequest {
    /// How many identifiers the answer may have at most.
    pub maximum_items: Option<u32>,
    /// How many to pass over. Since 1.3.
    pub offset_items: Option<u32>,
    /// Where to look; absent means among those at hand.
    pub storage_status_mask: Option<StorageStatusMask>,
    /// Which members of the group. Since 1.1.
    pub object_group_member: Option<ObjectGroupMember>,
    /// What an object must have, all of it.
    pub attributes: AttributePatterns,
}

/// The objects that were found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LocateResponse {
    /// How many there are in all. Since 1.3.
    pub located_items: Option<u32>,
    /// Their Unique Identifiers.
    pub unique_identifiers: Vec<String>,
}

/// Reads an Integer that may be absent and cannot be negative.
fn read_count(reader: &mut Reader<'_, '_>, tag: Tag) -> Result<Option<u32>, DecodeError> {
    reader.optional(tag, |reader| reader.unsigned(tag))
}

fn write_count(writer: &mut Writer<'_>, tag: Tag, count: Option<u32>) {
    if let Some(count) = count.filter(|_| writer.knows(tag)) {
        writer.unsigned(tag, count);
    }
}

impl<'a> Field<'a> for LocateRequest {
    fn read(reader: &mut Reader<'a, '_>, tag: Tag) -> Result<Self, DecodeError> {
        reader.structure(tag, |inner| {
            Ok(Self {
                maximum_items: read_count(inner, Tag::MAXIMUM_ITEMS)?,
                offset_items: read_count(inner, Tag::OFFSET_ITEMS)?,
                storage_status_mask: Field::read(inner, Tag::STORAGE_STATUS_MASK)?,
                object_group_member: Field::read(inner, Tag::OBJECT_GROUP_MEMBER)?,
                attributes: Field::read(inner, Tag::ATTRIBUTE)?,
            })
        })
    }

    fn write(&self, writer: &mut Writer<'_>, tag: Tag) {
        writer.structure(tag, |inner| {
            write_count(inner, Tag::MAXIMUM_ITEMS, self.maximum_items);
            write_count(inner, Tag::OFFSET_ITEMS, self.offset_items);
            inner.field(Tag::STORAGE_STATUS_MASK, &self.storage_status_mask);
            inner.field(Tag::OBJECT_GROUP_MEMBER, &self.object_group_member);
            inner.field(Tag::ATTRIBUTE, &self.attributes);
        });
    }
}

impl<'a> Field<'a> for LocateResponse {
    fn read(reader: &mut Reader<'a, '_>, tag: Tag) -> Result<Self, DecodeError> {
        reader.structure(tag, |inner| {
            Ok(Self {
                located_items: read_count(inner, Tag::LOCATED_ITEMS)?,
                unique_identifiers: Field::read(inner, Tag::UNIQUE_IDENTIFIER)?,
            })
        })
    }

    fn write(&self, writer: &mut Writer<'_>, tag: Tag) {
        writer.structure(tag, |inner| {
            write_count(inner, Tag::LOCATED_ITEMS, self.located_items);
            inner.field(Tag::UNIQUE_IDENTIFIER, &self.unique_identifiers);
        });
    }
}
