//! A root key is rotated while its keys are in use, and the server is killed on the way.

mod support;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use support::backend::Backend;
use support::keys::material;
use support::message::{self, create};
use support::server::Server;

const LIMIT: Duration = Duration::from_mins(10);

/// The keys under each version of the only root key.
fn versions(server: &Server) -> BTreeMap<u64, u64> {
    let list = server.json(&["root-key", "list"]);
    let versions = list[0]["versions"].as_array().expect("versions");
    let pair = |version: &Value| {
        let number = |member: &str| version[member].as_u64().expect("a number");
        (number("version"), number("keys"))
    };
    versions.iter().map(pair).collect()
}

fn wait_until(server: &Server, enough: impl Fn(&BTreeMap<u64, u64>) -> bool) -> BTreeMap<u64, u64> {
    let start = Instant::now();
    loop {
        let now = versions(server);
        if enough(&now) {
            return now;
        }
        assert!(start.elapsed() < LIMIT, "the rotation does not get on: {now:?}");
    }
}

fn root_key_name(server: &Server) -> String {
    let list = server.json(&["root-key", "list"]);
    list[0]["name"].as_str().expect("a name").to_owned()
}

/// Once no key is under it any more, the first version goes, alone, where the backend can do that; else it stays.
fn destroy_first_version(server: &Server, name: &str, backend: Backend) {
    let before = backend.keys_there(server);
    let destroyed = server.claviger(&["root-key", "destroy-version", name, "1"]);
    assert_eq!(destroyed.status.success(), backend.destroys_versions());
    let gone = usize::from(backend.destroys_versions());
    assert_eq!(backend.keys_there(server), before.map(|before| before - gone));
    let records = server.custody_records();
    for event in ["root-key.destroy-version", "root-key.version-destroyed"] {
        let succeeded = |record: &Value| record["event"] == event && record["outcome"] == "success";
        assert_eq!(
            records.iter().any(succeeded),
            backend.destroys_versions(),
            "{event}"
        );
    }
}

/// Rotates the root key of `count` keys and kills the server once half of them are done.
#[allow(clippy::print_stdout)] // The numbers of a long run are read by a person.
fn rotate_and_kill(backend: Backend, count: usize) {
    let mut server = backend.server();
    let client = server.client("rotation");
    let mut connection = client.connect();
    let identifiers: Vec<String> = (0..count)
        .map(|_| message::identifier(&connection.exchange(&create())))
        .collect();
    drop(connection);
    let before = material(&client, &identifiers);
    let name = root_key_name(&server);
    let started = Instant::now();
    server.must(&["root-key", "rotate", &name]);
    let refused = server.claviger(&["root-key", "destroy-version", &name, "1"]);
    assert_eq!(refused.status.code(), Some(1), "it is needed still");
    let half = (count / 2) as u64;
    let at_kill = wait_until(&server, |keys| keys[&2] >= half);
    server.kill();
    server.start_again();
    wait_until(&server, |keys| keys[&1] == 0);
    println!(
        "{count} keys, killed at {at_kill:?}, done in {:?}",
        started.elapsed()
    );
    assert_eq!(material(&client, &identifiers), before);
    destroy_first_version(&server, &name, backend);
    server.restart();
    assert_eq!(material(&client, &identifiers), before);
    server.verify_custody_log();
    let rewrapped = server
        .custody_records()
        .iter()
        .filter(|record| record["event"] == "key.rewrap")
        .map(|record| record["object"]["identifier"].as_str().expect("a key").to_owned())
        .collect::<Vec<_>>();
    assert_eq!(rewrapped.len(), count, "one record a key, and no more");
    assert!(
        identifiers
            .iter()
            .all(|identifier| rewrapped.contains(identifier))
    );
}

fn a_rotation_that_is_killed_half_way_goes_on_and_keeps_every_key(backend: Backend) {
    rotate_and_kill(backend, 300);
}

#[test]
#[ignore = "takes minutes: cargo nextest run --test rotation --run-ignored only --no-capture"]
fn a_rotation_of_ten_thousand_keys_that_is_killed_half_way_keeps_every_key() {
    rotate_and_kill(Backend::SoftHsm, 10_000);
}

fn no_get_fails_while_a_root_key_is_rotated(backend: Backend) {
    let server = backend.server();
    let client = server.client("rotation");
    let mut connection = client.connect();
    let identifiers: Vec<String> = (0..60)
        .map(|_| message::identifier(&connection.exchange(&create())))
        .collect();
    let before = material(&client, &identifiers);
    let name = root_key_name(&server);
    let (done, gets) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                assert_eq!(material(&client, &identifiers), before);
                gets.fetch_add(1, Ordering::Relaxed);
            }
        });
        for version in 2..=3 {
            server.must(&["root-key", "rotate", &name]);
            wait_until(&server, |keys| {
                keys.iter().all(|(other, keys)| *other == version || *keys == 0)
            });
        }
        let made = message::identifier(&connection.exchange(&create()));
        assert_eq!(versions(&server)[&3], 61, "{made} is under the new version");
        done.store(true, Ordering::Relaxed);
    });
    assert!(gets.into_inner() > 0);
}

on_a_device_and_key_protect! {
    a_rotation_that_is_killed_half_way_goes_on_and_keeps_every_key,
    no_get_fails_while_a_root_key_is_rotated,
}
