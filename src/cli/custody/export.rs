//! `claviger custody export`: records in the forms that other systems read.

use std::path::PathBuf;

use super::filter;
use super::source::Source;
use super::target::Target;
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{counted, say};
use crate::custody::Record;
use crate::custody::export::Format;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The form: jsonl (the log's own bytes), csv, cef, rfc5424, ocsf or cadf
    #[arg(long, value_name = "FORMAT")]
    format: Format,
    #[command(flatten)]
    filter: filter::Arguments,
    /// Write to this file, which must not be there yet, and not to stdout
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

/// Unhealthy where a record can't be read: it is left out and named.
pub(super) async fn run(arguments: &Arguments, source: &Source) -> Result<Exit, Failure> {
    let filter = &arguments.filter;
    let size = source.head().await?.size;
    let mut next = match filter.since {
        Some(since) => source.number_at(since, size).await?,
        None => source.kept_from().await?,
    };
    let end = match filter.until {
        Some(until) => source.number_at(until, size).await?,
        None => size,
    };
    let mut target = Target::new(arguments.file.as_deref())?;
    if let Some(heading) = arguments.format.heading() {
        target.line(&heading)?;
    }
    let (mut written, mut exit) = (0, Exit::Done);
    while next < end {
        let page = source.page(next, end).await?;
        let Some(last) = page.last() else {
            say(format_args!(
                "record {next} is missing; run `claviger custody verify`"
            ));
            exit = Exit::Unhealthy;
            break;
        };
        next = last.sequence + 1;
        for stored in &page {
            match Record::from_bytes(&stored.bytes) {
                Ok(record) if filter.fits(&record) => {
                    target.line(&arguments.format.line(&record, &stored.bytes))?;
                    written += 1;
                }
                Ok(_) => {}
                Err(error) => {
                    say(format_args!(
                        "LEFT OUT: record {} cannot be read: {error}; run `claviger custody verify`",
                        stored.sequence
                    ));
                    exit = Exit::Unhealthy;
                }
            }
        }
    }
    target.finish()?;
    say(format_args!("{} written", counted(written, "record")));
    Ok(exit)
}
