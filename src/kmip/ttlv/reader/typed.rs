//! Reading what items hold, type by type.

use super::Reader;
use crate::kmip::enumeration::Enumeration;
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::{DateTime, DecodeError, DecodeErrorKind, Item, ItemType, Value};

impl<'a> Reader<'a, '_> {
    #[inline]
    fn four(&mut self, tag: Tag, expected: ItemType) -> Result<[u8; 4], DecodeError> {
        let value = self.value(tag, expected)?;
        Ok(value.try_into().expect("the length was checked"))
    }

    #[inline]
    fn eight(&mut self, tag: Tag, expected: ItemType) -> Result<[u8; 8], DecodeError> {
        let value = self.value(tag, expected)?;
        Ok(value.try_into().expect("the length was checked"))
    }

    /// Reads an Integer.
    #[inline]
    pub(crate) fn integer(&mut self, tag: Tag) -> Result<i32, DecodeError> {
        self.four(tag, ItemType::Integer).map(i32::from_be_bytes)
    }

    /// Reads an Integer that cannot be negative.
    pub(crate) fn unsigned(&mut self, tag: Tag) -> Result<u32, DecodeError> {
        let offset = self.position;
        let number = self.integer(tag)?;
        u32::try_from(number).map_err(|_| {
            let expected = "a number that is not negative";
            DecodeError::new(DecodeErrorKind::BadValue { expected }, offset).within(tag, None)
        })
    }

    /// Reads a Long Integer.
    pub(crate) fn long_integer(&mut self, tag: Tag) -> Result<i64, DecodeError> {
        self.eight(tag, ItemType::LongInteger).map(i64::from_be_bytes)
    }

    /// Reads a Big Integer.
    pub(crate) fn big_integer(&mut self, tag: Tag) -> Result<&'a [u8], DecodeError> {
        self.value(tag, ItemType::BigInteger)
    }

    /// Reads a number of an enumeration, whatever it is.
    pub(crate) fn enumeration_number(&mut self, tag: Tag) -> Result<u32, DecodeError> {
        self.four(tag, ItemType::Enumeration).map(u32::from_be_bytes)
    }

    /// Reads a value of an enumeration. Refuses reserved numbers; lets extensions pass.
    #[inline]
    pub(crate) fn enumeration<E: Enumeration>(&mut self, tag: Tag) -> Result<E, DecodeError> {
        let offset = self.position;
        let found = self.enumeration_number(tag)?;
        let value = E::from_value(found);
        if self.context.accept_unknown_values || value.is_extension() || E::FACTS.by_value(found).is_some() {
            Ok(value)
        } else {
            let enumeration = E::FACTS.text;
            Err(
                DecodeError::new(DecodeErrorKind::UnknownValue { enumeration, found }, offset)
                    .within(tag, None),
            )
        }
    }

    /// Reads a value of an enumeration, and lets every number pass.
    pub(crate) fn open_enumeration<E: Enumeration>(&mut self, tag: Tag) -> Result<E, DecodeError> {
        self.enumeration_number(tag).map(E::from_value)
    }

    /// Reads a Boolean.
    pub(crate) fn boolean(&mut self, tag: Tag) -> Result<bool, DecodeError> {
        let offset = self.position;
        let value = self.value(tag, ItemType::Boolean)?;
        match u64::from_be_bytes(value.try_into().expect("the length was checked")) {
            0 => Ok(false),
            1 => Ok(true),
            found => Err(DecodeError::new(DecodeErrorKind::BadBoolean { found }, offset).within(tag, None)),
        }
    }

    /// Reads a Text String.
    #[inline]
    pub(crate) fn text(&mut self, tag: Tag) -> Result<&'a str, DecodeError> {
        let offset = self.position;
        let value = self.value(tag, ItemType::TextString)?;
        let limit = self.context.limits.text_length;
        if value.len() > limit {
            let kind = DecodeErrorKind::TextTooLong {
                length: value.len(),
                limit,
            };
            return Err(DecodeError::new(kind, offset).within(tag, None));
        }
        std::str::from_utf8(value)
            .map_err(|_| DecodeError::new(DecodeErrorKind::NotUtf8, offset).within(tag, None))
    }

    /// Reads a Byte String.
    pub(crate) fn bytes(&mut self, tag: Tag) -> Result<&'a [u8], DecodeError> {
        self.value(tag, ItemType::ByteString)
    }

    /// Reads a Date-Time.
    pub(crate) fn date_time(&mut self, tag: Tag) -> Result<DateTime, DecodeError> {
        self.eight(tag, ItemType::DateTime)
            .map(|value| DateTime(i64::from_be_bytes(value)))
    }

    /// Reads an Interval, in seconds.
    pub(crate) fn interval(&mut self, tag: Tag) -> Result<u32, DecodeError> {
        self.four(tag, ItemType::Interval).map(u32::from_be_bytes)
    }

    /// Reads a Date-Time Extended, in microseconds.
    pub(crate) fn date_time_extended(&mut self, tag: Tag) -> Result<i64, DecodeError> {
        self.eight(tag, ItemType::DateTimeExtended)
            .map(i64::from_be_bytes)
    }

    /// Reads the next item of this tag as it is, whatever its type.
    pub(crate) fn tree(&mut self, tag: Tag) -> Result<Value, DecodeError> {
        if !self.is_next(tag) {
            return Err(self.missing(tag));
        }
        let (_, place) = self.place()?;
        Ok(match place.item_type {
            ItemType::Structure => Value::Structure(self.structure(tag, |inner| {
                let mut items = Vec::new();
                while !inner.is_empty() {
                    items.push(inner.item()?);
                }
                Ok(items)
            })?),
            ItemType::Integer => Value::Integer(self.integer(tag)?),
            ItemType::LongInteger => Value::LongInteger(self.long_integer(tag)?),
            ItemType::BigInteger => Value::BigInteger(self.big_integer(tag)?.to_vec()),
            ItemType::Enumeration => Value::Enumeration(self.enumeration_number(tag)?),
            ItemType::Boolean => Value::Boolean(self.boolean(tag)?),
            ItemType::TextString => Value::TextString(self.text(tag)?.to_owned()),
            ItemType::ByteString => Value::ByteString(self.bytes(tag)?.to_vec()),
            ItemType::DateTime => Value::DateTime(self.date_time(tag)?),
            ItemType::Interval => Value::Interval(self.interval(tag)?),
            ItemType::DateTimeExtended => Value::DateTimeExtended(self.date_time_extended(tag)?),
        })
    }

    /// Reads the next item as it is, whatever its tag and type.
    pub(crate) fn item(&mut self) -> Result<Item, DecodeError> {
        let (tag, _) = self.place()?;
        Ok(Item {
            tag,
            value: self.tree(tag)?,
        })
    }
}
