//! Which records an operator wants to see.

use std::net::IpAddr;

use time::format_description::well_known::{Iso8601, Rfc3339};
use time::{Date, Duration, OffsetDateTime, UtcOffset};

use crate::custody::{EventName, Hash, Outcome, Record};
use crate::store::RecordFilter;

/// A record is shown if it fits all that are given.
#[derive(Debug, Default, clap::Args)]
#[group(skip)] // Flattened into commands that have a group of this name themselves.
pub(crate) struct Arguments {
    /// Only those of this adapter, by name or identifier
    #[arg(long, value_name = "NAME")]
    adapter: Option<String>,
    /// Only those of the key with this Unique Identifier
    #[arg(long, value_name = "ID")]
    key: Option<String>,
    /// Only those of this event, as kmip.get; or of all of a kind, as kmip
    #[arg(long, value_name = "EVENT", value_parser = event)]
    event: Option<String>,
    /// Only those from then on: 2026-11-24, 2026-11-24T08:00:00Z, or 30m, 12h, 7d ago
    #[arg(long, value_name = "TIME", value_parser = since)]
    pub(super) since: Option<OffsetDateTime>,
    /// Only those before then, as --since
    #[arg(long, value_name = "TIME", value_parser = since)]
    pub(super) until: Option<OffsetDateTime>,
    /// Only those of this client: a part of its certificate's subject, or the beginning of its SHA-256
    #[arg(long, value_name = "CLIENT")]
    client: Option<String>,
    /// Only those that ended so: success, refused or failed
    #[arg(long, value_name = "OUTCOME", value_parser = outcome)]
    outcome: Option<Outcome>,
    /// Only those that came from this address
    #[arg(long, value_name = "ADDRESS")]
    origin: Option<IpAddr>,
}

impl Arguments {
    /// Whether the operator wants to see `record`.
    pub(super) fn fits(&self, record: &Record) -> bool {
        let adapter = self.adapter.as_ref().is_none_or(|wanted| {
            let adapter = record.adapter.as_ref();
            adapter.is_some_and(|adapter| {
                adapter.name == *wanted || adapter.id.to_string() == wanted.to_lowercase()
            })
        });
        let key = self.key.as_ref().is_none_or(|wanted| {
            record
                .object
                .as_ref()
                .is_some_and(|object| object.identifier.eq_ignore_ascii_case(wanted))
        });
        let event = self.event.as_ref().is_none_or(|wanted| {
            let rest = record.event.as_str().strip_prefix(wanted.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        });
        let client = self.client.as_ref().is_none_or(|wanted| is_by(record, wanted));
        let outcome = self.outcome.is_none_or(|wanted| record.outcome == wanted);
        let origin = self.origin.is_none_or(|wanted| {
            let origin = record.origin.as_ref();
            origin.is_some_and(|origin| origin.address == wanted)
        });
        let time = self.since.is_none_or(|since| record.time >= since)
            && self.until.is_none_or(|until| record.time < until);
        adapter && key && event && client && outcome && origin && time
    }

    /// What an index finds of it; none where every record has to be looked at.
    pub(super) fn indexed(&self) -> Option<RecordFilter> {
        // Identifiers that the server made are in lower case; as the client wrote it, it is looked for one by one.
        let object = self.key.clone().filter(|key| *key == key.to_lowercase());
        let is_whole = |client: &String| client.parse::<Hash>().is_ok();
        let client = self.client.as_ref().filter(|client| is_whole(client));
        let filter = RecordFilter {
            object,
            client: client.map(|client| client.to_lowercase()),
        };
        (filter != RecordFilter::default()).then_some(filter)
    }
}

/// Whether it was asked by that client, or is about its certificate.
fn is_by(record: &Record, wanted: &str) -> bool {
    let wanted = wanted.to_lowercase();
    let certificate = record.certificate.as_ref();
    let fingerprints = [
        record.actor.certificate(),
        certificate.map(|certificate| certificate.fingerprint.as_str()),
    ];
    let subjects = [
        record.actor.certificate().map(|_| record.actor.name()),
        certificate.map(|certificate| certificate.subject.clone()),
    ];
    fingerprints
        .into_iter()
        .flatten()
        .any(|fingerprint| fingerprint.starts_with(&wanted))
        || subjects
            .into_iter()
            .flatten()
            .any(|subject| subject.to_lowercase().contains(&wanted))
}

fn outcome(text: &str) -> Result<Outcome, String> {
    match text {
        "success" => Ok(Outcome::Success),
        "refused" => Ok(Outcome::Refused),
        "failed" => Ok(Outcome::Failed),
        _ => Err("the outcomes are success, refused and failed".to_owned()),
    }
}

fn event(text: &str) -> Result<String, String> {
    let known = |name: &EventName| name.as_str() == text || name.as_str().split('.').next() == Some(text);
    if EventName::ALL.iter().any(known) {
        return Ok(text.to_owned());
    }
    let names: Vec<_> = EventName::ALL.iter().map(|name| name.as_str()).collect();
    Err(format!("the events are {}", names.join(", ")))
}

/// A time as operators write it.
pub(super) fn since(text: &str) -> Result<OffsetDateTime, String> {
    since_from(text, OffsetDateTime::now_utc())
}

fn since_from(text: &str, now: OffsetDateTime) -> Result<OffsetDateTime, String> {
    if let Ok(time) = OffsetDateTime::parse(text, &Rfc3339) {
        return Ok(time.to_offset(UtcOffset::UTC));
    }
    if let Ok(date) = Date::parse(text, &Iso8601::DATE) {
        return Ok(date.midnight().assume_utc());
    }
    let wrong = || "expected a date, a time as 2026-11-24T08:00:00Z, or 30m, 12h, 7d".to_owned();
    let unit = text.chars().next_back().ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86400,
        _ => return Err(wrong()),
    };
    let count: u32 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    now.checked_sub(Duration::seconds(seconds * i64::from(count)))
        .ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn since_is_a_time_a_day_or_a_while_ago() {
        let now = datetime!(2026-11-24 12:00 UTC);
        assert_eq!(
            since_from("2026-11-24T09:00:00+01:00", now),
            Ok(datetime!(2026-11-24 8:00 UTC))
        );
        assert_eq!(since_from("2026-11-23", now), Ok(datetime!(2026-11-23 0:00 UTC)));
        assert_eq!(since_from("90m", now), Ok(datetime!(2026-11-24 10:30 UTC)));
        assert_eq!(since_from("7d", now), Ok(datetime!(2026-11-17 12:00 UTC)));
        for wrong in [
            "",
            "d",
            "yesterday",
            "7",
            "7ä",
            "-1d",
            "99999999999d",
            "4294967295d",
        ] {
            assert!(since_from(wrong, now).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_event_that_never_happens_is_a_mistake_not_an_empty_list() {
        assert!(event("kmip.get").is_ok());
        assert!(event("kmip").is_ok());
        assert!(event("kmip.gte").unwrap_err().contains("kmip.get"));
    }
}
