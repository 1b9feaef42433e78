//! What the command line asks for.

use std::str::FromStr;
use std::time::Duration;

/// How much is measured.
pub struct Options {
    /// How long each line is measured in a round.
    pub time: Duration,
    /// Rounds, of which the median counts.
    pub rounds: usize,
    pub workers: usize,
    /// Of each worker.
    pub sessions: usize,
    /// Keys of the large store.
    pub keys: u64,
    /// Keys that are wrapped anew.
    pub rotated: u64,
    /// How long the soak takes, in minutes.
    pub minutes: u64,
}

impl Options {
    pub fn read() -> Self {
        Self {
            time: Duration::from_secs(argument("--seconds", 4)),
            rounds: argument("--rounds", 5),
            workers: argument("--workers", 2),
            sessions: argument("--sessions", 2),
            keys: argument("--keys", 1_000_000),
            rotated: argument("--rotated", 100_000),
            minutes: argument("--minutes", 60),
        }
    }
}

/// The theme that is asked for, where it is one.
pub fn theme() -> Option<String> {
    let first = std::env::args().nth(1);
    first.filter(|word| !word.starts_with('-'))
}

/// The number behind a name on the command line.
fn argument<T: FromStr>(name: &str, otherwise: T) -> T {
    let given = std::env::args().skip_while(|argument| argument != name).nth(1);
    given.map_or(otherwise, |text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{name} takes a number, not {text}"))
    })
}
