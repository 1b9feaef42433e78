//! A key that takes the place of another: what Re-key copies, what it sets anew, and how the two are linked (KMIP 1.4,
//! section 4.4; KMIP 2.1, sections 4.48 to 4.54 and 6.1.46).
//!
//! Where the table of the specification can be read in two ways: a replacement may be used as often as the key that it
//! replaces, from the beginning, and what that key has left stays what it was. The Rotate Date is that of the key that was
//! replaced, which is rotated once; the Rotate Generation is that of the replacement.

use super::error::AttributeError;
use super::life_cycle::PlannedDate;
use super::list::AttributeList;
use super::object::ManagedObject;
use crate::kmip::attribute::{Attribute, AttributeKind, AttributeName, AttributeValue, Link};
use crate::kmip::enumeration::LinkType;
use crate::kmip::ttlv::DateTime;

/// The dates that an offset moves.
const DATES: [PlannedDate; 4] = [
    PlannedDate::Activation,
    PlannedDate::ProcessStart,
    PlannedDate::ProtectStop,
    PlannedDate::Deactivation,
];

/// The offset cannot be counted from an Activation Date, since the key has other dates but not that one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an Offset moves the other dates by the Activation Date, and the key has none")]
pub struct NoActivationDate;

impl ManagedObject {
    /// The attributes that a key which replaces this one begins with, made at `now` and to be activated `offset` seconds
    /// later; without an offset its dates are those of this key.
    pub fn replacement_attributes(
        &self,
        offset: Option<u32>,
        now: DateTime,
    ) -> Result<Vec<Attribute>, NoActivationDate> {
        let mut copied = self.replacement_dates(offset, now)?;
        if let Some(content) = self.content() {
            copied.extend(content.algorithm.map(AttributeValue::CryptographicAlgorithm));
            copied.extend(content.length.map(AttributeValue::CryptographicLength));
            copied.push(AttributeValue::CryptographicUsageMask(content.usage_mask));
        }
        copied.push(AttributeValue::Sensitive(self.is_sensitive()));
        copied.push(AttributeValue::Extractable(self.is_extractable()));
        let kept = self.attributes.iter().map(|(_, value)| value);
        copied.extend(kept.filter(|value| is_copied(value)).cloned());
        Ok(copied.into_iter().map(Attribute::new).collect())
    }

    fn replacement_dates(
        &self,
        offset: Option<u32>,
        now: DateTime,
    ) -> Result<Vec<AttributeValue>, NoActivationDate> {
        let planned = |date| {
            self.content()
                .and_then(|content| content.life_cycle.planned(date))
        };
        let mut dates: Vec<_> = DATES
            .into_iter()
            .filter_map(|date| planned(date).map(|moment| (date, moment)))
            .collect();
        if let Some(offset) = offset {
            let activation = DateTime(now.0.saturating_add(i64::from(offset)));
            match (planned(PlannedDate::Activation), dates.is_empty()) {
                (Some(before), _) => {
                    let later = activation.0.saturating_sub(before.0);
                    for (_, moment) in &mut dates {
                        moment.0 = moment.0.saturating_add(later);
                    }
                }
                (None, true) => dates.push((PlannedDate::Activation, activation)),
                (None, false) => return Err(NoActivationDate),
            }
        }
        Ok(dates
            .into_iter()
            .map(|(date, moment)| match date {
                PlannedDate::Activation => AttributeValue::ActivationDate(moment),
                PlannedDate::ProcessStart => AttributeValue::ProcessStartDate(moment),
                PlannedDate::ProtectStop => AttributeValue::ProtectStopDate(moment),
                PlannedDate::Deactivation => AttributeValue::DeactivationDate(moment),
            })
            .collect())
    }

    /// Lets `replacement` take the place of this object: its names are the replacement's now, each has a link to the
    /// other, and the replacement is the latest of those that were rotated.
    pub fn replaced_by(&mut self, replacement: &mut Self, now: DateTime) -> Result<(), AttributeError> {
        replacement
            .attributes
            .add(link(LinkType::ReplacedObjectLink, self), true)?;
        let generation = self.attributes.iter().find_map(|(_, value)| match value {
            AttributeValue::RotateGeneration(generation) => Some(*generation),
            _ => None,
        });
        let next = generation.unwrap_or(0).saturating_add(1);
        set(
            &mut replacement.attributes,
            AttributeValue::RotateGeneration(next),
        )?;
        set(&mut replacement.attributes, AttributeValue::RotateLatest(true))?;

        self.attributes.remove(AttributeKind::Name);
        self.attributes
            .add(link(LinkType::ReplacementObjectLink, replacement), true)?;
        set(&mut self.attributes, AttributeValue::RotateLatest(false))?;
        if generation.is_none() {
            set(&mut self.attributes, AttributeValue::RotateGeneration(0))?;
        }
        if !self
            .attributes
            .has(&AttributeName::from(AttributeKind::RotateDate))
        {
            set(&mut self.attributes, AttributeValue::RotateDate(now))?;
        }
        self.touch(now);
        Ok(())
    }
}

/// Whether a replacement has the attribute from the key that it replaces. Where the value is, how it was made and what
/// became of the key are not among them.
fn is_copied(value: &AttributeValue) -> bool {
    !matches!(
        value,
        AttributeValue::Digest(_)
            | AttributeValue::Link(_)
            | AttributeValue::RandomNumberGenerator(_)
            | AttributeValue::OriginalCreationDate(_)
            | AttributeValue::KeyValueLocation(_)
            | AttributeValue::ArchiveDate(_)
            | AttributeValue::RotateDate(_)
            | AttributeValue::RotateGeneration(_)
            | AttributeValue::RotateLatest(_)
    )
}

fn link(link_type: LinkType, to: &ManagedObject) -> AttributeValue {
    AttributeValue::Link(Link {
        link_type,
        linked_object_identifier: to.id().hyphenated().to_string(),
    })
}

/// Gives an attribute that has one instance at most this value.
fn set(attributes: &mut AttributeList, value: AttributeValue) -> Result<(), AttributeError> {
    if let AttributeName::Standard(kind) = value.name() {
        attributes.remove(kind);
    }
    attributes.add(value, false).map(drop)
}
