//! The custody log is signed by a key that an administrator made, by no other, and nobody's key waits for that.

mod support;

use std::time::{Duration, Instant};

use claviger_hsm::testkit::{Faults, SoftHsm};
use claviger_key_protect_stand_in::Form;
use serde_json::Value;
use support::audit::{signing, wait_until_signed};
use support::key_protect::KeyProtect;
use support::message::{self, about, create, key_material};
use support::server::Server;

/// How long anything may take before a test gives up.
const LIMIT: Duration = Duration::from_mins(1);

fn json(server: &Server, arguments: &[&str]) -> Value {
    let output = server.claviger(&[arguments, &["--output", "json"]].concat());
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{arguments:?}: {error}: {output:?}"))
}

#[test]
fn the_log_of_an_installation_is_signed_once_its_administrator_has_made_the_key() {
    let mut server = Server::start();
    assert!(signing(&server)["key"].is_null(), "no key is made by itself");
    server.wait_for_log("claviger custody key create");
    let made = json(&server, &["custody", "key", "create"]);
    assert_eq!(made["origin"], "test/claviger");
    assert_eq!(made["algorithm"], "Ed25519");
    server.restart();
    let key = wait_until_signed(&server);
    assert_eq!(made["verifier_key"], key.as_str());

    let again = json(&server, &["custody", "key", "create"]);
    assert_eq!(again, made, "a key is made once");
    assert_eq!(json(&server, &["custody", "key", "show"]), made);
    server.restart();
    assert_eq!(wait_until_signed(&server), key);
}

#[test]
fn keys_are_served_while_the_device_signs_nothing_and_the_log_is_signed_afterwards() {
    let token = SoftHsm::new();
    let mut device = token.device_config("hsm");
    let faults = Faults::before(&mut device, token.directory().join("faults"));
    let mut server = Server::start_on_device(token, &device);
    json(&server, &["custody", "key", "create"]);
    server.restart();
    wait_until_signed(&server);
    let client = server.client("client");
    let mut connection = client.connect();

    faults.set("C_Sign all fail CKR_DEVICE_ERROR");
    let identifier = message::identifier(&connection.exchange(&create()));
    let material = key_material(&connection.exchange(&about(message::GET, &identifier)));
    let start = Instant::now();
    while signing(&server)["failure"].is_null() {
        assert!(start.elapsed() < LIMIT, "nobody hears that the log is not signed");
    }
    assert!(signing(&server)["lag"].as_u64() > Some(0));
    let again = key_material(&connection.exchange(&about(message::GET, &identifier)));
    assert_eq!(material, again);
    faults.none();
    wait_until_signed(&server);
}

#[test]
fn a_log_is_not_signed_by_another_key_that_took_the_place_of_the_first() {
    let mut server = Server::start();
    json(&server, &["custody", "key", "create"]);
    let file = server.config().with_file_name("custody.vkey");
    let other = Server::start();
    json(&other, &["custody", "key", "create"]);
    std::fs::copy(other.config().with_file_name("custody.vkey"), &file).expect("the other's public key");
    server.restart();
    let start = Instant::now();
    let failure = loop {
        let signing = signing(&server);
        if let Some(failure) = signing["failure"].as_str() {
            break failure.to_owned();
        }
        assert!(start.elapsed() < LIMIT, "{signing}");
    };
    assert!(failure.contains("another key"), "{failure}");
    let refused = server.claviger(&["custody", "key", "create"]);
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("put the token back"), "{said}");
}

#[test]
fn with_key_protect_and_no_device_the_log_is_signed_by_software_and_says_so() {
    let mut server = Server::start_on_key_protect(KeyProtect::start(Form::KeyProtect), "", "");
    assert!(server.stop().success());
    let module = SoftHsm::new().device_config("any").module;
    let text = std::fs::read_to_string(server.config()).expect("the configuration");
    let text = format!("{text}\n[custody.software]\nmodule = {module:?}\n");
    std::fs::write(server.config(), text).expect("the configuration can be written");
    let made = json(&server, &["custody", "key", "create"]);
    assert_eq!(made["origin"], "test/claviger/software");
    server.start_again();
    let key = wait_until_signed(&server);
    assert!(key.starts_with("test/claviger/software+"), "{key}");
    let found = json(&server, &["doctor"]);
    let findings = found["findings"].as_array().expect("a list");
    let of_log = findings
        .iter()
        .find(|finding| finding["subject"] == "custody log");
    let of_log = of_log.expect("the doctor looks at the log's key");
    assert_eq!(of_log["verdict"], "warning");
    assert!(
        of_log["finding"].as_str().expect("words").contains("BY SOFTWARE"),
        "{of_log}"
    );
}
