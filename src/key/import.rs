//! An object that comes with all that is known of it: what an import carries that else only a server sets (KMIP 1.4,
//! section 4.41; KMIP 2.1, section 6.1.25).
//!
//! Dates, reasons, counts and digests are kept as they came. What follows from the object itself (its identifier, its type,
//! its format, its state, how it is kept) is not set but held against what came, and an import that says otherwise is
//! refused. The one exception: a state that the dates have left since it was told is no contradiction.

use super::error::AttributeError;
use super::life_cycle::Past;
use super::making::KeyDraft;
use super::object::{Content, ManagedObject};
use crate::kmip::attribute::{Attribute, AttributeKind, AttributeName, AttributeValue, Digest, UsageLimits};
use crate::kmip::enumeration::State;
use crate::kmip::ttlv::DateTime;

/// How far the clock of the server that an object comes from may be ahead, in seconds.
const AHEAD: i64 = 300;

/// What an import carries beside what a client may set.
#[derive(Clone, Debug)]
pub struct Carried(Vec<AttributeValue>);

impl Carried {
    /// Parts what else only a server sets from what a client may set whenever it makes an object.
    pub fn part(attributes: Vec<Attribute>) -> (Self, Vec<Attribute>) {
        let (mut carried, mut usual) = (Vec::new(), Vec::new());
        for attribute in attributes {
            if let AttributeValue::UsageLimits(_) = attribute.value {
                // Of a new object all of it is left: the count comes after it.
                carried.push(attribute.value.clone());
            }
            if is_usual(&attribute.name()) {
                usual.push(attribute);
            } else {
                carried.push(attribute.value);
            }
        }
        (Self(carried), usual)
    }

    /// Puts what came on the object, before its value is sealed.
    pub fn put_on(&self, object: &mut ManagedObject, now: DateTime) -> Result<(), AttributeError> {
        let mut past = Past::default();
        for value in &self.0 {
            if let AttributeValue::CompromiseDate(date)
            | AttributeValue::CompromiseOccurrenceDate(date)
            | AttributeValue::DestroyDate(date)
            | AttributeValue::InitialDate(date)
            | AttributeValue::LastChangeDate(date)
            | AttributeValue::ArchiveDate(date) = value
                && date.0 > now.0.saturating_add(AHEAD)
            {
                return Err(invalid(value, "it is in the future"));
            }
            match value {
                AttributeValue::CompromiseDate(date) => past.compromise = Some(*date),
                AttributeValue::CompromiseOccurrenceDate(date) => past.compromise_occurrence = Some(*date),
                AttributeValue::DestroyDate(date) => past.destroy = Some(*date),
                value => object.carry(value)?,
            }
        }
        if past.compromise_occurrence.is_some() && past.compromise.is_none() {
            return Err(AttributeError::Missing {
                name: AttributeKind::CompromiseDate.into(),
            });
        }
        if past == Past::default() {
            return Ok(());
        }
        let object_type = object.object_type();
        let content = object.content_mut().ok_or(AttributeError::NotApplicable {
            name: AttributeKind::State.into(),
            object_type,
        })?;
        content.life_cycle.remember(past);
        Ok(())
    }

    /// Adds the digests that came, and refuses what contradicts the object as it is now that its value is sealed.
    pub fn complete(&self, object: &mut ManagedObject, now: DateTime) -> Result<(), AttributeError> {
        for value in &self.0 {
            match value {
                AttributeValue::Digest(digest) => object.add_digest(digest)?,
                AttributeValue::State(told)
                    if object.state(now).is_some_and(|state| follows(state, *told)) => {}
                AttributeValue::KeyValuePresent(true) if !object.is_elsewhere() && !object.is_destroyed() => {
                }
                value if !is_of_the_object(value) => {}
                value => {
                    let there = object.instances(&value.name(), now);
                    if !there.iter().any(|instance| instance.value == *value) {
                        return Err(invalid(
                            value,
                            "it is not what this server says of the object that came",
                        ));
                    }
                }
            }
        }
        Ok(())
    }
}

impl KeyDraft {
    /// Puts on the object what an import carries.
    pub fn carry(mut self, carried: &Carried, now: DateTime) -> Result<Self, AttributeError> {
        carried.put_on(self.object_mut(), now)?;
        Ok(self)
    }
}

impl ManagedObject {
    /// Keeps one value that came.
    fn carry(&mut self, value: &AttributeValue) -> Result<(), AttributeError> {
        match value {
            AttributeValue::InitialDate(date) => self.initial = *date,
            AttributeValue::LastChangeDate(date) => self.last_change = *date,
            AttributeValue::ArchiveDate(date) => self.archived = Some(*date),
            AttributeValue::AlwaysSensitive(always) if *always && !self.sensitive.on => {
                return Err(invalid(value, "the object is not Sensitive"));
            }
            AttributeValue::AlwaysSensitive(always) => self.sensitive.always = *always,
            AttributeValue::NeverExtractable(never) if *never && !self.unextractable.on => {
                return Err(invalid(value, "the object is Extractable"));
            }
            AttributeValue::NeverExtractable(never) => self.unextractable.always = *never,
            AttributeValue::LeaseTime(seconds) => self.content_for(value)?.lease_time = *seconds,
            AttributeValue::RevocationReason(reason) => {
                self.content_for(value)?.revocation_reason = Some(reason.clone());
            }
            AttributeValue::UsageLimits(limits) => self.keep_count(limits)?,
            AttributeValue::Digest(_) => {}
            value if is_of_the_object(value) => {}
            value => self.keep(value)?,
        }
        Ok(())
    }

    fn content_for(&mut self, value: &AttributeValue) -> Result<&mut Content, AttributeError> {
        let not_applicable = AttributeError::NotApplicable {
            name: value.name(),
            object_type: self.object_type(),
        };
        self.content_mut().ok_or(not_applicable)
    }

    /// What is left of the Usage Limits is what the import says.
    fn keep_count(&mut self, limits: &UsageLimits) -> Result<(), AttributeError> {
        let value = AttributeValue::UsageLimits(limits.clone());
        let left = limits.count.unwrap_or(limits.total);
        if !(0..=limits.total).contains(&left) {
            return Err(invalid(&value, "what is left is no part of the total"));
        }
        let limits = UsageLimits {
            count: Some(left),
            ..limits.clone()
        };
        self.attributes
            .modify(0, AttributeValue::UsageLimits(limits))
            .map(drop)
    }

    /// Keeps an attribute of the server's as it came.
    fn keep(&mut self, value: &AttributeValue) -> Result<(), AttributeError> {
        let name = value.name();
        let Some(rules) = name.rules() else {
            return Err(AttributeError::Unknown { name });
        };
        if !self.can_have(&name, rules) {
            return Err(AttributeError::NotApplicable {
                name,
                object_type: self.object_type(),
            });
        }
        self.attributes
            .add(value.clone(), rules.multiple_instances)
            .map(drop)
    }

    /// Keeps a digest that came, unless it is the one that the server has computed itself.
    fn add_digest(&mut self, digest: &Digest) -> Result<(), AttributeError> {
        let value = AttributeValue::Digest(digest.clone());
        let own = self.attributes.iter().find_map(|(_, own)| match own {
            AttributeValue::Digest(own)
                if own.hashing_algorithm == digest.hashing_algorithm
                    && (digest.key_format_type.is_none()
                        || own.key_format_type == digest.key_format_type) =>
            {
                Some(own)
            }
            _ => None,
        });
        match (own, &digest.digest_value) {
            (Some(own), Some(_)) if own.digest_value != digest.digest_value => {
                Err(invalid(&value, "it is not the digest of the value that came"))
            }
            (Some(_), _) => Ok(()),
            (None, _) => self.keep(&value),
        }
    }
}

/// Whether a client may set the attribute whenever it makes an object.
fn is_usual(name: &AttributeName) -> bool {
    matches!(
        name,
        AttributeName::Standard(AttributeKind::CryptographicAlgorithm | AttributeKind::CryptographicLength)
    ) || name.rules().is_none_or(|rules| rules.initially_set_by.client())
}

/// What the object itself says, so that it is not set.
const fn is_of_the_object(value: &AttributeValue) -> bool {
    matches!(
        value,
        AttributeValue::UniqueIdentifier(_)
            | AttributeValue::ShortUniqueIdentifier(_)
            | AttributeValue::ObjectType(_)
            | AttributeValue::State(_)
            | AttributeValue::KeyFormatType(_)
            | AttributeValue::OpaqueDataType(_)
            | AttributeValue::KeyValuePresent(_)
            | AttributeValue::ProtectionStorageMask(_)
    )
}

/// Whether an object that was in the state `told` may be in `state` by its dates alone.
fn follows(state: State, told: State) -> bool {
    state == told
        || matches!(
            (told, state),
            (State::PreActive, State::Active | State::Deactivated) | (State::Active, State::Deactivated)
        )
}

fn invalid(value: &AttributeValue, why: &'static str) -> AttributeError {
    AttributeError::Invalid {
        name: value.name(),
        why,
    }
}
