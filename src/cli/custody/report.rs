//! `claviger custody report`: who had a key, when and from where, as a page for people.
//!
//! Every record is read and every hash computed, as `verify` does: a report on a log that is not whole is not made.

use std::path::PathBuf;

use time::{Duration, OffsetDateTime, UtcOffset};

use super::filter;
use super::source::Source;
use super::target::Target;
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{counted, say};
use crate::custody::report::{Provenance, Question, Reading, WorkingHours};
use crate::custody::{Fault, Verifier};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// On the key with this Unique Identifier alone
    #[arg(long, value_name = "ID")]
    key: Option<String>,
    /// On what happened from then on: 2026-11-24, 2026-11-24T08:00:00Z, or 30m, 12h, 7d ago
    #[arg(long, value_name = "TIME", value_parser = filter::since)]
    since: Option<OffsetDateTime>,
    /// On what happened before then, as --since
    #[arg(long, value_name = "TIME", value_parser = filter::since)]
    until: Option<OffsetDateTime>,
    /// The hours in which a release is nothing unusual
    #[arg(long, value_name = "FROM-UNTIL", default_value = "06:00-20:00")]
    hours: WorkingHours,
    /// How far these hours, and the times of the page, are ahead of UTC
    #[arg(long, value_name = "±HH:MM", default_value = "+00:00", allow_hyphen_values = true, value_parser = zone)]
    zone: UtcOffset,
    /// Saturday and Sunday are days as all others
    #[arg(long)]
    weekends: bool,
    /// The longest time without a record that is nothing unusual: twice `custody.heartbeat`
    #[arg(long, value_name = "MINUTES", default_value_t = 10)]
    silence: u32,
    /// Write to this file, which must not be there yet, and not to stdout
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

/// Unhealthy where the log is not whole.
pub(super) async fn run(arguments: &Arguments, source: &Source) -> Result<Exit, Failure> {
    let question = Question {
        key: arguments.key.clone(),
        since: arguments.since,
        until: arguments.until,
        hours: WorkingHours {
            zone: arguments.zone,
            weekends: arguments.weekends,
            ..arguments.hours
        },
        silence: Duration::minutes(arguments.silence.into()),
    };
    let head = source.head().await?;
    let mut next = source.kept_from().await?;
    let mut reading = Reading::new(question, next);
    let mut verifier = Verifier::after(source.tree(next).await?);
    while next < head.size {
        let page = source.page(next, head.size).await?;
        let Some(last) = page.last() else { break };
        next = last.sequence + 1;
        for stored in &page {
            reading.push(&verifier.push(stored).map_err(|fault| not_whole(&fault))?);
        }
    }
    verifier.finish(&head).map_err(|fault| not_whole(&fault))?;
    let report = reading.finish(head);
    if let Some(key) = arguments.key.as_ref().filter(|_| report.records == 0) {
        return Err(
            Failure::new(format!("the log has no record of the key {key} in that time"))
                .remedy("`claviger custody list --event kmip.create` shows keys that were made"),
        );
    }
    let page = report.page(&Provenance {
        source: source.name(),
        read_at: OffsetDateTime::now_utc(),
        program: env!("CARGO_PKG_VERSION").to_owned(),
    });
    let page = page.map_err(|error| Failure::new(format!("the page cannot be made: {error}")))?;
    let mut target = Target::new(arguments.file.as_deref())?;
    target.text(&page)?;
    target.finish()?;
    if report.begins_at > 0 {
        say(format_args!(
            "the records before {} were pruned: what was before them is not in the report",
            report.begins_at
        ));
    }
    let unusual = report.anomalies.iter().map(|anomaly| anomaly.count).sum();
    say(format_args!(
        "{} read, {} of a key, {} out of the ordinary",
        counted(head.size - report.begins_at, "record"),
        counted(report.releases, "release"),
        counted(unusual, "thing"),
    ));
    Ok(Exit::Done)
}

fn not_whole(fault: &Fault) -> Failure {
    Failure::new(format!("no report is made of a log that is not whole: {fault}"))
        .remedy("run `claviger custody verify`")
        .unhealthy()
}

fn zone(text: &str) -> Result<UtcOffset, String> {
    let format = time::macros::format_description!("[offset_hour sign:mandatory]:[offset_minute]");
    UtcOffset::parse(text, &format).map_err(|_| "expected an offset as +01:00 or -05:30".to_owned())
}
