//! Each key's life, from the records of it: made once, changed as the life cycle of KMIP has it, never released after its end.

use std::collections::HashMap;

use uuid::Uuid;

use super::super::{EventName, Outcome, Record};
use super::finding::{Code, Findings};

/// The states of KMIP 1.4, section 3.22.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    PreActive,
    Active,
    Deactivated,
    Compromised,
    Destroyed,
    DestroyedCompromised,
}

impl State {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "PreActive" => Self::PreActive,
            "Active" => Self::Active,
            "Deactivated" => Self::Deactivated,
            "Compromised" => Self::Compromised,
            "Destroyed" => Self::Destroyed,
            "DestroyedCompromised" => Self::DestroyedCompromised,
            _ => return None,
        })
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }

    const fn is_end(self) -> bool {
        matches!(self, Self::Destroyed | Self::DestroyedCompromised)
    }

    /// Whether a date may have brought it from the one to the other, without a record.
    const fn by_date(self, to: Self) -> bool {
        matches!(
            (self, to),
            (Self::PreActive, Self::Active | Self::Deactivated) | (Self::Active, Self::Deactivated)
        )
    }

    /// Whether the event may bring it from the one to the other (section 3.22, its numbered list).
    fn by(self, event: EventName, to: Self) -> bool {
        use State::{Active, Compromised, Deactivated, Destroyed, DestroyedCompromised, PreActive};
        self == to
            || self.by_date(to)
            || match event {
                EventName::KmipRevoke => matches!(
                    (self, to),
                    (PreActive | Active | Deactivated, Compromised) | (Destroyed, DestroyedCompromised)
                ),
                EventName::KmipDestroy => matches!(
                    (self, to),
                    (PreActive | Deactivated, Destroyed) | (Compromised, DestroyedCompromised)
                ),
                // Gone where it lay, by another hand.
                EventName::KeyDestroy | EventName::KeyDelete => matches!(
                    (self, to),
                    (PreActive | Active | Deactivated, Destroyed) | (Compromised, DestroyedCompromised)
                ),
                // An object that is taken in again in its own place comes with the life that it had elsewhere.
                EventName::KmipImport => true,
                _ => false,
            }
    }
}

/// What the log says of one key so far.
struct Life {
    state: Option<State>,
    /// The states that it was ever in: what a reader saw just before a change may be recorded just after it.
    seen: u8,
    /// The record that left it so.
    record: u64,
}

/// How many keys the log tells of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct KeyCounts {
    /// All of them.
    pub known: u64,
    /// Those that were made in the records of the bundle.
    pub made: u64,
    /// Those that were destroyed.
    pub destroyed: u64,
    /// How many releases of a key's value were recorded.
    pub releases: u64,
}

/// The lives of all keys.
pub(super) struct Lives {
    keys: HashMap<Uuid, Life>,
    /// Whether the records begin with the log's first: then every key's making is among them.
    whole: bool,
    counts: KeyCounts,
}

impl Lives {
    pub(super) fn new(whole: bool) -> Self {
        Self {
            keys: HashMap::new(),
            whole,
            counts: KeyCounts::default(),
        }
    }

    pub(super) fn counts(&self) -> KeyCounts {
        KeyCounts {
            known: self.keys.len() as u64,
            ..self.counts
        }
    }

    /// Takes the next record.
    pub(super) fn observe(&mut self, record: &Record, findings: &mut Findings) {
        if record.outcome != Outcome::Success || !is_of_a_key(record.event) {
            return;
        }
        let Some(object) = &record.object else { return };
        let Ok(id) = Uuid::parse_str(&object.identifier) else {
            return;
        };
        let sequence = record.sequence;
        let state = |name: &Option<String>| name.as_deref().and_then(State::of);
        let (before, after) = (state(&object.state_before), state(&object.state_after));
        if is_making(record) {
            self.counts.made += 1;
            let life = Life {
                state: after,
                seen: after.map_or(0, State::bit),
                record: sequence,
            };
            if let Some(earlier) = self.keys.insert(id, life) {
                findings.add(
                    Code::KeyMadeTwice,
                    sequence,
                    format!(
                        "record {sequence} makes the key {id}, and record {} has it already",
                        earlier.record
                    ),
                );
            }
            return;
        }
        let whole = self.whole;
        let life = self.keys.entry(id).or_insert_with(|| {
            if whole {
                findings.add(
                    Code::KeyUnmade,
                    sequence,
                    format!("record {sequence} is of the key {id}, which no record made"),
                );
            }
            Life {
                state: before,
                seen: before.map_or(0, State::bit),
                record: sequence,
            }
        });
        if record.event == EventName::KmipGet || record.event == EventName::KmipExport {
            self.counts.releases += 1;
            life.released(record, id, before, findings);
        }
        if let Some(before) = before {
            life.was(before, after.is_some(), sequence, id, findings);
        }
        if let (Some(before), Some(after)) = (before.or(life.state), after) {
            if !before.by(record.event, after) {
                findings.add(
                    Code::KeyTransition,
                    sequence,
                    format!(
                        "record {sequence}, {}, brings the key {id} from {before:?} to {after:?}, which can't follow",
                        record.event
                    ),
                );
            }
            if after.is_end() && !before.is_end() {
                self.counts.destroyed += 1;
            }
        }
        if let Some(after) = after {
            life.state = Some(after);
            life.seen |= after.bit();
            life.record = sequence;
        }
    }
}

impl Life {
    /// Whether it was to be found in this state.
    fn was(&mut self, before: State, changes: bool, sequence: u64, id: Uuid, findings: &mut Findings) {
        let Some(state) = self.state else {
            self.state = Some(before);
            self.seen |= before.bit();
            return;
        };
        let fits = state == before || state.by_date(before) || (!changes && self.seen & before.bit() != 0);
        if !fits {
            findings.add(
                Code::KeyState,
                sequence,
                format!(
                    "record {sequence} finds the key {id} {before:?}, and record {} left it {state:?}",
                    self.record
                ),
            );
        }
        if state.by_date(before) {
            self.state = Some(before);
            self.seen |= before.bit();
        }
    }

    fn released(&self, record: &Record, id: Uuid, before: Option<State>, findings: &mut Findings) {
        let left = record.root_key.as_ref();
        if left.is_none_or(|root_key| root_key.release_profile.is_none()) {
            return;
        }
        let sequence = record.sequence;
        if before.is_some_and(State::is_end) {
            findings.add(
                Code::KeyReleasedAfterEnd,
                sequence,
                format!("record {sequence} releases the key {id}, which is destroyed"),
            );
        } else if self.state.is_some_and(State::is_end) {
            findings.add(
                Code::KeyReleasedMeanwhile,
                sequence,
                format!(
                    "record {sequence} releases the key {id}, which record {} destroyed; the release was under way",
                    self.record
                ),
            );
        }
    }
}

/// Whether the event is about a key of a client's, by its object.
fn is_of_a_key(event: EventName) -> bool {
    event == EventName::KeyDestroy
        || event == EventName::KeyDelete
        || event == EventName::KeyRevoke
        || event == EventName::KeyRewrap
        || event == EventName::KeyMove
        || event.as_str().starts_with("kmip.")
}

fn is_making(record: &Record) -> bool {
    match record.event {
        EventName::KmipCreate | EventName::KmipRegister | EventName::KmipReKey | EventName::KmipDeriveKey => {
            true
        }
        EventName::KmipImport => !record.details.contains_key("replaces"),
        _ => false,
    }
}
