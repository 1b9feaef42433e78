//! Elements of XML as they are written, without a table of what they mean.
//!
//! Of a file that ends being XML, what was read before that is kept, so that it can still be said what it is about.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test is a crate of its own and takes what it needs"
)]

use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// An element with its attributes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    pub name: String,
    pub attributes: BTreeMap<String, String>,
    pub children: Vec<Node>,
    /// The text that stands before it in the element around it.
    pub before: String,
}

/// What a text holds.
#[derive(Debug, Default)]
pub struct Document {
    /// The outermost elements.
    pub nodes: Vec<Node>,
    /// Its comments, in one.
    pub comments: String,
    /// Why what follows the nodes could not be read.
    pub error: Option<String>,
}

/// Reads a text as far as it is XML.
pub fn read(text: &str) -> Document {
    let mut document = Document::default();
    let mut open = Vec::new();
    if let Err(error) = read_into(text, &mut open, &mut document) {
        document.error = Some(error);
    }
    while let Some(node) = open.pop() {
        close(node, &mut open, &mut document.nodes);
    }
    document
}

fn read_into(text: &str, open: &mut Vec<Node>, document: &mut Document) -> Result<(), String> {
    let mut reader = Reader::from_str(text);
    let mut before = String::new();
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(start) => open.push(node(&start, std::mem::take(&mut before))?),
            Event::Empty(start) => {
                let node = node(&start, std::mem::take(&mut before))?;
                close(node, open, &mut document.nodes);
            }
            Event::End(_) => {
                before.clear();
                if let Some(node) = open.pop() {
                    close(node, open, &mut document.nodes);
                }
            }
            Event::Text(text) => before.push_str(&String::from_utf8_lossy(&text)),
            Event::Comment(text) => document.comments.push_str(&String::from_utf8_lossy(&text)),
            Event::Eof if open.is_empty() => return Ok(()),
            Event::Eof => return Err("the file ends within an element".to_owned()),
            _ => {}
        }
    }
}

/// Puts an element that is whole into the one around it, or among the outermost.
fn close(node: Node, open: &mut [Node], nodes: &mut Vec<Node>) {
    match open.last_mut() {
        Some(outer) => outer.children.push(node),
        None => nodes.push(node),
    }
}

fn node(start: &BytesStart<'_>, before: String) -> Result<Node, String> {
    let mut attributes = BTreeMap::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        let value = attribute.unescape_value().map_err(|error| error.to_string())?;
        attributes.insert(
            String::from_utf8_lossy(attribute.key.as_ref()).into_owned(),
            value.into_owned(),
        );
    }
    Ok(Node {
        name: String::from_utf8_lossy(start.name().as_ref()).into_owned(),
        attributes,
        children: Vec::new(),
        before,
    })
}

impl Node {
    /// What stands as its value.
    pub fn value(&self) -> Option<&str> {
        self.attributes.get("value").map(String::as_str)
    }

    /// Its type; a structure where none is named.
    pub fn item_type(&self) -> &str {
        self.attributes.get("type").map_or("Structure", String::as_str)
    }

    /// The first element of this name in it.
    pub fn find(&self, name: &str) -> Option<&Node> {
        self.children.iter().find(|child| child.name == name)
    }

    /// All elements of this name in it.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Node> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The value of the first element of this name in it.
    pub fn value_of(&self, name: &str) -> Option<&str> {
        self.find(name)?.value()
    }

    /// It and all within it, outermost first.
    pub fn everything(&self) -> Vec<&Node> {
        let mut all = vec![self];
        for child in &self.children {
            all.extend(child.everything());
        }
        all
    }
}
