//! Records in the forms that other systems read: one record, one line.
//!
//! What is exported can't be verified any more by itself: the proof is over the exact bytes of the log. The forms that have
//! room for them carry these bytes (JSON lines, RFC 5424, OCSF); each names the record's `sequence` and `id`.

mod cadf;
mod cef;
mod csv;
mod ocsf;
mod syslog;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

pub use syslog::{syslog_header, syslog_header_of_unreadable};

use super::{EventName, Outcome, Record};

/// A form that records are exported in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The log's own bytes.
    JsonLines,
    /// Comma-separated values (RFC 4180), a line of headings first.
    Csv,
    /// `ArcSight`'s Common Event Format, version 0.
    Cef,
    /// Syslog messages (RFC 5424), the log's own bytes as their text.
    Syslog,
    /// Open Cybersecurity Schema Framework, version 1.8.0, as JSON.
    Ocsf,
    /// Cloud Auditing Data Federation (DMTF DSP0262), as JSON, as IBM Cloud's Activity Tracker writes it.
    Cadf,
}

/// A cell of a line of comma-separated values, quoted where it has to be.
pub fn csv_cell(text: &str) -> String {
    csv::quoted(text)
}

/// A name of no form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the formats are jsonl, csv, cef, rfc5424, ocsf and cadf, not {0:?}")]
pub struct UnknownFormat(String);

impl Format {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::JsonLines,
        Self::Csv,
        Self::Cef,
        Self::Syslog,
        Self::Ocsf,
        Self::Cadf,
    ];

    /// Its name, as arguments and configurations have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::JsonLines => "jsonl",
            Self::Csv => "csv",
            Self::Cef => "cef",
            Self::Syslog => "rfc5424",
            Self::Ocsf => "ocsf",
            Self::Cadf => "cadf",
        }
    }

    /// What stands once before the first record, without its line feed.
    pub fn heading(self) -> Option<String> {
        (self == Self::Csv).then(csv::heading)
    }

    /// A record, without the line feed after it. `bytes` are those that `record` was read from.
    pub fn line(self, record: &Record, bytes: &[u8]) -> String {
        match self {
            Self::JsonLines => String::from_utf8_lossy(bytes).into_owned(),
            Self::Csv => csv::line(record, bytes),
            Self::Cef => cef::line(record),
            Self::Syslog => syslog::line(record, bytes),
            Self::Ocsf => ocsf::event(record, bytes).to_string(),
            Self::Cadf => cadf::event(record).to_string(),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        Self::ALL
            .into_iter()
            .find(|format| format.as_str() == text)
            .ok_or_else(|| UnknownFormat(text.to_owned()))
    }
}

/// How much a record matters to whoever watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weight {
    Usual,
    Refused,
    Failed,
    Alarming,
}

impl Weight {
    fn of(record: &Record) -> Self {
        match record.outcome {
            _ if matches!(record.event, EventName::StoreTampered | EventName::CustodyEpoch) => Self::Alarming,
            Outcome::Success => Self::Usual,
            Outcome::Refused => Self::Refused,
            Outcome::Failed => Self::Failed,
        }
    }
}
