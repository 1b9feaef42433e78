//! How attributes are read and written from 2.0 on: each under a tag of its own, together in one structure (KMIP 2.1,
//! sections 4.60 and 5). Custom attributes of 1.x travel as vendor attributes.
//!
//! # Vendor attributes and the names of 1.x
//! A vendor attribute has a vendor and a name; an attribute of 1.x has a name that begins with `x-` (of clients) or `y-`
//! (of the server). The specification gives the vendors `x` and `y` to those, so that `x-Product` is the attribute `Product`
//! of the vendor `x`. An attribute of any other vendor is named `x-Vendor:Name` in 1.x, and where a name of the vendor `x`
//! has a colon itself, `x-x:Name`; so that each has one name in each version, both ways.

use std::borrow::Cow;
use std::ops::Deref;

use super::{Attribute, AttributeKind, AttributeName, AttributeValue};
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::{DecodeError, DecodeErrorKind, Field, ItemType, Reader, Value, Writer};
use crate::kmip::version::ProtocolVersion;

/// The vendor of attributes that clients of 1.x made.
const CLIENT: &str = "x";
/// The vendor of attributes that the server makes.
const SERVER: &str = "y";

/// The attributes of an object, in a list of its own in a message: repeated in 1.x, in one structure from 2.0 on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes(pub Vec<Attribute>);

impl From<Vec<Attribute>> for Attributes {
    fn from(attributes: Vec<Attribute>) -> Self {
        Self(attributes)
    }
}

impl Deref for Attributes {
    type Target = Vec<Attribute>;

    fn deref(&self) -> &Vec<Attribute> {
        &self.0
    }
}

impl FromIterator<Attribute> for Attributes {
    fn from_iter<I: IntoIterator<Item = Attribute>>(attributes: I) -> Self {
        Self(attributes.into_iter().collect())
    }
}

impl<'a> Field<'a> for Attributes {
    fn tag_in(version: ProtocolVersion, tag: Tag) -> Tag {
        if version.tags_attributes() && tag == Tag::ATTRIBUTE {
            Tag::ATTRIBUTES
        } else {
            tag
        }
    }

    /// Reads them. From 2.0 on an absent structure is read as no attribute.
    fn read(reader: &mut Reader<'a, '_>, tag: Tag) -> Result<Self, DecodeError> {
        if !reader.version().tags_attributes() {
            return Field::read(reader, tag).map(Self);
        }
        let tag = Self::tag_in(reader.version(), tag);
        let attributes = reader.optional(tag, |reader| reader.structure(tag, read_all))?;
        Ok(Self(attributes.unwrap_or_default()))
    }

    fn write(&self, writer: &mut Writer<'_>, tag: Tag) {
        if writer.version().tags_attributes() {
            let tag = Self::tag_in(writer.version(), tag);
            writer.structure(tag, |inner| write_all(&self.0, inner));
        } else {
            self.0.write(writer, tag);
        }
    }
}

/// Reads attributes to the end of the structure.
pub(crate) fn read_all(reader: &mut Reader<'_, '_>) -> Result<Vec<Attribute>, DecodeError> {
    let mut attributes = Vec::new();
    while !reader.is_empty() {
        attributes.push(read(reader)?);
        // What is not known in a version that is newer than the tables is passed over here.
        if reader.peek().is_none() {
            break;
        }
    }
    Ok(attributes)
}

/// Writes those attributes that the reader knows.
pub(crate) fn write_all(attributes: &[Attribute], writer: &mut Writer<'_>) {
    let version = writer.version();
    for attribute in attributes {
        if attribute.value.is_known_in(version) {
            write(&attribute.value, writer);
        }
    }
}

/// Reads one attribute, which is told by its tag.
pub(crate) fn read(reader: &mut Reader<'_, '_>) -> Result<Attribute, DecodeError> {
    let Some(tag) = reader.peek() else {
        return Err(reader.missing(Tag::ATTRIBUTE));
    };
    let value = if tag == Tag::ATTRIBUTE {
        reader.structure(tag, |inner| {
            Ok(AttributeValue::Other {
                name: read_vendor_name(inner)?,
                value: inner.tree(Tag::ATTRIBUTE_VALUE)?,
            })
        })?
    } else {
        AttributeValue::read(reader, tag, kind(reader, tag)?)?
    };
    Ok(Attribute::new(value))
}

/// The attribute of a tag, of those that the version has.
pub(crate) fn kind(reader: &Reader<'_, '_>, tag: Tag) -> Result<AttributeKind, DecodeError> {
    AttributeKind::from_tag(tag)
        .filter(|kind| kind.is_known_in(reader.version()))
        .ok_or_else(|| reader.error(DecodeErrorKind::Unexpected { found: tag }))
}

/// Writes one attribute under its tag.
pub(crate) fn write(value: &AttributeValue, writer: &mut Writer<'_>) {
    match value {
        AttributeValue::Other { name, value } => writer.structure(Tag::ATTRIBUTE, |inner| {
            write_vendor_name(name, inner);
            inner.tree(Tag::ATTRIBUTE_VALUE, value);
        }),
        known => known.write(writer, known.kind().expect("all but `Other` have a kind").tag()),
    }
}

/// Reads the name of an attribute that is referred to: a tag, or a vendor's name.
pub(crate) fn read_reference(reader: &mut Reader<'_, '_>, tag: Tag) -> Result<AttributeName, DecodeError> {
    if reader.is_next(tag) && reader.next_type()? == ItemType::Enumeration {
        let offset = reader.position();
        let found = reader.enumeration_number(tag)?;
        return AttributeKind::from_tag(Tag::new(found))
            .filter(|kind| kind.tag().number() == found && kind.is_known_in(reader.version()))
            .map(AttributeName::Standard)
            .ok_or_else(|| {
                let enumeration = "Tag";
                DecodeError::new(DecodeErrorKind::UnknownValue { enumeration, found }, offset)
                    .within(tag, None)
            });
    }
    reader.structure(tag, read_vendor_name).map(AttributeName::Other)
}

/// Writes the name of an attribute so that it refers to it.
pub(crate) fn write_reference(name: &AttributeName, writer: &mut Writer<'_>, tag: Tag) {
    match name {
        AttributeName::Standard(kind) => writer.tree(tag, &Value::Enumeration(kind.tag().number())),
        AttributeName::Other(name) => writer.structure(tag, |inner| write_vendor_name(name, inner)),
    }
}

/// Reads vendor and name, and returns the name of 1.x.
pub(crate) fn read_vendor_name(reader: &mut Reader<'_, '_>) -> Result<String, DecodeError> {
    let offset = reader.position();
    let vendor = reader.text(Tag::VENDOR_IDENTIFICATION)?;
    let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.');
    if vendor.is_empty() || !vendor.chars().all(is_allowed) {
        let expected = "a Vendor Identification of letters, digits, _ and .";
        let error = DecodeError::new(DecodeErrorKind::BadValue { expected }, offset);
        return Err(error.within(Tag::VENDOR_IDENTIFICATION, None));
    }
    let name = reader.text(Tag::ATTRIBUTE_NAME)?;
    Ok(name_of_1_x(vendor, name))
}

/// Writes vendor and name of an attribute that has this name in 1.x.
pub(crate) fn write_vendor_name(name: &str, writer: &mut Writer<'_>) {
    let (vendor, name) = vendor_and_name(name);
    writer.text(Tag::VENDOR_IDENTIFICATION, vendor);
    writer.text(Tag::ATTRIBUTE_NAME, &name);
}

fn name_of_1_x(vendor: &str, name: &str) -> String {
    match vendor {
        SERVER => format!("y-{name}"),
        CLIENT if !name.contains(':') => format!("x-{name}"),
        vendor => format!("x-{vendor}:{name}"),
    }
}

fn vendor_and_name(name: &str) -> (&str, Cow<'_, str>) {
    if let Some(rest) = name.strip_prefix("y-") {
        return (SERVER, rest.into());
    }
    let Some(rest) = name.strip_prefix("x-") else {
        return (CLIENT, name.into());
    };
    let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.');
    match rest.split_once(':') {
        Some((vendor, name)) if !vendor.is_empty() && vendor.chars().all(is_allowed) => (vendor, name.into()),
        _ => (CLIENT, rest.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vendors_attribute_has_one_name_in_each_version() {
        for (vendor, name, in_1_x) in [
            ("x", "Product", "x-Product"),
            ("y", "Origin", "y-Origin"),
            ("Acme", "Shelf", "x-Acme:Shelf"),
            ("Acme.Inc_1", "a:b", "x-Acme.Inc_1:a:b"),
            ("x", "a:b", "x-x:a:b"),
            ("x", "", "x-"),
        ] {
            assert_eq!(name_of_1_x(vendor, name), in_1_x);
            assert_eq!(vendor_and_name(in_1_x), (vendor, name.into()));
        }
    }

    #[test]
    fn a_name_of_1_x_that_no_vendor_could_have_given_still_has_a_vendor() {
        assert_eq!(
            vendor_and_name("x-two words: one"),
            ("x", "two words: one".into())
        );
        assert_eq!(vendor_and_name("x-:a"), ("x", ":a".into()));
    }
}
