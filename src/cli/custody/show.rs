//! `claviger custody show`: one record, whole and in words.

use serde_json::Value;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::source::Source;
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{Output, Properties};
use crate::custody::{Record, StoredRecord};

pub(super) async fn run(named: &str, source: &Source, output: Output) -> Result<Exit, Failure> {
    let (stored, record) = find(named, source).await?;
    output.data(&record, |record| properties(&stored, record))?;
    Ok(Exit::Done)
}

/// The record of this number or identifier.
pub(super) async fn find(named: &str, source: &Source) -> Result<(StoredRecord, Record), Failure> {
    if let Ok(sequence) = named.parse() {
        return source.record(sequence).await;
    }
    let id: Uuid = named.parse().map_err(|_| {
        Failure::usage(format!(
            "{named:?} is no record: give its number, or its identifier (a UUID)"
        ))
    })?;
    // An identifier has the record's time in it, and records stand in the order of time.
    let unknown = || Failure::new(format!("the log has no record {id}"));
    let (seconds, nanoseconds) = id.get_timestamp().ok_or_else(unknown)?.to_unix();
    let time = i64::try_from(seconds)
        .ok()
        .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
        .map(|time| time + Duration::nanoseconds(nanoseconds.into()))
        .ok_or_else(unknown)?;
    let size = source.head().await?.size;
    let mut next = source.number_at(time, size).await?;
    while next < size {
        let (stored, record) = source.record(next).await?;
        if record.id == id {
            return Ok((stored, record));
        }
        if record.time >= time + Duration::MILLISECOND {
            break;
        }
        next += 1;
    }
    Err(unknown())
}

/// A sentence, then a line a field.
fn properties(stored: &StoredRecord, record: &Record) -> String {
    let mut properties = Properties::new();
    properties.line("in words", record.sentence());
    let value = serde_json::to_value(record).unwrap_or_default();
    for name in FIELDS {
        if let Some(value) = value.get(name) {
            lines(&mut properties, name, value);
        }
    }
    properties.line("leaf", stored.leaf);
    properties.text()
}

/// The fields of a record in its order.
const FIELDS: [&str; 21] = [
    "sequence",
    "id",
    "time",
    "clock",
    "node",
    "server_version",
    "configuration_sha256",
    "event",
    "outcome",
    "reason",
    "actor",
    "origin",
    "adapter",
    "object",
    "root_key",
    "approvers",
    "certificate",
    "rows",
    "request",
    "device",
    "details",
];

fn lines(properties: &mut Properties, name: &str, value: &Value) {
    match value {
        Value::Object(fields) => {
            for (field, value) in fields {
                lines(properties, &format!("{name}.{field}"), value);
            }
        }
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                lines(properties, &format!("{name}.{}", number + 1), item);
            }
        }
        Value::String(text) => {
            properties.line(name, text);
        }
        other => {
            properties.line(name, other);
        }
    }
}
