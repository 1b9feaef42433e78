//! The life cycle of a key: the states, transitions and dates of KMIP 1.4 sections 3.22 to 3.30, which
//! are those of NIST SP 800-57 Part 1.
//!
//! A state that a client brought about (Activate, Revoke, Destroy) is kept as a fact, so that a clock that
//! is a little behind cannot undo it. What a date brings about is worked out for the time that is asked
//! about, so that nothing has to run when a date is reached.

use serde::{Deserialize, Serialize};

use crate::kmip::enumeration::State;
use crate::kmip::ttlv::DateTime;

/// What moves a key from one state to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Activate, or the Activation Date is reached.
    Activate,
    /// Revoke for a reason other than a compromise, or the Deactivation Date is reached.
    Deactivate,
    /// Revoke because of a compromise, which is believed to have begun at `occurred`.
    Compromise {
        /// The Compromise Occurrence Date.
        occurred: DateTime,
    },
    /// Destroy.
    Destroy,
    /// The value was deleted where it lay, by another hand than a client's.
    Lose,
}

/// A date that a client may plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlannedDate {
    /// Activation Date: the key may be used from here on.
    Activation,
    /// Process Start Date: data may be decrypted and unwrapped from here on.
    ProcessStart,
    /// Protect Stop Date: nothing may be encrypted or wrapped after this.
    ProtectStop,
    /// Deactivation Date: the end of ordinary use.
    Deactivation,
}

impl PlannedDate {
    /// The attribute's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Activation => "Activation Date",
            Self::ProcessStart => "Process Start Date",
            Self::ProtectStop => "Protect Stop Date",
            Self::Deactivation => "Deactivation Date",
        }
    }
}

/// Why a life cycle stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LifeCycleError {
    /// The state machine has no such transition.
    #[error("{event} is not possible in the state {state}")]
    Illegal {
        /// What was asked for, as a word for a client.
        event: &'static str,
        /// The state that the key is in.
        state: State,
    },
    /// The object is a template, which has no state.
    #[error("a template has no life cycle")]
    NoLifeCycle,
    /// Activation would end at once, since the Deactivation Date has passed.
    #[error("the Deactivation Date has passed")]
    DeactivationPassed,
    /// The date is settled in this state.
    #[error("the {date} cannot be changed in the state {state}")]
    Settled {
        /// The attribute's name.
        date: &'static str,
        /// The state that the key is in.
        state: State,
    },
    /// The date has been reached and stays as it is.
    #[error("the {date} has been reached and cannot be changed")]
    Reached {
        /// The attribute's name.
        date: &'static str,
    },
    /// The dates would be out of order.
    #[error("the {earlier} would be later than the {later}")]
    Order {
        /// The date that has to come first.
        earlier: &'static str,
        /// The date that has to follow.
        later: &'static str,
    },
}

/// The state machine: the state that follows `state` upon `event` (the numbered list of section 3.22).
pub fn transition(state: State, event: Event) -> Result<State, LifeCycleError> {
    match (state, event) {
        (State::PreActive, Event::Activate) => Ok(State::Active),
        (State::Active, Event::Deactivate) => Ok(State::Deactivated),
        (State::PreActive | State::Active | State::Deactivated, Event::Compromise { .. }) => {
            Ok(State::Compromised)
        }
        // What is gone is destroyed, whatever it was to be used for still.
        (State::Active, Event::Lose)
        | (State::PreActive | State::Deactivated, Event::Destroy | Event::Lose) => Ok(State::Destroyed),
        (State::Compromised, Event::Destroy | Event::Lose) | (State::Destroyed, Event::Compromise { .. }) => {
            Ok(State::DestroyedCompromised)
        }
        _ => Err(LifeCycleError::Illegal {
            event: match event {
                Event::Activate => "activation",
                Event::Deactivate => "deactivation",
                Event::Compromise { .. } => "a report of compromise",
                Event::Destroy | Event::Lose => "destruction",
            },
            state,
        }),
    }
}

/// The state of a key and the dates of its life, to the second.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LifeCycle {
    /// The state after the last event.
    settled: State,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    activation: Option<DateTime>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    process_start: Option<DateTime>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    protect_stop: Option<DateTime>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deactivation: Option<DateTime>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    compromise_occurrence: Option<DateTime>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    compromise: Option<DateTime>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    destroy: Option<DateTime>,
}

/// What became of a key before it came here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Past {
    pub(super) compromise_occurrence: Option<DateTime>,
    pub(super) compromise: Option<DateTime>,
    pub(super) destroy: Option<DateTime>,
}

impl LifeCycle {
    /// A key that has just come into being: Pre-Active, with no date planned.
    pub const fn begin() -> Self {
        Self {
            settled: State::PreActive,
            activation: None,
            process_start: None,
            protect_stop: None,
            deactivation: None,
            compromise_occurrence: None,
            compromise: None,
            destroy: None,
        }
    }

    /// The state at `now`, with what the dates have brought about by then.
    pub fn state(&self, now: DateTime) -> State {
        let reached = |date: Option<DateTime>| date.is_some_and(|date| date <= now);
        let mut state = self.settled;
        if state == State::PreActive && reached(self.activation) {
            state = State::Active;
        }
        if state == State::Active && reached(self.deactivation) {
            state = State::Deactivated;
        }
        state
    }

    /// Lets `event` happen at `now` and sets the dates that go with it. Upon an error nothing has changed.
    pub fn apply(&mut self, event: Event, now: DateTime) -> Result<State, LifeCycleError> {
        let before = self.state(now);
        let next = transition(before, event)?;
        match event {
            Event::Activate => {
                if self.deactivation.is_some_and(|date| date <= now) {
                    return Err(LifeCycleError::DeactivationPassed);
                }
                self.activation = Some(now);
                // Section 3.25: it never precedes the Activation Date.
                self.process_start = self.process_start.map(|date| date.max(now));
            }
            Event::Deactivate => self.end_use(now),
            Event::Compromise { occurred } => {
                self.compromise = Some(now);
                self.compromise_occurrence = Some(occurred);
            }
            Event::Destroy => self.destroy = Some(now),
            Event::Lose => {
                if before == State::Active {
                    self.end_use(now);
                }
                self.destroy = Some(now);
            }
        }
        self.settled = next;
        Ok(next)
    }

    fn end_use(&mut self, now: DateTime) {
        self.deactivation = Some(now);
        // Section 3.26: it is never later than the Deactivation Date.
        self.protect_stop = self.protect_stop.map(|date| date.min(now));
    }

    /// Takes over what became of the key elsewhere, and the state that follows from it.
    pub(super) const fn remember(&mut self, past: Past) {
        self.compromise_occurrence = past.compromise_occurrence;
        self.compromise = past.compromise;
        self.destroy = past.destroy;
        self.settled = match (past.compromise, past.destroy) {
            (Some(_), Some(_)) => State::DestroyedCompromised,
            (Some(_), None) => State::Compromised,
            (None, Some(_)) => State::Destroyed,
            (None, None) => self.settled,
        };
    }

    /// Plans a date, or moves it. A date that is not in the future takes effect at once.
    /// Upon an error nothing has changed.
    pub fn plan(&mut self, date: PlannedDate, value: DateTime, now: DateTime) -> Result<(), LifeCycleError> {
        let state = self.state(now);
        let changeable = match date {
            PlannedDate::Activation => state == State::PreActive,
            _ => matches!(state, State::PreActive | State::Active),
        };
        if !changeable {
            return Err(LifeCycleError::Settled {
                date: date.name(),
                state,
            });
        }
        let stays_once_reached = matches!(date, PlannedDate::ProcessStart | PlannedDate::ProtectStop);
        if stays_once_reached && self.planned(date).is_some_and(|reached| reached <= now) {
            return Err(LifeCycleError::Reached { date: date.name() });
        }
        let mut planned = self.clone();
        *planned.slot(date) = Some(value);
        planned.check_order()?;
        planned.settled = planned.state(now);
        *self = planned;
        Ok(())
    }

    /// A date that a client may plan, if it is set.
    pub const fn planned(&self, date: PlannedDate) -> Option<DateTime> {
        match date {
            PlannedDate::Activation => self.activation,
            PlannedDate::ProcessStart => self.process_start,
            PlannedDate::ProtectStop => self.protect_stop,
            PlannedDate::Deactivation => self.deactivation,
        }
    }

    /// Compromise Occurrence Date: when the compromise is believed to have begun.
    pub const fn compromise_occurrence(&self) -> Option<DateTime> {
        self.compromise_occurrence
    }

    /// Compromise Date: when this server was told of the compromise.
    pub const fn compromise(&self) -> Option<DateTime> {
        self.compromise
    }

    /// Destroy Date.
    pub const fn destroy(&self) -> Option<DateTime> {
        self.destroy
    }

    fn slot(&mut self, date: PlannedDate) -> &mut Option<DateTime> {
        match date {
            PlannedDate::Activation => &mut self.activation,
            PlannedDate::ProcessStart => &mut self.process_start,
            PlannedDate::ProtectStop => &mut self.protect_stop,
            PlannedDate::Deactivation => &mut self.deactivation,
        }
    }

    /// The orders that sections 3.25 to 3.27 ask for.
    fn check_order(&self) -> Result<(), LifeCycleError> {
        use PlannedDate::{Activation, Deactivation, ProcessStart, ProtectStop};
        for (earlier, later) in [
            (Activation, ProcessStart),
            (Activation, Deactivation),
            (ProtectStop, Deactivation),
        ] {
            if let (Some(first), Some(second)) = (self.planned(earlier), self.planned(later))
                && first > second
            {
                return Err(LifeCycleError::Order {
                    earlier: earlier.name(),
                    later: later.name(),
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "life_cycle_tests.rs"]
mod tests;
