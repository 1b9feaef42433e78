//! The HSM goes away, hangs and crashes while clients are served: no wrong answer, no lost key, and no hand is needed.

mod support;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use claviger_hsm::DeviceConfig;
use claviger_hsm::testkit::{Faults, SoftHsm};
use serde_json::Value;
use support::books::{Books, under_load};
use support::client::Connection;
use support::message::{self, request};
use support::server::{self, HEALTHY, Server, UNHEALTHY};
use support::tag;
use support::ttlv::enumeration;

/// How long anything may take before a test gives up.
const LIMIT: Duration = Duration::from_mins(2);

const QUERY: u32 = 0x18;

/// A server whose device does as a script says.
fn faulty_server(deadline: Duration) -> (Server, Faults) {
    faulty_server_with(|device| DeviceConfig {
        deadline,
        workers: 2,
        ..device
    })
}

fn faulty_server_with(change: impl FnOnce(DeviceConfig) -> DeviceConfig) -> (Server, Faults) {
    let token = SoftHsm::new();
    let mut device = change(token.device_config("hsm"));
    let faults = Faults::before(&mut device, token.directory().join("faults"));
    let server = Server::start_on_device(token, &device);
    (server, faults)
}

fn healing(server: &Server) -> BTreeMap<String, u64> {
    let output = server.claviger(&["--output", "json", "status"]);
    let status: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    serde_json::from_value(status["backends"][0]["healing"].clone()).expect("the steps of healing")
}

/// What needs no device is answered whatever the device does.
fn discovery_is_answered(connection: &mut Connection) {
    let versions = connection.exchange(&request(message::DISCOVER_VERSIONS, vec![]));
    message::outcome(&versions).expect("Discover Versions is answered");
    let query = request(QUERY, vec![enumeration(tag::QUERY_FUNCTION, 1)]);
    message::outcome(&connection.exchange(&query)).expect("Query is answered");
}

/// The device goes away by `away`, is noticed, and comes back by `back`, without anybody's doing.
#[allow(clippy::print_stdout)] // How long it took is read by a person; it decides nothing.
fn outlive(server: &Server, away: impl FnOnce(), back: impl FnOnce()) {
    let client = server.client("outage");
    let mut connection = client.connect();
    let books = Books::default();
    for _ in 0..5 {
        books.make_and_read(&mut connection);
    }
    let identifiers: Vec<_> = books
        .keys
        .lock()
        .expect("no test failed")
        .keys()
        .cloned()
        .collect();
    server.wait_for_status(HEALTHY);

    let start = Instant::now();
    away();
    let status = server.wait_for_status(UNHEALTHY);
    println!("not ready after {:?}: {}", start.elapsed(), status["problems"][0]);
    discovery_is_answered(&mut connection);
    let before = books.refused.load(Ordering::Relaxed);
    for identifier in &identifiers {
        books.read(&mut connection, identifier);
        discovery_is_answered(&mut connection);
    }
    books.make_and_read(&mut connection);
    let refused = books.refused.load(Ordering::Relaxed) - before;
    assert_eq!(
        refused,
        identifiers.len() as u64 + 1,
        "nothing comes from a device that is away"
    );

    let start = Instant::now();
    back();
    server.wait_for_status(HEALTHY);
    println!(
        "ready again after {:?}; healed: {:?}",
        start.elapsed(),
        healing(server)
    );
    for _ in 0..5 {
        books.make_and_read(&mut connection);
    }
    books.nothing_is_lost(&client);
    server.verify_custody_log();
}

#[test]
fn a_token_that_goes_away_is_said_to_be_away_and_served_again_when_it_is_back() {
    let server = Server::start();
    let token = server.token();
    let (here, away) = (token.token_directory(), token.directory().join("away"));
    let take = || std::fs::rename(&here, &away).expect("the token is there");
    let give = || std::fs::rename(&away, &here).expect("the token is away");
    outlive(&server, take, give);
    let healing = healing(&server);
    assert!(healing["modules"] + healing["workers"] > 0, "{healing:?}");
}

#[test]
fn a_device_whose_every_call_fails_is_said_to_be_away_and_served_again() {
    let (server, faults) = faulty_server(Duration::from_secs(10));
    outlive(
        &server,
        || faults.set("any all fail CKR_DEVICE_ERROR"),
        || faults.none(),
    );
}

#[test]
fn a_device_whose_calls_do_not_come_back_is_said_to_be_away_and_served_again() {
    let (server, faults) = faulty_server(Duration::from_secs(1));
    let hang = "C_WrapKey all hang\nC_UnwrapKey all hang";
    outlive(&server, || faults.set(hang), || faults.none());
}

/// A worker that serves, as the status has it and the system too.
fn serving_worker(server: &Server) -> u32 {
    loop {
        let status = server.wait_for_status(HEALTHY);
        let pids = status["backends"][0]["facts"]["worker processes"]
            .as_str()
            .expect("workers")
            .to_owned();
        let running = server.worker_pids();
        let mut serving = pids.split(' ').filter_map(|pid| pid.parse().ok());
        if let Some(pid) = serving.find(|pid| running.contains(pid)) {
            return pid;
        }
    }
}

#[test]
#[allow(clippy::print_stdout)] // The counts are read by a person.
fn a_worker_that_is_killed_twenty_times_under_load_costs_no_key_and_no_wrong_byte() {
    const KILLS: u64 = 20;
    let server = Server::start();
    let client = server.client("load");
    let books = Books::default();
    under_load(&client, &books, || {
        for _ in 0..KILLS {
            let pid = serving_worker(&server);
            let position = server.log.position();
            // Rust's runtime takes the first for an overflow of a stack, and only gives the signal its meaning back.
            while server.worker_pids().contains(&pid) {
                server::signal_if_there(pid, "SEGV");
            }
            server.log.wait_for(position, "a device worker serves");
        }
    });
    let (succeeded, refused) = (
        books.succeeded.load(Ordering::Relaxed),
        books.refused.load(Ordering::Relaxed),
    );
    println!(
        "{KILLS} workers ended by SIGSEGV: {succeeded} requests succeeded, {refused} refused with a reason to try again, \
         0 otherwise, 0 wrong bytes; healed: {:?}",
        healing(&server)
    );
    assert!(succeeded > KILLS);
    assert!(healing(&server)["workers"] >= KILLS);
    server.wait_for_status(HEALTHY);
    books.nothing_is_lost(&client);
    server.verify_custody_log();
}

#[test]
#[allow(clippy::print_stdout)] // The counts are read by a person.
fn a_module_that_crashes_under_load_costs_no_key_and_no_wrong_byte() {
    let (server, faults) = faulty_server(Duration::from_secs(10));
    let client = server.client("load");
    let books = Books::default();
    under_load(&client, &books, || {
        faults.set("C_WrapKey /150 crash\nC_UnwrapKey /200 do-and-crash");
        let start = Instant::now();
        while healing(&server)["workers"] < 5 {
            assert!(start.elapsed() < LIMIT, "the module does not crash");
        }
        faults.none();
    });
    let (succeeded, refused) = (
        books.succeeded.load(Ordering::Relaxed),
        books.refused.load(Ordering::Relaxed),
    );
    println!(
        "{succeeded} requests succeeded, {refused} refused with a reason to try again; {:?}",
        healing(&server)
    );
    server.wait_for_status(HEALTHY);
    books.nothing_is_lost(&client);
    server.verify_custody_log();
}

#[test]
#[allow(clippy::print_stdout)] // The counts are read by a person.
fn a_client_that_asks_too_much_of_a_slow_device_is_told_to_try_again_and_loses_nothing() {
    let (server, faults) = faulty_server_with(|device| DeviceConfig {
        workers: 1,
        sessions: 1,
        // Readiness asks for two things at a time.
        queue: 3,
        ..device
    });
    let client = server.client("load");
    let books = Books::default();
    books.make_and_read(&mut client.connect());
    under_load(&client, &books, || {
        faults.set("C_UnwrapKey all delay 50");
        let start = Instant::now();
        // The refusals come while other requests are still at the device.
        while books.busy.load(Ordering::Relaxed) < 20 {
            assert!(start.elapsed() < LIMIT, "nobody is refused");
            std::thread::yield_now();
        }
        faults.none();
    });
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    println!(
        "{} requests succeeded, {} refused because of a full queue",
        count(&books.succeeded),
        count(&books.busy)
    );
    assert_eq!(count(&books.refused), count(&books.busy), "for no other reason");
    server.wait_for_status(HEALTHY);
    books.nothing_is_lost(&client);
    let healing = healing(&server);
    assert_eq!(healing["workers"] + healing["modules"], 0, "{healing:?}");
    server.verify_custody_log();
}
