//! An adapter is put under another root key, on the same token and on another one, and the server is killed on the way.

mod support;

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use claviger_hsm::SlotSelector;
use claviger_hsm::testkit::SoftHsm;
use support::keys::{keys_on, material};
use support::message::{self, about, create};
use support::server::{ADAPTER, Server};

const KEYS: usize = 150;
const LIMIT: Duration = Duration::from_mins(3);

fn left(server: &Server) -> u64 {
    let shown = server.json(&["adapter", "show", ADAPTER]);
    shown["relocation"]["keys_left"].as_u64().unwrap_or(0)
}

fn keys_under(server: &Server, root_key: &str) -> u64 {
    let shown = server.json(&["root-key", "show", root_key]);
    let versions = shown["versions"].as_array().expect("versions");
    versions
        .iter()
        .map(|version| version["keys"].as_u64().expect("a number"))
        .sum()
}

/// Moves the adapter's keys to the root key `there`, with a kill half way.
fn move_and_kill(server: &mut Server) {
    let client = server.client("client");
    let mut connection = client.connect();
    let mut identifiers: Vec<String> = (0..KEYS)
        .map(|_| message::identifier(&connection.exchange(&create())))
        .collect();
    // What is left of a destroyed key is sealed by a root key too.
    let destroyed = identifiers.pop().expect("there are some");
    message::outcome(&connection.exchange(&about(message::DESTROY, &destroyed))).expect("it is not active");
    drop(connection);
    let before = material(&client, &identifiers);

    server.must(&["adapter", "move", ADAPTER, "--root-key", "there"]);
    let made = message::identifier(&client.connect().exchange(&create()));
    let start = Instant::now();
    while left(server) > (KEYS / 2) as u64 {
        assert!(start.elapsed() < LIMIT, "the move does not get on");
    }
    assert!(keys_under(server, "there") > 0);
    server.kill();
    server.start_again();
    while left(server) > 0 {
        assert!(start.elapsed() < LIMIT, "the move does not get on");
    }
    assert_eq!(material(&client, &identifiers), before);
    material(&client, &[made]);
    assert_eq!(keys_under(server, "root"), 0);
    server.restart();
    assert_eq!(material(&client, &identifiers), before);
    server.verify_custody_log();
    let moved = server
        .custody_records()
        .iter()
        .filter(|record| record["event"] == "key.move")
        .count();
    assert_eq!(moved, KEYS, "one record a key, and no more");
}

#[test]
fn keys_that_are_moved_to_another_root_key_of_the_token_are_the_same_keys_after_a_kill() {
    let mut server = Server::start();
    server.must(&["root-key", "create", "there"]);
    move_and_kill(&mut server);
    // Nothing needs the first root key any more: not its keys, and not its seal.
    server.must(&["root-key", "rotate", "root"]);
    server.must(&["root-key", "destroy-version", "root", "1"]);
}

#[test]
fn keys_that_are_moved_to_another_device_are_the_same_keys_after_a_kill_and_nothing_is_left_between() {
    let mut server = Server::start();
    let second = SoftHsm::new();
    assert!(server.stop().success());
    let device = second.device_config("second");
    let SlotSelector::TokenLabel(label) = &device.slot else {
        panic!("the token is found by its label");
    };
    let mut configuration = std::fs::read_to_string(server.config()).expect("the configuration");
    write!(
        configuration,
        "\n[[device]]\nname = \"second\"\nmodule = \"{}\"\ntoken_label = {label:?}\npin_file = \"{}\"\n\
         workers = 2\nsessions = 2\n[device.environment]\n",
        device.module.display(),
        device.pin_file.display(),
    )
    .expect("a string can be written to");
    for (name, value) in &device.environment {
        writeln!(configuration, "{name} = {value:?}").expect("a string can be written to");
    }
    std::fs::write(server.config(), configuration).expect("the configuration can be written");
    server.start_again();
    server.must(&["root-key", "create", "there", "--device", "second"]);
    let before = (keys_on(server.token()), keys_on(&second));
    move_and_kill(&mut server);
    let start = Instant::now();
    while (keys_on(server.token()), keys_on(&second)) != before {
        assert!(start.elapsed() < LIMIT, "a key of the move is left on a token");
    }
}
