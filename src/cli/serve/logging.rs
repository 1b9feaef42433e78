//! What the server says on stderr, and where its traces go.

use std::fmt;
use std::io::IsTerminal;
use std::sync::OnceLock;

use tracing::span::Record;
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::format::{DefaultFields, JsonFields, Writer};
use tracing_subscriber::fmt::{FormatFields, FormattedFields};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, registry, reload};

use super::traces::Traces;
use crate::config::{Log, LogFormat, LogLevel};

/// What changes the filter of what is taken; none where something else takes it.
static FILTER: OnceLock<Box<dyn Fn(EnvFilter) + Send + Sync>> = OnceLock::new();

/// Sends what this process says to stderr from now on, and its spans to the collector of `traces`. Does nothing where something
/// else already takes them.
///
/// Of other crates only warnings are taken: what they say of bytes and connections is no operator's business.
pub(in crate::cli) fn start(log: &Log, traces: Option<&Traces>) {
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = match log.format {
        LogFormat::Text => lines
            .with_ansi(std::io::stderr().is_terminal())
            .fmt_fields(AsBegun(DefaultFields::new()))
            .boxed(),
        LogFormat::Json => lines
            .json()
            .flatten_event(true)
            .fmt_fields(AsBegun(JsonFields::new()))
            .boxed(),
    };
    let (filter, handle) = reload::Layer::new(filter(log));
    let subscriber = registry()
        .with(lines.with_filter(filter))
        .with(traces.map(Traces::layer));
    // A subscriber that is there already, as in a test, is the one that is wanted.
    if subscriber.try_init().is_ok() {
        let _ = FILTER.set(Box::new(move |filter| drop(handle.reload(filter))));
    }
}

/// Fields of a span as they are when it begins. What a span is told later, such as its result, is for traces: no line comes
/// after it, and to write it into the fields again takes longer than all else that is done for a line.
struct AsBegun<F>(F);

impl<'writer, F: FormatFields<'writer>> FormatFields<'writer> for AsBegun<F> {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'writer>, fields: R) -> fmt::Result {
        self.0.format_fields(writer, fields)
    }

    fn add_fields(&self, _: &'writer mut FormattedFields<Self>, _: &Record<'_>) -> fmt::Result {
        Ok(())
    }
}

/// Takes what is of this level from now on.
pub(super) fn change_level(log: &Log) {
    if let Some(change) = FILTER.get() {
        change(filter(log));
    }
}

fn filter(log: &Log) -> EnvFilter {
    let level = match log.level {
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "info",
        LogLevel::Debug => "debug",
        LogLevel::Trace => "trace",
    };
    let others = if log.level == LogLevel::Error {
        "error"
    } else {
        "warn"
    };
    EnvFilter::new(format!("{others},claviger={level},claviger_hsm={level}"))
}
