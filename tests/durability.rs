//! Nothing acknowledged is lost, however the server ends.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use support::audit::wait_until_signed;
use support::backend::Backend;
use support::client::{Client, Connection};
use support::message::{self, about, create, outcome};
use support::server::{HEALTHY, Server, UNHEALTHY};
use support::ttlv::Item;

/// How often the server is killed, where `CLAVIGER_TEST_KILLS` says no number.
const KILLS: usize = 20;
const CLIENTS: usize = 4;
/// What a file may grow by before the disk is full.
const ROOM: u64 = 256 * 1024;

/// What a client was told of a key: its bytes, once they were released, and how often they were.
#[derive(Default)]
struct Known {
    material: Option<Vec<u8>>,
    releases: u64,
}

/// What the clients were told, and what must hold from then on.
#[derive(Default)]
struct Acknowledged {
    keys: Mutex<BTreeMap<String, Known>>,
    operations: Mutex<usize>,
    another: Condvar,
}

impl Acknowledged {
    fn count_one(&self) {
        *self.operations.lock().expect("no panic") += 1;
        self.another.notify_all();
    }

    fn operations(&self) -> usize {
        *self.operations.lock().expect("no panic")
    }

    fn wait_for(&self, enough: usize) {
        let counted = self.operations.lock().expect("no panic");
        let limit = Duration::from_mins(2);
        let waited = self
            .another
            .wait_timeout_while(counted, limit, |count| *count < enough)
            .expect("no panic");
        assert!(!waited.1.timed_out(), "the load does not get on");
    }

    fn created(&self, identifier: &str) {
        self.keys
            .lock()
            .expect("no panic")
            .insert(identifier.to_owned(), Known::default());
        self.count_one();
    }

    fn released(&self, identifier: &str, material: Vec<u8>) {
        let mut keys = self.keys.lock().expect("no panic");
        let known = keys.get_mut(identifier).expect("a key that was created");
        if let Some(before) = &known.material {
            assert_eq!(*before, material, "{identifier}: other bytes than before");
        }
        known.material = Some(material);
        known.releases += 1;
        drop(keys);
        self.count_one();
    }
}

/// Creates and gets keys until the server is gone.
fn load(client: &Client, acknowledged: &Acknowledged) {
    let Ok(mut connection) = client.try_connect() else {
        return;
    };
    let mut exchange = |request: &Item| {
        connection
            .exchange_bytes(&request.encode())
            .map(|answer| Item::decode(&answer))
    };
    loop {
        let Ok(answer) = exchange(&create()) else { return };
        let identifier = message::identifier(&answer);
        acknowledged.created(&identifier);
        for _ in 0..2 {
            let Ok(answer) = exchange(&about(message::GET, &identifier)) else {
                return;
            };
            acknowledged.released(&identifier, message::key_material(&answer));
        }
    }
}

#[allow(clippy::print_stdout)] // The numbers of a long run are read by a person.
fn every_acknowledged_key_and_release_survives_kill_9_under_load(backend: Backend) {
    let mut server = backend.server();
    let signs = backend == Backend::SoftHsm;
    if signs {
        // A start compares the checkpoint that was kept with the log, and is refused where they don't fit.
        server.must(&["custody", "key", "create"]);
        server.restart();
    }
    let client = server.client("load");
    let acknowledged = Acknowledged::default();
    let kills = std::env::var("CLAVIGER_TEST_KILLS");
    let kills = kills.map_or(KILLS, |number| number.parse().expect("a number of kills"));
    for round in 0..kills {
        let before = acknowledged.operations();
        // A different point of the work each time.
        let enough = before + 5 + (round % 20) * 7;
        std::thread::scope(|scope| {
            for _ in 0..CLIENTS {
                scope.spawn(|| load(&client, &acknowledged));
            }
            acknowledged.wait_for(enough);
            server.kill();
        });
        server.start_again();
        server.verify_custody_log();
    }
    if signs {
        wait_until_signed(&server);
    }
    let keys = acknowledged.keys.into_inner().expect("no panic");
    let mut connection = client.connect();
    for (identifier, known) in &keys {
        let now = message::key_material(&connection.exchange(&about(message::GET, identifier)));
        assert!(
            known.material.as_ref().is_none_or(|before| *before == now),
            "{identifier}: other bytes than before"
        );
    }
    let mut recorded = BTreeMap::<String, u64>::new();
    let mut created = BTreeSet::new();
    for record in server.custody_records() {
        if record["outcome"] != "success" {
            continue;
        }
        let identifier = || record["object"]["identifier"].as_str().expect("an identifier");
        if record["event"] == "kmip.get" {
            *recorded.entry(identifier().to_owned()).or_default() += 1;
        } else if record["event"] == "kmip.create" {
            created.insert(identifier().to_owned());
        }
    }
    for (identifier, known) in &keys {
        // One more for the Get above; a release that was recorded but whose answer was lost may be there too.
        assert!(
            recorded[identifier] > known.releases,
            "{identifier}: a release is missing in the log"
        );
        assert!(
            created.contains(identifier),
            "{identifier}: its creation is missing in the log"
        );
    }
    println!(
        "{kills} kills, {} keys, {} releases: none is missing, and the log verified after each kill",
        keys.len(),
        keys.values().map(|known| known.releases).sum::<u64>()
    );
}

#[test]
fn a_worker_that_is_killed_is_replaced_and_no_answer_is_wrong() {
    let server = Server::start();
    let client = server.client("load");
    let mut connection = client.connect();
    let key = message::identifier(&connection.exchange(&create()));
    let before = message::key_material(&connection.exchange(&about(message::GET, &key)));
    for _ in 0..5 {
        let position = server.log.position();
        let workers = server.worker_pids();
        for pid in &workers {
            support::server::signal(*pid, "KILL");
        }
        // What is under way is tried once more; beyond that the client is told to try again.
        let deadline = Instant::now() + Duration::from_mins(1);
        loop {
            let answer = connection.exchange(&about(message::GET, &key));
            if outcome(&answer).is_ok() {
                assert_eq!(message::key_material(&answer), before);
                break;
            }
            assert!(Instant::now() < deadline, "the device does not come back");
        }
        // SoftHSM writes its token anew at each login and loses it where it is killed in the middle of that.
        server
            .log
            .wait_for_number(position, "a device worker serves", workers.len());
    }
    server.verify_custody_log();
}

/// The disk is full: a file of the server can't grow any more.
#[test]
fn while_the_disk_is_full_requests_are_refused_and_afterwards_all_is_there() {
    let server = Server::start_with_a_limit_on_files();
    let client = server.client("load");
    let mut connection = client.connect();
    let mut created = Vec::new();
    for _ in 0..10 {
        created.push(message::identifier(&connection.exchange(&create())));
    }
    let material = |connection: &mut Connection, key: &str| {
        message::key_material(&connection.exchange(&about(message::GET, key)))
    };
    let before = material(&mut connection, &created[0]);

    let database = server.database();
    let files = [database.clone(), database.with_extension("db-wal")];
    let largest = files
        .iter()
        .filter_map(|file| Some(std::fs::metadata(file).ok()?.len()))
        .max();
    server.limit_files(largest.map(|size| size + ROOM));
    let refused = loop {
        assert!(created.len() < 100_000, "the disk is never full");
        match outcome(&connection.exchange(&create())) {
            Ok(_) => {}
            Err(refused) => break refused,
        }
        created.push(String::new());
    };
    assert!(
        !refused.1.contains("disk"),
        "a client hears nothing of the server's disk: {refused:?}"
    );
    // No release either: there would be no record of it.
    assert!(outcome(&connection.exchange(&about(message::GET, &created[0]))).is_err());
    let status = server.wait_for_status(UNHEALTHY);
    let problems = status["problems"].to_string();
    assert!(
        problems.contains("the custody log could not be written"),
        "{problems}"
    );

    server.limit_files(None);
    let key = message::identifier(&connection.exchange(&create()));
    assert_eq!(material(&mut connection, &created[0]), before);
    server.wait_for_status(HEALTHY);
    server.verify_custody_log();
    let records = server.custody_records();
    let created_there = records
        .iter()
        .filter(|record| record["event"] == "kmip.create" && record["outcome"] == "success");
    assert_eq!(created_there.count(), created.len() + 1, "{key}");
}

fn a_stop_lets_what_is_under_way_finish_and_is_recorded(backend: Backend) {
    let mut server = backend.server();
    let client = server.client("load");
    let mut connection = client.connect();
    message::identifier(&connection.exchange(&create()));
    let status = server.stop();
    assert!(status.success(), "{status}");
    assert!(connection.is_closed_by_server());
    server.start_again();
    server.verify_custody_log();
    let events: Vec<_> = server
        .custody_records()
        .iter()
        .map(|record| record["event"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(
        events.iter().filter(|event| *event == "server.start").count(),
        2,
        "{events:?}"
    );
    assert_eq!(
        events.iter().filter(|event| *event == "server.stop").count(),
        1,
        "{events:?}"
    );
}

on_a_device_and_key_protect! {
    every_acknowledged_key_and_release_survives_kill_9_under_load,
    a_stop_lets_what_is_under_way_finish_and_is_recorded,
}
