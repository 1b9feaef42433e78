//! Add, Modify and Delete Attribute (KMIP 1.4, sections 4.14 to 4.16), by the rules of section 3.

use super::error::AttributeError;
use super::life_cycle::PlannedDate;
use super::object::ManagedObject;
use crate::kmip::attribute::{
    Attribute, AttributeKind, AttributeName, AttributeRules, AttributeValue, Permission, UsageLimits,
};
use crate::kmip::enumeration::ObjectType;
use crate::kmip::ttlv::{DateTime, Value};

/// The one operation policy that there is: an object is its owner's alone (section 3.18.2).
const OPERATION_POLICY: &str = "default";

impl ManagedObject {
    /// Adds an attribute, or another instance of one, and returns it with its index.
    pub fn add_attribute(
        &mut self,
        attribute: Attribute,
        now: DateTime,
    ) -> Result<Attribute, AttributeError> {
        if attribute.index.is_some() {
            return Err(AttributeError::IndexGiven {
                name: attribute.name(),
            });
        }
        let added = self.set_new(attribute.value, now)?;
        self.touch(now);
        Ok(added)
    }

    /// Gives an instance that is there another value, and returns it.
    pub fn modify_attribute(
        &mut self,
        attribute: Attribute,
        now: DateTime,
    ) -> Result<Attribute, AttributeError> {
        let name = attribute.name();
        if rules_of(&name)?.modifiable_by_client == Permission::Never {
            return Err(AttributeError::NotModifiable { name });
        }
        self.require_unallocated(&name)?;
        let index = attribute.index.unwrap_or(0);
        let present = self.instances(&name, now);
        if present.is_empty() {
            return Err(AttributeError::Absent { name });
        }
        if !present
            .iter()
            .any(|instance| instance.index.unwrap_or(0) == index)
        {
            return Err(AttributeError::NoInstance { name, index });
        }
        let value = acceptable(attribute.value)?;
        let modified = if let Some((date, moment)) = planned(&value) {
            self.plan(date, moment, now)?;
            Attribute::new(value)
        } else {
            match value {
                AttributeValue::Sensitive(sensitive) => {
                    self.sensitive.set(sensitive);
                    Attribute::new(value)
                }
                AttributeValue::Extractable(extractable) => {
                    self.unextractable.set(!extractable);
                    Attribute::new(value)
                }
                value => self.attributes.modify(index, value)?,
            }
        };
        self.touch(now);
        Ok(modified)
    }

    /// Takes an instance away and returns it.
    pub fn delete_attribute(
        &mut self,
        name: &AttributeName,
        index: u32,
        now: DateTime,
    ) -> Result<Attribute, AttributeError> {
        match name.rules() {
            None => return Err(AttributeError::Absent { name: name.clone() }),
            Some(rules) if rules.deletable_by_client == Permission::Never => {
                return Err(AttributeError::NotDeletable { name: name.clone() });
            }
            Some(_) => self
                .require_unallocated(name)
                .map_err(|_| AttributeError::NotDeletable { name: name.clone() })?,
        }
        let deleted = self.attributes.delete(name, index)?;
        self.touch(now);
        Ok(deleted)
    }

    /// Gives the instance that has the value `current` another value (KMIP 2.1, section 6.1.34).
    pub fn replace_attribute(
        &mut self,
        current: &Attribute,
        attribute: Attribute,
        now: DateTime,
    ) -> Result<Attribute, AttributeError> {
        if current.name() != attribute.name() {
            return Err(AttributeError::Invalid {
                name: attribute.name(),
                why: "the Current Attribute is another attribute",
            });
        }
        let index = self.index_of(current, now)?;
        self.modify_attribute(
            Attribute {
                index: Some(index),
                ..attribute
            },
            now,
        )
    }

    /// Takes away the instance that has the value `current`, and returns it (KMIP 2.1, section 6.1.13).
    pub fn delete_current_attribute(
        &mut self,
        current: &Attribute,
        now: DateTime,
    ) -> Result<Attribute, AttributeError> {
        let index = self.index_of(current, now)?;
        self.delete_attribute(&current.name(), index, now)
    }

    /// Takes away every instance, and returns the first (KMIP 2.1, section 6.1.13).
    pub fn delete_every_instance(
        &mut self,
        name: &AttributeName,
        now: DateTime,
    ) -> Result<Attribute, AttributeError> {
        let indices: Vec<_> = self
            .instances(name, now)
            .iter()
            .map(|instance| instance.index.unwrap_or(0))
            .collect();
        let mut changed = self.clone();
        let mut first = None;
        for index in indices {
            let deleted = changed.delete_attribute(name, index, now)?;
            first.get_or_insert(deleted);
        }
        // Where there is none, deleting one says why.
        let deleted = first.map_or_else(|| changed.delete_attribute(name, 0, now), Ok)?;
        *self = changed;
        Ok(deleted)
    }

    /// Refuses the Usage Limits once some of them were allocated (section 3.21).
    fn require_unallocated(&self, name: &AttributeName) -> Result<(), AttributeError> {
        let used = self.attributes.iter().any(|(_, value)| {
            matches!(value, AttributeValue::UsageLimits(limits) if limits.count.is_some_and(|left| left != limits.total))
        });
        if used && *name == AttributeName::from(AttributeKind::UsageLimits) {
            return Err(AttributeError::NotModifiable { name: name.clone() });
        }
        Ok(())
    }

    /// The index of the instance that has this value.
    fn index_of(&self, current: &Attribute, now: DateTime) -> Result<u32, AttributeError> {
        let name = current.name();
        let instances = self.instances(&name, now);
        if instances.is_empty() {
            return Err(AttributeError::Absent { name });
        }
        let instance = instances.iter().find(|instance| instance.value == current.value);
        instance
            .map(|instance| instance.index.unwrap_or(0))
            .ok_or(AttributeError::NoSuchValue { name })
    }

    /// Sets an attribute that has no value yet, or adds an instance.
    pub(super) fn set_new(
        &mut self,
        value: AttributeValue,
        now: DateTime,
    ) -> Result<Attribute, AttributeError> {
        let name = value.name();
        let rules = rules_of(&name)?;
        if !rules.initially_set_by.client() {
            return Err(AttributeError::ReadOnly { name });
        }
        if !self.can_have(&name, rules) {
            return Err(AttributeError::NotApplicable {
                name,
                object_type: self.object_type(),
            });
        }
        let value = acceptable(value)?;
        if let Some((date, moment)) = planned(&value) {
            if self
                .content()
                .is_some_and(|content| content.life_cycle.planned(date).is_some())
            {
                return Err(AttributeError::Exists { name });
            }
            self.plan(date, moment, now)?;
            return Ok(Attribute::new(value));
        }
        match value {
            // Each key has these from its making on.
            AttributeValue::CryptographicUsageMask(_)
            | AttributeValue::Fresh(_)
            | AttributeValue::Sensitive(_)
            | AttributeValue::Extractable(_) => Err(AttributeError::Exists { name }),
            value => self.attributes.add(value, rules.multiple_instances),
        }
    }

    fn plan(&mut self, date: PlannedDate, moment: DateTime, now: DateTime) -> Result<(), AttributeError> {
        let now = now.max(self.last_change);
        if let Some(content) = self.content_mut() {
            content.life_cycle.plan(date, moment, now)?;
        }
        Ok(())
    }

    /// What the tables say a template can have are the attributes that it lends; of its own it has only those
    /// that describe any object. Secret data and opaque objects can have what keys can have, as since 2.0.
    pub(super) fn can_have(&self, name: &AttributeName, rules: &AttributeRules) -> bool {
        let of_keys_alone = matches!(
            name,
            AttributeName::Standard(
                AttributeKind::CryptographicParameters
                    | AttributeKind::CryptographicDomainParameters
                    | AttributeKind::CryptographicUsageMask
                    | AttributeKind::UsageLimits
                    | AttributeKind::ActivationDate
                    | AttributeKind::ProcessStartDate
                    | AttributeKind::ProtectStopDate
                    | AttributeKind::DeactivationDate
            )
        );
        if self.content().is_none() {
            return rules.applies_to.contains(self.object_type()) && !of_keys_alone;
        }
        [self.object_type(), ObjectType::SymmetricKey]
            .into_iter()
            .any(|object_type| rules.applies_to.contains(object_type))
    }
}

fn rules_of(name: &AttributeName) -> Result<&'static AttributeRules, AttributeError> {
    name.rules()
        .ok_or_else(|| AttributeError::Unknown { name: name.clone() })
}

/// The value in the form in which it is kept, if it is one that is kept.
fn acceptable(value: AttributeValue) -> Result<AttributeValue, AttributeError> {
    let invalid = |value: &AttributeValue, why| AttributeError::Invalid {
        name: value.name(),
        why,
    };
    match &value {
        AttributeValue::Name(name) if name.value.is_empty() => Err(invalid(&value, "a name cannot be empty")),
        AttributeValue::OperationPolicyName(policy) if policy != OPERATION_POLICY => {
            Err(invalid(&value, "the only operation policy is \"default\""))
        }
        AttributeValue::ApplicationSpecificInformation(information)
            if information.application_data.is_none() =>
        {
            Err(AttributeError::ApplicationNamespace)
        }
        AttributeValue::RotateAutomatic(true)
        | AttributeValue::RotateInterval(_)
        | AttributeValue::RotateOffset(_) => Err(invalid(
            &value,
            "this server rotates no key by itself; clients do it with Re-key",
        )),
        AttributeValue::UsageLimits(limits) if limits.total < 0 => {
            Err(invalid(&value, "a limit cannot be negative"))
        }
        // Section 3.21: whatever the client says, all of it is left.
        AttributeValue::UsageLimits(limits) => Ok(AttributeValue::UsageLimits(UsageLimits {
            count: Some(limits.total),
            ..limits.clone()
        })),
        AttributeValue::Other {
            value: Value::Structure(items),
            ..
        } if items.iter().any(|item| matches!(item.value, Value::Structure(_))) => Err(invalid(
            &value,
            "a custom attribute cannot have a structure in a structure",
        )),
        _ => Ok(value),
    }
}

/// The date that an attribute plans, if it is one of those.
const fn planned(value: &AttributeValue) -> Option<(PlannedDate, DateTime)> {
    match value {
        AttributeValue::ActivationDate(moment) => Some((PlannedDate::Activation, *moment)),
        AttributeValue::ProcessStartDate(moment) => Some((PlannedDate::ProcessStart, *moment)),
        AttributeValue::ProtectStopDate(moment) => Some((PlannedDate::ProtectStop, *moment)),
        AttributeValue::DeactivationDate(moment) => Some((PlannedDate::Deactivation, *moment)),
        _ => None,
    }
}

#[cfg(test)]
#[path = "change_tests.rs"]
mod tests;
