//! The terms that a store finds objects by. They narrow a search down; whether an object is meant is decided
//! by `LocateFilter`, so that a term may be coarse here but never wrong.

use super::object::ManagedObject;
use crate::kmip::attribute::{AttributeKind, AttributeName, AttributePattern, AttributeValue};
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::Value;

/// How many bytes of a value are in its term. Values that differ only behind them share a term.
const LONGEST: usize = 512;

/// One attribute of an object in the form that it is looked up by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IndexTerm {
    /// The attribute's name: `Name`, `Object Group`, `x-Product`.
    pub name: String,
    /// Its value as text.
    pub value: String,
}

impl IndexTerm {
    /// The term of an attribute; `None` where objects are not looked up by it. State is not among the terms,
    /// since it changes with time alone.
    pub fn of(value: &AttributeValue) -> Option<Self> {
        let text = match value {
            AttributeValue::Name(name) => &name.value,
            AttributeValue::AlternativeName(name) => &name.value,
            AttributeValue::ObjectGroup(text)
            | AttributeValue::ContactInformation(text)
            | AttributeValue::Other {
                value: Value::TextString(text),
                ..
            } => text,
            AttributeValue::Link(link) => &link.linked_object_identifier,
            AttributeValue::ApplicationSpecificInformation(information) => &information.application_namespace,
            _ => return None,
        };
        Some(Self::new(value.name_text(), text))
    }

    /// The term that every object has which a Locate's pattern means; `None` where there is no such term.
    pub fn of_pattern(pattern: &AttributePattern) -> Option<Self> {
        let field = match &pattern.name {
            AttributeName::Standard(AttributeKind::Name) => Some(Tag::NAME_VALUE),
            AttributeName::Standard(AttributeKind::AlternativeName) => Some(Tag::ALTERNATIVE_NAME_VALUE),
            AttributeName::Standard(AttributeKind::Link) => Some(Tag::LINKED_OBJECT_IDENTIFIER),
            AttributeName::Standard(AttributeKind::ApplicationSpecificInformation) => {
                Some(Tag::APPLICATION_NAMESPACE)
            }
            AttributeName::Standard(AttributeKind::ObjectGroup | AttributeKind::ContactInformation)
            | AttributeName::Other(_) => None,
            AttributeName::Standard(_) => return None,
        };
        let value = match (&pattern.value, field) {
            (Value::Structure(items), Some(field)) => &items.iter().find(|item| item.tag == field)?.value,
            (value, None) => value,
            _ => return None,
        };
        match value {
            Value::TextString(text) => Some(Self::new(pattern.name.as_text(), text)),
            _ => None,
        }
    }

    fn new(name: &str, text: &str) -> Self {
        Self {
            name: name.to_owned(),
            value: text[..text.floor_char_boundary(LONGEST)].to_owned(),
        }
    }
}

impl ManagedObject {
    /// The terms that this object is to be found by, without repetition.
    pub fn index_terms(&self) -> Vec<IndexTerm> {
        let mut terms: Vec<_> = self
            .attributes
            .iter()
            .filter_map(|(_, value)| IndexTerm::of(value))
            .collect();
        terms.sort();
        terms.dedup();
        terms
    }
}
