//! The proof that a log is whole: every record read, every hash made again.

use std::collections::HashSet;

use time::OffsetDateTime;
use uuid::Uuid;

use super::{CompactRange, Hash, RECORD_VERSION, Record, leaf_hash};

/// What a log is claimed to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The number of its records.
    pub size: u64,
    /// The root of the tree over them.
    pub root: Hash,
}

/// A record as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRecord {
    /// Its place in the log, from 0.
    pub sequence: u64,
    /// The hash of its leaf, kept beside it so that a change of the bytes is traced to its record.
    pub leaf: Hash,
    /// Its exact bytes.
    pub bytes: Vec<u8>,
}

/// What a log was found to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Its head, made again from the records.
    pub head: Head,
    /// The time of the first record.
    pub first: Option<OffsetDateTime>,
    /// The time of the last record.
    pub last: Option<OffsetDateTime>,
}

/// The first thing that is wrong with a log, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The number of a record is not the one after that of the record before it.
    #[error("record {expected} was expected and record {found} came: some are missing, or out of order")]
    Gap {
        /// The number that was due.
        expected: u64,
        /// The number that came.
        found: u64,
    },
    /// A record's bytes are no record of a known version.
    #[error("record {sequence} cannot be read: {why}")]
    Unreadable {
        /// The record's number.
        sequence: u64,
        /// What is wrong with the bytes.
        why: String,
    },
    /// A record's bytes are not the ones that were logged.
    #[error("record {sequence} was changed: its leaf was {logged} when it was logged, and is {found} now")]
    Changed {
        /// The record's number.
        sequence: u64,
        /// The leaf hash that was stored with it.
        logged: Hash,
        /// The leaf hash of its bytes.
        found: Hash,
    },
    /// A record names another place than the one it stands at.
    #[error("record {sequence} says that it is record {says}")]
    Misplaced {
        /// Where it stands.
        sequence: u64,
        /// The number inside it.
        says: u64,
    },
    /// A record is older than the one before it.
    #[error("record {sequence} of {time} is older than the record before it, of {before}")]
    TimeGoesBack {
        /// The record's number.
        sequence: u64,
        /// Its time.
        time: OffsetDateTime,
        /// The time of the record before it.
        before: OffsetDateTime,
    },
    /// A record's identifier is not one that was made from its time, or was used before.
    #[error("record {sequence} has the identifier {id}, which {why}")]
    Identifier {
        /// The record's number.
        sequence: u64,
        /// The identifier.
        id: Uuid,
        /// What is wrong with it.
        why: &'static str,
    },
    /// There are fewer or more records than the head says.
    #[error("the head says {expected} records, and there are {found}")]
    Size {
        /// The head's number.
        expected: u64,
        /// The number that came.
        found: u64,
    },
    /// All records are there and in order, and at least one of them is not the one that was logged.
    #[error(
        "the head says root {expected}, and the {size} records have root {found}: a record was \
         changed together with its stored leaf, or the head was"
    )]
    Root {
        /// The number of records.
        size: u64,
        /// The head's root.
        expected: Hash,
        /// The root that was made again.
        found: Hash,
    },
}

/// Verifies a log record by record, in constant memory.
#[derive(Debug, Default)]
pub struct Verifier {
    tree: CompactRange,
    first: Option<OffsetDateTime>,
    last: Option<OffsetDateTime>,
    /// The identifiers of the current millisecond: since times never go back and an identifier has its time in
    /// it, a double can only be among these.
    identifiers: HashSet<Uuid>,
}

impl Verifier {
    /// A verifier of a whole log, from record 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// A verifier of a log that is read from the end of this tree on: the records before it were pruned.
    pub fn after(tree: CompactRange) -> Self {
        Self {
            tree,
            ..Self::default()
        }
    }

    /// Takes the leaf of the next record, which was pruned.
    pub fn push_leaf(&mut self, leaf: Hash) {
        self.tree.append(leaf);
    }

    /// Takes the next record, and gives back what it says.
    pub fn push(&mut self, stored: &StoredRecord) -> Result<Record, Fault> {
        let sequence = stored.sequence;
        let expected = self.tree.size();
        if sequence != expected {
            return Err(Fault::Gap {
                expected,
                found: sequence,
            });
        }
        let found = leaf_hash(&stored.bytes);
        if found != stored.leaf {
            return Err(Fault::Changed {
                sequence,
                logged: stored.leaf,
                found,
            });
        }
        let record = Record::from_bytes(&stored.bytes).map_err(|error| Fault::Unreadable {
            sequence,
            why: error.to_string(),
        })?;
        if record.version != RECORD_VERSION {
            let why = format!("its version is {}, and {RECORD_VERSION} is known", record.version);
            return Err(Fault::Unreadable { sequence, why });
        }
        if record.sequence != sequence {
            return Err(Fault::Misplaced {
                sequence,
                says: record.sequence,
            });
        }
        self.check_time(&record)?;
        self.check_identifier(&record)?;
        self.tree.append(found);
        Ok(record)
    }

    /// Compares what came with what was claimed.
    pub fn finish(self, head: &Head) -> Result<Verified, Fault> {
        let found = Head {
            size: self.tree.size(),
            root: self.tree.root(),
        };
        if found.size != head.size {
            return Err(Fault::Size {
                expected: head.size,
                found: found.size,
            });
        }
        if found.root != head.root {
            return Err(Fault::Root {
                size: found.size,
                expected: head.root,
                found: found.root,
            });
        }
        Ok(Verified {
            head: found,
            first: self.first,
            last: self.last,
        })
    }

    fn check_time(&mut self, record: &Record) -> Result<(), Fault> {
        let (sequence, time) = (record.sequence, record.time);
        if let Some(before) = self.last
            && time < before
        {
            return Err(Fault::TimeGoesBack {
                sequence,
                time,
                before,
            });
        }
        if self.last.map(milliseconds) != Some(milliseconds(time)) {
            self.identifiers.clear();
        }
        self.first.get_or_insert(time);
        self.last = Some(time);
        Ok(())
    }

    fn check_identifier(&mut self, record: &Record) -> Result<(), Fault> {
        let wrong = |why| {
            Err(Fault::Identifier {
                sequence: record.sequence,
                id: record.id,
                why,
            })
        };
        if record.id.get_version_num() != 7 {
            return wrong("is not of version 7");
        }
        let stamp = record.id.as_u128() >> 80;
        if u128::try_from(milliseconds(record.time)) != Ok(stamp) {
            return wrong("was not made from the record's time");
        }
        if !self.identifiers.insert(record.id) {
            return wrong("an earlier record has too");
        }
        Ok(())
    }
}

/// Verifies a whole log against its head: numbers without gaps, bytes that fit their leaves, time that never goes
/// back, identifiers used once, the tree's size and root. The fault names the first record that is wrong.
pub fn verify<'a>(
    records: impl IntoIterator<Item = &'a StoredRecord>,
    head: &Head,
) -> Result<Verified, Fault> {
    let mut verifier = Verifier::new();
    for record in records {
        verifier.push(record)?;
    }
    verifier.finish(head)
}

fn milliseconds(time: OffsetDateTime) -> i128 {
    time.unix_timestamp_nanos().div_euclid(1_000_000)
}

#[cfg(test)]
mod tests {
    use time::Duration;
    use time::macros::datetime;
    use uuid::{NoContext, Timestamp};

    use super::super::{Actor, Event, EventName};
    use super::*;

    /// A sound log of so many records, one a millisecond and now and then two, and its head.
    fn log(size: u64) -> (Vec<StoredRecord>, Head) {
        let start = datetime!(2026-11-24 08:00:00 UTC);
        let mut tree = CompactRange::new();
        let records = (0..size)
            .map(|sequence| {
                let time = start + Duration::milliseconds(i64::try_from(sequence / 3 * 2).unwrap());
                let record = stored(sequence, identifier(time), time);
                tree.append(record.leaf);
                record
            })
            .collect();
        (
            records,
            Head {
                size,
                root: tree.root(),
            },
        )
    }

    fn identifier(time: OffsetDateTime) -> Uuid {
        let seconds = u64::try_from(time.unix_timestamp()).unwrap();
        Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, time.nanosecond()))
    }

    fn stored(sequence: u64, id: Uuid, time: OffsetDateTime) -> StoredRecord {
        let event = Event::new(EventName::KmipGet, Actor::Server);
        sealed(
            sequence,
            Record::new(sequence, id, time, "node-1", "0.1.0", event).to_bytes(),
        )
    }

    fn sealed(sequence: u64, bytes: Vec<u8>) -> StoredRecord {
        StoredRecord {
            sequence,
            leaf: leaf_hash(&bytes),
            bytes,
        }
    }

    fn fault(records: &[StoredRecord], head: &Head) -> Fault {
        verify(records, head).unwrap_err()
    }

    #[test]
    fn a_sound_log_is_verified() {
        for size in [0, 1, 2, 7, 64, 100] {
            let (records, head) = log(size);
            let verified = verify(&records, &head).unwrap();
            assert_eq!(verified.head, head);
            assert_eq!(verified.first.is_some(), size > 0);
        }
    }

    #[test]
    fn a_record_that_was_taken_out_is_missed() {
        for missing in 0..10 {
            let (mut records, head) = log(10);
            records.remove(missing);
            let missing = missing as u64;
            let expected = if missing == 9 {
                Fault::Size {
                    expected: 10,
                    found: 9,
                }
            } else {
                Fault::Gap {
                    expected: missing,
                    found: missing + 1,
                }
            };
            assert_eq!(fault(&records, &head), expected);
        }
    }

    #[test]
    fn a_record_that_was_doubled_or_exchanged_is_named() {
        let (mut records, head) = log(10);
        records.insert(4, records[4].clone());
        assert_eq!(
            fault(&records, &head),
            Fault::Gap {
                expected: 5,
                found: 4
            }
        );
        let (mut records, head) = log(10);
        records.swap(2, 7);
        (records[2].sequence, records[7].sequence) = (2, 7);
        assert_eq!(fault(&records, &head), Fault::Misplaced { sequence: 2, says: 7 });
    }

    #[test]
    fn a_single_changed_byte_is_traced_to_its_record() {
        let (sound, head) = log(5);
        for index in 0..sound.len() {
            for byte in 0..sound[index].bytes.len() {
                let mut records = sound.clone();
                records[index].bytes[byte] ^= 1;
                let fault = fault(&records, &head);
                assert!(
                    matches!(fault, Fault::Changed { sequence, .. } if sequence == index as u64),
                    "{fault}"
                );
            }
        }
    }

    #[test]
    fn a_record_that_was_written_anew_with_its_leaf_does_not_fit_the_root() {
        let (mut records, head) = log(5);
        let text = String::from_utf8(records[3].bytes.clone()).unwrap();
        records[3] = sealed(3, text.replace("kmip.get", "kmip.check").into_bytes());
        assert!(matches!(fault(&records, &head), Fault::Root { size: 5, .. }));
    }

    #[test]
    fn a_record_that_says_nothing_is_named() {
        for bytes in [&b""[..], b"{}", b"\xff", b"null"] {
            let (mut records, head) = log(5);
            records[2] = sealed(2, bytes.to_vec());
            assert!(matches!(
                fault(&records, &head),
                Fault::Unreadable { sequence: 2, .. }
            ));
        }
        let (mut records, head) = log(5);
        let text = String::from_utf8(records[2].bytes.clone()).unwrap();
        records[2] = sealed(2, text.replace("\"version\":1,", "\"version\":2,").into_bytes());
        assert!(
            fault(&records, &head)
                .to_string()
                .contains("its version is 2, and 1 is known")
        );
    }

    #[test]
    fn time_that_goes_back_is_named() {
        let (mut records, head) = log(5);
        let time = datetime!(2026-11-24 07:59:59 UTC);
        records[3] = stored(3, identifier(time), time);
        assert!(matches!(
            fault(&records, &head),
            Fault::TimeGoesBack { sequence: 3, .. }
        ));
    }

    #[test]
    fn an_identifier_that_is_not_the_records_own_is_named() {
        let (sound, head) = log(6);
        let times: Vec<_> = sound
            .iter()
            .map(|record| Record::from_bytes(&record.bytes).unwrap())
            .collect();
        for (id, why) in [
            (Uuid::new_v4(), "is not of version 7"),
            (
                identifier(times[4].time + Duration::seconds(1)),
                "was not made from the record's time",
            ),
            (times[3].id, "an earlier record has too"),
        ] {
            let mut records = sound.clone();
            records[4] = stored(4, id, times[4].time);
            let fault = fault(&records, &head);
            assert!(
                matches!(fault, Fault::Identifier { sequence: 4, why: said, .. } if said == why),
                "{fault}"
            );
        }
    }

    #[test]
    fn another_logs_head_does_not_verify() {
        let (records, head) = log(5);
        let (_, other) = log(5);
        assert_eq!(
            fault(&records, &other),
            Fault::Root {
                size: 5,
                expected: other.root,
                found: head.root
            }
        );
    }
}
