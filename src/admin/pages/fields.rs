//! The fields of a record as they stand in its bytes, also those that this program does not know.

use std::fmt;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Fields that belong together.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) fields: Vec<(String, String)>,
}

/// All fields, in the order of the bytes; nothing where they are no JSON object.
pub(super) fn groups(bytes: &[u8]) -> Vec<Group> {
    let Ok(Node::Fields(top)) = serde_json::from_slice(bytes) else {
        return Vec::new();
    };
    let mut groups = vec![Group {
        name: "record".into(),
        fields: Vec::new(),
    }];
    for (name, node) in top {
        match node {
            Node::Text(text) => groups[0].fields.push((words(&name), text)),
            Node::Fields(_) => {
                let mut fields = Vec::new();
                flatten("", node, &mut fields);
                groups.push(Group {
                    name: words(&name),
                    fields,
                });
            }
        }
    }
    groups
}

fn flatten(name: &str, node: Node, into: &mut Vec<(String, String)>) {
    match node {
        Node::Text(text) => into.push((words(name), text)),
        Node::Fields(fields) => {
            for (inner, node) in fields {
                let path = if name.is_empty() {
                    inner
                } else {
                    format!("{name}: {inner}")
                };
                flatten(&path, node, into);
            }
        }
    }
}

fn words(name: &str) -> String {
    name.replace('_', " ").replace("sha256", "SHA-256")
}

/// A value of JSON whose members keep their order.
enum Node {
    Text(String),
    Fields(Vec<(String, Node)>),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Text(if value { "yes" } else { "no" }.to_owned()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Text(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Text(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Text(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Text(String::new()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut fields = Vec::new();
        while let Some(item) = items.next_element()? {
            fields.push(((fields.len() + 1).to_string(), item));
        }
        Ok(Node::Fields(fields))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Node, A::Error> {
        let mut fields = Vec::new();
        while let Some(member) = members.next_entry()? {
            fields.push(member);
        }
        Ok(Node::Fields(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_field_of_a_record_is_hidden_whatever_wrote_it() {
        let bytes = br#"{"version":9,"z":{"b":1,"a":{"row_sha256":"x"}},"new":[true,{"c":null}]}"#;
        let group = |name: &str, fields: &[(&str, &str)]| Group {
            name: name.into(),
            fields: fields
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        };
        assert_eq!(
            groups(bytes),
            [
                group("record", &[("version", "9")]),
                group("z", &[("b", "1"), ("a: row SHA-256", "x")]),
                group("new", &[("1", "yes"), ("2: c", "")]),
            ]
        );
        assert_eq!(groups(b"no JSON"), []);
    }
}
