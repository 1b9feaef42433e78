//! What the log says of the rows of keys: how each has to be in the database.
//!
//! Each writing of a key's row is in one record ([`Record::rows`]). So the row that a key has to have is the one that the last
//! of them names, whoever else has written to the database since, and with whichever seal.
//!
//! Records of an early form do not say which rows they wrote. Of keys that only such records name nothing can be said.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

use uuid::Uuid;

use super::{EventName, Hash, Outcome, Record, RowFacts};

/// The rows of all keys as the log has them. About 80 bytes a key.
#[derive(Clone, Debug, Default)]
pub struct RowLedger {
    rows: HashMap<Uuid, Entry>,
    adapters: Vec<Uuid>,
    /// Keys of which only records of the early form tell.
    early: HashSet<Uuid>,
    /// A record that says which rows it wrote was read, so there are no early ones after it.
    is_early: bool,
    /// Those of the adapters that were deleted.
    deleted: HashSet<u32>,
    /// The number of the first record that is read, until a record of a pruning tells of all that was before it.
    lacks_before: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    revision: u64,
    sha256: Hash,
    /// The number of the record.
    sequence: u64,
    /// Which of the adapters; none where the record does not say.
    adapter: Option<u32>,
    /// A row of this key was compared.
    is_found: bool,
}

/// A row that is not as the log says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowFault {
    /// No record wrote it.
    Unrecorded,
    /// The log has a later one: an older row was put back.
    Older {
        /// The revision of the row.
        found: u64,
        /// The revision that was written last.
        recorded: u64,
        /// The record that wrote it.
        sequence: u64,
    },
    /// It was written once more, or otherwise, by somebody who did not record it.
    Other {
        /// The revision of the row.
        found: u64,
        /// The revision that was written last.
        recorded: u64,
        /// The record that wrote it.
        sequence: u64,
    },
    /// There is no row.
    Missing {
        /// The record that wrote the row last.
        sequence: u64,
    },
}

impl fmt::Display for RowFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unrecorded => f.write_str("no record of the custody log wrote its row"),
            Self::Older {
                found,
                recorded,
                sequence,
            } => write!(
                f,
                "its row is of revision {found}, and record {sequence} wrote revision {recorded}: an older row was put back"
            ),
            Self::Other {
                found,
                recorded,
                sequence,
            } => write!(
                f,
                "its row (revision {found}) is not the one that record {sequence} wrote (revision {recorded}): it was \
                 written past the custody log"
            ),
            Self::Missing { sequence } => write!(
                f,
                "its row is gone, and record {sequence}, the last that wrote it, did not delete it"
            ),
        }
    }
}

/// The detail of a `custody.carry` with the identifiers of keys of which only records of the early form tell.
pub const EARLY: &str = "without_rows";

/// The number of the first record that the pruning of this record left; none of a record that says nothing of it.
pub fn pruned_below(record: &Record) -> Option<u64> {
    record.details.get("below")?.parse().ok()
}

impl RowLedger {
    /// The ledger of an empty log.
    pub fn new() -> Self {
        Self::from(0)
    }

    /// The ledger of a log that is read from this record on, as one that was pruned. Of a key that no record names nothing is
    /// said until the record of a pruning was read that reaches as far: what is to be known of the records before it is told
    /// again by then.
    pub fn from(first: u64) -> Self {
        Self {
            is_early: first == 0,
            lacks_before: Some(first).filter(|first| *first > 0),
            ..Self::default()
        }
    }

    /// Reads the next record of the log.
    pub fn read(&mut self, record: &Record) {
        match record.event {
            EventName::CustodyCarry => return self.carry(record),
            EventName::CustodyPrune if record.outcome == Outcome::Success => {
                let below = pruned_below(record);
                self.lacks_before = self.lacks_before.filter(|first| below < Some(*first));
            }
            _ => {}
        }
        if !record.rows.is_empty() {
            self.is_early = false;
        }
        let adapter = record.adapter.as_ref().map(|adapter| adapter.id);
        for row in &record.rows {
            self.write(row, record.sequence, adapter);
        }
        if record.outcome != Outcome::Success {
            return;
        }
        if record.event == EventName::AdapterDelete
            && let Some(deleted) = adapter
        {
            // The rows of its destroyed keys go with it.
            self.delete(deleted);
        }
        if self.is_early
            && let Some(object) = &record.object
            && object.row_sha256.is_some()
            && let Ok(identifier) = object.identifier.parse()
        {
            self.early.insert(identifier);
        }
    }

    /// Takes what is told again, where nothing newer was read by then.
    fn carry(&mut self, record: &Record) {
        let adapter = record.adapter.as_ref().map(|adapter| self.number_of(adapter.id));
        if adapter.is_some_and(|adapter| self.deleted.contains(&adapter)) {
            return;
        }
        for row in &record.rows {
            self.early.remove(&row.identifier);
            self.rows.entry(row.identifier).or_insert(Entry {
                revision: row.revision,
                sha256: row.sha256,
                sequence: record.sequence,
                adapter,
                is_found: false,
            });
        }
        let early = record.details.get(EARLY).map_or("", String::as_str);
        let early = early.split(' ').filter_map(|identifier| identifier.parse().ok());
        let rows = &self.rows;
        self.early
            .extend(early.filter(|identifier| !rows.contains_key(identifier)));
    }

    /// What has to be told again before the records below this number are pruned: by adapter, the rows that none of the later
    /// records wrote; and the keys of which only records of the early form tell. All in order.
    pub fn to_carry(&self, below: u64) -> (BTreeMap<Option<Uuid>, Vec<RowFacts>>, Vec<Uuid>) {
        let mut rows: BTreeMap<_, Vec<RowFacts>> = BTreeMap::new();
        for (identifier, entry) in self.rows.iter().filter(|(_, entry)| entry.sequence < below) {
            let adapter = entry
                .adapter
                .and_then(|number| self.adapters.get(number as usize).copied());
            rows.entry(adapter).or_default().push(RowFacts {
                identifier: *identifier,
                revision: entry.revision,
                sha256: entry.sha256,
            });
        }
        for rows in rows.values_mut() {
            rows.sort_by_key(|row| row.identifier);
        }
        let mut early: Vec<_> = self.early.iter().copied().collect();
        early.sort();
        (rows, early)
    }

    fn write(&mut self, row: &RowFacts, sequence: u64, adapter: Option<Uuid>) {
        self.early.remove(&row.identifier);
        let adapter = adapter.map(|adapter| self.number_of(adapter));
        self.rows.insert(
            row.identifier,
            Entry {
                revision: row.revision,
                sha256: row.sha256,
                sequence,
                adapter,
                is_found: false,
            },
        );
    }

    fn number_of(&mut self, adapter: Uuid) -> u32 {
        let known = self.adapters.iter().rposition(|known| *known == adapter);
        let number = known.unwrap_or_else(|| {
            self.adapters.push(adapter);
            self.adapters.len() - 1
        });
        u32::try_from(number).expect("an installation has fewer adapters")
    }

    fn delete(&mut self, adapter: Uuid) {
        let number = self.number_of(adapter);
        self.deleted.insert(number);
        self.rows.retain(|_, entry| entry.adapter != Some(number));
    }

    /// How many keys have a row, as the log says.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether no key has a row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Compares a row of the database. `None` where nothing can be said of this key: only records of the early form name it.
    pub fn compare(&mut self, row: &RowFacts) -> Option<Result<(), RowFault>> {
        let Some(entry) = self.rows.get_mut(&row.identifier) else {
            let is_early = self.early.contains(&row.identifier);
            return (!is_early && self.lacks_before.is_none()).then_some(Err(RowFault::Unrecorded));
        };
        entry.is_found = true;
        let (found, recorded, sequence) = (row.revision, entry.revision, entry.sequence);
        Some(if found < recorded {
            Err(RowFault::Older {
                found,
                recorded,
                sequence,
            })
        } else if found != recorded || row.sha256 != entry.sha256 {
            Err(RowFault::Other {
                found,
                recorded,
                sequence,
            })
        } else {
            Ok(())
        })
    }

    /// The keys that have a row in the log, and of which none was compared.
    pub fn missing(&self) -> impl Iterator<Item = (Uuid, RowFault)> {
        self.rows
            .iter()
            .filter(|(_, entry)| !entry.is_found)
            .map(|(identifier, entry)| {
                let sequence = entry.sequence;
                (*identifier, RowFault::Missing { sequence })
            })
    }

    /// Whether the log says now that this key has a row.
    pub fn has(&self, identifier: Uuid) -> bool {
        self.rows.contains_key(&identifier)
    }
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::super::{Actor, AdapterFacts, Event, ObjectFacts};
    use super::*;

    fn row(key: u128, revision: u64, fill: u8) -> RowFacts {
        RowFacts {
            identifier: Uuid::from_u128(key),
            revision,
            sha256: Hash([fill; 32]),
        }
    }

    fn record(sequence: u64, name: EventName, rows: Vec<RowFacts>) -> Record {
        let mut event = Event::new(name, Actor::Server);
        event.adapter = Some(AdapterFacts {
            id: Uuid::from_u128(9),
            name: "east".to_owned(),
        });
        event.object = Some(ObjectFacts {
            identifier: Uuid::from_u128(1).to_string(),
            row_sha256: Some(Hash([7; 32])),
            ..ObjectFacts::default()
        });
        event.rows = rows;
        let time = OffsetDateTime::UNIX_EPOCH;
        Record::new(sequence, Uuid::from_u128(5), time, "node-1", "0.1.0", event)
    }

    #[test]
    fn a_row_that_another_hand_wrote_is_told_from_an_older_one_and_from_one_nobody_wrote() {
        let mut ledger = RowLedger::new();
        ledger.read(&record(
            0,
            EventName::KmipCreate,
            vec![row(1, 1, 1), row(2, 1, 1)],
        ));
        ledger.read(&record(1, EventName::KmipRevoke, vec![row(1, 2, 2)]));
        // What a release tells of the row that it read says nothing of how the row has to be.
        ledger.read(&record(2, EventName::KmipGet, Vec::new()));
        assert_eq!(ledger.compare(&row(1, 2, 2)), Some(Ok(())));
        let (recorded, sequence) = (2, 1);
        let older = RowFault::Older {
            found: 1,
            recorded,
            sequence,
        };
        assert_eq!(ledger.compare(&row(1, 1, 1)), Some(Err(older)));
        for (found, fill) in [(2, 3), (3, 3)] {
            let other = RowFault::Other {
                found,
                recorded,
                sequence,
            };
            assert_eq!(ledger.compare(&row(1, found, fill)), Some(Err(other)));
        }
        assert_eq!(ledger.compare(&row(3, 1, 1)), Some(Err(RowFault::Unrecorded)));
        let missing: Vec<_> = ledger.missing().collect();
        let gone = RowFault::Missing { sequence: 0 };
        assert_eq!(missing, [(Uuid::from_u128(2), gone)]);
    }

    #[test]
    fn the_rows_of_a_deleted_adapter_are_not_missed() {
        let mut ledger = RowLedger::new();
        ledger.read(&record(0, EventName::KmipDestroy, vec![row(1, 4, 1)]));
        let refused = Record {
            outcome: Outcome::Refused,
            ..record(1, EventName::AdapterDelete, Vec::new())
        };
        ledger.read(&refused);
        assert!(ledger.has(Uuid::from_u128(1)));
        ledger.read(&record(2, EventName::AdapterDelete, Vec::new()));
        assert!(ledger.is_empty());
        assert_eq!(ledger.compare(&row(1, 4, 1)), Some(Err(RowFault::Unrecorded)));
    }

    #[test]
    fn of_a_key_that_only_early_records_name_nothing_is_said() {
        let mut ledger = RowLedger::new();
        ledger.read(&record(0, EventName::KmipCreate, Vec::new()));
        assert_eq!(ledger.compare(&row(1, 1, 1)), None);
        // From here on no record is early: a forged row does not become true by being read.
        ledger.read(&record(1, EventName::KmipCreate, vec![row(2, 1, 1)]));
        let mut read = record(2, EventName::KmipGet, Vec::new());
        read.object.as_mut().unwrap().identifier = Uuid::from_u128(3).to_string();
        ledger.read(&read);
        assert_eq!(ledger.compare(&row(3, 1, 1)), Some(Err(RowFault::Unrecorded)));
        assert_eq!(ledger.compare(&row(1, 1, 1)), None);
    }

    #[test]
    fn after_a_pruning_rows_are_known_by_what_was_told_again_and_nothing_newer_is_overruled() {
        let mut whole = RowLedger::new();
        whole.read(&record(
            0,
            EventName::KmipCreate,
            vec![row(1, 1, 1), row(2, 1, 1)],
        ));
        whole.read(&record(300, EventName::KmipRevoke, vec![row(2, 2, 2)]));
        let (carried, early) = whole.to_carry(256);
        assert_eq!(carried[&Some(Uuid::from_u128(9))], [row(1, 1, 1)]);
        assert!(early.is_empty());

        let mut pruned = RowLedger::from(256);
        pruned.read(&record(300, EventName::KmipRevoke, vec![row(2, 2, 2)]));
        assert_eq!(pruned.compare(&row(1, 1, 1)), None);
        // An older state of a key that was written meanwhile is not believed.
        let told = vec![row(1, 1, 1), row(2, 1, 1)];
        pruned.read(&record(301, EventName::CustodyCarry, told));
        let mut prune = record(302, EventName::CustodyPrune, Vec::new());
        prune.details.insert("below".into(), "256".into());
        pruned.read(&prune);
        assert_eq!(pruned.compare(&row(1, 1, 1)), Some(Ok(())));
        assert_eq!(pruned.compare(&row(2, 2, 2)), Some(Ok(())));
        assert_eq!(pruned.compare(&row(3, 1, 1)), Some(Err(RowFault::Unrecorded)));
        let recorded = RowFault::Other {
            found: 1,
            recorded: 1,
            sequence: 301,
        };
        assert_eq!(pruned.compare(&row(1, 1, 7)), Some(Err(recorded)));
    }

    #[test]
    fn the_rows_of_an_adapter_that_was_deleted_meanwhile_do_not_come_back() {
        let mut ledger = RowLedger::from(256);
        ledger.read(&record(300, EventName::AdapterDelete, Vec::new()));
        ledger.read(&record(301, EventName::CustodyCarry, vec![row(1, 1, 1)]));
        assert!(ledger.is_empty());
    }

    #[test]
    fn keys_that_only_early_records_name_stay_such_after_a_pruning() {
        let mut early = RowLedger::new();
        early.read(&record(0, EventName::KmipCreate, Vec::new()));
        let (_, names) = early.to_carry(256);
        let mut pruned = RowLedger::from(256);
        let mut carry = record(300, EventName::CustodyCarry, Vec::new());
        carry.details.insert(EARLY.into(), names[0].to_string());
        pruned.read(&carry);
        let mut prune = record(301, EventName::CustodyPrune, Vec::new());
        prune.details.insert("below".into(), "256".into());
        pruned.read(&prune);
        assert_eq!(pruned.compare(&row(1, 1, 1)), None);
        assert_eq!(pruned.compare(&row(2, 1, 1)), Some(Err(RowFault::Unrecorded)));
    }
}
