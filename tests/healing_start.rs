//! The server starts while its HSM is away, or refuses the PIN: it stays up, lets nobody in who can't be served, and serves
//! by itself when the HSM is back.

mod support;

use std::time::{Duration, Instant};

use claviger_hsm::testkit::{Faults, SoftHsm};
use support::message::{self, about, create, key_material};
use support::server::{HEALTHY, Server, UNHEALTHY};
use support::slot::Slot;

/// How long anything may take before a test gives up.
const LIMIT: Duration = Duration::from_mins(2);

/// A server whose device counts the calls of its module, and its token's slot.
fn server() -> (Server, Faults, Slot) {
    let token = SoftHsm::new();
    let slot = Slot::of(&token);
    let mut device = token.device_config("hsm");
    let faults = Faults::before(&mut device, token.directory().join("faults"));
    (Server::start_on_device(token, &device), faults, slot)
}

fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < LIMIT, "this never came: {what}");
    }
}

/// How often these words were said since.
fn said(server: &Server, position: usize, words: &str) -> usize {
    server.log.text()[position..].matches(words).count()
}

#[test]
#[allow(clippy::print_stdout)] // How long it took is read by a person; it decides nothing.
fn a_server_that_starts_without_its_token_serves_by_itself_when_the_token_is_there() {
    let (mut server, faults, slot) = server();
    let client = server.client("early");
    let mut connection = client.connect();
    let identifier = message::identifier(&connection.exchange(&create()));
    let material = key_material(&connection.exchange(&about(message::GET, &identifier)));
    assert!(server.stop().success());

    slot.take_away();
    faults.none();
    let position = server.log.position();
    server.start_again();
    server.wait_for_status(UNHEALTHY);
    let refused = client
        .try_connect()
        .and_then(|mut connection| connection.exchange_bytes(&create().encode()));
    assert!(refused.is_err(), "nobody is let in unverified");
    let tries = 6;
    wait_until("the device is tried again", || {
        faults.calls("C_Initialize") >= tries
    });
    for words in ["the device does not serve", "a root key can't be used"] {
        assert_eq!(said(&server, position, words), 1, "{words}");
    }

    let start = Instant::now();
    slot.bring_back();
    server.wait_for_status(HEALTHY);
    println!("ready {:?} after the token was there", start.elapsed());
    let mut connection = client.connect();
    let again = key_material(&connection.exchange(&about(message::GET, &identifier)));
    assert!(again == material, "these are another key's bytes");
    message::outcome(&connection.exchange(&create())).expect("keys are made");
    server.verify_custody_log();
}

#[test]
fn a_pin_that_is_wrong_at_the_start_is_tried_once_however_long_the_server_runs() {
    let (mut server, faults, _) = server();
    assert!(server.stop().success());
    let pin_file = server.token().device_config("hsm").pin_file;
    std::fs::write(&pin_file, "not-the-pin").expect("the PIN file can be written");
    faults.none();
    let position = server.log.position();
    server.start_again();
    server.log.wait_for(position, "correct its PIN file");
    let looks = faults.calls("C_Initialize");
    for _ in 0..20 {
        let status = server.wait_for_status(UNHEALTHY);
        assert!(!status["problems"].as_array().expect("a list").is_empty());
    }
    assert_eq!(faults.calls("C_Login"), 1);
    assert_eq!(
        faults.calls("C_Initialize"),
        looks,
        "no worker was started any more"
    );
}
