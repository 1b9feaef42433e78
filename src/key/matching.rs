//! Whether Locate means an object (KMIP 1.4, section 4.9).

use super::error::AttributeError;
use super::index::IndexTerm;
use super::object::ManagedObject;
use crate::kmip::attribute::{AttributeKind, AttributeName, AttributePattern};
use crate::kmip::enumeration::State;
use crate::kmip::mask::StorageStatusMask;
use crate::kmip::ttlv::{DateTime, Value};

/// The value that stands for "no such date" (section 4.9). A date that an object does not have counts as this,
/// so that a range with an open end finds it.
const UNDEFINED: DateTime = DateTime(i64::MAX);

/// What the objects that are looked for have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LocateFilter {
    patterns: Vec<AttributePattern>,
    /// Each date with the first and last moment that are meant.
    dates: Vec<(AttributeKind, DateTime, DateTime)>,
    /// Where the objects are; none means on-line, or destroyed if that is what is asked for.
    storage: Option<StorageStatusMask>,
}

impl LocateFilter {
    /// The filter of a request's attributes.
    pub fn new(attributes: Vec<AttributePattern>) -> Result<Self, AttributeError> {
        let mut filter = Self::default();
        let mut moments: Vec<(AttributeKind, Vec<DateTime>)> = Vec::new();
        for pattern in attributes {
            if pattern.name.rules().is_none() {
                return Err(AttributeError::Unknown { name: pattern.name });
            }
            match (&pattern.name, pattern.date()) {
                (AttributeName::Standard(kind), Some(moment)) => {
                    match moments.iter_mut().find(|(known, _)| known == kind) {
                        Some((_, several)) => several.push(moment),
                        None => moments.push((*kind, vec![moment])),
                    }
                }
                _ => filter.patterns.push(pattern),
            }
        }
        for (kind, moments) in moments {
            let (first, last) = match moments.as_slice() {
                [moment] => (*moment, *moment),
                [one, other] => (*one.min(other), *one.max(other)),
                _ => {
                    return Err(AttributeError::Invalid {
                        name: kind.into(),
                        why: "a range of dates has two ends",
                    });
                }
            };
            filter.dates.push((kind, first, last));
        }
        Ok(filter)
    }

    /// The same filter, for objects in these places. Destroyed objects, for which 1.x has no place, are also found by a
    /// filter that asks for their state or their Destroy Date.
    #[must_use]
    pub fn in_storage(self, storage: Option<StorageStatusMask>) -> Self {
        Self { storage, ..self }
    }

    /// The object group that is asked for, if one is.
    pub fn object_group(&self) -> Option<&str> {
        self.patterns
            .iter()
            .find_map(|pattern| match (&pattern.name, &pattern.value) {
                (AttributeName::Standard(AttributeKind::ObjectGroup), Value::TextString(group)) => {
                    Some(group.as_str())
                }
                _ => None,
            })
    }

    /// Whether the object is in a place where it is looked for.
    fn is_where_it_is_sought(&self, object: &ManagedObject) -> bool {
        let storage = self.storage.unwrap_or(StorageStatusMask::ON_LINE_STORAGE);
        if object.is_destroyed() {
            storage.contains(StorageStatusMask::DESTROYED_STORAGE) || self.wants_destroyed()
        } else if object.is_archived() {
            storage.contains(StorageStatusMask::ARCHIVAL_STORAGE)
        } else {
            storage.contains(StorageStatusMask::ON_LINE_STORAGE)
        }
    }

    /// Terms that every matching object has.
    pub fn terms(&self) -> Vec<IndexTerm> {
        self.patterns.iter().filter_map(IndexTerm::of_pattern).collect()
    }

    /// The Unique Identifier that is asked for, if one is.
    pub fn unique_identifier(&self) -> Option<&str> {
        self.patterns
            .iter()
            .find_map(|pattern| match (&pattern.name, &pattern.value) {
                (AttributeName::Standard(AttributeKind::UniqueIdentifier), Value::TextString(id)) => {
                    Some(id.as_str())
                }
                _ => None,
            })
    }

    /// Whether destroyed objects are asked for: they are in no storage, so only a filter that says so finds them.
    pub fn wants_destroyed(&self) -> bool {
        let destroyed = [State::Destroyed, State::DestroyedCompromised].map(u32::from);
        let by_state = self.patterns.iter().any(|pattern| {
            pattern.name == AttributeName::from(AttributeKind::State)
                && matches!(pattern.value, Value::Enumeration(state) if destroyed.contains(&state))
        });
        by_state
            || self
                .dates
                .iter()
                .any(|(kind, ..)| *kind == AttributeKind::DestroyDate)
    }

    /// Whether the object has everything that is asked for, at `now`.
    pub fn matches(&self, object: &ManagedObject, now: DateTime) -> bool {
        if object.is_gone() || !self.is_where_it_is_sought(object) {
            return false;
        }
        let has = |pattern: &AttributePattern| {
            object
                .instances(&pattern.name, now)
                .iter()
                .any(|present| pattern.matches(&present.value))
        };
        let in_range = |kind: AttributeKind, first: DateTime, last: DateTime| {
            let moment = object
                .instances(&AttributeName::from(kind), now)
                .first()
                .and_then(|present| AttributePattern::equal_to(&present.value).date())
                .unwrap_or(UNDEFINED);
            first <= moment && moment <= last
        };
        self.patterns.iter().all(has)
            && self
                .dates
                .iter()
                .all(|(kind, first, last)| in_range(*kind, *first, *last))
    }
}

#[cfg(test)]
#[path = "matching_tests.rs"]
mod tests;
