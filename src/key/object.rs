//! The managed object: what is known of it, and the ends of its life.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::life_cycle::{Event, LifeCycle, LifeCycleError};
use super::list::AttributeList;
use crate::kmip::attribute::{Attribute, AttributeValue, CryptographicParameters, Name, RevocationReason};
use crate::kmip::enumeration::{
    CryptographicAlgorithm, KeyFormatType, ObjectType, RevocationReasonCode, State,
};
use crate::kmip::mask::CryptographicUsageMask;
use crate::kmip::ttlv::DateTime;

/// The longest time that a client may use a key without asking for it again, in seconds.
pub(super) const LEASE_TIME: u32 = 3600;

/// What is known of an object except its key bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManagedObject {
    pub(super) id: Uuid,
    pub(super) adapter: Uuid,
    pub(super) initial: DateTime,
    pub(super) last_change: DateTime,
    /// Whether it is Sensitive, and always was.
    pub(super) sensitive: Guard,
    /// Whether it is not Extractable, and never was.
    pub(super) unextractable: Guard,
    pub(super) body: Body,
    /// What is kept as it was given: names, groups, links, custom attributes and the like.
    pub(super) attributes: AttributeList,
}

/// A restriction that can be put on an object and taken off again, and whether it always was on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Guard {
    pub(super) on: bool,
    pub(super) always: bool,
}

impl Guard {
    /// As the request that makes the object has it.
    pub(super) const fn begin(on: bool) -> Self {
        Self { on, always: on }
    }

    /// As a later request has it.
    pub(super) const fn set(&mut self, on: bool) {
        self.on = on;
        self.always = self.always && on;
    }
}

/// What kind of object it is, with what objects of that kind alone have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Body {
    SymmetricKey(SymmetricKey),
    /// A template, with the attributes that it lends to the objects made from it.
    Template(Vec<Attribute>),
    /// What is left of a template: that there was one.
    DestroyedTemplate,
}

/// What a symmetric key has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SymmetricKey {
    pub(super) algorithm: CryptographicAlgorithm,
    /// In bits, as Cryptographic Length counts them.
    pub(super) length: i32,
    /// In bytes, as they are wrapped and handed out.
    pub(super) bytes: u16,
    pub(super) format: KeyFormatType,
    pub(super) usage_mask: CryptographicUsageMask,
    pub(super) lease_time: u32,
    pub(super) fresh: bool,
    pub(super) life_cycle: LifeCycle,
    pub(super) revocation_reason: Option<RevocationReason>,
}

impl ManagedObject {
    pub(super) fn new(id: Uuid, adapter: Uuid, body: Body, now: DateTime) -> Self {
        Self {
            id,
            adapter,
            initial: now,
            last_change: now,
            sensitive: Guard::begin(false),
            unextractable: Guard::begin(false),
            body,
            attributes: AttributeList::default(),
        }
    }

    /// Unique Identifier.
    pub const fn id(&self) -> Uuid {
        self.id
    }

    /// The adapter that it belongs to.
    pub const fn adapter(&self) -> Uuid {
        self.adapter
    }

    /// Object Type.
    pub const fn object_type(&self) -> ObjectType {
        match self.body {
            Body::SymmetricKey(_) => ObjectType::SymmetricKey,
            Body::Template(_) | Body::DestroyedTemplate => ObjectType::Template,
        }
    }

    /// The state at `now`; none for a template, which has none.
    pub fn state(&self, now: DateTime) -> Option<State> {
        self.key().map(|key| key.life_cycle.state(now))
    }

    /// Whether the object has been destroyed.
    pub const fn is_destroyed(&self) -> bool {
        match &self.body {
            Body::SymmetricKey(key) => key.life_cycle.destroy().is_some(),
            Body::Template(_) => false,
            Body::DestroyedTemplate => true,
        }
    }

    /// Whether nothing is left to be asked: a destroyed template goes with all that was known of it
    /// (section 4.21).
    pub const fn is_gone(&self) -> bool {
        matches!(self.body, Body::DestroyedTemplate)
    }

    /// Initial Date.
    pub const fn initial_date(&self) -> DateTime {
        self.initial
    }

    /// Its names.
    pub fn names(&self) -> Vec<Name> {
        let names = self.attributes.iter().filter_map(|(_, value)| match value {
            AttributeValue::Name(name) => Some(name.clone()),
            _ => None,
        });
        names.collect()
    }

    /// The attributes that a template lends; none for other objects.
    pub const fn lent(&self) -> Option<&Vec<Attribute>> {
        match &self.body {
            Body::Template(lent) => Some(lent),
            _ => None,
        }
    }

    /// Cryptographic Algorithm; none for a template.
    pub fn algorithm(&self) -> Option<CryptographicAlgorithm> {
        self.key().map(|key| key.algorithm)
    }

    /// Whether it is an AES key, which devices hold as a kind of its own.
    pub fn is_aes(&self) -> bool {
        self.algorithm() == Some(CryptographicAlgorithm::AES)
    }

    /// Cryptographic Length in bits; none for a template.
    pub fn length(&self) -> Option<i32> {
        self.key().map(|key| key.length)
    }

    /// The number of the key's bytes; none for a template.
    pub fn bytes(&self) -> Option<u16> {
        self.key().map(|key| key.bytes)
    }

    /// The format that the key was registered in, Raw for one that was made here; none for a template.
    pub fn format(&self) -> Option<KeyFormatType> {
        self.key().map(|key| key.format)
    }

    /// Cryptographic Usage Mask; none for a template.
    pub fn usage_mask(&self) -> Option<CryptographicUsageMask> {
        self.key().map(|key| key.usage_mask)
    }

    /// Lease Time in seconds; none for a template.
    pub fn lease_time(&self) -> Option<u32> {
        self.key().map(|key| key.lease_time)
    }

    /// What is left of the Usage Limits; none where the object has none.
    pub fn usage_left(&self) -> Option<i64> {
        self.attributes.iter().find_map(|(_, value)| match value {
            AttributeValue::UsageLimits(limits) => Some(limits.count.unwrap_or(limits.total)),
            _ => None,
        })
    }

    /// Its Cryptographic Parameters, in the order of their Attribute Index.
    pub fn cryptographic_parameters(&self) -> Vec<&CryptographicParameters> {
        let parameters = self.attributes.iter().filter_map(|(_, value)| match value {
            AttributeValue::CryptographicParameters(parameters) => Some(&**parameters),
            _ => None,
        });
        parameters.collect()
    }

    /// Whether the key was never handed out (section 3.34).
    pub fn is_fresh(&self) -> bool {
        self.key().is_some_and(|key| key.fresh)
    }

    /// Whether the value may leave only wrapped (section 3.48).
    pub const fn is_sensitive(&self) -> bool {
        self.sensitive.on
    }

    /// Whether the value may leave at all (section 3.50).
    pub const fn is_extractable(&self) -> bool {
        !self.unextractable.on
    }

    /// Activate (section 4.19).
    pub fn activate(&mut self, now: DateTime) -> Result<State, LifeCycleError> {
        self.apply(Event::Activate, now)
    }

    /// Revoke (section 4.20): deactivates, or marks as compromised since `occurred`, or since the Initial Date
    /// where that is not known.
    pub fn revoke(
        &mut self,
        reason: RevocationReason,
        occurred: Option<DateTime>,
        now: DateTime,
    ) -> Result<State, LifeCycleError> {
        let event = match reason.code {
            RevocationReasonCode::KeyCompromise | RevocationReasonCode::CACompromise => Event::Compromise {
                occurred: occurred.unwrap_or(self.initial),
            },
            _ => Event::Deactivate,
        };
        let state = self.apply(event, now)?;
        if let Body::SymmetricKey(key) = &mut self.body {
            key.revocation_reason = Some(reason);
        }
        Ok(state)
    }

    /// Destroy (section 4.21). The key's bytes are the caller's to forget; of a template nothing is left but that
    /// there was one.
    pub fn destroy(&mut self, now: DateTime) -> Result<(), LifeCycleError> {
        if let Body::Template(_) = self.body {
            self.body = Body::DestroyedTemplate;
            self.attributes = AttributeList::default();
            self.touch(now);
            return Ok(());
        }
        self.apply(Event::Destroy, now).map(drop)
    }

    /// The object is handed to a client (section 3.34). Returns whether that changed it. Last Change Date stays:
    /// Get is not among what sets it (section 3.38).
    pub const fn serve(&mut self) -> bool {
        match &mut self.body {
            Body::SymmetricKey(key) => std::mem::replace(&mut key.fresh, false),
            _ => false,
        }
    }

    fn apply(&mut self, event: Event, now: DateTime) -> Result<State, LifeCycleError> {
        let now = now.max(self.last_change);
        let Body::SymmetricKey(key) = &mut self.body else {
            return Err(LifeCycleError::NoLifeCycle);
        };
        let state = key.life_cycle.apply(event, now)?;
        self.touch(now);
        Ok(state)
    }

    /// Sets Last Change Date, which never goes back.
    pub(super) fn touch(&mut self, now: DateTime) {
        self.last_change = self.last_change.max(now);
    }

    pub(super) const fn key(&self) -> Option<&SymmetricKey> {
        match &self.body {
            Body::SymmetricKey(key) => Some(key),
            _ => None,
        }
    }
}

#[cfg(test)]
#[path = "object_tests.rs"]
mod tests;
