//! What Get Attributes and Get Attribute List show of an object (KMIP 1.4, sections 4.12 and 4.13).

use sha2::{Digest, Sha256};

use super::life_cycle::PlannedDate;
use super::object::ManagedObject;
use crate::kmip::attribute::{Attribute, AttributeKind, AttributeName, AttributeValue};
use crate::kmip::mask::ProtectionStorageMask;
use crate::kmip::ttlv::DateTime;

impl ManagedObject {
    /// The names of the attributes that have a value at `now`: those of the specification in its order, then
    /// custom ones in the order in which they came. Which of them a client's version knows is asked where they are
    /// written.
    pub fn attribute_names(&self, now: DateTime) -> Vec<AttributeName> {
        let standard = AttributeKind::ALL
            .iter()
            .map(|kind| AttributeName::from(*kind))
            .filter(|name| match name {
                AttributeName::Standard(kind) => {
                    self.value(*kind, now).is_some() || self.attributes.has(name)
                }
                AttributeName::Other(_) => false,
            });
        let custom = self
            .attributes
            .names()
            .into_iter()
            .filter(|name| matches!(name, AttributeName::Other(_)));
        standard.chain(custom).collect()
    }

    /// The custom attributes, in the order in which they came.
    pub fn custom_attributes(&self) -> impl Iterator<Item = &AttributeValue> {
        self.attributes
            .iter()
            .map(|(_, value)| value)
            .filter(|value| matches!(value, AttributeValue::Other { .. }))
    }

    /// The instances of an attribute at `now`; none where the object does not have it.
    pub fn instances(&self, name: &AttributeName, now: DateTime) -> Vec<Attribute> {
        if let AttributeName::Standard(kind) = name
            && let Some(value) = self.value(*kind, now)
        {
            return vec![Attribute::new(value)];
        }
        self.attributes.instances(name).collect()
    }

    /// The value of an attribute that the object's own fields hold.
    fn value(&self, kind: AttributeKind, now: DateTime) -> Option<AttributeValue> {
        use AttributeValue as Value;
        if self.is_gone() {
            return None;
        }
        match kind {
            AttributeKind::UniqueIdentifier => {
                Some(Value::UniqueIdentifier(self.id.hyphenated().to_string()))
            }
            AttributeKind::ShortUniqueIdentifier => {
                let text = self.id.hyphenated().to_string();
                Some(Value::ShortUniqueIdentifier(Sha256::digest(text).to_vec()))
            }
            AttributeKind::ProtectionStorageMask if self.is_elsewhere() => None,
            AttributeKind::ProtectionStorageMask => {
                // Made and wrapped by a device; what is kept is what it wrapped.
                Some(Value::ProtectionStorageMask(ProtectionStorageMask::HARDWARE))
            }
            AttributeKind::ObjectType => Some(Value::ObjectType(self.object_type())),
            AttributeKind::InitialDate => Some(Value::InitialDate(self.initial)),
            AttributeKind::ArchiveDate => self.archived.map(Value::ArchiveDate),
            AttributeKind::LastChangeDate => Some(Value::LastChangeDate(self.last_change)),
            AttributeKind::Sensitive => Some(Value::Sensitive(self.sensitive.on)),
            AttributeKind::AlwaysSensitive => Some(Value::AlwaysSensitive(self.sensitive.always)),
            AttributeKind::Extractable => Some(Value::Extractable(!self.unextractable.on)),
            AttributeKind::NeverExtractable => Some(Value::NeverExtractable(self.unextractable.always)),
            kind => self.value_of_content(kind, now),
        }
    }

    fn value_of_content(&self, kind: AttributeKind, now: DateTime) -> Option<AttributeValue> {
        use AttributeValue as Value;
        let content = self.content()?;
        let life = &content.life_cycle;
        match kind {
            AttributeKind::CryptographicAlgorithm => content.algorithm.map(Value::CryptographicAlgorithm),
            AttributeKind::CryptographicLength => content.length.map(Value::CryptographicLength),
            AttributeKind::CryptographicUsageMask => Some(Value::CryptographicUsageMask(content.usage_mask)),
            AttributeKind::KeyFormatType => content.format.map(Value::KeyFormatType),
            AttributeKind::OpaqueDataType => self.opaque_data_type().map(Value::OpaqueDataType),
            // Shown only where it tells something (section 3.41).
            AttributeKind::KeyValuePresent => content.elsewhere.then_some(Value::KeyValuePresent(false)),
            AttributeKind::LeaseTime => Some(Value::LeaseTime(content.lease_time)),
            AttributeKind::Fresh => Some(Value::Fresh(content.fresh)),
            AttributeKind::State => Some(Value::State(life.state(now))),
            AttributeKind::ActivationDate => life.planned(PlannedDate::Activation).map(Value::ActivationDate),
            AttributeKind::ProcessStartDate => life
                .planned(PlannedDate::ProcessStart)
                .map(Value::ProcessStartDate),
            AttributeKind::ProtectStopDate => {
                life.planned(PlannedDate::ProtectStop).map(Value::ProtectStopDate)
            }
            AttributeKind::DeactivationDate => life
                .planned(PlannedDate::Deactivation)
                .map(Value::DeactivationDate),
            AttributeKind::CompromiseOccurrenceDate => {
                life.compromise_occurrence().map(Value::CompromiseOccurrenceDate)
            }
            AttributeKind::CompromiseDate => life.compromise().map(Value::CompromiseDate),
            AttributeKind::DestroyDate => life.destroy().map(Value::DestroyDate),
            AttributeKind::RevocationReason => content.revocation_reason.clone().map(Value::RevocationReason),
            _ => None,
        }
    }
}
