//! Attributes that are kept as they were given, with their indices (KMIP 1.4, section 2.1.1).

use serde::{Deserialize, Serialize};

use super::error::AttributeError;
use crate::kmip::attribute::{Attribute, AttributeKind, AttributeName, AttributeValue};

/// The most instances that one attribute of one object can have.
pub const INSTANCES_AT_MOST: usize = 100;

/// Instances in the order in which they came. An instance keeps its index for as long as it is there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AttributeList(Vec<(u32, AttributeValue)>);

impl AttributeList {
    /// Every instance with its index.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &AttributeValue)> {
        self.0.iter().map(|(index, value)| (*index, value))
    }

    /// The instances of one attribute. The index is left out of the first, as the specification allows.
    pub fn instances(&self, name: &AttributeName) -> impl Iterator<Item = Attribute> {
        self.of(name).map(|(index, value)| shown(index, value.clone()))
    }

    /// Whether the attribute has a value.
    pub fn has(&self, name: &AttributeName) -> bool {
        self.of(name).next().is_some()
    }

    /// The names of the attributes that have a value, each once, in the order in which they came.
    pub fn names(&self) -> Vec<AttributeName> {
        let mut names = Vec::new();
        for (_, value) in &self.0 {
            let name = value.name();
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// Adds an instance and gives it the index after the greatest in use.
    pub fn add(&mut self, value: AttributeValue, multiple: bool) -> Result<Attribute, AttributeError> {
        let name = value.name();
        let (mut count, mut next) = (0, 0);
        for (index, present) in self.of(&name) {
            if !multiple || *present == value {
                return Err(AttributeError::Exists { name: name.clone() });
            }
            count += 1;
            next = next.max(index + 1);
        }
        if count >= INSTANCES_AT_MOST {
            return Err(AttributeError::TooMany {
                name,
                limit: INSTANCES_AT_MOST,
            });
        }
        self.0.push((next, value.clone()));
        Ok(shown(next, value))
    }

    /// Gives the instance of `index` another value.
    pub fn modify(&mut self, index: u32, value: AttributeValue) -> Result<Attribute, AttributeError> {
        let name = value.name();
        if self
            .of(&name)
            .any(|(other, present)| other != index && *present == value)
        {
            return Err(AttributeError::Exists { name });
        }
        let slot = self.position(&name, index)?;
        self.0[slot].1 = value.clone();
        Ok(shown(index, value))
    }

    /// Takes the instance of `index` away and returns it.
    pub fn delete(&mut self, name: &AttributeName, index: u32) -> Result<Attribute, AttributeError> {
        let slot = self.position(name, index)?;
        let (index, value) = self.0.remove(slot);
        Ok(shown(index, value))
    }

    /// Takes every instance of an attribute away.
    pub fn remove(&mut self, kind: AttributeKind) {
        self.0.retain(|(_, value)| value.kind() != Some(kind));
    }

    fn of(&self, name: &AttributeName) -> impl Iterator<Item = (u32, &AttributeValue)> {
        self.iter()
            .filter(move |(_, value)| value.name_text() == name.as_text())
    }

    fn position(&self, name: &AttributeName, index: u32) -> Result<usize, AttributeError> {
        let found = self
            .0
            .iter()
            .position(|(at, value)| *at == index && value.name_text() == name.as_text());
        found.ok_or_else(|| {
            if self.has(name) {
                AttributeError::NoInstance {
                    name: name.clone(),
                    index,
                }
            } else {
                AttributeError::Absent { name: name.clone() }
            }
        })
    }
}

/// An instance as an answer shows it.
fn shown(index: u32, value: AttributeValue) -> Attribute {
    Attribute {
        index: (index > 0).then_some(index),
        value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kmip::attribute::Name;

    fn name(text: &str) -> AttributeValue {
        AttributeValue::Name(Name::text(text))
    }

    #[test]
    fn an_index_stays_when_another_instance_goes() {
        let mut list = AttributeList::default();
        assert_eq!(list.add(name("a"), true).unwrap().index, None);
        assert_eq!(list.add(name("b"), true).unwrap().index, Some(1));
        assert_eq!(
            list.delete(&AttributeKind::Name.into(), 0).unwrap().value,
            name("a")
        );
        assert_eq!(list.add(name("c"), true).unwrap().index, Some(2));
        let left: Vec<_> = list.iter().map(|(index, _)| index).collect();
        assert_eq!(left, [1, 2]);
    }

    #[test]
    fn an_instance_that_is_not_there_is_told_from_an_attribute_that_is_not() {
        let mut list = AttributeList::default();
        let kind = AttributeName::from(AttributeKind::Name);
        assert_eq!(
            list.delete(&kind, 0),
            Err(AttributeError::Absent { name: kind.clone() })
        );
        list.add(name("a"), true).unwrap();
        assert_eq!(
            list.delete(&kind, 3),
            Err(AttributeError::NoInstance { name: kind, index: 3 })
        );
    }

    #[test]
    fn the_same_value_is_not_kept_twice() {
        let mut list = AttributeList::default();
        list.add(name("a"), true).unwrap();
        list.add(name("b"), true).unwrap();
        assert!(matches!(
            list.add(name("a"), true),
            Err(AttributeError::Exists { .. })
        ));
        assert!(matches!(
            list.modify(1, name("a")),
            Err(AttributeError::Exists { .. })
        ));
        assert!(list.modify(0, name("a")).is_ok());
    }

    #[test]
    fn instances_are_bounded() {
        let mut list = AttributeList::default();
        for number in 0..INSTANCES_AT_MOST {
            list.add(name(&number.to_string()), true).unwrap();
        }
        assert!(matches!(
            list.add(name("one more"), true),
            Err(AttributeError::TooMany { .. })
        ));
    }
}
