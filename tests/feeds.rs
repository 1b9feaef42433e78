//! Feeds of the custody log, as an operator configures them.

mod support;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use claviger::custody::Record;
use claviger_hsm::testkit::SoftHsm;
use serde_json::Value;
use support::pair::{Differing, Pair, eventually, make};
use support::postgres::PostgresServer;
use support::server::{HEALTHY, Server, UNHEALTHY};

/// Waits until the feed's file has as many lines as the log has records, and gives them.
fn lines(server: &Server, file: &std::path::Path) -> Vec<String> {
    let start = Instant::now();
    loop {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        if lines.len() == server.custody_records().len() {
            return lines;
        }
        assert!(
            start.elapsed() < Duration::from_mins(1),
            "{} lines came",
            lines.len()
        );
    }
}

#[test]
fn a_file_has_each_record_of_a_server_that_was_killed_and_a_receiver_that_is_away_is_told_of() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("records.jsonl");
    let feed = format!(
        "[[custody.feed]]\nname = \"records\"\nfile = {:?}\n",
        file.display().to_string()
    );
    let mut server = Server::start_with_sections(&feed);
    server.client("vcenter-1");
    let before = lines(&server, &file);
    server.kill();
    server.start_again();
    let after = lines(&server, &file);
    assert_eq!(after[..before.len()], before[..]);
    for (number, line) in (0..).zip(&after) {
        let record = Record::from_bytes(line.as_bytes()).expect("a record");
        assert_eq!(record.sequence, number);
    }
    let status = server.wait_for_status(HEALTHY);
    assert_eq!(status["feeds"][0]["name"], "records");

    // Nobody listens at port 1.
    let certificate = server.server_certificate();
    server.add_sections(&format!(
        "[[custody.feed]]\nname = \"siem\"\nsyslog = \"127.0.0.1:1\"\nca_file = {:?}\n",
        certificate.display().to_string()
    ));
    let status = server.wait_for_status(UNHEALTHY);
    let problems = status["problems"].as_array().expect("a list");
    let told = |problem: &Value| {
        let words = problem.as_str().unwrap_or_default();
        words.contains("the feed siem of the custody log stands still") && words.contains("127.0.0.1:1")
    };
    assert!(problems.iter().any(told), "{problems:?}");
    server.must(&["adapter", "create", "another", "--root-key", "root"]);
    lines(&server, &file);
}

fn sequence(line: &str) -> u64 {
    Record::from_bytes(line.as_bytes()).expect("a record").sequence
}

#[test]
fn of_two_servers_one_delivers_a_feed_and_the_other_goes_on_where_it_ends() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("records.jsonl");
    let postgres = PostgresServer::start();
    let url = postgres.new_database();
    let differing = Differing {
        of_both: format!(
            "[[custody.feed]]\nname = \"records\"\nfile = {:?}\n",
            file.display().to_string()
        ),
        ..Differing::default()
    };
    let mut pair = Pair::start_differing(postgres, &url, SoftHsm::new(), &differing);
    let servers = pair.client();
    for at in &servers {
        make(at).expect("it is made");
    }
    // As many lines as there are records: none came twice.
    lines(&pair.first, &file);
    // Told to stop, it leaves the feed to the other at once.
    assert!(pair.first.stop().success());
    make(&servers[1]).expect("it is made");
    for (number, line) in (0..).zip(&lines(&pair.second, &file)) {
        assert_eq!(sequence(line), number);
    }
    // Where that is killed, it takes the feed on again; what was not known to be delivered comes twice.
    pair.first.start_again();
    pair.second.kill();
    make(&servers[0]).expect("it is made");
    eventually("every record comes", || {
        let text = std::fs::read_to_string(&file).expect("the feed's file");
        let delivered: BTreeSet<u64> = text.lines().map(sequence).collect();
        delivered.len() == pair.first.custody_records().len()
    });
}
