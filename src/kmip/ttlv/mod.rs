//! The binary encoding: tag, type, length, value (KMIP 1.4, section 9.1).
//!
//! Here belongs what any item is, whatever it means: its types, how it is read and written, and the owned tree
//! ([`Value`]) for items that are kept without being understood. What items mean belongs to `message`, `payload`
//! and `attribute`.

mod error;
mod field;
mod limits;
mod reader;
#[cfg(test)]
mod tests;
mod value;
mod writer;

pub use error::{DecodeError, DecodeErrorKind};
pub use limits::Limits;
pub use value::{DateTime, Item, ItemType, Value};

pub(crate) use field::{Field, structure_fields};
pub(crate) use reader::{Context, Reader};
pub(crate) use writer::Writer;

use super::output::Output;
use super::tag::Tag;
use super::version::V1_4;

/// Reads one item, and all that is in it, from bytes that hold nothing else.
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Item, DecodeError> {
    let context = Context::tolerant(*limits);
    let mut reader = Reader::new(bytes, &context)?;
    let item = reader.item()?;
    if !reader.is_empty() {
        let start = bytes.len() - reader.left();
        return Err(DecodeError::new(
            DecodeErrorKind::TrailingBytes { count: reader.left() },
            start,
        ));
    }
    Ok(item)
}

/// Writes one item, and all that is in it, at the end of `out`.
pub fn encode(item: &Item, out: &mut dyn Output) {
    Writer::new(out, V1_4).tree(item.tag, &item.value);
}

/// The size in bytes of the message that starts with `bytes`, its header included; `None` while there are fewer than
/// the eight bytes that tell. Refuses what is not the header of a structure, and what is over the limit, so that
/// nobody waits for a message that will not be read.
pub fn message_size(bytes: &[u8], limits: &Limits) -> Result<Option<usize>, DecodeError> {
    let Some(header) = bytes.first_chunk::<8>() else {
        return Ok(None);
    };
    let [a, b, c, code, l0, l1, l2, l3] = *header;
    let found = Tag::from_bytes([a, b, c]);
    if !found.is_allowed() {
        return Err(DecodeError::new(DecodeErrorKind::ForbiddenTag { found }, 0));
    }
    let expected = ItemType::Structure;
    match ItemType::from_code(code) {
        Some(ItemType::Structure) => {}
        Some(found) => {
            return Err(DecodeError::new(
                DecodeErrorKind::WrongType { expected, found },
                0,
            ));
        }
        None => return Err(DecodeError::new(DecodeErrorKind::UnknownType { code }, 0)),
    }
    let length = u32::from_be_bytes([l0, l1, l2, l3]) as usize;
    let size = length.saturating_add(8);
    if !length.is_multiple_of(8) {
        return Err(DecodeError::new(
            DecodeErrorKind::WrongLength {
                item_type: expected,
                length,
            },
            0,
        ));
    }
    if size > limits.message_size {
        return Err(DecodeError::new(
            DecodeErrorKind::TooLarge {
                size,
                limit: limits.message_size,
            },
            0,
        ));
    }
    Ok(Some(size))
}
