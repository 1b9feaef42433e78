//! Whether Locate means an object (KMIP 1.4, section 4.9).

use super::error::AttributeError;
use super::index::IndexTerm;
use super::object::ManagedObject;
use crate::kmip::attribute::{
    Attribute, AttributeKind, AttributeName, AttributeValue, CryptographicParameters, Digest,
};
use crate::kmip::enumeration::State;
use crate::kmip::ttlv::DateTime;

/// The value that stands for "no such date" (section 4.9). A date that an object does not have counts as this,
/// so that a range with an open end finds it.
const UNDEFINED: DateTime = DateTime(i64::MAX);

/// What the objects that are looked for have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LocateFilter {
    values: Vec<AttributeValue>,
    /// Each date with the first and last moment that are meant.
    dates: Vec<(AttributeKind, DateTime, DateTime)>,
}

impl LocateFilter {
    /// The filter of a request's attributes; their indices are ignored.
    pub fn new(attributes: Vec<Attribute>) -> Result<Self, AttributeError> {
        let mut filter = Self::default();
        let mut moments: Vec<(AttributeKind, Vec<DateTime>)> = Vec::new();
        for Attribute { value, .. } in attributes {
            if value.name().rules().is_none() {
                return Err(AttributeError::Unknown { name: value.name() });
            }
            match (value.kind(), date(&value)) {
                (Some(kind), Some(moment)) => match moments.iter_mut().find(|(known, _)| *known == kind) {
                    Some((_, several)) => several.push(moment),
                    None => moments.push((kind, vec![moment])),
                },
                _ => filter.values.push(value),
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

    /// Terms that every matching object has.
    pub fn terms(&self) -> Vec<IndexTerm> {
        self.values.iter().filter_map(IndexTerm::of).collect()
    }

    /// The Unique Identifier that is asked for, if one is.
    pub fn unique_identifier(&self) -> Option<&str> {
        self.values.iter().find_map(|value| match value {
            AttributeValue::UniqueIdentifier(id) => Some(id.as_str()),
            _ => None,
        })
    }

    /// Whether destroyed objects are asked for: they are in no storage, so only a filter that says so finds them.
    pub fn wants_destroyed(&self) -> bool {
        let by_state = self.values.iter().any(|value| {
            matches!(
                value,
                AttributeValue::State(State::Destroyed | State::DestroyedCompromised)
            )
        });
        by_state
            || self
                .dates
                .iter()
                .any(|(kind, ..)| *kind == AttributeKind::DestroyDate)
    }

    /// Whether the object has everything that is asked for, at `now`.
    pub fn matches(&self, object: &ManagedObject, now: DateTime) -> bool {
        if object.is_gone() || (object.is_destroyed() && !self.wants_destroyed()) {
            return false;
        }
        let has = |wanted: &AttributeValue| {
            object
                .instances(&wanted.name(), now)
                .iter()
                .any(|present| meant(wanted, &present.value))
        };
        let in_range = |kind: AttributeKind, first: DateTime, last: DateTime| {
            let moment = object
                .instances(&AttributeName::from(kind), now)
                .first()
                .and_then(|present| date(&present.value))
                .unwrap_or(UNDEFINED);
            first <= moment && moment <= last
        };
        self.values.iter().all(has)
            && self
                .dates
                .iter()
                .all(|(kind, first, last)| in_range(*kind, *first, *last))
    }
}

/// Whether a value is the one that is wanted. Fields that a request leaves out fit any value.
fn meant(wanted: &AttributeValue, present: &AttributeValue) -> bool {
    use AttributeValue as Value;
    match (wanted, present) {
        (Value::CryptographicUsageMask(wanted), Value::CryptographicUsageMask(present)) => {
            present.contains(*wanted)
        }
        (Value::UsageLimits(wanted), Value::UsageLimits(present)) => {
            let left = present.count.unwrap_or(present.total);
            wanted.unit == present.unit
                && present.total >= wanted.total
                && wanted.count.is_none_or(|count| left >= count)
        }
        (Value::ApplicationSpecificInformation(wanted), Value::ApplicationSpecificInformation(present)) => {
            wanted.application_namespace == present.application_namespace
                && fits(
                    wanted.application_data.as_ref(),
                    present.application_data.as_ref(),
                )
        }
        (Value::RevocationReason(wanted), Value::RevocationReason(present)) => {
            wanted.code == present.code && fits(wanted.message.as_ref(), present.message.as_ref())
        }
        (Value::Digest(wanted), Value::Digest(present)) => digest_meant(wanted, present),
        (Value::CryptographicParameters(wanted), Value::CryptographicParameters(present)) => {
            parameters_meant(wanted, present)
        }
        (wanted, present) => wanted == present,
    }
}

/// Whether a field that may be left out fits.
fn fits<T: PartialEq>(wanted: Option<&T>, present: Option<&T>) -> bool {
    wanted.is_none() || wanted == present
}

/// Whether each of these fields fits, all of which may be left out.
macro_rules! all_fit {
    ($wanted:ident, $present:ident: $($field:ident),* $(,)?) => {
        $(fits($wanted.$field.as_ref(), $present.$field.as_ref()))&&*
    };
}

fn digest_meant(wanted: &Digest, present: &Digest) -> bool {
    wanted.hashing_algorithm == present.hashing_algorithm
        && all_fit!(wanted, present: digest_value, key_format_type)
}

fn parameters_meant(wanted: &CryptographicParameters, present: &CryptographicParameters) -> bool {
    all_fit!(wanted, present:
        block_cipher_mode,
        padding_method,
        hashing_algorithm,
        key_role_type,
        digital_signature_algorithm,
        cryptographic_algorithm,
        random_iv,
        iv_length,
        tag_length,
        fixed_field_length,
        invocation_field_length,
        counter_length,
        initial_counter_value,
        salt_length,
        mask_generator,
        mask_generator_hashing_algorithm,
        p_source,
        trailer_field,
    )
}

/// The moment of an attribute that is a date.
const fn date(value: &AttributeValue) -> Option<DateTime> {
    match value {
        AttributeValue::InitialDate(moment)
        | AttributeValue::ActivationDate(moment)
        | AttributeValue::ProcessStartDate(moment)
        | AttributeValue::ProtectStopDate(moment)
        | AttributeValue::DeactivationDate(moment)
        | AttributeValue::DestroyDate(moment)
        | AttributeValue::CompromiseOccurrenceDate(moment)
        | AttributeValue::CompromiseDate(moment)
        | AttributeValue::ArchiveDate(moment)
        | AttributeValue::LastChangeDate(moment)
        | AttributeValue::OriginalCreationDate(moment) => Some(*moment),
        _ => None,
    }
}

#[cfg(test)]
#[path = "matching_tests.rs"]
mod tests;
