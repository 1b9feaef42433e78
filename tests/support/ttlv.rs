//! TTLV written and read without the product's codec, so that the two can't be wrong in the same way.

use std::fmt;

/// One item: a tag (three bytes), a type and a value.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    Structure(Vec<Item>),
    Integer(i32),
    LongInteger(i64),
    Enumeration(u32),
    Boolean(bool),
    Text(String),
    Bytes(Vec<u8>),
    DateTime(i64),
    Interval(u32),
    /// Microseconds since 1970; since 2.0.
    DateTimeExtended(i64),
    BigInteger(Vec<u8>),
}

/// A tag with its value.
#[derive(Clone, PartialEq, Eq)]
pub struct Item {
    pub tag: u32,
    pub value: Value,
}

impl Item {
    pub fn encode(&self) -> Vec<u8> {
        let (kind, value) = match &self.value {
            Value::Structure(items) => (1, items.iter().flat_map(Self::encode).collect()),
            Value::Integer(value) => (2, value.to_be_bytes().to_vec()),
            Value::LongInteger(value) => (3, value.to_be_bytes().to_vec()),
            Value::BigInteger(value) => (4, value.clone()),
            Value::Enumeration(value) => (5, value.to_be_bytes().to_vec()),
            Value::Boolean(value) => (6, u64::from(*value).to_be_bytes().to_vec()),
            Value::Text(value) => (7, value.clone().into_bytes()),
            Value::Bytes(value) => (8, value.clone()),
            Value::DateTime(value) => (9, value.to_be_bytes().to_vec()),
            Value::Interval(value) => (10, value.to_be_bytes().to_vec()),
            Value::DateTimeExtended(value) => (11, value.to_be_bytes().to_vec()),
        };
        let mut bytes = self.tag.to_be_bytes()[1..].to_vec();
        bytes.push(kind);
        bytes.extend(
            u32::try_from(value.len())
                .expect("a test's value is short")
                .to_be_bytes(),
        );
        bytes.extend(&value);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    }

    /// Reads the one item that `bytes` hold.
    pub fn decode(bytes: &[u8]) -> Self {
        let (item, rest) = Self::read(bytes);
        assert!(rest.is_empty(), "{} bytes behind the message", rest.len());
        item
    }

    fn read(bytes: &[u8]) -> (Self, &[u8]) {
        let tag = u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]]);
        let length = u32::from_be_bytes(bytes[4..8].try_into().expect("four bytes")) as usize;
        let value = &bytes[8..8 + length];
        let number = |value: &[u8]| i64::from_be_bytes(value.try_into().expect("eight bytes"));
        let short = |value: &[u8]| u32::from_be_bytes(value.try_into().expect("four bytes"));
        let value = match bytes[3] {
            1 => {
                let (mut items, mut rest) = (Vec::new(), value);
                while !rest.is_empty() {
                    let (item, behind) = Self::read(rest);
                    items.push(item);
                    rest = behind;
                }
                Value::Structure(items)
            }
            2 => Value::Integer(short(value).cast_signed()),
            3 => Value::LongInteger(number(value)),
            4 => Value::BigInteger(value.to_vec()),
            5 => Value::Enumeration(short(value)),
            6 => Value::Boolean(number(value) == 1),
            7 => Value::Text(String::from_utf8(value.to_vec()).expect("text is UTF-8")),
            8 => Value::Bytes(value.to_vec()),
            9 => Value::DateTime(number(value)),
            10 => Value::Interval(short(value)),
            11 => Value::DateTimeExtended(number(value)),
            other => panic!("an item of unknown type {other}"),
        };
        let end = 8 + length.next_multiple_of(8);
        assert!(
            bytes[8 + length..end].iter().all(|byte| *byte == 0),
            "padding that is not zero"
        );
        (Self { tag, value }, &bytes[end..])
    }

    pub fn children(&self) -> &[Self] {
        match &self.value {
            Value::Structure(items) => items,
            _ => panic!("{self:?} is not a structure"),
        }
    }

    /// The item at the end of a path of tags, each the first of its kind.
    pub fn find(&self, path: &[u32]) -> Option<&Self> {
        path.iter().try_fold(self, |item, tag| {
            item.children().iter().find(|child| child.tag == *tag)
        })
    }

    pub fn all(&self, tag: u32) -> impl Iterator<Item = &Self> {
        self.children().iter().filter(move |child| child.tag == tag)
    }

    pub fn text(&self) -> &str {
        match &self.value {
            Value::Text(text) => text,
            _ => panic!("{self:?} is not text"),
        }
    }

    pub fn bytes(&self) -> &[u8] {
        match &self.value {
            Value::Bytes(bytes) => bytes,
            _ => panic!("{self:?} is not a byte string"),
        }
    }

    pub fn number(&self) -> i64 {
        match &self.value {
            Value::Integer(number) => i64::from(*number),
            Value::Enumeration(number) | Value::Interval(number) => i64::from(*number),
            Value::LongInteger(number) | Value::DateTime(number) => *number,
            _ => panic!("{self:?} is not a number"),
        }
    }
}

impl fmt::Debug for Item {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:06x}=", self.tag)?;
        match &self.value {
            Value::Structure(items) => out.debug_list().entries(items).finish(),
            Value::Integer(value) => write!(out, "{value}"),
            Value::LongInteger(value) => write!(out, "{value}L"),
            Value::Enumeration(value) => write!(out, "enum {value:#x}"),
            Value::Boolean(value) => write!(out, "{value}"),
            Value::Text(value) => write!(out, "{value:?}"),
            Value::Bytes(value) => write!(out, "<{} bytes>", value.len()),
            Value::DateTime(value) => write!(out, "time {value}"),
            Value::Interval(value) => write!(out, "{value} s"),
            Value::DateTimeExtended(value) => write!(out, "time {value} µs"),
            Value::BigInteger(value) => write!(out, "<{} byte number>", value.len()),
        }
    }
}

pub fn structure(tag: u32, items: Vec<Item>) -> Item {
    Item {
        tag,
        value: Value::Structure(items),
    }
}

pub fn integer(tag: u32, value: i32) -> Item {
    Item {
        tag,
        value: Value::Integer(value),
    }
}

pub fn enumeration(tag: u32, value: u32) -> Item {
    Item {
        tag,
        value: Value::Enumeration(value),
    }
}

pub fn text(tag: u32, value: &str) -> Item {
    Item {
        tag,
        value: Value::Text(value.to_owned()),
    }
}

pub fn bytes(tag: u32, value: &[u8]) -> Item {
    Item {
        tag,
        value: Value::Bytes(value.to_vec()),
    }
}

pub fn boolean(tag: u32, value: bool) -> Item {
    Item {
        tag,
        value: Value::Boolean(value),
    }
}
