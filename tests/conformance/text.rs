//! Messages in XML and JSON, written and read without the product's codecs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::oasis::Placeholders;
use crate::oasis::xml::Node;

/// A request as its file has it, with what its placeholders stand for.
pub fn to_xml(node: &Node, placeholders: &Placeholders) -> String {
    let mut text = format!("<{}", node.name);
    for (name, value) in &node.attributes {
        let value = match name.as_str() {
            "value" => written(node, placeholders),
            _ => value.clone(),
        };
        let value = value
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('"', "&quot;")
            .replace('\n', "&#10;");
        write!(text, " {name}=\"{value}\"").expect("a string can be written to");
    }
    text.push('>');
    text.extend(node.children.iter().map(|child| to_xml(child, placeholders)));
    text + &format!("</{}>", node.name)
}

/// The same in JSON.
pub fn to_json(node: &Node, placeholders: &Placeholders) -> Value {
    let tag = node.attributes.get("tag").unwrap_or(&node.name);
    let item_type = node.item_type();
    if item_type == "Structure" {
        let items: Vec<_> = node
            .children
            .iter()
            .map(|child| to_json(child, placeholders))
            .collect();
        return json!({"tag": tag, "value": items});
    }
    let text = written(node, placeholders);
    let value = match item_type {
        "Integer" | "LongInteger" | "Interval" => match text.parse::<i64>() {
            Ok(number) => json!(number),
            // The names of a mask's bits.
            Err(_) => json!(text.split_whitespace().collect::<Vec<_>>().join("|")),
        },
        "Boolean" => json!(text == "true"),
        "BigInteger" => json!(format!("0x{}", text.trim_start_matches("0x"))),
        _ => json!(text),
    };
    json!({"tag": tag, "type": item_type, "value": value})
}

/// The element that an answer in JSON stands for.
pub fn from_json(value: &Value) -> Result<Node, String> {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let tag = text("tag").ok_or_else(|| format!("no tag: {value}"))?;
    let mut node = Node::default();
    if tag.starts_with("0x") {
        "TTLV".clone_into(&mut node.name);
        node.attributes.insert("tag".to_owned(), tag.to_owned());
    } else {
        tag.clone_into(&mut node.name);
    }
    match value.get("value") {
        Some(Value::Array(items)) => {
            node.children = items.iter().map(from_json).collect::<Result<_, _>>()?;
        }
        Some(simple) => {
            let item_type = text("type").ok_or_else(|| format!("no type: {value}"))?;
            let written = match simple {
                Value::String(text) if item_type == "Integer" => text.replace('|', " "),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            node.attributes.insert("type".to_owned(), item_type.to_owned());
            node.attributes.insert("value".to_owned(), written);
        }
        None => return Err(format!("no value: {value}")),
    }
    Ok(node)
}

/// The value of a simple item with what its placeholder stands for.
fn written(node: &Node, placeholders: &Placeholders) -> String {
    let text = node.value().unwrap_or_default();
    if node.name == "AttributeName" {
        return text.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    placeholders.written(text, node.item_type())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oasis::xml;

    #[test]
    fn a_message_is_the_same_in_both_encodings() {
        let text = "<RequestPayload><UniqueIdentifier type=\"TextString\" value=\"$ID\"></UniqueIdentifier>\
                    <TTLV tag=\"0x540001\" type=\"Integer\" value=\"3\"></TTLV>\
                    <Data type=\"ByteString\" value=\"0a\"></Data></RequestPayload>";
        let node = xml::read(text).nodes.remove(0);
        let mut placeholders = Placeholders::default();
        placeholders
            .values
            .insert("$ID".to_owned(), "a < \"b\"".to_owned());
        let there = to_xml(&node, &placeholders);
        assert!(there.contains("value=\"a &lt; &quot;b&quot;\""), "{there}");
        let json = to_json(&node, &placeholders);
        assert_eq!(
            json["value"][1],
            json!({"tag": "0x540001", "type": "Integer", "value": 3})
        );
        let back = from_json(&json).expect("an element");
        assert_eq!(to_xml(&back, &placeholders), there);
    }
}
