//! Root keys in Key Protect, as an administrator and his clients meet them: taken up, disabled and deleted by somebody's hand
//! there, destroyed and brought back; a start without the key manager; and what the doctor says.

mod support;

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
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

/// A server with a second administrator, who has to reach the socket, in this folder.
fn server_of_two(folder: &Path) -> Server {
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).expect("its mode");
    let socket = socket(folder);
    server(&format!(
        "[admin]\nsocket = \"{}\"\nadministrators = [\"{SECOND_ADMINISTRATOR}\"]\n\
         destruction_waiting_time = \"1s\"\n",
        socket.display()
    ))
}

fn socket(folder: &Path) -> PathBuf {
    folder.join("admin.sock")
}

/// Asks for the destruction as one administrator, and approves of it as the other.
fn destroy(server: &Server, folder: &Path) {
    server.must(&["root-key", "schedule-destruction", "root", "--yes"]);
    let socket = socket(folder);
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
}

/// Does with the key manager what its console does, as the service ID of this API key.
fn in_the_console(server: &Server, api_key_file: &Path, method: &str, path: &str, body: Option<&Value>) {
    let facts = server.key_protect().facts();
    let pem = std::fs::read(&facts.ca_file).expect("the authority");
    let authority = reqwest::Certificate::from_pem(&pem).expect("a certificate");
    let api_key = std::fs::read_to_string(api_key_file).expect("an API key");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let client = reqwest::Client::builder().tls_certs_merge([authority]);
        let client = client.build().expect("an HTTP client");
        let form = format!(
            "grant_type=urn%3Aibm%3Aparams%3Aoauth%3Agrant-type%3Aapikey&apikey={}",
            api_key.trim_end()
        );
        let asked = client
            .post(&facts.iam_url)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form);
        let answer = asked.send().await.expect("IAM answers").bytes().await;
        let token: Value = serde_json::from_slice(&answer.expect("an answer")).expect("JSON");
        let method = method.parse().expect("a method");
        let mut request = client
            .request(method, format!("{}/api/v2{path}", facts.url))
            .bearer_auth(token["access_token"].as_str().expect("a token"))
            .header("bluemix-instance", facts.instance_id.to_string());
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        let answer = request.send().await.expect("the service answers");
        assert!(answer.status().is_success(), "{answer:?}");
    });
}

#[test]
fn a_destruction_that_needs_a_second_identity_says_so_and_ends_when_that_has_agreed() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = server_of_two(folder.path());
    let facts = server.key_protect().facts();
    let there = key_of(&server, "root");
    let policy = serde_json::json!({
        "metadata": { "collectionType": "application/vnd.ibm.kms.policy+json", "collectionTotal": 1 },
        "resources": [{
            "type": "application/vnd.ibm.kms.policy+json",
            "dualAuthDelete": { "enabled": true },
        }],
    });
    let path = format!("/keys/{there}/policies?policy=dualAuthDelete");
    in_the_console(&server, &facts.api_key_file, "PUT", &path, Some(&policy));
    destroy(&server, folder.path());
    wait("it waits for the second identity", || {
        let output = server.claviger(&["--output", "json", "status"]);
        String::from_utf8_lossy(&output.stdout).contains("a second identity must delete it")
    });
    assert_eq!(server.json(&["root-key", "show", "root"])["state"], "destroying");
    let restored = server.claviger(&["root-key", "restore", "root"]);
    assert!(refused(&restored).contains("must come to its end first"));

    let path = format!("/keys/{there}");
    in_the_console(&server, &facts.second_api_key_file, "DELETE", &path, None);
    // What is recorded has the job look at once, and not within half a minute.
    server.must(&["root-key", "create", "another"]);
    wait("it is carried on by itself", || {
        server.json(&["root-key", "show", "root"])["state"] == "destroyed"
    });
    server.wait_for_status(HEALTHY);
}

#[test]
fn a_root_key_that_was_destroyed_is_brought_back_with_every_key_under_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = server_of_two(folder.path());
    let client = server.client("client");
    let identifier = message::identifier(&client.connect().exchange(&create()));
    let key = get(&client, &identifier).expect("the key");
    server.must(&["root-key", "rotate", "root"]);
    server.must(&["root-key", "disable", "root"]);
    destroy(&server, folder.path());
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
