//! The HSM that keys are moved to goes away on the way: no key is lost, and the move goes on by itself when it is back.

mod support;

use std::time::{Duration, Instant};

use claviger_hsm::testkit::SoftHsm;
use support::books::Books;
use support::server::{ADAPTER, HEALTHY, Server, UNHEALTHY, device};
use support::slot::Slot;

const KEYS: usize = 60;
/// How long anything may take before a test gives up: a move that failed goes on after half a minute.
const LIMIT: Duration = Duration::from_mins(3);

fn left(server: &Server) -> u64 {
    let shown = server.json(&["adapter", "show", ADAPTER]);
    shown["relocation"]["keys_left"].as_u64().unwrap_or(0)
}

#[test]
fn a_move_whose_target_goes_away_half_way_loses_no_key_and_goes_on_when_it_is_back() {
    let tokens = vec![SoftHsm::new(), SoftHsm::new()];
    let slot = Slot::of(&tokens[1]);
    let sections = device("hsm", &tokens[0].device_config("hsm"), 2, 2)
        + &device("second", &tokens[1].device_config("second"), 2, 2);
    let server = Server::start_configured(tokens, &sections);
    server.must(&["root-key", "create", "root", "--device", "hsm"]);
    server.must(&["root-key", "create", "there", "--device", "second"]);
    server.adapter(ADAPTER);
    let client = server.client("client");
    let mut connection = client.connect();
    let books = Books::default();
    for _ in 0..KEYS {
        books.make_and_read(&mut connection);
    }

    server.must(&["adapter", "move", ADAPTER, "--root-key", "there"]);
    let start = Instant::now();
    while left(&server) > (KEYS / 2) as u64 {
        assert!(start.elapsed() < LIMIT, "the move does not get on");
    }
    slot.take_away();
    server.wait_for_status(UNHEALTHY);
    // Those that are still under the first root key are read, the others wait: none is said to be broken.
    let identifiers: Vec<_> = books
        .keys
        .lock()
        .expect("no test failed")
        .keys()
        .cloned()
        .collect();
    for identifier in &identifiers {
        books.read(&mut connection, identifier);
    }
    slot.bring_back();
    server.wait_for_status(HEALTHY);
    while left(&server) > 0 {
        assert!(start.elapsed() < LIMIT, "the move does not go on");
    }
    books.nothing_is_lost(&client);
    server.verify_custody_log();
    let records = server.custody_records();
    let moved = records.iter().filter(|record| record["event"] == "key.move");
    assert_eq!(moved.count(), KEYS, "one record a key, and no more");
}
