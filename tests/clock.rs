//! The clock of the host is set back under a server: its custody log goes on in order, and says so.
//!
//! libfaketime (the package `faketime`) stands between the server and its clock; that of the machine stays.

mod support;

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use support::audit::{self, wait_until_signed};
use support::client::Client;
use support::message::{self, about, create};
use support::server::Server;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// An hour, in microseconds.
const HOUR_US: u64 = 3_600_000_000;

/// What a server's clock shows, to be set while the server runs.
struct Clock(PathBuf);

impl Clock {
    /// Has the server look at this clock from its next start on.
    fn of(server: &mut Server) -> Self {
        let printed = Command::new("faketime")
            .args(["-m", "-f", "+0", "printenv", "LD_PRELOAD"])
            .output()
            .expect("faketime can be run: scripts/install-needs faketime");
        let library = String::from_utf8(printed.stdout).expect("a path");
        let clock = Self(server.config().with_file_name("clock"));
        clock.set("+0");
        for (name, value) in [
            ("LD_PRELOAD", library.trim()),
            ("FAKETIME_TIMESTAMP_FILE", clock.0.to_str().expect("a path")),
            ("FAKETIME_NO_CACHE", "1"),
            // Only what the time of day is: what waits, waits as long as it does.
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
            ("NO_FAKE_STAT", "1"),
        ] {
            server.environment.push((name, value.to_owned()));
        }
        server.restart();
        clock
    }

    /// By how much it is off, as libfaketime has it. In the place of the file at once: it is read at any moment.
    fn set(&self, by: &str) {
        let new = self.0.with_extension("new");
        std::fs::write(&new, by).expect("it can be written");
        std::fs::rename(&new, &self.0).expect("it can be put in place");
    }
}

fn record_of_a_release(server: &Server, client: &Client, key: &str) -> Value {
    let answer = client.connect().exchange(&about(message::GET, key));
    message::outcome(&answer).expect("it is released");
    let records = server.custody_records();
    let record = records.iter().rfind(|record| record["event"] == "kmip.get");
    record.expect("it is recorded").clone()
}

fn time(record: &Value) -> OffsetDateTime {
    OffsetDateTime::parse(record["time"].as_str().expect("a time"), &Rfc3339).expect("of RFC 3339")
}

fn behind(record: &Value) -> Option<u64> {
    record["clock"]["behind_us"].as_u64()
}

#[test]
fn a_log_whose_clock_was_set_back_goes_on_in_order_and_says_how_far_it_is_behind() {
    let mut server = Server::start();
    server.must(&["custody", "key", "create"]);
    let clock = Clock::of(&mut server);
    let client = server.client("client");
    let key = message::identifier(&client.connect().exchange(&create()));
    let before = record_of_a_release(&server, &client, &key);
    assert_eq!(behind(&before), None);
    assert!(before["clock"]["state"].is_string(), "{before}");

    clock.set("-1h");
    let set_back = record_of_a_release(&server, &client, &key);
    assert!(behind(&set_back) > Some(HOUR_US - 60_000_000), "{set_back}");
    assert!(behind(&set_back) < Some(HOUR_US), "{set_back}");
    // The log's time stands still, over the end of a server too.
    server.restart();
    let restarted = record_of_a_release(&server, &client, &key);
    assert_eq!(time(&restarted), time(&set_back));
    assert!(behind(&restarted).is_some(), "{restarted}");
    wait_until_signed(&server);

    clock.set("+0");
    let caught_up = record_of_a_release(&server, &client, &key);
    assert_eq!(behind(&caught_up), None);
    assert!(time(&caught_up) > time(&restarted));

    let records = server.custody_records();
    assert!(records.iter().map(time).is_sorted());
    assert!(
        (0..)
            .zip(&records)
            .all(|(number, record)| record["sequence"] == number)
    );
    server.verify_custody_log();
    wait_until_signed(&server);
    let verified = audit::verified(&audit::bundle(&server, "bundle.tar"), &audit::policy(&server));
    let said = String::from_utf8_lossy(&verified.stdout);
    assert!(verified.status.success(), "{said}");
    assert!(!said.contains("REFUSED"), "{said}");
}
