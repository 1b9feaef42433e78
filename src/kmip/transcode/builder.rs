//! From text to the binary form: structures as they open and close, values as they are written.

use super::parse;
use crate::kmip::naming::Siblings;
use crate::kmip::output::{Output, ZeroizingOutput};
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::{DecodeError, DecodeErrorKind, ItemType, Limits};

/// The bytes of a tag, a type and a length.
const HEADER: usize = 8;

/// Resolves the escapes of a value on its way to an output.
pub(crate) type Unescape = fn(&str, &mut dyn Output) -> Result<(), DecodeErrorKind>;

/// A value as a text has it.
#[derive(Clone, Copy)]
pub(crate) struct Written<'a> {
    /// The text between the quotes, escapes and all; or a JSON number or `true` or `false`.
    pub(crate) raw: &'a str,
    /// Whether it stands in quotes.
    pub(crate) is_quoted: bool,
    /// Resolves the escapes; `None` where there are none.
    pub(crate) unescape: Option<Unescape>,
    /// Where it is.
    pub(crate) offset: usize,
}

/// Writes the binary form of one message at the end of an output.
pub(crate) struct Builder<'o> {
    out: &'o mut dyn Output,
    limits: Limits,
    items_left: u32,
    open: Vec<Open>,
}

/// A structure whose end has not come.
struct Open {
    tag: Tag,
    /// Where its first item starts.
    start: usize,
    siblings: Siblings,
}

impl<'o> Builder<'o> {
    pub(crate) fn new(out: &'o mut dyn Output, limits: &Limits) -> Self {
        Self {
            out,
            limits: *limits,
            items_left: limits.items,
            open: Vec::new(),
        }
    }

    /// How many structures are open.
    pub(crate) fn depth(&self) -> usize {
        self.open.len()
    }

    /// An error at a place of the text, in the structures that are open.
    #[cold]
    pub(crate) fn error(&self, kind: DecodeErrorKind, offset: usize) -> DecodeError {
        self.open
            .iter()
            .rev()
            .fold(DecodeError::new(kind, offset), |error, open| {
                error.within(open.tag, None)
            })
    }

    /// Opens a structure.
    pub(crate) fn begin(&mut self, tag: Tag, offset: usize) -> Result<(), DecodeError> {
        if self.open.len() >= self.limits.depth {
            let limit = self.limits.depth;
            return Err(self.error(DecodeErrorKind::TooDeep { limit }, offset));
        }
        self.header(tag, ItemType::Structure, offset)?;
        self.open.push(Open {
            tag,
            start: self.out.len(),
            siblings: Siblings::default(),
        });
        Ok(())
    }

    /// Closes the structure that was opened last.
    pub(crate) fn end(&mut self) {
        if let Some(Open { start, .. }) = self.open.pop() {
            self.close(start);
        }
    }

    /// Writes an item of a simple type.
    pub(crate) fn simple(
        &mut self,
        tag: Tag,
        item_type: ItemType,
        value: &Written<'_>,
    ) -> Result<(), DecodeError> {
        let offset = value.offset;
        self.header(tag, item_type, offset)?;
        let start = self.out.len();
        let written = match (item_type, value.unescape) {
            (ItemType::TextString, _) => self.text(tag, value),
            (_, None) => self.value(tag, item_type, value.raw, value.is_quoted),
            (_, Some(unescape)) => {
                let mut plain = ZeroizingOutput::new();
                unescape(value.raw, &mut plain)
                    .and_then(|()| str::from_utf8(plain.as_slice()).map_err(|_| DecodeErrorKind::NotUtf8))
                    .and_then(|plain| self.value(tag, item_type, plain, value.is_quoted))
            }
        };
        written.map_err(|kind| self.error(kind, offset).under(tag))?;
        self.close(start);
        Ok(())
    }

    fn text(&mut self, tag: Tag, value: &Written<'_>) -> Result<(), DecodeErrorKind> {
        if !value.is_quoted {
            return Err(DecodeErrorKind::BadValue {
                expected: "a text in quotes",
            });
        }
        let start = self.out.len();
        match value.unescape {
            None => self.out.append(value.raw.as_bytes()),
            Some(unescape) => unescape(value.raw, self.out)?,
        }
        let (length, limit) = (self.out.len() - start, self.limits.text_length);
        if length > limit {
            return Err(DecodeErrorKind::TextTooLong { length, limit });
        }
        if let Some(open) = self.open.last_mut() {
            let text =
                str::from_utf8(&self.out.as_mut_slice()[start..]).map_err(|_| DecodeErrorKind::NotUtf8)?;
            open.siblings.note(tag, text);
        }
        Ok(())
    }

    fn value(
        &mut self,
        tag: Tag,
        item_type: ItemType,
        text: &str,
        is_quoted: bool,
    ) -> Result<(), DecodeErrorKind> {
        let meaning = self.open.last().map_or(tag, |open| open.siblings.meaning_of(tag));
        match item_type {
            ItemType::Structure | ItemType::TextString => Err(DecodeErrorKind::BadValue {
                expected: "items in it",
            }),
            ItemType::ByteString if is_quoted => parse::bytes(text, self.out),
            ItemType::ByteString => Err(DecodeErrorKind::BadValue {
                expected: "bytes in hexadecimal, in quotes",
            }),
            ItemType::BigInteger => parse::big_integer(text, self.out),
            ItemType::Integer => parse::integer(text, meaning).map(|value| self.four(value.to_be_bytes())),
            ItemType::Enumeration => {
                parse::enumeration(text, meaning).map(|value| self.four(value.to_be_bytes()))
            }
            ItemType::Interval => parse::interval(text).map(|value| self.four(value.to_be_bytes())),
            ItemType::LongInteger | ItemType::DateTimeExtended => {
                parse::long_integer(text).map(|value| self.eight(value.to_be_bytes()))
            }
            ItemType::Boolean => parse::boolean(text).map(|value| self.eight(u64::from(value).to_be_bytes())),
            ItemType::DateTime => parse::date_time(text).map(|value| self.eight(value.0.to_be_bytes())),
        }
    }

    fn four(&mut self, value: [u8; 4]) {
        self.out.append(&value);
    }

    fn eight(&mut self, value: [u8; 8]) {
        self.out.append(&value);
    }

    /// Writes a header whose length is not known yet, and counts the item.
    fn header(&mut self, tag: Tag, item_type: ItemType, offset: usize) -> Result<(), DecodeError> {
        let Some(left) = self.items_left.checked_sub(1) else {
            let limit = self.limits.items;
            return Err(self.error(DecodeErrorKind::TooManyItems { limit }, offset));
        };
        self.items_left = left;
        let mut header = [0; HEADER];
        header[..3].copy_from_slice(&tag.to_bytes());
        header[3] = item_type.code();
        self.out.append(&header);
        Ok(())
    }

    /// Puts the length before the value that starts at `start`, and the padding behind it.
    fn close(&mut self, start: usize) {
        let length = self.out.len() - start;
        let length_bytes = u32::try_from(length)
            .expect("a text that is within its limit makes no item of 4 GiB")
            .to_be_bytes();
        self.out.as_mut_slice()[start - 4..start].copy_from_slice(&length_bytes);
        self.out.append_zeroed(length.wrapping_neg() & 7);
    }
}
