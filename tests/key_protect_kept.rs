//! Wrapped keys that lie in the key manager: an administrator sees each disk's key there, and deletes one to revoke it.

mod support;

use std::time::{Duration, Instant};

use claviger_key_protect_stand_in::{Facts, Form, KeyEvent};
use reqwest::{Certificate, Method};
use serde_json::{Value, json};
use support::client::Client;
use support::key_protect::KeyProtect;
use support::message::{self, about, create};
use support::server::Server;
use support::tag;
use support::ttlv::{Item, enumeration, integer, structure, text};

const LIMIT: Duration = Duration::from_mins(2);
const ITEM_NOT_FOUND: u32 = 0x01;
const OBJECT_DESTROYED: u32 = 0x36;

fn server() -> Server {
    let lines = "wrapped_keys = \"key-manager\"";
    Server::start_on_key_protect(KeyProtect::start(Form::KeyProtect), lines, "")
}

/// An administrator at the key manager's own interface.
struct Console {
    facts: Facts,
    api_key: String,
    runtime: tokio::runtime::Runtime,
}

impl Console {
    fn of(server: &Server) -> Self {
        let key_protect = server.key_protect();
        Self {
            facts: key_protect.facts().clone(),
            api_key: key_protect.api_key(),
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime"),
        }
    }

    fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        self.runtime.block_on(async {
            let pem = std::fs::read(&self.facts.ca_file).expect("the certificate");
            let client = reqwest::Client::builder()
                .tls_certs_merge([Certificate::from_pem(&pem).expect("a certificate")])
                .build()
                .expect("a client");
            let form = [
                ("grant_type", "urn:ibm:params:oauth:grant-type:apikey"),
                ("apikey", self.api_key.trim()),
            ];
            let token = client.post(&self.facts.iam_url).form(&form).send().await;
            let token: Value = token.expect("IAM answers").json().await.expect("JSON");
            let token = token["access_token"].as_str().expect("a token");
            let url = format!("{}/api/v2/{path}", self.facts.url);
            let mut request = client
                .request(method, url)
                .bearer_auth(token)
                .header("bluemix-instance", self.facts.instance_id.to_string());
            if let Some(body) = body {
                request = request.json(&body);
            }
            let answer = request.send().await.expect("it answers");
            assert!(answer.status().is_success(), "{path}: {}", answer.status());
            answer.json().await.unwrap_or_default()
        })
    }

    /// The wrapped keys that lie there: name and identifier.
    fn keys(&self) -> Vec<(String, String)> {
        let listed = self.ask(Method::GET, "keys?extractable=true&limit=5000", None);
        let keys = listed["resources"].as_array().cloned().unwrap_or_default();
        let of = |key: &Value, member: &str| key[member].as_str().expect("text").to_owned();
        keys.iter().map(|key| (of(key, "name"), of(key, "id"))).collect()
    }

    fn key_of(&self, identifier: &str) -> String {
        let name = format!("vmware_kmip_{identifier}");
        let mut found = self.keys().into_iter().filter(|(found, _)| *found == name);
        let (_, id) = found.next().expect("the disk's key is there");
        assert_eq!(found.next(), None, "one key a disk");
        id
    }

    fn delete(&self, id: &str) {
        self.ask(Method::DELETE, &format!("keys/{id}"), None);
    }
}

fn get(client: &Client, identifier: &str) -> Result<Vec<u8>, (u32, String)> {
    let answer = client.connect().exchange(&about(message::GET, identifier));
    message::outcome(&answer)?;
    Ok(message::key_material(&answer))
}

/// Get in KMIP 2.1.
fn get_in_2_1(client: &Client, identifier: &str) -> Result<(), (u32, String)> {
    let version = structure(
        tag::PROTOCOL_VERSION,
        vec![
            integer(tag::PROTOCOL_VERSION_MAJOR, 2),
            integer(tag::PROTOCOL_VERSION_MINOR, 1),
        ],
    );
    let payload = vec![text(tag::UNIQUE_IDENTIFIER, identifier)];
    let request: Item = structure(
        tag::REQUEST_MESSAGE,
        vec![
            structure(tag::REQUEST_HEADER, vec![version, integer(tag::BATCH_COUNT, 1)]),
            structure(
                tag::BATCH_ITEM,
                vec![
                    enumeration(tag::OPERATION, message::GET),
                    structure(tag::REQUEST_PAYLOAD, payload),
                ],
            ),
        ],
    );
    message::outcome(&client.connect().exchange(&request)).map(drop)
}

fn made(client: &Client) -> (String, Vec<u8>) {
    let identifier = message::identifier(&client.connect().exchange(&create()));
    let key = get(client, &identifier).expect("the key");
    (identifier, key)
}

fn wait(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < LIMIT, "{what}");
        std::thread::yield_now();
    }
}

/// The record that the key was destroyed by the server, as `claviger custody list` has it.
fn destruction(server: &Server, identifier: &str) -> Value {
    let is_it = |record: &&Value| {
        record["event"] == "key.destroy" && record["object"]["identifier"] == json!(identifier)
    };
    let records = server.custody_records();
    let found: Vec<_> = records.iter().filter(is_it).collect();
    assert_eq!(found.len(), 1, "it is recorded once");
    found[0].clone()
}

#[test]
fn a_disk_whose_key_is_deleted_in_the_key_manager_is_revoked_at_once_and_no_other() {
    let server = server();
    let (client, console) = (server.client("client"), Console::of(&server));
    let disks: Vec<_> = (0..4).map(|_| made(&client)).collect();
    let [(first, _), (second, _), (third, _), (kept, key)] = &disks[..] else {
        unreachable!("four were made");
    };
    assert_eq!(console.keys().len(), 4);

    let id = console.key_of(first);
    console.delete(&id);
    let (reason, message) = get_in_2_1(&client, first).expect_err("it is revoked");
    assert_eq!(reason, OBJECT_DESTROYED, "{message}");
    let record = destruction(&server, first);
    assert_eq!(record["actor"]["kind"], "server");
    assert_eq!(record["details"]["key_manager_id"], json!(id));
    assert_eq!(record["object"]["state_after"], "Destroyed");

    console.delete(&console.key_of(second));
    let (reason, _) = get(&client, second).expect_err("it is revoked");
    assert_eq!(reason, ITEM_NOT_FOUND, "before 2.0 there is no reason of its own");

    // One that nobody asks for is found by the scan.
    console.delete(&console.key_of(third));
    let found = server.json(&["key", "scan"]);
    assert_eq!(found["destroyed"][0]["key"], json!(third), "{found}");
    destruction(&server, third);

    assert_eq!(get(&client, kept).expect("nobody has deleted it"), *key);
    server.verify_custody_log();
}

#[test]
fn a_rotation_and_a_destruction_leave_no_wrapped_key_behind_in_the_key_manager() {
    let server = server();
    let (client, console) = (server.client("client"), Console::of(&server));
    let disks: Vec<_> = (0..6).map(|_| made(&client)).collect();
    let before = console.keys();
    server.must(&["root-key", "rotate", "root"]);
    wait("every key follows", || {
        let shown = server.json(&["root-key", "show", "root"]);
        shown["versions"][0]["keys"] == 0
    });
    for (identifier, key) in &disks {
        assert_eq!(get(&client, identifier).expect("it is there"), *key);
    }
    wait("what they were before is given up", || {
        console.keys().len() == disks.len()
    });
    assert!(
        before.iter().all(|key| !console.keys().contains(key)),
        "they were wrapped anew"
    );

    let gone = &disks[0].0;
    message::outcome(&client.connect().exchange(&about(message::DESTROY, gone))).expect("it is destroyed");
    assert_eq!(console.keys().len(), disks.len() - 1);

    let found = server.json(&["key", "scan"]);
    assert_eq!(
        (&found["keys"], &found["only_there"]),
        (&json!(5), &json!([])),
        "{found}"
    );
    // What somebody else keeps under such a name is told, and left alone.
    let body = json!({
        "metadata": {"collectionType": "application/vnd.ibm.kms.key+json", "collectionTotal": 1},
        "resources": [{"type": "application/vnd.ibm.kms.key+json", "name": "vmware_kmip_of_before",
            "extractable": true, "payload": "c2VjcmV0"}],
    });
    console.ask(Method::POST, "keys", Some(body));
    let found = server.json(&["key", "scan"]);
    assert_eq!(found["only_there"][0]["name"], "vmware_kmip_of_before", "{found}");
    assert_eq!(server.json(&["status"])["key_scan"]["only_there"], 1);
    assert_eq!(console.keys().len(), disks.len());
}

#[test]
fn a_rotation_in_the_console_is_entered_as_soon_as_a_key_is_made_and_every_key_follows() {
    let server = server();
    let client = server.client("client");
    let (identifier, key) = made(&client);
    let control = server.key_protect().control();
    let rotated = control.key_event("claviger-root-v1", KeyEvent::Rotate);
    rotated.expect("the root key is there");
    let (other, other_key) = made(&client);
    wait("the version is entered, and every key is under it", || {
        let shown = server.json(&["root-key", "show", "root"]);
        shown["version"] == 2 && shown["versions"][1]["keys"] == 2
    });
    let records = server.custody_records();
    let rotations: Vec<_> = records
        .iter()
        .filter(|record| record["event"] == "root-key.rotate")
        .collect();
    assert_eq!(rotations.len(), 1, "it is recorded once");
    assert_eq!(rotations[0]["actor"]["kind"], "server");
    assert_eq!(rotations[0]["details"]["rotated_in"], "key-manager");
    assert_eq!(get(&client, &identifier).expect("it is there"), key);
    assert_eq!(get(&client, &other).expect("it is there"), other_key);
    server.verify_custody_log();
}

#[test]
fn a_key_manager_that_is_away_revokes_nobody_a_disk() {
    let mut server = server();
    let client = server.client("client");
    let (identifier, key) = made(&client);
    server.key_protect_mut().stop();
    get(&client, &identifier).expect_err("nothing comes out");
    let scanned = server.claviger(&["--output", "json", "key", "scan"]);
    assert!(!scanned.status.success(), "the scan has a gap, and says so");
    server.key_protect_mut().start_again();
    wait("it heals", || get(&client, &identifier).is_ok());
    assert_eq!(get(&client, &identifier).expect("it is there"), key);
    let destroyed = |record: &Value| record["event"] == "key.destroy";
    assert!(!server.custody_records().iter().any(destroyed));
}
