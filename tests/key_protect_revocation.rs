//! With wrapped keys kept in Key Protect, an administrator there revokes one disk by deleting one key.

mod support;

use std::process::Command;

use claviger_key_protect_stand_in::Form;
use support::key_protect::KeyProtect;
use support::message::{self, GET, about, create};
use support::server::Server;
use support::tag;
use support::ttlv::{Item, enumeration, integer, structure, text};

const OBJECT_DESTROYED: u32 = 0x36;

/// Get in version 2.1, which has a word for what has been destroyed.
fn get_in_2_1(identifier: &str) -> Item {
    let version = vec![
        integer(tag::PROTOCOL_VERSION_MAJOR, 2),
        integer(tag::PROTOCOL_VERSION_MINOR, 1),
    ];
    let header = vec![
        structure(tag::PROTOCOL_VERSION, version),
        integer(tag::BATCH_COUNT, 1),
    ];
    let payload = vec![text(tag::UNIQUE_IDENTIFIER, identifier)];
    let item = vec![
        enumeration(tag::OPERATION, GET),
        structure(tag::REQUEST_PAYLOAD, payload),
    ];
    let message = vec![
        structure(tag::REQUEST_HEADER, header),
        structure(tag::BATCH_ITEM, item),
    ];
    structure(tag::REQUEST_MESSAGE, message)
}

#[test]
#[allow(clippy::print_stderr)] // As a test says that it was skipped.
fn a_key_that_is_deleted_in_key_protect_is_destroyed_for_its_client_and_in_the_log() {
    let Some(python) = std::env::var_os("CLAVIGER_TEST_PYTHON") else {
        assert!(
            std::env::var_os("CLAVIGER_TEST_NO_SKIP").is_none(),
            "CLAVIGER_TEST_PYTHON names no Python"
        );
        eprintln!("SKIPPED: CLAVIGER_TEST_PYTHON names no Python with keyprotect; scripts/test makes one.");
        return;
    };
    let key_protect = KeyProtect::start(Form::KeyProtect);
    let server = Server::start_on_key_protect(key_protect, "wrapped_keys = \"key-manager\"", "");
    let client = server.client("vcenter");
    let mut connection = client.connect();
    let [revoked, kept] = [(); 2].map(|()| message::identifier(&connection.exchange(&create())));
    let get = |connection: &mut support::client::Connection, identifier: &str| {
        message::key_material(&connection.exchange(&about(GET, identifier)))
    };
    let bytes = get(&mut connection, &kept);
    assert_ne!(get(&mut connection, &revoked), bytes);

    let facts = server.key_protect().facts();
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/key_protect_client/delete_key.py"
    );
    let output = Command::new(python)
        .arg(script)
        .arg(serde_json::to_string(facts).expect("facts are JSON"))
        .arg(&revoked)
        .env("REQUESTS_CA_BUNDLE", &facts.ca_file)
        .output()
        .expect("the Python starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");

    let refused = message::outcome(&connection.exchange(&get_in_2_1(&revoked))).map(|_| ());
    let (reason, words) = refused.expect_err("it is destroyed");
    assert_eq!(reason, OBJECT_DESTROYED, "{words}");
    let refused = message::outcome(&connection.exchange(&about(GET, &revoked))).map(|_| ());
    let (_, words) = refused.expect_err("it is destroyed");
    assert!(words.contains("has been destroyed"), "{words}");
    assert_eq!(get(&mut connection, &kept), bytes);

    let records = server.json(&["custody", "list", "--key", &revoked]);
    let records = records.as_array().expect("a list");
    let destroyed = records.iter().filter(|record| record["event"] == "key.destroy");
    assert_eq!(destroyed.count(), 1, "{records:?}");
    server.verify_custody_log();
}
