//! Whether an answer is the one that the standard expects, where it can be known beforehand.
//!
//! What cannot be known is compared by shape: dates and messages by their being there, keys and digests that the
//! server made by their length. Each such literal stands for one value from its first appearance on, so that an
//! answer that changes its mind is found.

#![allow(unreachable_pub, reason = "a test is a crate of its own")]

use std::collections::BTreeSet;

use claviger::kmip::attribute::AttributeKind;
use claviger::kmip::tag::Tag;
use claviger::kmip::ttlv::ItemType;
use sha2::{Digest, Sha256};

use crate::oasis::{Content, Element, Placeholders};
use crate::support::ttlv::{Item, Value};

/// Fields whose value is the server's own, or for people.
const FREE: [Tag; 5] = [
    Tag::RESULT_MESSAGE,
    Tag::TIME_STAMP,
    Tag::VENDOR_IDENTIFICATION,
    Tag::SERVER_INFORMATION,
    Tag::SERVER_CORRELATION_VALUE,
];
/// Fields that may be missing on either side.
const OPTIONAL: [Tag; 2] = [Tag::RESULT_MESSAGE, Tag::SERVER_CORRELATION_VALUE];

/// Lists in a Query's answer that each server fills in for itself.
const OWN_LISTS: [Tag; 9] = [
    Tag::OPERATION,
    Tag::OBJECT_TYPE,
    Tag::APPLICATION_NAMESPACE,
    Tag::EXTENSION_INFORMATION,
    Tag::ATTESTATION_TYPE,
    Tag::RNG_PARAMETERS,
    Tag::PROFILE_INFORMATION,
    Tag::VALIDATION_INFORMATION,
    Tag::CAPABILITY_INFORMATION,
];

/// The state of one case: placeholders, and the keys that the client itself brought.
#[derive(Default)]
pub struct Comparison {
    pub placeholders: Placeholders,
    brought: BTreeSet<String>,
    differences: Vec<String>,
    /// The request named no attributes: the server answers with all that it has.
    all_attributes: bool,
    /// The request is a Query: its lists are the server's own.
    query: bool,
}

impl Comparison {
    /// Looks at a request for what the answer may be compared by.
    pub fn note_request(&mut self, request: &Element) {
        self.query = false;
        self.all_attributes = false;
        for item in request
            .elements()
            .iter()
            .filter(|element| element.tag == Tag::BATCH_ITEM)
        {
            let operation = item
                .find(Tag::OPERATION)
                .and_then(Element::text)
                .unwrap_or_default();
            let payload = item.find(Tag::REQUEST_PAYLOAD);
            let names_none = payload.is_none_or(|payload| payload.find(Tag::ATTRIBUTE_NAME).is_none());
            self.query |= operation == "Query";
            self.all_attributes |=
                operation == "GetAttributeList" || (operation == "GetAttributes" && names_none);
            if operation == "Register"
                && let Some(payload) = payload
            {
                self.note_material(payload);
            }
        }
    }

    fn note_material(&mut self, element: &Element) {
        if element.tag == Tag::KEY_MATERIAL
            && let Some(text) = element.text()
        {
            let bytes = hex::decode(text).unwrap_or_default();
            self.brought.insert(hex::encode(Sha256::digest(&bytes)));
            self.brought.insert(text.to_lowercase());
        }
        element
            .elements()
            .iter()
            .for_each(|element| self.note_material(element));
    }

    /// The differences between an answer and the expected one.
    pub fn differences(&mut self, expected: &Element, actual: &Item) -> Vec<String> {
        self.differences.clear();
        self.item(expected, expected.tag, actual, "");
        std::mem::take(&mut self.differences)
    }

    fn differ(&mut self, path: &str, words: &str) {
        self.differences.push(format!("{path}: {words}"));
    }

    /// `meaning` is the tag whose enumeration a number is of: an attribute's value is of the attribute's.
    fn item(&mut self, expected: &Element, meaning: Tag, actual: &Item, path: &str) {
        let path = format!("{path}/{}", expected.tag);
        match (&expected.content, &actual.value) {
            _ if FREE.contains(&expected.tag) || meaning == AttributeKind::RandomNumberGenerator.tag() => {}
            (Content::Structure(_), Value::Structure(items)) => self.structure(expected, items, &path),
            (Content::Simple(ItemType::DateTime, _), Value::DateTime(_)) => {}
            (Content::Simple(_, text), _) if text.starts_with('$') => self.placeholder(text, actual, &path),
            (Content::Simple(ItemType::ByteString, text), Value::Bytes(bytes))
                if self.is_made_by_the_server(expected.tag, text) =>
            {
                if bytes.len() * 2 != text.len() {
                    self.differ(&path, &format!("{} bytes, not {}", bytes.len(), text.len() / 2));
                }
                self.placeholder(text, actual, &path);
            }
            _ => self.literal(expected, meaning, actual, &path),
        }
    }

    fn is_made_by_the_server(&self, tag: Tag, text: &str) -> bool {
        [Tag::KEY_MATERIAL, Tag::DIGEST_VALUE].contains(&tag) && !self.brought.contains(&text.to_lowercase())
    }

    fn structure(&mut self, expected: &Element, actual: &[Item], path: &str) {
        let attribute = expected.find(Tag::ATTRIBUTE_NAME).and_then(Element::text);
        let attribute = attribute
            .and_then(AttributeKind::from_text)
            .map(AttributeKind::tag);
        let mut left: Vec<&Item> = actual.iter().collect();
        for element in expected.elements() {
            let meaning = match attribute {
                Some(attribute) if element.tag == Tag::ATTRIBUTE_VALUE => attribute,
                _ => element.tag,
            };
            let own_list = self.query && OWN_LISTS.contains(&element.tag);
            // Of several of a kind (attributes, identifiers) the one that fits best is meant, in any order.
            let best = (0..left.len())
                .filter(|place| left[*place].tag == element.tag.number())
                .min_by_key(|place| self.distance(element, meaning, left[*place]));
            match best {
                Some(place) => {
                    let actual = left.remove(place);
                    if !own_list {
                        self.item(element, meaning, actual, path);
                    }
                }
                None if own_list || OPTIONAL.contains(&element.tag) => {}
                None => self.differ(path, &format!("{} {:?} is missing", element.tag, element.text())),
            }
        }
        for item in left {
            let is_of = |tags: &[Tag]| tags.iter().any(|tag| tag.number() == item.tag);
            let extra_attribute = self.all_attributes && is_of(&[Tag::ATTRIBUTE, Tag::ATTRIBUTE_NAME]);
            // A server that speaks more versions than the case knows of is right to say so.
            let extra_version = expected.tag == Tag::RESPONSE_PAYLOAD && is_of(&[Tag::PROTOCOL_VERSION]);
            let own_list = self.query && is_of(&OWN_LISTS);
            if !(extra_attribute || extra_version || own_list || is_of(&OPTIONAL)) {
                self.differ(path, &format!("{item:?} was not expected"));
            }
        }
    }

    /// How far an item is from the expected one: the number of differences, nothing remembered.
    fn distance(&mut self, expected: &Element, meaning: Tag, actual: &Item) -> usize {
        let values = self.placeholders.values.clone();
        let differences = std::mem::take(&mut self.differences);
        self.item(expected, meaning, actual, "");
        self.placeholders.values = values;
        std::mem::replace(&mut self.differences, differences).len()
    }

    /// The first value of a placeholder is its value from then on.
    fn placeholder(&mut self, name: &str, actual: &Item, path: &str) {
        let value = match &actual.value {
            Value::Text(text) => text.clone(),
            Value::Bytes(bytes) => hex::encode(bytes),
            _ => return self.differ(path, &format!("{name} cannot be {actual:?}")),
        };
        match self.placeholders.values.get(name) {
            Some(bound) if *bound != value => self.differ(path, &format!("{name} was another value before")),
            Some(_) => {}
            None => {
                self.placeholders.values.insert(name.to_owned(), value);
            }
        }
    }

    fn literal(&mut self, expected: &Element, meaning: Tag, actual: &Item, path: &str) {
        match expected.to_bytes_of(meaning, &self.placeholders) {
            Ok(bytes) if bytes == actual.encode() => {}
            Ok(bytes) => {
                let expected = Item::decode(&bytes);
                self.differ(path, &format!("{expected:?} was expected, not {actual:?}"));
            }
            Err(error) => self.differ(path, &error),
        }
    }
}
