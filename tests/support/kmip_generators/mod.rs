//! Arbitrary KMIP items, attributes and messages, for property tests and for the first inputs of the fuzz targets.
//!
//! | module | what it makes |
//! |---|---|
//! | here | texts, bytes, dates, values of enumerations, and what a version has ([`Scope`]) |
//! | [`items`] | items of any meaning |
//! | [`attributes`] | attributes, their names and patterns |
//! | [`objects`] | keys and templates as they travel |
//! | [`requests`], [`responses`], [`query`], [`later`] | payloads |
//! | [`messages`] | what is around payloads |

#![allow(dead_code, unused_imports, reason = "each test takes what it needs")]

mod attributes;
mod items;
mod later;
mod messages;
mod objects;
mod query;
mod requests;
mod responses;
mod using;

use claviger::kmip::enumeration::Enumeration;
use claviger::kmip::tag::Tag;
use claviger::kmip::ttlv::DateTime;
use claviger::kmip::version::ProtocolVersion;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any};
use proptest::sample::select;

pub(crate) use attributes::attribute_value;
pub(crate) use items::item;
pub(crate) use messages::{request, response};

/// Texts and bytes that the generated messages borrow.
const IDENTIFIERS: [&str; 3] = ["", "1703250b-4d40-4de2-93a0-c494a1d4ae40", "schlüssel 🔑"];
const BYTES: [&[u8]; 3] = [&[], &[0x51, 0x4c, 0x4b, 0x43, 1, 0, 0, 0], &[0xA5; 33]];

/// What a message is written in, and what it speaks of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope {
    /// The version that the message is written in, which decides its form.
    pub(crate) wire: ProtocolVersion,
    /// The version whose attributes, values and fields it has.
    pub(crate) knows: ProtocolVersion,
}

impl From<ProtocolVersion> for Scope {
    /// A message of a version that has all that the version has, and nothing later.
    fn from(version: ProtocolVersion) -> Self {
        Self {
            wire: version,
            knows: version,
        }
    }
}

impl Scope {
    /// A message to a client of a version, with all that the newest version has.
    pub(crate) fn newest_to(client: ProtocolVersion) -> Self {
        Self {
            wire: client,
            knows: ProtocolVersion::SUPPORTED[0],
        }
    }

    fn has(self, tag: Tag) -> bool {
        tag.facts().is_none_or(|facts| facts.since <= self.knows)
    }

    fn is_2_x(self) -> bool {
        self.wire.tags_attributes()
    }

    /// A field that may be absent, and is where the version has no such tag.
    fn optional<S: Strategy + 'static>(self, tag: Tag, strategy: S) -> BoxedStrategy<Option<S::Value>>
    where
        S::Value: Clone,
    {
        self.since(tag.facts().map_or(self.knows, |facts| facts.since), strategy)
    }

    /// A field that may be absent, and is before a version.
    fn since<S: Strategy + 'static>(
        self,
        since: ProtocolVersion,
        strategy: S,
    ) -> BoxedStrategy<Option<S::Value>>
    where
        S::Value: Clone,
    {
        if since <= self.knows {
            option::of(strategy).boxed()
        } else {
            Just(None).boxed()
        }
    }

    /// A field that may repeat, and is absent where the version has no such tag.
    fn repeated<S: Strategy + 'static>(
        self,
        tag: Tag,
        strategy: S,
        most: usize,
    ) -> BoxedStrategy<Vec<S::Value>>
    where
        S::Value: Clone,
    {
        if self.has(tag) {
            vec(strategy, 0..=most).boxed()
        } else {
            Just(Vec::new()).boxed()
        }
    }
}

fn text() -> impl Strategy<Value = String> {
    "\\PC{0,12}|[a-z]{0,40}"
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..40)
}

fn date() -> impl Strategy<Value = DateTime> {
    any::<i64>().prop_map(DateTime)
}

/// A number that an Integer holds and that is not negative.
fn count() -> impl Strategy<Value = u32> {
    0..=i32::MAX.cast_unsigned()
}

fn version() -> impl Strategy<Value = ProtocolVersion> {
    (0..9_u32, 0..9_u32).prop_map(|(major, minor)| ProtocolVersion { major, minor })
}

/// A value of an enumeration, of those that the version has; or an extension, which every version has.
fn one_of<E: Enumeration>(scope: Scope) -> impl Strategy<Value = E> + 'static {
    let known = E::FACTS
        .values
        .iter()
        .filter(|fact| fact.since <= scope.knows)
        .map(|fact| fact.value);
    let values: Vec<E> = known.chain([0x8000_0001]).map(E::from_value).collect();
    select(values)
}
