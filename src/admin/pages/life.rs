//! One key's life, made out of its records: what happened to it, and who has had it.

use std::collections::BTreeSet;

use super::frame::{grouped, moment};
use super::search::read;
use crate::custody::{Actor, EventName, Hash, ObjectFacts, Outcome, Record, common_name};
use crate::store::{Error, RecordFilter, SearchFrom, Store};

/// Records that are read at a time, and at most for one key.
const READ: u32 = 1_000;
const MOST_READ: u64 = 50_000;

/// What the records of a key tell.
#[derive(Default)]
pub(super) struct Life {
    pub(super) steps: Vec<Step>,
    pub(super) holders: Vec<Holder>,
    /// How many records there are, as far as they were read.
    pub(super) records: u64,
    /// Whether there are more than were read.
    pub(super) is_cut: bool,
    /// What the last record says that the key is.
    pub(super) object: Option<ObjectFacts>,
    /// The digest of its row after the last record that has one, and that record's number.
    pub(super) row: Option<(Hash, u64)>,
    pub(super) refusals: u64,
}

/// Something that happened to a key; alike events in a row are one step.
pub(super) struct Step {
    /// `made`, `released`, `changed`, `looked-at`, `ended` or `refused`.
    pub(super) kind: &'static str,
    pub(super) said: String,
    pub(super) event: String,
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) begin: String,
    pub(super) end: String,
    pub(super) count: u64,
    pub(super) from: BTreeSet<String>,
    /// What an auditor should look at twice.
    pub(super) remark: Option<&'static str>,
    actor: Actor,
    outcome: Outcome,
}

/// A client that has had the key.
pub(super) struct Holder {
    pub(super) name: String,
    pub(super) certificate: String,
    pub(super) releases: u64,
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) begin: String,
    pub(super) end: String,
    pub(super) from: BTreeSet<String>,
    /// Whether the key's value was read from its device at least once.
    pub(super) by_reading: bool,
}

impl Life {
    /// Reads the records about an object.
    pub(super) async fn of(store: &dyn Store, identifier: &str) -> Result<Self, Error> {
        let filter = RecordFilter {
            object: Some(identifier.to_owned()),
            ..RecordFilter::default()
        };
        let mut life = Self::default();
        let mut next = 0;
        loop {
            let page = store
                .custody_search(&filter, SearchFrom::Number(next), READ)
                .await?;
            for stored in &page {
                next = stored.sequence + 1;
                life.records += 1;
                if let Some(record) = read(stored) {
                    life.take(record);
                }
            }
            if page.len() < READ as usize {
                return Ok(life);
            }
            if life.records >= MOST_READ {
                life.is_cut = true;
                return Ok(life);
            }
        }
    }

    fn take(&mut self, record: Record) {
        if record.is_release() {
            self.release(&record);
        }
        if record.outcome != Outcome::Success {
            self.refusals += 1;
        }
        self.step(&record);
        let sequence = record.sequence;
        // What a stranger named is not what the key is.
        if let Some(object) = record.object.filter(|_| record.outcome == Outcome::Success) {
            if let Some(digest) = object.row_sha256 {
                self.row = Some((digest, sequence));
            }
            self.object = Some(object);
        }
    }

    fn release(&mut self, record: &Record) {
        let Actor::Client {
            certificate, subject, ..
        } = &record.actor
        else {
            return;
        };
        let address = record.origin.as_ref().map(|origin| origin.address.to_string());
        let known = self
            .holders
            .iter_mut()
            .find(|holder| holder.certificate == *certificate);
        let holder = if let Some(holder) = known {
            holder
        } else {
            self.holders.push(Holder {
                name: common_name(subject).to_owned(),
                certificate: certificate.clone(),
                releases: 0,
                first: record.sequence,
                last: record.sequence,
                begin: moment(record.time),
                end: String::new(),
                from: BTreeSet::new(),
                by_reading: false,
            });
            let last = self.holders.len() - 1;
            &mut self.holders[last]
        };
        holder.releases += 1;
        holder.last = record.sequence;
        holder.end = moment(record.time);
        holder.from.extend(address);
        holder.by_reading |= is_by_reading(record);
    }

    fn step(&mut self, record: &Record) {
        let address = record.origin.as_ref().map(|origin| origin.address.to_string());
        let said = record.deed();
        let is_alike = |step: &&mut Step| {
            step.event == record.event.as_str()
                && step.outcome == record.outcome
                && step.actor == record.actor
                && step.said == said
        };
        if let Some(step) = self.steps.last_mut().filter(is_alike) {
            step.count += 1;
            step.last = record.sequence;
            step.end = moment(record.time);
            step.from.extend(address);
            return;
        }
        self.steps.push(Step {
            kind: kind(record),
            said,
            event: record.event.to_string(),
            first: record.sequence,
            last: record.sequence,
            begin: moment(record.time),
            end: moment(record.time),
            count: 1,
            from: address.into_iter().collect(),
            remark: remark(record),
            actor: record.actor.clone(),
            outcome: record.outcome,
        });
    }
}

impl Step {
    pub(super) fn count(&self) -> String {
        grouped(self.count)
    }
}

impl Holder {
    pub(super) fn releases(&self) -> String {
        grouped(self.releases)
    }
}

fn is_by_reading(record: &Record) -> bool {
    let root_key = record.root_key.as_ref();
    root_key.is_some_and(|root_key| root_key.release_profile.as_deref() == Some("read"))
}

fn kind(record: &Record) -> &'static str {
    use EventName as E;
    if record.outcome != Outcome::Success {
        return "refused";
    }
    match record.event {
        E::KmipGet | E::KmipExport => "released",
        E::KmipCreate | E::KmipRegister | E::KmipImport | E::KmipReKey | E::KmipDeriveKey => "made",
        E::KmipDestroy | E::KmipRevoke | E::KeyDestroy | E::KeyDelete | E::KeyRevoke => "ended",
        E::KmipGetAttributes | E::KmipGetAttributeList | E::KmipLocate | E::KmipCheck => "looked-at",
        _ => "changed",
    }
}

fn remark(record: &Record) -> Option<&'static str> {
    if record.event == EventName::StoreTampered {
        return Some("Another hand has changed the database.");
    }
    if record.is_release() && is_by_reading(record) {
        return Some("The value was read from the device, so it was readable there.");
    }
    None
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;
    use uuid::Uuid;

    use super::*;
    use crate::custody::{Event, RootKeyFacts};

    fn client(name: &str) -> Actor {
        Actor::Client {
            certificate: name.repeat(2),
            subject: format!("CN={name}"),
            issuer: String::new(),
            serial: String::new(),
            user: None,
        }
    }

    fn life(events: Vec<Event>) -> Life {
        let mut life = Life::default();
        for (sequence, event) in (0..).zip(events) {
            let time = OffsetDateTime::from_unix_timestamp(60 * i64::try_from(sequence).unwrap()).unwrap();
            life.take(Record::new(sequence, Uuid::nil(), time, "node-1", "0", event));
        }
        life
    }

    #[test]
    fn an_auditor_sees_who_has_had_the_key_and_how_often() {
        let mut read = Event::new(EventName::KmipGet, client("b"));
        read.root_key = Some(RootKeyFacts {
            id: Uuid::nil(),
            backend: "hsm".into(),
            token_serial: String::new(),
            label: String::new(),
            version: 1,
            wrap_profile: None,
            release_profile: Some("read".into()),
        });
        let life = life(vec![
            Event::new(EventName::KmipCreate, client("a")),
            Event::new(EventName::KmipGet, client("a")),
            Event::new(EventName::KmipGet, client("a")),
            read,
            Event::new(EventName::KmipGet, client("c")).refused("Permission denied"),
            Event::new(EventName::KmipGet, client("a")),
        ]);
        let holders: Vec<_> = life
            .holders
            .iter()
            .map(|holder| {
                (
                    holder.name.as_str(),
                    holder.releases,
                    holder.first,
                    holder.last,
                    holder.by_reading,
                )
            })
            .collect();
        assert_eq!(holders, [("a", 3, 1, 5, false), ("b", 1, 3, 3, true)]);
        let steps: Vec<_> = life.steps.iter().map(|step| (step.kind, step.count)).collect();
        assert_eq!(
            steps,
            [
                ("made", 1),
                ("released", 2),
                ("released", 1),
                ("refused", 1),
                ("released", 1)
            ]
        );
        assert!(life.steps[2].remark.is_some());
        assert_eq!(life.refusals, 1);
    }
}
