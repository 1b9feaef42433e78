//! Root keys in Key Protect, as an administrator and his clients meet them: taken up, disabled and deleted by somebody's hand
//! there, destroyed and brought back; a start without the key manager; and what the doctor says.

mod support;

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use claviger_key_protect_stand_in::{Form, KeyEvent};
use serde_json::Value;
use support::client::Client;
use support::key_protect::KeyProtect;
use support::message::{self, about, create};
use support::server::{HEALTHY, Server, UNHEALTHY};

const LIMIT: Duration = Duration::from_mins(2);
const PERMISSION_DENIED: u32 = 0x0c;
/// A user of every machine who is nobody there.
const SECOND_ADMINISTRATOR: u32 = 65_534;

fn server(sections: &str) -> Server {
    Server::start_on_key_protect(KeyProtect::start(Form::KeyProtect), "", sections)
}

fn key_of(server: &Server, root_key: &str) -> String {
    let shown = server.json(&["root-key", "show", root_key]);
    let check_value = shown["check_value"].as_str().expect("a check value");
    let id = uuid::Uuid::parse_str(&check_value[..32]).expect("the key's identifier");
    id.to_string()
}

fn get(client: &Client, identifier: &str) -> Result<Vec<u8>, (u32, String)> {
    let answer = client.connect().exchange(&about(message::GET, identifier));
    message::outcome(&answer)?;
    Ok(message::key_material(&answer))
}

fn refused(output: &Output) -> String {
    assert!(!output.status.success(), "it is refused");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn wait(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < LIMIT, "{what}");
        std::thread::yield_now();
    }
}

fn findings(output: &Output) -> Vec<Value> {
    let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    found["findings"].as_array().expect("findings").clone()
}

#[test]
fn what_somebody_does_to_the_root_key_in_the_key_manager_is_told_to_clients_and_undone_from_here() {
    let server = server("");
    let client = server.client("client");
    let identifier = message::identifier(&client.connect().exchange(&create()));
    let key = get(&client, &identifier).expect("the key");
    let there = key_of(&server, "root");
    for (event, said, command) in [
        (
            KeyEvent::Disable,
            "the root key is disabled in the key manager",
            "enable",
        ),
        (
            KeyEvent::Delete,
            "the root key is deleted in the key manager",
            "restore",
        ),
    ] {
        let control = server.key_protect().control();
        control.key_event(&there, event).expect("the key is there");
        let (reason, message) = get(&client, &identifier).expect_err("nothing comes out");
        assert_eq!(reason, PERMISSION_DENIED, "{message}");
        assert!(message.contains(said), "{message}");
        assert!(!message.contains(&there), "{message}");
        server.wait_for_status(UNHEALTHY);
        server.must(&["root-key", command, "root"]);
        assert_eq!(get(&client, &identifier).expect("it is there again"), key);
        server.wait_for_status(HEALTHY);
    }
    server.verify_custody_log();
}

#[test]
fn a_root_key_that_is_in_the_key_manager_already_is_taken_up_once_and_recorded_as_that() {
    let server = server("");
    let there = key_of(&server, "root");
    let again = server.claviger(&["root-key", "create", "other", "--existing", &there]);
    assert!(refused(&again).contains("is root key \"root\" here already"));
    let none = server.claviger(&["root-key", "create", "other", "--existing", "no-such-key"]);
    assert!(refused(&none).contains("no such key"));
    // Another server takes it up, by its alias.
    let other = Server::start_configured(Vec::new(), &server.key_protect().section(""));
    other.must(&["root-key", "create", "crk", "--existing", "claviger-root-v1"]);
    let shown = other.json(&["root-key", "show", "crk"]);
    assert_eq!(
        (&shown["origin"], &shown["kind"]),
        (&"adopted".into(), &"key-protect".into()),
        "{shown}"
    );
    assert_eq!(key_of(&other, "crk"), there);
    other.wait_for_event("root-key.adopt");
}

#[test]
fn a_server_that_starts_while_the_key_manager_is_away_serves_its_clients_when_it_is_back() {
    let mut server = server("");
    let client = server.client("client");
    let identifier = message::identifier(&client.connect().exchange(&create()));
    let key = get(&client, &identifier).expect("the key");
    assert!(server.stop().success());
    server.key_protect_mut().stop();
    server.start_again();
    let status = server.wait_for_status(UNHEALTHY);
    let problems = status["problems"].to_string();
    assert!(
        problems.contains("root key root in key manager ibm"),
        "{problems}"
    );
    assert!(client.try_connect().is_err() || get_is_refused(&client, &identifier));
    server.key_protect_mut().start_again();
    server.wait_for_status(HEALTHY);
    assert_eq!(get(&client, &identifier).expect("the key"), key);
    // That a row could not be judged meanwhile is no change of it.
    let records = server.custody_records();
    assert!(records.iter().all(|record| record["event"] != "store.tampered"));
}

fn get_is_refused(client: &Client, identifier: &str) -> bool {
    let asked = about(message::GET, identifier).encode();
    client
        .try_connect()
        .and_then(|mut connection| connection.exchange_bytes(&asked))
        .is_err()
}

#[test]
fn a_root_key_that_was_destroyed_is_brought_back_with_every_key_under_it() {
    // The second administrator has to reach the socket.
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).expect("its mode");
    let socket = folder.path().join("admin.sock");
    let server = server(&format!(
        "[admin]\nsocket = {socket:?}\nadministrators = [\"{SECOND_ADMINISTRATOR}\"]\n\
         destruction_waiting_time = \"1s\"\n"
    ));
    let client = server.client("client");
    let identifier = message::identifier(&client.connect().exchange(&create()));
    let key = get(&client, &identifier).expect("the key");
    server.must(&["root-key", "rotate", "root"]);
    server.must(&["root-key", "disable", "root"]);
    server.must(&["root-key", "schedule-destruction", "root", "--yes"]);
    let approved = Command::new(env!("CARGO_BIN_EXE_claviger"))
        .args(["--admin-socket", socket.to_str().expect("a path")])
        .args(["root-key", "approve-destruction", "root"])
        .current_dir("/")
        .uid(SECOND_ADMINISTRATOR)
        .gid(SECOND_ADMINISTRATOR)
        .output()
        .expect("the built binary starts");
    assert!(
        approved.status.success(),
        "{}",
        String::from_utf8_lossy(&approved.stderr)
    );
    server.wait_for_event("root-key.destroyed");
    let (reason, message) = get(&client, &identifier).expect_err("it is destroyed");
    assert_eq!(
        (reason, message.contains("destroyed")),
        (PERMISSION_DENIED, true),
        "{message}"
    );

    server.must(&["root-key", "restore", "root"]);
    let shown = server.json(&["root-key", "show", "root"]);
    assert_eq!(
        (&shown["state"], &shown["version"]),
        (&"disabled".into(), &4.into()),
        "{shown}"
    );
    server.must(&["root-key", "enable", "root"]);
    assert_eq!(get(&client, &identifier).expect("it is there again"), key);
    wait("every key follows to the version that is back", || {
        server.json(&["root-key", "show", "root"])["rotation"].is_null()
    });
    assert_eq!(get(&client, &identifier).expect("it is there still"), key);
    server.verify_custody_log();
}

#[test]
fn the_doctor_names_the_role_that_a_service_id_lacks() {
    let server = server("");
    let sound = server.claviger(&["--output", "json", "doctor", "--new-key"]);
    assert!(
        sound.status.success(),
        "{}",
        String::from_utf8_lossy(&sound.stdout)
    );
    let found = findings(&sound);
    let group = |name: &str| found.iter().any(|finding| finding["group"] == name);
    assert!(
        group("address") && group("iam-and-instance") && group("root-key-root"),
        "{found:#?}"
    );

    let facts = server.key_protect().facts();
    let (own, reader) = (facts.api_key_file.display(), facts.reader_api_key_file.display());
    let section = server.key_protect().section("");
    server.configure(&section.replace(&own.to_string(), &reader.to_string()));
    let lacking = server.claviger(&["--output", "json", "doctor", "--new-key"]);
    assert_eq!(lacking.status.code(), Some(UNHEALTHY));
    let failures: Vec<_> = findings(&lacking)
        .into_iter()
        .filter(|finding| finding["verdict"] == "failure")
        .collect();
    assert!(
        failures.iter().any(|finding| {
            finding["name"] == "making a root key"
                && finding["remedy"]
                    .as_str()
                    .is_some_and(|remedy| remedy.contains("service role Writer"))
        }),
        "{failures:#?}"
    );
}
