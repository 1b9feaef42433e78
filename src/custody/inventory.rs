//! What the log says beside keys: which adapters there are and under which root key, which client certificates are let in and
//! to which adapter, and in which version and state each root key is.
//!
//! Each change of these is one record, so the last one that names an identity says how it has to be in the database, whoever
//! else has written there.

use std::collections::HashMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{EventName, Outcome, Record};

/// An adapter, a client certificate or a root key, as far as records tell of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum IdentityFacts {
    /// An adapter.
    Adapter {
        /// Its identifier.
        id: Uuid,
        /// Its name.
        name: String,
        /// The root key that its new keys go under.
        root_key: Uuid,
    },
    /// A client certificate that is let in.
    Certificate {
        /// SHA-256 of its DER, in hexadecimal.
        fingerprint: String,
        /// The adapter that it opens.
        adapter: Uuid,
    },
    /// A root key.
    RootKey {
        /// Its identifier.
        id: Uuid,
        /// Serial number of its token.
        token_serial: String,
        /// `CKA_LABEL` of its present version.
        label: String,
        /// Its present version.
        version: u32,
        /// Whether it may be used: `enabled`, `disabled`, `scheduled`, `destroying` or `destroyed`.
        state: String,
    },
}

impl IdentityFacts {
    /// Which one it is.
    pub fn identity(&self) -> Identity {
        match self {
            Self::Adapter { id, .. } => Identity::Adapter(*id),
            Self::Certificate { fingerprint, .. } => Identity::Certificate(fingerprint.clone()),
            Self::RootKey { id, .. } => Identity::RootKey(*id),
        }
    }
}

/// In words: what there is, and how.
impl fmt::Display for IdentityFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Adapter { name, root_key, .. } => write!(f, "{name:?} under the root key {root_key}"),
            Self::Certificate { adapter, .. } => write!(f, "let in to the adapter {adapter}"),
            Self::RootKey {
                token_serial,
                label,
                version,
                state,
                ..
            } => write!(
                f,
                "{state}, version {version}, {label} on the token {token_serial}"
            ),
        }
    }
}

/// Which one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Identity {
    /// The adapter of this identifier.
    Adapter(Uuid),
    /// The client certificate of this SHA-256.
    Certificate(String),
    /// The root key of this identifier.
    RootKey(Uuid),
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Adapter(id) => write!(f, "adapter {id}"),
            Self::Certificate(fingerprint) => write!(f, "certificate {fingerprint}"),
            Self::RootKey(id) => write!(f, "root key {id}"),
        }
    }
}

/// An identity that is not as the log says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdentityFault {
    /// No record entered it.
    Unrecorded,
    /// It was taken out, and is there.
    PutBack {
        /// The record that took it out.
        sequence: u64,
    },
    /// It is otherwise than the log says.
    Other {
        /// How it is in the database, in words.
        found: String,
        /// How a record left it, in words.
        recorded: String,
        /// The last record that tells how it is.
        sequence: u64,
    },
    /// It is not there.
    Missing {
        /// The last record that tells how it is.
        sequence: u64,
    },
}

impl fmt::Display for IdentityFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unrecorded => f.write_str("no record of the custody log entered it"),
            Self::PutBack { sequence } => write!(
                f,
                "it is there, and record {sequence} took it out: it was put back past the custody log"
            ),
            Self::Other {
                found,
                recorded,
                sequence,
            } => write!(
                f,
                "it is {found}, and record {sequence} left it {recorded}: it was written past the custody log"
            ),
            Self::Missing { sequence } => write!(
                f,
                "it is gone, and record {sequence}, the last that tells of it, did not take it out"
            ),
        }
    }
}

/// Every identity as the log has it.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    entries: HashMap<Identity, Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    recorded: Recorded,
    /// The number of the record.
    sequence: u64,
    /// It was compared.
    is_found: bool,
}

#[derive(Clone, Debug)]
enum Recorded {
    As(IdentityFacts),
    /// It is there, and records do not say how.
    Somehow,
    Gone,
}

impl Inventory {
    /// The inventory of an empty log.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the next record of the log.
    pub fn read(&mut self, record: &Record) {
        if record.outcome != Outcome::Success {
            return;
        }
        match record.event {
            EventName::AdapterCreate | EventName::AdapterMove => self.adapter(record),
            EventName::AdapterDelete => self.adapter_deleted(record),
            EventName::CertificateAdd | EventName::CertificateRemove => self.certificate(record),
            _ => self.root_key(record),
        }
    }

    fn adapter(&mut self, record: &Record) {
        let Some(adapter) = &record.adapter else { return };
        let recorded = record.root_key.as_ref().map_or(Recorded::Somehow, |root_key| {
            Recorded::As(IdentityFacts::Adapter {
                id: adapter.id,
                name: adapter.name.clone(),
                root_key: root_key.id,
            })
        });
        self.enter(Identity::Adapter(adapter.id), recorded, record.sequence);
    }

    /// Its certificates go with it.
    fn adapter_deleted(&mut self, record: &Record) {
        let Some(deleted) = record.adapter.as_ref().map(|adapter| adapter.id) else {
            return;
        };
        for entry in self.entries.values_mut() {
            let opens = |facts: &IdentityFacts| matches!(facts, IdentityFacts::Certificate { adapter, .. } if *adapter == deleted);
            if matches!(&entry.recorded, Recorded::As(facts) if opens(facts)) {
                entry.recorded = Recorded::Gone;
                entry.sequence = record.sequence;
            }
        }
        self.enter(Identity::Adapter(deleted), Recorded::Gone, record.sequence);
    }

    fn certificate(&mut self, record: &Record) {
        let Some(certificate) = &record.certificate else {
            return;
        };
        let fingerprint = certificate.fingerprint.clone();
        let recorded = match (&record.adapter, record.event) {
            (_, EventName::CertificateRemove) => Recorded::Gone,
            (Some(adapter), _) => Recorded::As(IdentityFacts::Certificate {
                fingerprint: fingerprint.clone(),
                adapter: adapter.id,
            }),
            (None, _) => Recorded::Somehow,
        };
        self.enter(Identity::Certificate(fingerprint), recorded, record.sequence);
    }

    fn root_key(&mut self, record: &Record) {
        let state = match record.event {
            EventName::RootKeyCreate
            | EventName::RootKeyImport
            | EventName::RootKeyAdopt
            | EventName::RootKeyEnable => Some("enabled"),
            EventName::RootKeyDisable | EventName::RootKeyCancelDestruction => Some("disabled"),
            // Of one that was not destroyed here nothing is changed.
            EventName::RootKeyRestore if record.details.contains_key("restored") => Some("disabled"),
            EventName::RootKeyScheduleDestruction | EventName::RootKeyApproveDestruction => Some("scheduled"),
            EventName::RootKeyDestroyed => Some("destroyed"),
            // A rotation leaves the state as it is. The record of a destruction's beginning names what is destroyed, and not
            // the version that has the seal key from then on.
            EventName::RootKeyRotate | EventName::RootKeyDestroy => None,
            _ => return,
        };
        let Some(now) = &record.root_key else { return };
        let which = Identity::RootKey(now.id);
        let state = match (record.event, state) {
            (EventName::RootKeyRotate, _) => self.state_of(&which),
            (_, state) => state.map(str::to_owned),
        };
        let recorded = state.map_or(Recorded::Somehow, |state| {
            Recorded::As(IdentityFacts::RootKey {
                id: now.id,
                token_serial: now.token_serial.clone(),
                label: now.label.clone(),
                version: now.version,
                state,
            })
        });
        self.enter(which, recorded, record.sequence);
    }

    fn state_of(&self, root_key: &Identity) -> Option<String> {
        match &self.entries.get(root_key)?.recorded {
            Recorded::As(IdentityFacts::RootKey { state, .. }) => Some(state.clone()),
            _ => None,
        }
    }

    fn enter(&mut self, which: Identity, recorded: Recorded, sequence: u64) {
        let entry = Entry {
            recorded,
            sequence,
            is_found: false,
        };
        self.entries.insert(which, entry);
    }

    /// Compares what a database has.
    pub fn compare(&mut self, found: &IdentityFacts) -> Result<(), IdentityFault> {
        let Some(entry) = self.entries.get_mut(&found.identity()) else {
            return Err(IdentityFault::Unrecorded);
        };
        entry.is_found = true;
        let sequence = entry.sequence;
        match &entry.recorded {
            Recorded::Gone => Err(IdentityFault::PutBack { sequence }),
            Recorded::As(recorded) if recorded != found => Err(IdentityFault::Other {
                found: found.to_string(),
                recorded: recorded.to_string(),
                sequence,
            }),
            Recorded::As(_) | Recorded::Somehow => Ok(()),
        }
    }

    /// What is there by the log, and was not compared, in order.
    pub fn missing(&self) -> Vec<(Identity, IdentityFault)> {
        let missing = self
            .entries
            .iter()
            .filter(|(_, entry)| !entry.is_found && !matches!(entry.recorded, Recorded::Gone));
        let mut missing: Vec<_> = missing
            .map(|(which, entry)| {
                let sequence = entry.sequence;
                (which.clone(), IdentityFault::Missing { sequence })
            })
            .collect();
        missing.sort_by(|one, other| one.0.cmp(&other.0));
        missing
    }
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::super::{Actor, Event, RootKeyFacts};
    use super::*;

    const ROOT_KEY: Uuid = Uuid::from_u128(7);

    fn record(sequence: u64, event: Event) -> Record {
        Record::new(
            sequence,
            Uuid::nil(),
            OffsetDateTime::UNIX_EPOCH,
            "node-1",
            "0.1.0",
            event,
        )
    }

    fn of_root_key(name: EventName, version: u32) -> Event {
        let mut event = Event::new(name, Actor::Server);
        event.root_key = Some(RootKeyFacts {
            id: ROOT_KEY,
            backend: "hsm".into(),
            token_serial: "01".into(),
            label: format!("claviger.a.v{version}"),
            version,
            wrap_profile: None,
            release_profile: None,
        });
        event
    }

    fn root_key(version: u32, state: &str) -> IdentityFacts {
        IdentityFacts::RootKey {
            id: ROOT_KEY,
            token_serial: "01".into(),
            label: format!("claviger.a.v{version}"),
            version,
            state: state.into(),
        }
    }

    #[test]
    fn a_root_key_is_followed_through_its_whole_life() {
        let mut inventory = Inventory::new();
        let life = [
            (of_root_key(EventName::RootKeyCreate, 1), root_key(1, "enabled")),
            (of_root_key(EventName::RootKeyRotate, 2), root_key(2, "enabled")),
            // Of an earlier version, and so of no row here.
            (
                of_root_key(EventName::RootKeyVersionDestroyed, 1),
                root_key(2, "enabled"),
            ),
            (of_root_key(EventName::RootKeyDisable, 2), root_key(2, "disabled")),
            (
                of_root_key(EventName::RootKeyEnable, 2).failed("the token is away"),
                root_key(2, "disabled"),
            ),
            (of_root_key(EventName::RootKeyRestore, 2), root_key(2, "disabled")),
            (of_root_key(EventName::RootKeyEnable, 2), root_key(2, "enabled")),
            (
                of_root_key(EventName::RootKeyScheduleDestruction, 2),
                root_key(2, "scheduled"),
            ),
            (
                of_root_key(EventName::RootKeyApproveDestruction, 2),
                root_key(2, "scheduled"),
            ),
            // What it is like meanwhile no record says.
            (
                of_root_key(EventName::RootKeyDestroy, 2),
                root_key(3, "destroying"),
            ),
            (
                of_root_key(EventName::RootKeyDestroyed, 3),
                root_key(3, "destroyed"),
            ),
            (
                of_root_key(EventName::RootKeyRestore, 4).detail("restored", "claviger.a.v2"),
                root_key(4, "disabled"),
            ),
        ];
        for (sequence, (event, expected)) in (0..).zip(life) {
            let name = event.name;
            inventory.read(&record(sequence, event));
            assert_eq!(inventory.compare(&expected), Ok(()), "{name}");
            let other = root_key(9, "enabled");
            let found = inventory.compare(&other);
            let judged = name != EventName::RootKeyDestroy;
            assert_eq!(found.is_err(), judged, "{name}: {found:?}");
        }
        assert_eq!(inventory.missing(), []);
    }

    #[test]
    fn what_was_entered_and_is_gone_is_missed_until_a_record_takes_it_out() {
        let mut inventory = Inventory::new();
        let adapter = super::super::AdapterFacts {
            id: Uuid::from_u128(1),
            name: "east".into(),
        };
        let mut made = of_root_key(EventName::AdapterCreate, 1);
        made.adapter = Some(adapter.clone());
        inventory.read(&record(4, made));
        let missing = (
            Identity::Adapter(adapter.id),
            IdentityFault::Missing { sequence: 4 },
        );
        assert_eq!(inventory.missing(), [missing]);
        let mut deleted = Event::new(EventName::AdapterDelete, Actor::Server);
        deleted.adapter = Some(adapter.clone());
        inventory.read(&record(5, deleted));
        assert_eq!(inventory.missing(), []);
        let put_back = IdentityFacts::Adapter {
            id: adapter.id,
            name: adapter.name,
            root_key: ROOT_KEY,
        };
        assert_eq!(
            inventory.compare(&put_back),
            Err(IdentityFault::PutBack { sequence: 5 })
        );
    }
}
