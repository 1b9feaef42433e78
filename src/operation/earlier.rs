//! What the items before this one made or found, in the same batch: what a request refers to instead of naming an object
//! (KMIP 1.4, section 4; KMIP 2.1, section 4.58).

use uuid::Uuid;
use zeroize::Zeroizing;

use super::refusal::Refusal;
use crate::kmip::enumeration::{DataReference, Operation, UniqueIdentifierReference as Reference};

/// The object that the last operation of the batch made or found (KMIP 1.4, section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Placeholder {
    /// No object, or several.
    Empty,
    /// One object.
    Object(Uuid),
    /// The batch goes on after errors, so that nobody knows which object it would be.
    Unusable,
}

impl Placeholder {
    /// An operation made or found one object.
    pub(super) fn fill(&mut self, id: Uuid) {
        if *self != Self::Unusable {
            *self = Self::Object(id);
        }
    }

    /// An operation found none or several, or must not be built upon.
    pub(super) fn empty(&mut self) {
        if *self != Self::Unusable {
            *self = Self::Empty;
        }
    }
}

/// The Unique Identifiers that the answers before this item tell, in their order.
#[derive(Debug, Default)]
pub(super) struct Earlier {
    told: Vec<(Operation, String)>,
    /// The operations that went well, each with where what it told begins.
    answers: Vec<(Operation, usize)>,
    /// The data that was answered.
    data: Vec<(Operation, Zeroizing<Vec<u8>>)>,
}

impl Earlier {
    /// An operation went well, and its answer tells these.
    pub(super) fn add<'i>(&mut self, operation: Operation, identifiers: impl IntoIterator<Item = &'i str>) {
        self.answers.push((operation, self.told.len()));
        let identifiers = identifiers.into_iter().map(|id| (operation, id.to_owned()));
        self.told.extend(identifiers);
    }

    /// An operation answered data, to which what follows can refer.
    pub(super) fn add_data(&mut self, operation: Operation, data: &[u8]) {
        self.data.push((operation, Zeroizing::new(data.to_vec())));
    }

    /// The data that the last such operation answered.
    pub(super) fn data_of(&self, reference: DataReference) -> Result<&[u8], Refusal> {
        let operation = match reference {
            DataReference::Decrypt => Operation::Decrypt,
            DataReference::Encrypt => Operation::Encrypt,
            DataReference::Hash => Operation::Hash,
            DataReference::MACMACData => Operation::MAC,
            DataReference::RNGRetrieve => Operation::RNGRetrieve,
            _ => return Err(Refusal::no_such_data()),
        };
        let found = self.data.iter().rev().find(|(of, _)| *of == operation);
        found
            .map(|(_, data)| data.as_slice())
            .ok_or_else(Refusal::no_such_data)
    }

    /// The data that stands at this place of those that were answered, from zero; below zero, counted back from the end.
    pub(super) fn data_at(&self, position: i32) -> Result<&[u8], Refusal> {
        place(position, self.data.len())
            .and_then(|place| self.data.get(place))
            .map(|(_, data)| data.as_slice())
            .ok_or_else(Refusal::no_such_data)
    }

    /// The one that stands at this place, from zero; below zero, counted back from the end.
    pub(super) fn at(&self, position: i32) -> Result<&str, Refusal> {
        place(position, self.told.len())
            .and_then(|place| self.told.get(place))
            .map(|(_, id)| id.as_str())
            .ok_or_else(Refusal::no_identifier)
    }

    /// The one that the last such operation told. Where it told several, it is not known which is meant.
    pub(super) fn of(&self, reference: Reference) -> Result<&str, Refusal> {
        let operation = operation(reference).ok_or_else(Refusal::no_identifier)?;
        let answers = self
            .answers
            .iter()
            .rposition(|(answered, _)| *answered == operation);
        let place = answers.ok_or_else(Refusal::no_identifier)?;
        let start = self.answers[place].1;
        let end = self
            .answers
            .get(place + 1)
            .map_or(self.told.len(), |(_, next)| *next);
        match &self.told[start..end] {
            [(_, one)] => Ok(one),
            [] => Err(Refusal::no_identifier()),
            _ => Err(Refusal::several_identifiers()),
        }
    }
}

/// A place, from zero; below zero, counted back from the end.
fn place(position: i32, length: usize) -> Option<usize> {
    if position < 0 {
        let back = usize::try_from(position.unsigned_abs()).unwrap_or(usize::MAX);
        length.checked_sub(back)
    } else {
        usize::try_from(position).ok()
    }
}

/// The operation that a reference means; none for those that there are not.
const fn operation(reference: Reference) -> Option<Operation> {
    Some(match reference {
        Reference::Create => Operation::Create,
        Reference::DeriveKey => Operation::DeriveKey,
        Reference::Import => Operation::Import,
        Reference::Locate => Operation::Locate,
        Reference::Register => Operation::Register,
        Reference::ReKey => Operation::ReKey,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch() -> Earlier {
        let mut earlier = Earlier::default();
        earlier.add(Operation::Create, ["a"]);
        earlier.add(Operation::Locate, ["b", "c"]);
        earlier.add(Operation::Locate, []);
        earlier.add(Operation::Create, ["d"]);
        earlier
    }

    #[test]
    fn an_object_is_found_by_its_place_in_the_answers() {
        let batch = batch();
        assert_eq!(batch.at(0).ok(), Some("a"));
        assert_eq!(batch.at(2).ok(), Some("c"));
        assert_eq!(batch.at(-1).ok(), Some("d"));
        assert_eq!(batch.at(-4).ok(), Some("a"));
        assert!(batch.at(4).is_err() && batch.at(-5).is_err() && batch.at(i32::MIN).is_err());
    }

    #[test]
    fn the_last_operation_of_its_kind_is_meant() {
        let mut batch = batch();
        assert_eq!(batch.of(Reference::Create).ok(), Some("d"));
        assert!(batch.of(Reference::Locate).is_err());
        assert!(batch.of(Reference::Register).is_err());
        batch.add(Operation::Locate, ["e"]);
        assert_eq!(batch.of(Reference::Locate).ok(), Some("e"));
    }
}
