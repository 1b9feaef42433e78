//! The managed object: what is known of it, and the ends of its life.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::life_cycle::{Event, LifeCycle, LifeCycleError};
use super::list::AttributeList;
use super::wrapped::RegisteredWrapped;
use crate::kmip::attribute::{Attribute, AttributeValue, CryptographicParameters, Name, RevocationReason};
use crate::kmip::enumeration::{
    CryptographicAlgorithm, KeyFormatType, ObjectType, OpaqueDataType, RevocationReasonCode, SecretDataType,
    State,
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
    /// Who alone may reach it, of those who use its adapter; none where all may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) owner: Option<String>,
    pub(super) initial: DateTime,
    pub(super) last_change: DateTime,
    /// Whether it is Sensitive, and always was.
    pub(super) sensitive: Guard,
    /// Whether it is not Extractable, and never was.
    pub(super) unextractable: Guard,
    /// Since when it is archived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) archived: Option<DateTime>,
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
    SymmetricKey(Content),
    SecretData(SecretDataType, Content),
    /// In 1.x it has neither a state nor a usage mask; since 2.0 it has what every object has, and so it does here in
    /// every version.
    OpaqueObject(OpaqueDataType, Content),
    /// A template, with the attributes that it lends to the objects made from it.
    Template(Vec<Attribute>),
    /// What is left of a template: that there was one.
    DestroyedTemplate,
}

/// What an object has that has a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Content {
    /// A symmetric key always has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) algorithm: Option<CryptographicAlgorithm>,
    /// In bits, as Cryptographic Length counts them. A symmetric key always has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) length: Option<i32>,
    /// In bytes, as they are wrapped and handed out.
    pub(super) bytes: usize,
    /// That of the Key Block; an opaque object has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) format: Option<KeyFormatType>,
    pub(super) usage_mask: CryptographicUsageMask,
    pub(super) lease_time: u32,
    pub(super) fresh: bool,
    pub(super) life_cycle: LifeCycle,
    pub(super) revocation_reason: Option<RevocationReason>,
    /// Whether the value is kept elsewhere, so that nothing but attributes is here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) elsewhere: bool,
    /// The value as it came, where it came wrapped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) registered: Option<Box<RegisteredWrapped>>,
}

impl ManagedObject {
    pub(super) fn new(id: Uuid, adapter: Uuid, body: Body, now: DateTime) -> Self {
        Self {
            id,
            adapter,
            owner: None,
            initial: now,
            last_change: now,
            sensitive: Guard::begin(false),
            unextractable: Guard::begin(false),
            archived: None,
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

    /// Gives the object to one user of its adapter, if its maker asked for the operation policy of owners (section 3.18.2).
    pub fn give_to(&mut self, user: Option<&str>) {
        let has_policy = self
            .attributes
            .iter()
            .any(|(_, value)| matches!(value, AttributeValue::OperationPolicyName(_)));
        if has_policy {
            self.owner = user.map(str::to_owned);
        }
    }

    /// Whether a user of the adapter may reach the object; none is a request that shows no user.
    pub fn is_reached_by(&self, user: Option<&str>) -> bool {
        self.owner.as_deref().is_none_or(|owner| user == Some(owner))
    }

    /// Object Type.
    pub const fn object_type(&self) -> ObjectType {
        match self.body {
            Body::SymmetricKey(_) => ObjectType::SymmetricKey,
            Body::SecretData(..) => ObjectType::SecretData,
            Body::OpaqueObject(..) => ObjectType::OpaqueObject,
            Body::Template(_) | Body::DestroyedTemplate => ObjectType::Template,
        }
    }

    /// The state at `now`; none for a template, which has none.
    pub fn state(&self, now: DateTime) -> Option<State> {
        self.content().map(|content| content.life_cycle.state(now))
    }

    /// Whether the object has been destroyed.
    pub const fn is_destroyed(&self) -> bool {
        match &self.body {
            Body::SymmetricKey(content) | Body::SecretData(_, content) | Body::OpaqueObject(_, content) => {
                content.life_cycle.destroy().is_some()
            }
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

    /// What secret data is; none for other objects.
    pub const fn secret_data_type(&self) -> Option<SecretDataType> {
        match self.body {
            Body::SecretData(data_type, _) => Some(data_type),
            _ => None,
        }
    }

    /// What an opaque object is said to be; none for other objects.
    pub const fn opaque_data_type(&self) -> Option<OpaqueDataType> {
        match self.body {
            Body::OpaqueObject(data_type, _) => Some(data_type),
            _ => None,
        }
    }

    /// Cryptographic Algorithm; each symmetric key has one.
    pub fn algorithm(&self) -> Option<CryptographicAlgorithm> {
        self.content()?.algorithm
    }

    /// Whether it is an AES key, which devices hold as a kind of its own.
    pub fn is_aes(&self) -> bool {
        matches!(self.body, Body::SymmetricKey(_)) && self.algorithm() == Some(CryptographicAlgorithm::AES)
    }

    /// Cryptographic Length in bits; each symmetric key has one.
    pub fn length(&self) -> Option<i32> {
        self.content()?.length
    }

    /// The number of the value's bytes; none for a template.
    pub fn bytes(&self) -> Option<usize> {
        self.content().map(|content| content.bytes)
    }

    /// The format that the key or the secret data was registered in, that of one that was made here; none for other
    /// objects.
    pub fn format(&self) -> Option<KeyFormatType> {
        self.content()?.format
    }

    /// Cryptographic Usage Mask; none for a template.
    pub fn usage_mask(&self) -> Option<CryptographicUsageMask> {
        self.content().map(|content| content.usage_mask)
    }

    /// Lease Time in seconds; none for a template.
    pub fn lease_time(&self) -> Option<u32> {
        self.content().map(|content| content.lease_time)
    }

    /// Whether the value is kept elsewhere, as its Key Value Location says (section 3.42).
    pub fn is_elsewhere(&self) -> bool {
        self.content().is_some_and(|content| content.elsewhere)
    }

    /// The value as it was registered, where that was wrapped under a client's key.
    pub fn registered_wrapped(&self) -> Option<&RegisteredWrapped> {
        self.content()?.registered.as_deref()
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

    /// Whether the object was never handed out (section 3.34).
    pub fn is_fresh(&self) -> bool {
        self.content().is_some_and(|content| content.fresh)
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
        if let Some(content) = self.content_mut() {
            content.revocation_reason = Some(reason);
        }
        Ok(state)
    }

    /// Destroy (section 4.21). The bytes that a device wrapped are the caller's to forget; of a template nothing is left
    /// but that there was one.
    pub fn destroy(&mut self, now: DateTime) -> Result<(), LifeCycleError> {
        if let Body::Template(_) = self.body {
            self.body = Body::DestroyedTemplate;
            self.attributes = AttributeList::default();
            self.touch(now);
            return Ok(());
        }
        self.apply(Event::Destroy, now)?;
        if let Some(content) = self.content_mut() {
            content.registered = None;
        }
        Ok(())
    }

    /// The value was deleted where it lay, by another hand than a client's: the object is destroyed, whatever its state.
    pub fn lose(&mut self, now: DateTime) -> Result<(), LifeCycleError> {
        self.apply(Event::Lose, now)?;
        if let Some(content) = self.content_mut() {
            content.registered = None;
        }
        Ok(())
    }

    /// The object is handed to a client (section 3.34). Returns whether that changed it. Last Change Date stays:
    /// Get is not among what sets it (section 3.38).
    pub const fn serve(&mut self) -> bool {
        match self.content_mut() {
            Some(content) => std::mem::replace(&mut content.fresh, false),
            None => false,
        }
    }

    fn apply(&mut self, event: Event, now: DateTime) -> Result<State, LifeCycleError> {
        let now = now.max(self.last_change);
        let content = self.content_mut().ok_or(LifeCycleError::NoLifeCycle)?;
        let state = content.life_cycle.apply(event, now)?;
        self.touch(now);
        Ok(state)
    }

    /// Sets Last Change Date, which never goes back.
    pub(super) fn touch(&mut self, now: DateTime) {
        self.last_change = self.last_change.max(now);
    }

    /// What objects with a value have; none for a template.
    pub(super) const fn content(&self) -> Option<&Content> {
        match &self.body {
            Body::SymmetricKey(content) | Body::SecretData(_, content) | Body::OpaqueObject(_, content) => {
                Some(content)
            }
            Body::Template(_) | Body::DestroyedTemplate => None,
        }
    }

    pub(super) const fn content_mut(&mut self) -> Option<&mut Content> {
        match &mut self.body {
            Body::SymmetricKey(content) | Body::SecretData(_, content) | Body::OpaqueObject(_, content) => {
                Some(content)
            }
            Body::Template(_) | Body::DestroyedTemplate => None,
        }
    }
}

#[cfg(test)]
#[path = "object_tests.rs"]
mod tests;
