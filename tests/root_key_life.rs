//! Root keys that are disabled, enabled and destroyed, as clients and administrators meet it.

mod support;

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;
use support::backend::Backend;
use support::brought::wrapped_by_openssl;
use support::client::Client;
use support::message::{self, about, create, request};
use support::server::Server;

const LIMIT: Duration = Duration::from_mins(2);
const PERMISSION_DENIED: u32 = 0x0c;
/// A user of every machine who is nobody there.
const SECOND_ADMINISTRATOR: u32 = 65_534;

fn refusal(client: &Client, request: &support::ttlv::Item) -> (u32, String) {
    let answer = client.connect().exchange(request);
    message::outcome(&answer).expect_err("it is refused")
}

fn get(client: &Client, identifier: &str) -> Vec<u8> {
    message::key_material(&client.connect().exchange(&about(message::GET, identifier)))
}

fn is_let_in(client: &Client) -> bool {
    let asked = request(message::DISCOVER_VERSIONS, vec![]).encode();
    let answer = client
        .try_connect()
        .and_then(|mut connection| connection.exchange_bytes(&asked));
    answer.is_ok()
}

fn root_key(server: &Server) -> Value {
    server.json(&["root-key", "show", "root"])
}

fn while_a_root_key_is_disabled_nobody_gets_a_key_of_it_and_afterwards_all_are_there(backend: Backend) {
    let mut server = backend.server();
    let client = server.client("client");
    let identifier = message::identifier(&client.connect().exchange(&create()));
    let key = get(&client, &identifier);
    server.must(&["root-key", "disable", "root"]);
    for restarted in [false, true] {
        if restarted {
            server.restart();
        }
        if restarted && !backend.opens_what_is_disabled() {
            assert!(!is_let_in(&client));
            continue;
        }
        for request in [create(), about(message::GET, &identifier)] {
            let (reason, message) = refusal(&client, &request);
            assert_eq!(reason, PERMISSION_DENIED, "{message}");
            assert_eq!(message, "The root key is disabled by an administrator");
        }
        assert_eq!(
            server.claviger(&["root-key", "rotate", "root"]).status.code(),
            Some(1)
        );
        // What is known of the key is still told.
        let answer = client
            .connect()
            .exchange(&about(message::GET_ATTRIBUTE_LIST, &identifier));
        message::outcome(&answer).expect("attributes are no key");
    }
    server.must(&["root-key", "enable", "root"]);
    let start = Instant::now();
    while !is_let_in(&client) {
        assert!(start.elapsed() < LIMIT, "nobody is let in");
    }
    assert_eq!(get(&client, &identifier), key);
    server.verify_custody_log();
    let events: Vec<_> = server
        .custody_records()
        .iter()
        .filter(|record| record["outcome"] == "success")
        .map(|record| record["event"].as_str().expect("an event").to_owned())
        .collect();
    let place = |event: &str| events.iter().rposition(|each| each == event);
    let (disabled, enabled) = (place("root-key.disable"), place("root-key.enable"));
    assert!(disabled.is_some() && disabled < enabled);
    let between = &events[disabled.expect("it is there")..enabled.expect("it is there")];
    assert!(!between.iter().any(|event| event == "kmip.get"), "{between:?}");
}

/// A rotation that a disabling stops goes on when the root key is enabled.
fn a_rotation_that_is_stopped_by_disabling_goes_on_when_the_root_key_is_enabled(backend: Backend) {
    let server = backend.server();
    let client = server.client("client");
    let mut connection = client.connect();
    let identifiers: Vec<String> = (0..150)
        .map(|_| message::identifier(&connection.exchange(&create())))
        .collect();
    server.must(&["root-key", "rotate", "root"]);
    server.must(&["root-key", "disable", "root"]);
    let left = |shown: &Value| shown["rotation"]["keys_left"].as_u64().unwrap_or(0);
    let stopped = left(&root_key(&server));
    assert_eq!(
        left(&root_key(&server)),
        stopped,
        "no key is wrapped anew any more"
    );
    server.must(&["root-key", "enable", "root"]);
    let start = Instant::now();
    while left(&root_key(&server)) > 0 {
        assert!(start.elapsed() < LIMIT, "{}", root_key(&server));
    }
    for identifier in &identifiers {
        assert_eq!(get(&client, identifier).len(), 32);
    }
}

/// A server whose second administrator is [`SECOND_ADMINISTRATOR`], and the folder of its socket.
fn server_of_two(backend: Backend) -> (Server, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let all = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(folder.path(), all).expect("the folder is ours");
    let more = format!(
        "[admin]\nsocket = \"{}\"\nadministrators = [\"{SECOND_ADMINISTRATOR}\"]\n\
         destruction_waiting_time = \"1s\"\n",
        folder.path().join("admin.sock").display()
    );
    (backend.server_with(&more), folder)
}

fn as_the_second(folder: &tempfile::TempDir, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_claviger"))
        .arg("--admin-socket")
        .arg(folder.path().join("admin.sock"))
        .args(arguments)
        .uid(SECOND_ADMINISTRATOR)
        .current_dir("/")
        .output()
        .expect("the built binary starts")
}

/// Takes a run as root, as in a container: nobody else can be two users.
fn a_root_key_is_destroyed_by_two_administrators_and_its_keys_are_gone_for_good(backend: Backend) {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let (mut server, folder) = server_of_two(backend);
    let client = server.client("client");
    let identifier = message::identifier(&client.connect().exchange(&create()));
    server.must(&["root-key", "create", "other"]);

    let shown = server.claviger(&["root-key", "schedule-destruction", "root"]);
    assert_eq!(shown.status.code(), Some(1), "nothing happens without --yes");
    let said = String::from_utf8_lossy(&shown.stderr).into_owned();
    assert!(said.contains("1 key unreadable for good"), "{said}");
    assert_eq!(root_key(&server)["state"], "enabled");

    server.must(&["root-key", "schedule-destruction", "root", "--yes"]);
    let alone = server.claviger(&["root-key", "approve-destruction", "root"]);
    assert_eq!(alone.status.code(), Some(1), "root does not stand in for both");
    let (_, message) = refusal(&client, &about(message::GET, &identifier));
    assert_eq!(message, "The root key is disabled by an administrator");
    let approved = as_the_second(&folder, &["root-key", "approve-destruction", "root"]);
    assert!(
        approved.status.success(),
        "{}",
        String::from_utf8_lossy(&approved.stderr)
    );

    let start = Instant::now();
    while root_key(&server)["state"] != "destroyed" {
        assert!(start.elapsed() < LIMIT, "{}", root_key(&server));
    }
    for restarted in [false, true] {
        if restarted {
            server.restart();
        }
        let (reason, message) = refusal(&client, &about(message::GET, &identifier));
        assert_eq!(reason, PERMISSION_DENIED);
        assert_eq!(
            message,
            "The root key has been destroyed: its keys cannot be read any more"
        );
        let shown = root_key(&server);
        assert_eq!(
            (&shown["state"], &shown["versions"][0]["state"]),
            (&Value::from("destroyed"), &Value::from("destroyed")),
            "{shown}"
        );
        assert_eq!(server.json(&["root-key", "show", "other"])["state"], "enabled");
    }
    server.verify_custody_log();
    let records = server.custody_records();
    let actor = |event: &str| {
        let found = records
            .iter()
            .find(|record| record["event"] == event && record["outcome"] == "success");
        found.expect("it is recorded")["actor"].clone()
    };
    assert_eq!(actor("root-key.schedule-destruction")["uid"], 0);
    assert_eq!(actor("root-key.approve-destruction")["uid"], SECOND_ADMINISTRATOR);
    for event in ["root-key.destroy", "root-key.destroyed"] {
        assert_eq!(actor(event)["kind"], "server");
    }
}

#[test]
fn a_root_key_that_was_brought_wrapped_serves_clients_and_is_shown_as_imported() {
    let mut server = Server::start();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let public_key = server.must(&["root-key", "import", "brought"]);
    assert!(
        public_key.starts_with("-----BEGIN PUBLIC KEY-----"),
        "{public_key}"
    );
    let short = wrapped_by_openssl(&folder, &public_key, &[7; 16]);
    let refused = server.claviger(&["root-key", "import", "brought", "--wrapped", &short]);
    assert_eq!(refused.status.code(), Some(1), "it is no AES-256 key");
    let wrapped = wrapped_by_openssl(&folder, &public_key, &[7; 32]);
    server.must(&["root-key", "import", "brought", "--wrapped", &wrapped]);
    let again = server.claviger(&["root-key", "import", "second", "--wrapped", &wrapped]);
    assert_eq!(again.status.code(), Some(1), "it can be brought once");
    server.must(&["adapter", "create", "of-brought", "--root-key", "brought"]);
    let client = server.client_of("of-brought", "client");
    let identifier = message::identifier(&client.connect().exchange(&create()));
    let key = get(&client, &identifier);
    server.restart();
    assert_eq!(get(&client, &identifier), key);
    let shown = server.json(&["root-key", "show", "brought"]);
    assert_eq!(
        (&shown["origin"], &shown["state"]),
        (&"imported".into(), &"enabled".into())
    );
    assert_eq!(root_key(&server)["origin"], "generated");
    // Its next version is made on the device.
    server.must(&["root-key", "rotate", "brought"]);
    let shown = server.json(&["root-key", "show", "brought"]);
    assert_eq!(shown["origin"], "generated");
    assert_eq!(shown["versions"][0]["origin"], "imported");
    assert_eq!(get(&client, &identifier), key);
    let records = server.custody_records();
    for event in ["root-key.offer-import", "root-key.import"] {
        assert!(
            records
                .iter()
                .any(|record| record["event"] == event && record["outcome"] == "success"),
            "{event}"
        );
    }
}

on_a_device_and_key_protect! {
    while_a_root_key_is_disabled_nobody_gets_a_key_of_it_and_afterwards_all_are_there,
    a_rotation_that_is_stopped_by_disabling_goes_on_when_the_root_key_is_enabled,
    a_root_key_is_destroyed_by_two_administrators_and_its_keys_are_gone_for_good,
}
