//! Which records an operator wants to see.

use time::format_description::well_known::{Iso8601, Rfc3339};
use time::{Date, Duration, OffsetDateTime, UtcOffset};

use crate::custody::{EventName, Record};

/// A record is shown if it fits all that are given.
#[derive(Debug, Default, clap::Args)]
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
    /// At most so many, the newest
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) limit: u64,
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
        adapter && key && event && self.since.is_none_or(|since| record.time >= since)
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

fn since(text: &str) -> Result<OffsetDateTime, String> {
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
