//! `claviger custody list`: records as lines, the newest last.

use super::filter::Arguments;
use super::source::{PAGE, Source};
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{Columns, Output, say, time};
use crate::custody::{Actor, Outcome, Record};

/// Reads from the end of the log until there are as many as wanted, or the rest is too old.
pub(super) async fn run(arguments: &Arguments, source: &Source, output: Output) -> Result<Exit, Failure> {
    let limit = usize::try_from(arguments.limit).unwrap_or(usize::MAX);
    let mut newest_first = Vec::new();
    let mut end = source.head().await?.size;
    'pages: while end > 0 {
        let from = end.saturating_sub(PAGE);
        for stored in source.page(from, end).await?.iter().rev() {
            let record = match Record::from_bytes(&stored.bytes) {
                Ok(record) => record,
                Err(error) => {
                    say(format_args!(
                        "record {} cannot be read: {error}; run `claviger custody verify`",
                        stored.sequence
                    ));
                    continue;
                }
            };
            if arguments.since.is_some_and(|since| record.time < since) {
                break 'pages;
            }
            if arguments.fits(&record) {
                newest_first.push(record);
                if newest_first.len() == limit {
                    break 'pages;
                }
            }
        }
        end = from;
    }
    newest_first.reverse();
    output.data(&newest_first, |records| columns(records))?;
    Ok(Exit::Done)
}

fn columns(records: &[Record]) -> String {
    let mut columns = Columns::new([
        "NO", "TIME", "EVENT", "OUTCOME", "WHO", "ADAPTER", "OBJECT", "REASON",
    ]);
    for record in records {
        let object = match (&record.object, &record.certificate, &record.root_key) {
            (Some(object), _, _) => object.identifier.clone(),
            (None, Some(certificate), _) => certificate.fingerprint.clone(),
            (None, None, Some(root_key)) => root_key.label.clone(),
            // What was refused was never made: the name that was asked for.
            (None, None, None) => record.details.get("name").cloned().unwrap_or_default(),
        };
        columns.row([
            record.sequence.to_string(),
            time(record.time),
            record.event.to_string(),
            outcome(record.outcome).to_owned(),
            who(record),
            record
                .adapter
                .as_ref()
                .map(|adapter| adapter.name.clone())
                .unwrap_or_default(),
            object,
            record.reason.clone().unwrap_or_default(),
        ]);
    }
    columns.or_say("no record fits")
}

fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Success => "success",
        Outcome::Refused => "REFUSED",
        Outcome::Failed => "FAILED",
    }
}

/// Who asked, and from where.
fn who(record: &Record) -> String {
    let name = match &record.actor {
        Actor::Client { subject, .. } => subject.clone(),
        Actor::Unknown => "unknown".to_owned(),
        Actor::Administrator { user, .. } => format!("administrator {user}"),
        Actor::Server => format!("server {}", record.node),
        Actor::Auditor { subject, .. } => format!("auditor {subject}"),
    };
    match &record.origin {
        Some(origin) => format!("{name} @ {}", origin.address),
        None => name,
    }
}
