//! A server whose custody log is cosigned by witnesses on other hosts: what it answers without them, and after it was taken back.

mod support;

use std::fs;
use std::path::PathBuf;
use std::process::Output;
use std::time::{Duration, Instant};

use support::audit;
use support::client::Connection;
use support::message::{self, about, create, identifier, outcome};
use support::server::{HEALTHY, Server, UNHEALTHY};
use support::witness::{NAME, Witness};

/// How long anything may take before a test gives up.
const LIMIT: Duration = Duration::from_mins(1);

/// A server that signs its log, and the log's key.
fn signed() -> (Server, String) {
    let mut server = Server::start_with_sections("[custody]\ninterval = \"50ms\"\n");
    server.must(&["custody", "key", "create"]);
    server.restart();
    let key = server.json(&["custody", "key", "show"])["verifier_key"]
        .as_str()
        .expect("a key")
        .to_owned();
    (server, key)
}

/// Has the server ask the witnesses of this policy from now on.
fn ask(server: &mut Server, policy: &str, when_absent: &str) {
    fs::write(policy_file(server), policy).expect("the policy can be written");
    let file = policy_file(server);
    server.add_sections(&format!(
        "[custody.witness]\npolicy = \"{}\"\nwhen_absent = \"{when_absent}\"\nwait = \"3s\"\n",
        file.display()
    ));
}

fn policy_file(server: &Server) -> PathBuf {
    server.config().with_file_name("witness-policy")
}

/// A server that asks this witness.
fn witnessed(when_absent: &str) -> (Server, Witness) {
    let (mut server, key) = signed();
    let witness = Witness::start(&key);
    ask(&mut server, &witness.policy(&key), when_absent);
    (server, witness)
}

/// How many records the witness has cosigned.
fn seen(witness: &Witness) -> u64 {
    witness.show()["logs"][0]["size"].as_u64().expect("a size")
}

/// Whether the key is released; else what the client is told.
fn released(connection: &mut Connection, key: &str) -> Result<(), String> {
    let answer = connection.exchange(&about(message::GET, key));
    outcome(&answer).map(drop).map_err(|(_, words)| words)
}

fn wait_until_it_is_released(connection: &mut Connection, key: &str) {
    let start = Instant::now();
    while let Err(words) = released(connection, key) {
        assert!(start.elapsed() < LIMIT, "no key leaves: {words}");
    }
}

/// Waits until all that was recorded by now is cosigned by enough witnesses.
fn wait_until_cosigned(server: &Server) {
    let records = server.custody_records().len() as u64;
    let start = Instant::now();
    loop {
        let signing = audit::signing(server);
        if signing["cosigned"].as_u64() >= Some(records) {
            return;
        }
        assert!(start.elapsed() < LIMIT, "{records} records, {signing}");
    }
}

/// What an auditor finds in a bundle of now who asks for the policy's witnesses.
fn audited(server: &Server, name: &str) -> Output {
    audit::verified(&audit::bundle(server, name), &policy_file(server))
}

#[test]
fn without_its_witness_no_key_leaves_and_with_it_again_all_do() {
    let (server, mut witness) = witnessed("refuse");
    let client = server.client("vcenter-1");
    let mut connection = client.connect();
    let key = identifier(&connection.exchange(&create()));
    released(&mut connection, &key).expect("the witness has seen it");
    let last = server
        .custody_records()
        .iter()
        .rposition(|record| record["event"] == "kmip.get");
    let (last, seen) = (last.expect("a record") as u64, seen(&witness));
    assert!(seen > last, "{seen} are cosigned, and record {last} was answered");

    witness.kill();
    for request in [about(message::GET, &key), create()] {
        let answer = connection.exchange(&request);
        outcome(&answer).expect_err("nobody has seen it");
    }
    let problems = server.wait_for_status(UNHEALTHY)["problems"].to_string();
    assert!(
        problems.contains(&format!("the witness {NAME} did not cosign")),
        "{problems}"
    );

    witness.start_again();
    wait_until_it_is_released(&mut connection, &key);
    server.wait_for_status(HEALTHY);
    server.verify_custody_log();
}

#[test]
fn what_was_answered_is_cosigned_however_the_server_and_its_witness_end() {
    let (mut server, mut witness) = witnessed("refuse");
    let client = server.client("vcenter-1");
    for _ in 0..5 {
        let mut connection = client.connect();
        let key = identifier(&connection.exchange(&create()));
        server.kill();
        witness.kill();
        witness.start_again();
        let seen = seen(&witness);
        server.start_again();
        let answered = server
            .custody_records()
            .iter()
            .filter(|record| record["object"]["identifier"] == key.as_str())
            .filter_map(|record| record["sequence"].as_u64())
            .max()
            .expect("a record of the key");
        assert!(
            answered < seen,
            "record {answered} was answered, and {seen} are cosigned"
        );
    }
    server.verify_custody_log();
}

#[test]
fn keys_are_served_while_a_witness_is_away_and_it_cosigns_all_of_that_once_it_is_back() {
    let (server, mut witness) = witnessed("serve");
    let client = server.client("vcenter-1");
    let mut connection = client.connect();
    let key = identifier(&connection.exchange(&create()));
    wait_until_cosigned(&server);
    witness.kill();
    for _ in 0..3 {
        released(&mut connection, &key).expect("it is served without a witness");
    }
    let problems = server.wait_for_status(UNHEALTHY)["problems"].to_string();
    assert!(problems.contains(NAME), "{problems}");
    let unseen = audited(&server, "unseen.tar");
    let said = String::from_utf8_lossy(&unseen.stdout);
    assert_eq!(unseen.status.code(), Some(2), "{said}");
    assert!(said.contains("REFUSED checkpoint.unwitnessed"), "{said}");

    witness.start_again();
    released(&mut connection, &key).expect("it is served");
    wait_until_cosigned(&server);
    let verified = audited(&server, "seen.tar");
    let said = String::from_utf8_lossy(&verified.stdout);
    assert!(verified.status.success(), "{said}");
    assert!(said.contains("witness     w, "), "{said}");
}

#[test]
fn one_of_two_witnesses_is_enough_where_the_quorum_says_so_and_none_is_not() {
    let (mut server, key) = signed();
    let mut witnesses = ["w.example/1", "w.example/2"].map(|name| Witness::start_named(name, &key));
    let [first, second] = [0, 1].map(|number| witnesses[number].policy_line(["one", "two"][number]));
    let policy = format!("log {key}\n{first}{second}group either any one two\nquorum either\n");
    ask(&mut server, &policy, "refuse");
    let client = server.client("vcenter-1");
    let mut connection = client.connect();
    let key = identifier(&connection.exchange(&create()));
    for number in [0, 1] {
        witnesses[number].kill();
        wait_until_it_is_released(&mut connection, &key);
        assert!(audited(&server, &format!("{number}.tar")).status.success());
        witnesses[number].start_again();
        wait_until_it_is_released(&mut connection, &key);
        server.wait_for_status(HEALTHY);
    }
    for witness in &mut witnesses {
        witness.kill();
    }
    released(&mut connection, &key).expect_err("neither has seen it");
}

#[test]
fn a_server_whose_state_was_put_back_as_a_whole_serves_no_key_because_its_witness_remembers() {
    let (mut server, witness) = witnessed("refuse");
    let client = server.client("vcenter-1");
    let key = identifier(&client.connect().exchange(&create()));
    assert!(server.stop().success());
    // With what the server keeps beside the database: it can't know better by itself.
    let kept = [
        server.database(),
        server.state_directory().join("custody-head.json"),
    ];
    let backup = |file: &PathBuf| file.with_extension("backup");
    for file in &kept {
        fs::copy(file, backup(file)).expect("a backup");
    }
    server.start_again();
    for _ in 0..3 {
        wait_until_it_is_released(&mut client.connect(), &key);
    }
    assert!(server.stop().success());
    for file in &kept {
        fs::copy(backup(file), file).expect("the backup is put back");
    }
    let before = seen(&witness);
    server.start_again();
    let start = Instant::now();
    while server.claviger(&["custody", "epoch", "show"]).status.code() != Some(2) {
        released(&mut client.connect(), &key).expect_err("no key is served");
        assert!(start.elapsed() < LIMIT, "the log is not held");
    }
    let words = released(&mut client.connect(), &key).expect_err("no key is served");
    assert!(words.contains("custody log"), "{words}");
    assert!(outcome(&client.connect().exchange(&create())).is_err());
    let status = server.wait_for_status(UNHEALTHY);
    assert!(status["problems"].to_string().contains("epoch"), "{status}");
    assert_eq!(seen(&witness), before, "the witness signs no other past");
    // Held is held, also after another start.
    server.restart();
    released(&mut client.connect(), &key).expect_err("no key is served");
}
