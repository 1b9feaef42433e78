//! Items of any meaning.

use claviger::kmip::tag::{TAGS, Tag};
use claviger::kmip::ttlv::{Item, Value};
use claviger::kmip::version::V2_0;
use proptest::collection::vec;
use proptest::prelude::{BoxedStrategy, Strategy, any, prop_oneof};

use super::{Scope, bytes, date, text};

/// A tag of the tables or of the range for extensions.
fn tag() -> impl Strategy<Value = Tag> {
    prop_oneof![
        (0..TAGS.len()).prop_map(|place| TAGS[place].tag),
        (0x54_0000_u32..=0x54_FFFF).prop_map(Tag::new),
    ]
}

fn value_of_1_x() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i32>().prop_map(Value::Integer),
        any::<i64>().prop_map(Value::LongInteger),
        vec(any::<[u8; 8]>(), 1..4).prop_map(|words| Value::BigInteger(words.concat())),
        any::<u32>().prop_map(Value::Enumeration),
        any::<bool>().prop_map(Value::Boolean),
        text().prop_map(Value::TextString),
        bytes().prop_map(Value::ByteString),
        date().prop_map(Value::DateTime),
        any::<u32>().prop_map(Value::Interval),
    ]
}

fn value_of_2_x() -> impl Strategy<Value = Value> {
    prop_oneof![
        9 => value_of_1_x(),
        1 => any::<i64>().prop_map(Value::DateTimeExtended),
    ]
}

/// A value that is no structure, of the types that the version has.
pub(super) fn simple_value(scope: Scope) -> BoxedStrategy<Value> {
    if scope.knows >= V2_0 {
        value_of_2_x().boxed()
    } else {
        value_of_1_x().boxed()
    }
}

/// A structure of items that a vendor made up.
pub(super) fn structure(scope: Scope) -> impl Strategy<Value = Value> {
    vec((0x54_0000_u32..=0x54_FFFF, simple_value(scope)), 0..4).prop_map(|items| {
        Value::Structure(
            items
                .into_iter()
                .map(|(tag, value)| Item::new(Tag::new(tag), value))
                .collect(),
        )
    })
}

/// Any value, structures within structures included.
fn value() -> impl Strategy<Value = Value> {
    value_of_2_x().prop_recursive(5, 40, 5, |inner| {
        vec((tag(), inner).prop_map(|(tag, value)| Item { tag, value }), 0..5).prop_map(Value::Structure)
    })
}

/// Any item.
pub(crate) fn item() -> impl Strategy<Value = Item> {
    (tag(), value()).prop_map(|(tag, value)| Item { tag, value })
}
