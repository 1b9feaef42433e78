//! What Locate asks of an attribute (KMIP 1.4, section 4.9).

use serde::{Deserialize, Serialize};

use super::{AttributeKind, AttributeName, AttributeValue, read_index, tagged};
use crate::kmip::mask::CryptographicUsageMask;
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::{DateTime, DecodeError, DecodeErrorKind, Field, Item, Reader, Value, Writer};
use crate::kmip::version::ProtocolVersion;

/// An attribute that an object must have, and what of it. Of a structure it may name only some fields, so that it
/// is not an [`super::Attribute`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AttributePattern {
    /// Which attribute.
    pub name: AttributeName,
    /// What it is compared with.
    pub value: Value,
}

impl AttributePattern {
    /// The pattern that an attribute with this value matches.
    pub fn equal_to(value: &AttributeValue) -> Self {
        Self {
            name: value.name(),
            value: value.to_tree(),
        }
    }

    /// The date, where the attribute is one. One pattern of a date is compared for equality, two are the limits of a
    /// range; so that dates are compared by whoever has all patterns of a request.
    pub fn date(&self) -> Option<DateTime> {
        match (&self.name, &self.value) {
            (AttributeName::Standard(_), Value::DateTime(date)) => Some(*date),
            _ => None,
        }
    }

    /// Whether an instance of the attribute is what the pattern asks for: every field that the pattern has is equal.
    /// Of a Cryptographic Usage Mask it has at least the bits of the pattern, and of Usage Limits at least the counts.
    pub fn matches(&self, value: &AttributeValue) -> bool {
        if value.name_text() != self.name.as_text() {
            return false;
        }
        match (value, &self.value) {
            (AttributeValue::CryptographicUsageMask(mask), Value::Integer(bits)) => {
                mask.contains(CryptographicUsageMask::from_bits(bits.cast_unsigned()))
            }
            (AttributeValue::UsageLimits(_), Value::Structure(wanted)) => {
                let is_count = |tag| tag == Tag::USAGE_LIMITS_TOTAL || tag == Tag::USAGE_LIMITS_COUNT;
                has_fields(&value.to_tree(), wanted, |wanted, found| {
                    match (&wanted.value, &found.value) {
                        (Value::LongInteger(least), Value::LongInteger(count)) if is_count(wanted.tag) => {
                            count >= least
                        }
                        (wanted, found) => wanted == found,
                    }
                })
            }
            (_, Value::Structure(wanted)) => has_fields(&value.to_tree(), wanted, |wanted, found| {
                wanted.value == found.value
            }),
            (AttributeValue::Other { value, .. }, wanted) => value == wanted,
            (known, wanted) => known.to_tree() == *wanted,
        }
    }
}

/// Whether a structure has, for each of the items wanted, one of the same tag that `agrees`.
fn has_fields(structure: &Value, wanted: &[Item], agrees: impl Fn(&Item, &Item) -> bool) -> bool {
    let Value::Structure(found) = structure else {
        return false;
    };
    wanted.iter().all(|wanted| {
        found
            .iter()
            .any(|found| found.tag == wanted.tag && agrees(wanted, found))
    })
}

/// The patterns of a Locate: repeated in 1.x, in one structure from 2.0 on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttributePatterns(pub Vec<AttributePattern>);

impl FromIterator<AttributePattern> for AttributePatterns {
    fn from_iter<I: IntoIterator<Item = AttributePattern>>(patterns: I) -> Self {
        Self(patterns.into_iter().collect())
    }
}

impl<'a> Field<'a> for AttributePatterns {
    fn tag_in(version: ProtocolVersion, tag: Tag) -> Tag {
        super::Attributes::tag_in(version, tag)
    }

    fn read(reader: &mut Reader<'a, '_>, tag: Tag) -> Result<Self, DecodeError> {
        if !reader.version().tags_attributes() {
            return Field::read(reader, tag).map(Self);
        }
        let tag = Self::tag_in(reader.version(), tag);
        let patterns = reader.optional(tag, |reader| {
            reader.structure(tag, |inner| {
                let mut patterns = Vec::new();
                while inner.peek().is_some() {
                    patterns.push(AttributePattern::read_tagged(inner)?);
                }
                Ok(patterns)
            })
        })?;
        Ok(Self(patterns.unwrap_or_default()))
    }

    fn write(&self, writer: &mut Writer<'_>, tag: Tag) {
        if !writer.version().tags_attributes() {
            return self.0.write(writer, tag);
        }
        let tag = Self::tag_in(writer.version(), tag);
        writer.structure(tag, |inner| {
            let version = inner.version();
            for pattern in self.0.iter().filter(|pattern| pattern.is_known_in(version)) {
                pattern.write_tagged(inner);
            }
        });
    }
}

impl AttributePattern {
    /// Refuses a value that is not of the attribute's type.
    fn of_type(name: AttributeName, value: Value, tag: Tag, offset: usize) -> Result<Self, DecodeError> {
        let found = value.item_type();
        match name {
            AttributeName::Standard(kind) if kind.item_type() != found => {
                let expected = kind.item_type();
                let kind = DecodeErrorKind::WrongType { expected, found };
                Err(DecodeError::new(kind, offset).within(tag, None))
            }
            name => Ok(Self { name, value }),
        }
    }

    fn read_tagged(reader: &mut Reader<'_, '_>) -> Result<Self, DecodeError> {
        let Some(tag) = reader.peek() else {
            return Err(reader.missing(Tag::ATTRIBUTE));
        };
        if tag == Tag::ATTRIBUTE {
            return reader.structure(tag, |inner| {
                Ok(Self {
                    name: AttributeName::Other(tagged::read_vendor_name(inner)?),
                    value: inner.tree(Tag::ATTRIBUTE_VALUE)?,
                })
            });
        }
        let kind = tagged::kind(reader, tag)?;
        let offset = reader.position();
        Self::of_type(kind.into(), reader.tree(tag)?, tag, offset)
    }

    fn write_tagged(&self, writer: &mut Writer<'_>) {
        match &self.name {
            AttributeName::Standard(kind) => writer.tree(kind.tag(), &self.value),
            AttributeName::Other(name) => writer.structure(Tag::ATTRIBUTE, |inner| {
                tagged::write_vendor_name(name, inner);
                inner.tree(Tag::ATTRIBUTE_VALUE, &self.value);
            }),
        }
    }
}

impl<'a> Field<'a> for AttributePattern {
    /// Reads the pattern and refuses a value that is not of the attribute's type. An Attribute Index is passed over,
    /// as section 4.9 has it.
    fn read(reader: &mut Reader<'a, '_>, tag: Tag) -> Result<Self, DecodeError> {
        reader.structure(tag, |inner| {
            let name = AttributeName::read(inner, Tag::ATTRIBUTE_NAME)?;
            read_index(inner)?;
            let offset = inner.position();
            let value = inner.tree(Tag::ATTRIBUTE_VALUE)?;
            Self::of_type(name, value, Tag::ATTRIBUTE_VALUE, offset)
        })
    }

    fn write(&self, writer: &mut Writer<'_>, tag: Tag) {
        writer.structure(tag, |inner| {
            inner.text(Tag::ATTRIBUTE_NAME, self.name.as_text());
            inner.tree(Tag::ATTRIBUTE_VALUE, &self.value);
        });
    }

    fn is_known_in(&self, version: ProtocolVersion) -> bool {
        match self.name {
            AttributeName::Standard(kind) => AttributeKind::is_known_in(kind, version),
            AttributeName::Other(_) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kmip::attribute::{Link, UsageLimits};
    use crate::kmip::enumeration::{LinkType, UsageLimitsUnit};

    #[test]
    fn a_structure_is_found_by_some_of_its_fields() {
        let link = AttributeValue::Link(Link {
            link_type: LinkType::ParentLink,
            linked_object_identifier: "parent".to_owned(),
        });
        let identifier = Item::new(
            Tag::LINKED_OBJECT_IDENTIFIER,
            Value::TextString("parent".to_owned()),
        );
        let pattern = |fields| AttributePattern {
            name: AttributeKind::Link.into(),
            value: Value::Structure(fields),
        };
        assert!(pattern(vec![identifier.clone()]).matches(&link));
        assert!(AttributePattern::equal_to(&link).matches(&link));
        let child = Item::new(Tag::LINK_TYPE, Value::Enumeration(LinkType::ChildLink.into()));
        assert!(!pattern(vec![child, identifier]).matches(&link));
    }

    #[test]
    fn a_mask_and_limits_match_what_is_more() {
        let has = AttributeValue::CryptographicUsageMask(CryptographicUsageMask::from_bits(0b1111));
        let wants = |bits| {
            AttributePattern::equal_to(&AttributeValue::CryptographicUsageMask(
                CryptographicUsageMask::from_bits(bits),
            ))
        };
        assert!(wants(0b0101).matches(&has));
        assert!(!wants(0b1_0101).matches(&has));
        let limits = |total| {
            AttributeValue::UsageLimits(UsageLimits {
                total,
                count: Some(total),
                unit: UsageLimitsUnit::Byte,
            })
        };
        assert!(AttributePattern::equal_to(&limits(10)).matches(&limits(20)));
        assert!(!AttributePattern::equal_to(&limits(20)).matches(&limits(10)));
    }
}
