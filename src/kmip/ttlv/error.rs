//! What is wrong with a message, and where.

use std::borrow::Cow;
use std::fmt;

use super::ItemType;
use crate::kmip::enumeration::ResultReason;
use crate::kmip::tag::Tag;

/// A message, or a part of one, that cannot be read: what was expected, what came, and at which item and byte.
#[derive(Clone, PartialEq, Eq)]
pub struct DecodeError(Box<Inner>);

#[derive(Clone, PartialEq, Eq)]
struct Inner {
    kind: DecodeErrorKind,
    offset: usize,
    /// The items that the place is in, the innermost first, each with its position among those of the same tag
    /// where it may repeat.
    path: Vec<(Tag, Option<usize>)>,
    /// Whether the place is within an attribute's value.
    in_attribute_value: bool,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The bytes end within an item.
    Truncated {
        /// How many bytes the item needs.
        needed: usize,
        /// How many there are.
        left: usize,
    },
    /// Bytes follow the message.
    TrailingBytes {
        /// How many.
        count: usize,
    },
    /// The first byte of the tag is neither `42` nor `54`.
    ForbiddenTag {
        /// The tag that came.
        found: Tag,
    },
    /// The type's code is none of the specification's.
    UnknownType {
        /// The code that came.
        code: u8,
    },
    /// The item is not of the type that its tag has here.
    WrongType {
        /// The type it has.
        expected: ItemType,
        /// The type that came.
        found: ItemType,
    },
    /// The length is none that the type can have.
    WrongLength {
        /// The type.
        item_type: ItemType,
        /// The length that came.
        length: usize,
    },
    /// The bytes that fill the item up to a multiple of eight are not zero.
    Padding,
    /// A boolean that is neither 0 nor 1.
    BadBoolean {
        /// The number that came.
        found: u64,
    },
    /// A text string that is not UTF-8.
    NotUtf8,
    /// A required item is absent.
    Missing {
        /// The item.
        expected: Tag,
        /// What is in its place, if anything.
        found: Option<Tag>,
    },
    /// An item that the structure does not have, or does not have at this place.
    Unexpected {
        /// The item that came.
        found: Tag,
    },
    /// An item that the structure has once came again.
    Repeated {
        /// The item that came.
        found: Tag,
    },
    /// A number that the enumeration does not have.
    UnknownValue {
        /// The enumeration, as the specification names it.
        enumeration: &'static str,
        /// The number that came.
        found: u32,
    },
    /// A value that the field cannot have.
    BadValue {
        /// What it can have.
        expected: &'static str,
    },
    /// The Batch Count is not the number of batch items.
    BatchCount {
        /// The Batch Count.
        announced: i64,
        /// The number of batch items.
        found: usize,
    },
    /// The message is larger than [`super::Limits::message_size`].
    TooLarge {
        /// Its size.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// Structures are nested deeper than [`super::Limits::depth`].
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// There are more items than [`super::Limits::items`].
    TooManyItems {
        /// The limit.
        limit: u32,
    },
    /// A text string is longer than [`super::Limits::text_length`].
    TextTooLong {
        /// Its length in bytes.
        length: usize,
        /// The limit.
        limit: usize,
    },
    /// XML or JSON that is not well-formed, or no KMIP in it.
    Syntax {
        /// The encoding: `XML` or `JSON`.
        encoding: &'static str,
        /// What is wrong.
        what: Cow<'static, str>,
    },
    /// A name or number that stands for no tag, in XML or JSON.
    UnknownTag {
        /// What came in its place.
        found: String,
    },
    /// A name that stands for no item type, in XML or JSON.
    UnknownTypeName {
        /// What came in its place.
        found: String,
    },
    /// A name that stands for no value of an enumeration or mask, in XML or JSON.
    UnknownName {
        /// What came in its place.
        found: String,
    },
    /// A text that cannot be said in XML, which has no control characters.
    NotInXml,
}

impl DecodeError {
    /// An error at a byte of the message.
    #[cold]
    pub(crate) fn new(kind: DecodeErrorKind, offset: usize) -> Self {
        Self(Box::new(Inner {
            kind,
            offset,
            path: Vec::new(),
            in_attribute_value: false,
        }))
    }

    /// The same error, said to be within an item.
    #[cold]
    pub(crate) fn within(mut self, tag: Tag, position: Option<usize>) -> Self {
        self.0.in_attribute_value |= tag == Tag::ATTRIBUTE_VALUE;
        self.0.path.push((tag, position));
        self
    }

    /// The same error, whose innermost item is one of this tag.
    #[cold]
    pub(crate) fn under(mut self, tag: Tag) -> Self {
        self.0.in_attribute_value |= tag == Tag::ATTRIBUTE_VALUE;
        self.0.path.insert(0, (tag, None));
        self
    }

    /// The same error at another byte.
    #[cold]
    pub(crate) fn at_offset(mut self, offset: usize) -> Self {
        self.0.offset = offset;
        self
    }

    /// The same error, whose outermost item is the one at this position among those of its tag.
    #[cold]
    pub(crate) fn at_position(mut self, tag: Tag, position: usize) -> Self {
        match self.0.path.last_mut() {
            Some(last) if last.0 == tag => last.1 = Some(position),
            _ => self.0.path.push((tag, Some(position))),
        }
        self
    }

    /// What is wrong.
    pub fn kind(&self) -> &DecodeErrorKind {
        &self.0.kind
    }

    /// The byte of the message at which the item starts that cannot be read.
    pub fn offset(&self) -> usize {
        self.0.offset
    }

    /// The items that the place is in, as `Request Message / Batch Item[2] / Request Payload`. Positions count from 0.
    pub fn path(&self) -> String {
        use fmt::Write;
        let mut path = String::new();
        for (tag, position) in self.0.path.iter().rev() {
            let parted = if path.is_empty() { "" } else { " / " };
            let _ = match position {
                Some(position) => write!(path, "{parted}{tag}[{position}]"),
                None => write!(path, "{parted}{tag}"),
            };
        }
        path
    }

    /// The Result Reason that section 11.1 prescribes: Invalid Field for values and fields that are not known, Invalid
    /// Message for what cannot be parsed.
    pub fn result_reason(&self) -> ResultReason {
        match self.0.kind {
            DecodeErrorKind::UnknownValue { .. }
            | DecodeErrorKind::BadValue { .. }
            | DecodeErrorKind::UnknownTag { .. }
            | DecodeErrorKind::UnknownName { .. }
            | DecodeErrorKind::Unexpected { .. } => ResultReason::InvalidField,
            // An attribute of another type than it has is an incorrect attribute value (section 11.2).
            DecodeErrorKind::WrongType { .. } if self.0.in_attribute_value => ResultReason::InvalidField,
            _ => ResultReason::InvalidMessage,
        }
    }
}

impl fmt::Display for DecodeErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated { needed, left } => {
                write!(f, "the item needs {needed} bytes, and {left} are left")
            }
            Self::TrailingBytes { count } => write!(f, "{count} bytes follow the message"),
            Self::ForbiddenTag { found } => write!(f, "a tag starts with 42 or 54, and {found} came"),
            Self::UnknownType { code } => write!(f, "there is no item type 0x{code:02X}"),
            Self::WrongType { expected, found } => write!(f, "expected a {expected}, and a {found} came"),
            Self::WrongLength { item_type, length } => write!(f, "a {item_type} cannot have {length} bytes"),
            Self::Padding => f.write_str("the padding is not zero"),
            Self::BadBoolean { found } => write!(f, "a Boolean is 0 or 1, and {found} came"),
            Self::NotUtf8 => f.write_str("the text is not UTF-8"),
            Self::Missing {
                expected,
                found: Some(found),
            } => write!(f, "expected {expected}, and {found} came"),
            Self::Missing {
                expected,
                found: None,
            } => write!(f, "{expected} is missing"),
            Self::Unexpected { found } => write!(f, "{found} is not expected here"),
            Self::Repeated { found } => write!(f, "{found} comes a second time"),
            Self::UnknownValue { enumeration, found } => write!(f, "there is no {enumeration} 0x{found:08X}"),
            Self::BadValue { expected } => write!(f, "expected {expected}"),
            Self::BatchCount { announced, found } => {
                write!(f, "the Batch Count is {announced}, and {found} batch items came")
            }
            Self::TooLarge { size, limit } => {
                write!(f, "the message has {size} bytes, and {limit} are allowed")
            }
            Self::TooDeep { limit } => write!(f, "structures are nested deeper than {limit}"),
            Self::TooManyItems { limit } => write!(f, "there are more than {limit} items"),
            Self::TextTooLong { length, limit } => {
                write!(f, "the text has {length} bytes, and {limit} are allowed")
            }
            Self::Syntax { encoding, what } => write!(f, "this is no KMIP in {encoding}: {what}"),
            Self::UnknownTag { found } => write!(f, "there is no tag {found:?}"),
            Self::UnknownTypeName { found } => write!(f, "there is no item type {found:?}"),
            Self::UnknownName { found } => write!(f, "there is no value {found:?} here"),
            Self::NotInXml => f.write_str("the text has a control character, which XML cannot say"),
        }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path();
        let parted = if path.is_empty() { "" } else { ", " };
        write!(f, "{path}{parted}byte {}: {}", self.0.offset, self.0.kind)
    }
}

impl fmt::Debug for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DecodeError({self})")
    }
}

impl std::error::Error for DecodeError {}
