//! From the binary form to text: each item in turn, with what its number means.

use crate::kmip::naming::{self, Siblings, Simple};
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::{Context, DecodeError, ItemType, Limits, Reader};

/// An answer is the server's own, so that it is bounded by what made it; only the depth keeps the walk from going on
/// without end.
const LIMITS: Limits = Limits {
    message_size: usize::MAX,
    depth: 64,
    items: u32::MAX,
    text_length: usize::MAX,
};

/// Where an item stands.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    /// How many structures are around it.
    pub(crate) depth: usize,
    /// Whether it is the first of its structure.
    pub(crate) is_first: bool,
}

/// Who is told of each item.
pub(crate) trait Visitor {
    /// A structure begins, which has no item where `is_empty`.
    fn begin(&mut self, place: Place, tag: Tag, is_empty: bool);

    /// The structure ends.
    fn end(&mut self, depth: usize, tag: Tag, is_empty: bool);

    /// An item of a simple type, whose number means what it means under the tag `meaning`.
    fn simple(
        &mut self,
        place: Place,
        tag: Tag,
        item_type: ItemType,
        meaning: Tag,
        value: &Simple<'_>,
    ) -> Result<(), DecodeError>;
}

/// Tells `visitor` of the items of `ttlv`.
pub(crate) fn walk(ttlv: &[u8], visitor: &mut dyn Visitor) -> Result<(), DecodeError> {
    let context = Context::tolerant(LIMITS);
    items(&mut Reader::new(ttlv, &context)?, 0, visitor)
}

fn items(reader: &mut Reader<'_, '_>, depth: usize, visitor: &mut dyn Visitor) -> Result<(), DecodeError> {
    let mut siblings = Siblings::default();
    let mut is_first = true;
    while !reader.is_empty() {
        let item_type = reader.next_type()?;
        let Some(tag) = reader.peek() else { break };
        let place = Place { depth, is_first };
        is_first = false;
        if item_type == ItemType::Structure {
            let mut inner = reader.enter(tag)?;
            let is_empty = inner.is_empty();
            visitor.begin(place, tag, is_empty);
            items(&mut inner, depth + 1, visitor).map_err(|error| error.within(tag, None))?;
            visitor.end(depth, tag, is_empty);
            continue;
        }
        let offset = reader.position();
        let value = naming::simple(reader, tag, item_type)?;
        if let Simple::Text(text) = value {
            siblings.note(tag, text);
        }
        visitor
            .simple(place, tag, item_type, siblings.meaning_of(tag), &value)
            .map_err(|error| error.within(tag, None).at_offset(offset))?;
    }
    Ok(())
}
