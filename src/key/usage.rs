//! The use of a key by this server: whether its state and dates allow it, what its Usage Limits have left, and the links
//! between a key and those derived from it (KMIP 1.4, sections 3.21, 3.22, 3.25, 3.26 and 4.6).

use super::error::AttributeError;
use super::life_cycle::PlannedDate;
use super::object::ManagedObject;
use crate::kmip::attribute::{AttributeValue, Link, UsageLimits};
use crate::kmip::enumeration::{LinkType, State, UsageLimitsUnit};
use crate::kmip::ttlv::DateTime;

/// Which way a key is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usage {
    /// To protect: encrypt, authenticate, derive. The key has to be Active, and its Protect Stop Date to come.
    Protect,
    /// To use what is protected: decrypt, verify. The key has been Active, and its Process Start Date has come.
    Process,
}

/// Why a key may not be used now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UsageError {
    /// Not in its state.
    #[error("the object may not be used so in the state {0}")]
    State(State),
    /// It has no life cycle, and can't be used.
    #[error("a template cannot be used so")]
    NoLifeCycle,
    /// Before this date.
    #[error("the {0} has not been reached")]
    Early(&'static str),
    /// After this date.
    #[error("the {0} has passed")]
    Late(&'static str),
    /// Its Usage Limits do not allow as much.
    #[error("the Usage Limits do not allow it")]
    Limit,
}

impl ManagedObject {
    /// Whether the state and the dates allow the use.
    pub fn check_usage(&self, usage: Usage, now: DateTime) -> Result<(), UsageError> {
        let state = self.state(now).ok_or(UsageError::NoLifeCycle)?;
        let fits = match usage {
            Usage::Protect => state == State::Active,
            Usage::Process => matches!(state, State::Active | State::Deactivated | State::Compromised),
        };
        if !fits {
            return Err(UsageError::State(state));
        }
        let planned = |date| {
            self.content()
                .and_then(|content| content.life_cycle.planned(date))
        };
        match usage {
            Usage::Protect if planned(PlannedDate::ProtectStop).is_some_and(|stop| stop <= now) => {
                Err(UsageError::Late(PlannedDate::ProtectStop.name()))
            }
            Usage::Process if planned(PlannedDate::ProcessStart).is_some_and(|start| now < start) => {
                Err(UsageError::Early(PlannedDate::ProcessStart.name()))
            }
            _ => Ok(()),
        }
    }

    /// Takes so many bytes, or one object, off what is left of the Usage Limits. Returns whether that changed the object.
    pub fn use_up(&mut self, bytes: usize, objects: u32) -> Result<bool, UsageError> {
        let Some((_, limits)) = self.usage_limits() else {
            return Ok(false);
        };
        let amount = match limits.unit {
            UsageLimitsUnit::Byte => i64::try_from(bytes).unwrap_or(i64::MAX),
            _ => i64::from(objects),
        };
        self.take(amount)?;
        Ok(amount > 0)
    }

    /// Takes so many units off what is left of the Usage Limits, if it has any. Upon an error nothing has changed.
    pub(super) fn take(&mut self, amount: i64) -> Result<(), UsageError> {
        let Some((index, limits)) = self.usage_limits() else {
            return Ok(());
        };
        let left = limits
            .count
            .unwrap_or(limits.total)
            .checked_sub(amount)
            .filter(|left| *left >= 0)
            .ok_or(UsageError::Limit)?;
        let rest = UsageLimits {
            count: Some(left),
            ..limits.clone()
        };
        self.attributes
            .modify(index, AttributeValue::UsageLimits(rest))
            .expect("the Usage Limits were found at this index");
        Ok(())
    }

    /// The Usage Limits, with their index.
    pub(super) fn usage_limits(&self) -> Option<(u32, &UsageLimits)> {
        self.attributes.iter().find_map(|(index, value)| match value {
            AttributeValue::UsageLimits(limits) => Some((index, limits)),
            _ => None,
        })
    }

    /// Links the object to one that was derived from it.
    pub fn link_derived(&mut self, derived: &ManagedObject, now: DateTime) -> Result<(), AttributeError> {
        let link = Link {
            link_type: LinkType::DerivedKeyLink,
            linked_object_identifier: derived.id().hyphenated().to_string(),
        };
        self.attributes.add(AttributeValue::Link(link), true)?;
        self.touch(now);
        Ok(())
    }
}

#[cfg(test)]
#[path = "usage_tests.rs"]
mod tests;
