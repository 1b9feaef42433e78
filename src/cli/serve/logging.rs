//! What the server says on stderr.

use std::io::IsTerminal;
use std::sync::OnceLock;

use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat, LogLevel};

/// What changes the filter of what is taken; none where something else takes it.
static FILTER: OnceLock<Box<dyn Fn(EnvFilter) + Send + Sync>> = OnceLock::new();

/// Sends what this process traces to stderr from now on. Does nothing where something else already takes it.
///
/// Of other crates only warnings are taken: what they say of bytes and connections is no operator's business.
pub(in crate::cli) fn start(log: &Log) {
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter(log))
        .with_writer(std::io::stderr);
    // A subscriber that is there already, as in a test, is the one that is wanted.
    match log.format {
        LogFormat::Text => {
            let lines = lines
                .with_ansi(std::io::stderr().is_terminal())
                .with_filter_reloading();
            let handle = lines.reload_handle();
            if lines.try_init().is_ok() {
                let _ = FILTER.set(Box::new(move |filter| drop(handle.reload(filter))));
            }
        }
        LogFormat::Json => {
            let lines = lines.json().flatten_event(true).with_filter_reloading();
            let handle = lines.reload_handle();
            if lines.try_init().is_ok() {
                let _ = FILTER.set(Box::new(move |filter| drop(handle.reload(filter))));
            }
        }
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
