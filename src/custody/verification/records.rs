//! The records of a bundle, compared with the leaves that were signed, so that what is wrong is named by its number.

use std::collections::{BTreeSet, HashSet};

use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::super::{CompactRange, EventName, Hash, Outcome, RECORD_VERSION, Record, leaf_hash, pruned_below};
use super::finding::{Code, Findings};
use super::lives::Lives;
use super::rows::Rows;
use super::tree::Leaves;

/// A line of the records and its leaf.
pub(super) struct Line {
    pub(super) bytes: Vec<u8>,
    pub(super) leaf: Hash,
}

impl Line {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        let leaf = leaf_hash(&bytes);
        Self { bytes, leaf }
    }
}

/// The records while they come.
pub(super) struct Records {
    from: u64,
    size: u64,
    leaves: Vec<Hash>,
    /// The tree over what came, where the leaves are not known.
    tree: Option<CompactRange>,
    proved: bool,
    /// The number that is due.
    place: u64,
    /// Numbers before `place` that did not come.
    missing: BTreeSet<u64>,
    /// Numbers from `place` on that came too early.
    early: BTreeSet<u64>,
    /// Something was wrong with the records: what they say together is not judged from here on.
    pub(super) disturbed: Option<u64>,
    content: Content,
}

/// What the records say, one after another.
pub(super) struct Content {
    pub(super) lives: Lives,
    pub(super) rows: Rows,
    pub(super) first: Option<OffsetDateTime>,
    pub(super) last: Option<OffsetDateTime>,
    pub(super) number: u64,
    /// The epochs that were opened by two.
    pub(super) epochs: Vec<Epoch>,
    /// How far the log was pruned, as records say that two administrators agreed to.
    pub(super) pruned_below: u64,
    identifiers: HashSet<Uuid>,
    heartbeat: Duration,
    beats: bool,
    stopped: bool,
}

/// An epoch: the log that was known before it, and how much of it was left.
pub(super) struct Epoch {
    pub(super) record: u64,
    known: u64,
    found: u64,
}

impl Epoch {
    /// None of one that another than who asked for it did not approve.
    fn of(record: &Record) -> Option<Self> {
        let size = |name: &str| record.details.get(name)?.parse().ok();
        Some(Self {
            record: record.sequence,
            known: size("known_size")?,
            found: size("found_size")?,
        })
        .filter(|_| by_two(record))
    }

    /// Whether a log of so many records was one that this epoch gave up.
    pub(super) const fn gave_up(&self, size: u64) -> bool {
        self.found < size && size <= self.known
    }
}

impl Records {
    pub(super) fn new(from: u64, size: u64, leaves: Leaves, rows_at: u64, heartbeat: Duration) -> Self {
        let (leaves, tree, proved) = match leaves {
            Leaves::Proved(leaves) => (leaves, None, true),
            Leaves::Unproved { before } => (Vec::new(), before, false),
        };
        Self {
            from,
            size,
            leaves,
            tree,
            proved,
            place: from,
            missing: BTreeSet::new(),
            early: BTreeSet::new(),
            disturbed: None,
            content: Content {
                lives: Lives::new(from == 0),
                rows: Rows::new(from, rows_at),
                first: None,
                last: None,
                number: 0,
                epochs: Vec::new(),
                pruned_below: 0,
                identifiers: HashSet::new(),
                heartbeat,
                beats: false,
                stopped: false,
            },
        }
    }

    /// Takes the next line. `next` is the leaf of the one after it.
    pub(super) fn line(&mut self, line: &Line, next: Option<Hash>, findings: &mut Findings) {
        if !self.proved {
            self.unproved(line, findings);
            return;
        }
        if self.leaf(self.place) == Some(line.leaf) {
            self.sound(line, findings);
            self.advance();
            return;
        }
        self.disturbed.get_or_insert(self.place);
        let place = self.place;
        let says = Record::from_bytes(&line.bytes).ok().map(|record| record.sequence);
        let logged = says.filter(|says| self.leaf(*says) == Some(line.leaf));
        let following = next.is_some() && next == self.leaf(place + 1);
        match logged {
            Some(number) if number > place => {
                if following || next == self.leaf(place) {
                    findings.add(
                        Code::RecordOutOfOrder,
                        number,
                        format!("record {number} stands before record {place}"),
                    );
                    self.early.insert(number);
                    if following {
                        self.missing.insert(place);
                        self.advance();
                    }
                } else {
                    self.missing
                        .extend((place..number).filter(|number| !self.early.contains(number)));
                    self.place = number;
                    self.advance();
                }
            }
            Some(number) if self.missing.remove(&number) => findings.add(
                Code::RecordOutOfOrder,
                number,
                format!("record {number} stands after record {}", place - 1),
            ),
            Some(number) => findings.add(
                Code::RecordInserted,
                number,
                format!("record {number} stands there twice"),
            ),
            None if place >= self.size => findings.add(
                Code::RecordInserted,
                None,
                "after the last record stands one that was never logged",
            ),
            None if next.is_some() && next == self.leaf(place) => findings.add(
                Code::RecordInserted,
                place,
                format!("before record {place} stands one that was never logged"),
            ),
            None => {
                let logged = self.leaf(place).map_or_else(String::new, |leaf| leaf.to_string());
                findings.add(
                    Code::RecordChanged,
                    place,
                    format!(
                        "record {place} was changed: its leaf was {logged} when it was signed, and is {} now",
                        line.leaf
                    ),
                );
                self.advance();
            }
        }
    }

    /// Ends the records.
    pub(super) fn end(mut self, root: Hash, findings: &mut Findings) -> (Content, Option<u64>) {
        if self.proved {
            for (first, last) in ranges(&self.missing) {
                findings.add(
                    Code::RecordMissing,
                    first,
                    format!("{} missing", named(first, last)),
                );
            }
        } else if let Some(tree) = &self.tree
            && self.place == self.size
        {
            if tree.root() == root {
                findings.add(
                    Code::TileChanged,
                    None,
                    "the records are those of the signed root: only the tiles beside them are not",
                );
            } else {
                findings.add(
                    Code::RootOther,
                    None,
                    format!(
                        "the records have the root {}, and the checkpoint {root}",
                        tree.root()
                    ),
                );
            }
        }
        if self.place < self.size {
            self.disturbed.get_or_insert(self.place);
            findings.add(
                Code::LogTruncated,
                self.place,
                format!(
                    "{} missing at the end: the checkpoint has {} records",
                    named(self.place, self.size - 1),
                    self.size
                ),
            );
        }
        (self.content, self.disturbed)
    }

    fn leaf(&self, number: u64) -> Option<Hash> {
        let place = usize::try_from(number.checked_sub(self.from)?).ok()?;
        self.leaves.get(place).copied()
    }

    fn advance(&mut self) {
        self.place += 1;
        while self.early.remove(&self.place) {
            self.place += 1;
        }
    }

    /// A record whose leaf was signed.
    fn sound(&mut self, line: &Line, findings: &mut Findings) {
        let number = self.place;
        match Record::from_bytes(&line.bytes) {
            Err(error) => {
                self.disturbed.get_or_insert(number);
                findings.add(
                    Code::RecordUnreadable,
                    number,
                    format!("record {number} is what was signed, and can't be read: {error}; use the claviger-verify of a later version"),
                );
            }
            Ok(record) => {
                let judged = self.disturbed.is_none();
                self.content.take(&record, number, judged, findings);
            }
        }
    }

    fn unproved(&mut self, line: &Line, findings: &mut Findings) {
        let number = Record::from_bytes(&line.bytes).ok().map(|record| record.sequence);
        if number != Some(self.place) && self.disturbed.is_none() {
            self.disturbed = Some(self.place);
            let came = number.map_or_else(
                || "one that can't be read".to_owned(),
                |number| format!("record {number}"),
            );
            findings.add(
                Code::RecordOutOfOrder,
                self.place,
                format!("record {} was expected, and {came} came", self.place),
            );
        }
        if let Some(tree) = &mut self.tree {
            tree.append(line.leaf);
        }
        if self.disturbed.is_none() {
            self.sound(line, findings);
        }
        self.place += 1;
    }
}

impl Content {
    fn take(&mut self, record: &Record, number: u64, judged: bool, findings: &mut Findings) {
        self.number += 1;
        if record.version != RECORD_VERSION {
            findings.add(
                Code::RecordUnreadable,
                number,
                format!(
                    "record {number} is of version {}, and {RECORD_VERSION} is known here",
                    record.version
                ),
            );
        }
        if record.sequence != number {
            findings.add(
                Code::RecordMisnumbered,
                number,
                format!("record {number} says that it is record {}", record.sequence),
            );
        }
        self.time(record, number, findings);
        self.identifier(record, number, findings);
        match record.event {
            EventName::CustodyHeartbeat => self.beats = true,
            EventName::CustodyEpoch => {
                findings.add(
                    Code::LogEpoch,
                    number,
                    format!(
                        "record {number} opens a new epoch of the log: {}",
                        details(record)
                    ),
                );
                if !by_two(record) {
                    findings.add(
                        Code::LogEpochAlone,
                        number,
                        format!("record {number} opens a new epoch of the log, and no other administrator than who asked approved of it"),
                    );
                }
                self.epochs.extend(Epoch::of(record));
            }
            EventName::CustodyPrune if record.outcome == Outcome::Success => {
                findings.add(
                    Code::LogPruned,
                    number,
                    format!("record {number} lets the oldest records go: {}", details(record)),
                );
                let below = pruned_below(record).filter(|_| by_two(record));
                self.pruned_below = self.pruned_below.max(below.unwrap_or(0));
            }
            _ => {}
        }
        self.stopped = record.event == EventName::ServerStop;
        self.last = Some(record.time);
        self.first.get_or_insert(record.time);
        if judged {
            self.rows.observe(record);
            self.lives.observe(record, findings);
        }
    }

    fn time(&mut self, record: &Record, number: u64, findings: &mut Findings) {
        let Some(before) = self.last else { return };
        let time = record.time;
        if time < before {
            findings.add(
                Code::RecordTime,
                number,
                format!("record {number} of {time} is older than the record before it, of {before}"),
            );
        }
        let silence = time - before;
        if self.beats && !self.stopped && silence > self.heartbeat {
            findings.add(
                Code::HeartbeatGap,
                number,
                format!("nothing was recorded for {} seconds before record {number}, of {time}, and the server had not said that it stops", silence.whole_seconds()),
            );
        }
        if milliseconds(time) != milliseconds(before) {
            self.identifiers.clear();
        }
    }

    fn identifier(&mut self, record: &Record, number: u64, findings: &mut Findings) {
        let id = record.id;
        let why = if id.get_version_num() != 7 {
            "is not of version 7"
        } else if u128::try_from(milliseconds(record.time)) != Ok(id.as_u128() >> 80) {
            "was not made from the record's time"
        } else if !self.identifiers.insert(id) {
            "an earlier record has too"
        } else {
            return;
        };
        findings.add(
            Code::RecordIdentifier,
            number,
            format!("record {number} has the identifier {id}, which {why}"),
        );
    }
}

/// Whether another administrator approved than the one who asked.
fn by_two(record: &Record) -> bool {
    let mut approvers = record.approvers.iter();
    approvers.any(|approver| approver.is_other_than(&record.actor))
}

fn details(record: &Record) -> String {
    let details: Vec<_> = record
        .details
        .iter()
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    details.join(", ")
}

fn milliseconds(time: OffsetDateTime) -> i128 {
    time.unix_timestamp_nanos().div_euclid(1_000_000)
}

fn named(first: u64, last: u64) -> String {
    if first == last {
        format!("record {first} is")
    } else {
        format!("records {first} to {last} are")
    }
}

fn ranges(numbers: &BTreeSet<u64>) -> Vec<(u64, u64)> {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for number in numbers {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == *number => *last = *number,
            _ => ranges.push((*number, *number)),
        }
    }
    ranges
}
