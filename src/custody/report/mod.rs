//! A report on one key, or on one period: who had which key, when, from where and under which root key, in words, and first
//! what is out of the ordinary.
//!
//! It is made from the records alone, in the order of the log, from the first one on that was not pruned: that a client never had a key is known
//! only to whoever has read all that was before.

mod anomaly;
mod hours;
#[cfg(feature = "server")]
mod page;
mod reading;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::net::IpAddr;

use time::{Duration, OffsetDateTime};

use super::Head;

pub use anomaly::{Anomaly, Kind};
pub use hours::{WorkingHours, WrongHours};
#[cfg(feature = "server")]
pub use page::Provenance;
pub use reading::Reading;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Question {
    /// The Unique Identifier of the key that the report is on; none for one on all keys.
    pub key: Option<String>,
    /// From when on; from the first record where it is none.
    pub since: Option<OffsetDateTime>,
    /// Up to, and without, when.
    pub until: Option<OffsetDateTime>,
    /// When releases are nothing unusual.
    pub hours: WorkingHours,
    /// The longest time that the log may be silent once it has had a heartbeat.
    pub silence: Duration,
}

/// A place in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// The number of the record.
    pub sequence: u64,
    /// Its time.
    pub time: OffsetDateTime,
}

/// What the log says.
#[derive(Clone, Debug)]
pub struct Report {
    /// What was asked for.
    pub question: Question,
    /// The number of the first record that the log still has; 0 where nothing was pruned.
    pub begins_at: u64,
    /// The log that was read.
    pub head: Head,
    /// The first record that the report is on, and the last.
    pub extent: Option<(Moment, Moment)>,
    /// How many records it is on.
    pub records: u64,
    /// How often a key left for a client.
    pub releases: u64,
    /// What is out of the ordinary, the gravest kind first.
    pub anomalies: Vec<Anomaly>,
    /// Who was given which key.
    pub holders: Vec<Holder>,
    /// The keys that it is on.
    pub keys: Vec<KeyLife>,
    /// What happened: of one key, all of it; of a period, what administrators, auditors and servers did.
    pub steps: Vec<Step>,
}

/// A client that was given a key.
#[derive(Clone, Debug)]
pub struct Holder {
    /// The key.
    pub key: String,
    /// The client's name.
    pub who: String,
    /// SHA-256 of its certificate.
    pub certificate: String,
    /// The first time.
    pub first: Moment,
    /// The last time.
    pub last: Moment,
    /// How often.
    pub releases: u64,
    /// From where.
    pub addresses: BTreeSet<IpAddr>,
    /// Under which root keys, with their versions, and how the key left the device.
    pub root_keys: BTreeSet<String>,
}

/// What the log says of a key as a whole.
#[derive(Clone, Debug)]
pub struct KeyLife {
    /// Its Unique Identifier.
    pub identifier: String,
    /// What its client calls it.
    pub name: Option<String>,
    /// What it is, as `AES 256`.
    pub kind: Option<String>,
    /// Its adapter.
    pub adapter: Option<String>,
    /// When it was made or brought, and by whom.
    pub made: Option<(Moment, String)>,
    /// Its state after the last record that names one.
    pub state: Option<String>,
    /// The root key that it is under, with its version.
    pub root_key: Option<String>,
    /// How often it left for a client, in what the report is on.
    pub releases: u64,
}

/// Something that happened once, or several times in a row.
#[derive(Clone, Debug)]
pub struct Step {
    /// The first time.
    pub first: Moment,
    /// The last time.
    pub last: Moment,
    /// How often.
    pub count: u64,
    /// What, in words.
    pub sentence: String,
    /// From where.
    pub origin: Option<String>,
    /// Under which root key.
    pub root_key: Option<String>,
    /// Whether it was done.
    pub done: bool,
}
