//! The XML encoding of KMIP as the OASIS test cases use it, turned into items by the tables of the library.
//!
//! A test case is a row of requests and responses. Values that are not known beforehand stand as placeholders
//! (`$UNIQUE_IDENTIFIER_0`, `$NOW-3600`); [`Placeholders`] says what they stand for.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test is a crate of its own and takes what it needs"
)]

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use claviger::kmip::attribute::AttributeKind;
use claviger::kmip::output::ZeroizingOutput;
use claviger::kmip::tag::Tag;
use claviger::kmip::ttlv::{DateTime, Item, ItemType, Value, encode};
use claviger::kmip::{enumeration, mask};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

#[path = "xml.rs"]
pub mod xml;

use xml::{Document, Node};

/// The folder with the test cases: `CLAVIGER_KMIP_VECTORS`, or `../shared/kmip-vectors` beside this repository.
/// Where there is neither, says so loudly and returns nothing.
pub fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("CLAVIGER_KMIP_VECTORS").map_or_else(
        || {
            // A worktree may lie deeper than the repository itself.
            Path::new(env!("CARGO_MANIFEST_DIR"))
                .ancestors()
                .skip(1)
                .map(|parent| parent.join("shared/kmip-vectors"))
                .find(|folder| folder.is_dir())
        },
        |named| Some(PathBuf::from(named)),
    );
    let found = folder.filter(|folder| folder.is_dir());
    if found.is_none() {
        // Past the test harness, which keeps what passing tests print to itself.
        let _ = writeln!(
            std::io::stderr(),
            "**** SKIPPED: the OASIS test cases are not here; CLAVIGER_KMIP_VECTORS names their folder ****"
        );
    }
    found
}

/// The XML files of a version, by name; there must be some.
pub fn files(folder: &Path, version: &str) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(folder.join(version))
        .expect("the folder of a version can be listed")
        .map(|entry| entry.expect("the folder can be listed").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "xml"))
        .collect();
    files.sort();
    assert!(
        !files.is_empty(),
        "the folder {} {version} has no test case",
        folder.display()
    );
    files
}

/// An element of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// What it is.
    pub tag: Tag,
    /// What it holds.
    pub content: Content,
}

/// What an element holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Elements in order.
    Structure(Vec<Element>),
    /// A value as the file writes it, placeholders included.
    Simple(ItemType, String),
}

/// The messages of a test case, requests and responses in turn.
#[derive(Debug)]
pub struct TestCase {
    /// The file's name.
    pub name: String,
    /// The messages.
    pub messages: Vec<Element>,
}

/// What placeholders stand for.
#[derive(Debug, Default)]
pub struct Placeholders {
    /// The seconds since 1970 that `$NOW` stands for.
    pub now: i64,
    /// Values by name, with the `$`. A text is written as it is, bytes in hexadecimal.
    pub values: BTreeMap<String, String>,
}

/// Reads a test case from its file.
pub fn read(path: &Path) -> Result<TestCase, String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let name = path
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    Ok(TestCase {
        name,
        messages: parse(&text)?,
    })
}

/// Reads the messages of a test case.
pub fn parse(text: &str) -> Result<Vec<Element>, String> {
    let document = xml::read(text);
    match document.error {
        Some(error) => Err(error),
        None => messages(&document).into_iter().map(Element::new).collect(),
    }
}

/// The messages of a file: the outermost elements, or those within its root.
pub fn messages(document: &Document) -> Vec<&Node> {
    document
        .nodes
        .iter()
        .flat_map(|node| match node.name.as_str() {
            "KMIP" | "KmipTestCase" => node.children.iter().collect(),
            _ => vec![node],
        })
        .collect()
}

fn hexadecimal(text: &str) -> Option<u32> {
    u32::from_str_radix(text.strip_prefix("0x")?, 16).ok()
}

impl Placeholders {
    /// The value that a text of the file stands for. A placeholder that has no value yet stands for itself, in bytes
    /// for those of its name.
    fn value(&self, text: &str, item_type: ItemType) -> String {
        match (text.strip_prefix('$'), self.values.get(text)) {
            (Some(_), Some(value)) => value.clone(),
            (Some(_), None) if item_type == ItemType::ByteString => hex::encode(text),
            // A literal that the server answered with something else in its place.
            (None, Some(value)) if item_type == ItemType::ByteString => value.clone(),
            _ => text.to_owned(),
        }
    }

    /// The same as XML has it.
    pub fn written(&self, text: &str, item_type: &str) -> String {
        let moment = (item_type == "DateTime").then(|| self.date_time(text)).flatten();
        let moment = moment.and_then(|moment| OffsetDateTime::from_unix_timestamp(moment.0).ok());
        let moment = moment.and_then(|moment| moment.format(&Rfc3339).ok());
        let item_type = ItemType::from_name(item_type).unwrap_or(ItemType::TextString);
        moment.unwrap_or_else(|| self.value(text, item_type))
    }

    /// Microseconds since 1970.
    fn date_time_extended(&self, text: &str) -> Option<i64> {
        if text.starts_with("$NOW") {
            return Some(self.date_time(text)?.0 * 1_000_000);
        }
        let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        let microseconds = moment.unix_timestamp_nanos() / 1_000;
        i64::try_from(microseconds).ok()
    }

    fn date_time(&self, text: &str) -> Option<DateTime> {
        if let Some(offset) = text.strip_prefix("$NOW") {
            let offset: i64 = if offset.is_empty() {
                0
            } else {
                offset.trim_start_matches('+').parse().ok()?
            };
            return Some(DateTime(self.now + offset));
        }
        OffsetDateTime::parse(text, &Rfc3339).ok().map(DateTime::from)
    }
}

impl Element {
    /// The item that an element of XML stands for.
    pub fn new(node: &Node) -> Result<Self, String> {
        let tag = match (node.name.as_str(), node.attributes.get("tag")) {
            ("TTLV", Some(number)) => hexadecimal(number).map(Tag::new),
            (name, _) => Tag::from_name(name),
        }
        .ok_or_else(|| format!("there is no tag {}", node.name))?;
        let name = node.item_type();
        let item_type = ItemType::from_name(name).ok_or_else(|| format!("there is no type {name}"))?;
        let value = node.value().unwrap_or_default();
        let content = match (item_type, node.children.is_empty()) {
            (ItemType::Structure, _) => {
                Content::Structure(node.children.iter().map(Self::new).collect::<Result<_, _>>()?)
            }
            (_, false) => return Err(format!("{tag} is a simple item with items in it")),
            // Line breaks of the files' making got into some names.
            _ if tag == Tag::ATTRIBUTE_NAME => {
                Content::Simple(item_type, value.split_whitespace().collect::<Vec<_>>().join(" "))
            }
            _ => Content::Simple(item_type, value.to_owned()),
        };
        Ok(Self { tag, content })
    }

    /// The elements of a structure; none of a simple element.
    pub fn elements(&self) -> &[Element] {
        match &self.content {
            Content::Structure(elements) => elements,
            Content::Simple(..) => &[],
        }
    }

    /// The first element of this tag.
    pub fn find(&self, tag: Tag) -> Option<&Element> {
        self.elements().iter().find(|element| element.tag == tag)
    }

    /// The value of a simple element as the file writes it.
    pub fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Simple(_, text) => Some(text),
            Content::Structure(_) => None,
        }
    }

    /// The bytes of the message that the element stands for.
    pub fn to_bytes(&self, placeholders: &Placeholders) -> Result<Vec<u8>, String> {
        self.to_bytes_of(self.tag, placeholders)
    }

    /// The same for an item whose number means what it means under the tag `meaning`.
    pub fn to_bytes_of(&self, meaning: Tag, placeholders: &Placeholders) -> Result<Vec<u8>, String> {
        let mut out = ZeroizingOutput::new();
        encode(&self.item(meaning, placeholders)?, &mut out);
        Ok(out.as_slice().to_vec())
    }

    /// The item, whose numbers mean what they mean under the tag `meaning`.
    fn item(&self, meaning: Tag, placeholders: &Placeholders) -> Result<Item, String> {
        let value = match &self.content {
            Content::Structure(elements) => {
                let name = self.find(Tag::ATTRIBUTE_NAME).and_then(Element::text);
                let attribute = name.and_then(AttributeKind::from_text).map(AttributeKind::tag);
                let items = elements.iter().map(|element| match (element.tag, attribute) {
                    (Tag::ATTRIBUTE_VALUE, Some(meaning)) => element.item(meaning, placeholders),
                    (tag, _) => element.item(tag, placeholders),
                });
                Some(Value::Structure(items.collect::<Result<_, _>>()?))
            }
            Content::Simple(item_type, text) => simple(
                *item_type,
                &placeholders.value(text, *item_type),
                meaning,
                placeholders,
            ),
        };
        match value {
            Some(value) => Ok(Item::new(self.tag, value)),
            None => Err(format!("{} cannot be {:?}", self.tag, self.content)),
        }
    }
}

fn simple(item_type: ItemType, text: &str, meaning: Tag, placeholders: &Placeholders) -> Option<Value> {
    Some(match item_type {
        ItemType::Structure => return None,
        ItemType::Integer => Value::Integer(integer(text, meaning)?),
        ItemType::LongInteger => Value::LongInteger(match text.strip_prefix("0x") {
            Some(number) => i64::from_str_radix(number, 16).ok()?,
            None => text.parse().ok()?,
        }),
        ItemType::BigInteger => Value::BigInteger(big_integer(text)?),
        ItemType::Enumeration => Value::Enumeration(match hexadecimal(text) {
            Some(number) => number,
            None => match enumeration::by_tag(meaning).and_then(|facts| facts.by_name(text)) {
                Some(facts) => facts.value,
                // Where a tag itself is the value.
                None => Tag::from_name(text)?.number(),
            },
        }),
        ItemType::Boolean => Value::Boolean(text.parse().ok()?),
        ItemType::TextString => Value::TextString(text.to_owned()),
        ItemType::ByteString => Value::ByteString(hex::decode(text).ok()?),
        ItemType::DateTime => Value::DateTime(placeholders.date_time(text)?),
        ItemType::DateTimeExtended => Value::DateTimeExtended(placeholders.date_time_extended(text)?),
        ItemType::Interval => Value::Interval(text.parse().ok()?),
    })
}

/// A number, or the names of a mask's bits.
fn integer(text: &str, meaning: Tag) -> Option<i32> {
    if let Some(bits) = hexadecimal(text) {
        return Some(bits.cast_signed());
    }
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    text.split_whitespace()
        .map(|name| mask::bits_by_name(meaning, name))
        .try_fold(0, |all, bits| Some(all | bits?))
        .map(u32::cast_signed)
}

/// The bytes of a number in hexadecimal, filled up at the front with its sign.
fn big_integer(text: &str) -> Option<Vec<u8>> {
    let text = text.strip_prefix("0x").unwrap_or(text);
    let number = hex::decode(text).ok()?;
    let sign = if number.first()? & 0x80 == 0 { 0x00 } else { 0xFF };
    let mut bytes = vec![sign; number.len().next_multiple_of(8) - number.len()];
    bytes.extend_from_slice(&number);
    Some(bytes)
}
