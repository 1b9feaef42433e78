//! Whether an answer is the one that the standard expects, where it can be known beforehand.
//!
//! What cannot be known is compared by shape: dates and messages by their being there, keys and digests that the
//! server made by their length. Each such literal stands for one value from its first appearance on, so that an
//! answer that changes its mind is found.

#![allow(unreachable_pub, reason = "a test is a crate of its own")]

use std::collections::{BTreeMap, BTreeSet};

use claviger::kmip::attribute::AttributeKind;
use claviger::kmip::enumeration;
use claviger::kmip::tag::Tag;
use claviger::kmip::ttlv::ItemType;
use sha2::{Digest, Sha256};

use crate::oasis::{Content, Element, Placeholders};
use crate::support::ttlv::{Item, Value};
use crate::wrapped::{self, Brought};

/// Fields whose value is the server's own, or for people.
const FREE: [Tag; 6] = [
    Tag::RESULT_MESSAGE,
    Tag::TIME_STAMP,
    Tag::VENDOR_IDENTIFICATION,
    Tag::SERVER_INFORMATION,
    Tag::SERVER_CORRELATION_VALUE,
    // How a server keeps its objects.
    Tag::PROTECTION_STORAGE_MASK,
];
/// What a request that is put off is called by.
const PUT_OFF: &str = "$ASYNCHRONOUS_CORRELATION_VALUE";
/// Fields that may be missing on either side.
const OPTIONAL: [Tag; 2] = [Tag::RESULT_MESSAGE, Tag::SERVER_CORRELATION_VALUE];

/// Lists in a Query's answer that each server fills in for itself.
const OWN_LISTS: [Tag; 11] = [
    Tag::OPERATION,
    Tag::OBJECT_TYPE,
    Tag::APPLICATION_NAMESPACE,
    Tag::EXTENSION_INFORMATION,
    Tag::ATTESTATION_TYPE,
    Tag::RNG_PARAMETERS,
    Tag::PROFILE_INFORMATION,
    Tag::VALIDATION_INFORMATION,
    Tag::CAPABILITY_INFORMATION,
    Tag::CLIENT_REGISTRATION_METHOD,
    Tag::SERVER_INFORMATION,
];

/// The state of one case: placeholders, and the keys that the client itself brought.
#[derive(Default)]
pub struct Comparison {
    pub placeholders: Placeholders,
    /// The server has made a key, so that key material need not be what a file has.
    pub made: bool,
    /// What the last answers had, by tag: some requests mean it by a placeholder that no answer has.
    latest: BTreeMap<u32, String>,
    /// Items of the answer that are random.
    random: &'static [Tag],
    brought: BTreeSet<String>,
    /// The keys that the client brought.
    keys: Brought,
    /// What the request asked.
    asked: Asked,
    /// The client has brought a key, so that what is done with it can be known.
    registered: bool,
    differences: Vec<String>,
    /// How many items the answer is to have: some files' Batch Count is another than their number of items.
    items: usize,
}

/// What of a request decides how its answer is compared.
#[derive(Default)]
struct Asked {
    version: Option<Element>,
    /// It named no attributes: the server answers with all that it has.
    all_attributes: bool,
    /// It is a Query: its lists are the server's own.
    query: bool,
    /// Attributes are to be wrapped with the key.
    wraps_attributes: bool,
}

/// Operations after which there is a key that nobody knew before.
const MAKING: [&str; 4] = ["Create", "CreateKeyPair", "ReKey", "ReKeyKeyPair"];

/// What differs where the server made the key.
const OF_A_KEY: [Tag; 2] = [Tag::KEY_MATERIAL, Tag::DIGEST_VALUE];

/// What differs where the server made every key.
const OF_A_CIPHER: [Tag; 2] = [Tag::DATA, Tag::MAC_DATA];

/// What differs where the server chose the nonce.
const OF_A_NONCE: [Tag; 3] = [
    Tag::DATA,
    Tag::IV_COUNTER_NONCE,
    Tag::AUTHENTICATED_ENCRYPTION_TAG,
];

impl Comparison {
    /// For a case that starts where the server has made a key, or has not.
    pub fn new(made: bool) -> Self {
        Self {
            made,
            ..Self::default()
        }
    }

    /// Looks at a request for what the answer may be compared by.
    pub fn note_request(&mut self, request: &Element) {
        self.random = &[];
        self.bind_unbound(request);
        self.asked = Asked {
            version: request
                .find(Tag::REQUEST_HEADER)
                .and_then(|header| header.find(Tag::PROTOCOL_VERSION))
                .cloned(),
            ..Asked::default()
        };
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
            self.asked.query |= operation == "Query";
            self.asked.wraps_attributes |= payload
                .and_then(|payload| payload.find(Tag::KEY_WRAPPING_SPECIFICATION))
                .is_some_and(|specification| specification.find(Tag::ATTRIBUTE_NAME).is_some());
            if operation == "RNGRetrieve" {
                self.random = &[Tag::DATA];
            }
            self.made |= MAKING.contains(&operation);
            self.asked.all_attributes |=
                operation == "GetAttributeList" || (operation == "GetAttributes" && names_none);
            if operation == "Register"
                && let Some(payload) = payload
            {
                self.registered = true;
                self.note_material(payload);
            }
            // What was encrypted has to come back.
            if operation == "Encrypt"
                && let Some(data) = payload
                    .and_then(|payload| payload.find(Tag::DATA))
                    .and_then(Element::text)
            {
                self.brought.insert(data.to_lowercase());
            }
        }
    }

    /// Gives placeholders that have no value what the last answer had in such an item.
    fn bind_unbound(&mut self, element: &Element) {
        if let Some(name) = element.text()
            && name.starts_with('$')
            && !name.starts_with("$NOW")
            && !self.placeholders.values.contains_key(name)
            && let Some(value) = self.latest.get(&element.tag.number())
        {
            self.placeholders.values.insert(name.to_owned(), value.clone());
        }
        for element in element.elements() {
            self.bind_unbound(element);
        }
    }

    fn note_answer(&mut self, item: &Item) {
        match &item.value {
            Value::Structure(items) => items.iter().for_each(|item| self.note_answer(item)),
            Value::Text(text) => drop(self.latest.insert(item.tag, text.clone())),
            Value::Bytes(bytes) => drop(self.latest.insert(item.tag, hex::encode(bytes))),
            _ => {}
        }
    }

    fn note_material(&mut self, element: &Element) {
        if element.tag == Tag::KEY_MATERIAL
            && let Some(text) = element.text()
        {
            let bytes = hex::decode(text).unwrap_or_default();
            self.keys.request(text);
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
        let items = expected.elements().iter();
        self.items = items.filter(|element| element.tag == Tag::BATCH_ITEM).count();
        let payloads = expected
            .elements()
            .iter()
            .filter_map(|item| item.find(Tag::RESPONSE_PAYLOAD));
        if payloads
            .into_iter()
            .any(|payload| payload.find(Tag::IV_COUNTER_NONCE).is_some())
        {
            self.random = &OF_A_NONCE;
        }
        self.keys.answer(actual);
        self.item(expected, expected.tag, actual, "");
        self.note_answer(actual);
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
            // A file may show another version than the one that was asked in; that of the request holds too.
            (Content::Structure(_), Value::Structure(_))
                if expected.tag == Tag::PROTOCOL_VERSION && self.is_of_the_request(actual) => {}
            (Content::Structure(_), Value::Structure(items)) => self.structure(expected, items, &path),
            (Content::Simple(ItemType::DateTime, _), Value::DateTime(_))
            | (Content::Simple(ItemType::DateTimeExtended, _), Value::DateTimeExtended(_)) => {}
            (Content::Simple(..), Value::Integer(count)) if expected.tag == Tag::BATCH_COUNT => {
                let items = self.items;
                if usize::try_from(*count) != Ok(items) {
                    self.differ(&path, &format!("expected {items} items, got {count}"));
                }
            }
            (Content::Simple(_, text), _) if text.starts_with('$') => self.placeholder(text, actual, &path),
            (Content::Simple(ItemType::ByteString, text), Value::Bytes(bytes))
                if self.is_made_by_the_server(expected.tag, text) =>
            {
                if bytes.len() * 2 != text.len() {
                    self.differ(&path, &format!("{} bytes, not {}", bytes.len(), text.len() / 2));
                }
                // Each random number is another.
                if !self.random.contains(&expected.tag) {
                    self.placeholder(text, actual, &path);
                }
            }
            _ => self.literal(expected, meaning, actual, &path),
        }
    }

    fn is_of_the_request(&self, version: &Item) -> bool {
        let asked = self.asked.version.as_ref();
        let bytes = asked.and_then(|asked| asked.to_bytes_of(asked.tag, &self.placeholders).ok());
        bytes == Some(version.encode())
    }

    fn is_made_by_the_server(&self, tag: Tag, text: &str) -> bool {
        (OF_A_KEY.contains(&tag) && self.made && !self.brought.contains(&text.to_lowercase()))
            || (OF_A_CIPHER.contains(&tag)
                && self.made
                && !self.registered
                && !self.brought.contains(&text.to_lowercase()))
            || self.random.contains(&tag)
    }

    fn structure(&mut self, expected: &Element, actual: &[Item], path: &str) {
        let attribute = expected.find(Tag::ATTRIBUTE_NAME).and_then(Element::text);
        let attribute = attribute
            .and_then(AttributeKind::from_text)
            .map(AttributeKind::tag);
        let mut left: Vec<&Item> = actual.iter().collect();
        let is_wrapped_structure =
            expected.tag == Tag::KEY_BLOCK && self.asked.wraps_attributes && wrapped::is_structure(expected);
        if is_wrapped_structure && let Some(wrong) = self.keys.is_wrong(actual) {
            self.differ(path, &wrong);
        }
        for element in expected.elements() {
            if is_wrapped_structure && element.tag == Tag::KEY_VALUE {
                left.retain(|item| item.tag != element.tag.number());
                continue;
            }
            let meaning = match attribute {
                Some(attribute) if element.tag == Tag::ATTRIBUTE_VALUE => attribute,
                _ => element.tag,
            };
            let own_list = self.asked.query && OWN_LISTS.contains(&element.tag);
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
                None => self.differ(
                    path,
                    &format!(
                        "{} {} is missing",
                        element.tag,
                        element.text().unwrap_or_default()
                    ),
                ),
            }
        }
        for item in left {
            let is_of = |tags: &[Tag]| tags.iter().any(|tag| tag.number() == item.tag);
            let extra_attribute = self.asked.all_attributes && is_of(&[Tag::ATTRIBUTE, Tag::ATTRIBUTE_NAME]);
            // A server that speaks more versions than the case knows of is right to say so.
            let extra_version = expected.tag == Tag::RESPONSE_PAYLOAD && is_of(&[Tag::PROTOCOL_VERSION]);
            let own_list = self.asked.query && is_of(&OWN_LISTS);
            if !(extra_attribute || extra_version || own_list || is_of(&OPTIONAL)) {
                let words = describe(item, Tag::new(item.tag));
                self.differ(path, &format!("{} was not expected: {words}", Tag::new(item.tag)));
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

    /// The first value of a placeholder is its value from then on; but what a request that is put off is called by is new
    /// each time, under one name in the files.
    fn placeholder(&mut self, name: &str, actual: &Item, path: &str) {
        let value = match &actual.value {
            Value::Text(text) => text.clone(),
            Value::Bytes(bytes) => hex::encode(bytes),
            _ => return self.differ(path, &format!("{name} cannot be {actual:?}")),
        };
        match self.placeholders.values.get(name) {
            // What comes after a stream's end is another stream.
            Some(bound)
                if *bound != value && name != PUT_OFF && actual.tag != Tag::CORRELATION_VALUE.number() =>
            {
                self.differ(path, &format!("{name} was another value before"));
            }
            Some(bound) if *bound == value => {}
            _ => {
                self.placeholders.values.insert(name.to_owned(), value);
            }
        }
    }

    fn literal(&mut self, expected: &Element, meaning: Tag, actual: &Item, path: &str) {
        match expected.to_bytes_of(meaning, &self.placeholders) {
            Ok(bytes) if bytes == actual.encode() => {}
            Ok(bytes) => {
                let expected = describe(&Item::decode(&bytes), meaning);
                self.differ(
                    path,
                    &format!("expected {expected}, got {}", describe(actual, meaning)),
                );
            }
            Err(error) => self.differ(path, &error),
        }
    }
}

/// A value for people: the names of enumerations, and bytes as they are.
fn describe(item: &Item, meaning: Tag) -> String {
    match &item.value {
        Value::Enumeration(number) => enumeration::by_tag(meaning)
            .and_then(|facts| facts.values.iter().find(|value| value.value == *number))
            .map_or_else(|| format!("{number:#x}"), |value| value.name.to_owned()),
        Value::Integer(number) => number.to_string(),
        Value::Text(text) => format!("{text:?}"),
        Value::Bytes(bytes) => format!("{} ({} bytes)", hex::encode(bytes), bytes.len()),
        Value::Structure(items) => {
            let items = items.iter().map(|item| {
                let tag = Tag::new(item.tag);
                format!("{tag} {}", describe(item, tag))
            });
            format!("[{}]", items.collect::<Vec<_>>().join(", "))
        }
        _ => format!("{item:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oasis;

    fn element(text: &str) -> Element {
        oasis::parse(text).expect("an element").remove(0)
    }

    fn answer(text: &str) -> Item {
        let bytes = element(text).to_bytes(&Placeholders::default()).expect("an item");
        Item::decode(&bytes)
    }

    fn material(key: &str) -> String {
        format!("<KeyValue><KeyMaterial type='ByteString' value='{key}'/></KeyValue>")
    }

    #[test]
    fn a_key_that_the_client_brought_must_come_back_to_the_byte() {
        let mut comparison = Comparison::new(true);
        comparison.note_request(&element(&format!(
            "<RequestMessage><BatchItem><Operation type='Enumeration' value='Register'/>\
             <RequestPayload>{}</RequestPayload></BatchItem></RequestMessage>",
            material("0a0b")
        )));
        let expected = element(&material("0a0b"));
        assert_eq!(
            comparison.differences(&expected, &answer(&material("0A0B"))),
            [""; 0]
        );
        assert_eq!(
            comparison
                .differences(&expected, &answer(&material("0a0c")))
                .len(),
            1
        );
    }

    #[test]
    fn a_key_that_the_server_made_has_its_length_and_does_not_change() {
        let mut comparison = Comparison::new(true);
        let expected = element(&material("0a0b"));
        assert_eq!(
            comparison.differences(&expected, &answer(&material("ffff"))),
            [""; 0]
        );
        assert_eq!(
            comparison
                .differences(&expected, &answer(&material("fffe")))
                .len(),
            1
        );
        assert!(
            !Comparison::new(true)
                .differences(&expected, &answer(&material("ff")))
                .is_empty()
        );
        assert!(
            !Comparison::new(false)
                .differences(&expected, &answer(&material("ffff")))
                .is_empty()
        );
    }

    #[test]
    fn a_placeholder_stands_for_one_value_from_its_first_appearance_on() {
        let mut comparison = Comparison::default();
        let identifier = |value: &str| format!("<UniqueIdentifier type='TextString' value='{value}'/>");
        let expected = element(&identifier("$UNIQUE_IDENTIFIER_0"));
        assert_eq!(
            comparison.differences(&expected, &answer(&identifier("a"))),
            [""; 0]
        );
        assert_eq!(
            comparison.differences(&expected, &answer(&identifier("b"))).len(),
            1
        );
    }

    #[test]
    fn an_item_too_many_is_found_and_one_too_few() {
        let expected = element("<ResponsePayload><DataLength type='Integer' value='2'/></ResponsePayload>");
        let more = "<ResponsePayload><DataLength type='Integer' value='2'/>\
                    <BatchCount type='Integer' value='2'/></ResponsePayload>";
        assert_eq!(
            Comparison::default().differences(&expected, &answer(more)).len(),
            1
        );
        let none = "<ResponsePayload/>";
        assert_eq!(
            Comparison::default().differences(&expected, &answer(none)).len(),
            1
        );
    }
}
