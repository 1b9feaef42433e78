//! Two slots with the same root key serve as one: a client notices nothing when one of them is gone.
//!
//! The second token is a copy of the first, as a cluster makes it.

mod support;

use std::process::Command;
use std::time::{Duration, Instant};

use claviger_hsm::testkit::SoftHsm;
use support::audit::{self, wait_until_signed};
use support::brought::wrapped_by_openssl;
use support::client::Client;
use support::keys::keys_on;
use support::message::{self, about, create, key_material, outcome};
use support::server::{ADAPTER, HEALTHY, Server, UNHEALTHY, device, signal};
use support::slot::{Slot, copy};
use support::traffic::{Served, served_while};

const LOST: &str = "a member of the mirror does not serve";
const BACK: &str = "a member of the mirror serves again";
/// Longer than what a member may take before another is asked as well.
const DEADLINE: &str = "deadline = \"5s\"";

fn tokens() -> Vec<SoftHsm> {
    let tokens = vec![SoftHsm::new(), SoftHsm::new()];
    copy(&tokens[0], &tokens[1]);
    tokens
}

/// The sections of a mirror `hsm` of these two tokens.
fn mirror(tokens: &[SoftHsm], replication: &str) -> String {
    let member = |name, token: &SoftHsm| {
        let section = device(name, &token.device_config(name), 1, 2);
        section.replacen("token_label", &format!("{DEADLINE}\ntoken_label"), 1)
    };
    format!(
        "{}{}[[mirror]]\nname = \"hsm\"\ndevices = [\"hsm-a\", \"hsm-b\"]\nreplication = \"{replication}\"\n",
        member("hsm-a", &tokens[0]),
        member("hsm-b", &tokens[1])
    )
}

/// A server that had one token and now has a mirror of it and its copy.
fn server() -> Server {
    let tokens = vec![SoftHsm::new(), SoftHsm::new()];
    let alone = device("hsm", &tokens[0].device_config("hsm"), 1, 2);
    let mut server = Server::start_configured(tokens, &alone);
    server.must(&["root-key", "create", "root"]);
    server.adapter(ADAPTER);
    assert!(server.stop().success());
    copy(&server.tokens()[0], &server.tokens()[1]);
    server.configure(&mirror(server.tokens(), "30s"));
    assert!(server.must(&["config", "check"]).contains("nothing is wrong"));
    server.start_again();
    server
}

fn slots(server: &Server) -> [Slot; 2] {
    [0, 1].map(|index| Slot::of(&server.tokens()[index]))
}

fn made(client: &Client, count: usize) -> Vec<(String, Vec<u8>)> {
    let mut connection = client.connect();
    let mut one = || {
        let identifier = message::identifier(&connection.exchange(&create()));
        let key = key_material(&connection.exchange(&about(message::GET, &identifier)));
        (identifier, key)
    };
    (0..count).map(|_| one()).collect()
}

fn all_come_back(client: &Client, keys: &[(String, Vec<u8>)]) {
    let mut connection = client.connect();
    for (identifier, key) in keys {
        let answer = connection.exchange(&about(message::GET, identifier));
        assert_eq!(key_material(&answer), *key);
    }
}

/// Puts a key of this label and identifier on a token.
fn import(token: &SoftHsm, label: &str, identifier: &str) {
    let file = token.directory().join("key");
    std::fs::write(&file, [0x5a; 32]).expect("a file");
    let imported = Command::new("softhsm2-util")
        .args([
            "--aes",
            "--token",
            SoftHsm::LABEL,
            "--pin",
            SoftHsm::PIN,
            "--label",
            label,
        ])
        .args(["--id", identifier, "--import"])
        .arg(&file)
        .arg("--module")
        .arg(token.module())
        .envs(token.environment())
        .output()
        .expect("softhsm2-util runs");
    assert!(imported.status.success(), "{imported:?}");
}

#[allow(clippy::print_stdout)] // The counts are read by a person.
fn none_failed(what: &str, served: &Served) {
    println!(
        "{what}: {} requests answered, {} failed",
        served.answered,
        served.failed.len()
    );
    assert!(served.failed.is_empty(), "{what}: {:?}", served.failed);
}

#[test]
fn no_request_fails_while_either_token_of_a_mirror_is_gone_and_comes_back() {
    let server = server();
    let client = server.client("a");
    // Made by both.
    let keys = made(&client, 20);
    for (slot, name) in slots(&server).iter().zip(["hsm-a", "hsm-b"]) {
        let traffic = served_while(&client, 4, || {
            let position = server.log.position();
            slot.take_away();
            assert!(server.log.wait_for(position, LOST).contains(name));
            // By the other alone, whichever of them made the key.
            all_come_back(&client, &keys);
            let told = server.wait_for_status(UNHEALTHY).to_string();
            assert!(told.contains(&format!("member {name}")), "{told}");
            slot.bring_back();
            server.log.wait_for(position, BACK);
            server.wait_for_status(HEALTHY);
        });
        none_failed(name, &traffic);
    }
    all_come_back(&client, &keys);
    server.verify_custody_log();
}

#[test]
fn no_request_fails_while_a_worker_of_a_mirror_hangs() {
    let server = server();
    let client = server.client("a");
    let keys = made(&client, 4);
    let traffic = served_while(&client, 4, || {
        let position = server.log.position();
        let hanging = server.worker_pids()[0];
        signal(hanging, "STOP");
        server.log.wait_for(position, LOST);
        all_come_back(&client, &keys);
        // Its worker is replaced, or goes on.
        server.log.wait_for(position, BACK);
        server.wait_for_status(HEALTHY);
    });
    none_failed("a worker that hangs", &traffic);
}

#[test]
fn a_server_starts_with_one_token_of_a_mirror_and_takes_the_other_in() {
    let mut server = server();
    let client = server.client("a");
    let keys = made(&client, 4);
    assert!(server.stop().success());
    let [first, _] = slots(&server);
    first.take_away();
    let position = server.log.position();
    server.start_again();
    all_come_back(&client, &keys);
    // No root key is made that would be on one token alone.
    let refused = server.claviger(&["root-key", "create", "another"]);
    let told = String::from_utf8(refused.stderr).expect("text");
    assert!(!refused.status.success() && told.contains("hsm-a"), "{told}");
    first.bring_back();
    server.log.wait_for(position, BACK);
    server.wait_for_status(HEALTHY);
    all_come_back(&client, &keys);
}

/// Runs a command that has one token get a root key, and does meanwhile what a cluster does by itself.
fn replicated(server: &Server, command: &[&str]) {
    let position = server.log.position();
    std::thread::scope(|scope| {
        let done = scope.spawn(|| server.must(command));
        let line = server.log.wait_for(position, "a member has a new root key");
        let (from, to) = if line.contains("member=hsm-a") {
            (0, 1)
        } else {
            (1, 0)
        };
        copy(&server.tokens()[from], &server.tokens()[to]);
        done.join().expect("the root key is used")
    });
}

#[test]
fn a_root_key_that_was_brought_to_a_mirror_serves_from_either_token() {
    let tokens = tokens();
    let sections = mirror(&tokens, "60s");
    let server = Server::start_configured(tokens, &sections);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let public_key = server.must(&["root-key", "import", "root"]);
    let wrapped = wrapped_by_openssl(&folder, &public_key, &[7; 32]);
    replicated(&server, &["root-key", "import", "root", "--wrapped", &wrapped]);
    server.adapter(ADAPTER);
    let client = server.client("a");
    let keys = made(&client, 10);
    each_token_alone_has(&server, &client, &keys);
}

#[test]
fn an_adapter_moves_from_a_mirror_to_another_device_and_back_and_nothing_is_left_on_a_token() {
    let mut server = server();
    assert!(server.stop().success());
    let other = SoftHsm::new();
    let other_section = device("other", &other.device_config("other"), 1, 2);
    server.configure(&format!("{}{other_section}", mirror(server.tokens(), "30s")));
    server.start_again();
    server.must(&["root-key", "create", "there", "--device", "other"]);
    let client = server.client("a");
    let keys = made(&client, 12);
    let tokens = || {
        let [one, two] = server.tokens() else {
            panic!("a mirror of two")
        };
        [keys_on(one), keys_on(two), keys_on(&other)]
    };
    let before = tokens();
    for to in ["there", "root"] {
        server.must(&["adapter", "move", ADAPTER, "--root-key", to]);
        let left = || server.json(&["adapter", "show", ADAPTER])["relocation"]["keys_left"].as_u64();
        let start = Instant::now();
        while left().unwrap_or(0) > 0 || tokens() != before {
            assert!(
                start.elapsed() < Duration::from_mins(3),
                "the move to {to} does not get on, or leaves a key: {:?}",
                tokens()
            );
        }
        all_come_back(&client, &keys);
    }
    server.verify_custody_log();
    let records = server.custody_records();
    let moves = records.iter().filter(|record| record["event"] == "key.move");
    assert!(moves.clone().all(|record| record["details"]["by"] == "device"));
    assert_eq!(moves.count(), 2 * keys.len());
}

#[test]
fn a_mirror_with_one_token_gone_gives_its_keys_to_another_device_by_the_one_that_is_left() {
    let mut server = server();
    assert!(server.stop().success());
    let other = SoftHsm::new();
    let other_section = device("other", &other.device_config("other"), 1, 2);
    server.configure(&format!("{}{other_section}", mirror(server.tokens(), "30s")));
    server.start_again();
    server.must(&["root-key", "create", "there", "--device", "other"]);
    let client = server.client("a");
    let keys = made(&client, 4);
    let [first, _] = slots(&server);
    first.take_away();
    server.wait_for_log(LOST);
    server.must(&["adapter", "move", ADAPTER, "--root-key", "there"]);
    let left = || server.json(&["adapter", "show", ADAPTER])["relocation"]["keys_left"].as_u64();
    let start = Instant::now();
    while left().unwrap_or(0) > 0 {
        assert!(
            start.elapsed() < Duration::from_mins(3),
            "the move does not get on"
        );
    }
    all_come_back(&client, &keys);
    first.bring_back();
    server.wait_for_status(HEALTHY);
    all_come_back(&client, &keys);
}

#[test]
fn a_root_key_and_its_next_version_are_used_once_both_tokens_have_them() {
    let tokens = tokens();
    let sections = mirror(&tokens, "60s");
    let server = Server::start_configured(tokens, &sections);
    replicated(&server, &["root-key", "create", "root"]);
    server.adapter(ADAPTER);
    let client = server.client("a");
    let keys = made(&client, 10);
    replicated(&server, &["root-key", "rotate", "root"]);
    all_come_back(&client, &keys);
    server.wait_for_status(HEALTHY);
    let more = made(&client, 10);
    each_token_alone_has(&server, &client, &[keys, more].concat());
}

fn each_token_alone_has(server: &Server, client: &Client, keys: &[(String, Vec<u8>)]) {
    for slot in slots(server) {
        let position = server.log.position();
        slot.take_away();
        all_come_back(client, keys);
        slot.bring_back();
        if server.log.text()[position..].contains(LOST) {
            server.log.wait_for(position, BACK);
        }
        server.wait_for_status(HEALTHY);
    }
}

#[test]
fn the_log_of_a_mirror_is_signed_by_one_key_on_whichever_token_is_there() {
    let mut server = server();
    server.configure(&mirror(server.tokens(), "1s"));
    let refused = server.claviger(&["custody", "key", "create"]);
    let told = String::from_utf8(refused.stderr).expect("text");
    assert_eq!(refused.status.code(), Some(1), "{told}");
    assert!(told.contains("hsm-b"), "{told}");
    // As a cluster does, or an operator who clones.
    copy(&server.tokens()[0], &server.tokens()[1]);
    server.must(&["custody", "key", "create"]);
    server.restart();
    let key = wait_until_signed(&server);
    let client = server.client("a");
    for slot in slots(&server) {
        let position = server.log.position();
        slot.take_away();
        made(&client, 1);
        assert_eq!(wait_until_signed(&server), key);
        slot.bring_back();
        if server.log.text()[position..].contains(LOST) {
            server.log.wait_for(position, BACK);
        }
        server.wait_for_status(HEALTHY);
    }
    let verified = audit::verified(&audit::bundle(&server, "bundle.tar"), &audit::policy(&server));
    assert!(verified.status.success(), "{verified:?}");
}

#[test]
fn a_root_key_that_is_not_replicated_is_not_used_and_the_operator_is_told_what_to_do() {
    let tokens = tokens();
    let sections = mirror(&tokens, "1s");
    let server = Server::start_configured(tokens, &sections);
    let refused = server.claviger(&["root-key", "create", "root"]);
    let told = String::from_utf8(refused.stderr).expect("text");
    assert!(!refused.status.success(), "{told}");
    for word in ["claviger.root.v1", "hsm-a", "hsm-b", "clone", "replication"] {
        assert!(told.contains(word), "{word}: {told}");
    }
    assert_eq!(
        server.json(&["root-key", "list"]).as_array().map(Vec::len),
        Some(0)
    );
    // It is still there, on one token.
    let doctor = || String::from_utf8(server.claviger(&["doctor"]).stdout).expect("text");
    let told = doctor();
    assert!(
        told.contains("claviger.root.v1 is on hsm-") && told.contains("lacks it"),
        "{told}"
    );
    let (from, to) = if told.contains("is on hsm-a") {
        (0, 1)
    } else {
        (1, 0)
    };
    copy(&server.tokens()[from], &server.tokens()[to]);
    let told = doctor();
    assert!(told.contains("1 on each device, the same"), "{told}");
}

#[test]
fn another_root_key_in_the_place_of_the_mirrored_one_is_never_used() {
    let mut server = server();
    let client = server.client("a");
    let keys = made(&client, 4);
    let root_key = server.json(&["root-key", "list"])[0]["id"].clone();
    let identifier = root_key.as_str().expect("an identifier").replace('-', "");
    assert!(server.stop().success());
    copy(&SoftHsm::new(), &server.tokens()[1]);
    import(&server.tokens()[1], "claviger.root.v1", &identifier);
    let position = server.log.position();
    server.start_again();
    let line = server.log.wait_for(position, LOST);
    assert!(line.contains("hsm-b"), "{line}");
    let traffic = served_while(&client, 2, || all_come_back(&client, &keys));
    none_failed("a foreign token in one slot", &traffic);
    server.wait_for_status(UNHEALTHY);
    assert!(!server.log.text()[position..].contains(BACK));
    outcome(&client.connect().exchange(&create())).expect("a key");
}
