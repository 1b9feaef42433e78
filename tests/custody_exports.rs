//! What an auditor takes away from the custody log: lists, exports that others' programs read, and reports.

mod support;

use std::process::Command;

use support::message::{self, about, create, identifier, outcome};
use support::server::Server;

/// A server whose log has releases, a stranger to a key among those who were given it, a refusal, and a stop.
fn busy() -> (Server, String) {
    let mut server = Server::start();
    let vcenter = server.client("vcenter");
    let stranger = server.client("stranger");
    let mut connection = vcenter.connect();
    let identifier = identifier(&connection.exchange(&create()));
    outcome(&connection.exchange(&about(message::ACTIVATE, &identifier))).expect("the key is activated");
    for _ in 0..3 {
        outcome(&connection.exchange(&about(message::GET, &identifier))).expect("the key is released");
    }
    outcome(&stranger.connect().exchange(&about(message::GET, &identifier)))
        .expect("the adapter shares its keys");
    let refused = stranger.connect().exchange(&about(message::DESTROY, &identifier));
    outcome(&refused).expect_err("an active key is not destroyed");
    server.restart();
    (server, identifier)
}

#[test]
fn every_export_is_read_by_a_program_that_others_wrote() {
    let Some(python) = std::env::var_os("CLAVIGER_TEST_PYTHON") else {
        assert!(
            std::env::var_os("CLAVIGER_TEST_NO_SKIP").is_none(),
            "CLAVIGER_TEST_PYTHON names no Python"
        );
        eprintln!(
            "SKIPPED: CLAVIGER_TEST_PYTHON names no Python with readers of logs; scripts/test makes one."
        );
        return;
    };
    let (server, _) = busy();
    let folder = tempfile::tempdir().unwrap();
    // The log goes on meanwhile; each export is of the same records.
    let size = server.custody_records().len();
    for format in ["jsonl", "csv", "cef", "rfc5424", "ocsf", "cadf"] {
        let file = folder.path().join(format);
        server.must(&[
            "custody",
            "export",
            "--format",
            format,
            "--file",
            file.to_str().unwrap(),
        ]);
        let headings = usize::from(format == "csv");
        let text = std::fs::read_to_string(&file).unwrap();
        let kept: Vec<_> = text.lines().take(size + headings).collect();
        std::fs::write(&file, kept.join("\n") + "\n").unwrap();
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/custody_exports/read.py");
    let output = Command::new(python)
        .arg(script)
        .arg(folder.path())
        .output()
        .expect("the Python starts");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{printed}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    for format in ["csv", "cef", "rfc5424", "ocsf", "cadf"] {
        assert!(printed.contains(&format!("{format} ok")), "{printed}");
    }
    println!("{printed}");
}

#[test]
fn an_auditor_finds_a_record_by_what_they_know_of_it() {
    let (server, identifier) = busy();
    let events = |arguments: &[&str]| {
        let list = server.json(&[&["custody", "list"], arguments].concat());
        let records = list.as_array().unwrap().iter();
        records
            .map(|record| record["event"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        events(&["--key", &identifier, "--event", "kmip.get"]).len(),
        4,
        "by an index"
    );
    assert_eq!(
        events(&["--key", &identifier.to_uppercase()]).len(),
        7,
        "one by one"
    );
    assert_eq!(events(&["--outcome", "refused"]), ["kmip.destroy"]);
    assert_eq!(
        events(&["--client", "stranger", "--event", "kmip"]),
        ["kmip.get", "kmip.destroy"]
    );
    assert_eq!(events(&["--origin", "203.0.113.1"]), [""; 0]);
    assert_eq!(events(&["--until", "2001-01-01"]), [""; 0]);
    let refused = server.json(&["custody", "list", "--outcome", "refused"]);
    let (id, sequence) = (
        refused[0]["id"].as_str().unwrap(),
        refused[0]["sequence"].to_string(),
    );
    let by_id = server.json(&["custody", "show", id]);
    assert_eq!(by_id, server.json(&["custody", "show", &sequence]));
    assert_eq!(by_id, refused[0]);
    let words = server.must(&["custody", "show", id]);
    assert!(
        words.contains("Refused: Client stranger would have destroyed the key"),
        "{words}"
    );
}

#[test]
fn a_report_has_what_is_out_of_the_ordinary_first() {
    let (server, identifier) = busy();
    let always = ["--hours", "00:00-23:59", "--weekends"];
    let page = server.must(&[&["custody", "report", "--key", &identifier], &always[..]].concat());
    let place = |words: &str| {
        page.find(words)
            .unwrap_or_else(|| panic!("{words} is not in {page}"))
    };
    assert!(place("Released to a client that never had the key") < place("Who was given the key"));
    assert!(place("Client stranger") < place("Who was given the key"));
    assert!(
        page.contains("The key was released 4 times to 2 clients."),
        "{page}"
    );
    assert!(page.contains("Refused"));
    let whole = server.must(&[&["custody", "report"], &always[..]].concat());
    assert!(whole.contains("Custody of all keys") && whole.contains(&identifier));
    assert!(
        !whole.contains("Started without a stop before"),
        "it was stopped in good order"
    );
    let failed = server.claviger(&["custody", "report", "--key", "nothing"]);
    assert!(
        !failed.status.success(),
        "a report on nothing would look like a clean one"
    );
}
