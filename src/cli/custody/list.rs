//! `claviger custody list`: records as lines, the newest last; and those that are still to come.

use std::time::Duration;

use super::filter;
use super::source::{PAGE, Source};
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{Columns, Output, say, time};
use crate::custody::{Actor, Outcome, Record, StoredRecord};

/// How often the log is looked at for what is new.
const LOOK: Duration = Duration::from_secs(1);

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    filter: filter::Arguments,
    /// At most so many, the newest
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: u64,
    /// Go on with the records that are still to come, a JSON object or a line each, until it is interrupted
    #[arg(long)]
    follow: bool,
}

pub(super) async fn run(arguments: &Arguments, source: &Source, output: Output) -> Result<Exit, Failure> {
    let size = source.head().await?.size;
    let records = newest(arguments, source, size).await?;
    if !arguments.follow {
        output.data(&records, |records| columns(records))?;
        return Ok(Exit::Done);
    }
    show_each(&records, output)?;
    let mut next = size;
    loop {
        let size = source.head().await?.size;
        while next < size {
            let page = source.page(next, size).await?;
            let Some(last) = page.last() else { break };
            next = last.sequence + 1;
            let records: Vec<_> = page.iter().filter_map(read).collect();
            let records: Vec<_> = records
                .into_iter()
                .filter(|record| arguments.filter.fits(record))
                .collect();
            show_each(&records, output)?;
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Reads from the end of the log, by an index where one helps, until there are as many as wanted, or the rest is too old.
async fn newest(arguments: &Arguments, source: &Source, size: u64) -> Result<Vec<Record>, Failure> {
    let filter = &arguments.filter;
    let limit = usize::try_from(arguments.limit).unwrap_or(usize::MAX);
    let indexed = filter.indexed();
    let mut newest_first = Vec::new();
    let mut end = match filter.until {
        Some(until) => source.number_at(until, size).await?,
        None => size,
    };
    let first = source.kept_from().await?;
    'pages: while end > first {
        let page = if let Some(indexed) = &indexed {
            source.search(indexed, end).await?
        } else {
            let mut page = source.page(end.saturating_sub(PAGE), end).await?;
            page.reverse();
            page
        };
        for record in page.iter().filter_map(read) {
            if filter.since.is_some_and(|since| record.time < since) {
                break 'pages;
            }
            if filter.fits(&record) {
                newest_first.push(record);
                if newest_first.len() == limit {
                    break 'pages;
                }
            }
        }
        end = match (&indexed, page.last()) {
            (None, _) => end.saturating_sub(PAGE),
            (Some(_), Some(last)) => last.sequence,
            (Some(_), None) => 0,
        };
    }
    newest_first.reverse();
    Ok(newest_first)
}

fn read(stored: &StoredRecord) -> Option<Record> {
    let record = Record::from_bytes(&stored.bytes);
    if let Err(error) = &record {
        say(format_args!(
            "record {} cannot be read: {error}; run `claviger custody verify`",
            stored.sequence
        ));
    }
    record.ok()
}

/// One line a record, as they come.
fn show_each(records: &[Record], output: Output) -> Result<(), Failure> {
    for record in records {
        output.line(record, |record| cells(record).join("  "))?;
    }
    Ok(())
}

fn columns(records: &[Record]) -> String {
    let mut columns = Columns::new([
        "NO", "TIME", "EVENT", "OUTCOME", "WHO", "ADAPTER", "OBJECT", "REASON",
    ]);
    for record in records {
        columns.row(cells(record));
    }
    columns.or_say("no record fits")
}

fn cells(record: &Record) -> [String; 8] {
    let object = match (&record.object, &record.certificate, &record.root_key) {
        (Some(object), _, _) => object.identifier.clone(),
        (None, Some(certificate), _) => certificate.fingerprint.clone(),
        (None, None, Some(root_key)) => root_key.label.clone(),
        // What was refused was never made: the name that was asked for.
        (None, None, None) => record.details.get("name").cloned().unwrap_or_default(),
    };
    [
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
    ]
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
        Actor::RemoteAdministrator { role, subject, .. } => format!("{role} {subject}"),
        Actor::Token { name, .. } => format!("token {name}"),
    };
    match &record.origin {
        Some(origin) => format!("{name} @ {}", origin.address),
        None => name,
    }
}
