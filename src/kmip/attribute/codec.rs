//! How one attribute is read and written: in 1.x as a structure of name, index and value, from 2.0 on as a structure with
//! the attribute in it under its own tag.

use super::{Attribute, AttributeName, AttributeValue, tagged};
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::{DecodeError, DecodeErrorKind, Field, ItemType, Reader, Value, Writer};
use crate::kmip::version::ProtocolVersion;

impl<'a> Field<'a> for AttributeName {
    fn read(reader: &mut Reader<'a, '_>, tag: Tag) -> Result<Self, DecodeError> {
        let tag = Self::tag_in(reader.version(), tag);
        if reader.version().tags_attributes() {
            tagged::read_reference(reader, tag)
        } else {
            reader.text(tag).map(Self::from_text)
        }
    }

    fn write(&self, writer: &mut Writer<'_>, tag: Tag) {
        let tag = Self::tag_in(writer.version(), tag);
        if writer.version().tags_attributes() {
            tagged::write_reference(self, writer, tag);
        } else {
            writer.text(tag, self.as_text());
        }
    }

    fn tag_in(version: ProtocolVersion, tag: Tag) -> Tag {
        if version.tags_attributes() && tag == Tag::ATTRIBUTE_NAME {
            Tag::ATTRIBUTE_REFERENCE
        } else {
            tag
        }
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

/// Reads the value of a custom attribute: of any type, but a structure in it has no structures (section 3.39).
fn read_custom(reader: &mut Reader<'_, '_>) -> Result<Value, DecodeError> {
    let offset = reader.position();
    let value = reader.tree(Tag::ATTRIBUTE_VALUE)?;
    match &value {
        Value::Structure(items)
            if items
                .iter()
                .any(|item| item.value.item_type() == ItemType::Structure) =>
        {
            let expected = "a structure of a custom attribute to have no structures in it";
            let error = DecodeError::new(DecodeErrorKind::BadValue { expected }, offset);
            Err(error.within(Tag::ATTRIBUTE_VALUE, None))
        }
        _ => Ok(value),
    }
}

impl<'a> Field<'a> for Attribute {
    /// From 2.0 on, reads a structure that holds the one attribute.
    fn read(reader: &mut Reader<'a, '_>, tag: Tag) -> Result<Self, DecodeError> {
        if reader.version().tags_attributes() {
            let tag = Self::tag_in(reader.version(), tag);
            return reader.structure(tag, tagged::read);
        }
        reader.structure(tag, |inner| {
            let name = AttributeName::read(inner, Tag::ATTRIBUTE_NAME)?;
            let index = read_index(inner)?;
            let value = match name {
                AttributeName::Standard(kind) => AttributeValue::read(inner, Tag::ATTRIBUTE_VALUE, kind)?,
                AttributeName::Other(name) => AttributeValue::Other {
                    name,
                    value: read_custom(inner)?,
                },
            };
            Ok(Self { index, value })
        })
    }

    fn tag_in(version: ProtocolVersion, tag: Tag) -> Tag {
        if version.tags_attributes() && tag == Tag::ATTRIBUTE {
            Tag::NEW_ATTRIBUTE
        } else {
            tag
        }
    }

    fn write(&self, writer: &mut Writer<'_>, tag: Tag) {
        if writer.version().tags_attributes() {
            let tag = Self::tag_in(writer.version(), tag);
            return writer.structure(tag, |inner| tagged::write(&self.value, inner));
        }
        writer.structure(tag, |inner| {
            inner.text(Tag::ATTRIBUTE_NAME, self.value.name_text());
            if let Some(index) = self.index {
                inner.unsigned(Tag::ATTRIBUTE_INDEX, index);
            }
            if self.is_known_in(inner.version()) {
                self.value.write(inner, Tag::ATTRIBUTE_VALUE);
            } else {
                // In a list it would have been left out. Here it is what was asked for by its name, and half of a
                // value is worse than a whole one.
                inner.whole(|inner| self.value.write(inner, Tag::ATTRIBUTE_VALUE));
            }
        });
    }

    fn is_known_in(&self, version: ProtocolVersion) -> bool {
        self.value.is_known_in(version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kmip::attribute::AttributeKind;
    use crate::kmip::enumeration::ResultReason;
    use crate::kmip::output::ZeroizingOutput;
    use crate::kmip::ttlv::{Context, Item, Limits, encode};

    /// Reads an attribute of this name and value.
    fn read(name: &str, value: Value) -> Result<Attribute, DecodeError> {
        let items = vec![
            Item::new(Tag::ATTRIBUTE_NAME, Value::TextString(name.to_owned())),
            Item::new(Tag::ATTRIBUTE_VALUE, value),
        ];
        let mut out = ZeroizingOutput::new();
        encode(&Item::new(Tag::ATTRIBUTE, Value::Structure(items)), &mut out);
        let context = Context::strict(Limits::default());
        Attribute::read(&mut Reader::new(out.as_slice(), &context)?, Tag::ATTRIBUTE)
    }

    #[test]
    fn a_value_that_the_attribute_cannot_have_is_an_invalid_field() {
        let reason = |name: &str, value| read(name, value).expect_err("the value is wrong").result_reason();
        assert_eq!(
            reason("State", Value::TextString("Active".to_owned())),
            ResultReason::InvalidField
        );
        assert_eq!(reason("State", Value::Enumeration(7)), ResultReason::InvalidField);
        let nested = Value::Structure(vec![Item::new(Tag::DATA, Value::Structure(Vec::new()))]);
        assert_eq!(reason("x-Product", nested), ResultReason::InvalidField);
    }

    #[test]
    fn a_name_in_other_letters_is_not_that_attribute() {
        let attribute = read("state", Value::Enumeration(2)).expect("any other name can have any value");
        assert_eq!(attribute.name(), AttributeName::Other("state".to_owned()));
        let attribute = read("State", Value::Enumeration(2)).expect("Active is a state");
        assert_eq!(attribute.name(), AttributeKind::State.into());
    }

    #[test]
    fn a_custom_attribute_keeps_any_text() {
        for text in [
            "VMware, Inc.",
            "",
            "Büro 7 – 東京 🔑",
            "a\u{0}b",
            &"long ".repeat(10_000),
        ] {
            let attribute =
                read("x-Vendor", Value::TextString(text.to_owned())).expect("any text can be kept");
            assert_eq!(attribute, Attribute::custom_text("x-Vendor", text));
        }
    }
}
