//! Finding items in bytes that stay where they are: headers, structures, limits.

mod typed;

use std::cell::Cell;

use super::{DecodeError, DecodeErrorKind, ItemType, Limits};
use crate::kmip::tag::Tag;
use crate::kmip::version::{ProtocolVersion, V1_4};

/// The bytes of an item's tag, type and length.
const HEADER: usize = 8;

/// What all readers of one message share.
#[derive(Debug)]
pub(crate) struct Context {
    limits: Limits,
    items_left: Cell<u32>,
    /// Whether numbers that an enumeration does not have are let pass. So it is where a client reads the answers of a
    /// server that may be newer than itself.
    accept_unknown_values: bool,
    /// Whether items of unknown tags are passed over. So it is for a minor version that is newer than the tables
    /// (section 11.1).
    skip_unknown_items: Cell<bool>,
    /// The version that the message is written in, from its header on.
    version: Cell<ProtocolVersion>,
}

impl Context {
    /// For reading what a client sent.
    pub(crate) fn strict(limits: Limits) -> Self {
        Self {
            items_left: Cell::new(limits.items),
            limits,
            accept_unknown_values: false,
            skip_unknown_items: Cell::new(false),
            version: Cell::new(V1_4),
        }
    }

    /// For reading what a server answered.
    pub(crate) fn tolerant(limits: Limits) -> Self {
        Self {
            accept_unknown_values: true,
            ..Self::strict(limits)
        }
    }

    /// From here on, reads as this version writes. Without it, 1.4.
    pub(crate) fn set_version(&self, version: ProtocolVersion) {
        self.version.set(version);
    }

    /// From here on, passes over items of unknown tags.
    pub(crate) fn skip_unknown_items(&self) {
        self.skip_unknown_items.set(true);
    }
}

/// Reads the items of one structure, in order.
#[derive(Debug)]
pub(crate) struct Reader<'a, 'c> {
    input: &'a [u8],
    start: usize,
    position: usize,
    end: usize,
    depth: usize,
    context: &'c Context,
}

/// An item's place: its value starts at `value` and has `length` bytes; the next item starts at `next`.
struct Place {
    item_type: ItemType,
    value: usize,
    length: usize,
    next: usize,
}

impl<'a, 'c> Reader<'a, 'c> {
    /// A reader of the items that `input` holds.
    pub(crate) fn new(input: &'a [u8], context: &'c Context) -> Result<Self, DecodeError> {
        if input.len() > context.limits.message_size {
            let limit = context.limits.message_size;
            return Err(DecodeError::new(
                DecodeErrorKind::TooLarge {
                    size: input.len(),
                    limit,
                },
                0,
            ));
        }
        Ok(Self {
            input,
            start: 0,
            position: 0,
            end: input.len(),
            depth: 0,
            context,
        })
    }

    /// Reads `input`, which is one structure of this tag and nothing else, with `read`.
    pub(crate) fn message<T>(
        input: &'a [u8],
        context: &'c Context,
        tag: Tag,
        read: impl FnOnce(&mut Reader<'a, 'c>) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        let mut reader = Self::new(input, context)?;
        let mut inner = reader.enter(tag)?;
        if !reader.is_empty() {
            return Err(reader.error(DecodeErrorKind::TrailingBytes { count: reader.left() }));
        }
        inner.whole(read).map_err(|error| error.within(tag, None))
    }

    /// Another reader at the same place.
    pub(crate) fn fork(&self) -> Self {
        Self { ..*self }
    }

    /// Whether every item was read.
    pub(crate) fn is_empty(&self) -> bool {
        self.position == self.end
    }

    /// How many bytes are left to read.
    pub(crate) fn left(&self) -> usize {
        self.end - self.position
    }

    /// The byte of the message at which the next item starts.
    pub(crate) fn position(&self) -> usize {
        self.position
    }

    /// What is shared with the other readers of the message.
    pub(crate) fn context(&self) -> &'c Context {
        self.context
    }

    /// The version that the message is written in.
    #[inline]
    pub(crate) fn version(&self) -> ProtocolVersion {
        self.context.version.get()
    }

    /// The tag of the next item; `None` where there is none, or where its header is cut off.
    #[inline]
    pub(crate) fn peek(&mut self) -> Option<Tag> {
        loop {
            let tag = self.peek_any()?;
            if self.context.skip_unknown_items.get() && tag.facts().is_none() && self.pass().is_ok() {
                continue;
            }
            return Some(tag);
        }
    }

    #[inline]
    fn peek_any(&self) -> Option<Tag> {
        match self.input[self.position..self.end] {
            [a, b, c, _, _, _, _, _, ..] => Some(Tag::from_bytes([a, b, c])),
            _ => None,
        }
    }

    /// Whether the next item is of this tag.
    #[inline]
    pub(crate) fn is_next(&mut self, tag: Tag) -> bool {
        // Asked for first, so that what is wanted is never taken for unknown.
        self.peek_any() == Some(tag) || (self.context.skip_unknown_items.get() && self.peek() == Some(tag))
    }

    /// An error at the next item.
    #[cold]
    pub(crate) fn error(&self, kind: DecodeErrorKind) -> DecodeError {
        DecodeError::new(kind, self.position)
    }

    /// Reads the next item's header and checks that the item is whole. Does not move.
    #[inline]
    fn place(&self) -> Result<(Tag, Place), DecodeError> {
        let left = self.left();
        let [a, b, c, code, l0, l1, l2, l3, ..] = self.input[self.position..self.end] else {
            return Err(self.error(DecodeErrorKind::Truncated { needed: HEADER, left }));
        };
        let tag = Tag::from_bytes([a, b, c]);
        if !tag.is_allowed() {
            return Err(self.error(DecodeErrorKind::ForbiddenTag { found: tag }));
        }
        let Some(item_type) = ItemType::from_code(code) else {
            return Err(self
                .error(DecodeErrorKind::UnknownType { code })
                .within(tag, None));
        };
        let length = u32::from_be_bytes([l0, l1, l2, l3]) as usize;
        let fits = match item_type {
            ItemType::Integer | ItemType::Enumeration | ItemType::Interval => length == 4,
            ItemType::LongInteger | ItemType::Boolean | ItemType::DateTime | ItemType::DateTimeExtended => {
                length == 8
            }
            ItemType::Structure => length.is_multiple_of(8),
            ItemType::BigInteger => length.is_multiple_of(8) && length > 0,
            ItemType::TextString | ItemType::ByteString => true,
        };
        if !fits {
            return Err(self
                .error(DecodeErrorKind::WrongLength { item_type, length })
                .within(tag, None));
        }
        let needed = HEADER.saturating_add(length.div_ceil(8).saturating_mul(8));
        if needed > left {
            return Err(self
                .error(DecodeErrorKind::Truncated { needed, left })
                .within(tag, None));
        }
        let value = self.position + HEADER;
        let next = self.position + needed;
        if self.input[value + length..next].iter().any(|byte| *byte != 0) {
            return Err(self.error(DecodeErrorKind::Padding).within(tag, None));
        }
        Ok((
            tag,
            Place {
                item_type,
                value,
                length,
                next,
            },
        ))
    }

    /// Moves to the item after `place`, and counts.
    #[inline]
    fn advance(&mut self, place: &Place) -> Result<(), DecodeError> {
        let Some(left) = self.context.items_left.get().checked_sub(1) else {
            return Err(self.error(DecodeErrorKind::TooManyItems {
                limit: self.context.limits.items,
            }));
        };
        self.context.items_left.set(left);
        self.position = place.next;
        Ok(())
    }

    /// Passes over the next item without looking into it.
    pub(crate) fn pass(&mut self) -> Result<Tag, DecodeError> {
        let (tag, place) = self.place()?;
        self.advance(&place)?;
        Ok(tag)
    }

    /// The bytes of the value of the next item, which must be of this tag and type.
    #[inline]
    fn value(&mut self, tag: Tag, expected: ItemType) -> Result<&'a [u8], DecodeError> {
        if !self.is_next(tag) {
            return Err(self.missing(tag));
        }
        let (_, place) = self.place()?;
        if place.item_type != expected {
            let found = place.item_type;
            return Err(self
                .error(DecodeErrorKind::WrongType { expected, found })
                .within(tag, None));
        }
        self.advance(&place)?;
        Ok(&self.input[place.value..place.value + place.length])
    }

    /// That an item of this tag is not there.
    #[cold]
    pub(crate) fn missing(&self, expected: Tag) -> DecodeError {
        let left = self.left();
        match self.peek_any() {
            None if left > 0 => self.error(DecodeErrorKind::Truncated { needed: HEADER, left }),
            Some(found) if !found.is_allowed() => self.error(DecodeErrorKind::ForbiddenTag { found }),
            found => self.error(DecodeErrorKind::Missing { expected, found }),
        }
    }

    /// The type of the next item.
    pub(crate) fn next_type(&mut self) -> Result<ItemType, DecodeError> {
        self.peek();
        self.place().map(|(_, place)| place.item_type)
    }

    /// A reader of the items of the next item, a structure of this tag, which is then passed.
    pub(crate) fn enter(&mut self, tag: Tag) -> Result<Reader<'a, 'c>, DecodeError> {
        let offset = self.position;
        let value = self.value(tag, ItemType::Structure)?;
        if self.depth >= self.context.limits.depth {
            let limit = self.context.limits.depth;
            return Err(DecodeError::new(DecodeErrorKind::TooDeep { limit }, offset).within(tag, None));
        }
        let end = self.position;
        let start = end - value.len();
        Ok(Reader {
            start,
            position: start,
            end,
            depth: self.depth + 1,
            ..*self
        })
    }

    /// Reads the next item, a structure of this tag, with `read`, which must read all of its items.
    #[inline]
    pub(crate) fn structure<T>(
        &mut self,
        tag: Tag,
        read: impl FnOnce(&mut Reader<'a, 'c>) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        let mut inner = self.enter(tag)?;
        inner.whole(read).map_err(|error| error.within(tag, None))
    }

    /// Reads all items of this reader with `read`, and refuses what it leaves.
    #[inline]
    pub(crate) fn whole<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        let value = read(self)?;
        match self.peek() {
            None if self.is_empty() => Ok(value),
            _ => Err(self.left_over()),
        }
    }

    /// That the next item has no place here.
    #[cold]
    fn left_over(&self) -> DecodeError {
        let found = match self.place() {
            Ok((found, _)) => found,
            Err(error) => return error,
        };
        let mut before = Reader {
            position: self.start,
            end: self.position,
            ..*self
        };
        while let Some(tag) = before.peek_any() {
            if tag == found {
                return self.error(DecodeErrorKind::Repeated { found });
            }
            let Ok((_, place)) = before.place() else { break };
            before.position = place.next;
        }
        self.error(DecodeErrorKind::Unexpected { found })
    }

    /// Reads the next item with `read` where it is of this tag.
    #[inline]
    pub(crate) fn optional<T>(
        &mut self,
        tag: Tag,
        read: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Option<T>, DecodeError> {
        if self.is_next(tag) {
            read(self).map(Some)
        } else {
            Ok(None)
        }
    }

    /// The bytes of the next item, a structure of this tag, from its first item's header on. Their content is not
    /// looked at.
    pub(crate) fn raw_structure(&mut self, tag: Tag) -> Result<&'a [u8], DecodeError> {
        self.value(tag, ItemType::Structure)
    }

    /// Reads what follows of this tag, with `read`.
    pub(crate) fn repeated<T>(
        &mut self,
        tag: Tag,
        mut read: impl FnMut(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, DecodeError> {
        let mut all = Vec::new();
        while self.is_next(tag) {
            all.push(read(self)?);
        }
        Ok(all)
    }
}
