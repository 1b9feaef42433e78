//! Reads the log once, from its first record on, and keeps what the report needs.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use time::{Date, Duration};

use super::{Anomaly, Holder, KeyLife, Kind, Moment, Question, Report, Step};
use crate::custody::{Actor, EventName, Head, ObjectFacts, Outcome, Record, RootKeyFacts};

/// A log that is being read.
pub struct Reading {
    question: Question,
    /// The number of the first record that is read: those before it were pruned.
    begins_at: u64,
    /// Who has made a key or was given it: key and certificate.
    known: HashSet<(String, String)>,
    anomalies: BTreeMap<(Kind, Date, String, Option<String>), Anomaly>,
    holders: BTreeMap<(String, String), Holder>,
    keys: BTreeMap<String, KeyLife>,
    /// Those of them that the report is on.
    touched: HashSet<String>,
    steps: Vec<Step>,
    /// The record before, whoever wrote it.
    before: Option<(Moment, EventName)>,
    /// What each server wrote last.
    nodes: HashMap<String, EventName>,
    has_heartbeats: bool,
    extent: Option<(Moment, Moment)>,
    records: u64,
    releases: u64,
}

impl Reading {
    /// A reading for this question, before the record of this number, the first that the log still has.
    pub fn new(question: Question, begins_at: u64) -> Self {
        Self {
            question,
            begins_at,
            known: HashSet::new(),
            anomalies: BTreeMap::new(),
            holders: BTreeMap::new(),
            keys: BTreeMap::new(),
            touched: HashSet::new(),
            steps: Vec::new(),
            before: None,
            nodes: HashMap::new(),
            has_heartbeats: false,
            extent: None,
            records: 0,
            releases: 0,
        }
    }

    /// Takes the next record of the log. Whoever calls leaves none out.
    pub fn push(&mut self, record: &Record) {
        let now = Moment {
            sequence: record.sequence,
            time: record.time,
        };
        let in_time = self.question.since.is_none_or(|since| record.time >= since)
            && self.question.until.is_none_or(|until| record.time < until);
        let is_meant = self.is_meant(record);
        if is_meant && let Some(object) = &record.object {
            self.learn(object, record, now, in_time);
        }
        // Of one key, the log matters from that key's first record on.
        if in_time && (self.question.key.is_none() || !self.keys.is_empty()) {
            self.watch_the_log(record, now);
        }
        if in_time && is_meant {
            self.records += 1;
            self.extent = Some((self.extent.map_or(now, |(first, _)| first), now));
            self.judge(record, now);
            if self.question.key.is_some() || is_of_the_house(record) {
                self.step(record, now);
            }
        }
        self.remember(record);
        self.before = Some((now, record.event));
        self.nodes.insert(record.node.clone(), record.event);
        self.has_heartbeats |= record.event == EventName::CustodyHeartbeat;
    }

    /// The report on what was read, the log's head being this one.
    pub fn finish(self, head: Head) -> Report {
        let mut anomalies: Vec<_> = self.anomalies.into_values().collect();
        anomalies.sort_by_key(|anomaly| (anomaly.kind, anomaly.first));
        let mut holders: Vec<_> = self.holders.into_values().collect();
        holders.sort_by(|a, b| (&a.key, a.first).cmp(&(&b.key, b.first)));
        let keys = self.keys.into_values();
        let keys = keys.filter(|life| self.touched.contains(&life.identifier));
        Report {
            question: self.question,
            begins_at: self.begins_at,
            head,
            extent: self.extent,
            records: self.records,
            releases: self.releases,
            anomalies,
            holders,
            keys: keys.collect(),
            steps: self.steps,
        }
    }

    fn is_meant(&self, record: &Record) -> bool {
        let Some(key) = &self.question.key else {
            return true;
        };
        let object = record.object.as_ref();
        object.is_some_and(|object| object.identifier.eq_ignore_ascii_case(key))
    }

    /// What the record says of its key, also before the period: that is where most keys were made.
    fn learn(&mut self, object: &ObjectFacts, record: &Record, now: Moment, in_time: bool) {
        let is_made = record.outcome == Outcome::Success && makes(record.event);
        if record.outcome != Outcome::Success && !self.keys.contains_key(&object.identifier) {
            // What was refused may never have been there.
            return;
        }
        let life = self
            .keys
            .entry(object.identifier.clone())
            .or_insert_with(|| KeyLife {
                identifier: object.identifier.clone(),
                name: None,
                kind: None,
                adapter: None,
                made: None,
                state: None,
                root_key: None,
                releases: 0,
            });
        if in_time && !self.touched.contains(&object.identifier) {
            self.touched.insert(object.identifier.clone());
        }
        keep(&mut life.name, object.attributes.get("x-Name").cloned());
        let algorithm = object.algorithm.as_ref().or(object.object_type.as_ref());
        let kind = algorithm.map(|algorithm| match object.length {
            Some(length) => format!("{algorithm} {length}"),
            None => algorithm.clone(),
        });
        keep(&mut life.kind, kind);
        keep(
            &mut life.adapter,
            record.adapter.as_ref().map(|adapter| adapter.name.clone()),
        );
        keep(&mut life.root_key, record.root_key.as_ref().map(version));
        if record.outcome == Outcome::Success {
            keep(&mut life.state, object.state_after.clone());
        }
        if is_made && life.made.is_none() {
            life.made = Some((now, record.actor.name()));
        }
        if in_time && record.is_release() {
            life.releases += 1;
        }
    }

    /// What is unusual about the log itself.
    fn watch_the_log(&mut self, record: &Record, now: Moment) {
        let stopped = |event: &EventName| *event == EventName::ServerStop;
        let pause = self.before.map(|(before, event)| (now.time - before.time, event));
        if let Some((pause, event)) = pause
            && self.has_heartbeats
            && pause > self.question.silence
            && !stopped(&event)
        {
            let sentence = format!("The log was silent for {}", words(pause));
            self.found(Kind::Silence, sentence, record, now);
        }
        if record.event == EventName::ServerStart
            && self.nodes.get(&record.node).is_some_and(|last| !stopped(last))
        {
            let sentence = format!(
                "The server {} started, and had not stopped in good order",
                record.node
            );
            self.found(Kind::Disorder, sentence, record, now);
        }
        if record.clock.is_some_and(|clock| clock.behind_us.is_some()) {
            let sentence = format!("The clock of {} was behind the log", record.node);
            self.found(Kind::Clock, sentence, record, now);
        }
        if record.event == EventName::CustodyEpoch {
            self.found(Kind::Epoch, record.sentence(), record, now);
        }
        if record.event == EventName::StoreTampered && self.question.key.is_none() {
            self.found(Kind::Tampering, record.sentence(), record, now);
        }
    }

    /// What is unusual about what was done.
    fn judge(&mut self, record: &Record, now: Moment) {
        match record.outcome {
            _ if record.event == EventName::StoreTampered => {}
            Outcome::Refused => self.found(Kind::Refusal, record.sentence(), record, now),
            Outcome::Failed => self.found(Kind::Failure, record.sentence(), record, now),
            Outcome::Success => {}
        }
        if !record.is_release() {
            return;
        }
        self.releases += 1;
        let profile = record
            .root_key
            .as_ref()
            .and_then(|root_key| root_key.release_profile.as_deref());
        if profile == Some("read") {
            self.found(Kind::ReadProfile, record.sentence(), record, now);
        }
        if self.question.hours.are_over(record.time) {
            self.found(Kind::OddHour, record.sentence(), record, now);
        }
        let (Some(object), Some(certificate)) = (&record.object, record.actor.certificate()) else {
            return;
        };
        let holding = (object.identifier.clone(), certificate.to_owned());
        // Who had a key whose making was pruned is not known.
        let is_known = self.begins_at > 0
            && self
                .keys
                .get(&object.identifier)
                .is_none_or(|life| life.made.is_none());
        if !is_known && !self.known.contains(&holding) {
            self.found(Kind::NewHolder, record.sentence(), record, now);
        }
        let holder = self.holders.entry(holding).or_insert_with(|| Holder {
            key: object.identifier.clone(),
            who: record.actor.name(),
            certificate: certificate.to_owned(),
            first: now,
            last: now,
            releases: 0,
            addresses: BTreeSet::new(),
            root_keys: BTreeSet::new(),
        });
        holder.last = now;
        holder.releases += 1;
        holder
            .addresses
            .extend(record.origin.as_ref().map(|origin| origin.address));
        holder.root_keys.extend(
            record
                .root_key
                .as_ref()
                .map(|root_key| match &root_key.release_profile {
                    Some(profile) => format!("{}, {profile}", version(root_key)),
                    None => version(root_key),
                }),
        );
    }

    fn step(&mut self, record: &Record, now: Moment) {
        let step = Step {
            first: now,
            last: now,
            count: 1,
            sentence: record.sentence(),
            origin: origin(record),
            root_key: record.root_key.as_ref().map(version),
            done: record.outcome == Outcome::Success,
        };
        match self.steps.last_mut() {
            Some(last)
                if last.sentence == step.sentence
                    && last.origin == step.origin
                    && last.root_key == step.root_key =>
            {
                last.last = now;
                last.count += 1;
            }
            _ => self.steps.push(step),
        }
    }

    fn remember(&mut self, record: &Record) {
        if record.outcome != Outcome::Success || !(makes(record.event) || record.event.is_release()) {
            return;
        }
        if let (Some(object), Some(certificate)) = (&record.object, record.actor.certificate())
            && self.is_meant(record)
        {
            self.known
                .insert((object.identifier.clone(), certificate.to_owned()));
        }
    }

    fn found(&mut self, kind: Kind, sentence: String, record: &Record, now: Moment) {
        let is_of_the_log = matches!(kind, Kind::Silence | Kind::Disorder | Kind::Clock);
        let origin = origin(record).filter(|_| !is_of_the_log);
        let day = now.time.to_offset(self.question.hours.zone).date();
        let found = self
            .anomalies
            .entry((kind, day, sentence.clone(), origin.clone()))
            .or_insert(Anomaly {
                kind,
                sentence,
                origin,
                first: now,
                last: now,
                count: 0,
            });
        found.last = now;
        found.count += 1;
    }
}

/// Whether it brings a key into being for whoever asks.
const fn makes(event: EventName) -> bool {
    matches!(
        event,
        EventName::KmipCreate
            | EventName::KmipRegister
            | EventName::KmipReKey
            | EventName::KmipImport
            | EventName::KmipDeriveKey
    )
}

/// Whether it was done to the house and not to a key.
fn is_of_the_house(record: &Record) -> bool {
    match record.actor {
        Actor::Administrator { .. }
        | Actor::Auditor { .. }
        | Actor::RemoteAdministrator { .. }
        | Actor::Token { .. } => true,
        Actor::Server => record.object.is_none() && record.event != EventName::CustodyHeartbeat,
        Actor::Client { .. } | Actor::Unknown => false,
    }
}

fn origin(record: &Record) -> Option<String> {
    let origin = record.origin.as_ref();
    origin.map(|origin| origin.address.to_string())
}

fn version(root_key: &RootKeyFacts) -> String {
    format!("{} version {}", root_key.label, root_key.version)
}

fn keep<T>(kept: &mut Option<T>, new: Option<T>) {
    if new.is_some() {
        *kept = new;
    }
}

/// A duration as people say it, to the second.
fn words(duration: Duration) -> String {
    let seconds = duration.whole_seconds();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min {} s", seconds % 60),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}
