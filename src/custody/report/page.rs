//! The report as one page of HTML, which prints well and needs nothing but itself.

use askama::Template;
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use super::{Anomaly, Kind, Moment, Report};

const SECOND: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");

/// What the page shows besides the report.
#[derive(Clone, Debug)]
pub struct Provenance {
    /// Where the log was read.
    pub source: String,
    /// When, by the clock of whoever read it.
    pub read_at: OffsetDateTime,
    /// The version of the program that wrote the page.
    pub program: String,
}

#[derive(Template)]
#[template(path = "report/report.html")]
struct Page<'a> {
    report: &'a Report,
    provenance: &'a Provenance,
    /// Anomalies of one kind each.
    kinds: Vec<(Kind, Vec<&'a Anomaly>)>,
}

impl Report {
    /// The page. An error is one of the template's and not of the report.
    pub fn page(&self, provenance: &Provenance) -> Result<String, askama::Error> {
        let mut kinds: Vec<(Kind, Vec<&Anomaly>)> = Vec::new();
        for anomaly in &self.anomalies {
            match kinds.last_mut() {
                Some((kind, alike)) if *kind == anomaly.kind => alike.push(anomaly),
                _ => kinds.push((anomaly.kind, vec![anomaly])),
            }
        }
        Page {
            report: self,
            provenance,
            kinds,
        }
        .render()
    }
}

impl Page<'_> {
    fn title(&self) -> String {
        match &self.report.question.key {
            Some(key) => format!("Custody of the key {key}"),
            None => "Custody of all keys".to_owned(),
        }
    }

    /// The time that the report is on, in words.
    fn period(&self) -> String {
        let question = &self.report.question;
        match (question.since, question.until) {
            (None, None) if self.report.begins_at > 0 => format!(
                "from record {} to the last; those before it were pruned, and who had keys by then is not known here",
                self.report.begins_at
            ),
            (None, None) => "from the first record to the last".to_owned(),
            (Some(since), None) => format!("from {} on", self.time(&since)),
            (None, Some(until)) => format!("up to {}", self.time(&until)),
            (Some(since), Some(until)) => format!("from {} to {}", self.time(&since), self.time(&until)),
        }
    }

    /// A time in the zone of the working hours, to the second.
    fn time(&self, time: &OffsetDateTime) -> String {
        time.to_offset(self.report.question.hours.zone)
            .format(SECOND)
            .unwrap_or_else(|_| time.to_string())
    }

    /// What the times of the page are in.
    fn zone(&self) -> String {
        self.report.question.hours.zone_name()
    }

    /// When something happened, first and last.
    fn when(&self, first: &Moment, last: &Moment) -> String {
        let (from, to) = (self.time(&first.time), self.time(&last.time));
        if from == to {
            return from;
        }
        match (from.split_once(' '), to.split_once(' ')) {
            (Some((day, _)), Some((same, until))) if day == same => format!("{from} to {until}"),
            _ => format!("{from} to {to}"),
        }
    }

    /// In which records.
    #[allow(clippy::unused_self)] // Templates call methods.
    fn numbers(&self, first: &Moment, last: &Moment) -> String {
        if first.sequence == last.sequence {
            first.sequence.to_string()
        } else {
            format!("{} … {}", first.sequence, last.sequence)
        }
    }

    /// What is found at a glance, as a sentence.
    fn summary(&self) -> String {
        let report = self.report;
        let clients: std::collections::BTreeSet<_> =
            report.holders.iter().map(|holder| &holder.certificate).collect();
        let what = match (report.releases, clients.len()) {
            (0, _) => "No key was released to a client.".to_owned(),
            (releases, clients) => format!(
                "{} released {} to {}.",
                if report.question.key.is_some() {
                    "The key was"
                } else {
                    "Keys were"
                },
                counted(releases, "time"),
                counted(clients as u64, "client"),
            ),
        };
        let unusual = match report.anomalies.iter().map(|anomaly| anomaly.count).sum::<u64>() {
            0 => "Nothing out of the ordinary was found.".to_owned(),
            1 => "One thing is out of the ordinary.".to_owned(),
            number => format!("{number} things are out of the ordinary."),
        };
        format!("{what} {unusual}")
    }
}

fn counted(number: u64, one: &str) -> String {
    match number {
        1 => format!("one {one}"),
        number => format!("{number} {one}s"),
    }
}
