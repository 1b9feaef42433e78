//! What the custody log costs, and how fast it is read: `scripts/bench custody`.
//!
//! - Get and Create on a real server whose log is complete (the record, what it is found by, the hashes of tiles, a signed
//!   checkpoint each second) and on one where a commit is the bare transaction: the head moves and is flushed to the disk,
//!   and nothing else is kept. They are measured by turns.
//! - A proof of inclusion, and a search for a key and for a client, in a log of `--records`, made by the recorder.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::cast_precision_loss,
    clippy::print_stdout
)]

#[path = "../load/client.rs"]
mod client;
mod cost;
mod reading;
#[path = "../../tests/support/mod.rs"]
mod support;

use std::str::FromStr;

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    if argument("--cost", true) {
        let (seconds, rounds) = (argument("--seconds", 5), argument("--rounds", 3));
        runtime.block_on(cost::run(seconds, rounds, argument("--signed", true)));
    }
    let records = argument("--records", 10_000_000);
    if records > 0 {
        runtime.block_on(reading::run(records));
    }
}

/// What stands behind a name on the command line.
fn argument<T: FromStr>(name: &str, otherwise: T) -> T {
    let given = std::env::args().skip_while(|argument| argument != name).nth(1);
    given.map_or(otherwise, |text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{name} does not take {text}"))
    })
}
