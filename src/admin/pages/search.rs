//! The search over records, the last first.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use time::macros::format_description;
use time::{Date, OffsetDateTime, PrimitiveDateTime};

use super::Pages;
use super::failure::Failure;
use super::frame::{Frame, grouped, moment, page};
use super::use_record::Visitor;
use crate::custody::{EventName, Outcome, Record, StoredRecord};
use crate::store::{RecordFilter, SearchFrom, Store, custody_number_at};

/// Records on a page.
const PAGE: usize = 50;
/// Records that are read at a time, and at most for one page.
const READ: u32 = 500;
const MOST_READ: usize = 20_000;

/// What was asked for, as the form sends it: what is not filled in is empty.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Asked {
    key: String,
    client: String,
    adapter: String,
    event: String,
    outcome: String,
    since: String,
    until: String,
    /// Goes on before this record.
    before: String,
}

impl Asked {
    /// The query that asks for the same.
    fn query(&self) -> String {
        let fields = [
            ("key", &self.key),
            ("client", &self.client),
            ("adapter", &self.adapter),
            ("event", &self.event),
            ("outcome", &self.outcome),
            ("since", &self.since),
            ("until", &self.until),
            ("before", &self.before),
        ];
        let given = fields.into_iter().filter(|(_, value)| !value.is_empty());
        let parts =
            given.map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)));
        parts.collect::<Vec<_>>().join("&")
    }

    /// What it is narrowed by, in words; empty where it is for all records.
    fn narrowed(&self) -> String {
        let fields = [
            ("key", &self.key),
            ("client", &self.client),
            ("adapter", &self.adapter),
            ("event", &self.event),
            ("outcome", &self.outcome),
            ("since", &self.since),
            ("before", &self.until),
        ];
        let given = fields.into_iter().filter(|(_, value)| !value.is_empty());
        let parts = given.map(|(name, value)| format!("{name} {value}"));
        parts.collect::<Vec<_>>().join(", ")
    }
}

/// The same, understood.
struct Wanted {
    filter: RecordFilter,
    adapter: Option<String>,
    event: Option<EventName>,
    outcome: Option<Outcome>,
    since: Option<OffsetDateTime>,
    until: Option<OffsetDateTime>,
    before: Option<u64>,
}

/// A record as a list shows it.
pub(super) struct Row {
    pub(super) sequence: u64,
    pub(super) time: String,
    pub(super) event: String,
    pub(super) outcome: &'static str,
    pub(super) said: String,
    pub(super) adapter: String,
    pub(super) object: Option<String>,
    pub(super) from: String,
}

impl Row {
    pub(super) fn of(record: &Record) -> Self {
        Self {
            sequence: record.sequence,
            time: moment(record.time),
            event: record.event.to_string(),
            outcome: outcome_name(record.outcome),
            said: record.deed(),
            adapter: record
                .adapter
                .as_ref()
                .map(|adapter| adapter.name.clone())
                .unwrap_or_default(),
            object: record.object.as_ref().map(|object| object.identifier.clone()),
            from: record
                .origin
                .as_ref()
                .map(|origin| origin.address.to_string())
                .unwrap_or_default(),
        }
    }
}

pub(super) fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Success => "success",
        Outcome::Refused => "refused",
        Outcome::Failed => "failed",
    }
}

#[derive(Template)]
#[template(path = "pages/search.html")]
struct SearchPage {
    frame: Frame,
    asked: Asked,
    /// Each event with whether it is the one that is asked for.
    events: Vec<(&'static str, bool)>,
    problem: Option<String>,
    rows: Vec<Row>,
    size: String,
    looked_at: String,
    /// The query of what lies further back.
    next: Option<String>,
    narrowed: String,
}

/// `GET /records`
pub(super) async fn show(
    State(pages): State<Arc<Pages>>,
    Extension(visitor): Extension<Visitor>,
    query: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let Query(asked) = match query {
        Ok(asked) => asked,
        Err(rejection) => return Failure::bad_request(rejection.body_text()).answer(&visitor),
    };
    let store = pages.administration.store();
    let found = async {
        let size = store.custody_head().await?.tree.size();
        let found = match understood(&asked) {
            Ok(wanted) => Ok(search(store, &wanted, size).await?),
            Err(problem) => Err(problem),
        };
        Ok::<_, crate::store::Error>((size, found))
    };
    let (size, found) = match found.await {
        Ok(found) => found,
        Err(error) => return Failure::from(error).answer(&visitor),
    };
    let (found, problem) = match found {
        Ok(found) => (found, None),
        Err(problem) => (Found::default(), Some(problem)),
    };
    let status = if problem.is_some() {
        StatusCode::BAD_REQUEST
    } else {
        StatusCode::OK
    };
    let next = found.next.map(|next| {
        let further = Asked {
            before: next.to_string(),
            ..asked.clone()
        };
        further.query()
    });
    let events = EventName::ALL.iter().map(|name| name.as_str());
    let shown = SearchPage {
        frame: Frame::new("Records", "records", &visitor),
        events: events.map(|name| (name, name == asked.event)).collect(),
        narrowed: asked.narrowed(),
        asked,
        problem,
        rows: found.records.iter().map(Row::of).collect(),
        size: grouped(size),
        looked_at: grouped(found.looked_at as u64),
        next,
    };
    (status, page(&shown)).into_response()
}

#[derive(Default)]
struct Found {
    records: Vec<Record>,
    looked_at: usize,
    next: Option<u64>,
}

async fn search(store: &dyn Store, wanted: &Wanted, size: u64) -> Result<Found, crate::store::Error> {
    let mut before = wanted.before.unwrap_or(size).min(size);
    if let Some(until) = wanted.until {
        before = before.min(custody_number_at(store, until).await?);
    }
    let first = match wanted.since {
        Some(since) => custody_number_at(store, since).await?,
        None => 0,
    };
    let mut found = Found::default();
    while before > first {
        let stored = store
            .custody_search(&wanted.filter, SearchFrom::Before(before), READ)
            .await?;
        let is_last = stored.len() < READ as usize;
        for stored in &stored {
            if stored.sequence < first {
                return Ok(found);
            }
            if found.records.len() == PAGE || found.looked_at == MOST_READ {
                found.next = Some(stored.sequence + 1);
                return Ok(found);
            }
            found.looked_at += 1;
            before = stored.sequence;
            found
                .records
                .extend(read(stored).filter(|record| fits(wanted, record)));
        }
        if is_last {
            break;
        }
    }
    Ok(found)
}

/// A record, unless its bytes are none: the page of its number says so.
pub(super) fn read(stored: &StoredRecord) -> Option<Record> {
    Record::from_bytes(&stored.bytes)
        .inspect_err(|error| tracing::error!(sequence = stored.sequence, %error, "a record can't be read"))
        .ok()
}

fn fits(wanted: &Wanted, record: &Record) -> bool {
    let adapter = record.adapter.as_ref();
    let is_of = |name: &String| {
        adapter.is_some_and(|adapter| adapter.name == *name || adapter.id.to_string() == *name)
    };
    wanted.event.is_none_or(|event| record.event == event)
        && wanted.outcome.is_none_or(|outcome| record.outcome == outcome)
        && wanted.adapter.as_ref().is_none_or(is_of)
}

fn understood(asked: &Asked) -> Result<Wanted, String> {
    let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let client = given(&asked.client).map(|client| {
        client.parse::<crate::adapter::Fingerprint>().map(|client| client.to_string()).map_err(|_| {
            "The client’s certificate is named by its SHA-256: 64 hexadecimal digits, with or without colons.".to_owned()
        })
    });
    let event = given(&asked.event).map(|event| {
        event
            .parse()
            .map_err(|_| format!("No event is called “{event}”."))
    });
    let outcome = given(&asked.outcome).map(|outcome| match outcome.as_str() {
        "success" => Ok(Outcome::Success),
        "refused" => Ok(Outcome::Refused),
        "failed" => Ok(Outcome::Failed),
        other => Err(format!(
            "There is no outcome “{other}”: it is success, refused or failed."
        )),
    });
    let before = given(&asked.before).map(|before| {
        before
            .parse()
            .map_err(|_| format!("“{before}” is no number of a record."))
    });
    Ok(Wanted {
        filter: RecordFilter {
            object: given(&asked.key),
            client: client.transpose()?,
        },
        adapter: given(&asked.adapter),
        event: event.transpose()?,
        outcome: outcome.transpose()?,
        since: given(&asked.since).map(|text| time_of(&text)).transpose()?,
        until: given(&asked.until).map(|text| time_of(&text)).transpose()?,
        before: before.transpose()?,
    })
}

/// A time in UTC, as browsers send it and people write it.
pub(super) fn time_of(text: &str) -> Result<OffsetDateTime, String> {
    let plain = text.trim_end_matches('Z').replace(' ', "T");
    let seconds = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");
    let minutes = format_description!("[year]-[month]-[day]T[hour]:[minute]");
    let day = format_description!("[year]-[month]-[day]");
    PrimitiveDateTime::parse(&plain, &seconds)
        .or_else(|_| PrimitiveDateTime::parse(&plain, &minutes))
        .or_else(|_| Date::parse(&plain, &day).map(Date::midnight))
        .map(PrimitiveDateTime::assume_utc)
        .map_err(|_| format!("“{text}” is no time: write 2026-11-24 or 2026-11-24 08:00, in UTC."))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn times_are_read_as_browsers_and_people_write_them() {
        for text in ["2026-11-24T08:00", "2026-11-24 08:00", "2026-11-24T08:00:00Z"] {
            assert_eq!(time_of(text), Ok(datetime!(2026-11-24 08:00 UTC)), "{text}");
        }
        assert_eq!(time_of("2026-11-24"), Ok(datetime!(2026-11-24 0:00 UTC)));
        assert!(time_of("yesterday").is_err());
    }

    #[test]
    fn what_can_not_be_meant_is_said_and_not_searched_for() {
        let asked = |change: fn(&mut Asked)| {
            let mut asked = Asked::default();
            change(&mut asked);
            understood(&asked).err()
        };
        assert_eq!(asked(|asked| asked.key = " ".into()), None);
        assert!(asked(|asked| asked.client = "abc".into()).unwrap().contains("64"));
        assert!(
            asked(|asked| asked.event = "kmip.gets".into())
                .unwrap()
                .contains("kmip.gets")
        );
        assert!(asked(|asked| asked.outcome = "lost".into()).is_some());
        assert!(asked(|asked| asked.before = "-1".into()).is_some());
    }
}
