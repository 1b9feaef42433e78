//! A client reaches the keys of its own adapter and no others, and can't tell another's key from none.

mod support;

use support::backend::Backend;
use support::client::{Client, Connection};
use support::message::{self, about, attribute, create, create_with, key_material, outcome, request, revoke};
use support::server::Server;
use support::tag;
use support::ttlv::{Item, bytes, enumeration, integer, structure, text};

/// An identifier that no server made.
const ABSENT: &str = "6b1f5f0e-3f0a-4c7e-9d1b-0d5b7a3c2e11";

/// Every operation that names an object, as a request about `identifier`.
fn requests_about(identifier: &str) -> Vec<(&'static str, Item)> {
    let id = || text(tag::UNIQUE_IDENTIFIER, identifier);
    vec![
        ("Get", about(message::GET, identifier)),
        ("Get Attributes", about(message::GET_ATTRIBUTES, identifier)),
        (
            "Get Attribute List",
            about(message::GET_ATTRIBUTE_LIST, identifier),
        ),
        (
            "Add Attribute",
            request(
                message::ADD_ATTRIBUTE,
                vec![id(), attribute("x-Owner", text(0, "me"))],
            ),
        ),
        (
            "Modify Attribute",
            request(
                message::MODIFY_ATTRIBUTE,
                vec![id(), attribute("x-Owner", text(0, "me"))],
            ),
        ),
        (
            "Delete Attribute",
            request(
                message::DELETE_ATTRIBUTE,
                vec![id(), text(tag::ATTRIBUTE_NAME, "x-Owner")],
            ),
        ),
        ("Check", about(message::CHECK, identifier)),
        ("Activate", about(message::ACTIVATE, identifier)),
        ("Revoke", revoke(identifier, 2)),
        ("Destroy", about(message::DESTROY, identifier)),
    ]
}

/// The identifiers that a Locate without a filter finds.
fn located(connection: &mut Connection, filter: Vec<Item>) -> Vec<String> {
    let answer = connection.exchange(&request(message::LOCATE, filter));
    let found = outcome(&answer).expect("Locate succeeds");
    found
        .children()
        .iter()
        .filter(|item| item.tag == tag::UNIQUE_IDENTIFIER)
        .map(|id| id.text().to_owned())
        .collect()
}

fn another_adapters_key_is_answered_as_one_that_does_not_exist(backend: Backend) {
    let server = backend.server();
    server.adapter("tenant-b");
    let ours = server.client("a");
    let theirs = server.client_of("tenant-b", "b");
    let named = vec![attribute(
        "Name",
        structure(
            0,
            vec![
                text(tag::NAME_VALUE, "the crown jewels"),
                enumeration(tag::NAME_TYPE, 1),
            ],
        ),
    )];
    let mut connection = ours.connect();
    let key = message::identifier(&connection.exchange(&create_with(named)));
    let before = key_material(&connection.exchange(&about(message::GET, &key)));

    let mut stranger = theirs.connect();
    for ((operation, of_another), (_, of_none)) in requests_about(&key).iter().zip(&requests_about(ABSENT)) {
        let another = outcome(&stranger.exchange(of_another)).cloned();
        let none = outcome(&stranger.exchange(of_none)).cloned();
        let (reason, text) = another.expect_err(operation);
        let (expected_reason, expected_text) = none.expect_err(operation);
        assert_eq!(reason, 1, "{operation}: Item Not Found");
        assert_eq!(reason, expected_reason, "{operation}");
        assert_eq!(
            text.replace(&key, "ID"),
            expected_text.replace(ABSENT, "ID"),
            "{operation}"
        );
    }
    assert_eq!(located(&mut stranger, vec![]), Vec::<String>::new());
    let by_name = attribute(
        "Name",
        structure(
            0,
            vec![
                text(tag::NAME_VALUE, "the crown jewels"),
                enumeration(tag::NAME_TYPE, 1),
            ],
        ),
    );
    assert_eq!(located(&mut stranger, vec![by_name]), Vec::<String>::new());

    assert_eq!(located(&mut connection, vec![]), std::slice::from_ref(&key));
    assert_eq!(
        key_material(&connection.exchange(&about(message::GET, &key))),
        before
    );
    server.verify_custody_log();
}

fn the_same_name_in_two_adapters_is_two_keys(backend: Backend) {
    let server = backend.server();
    server.adapter("tenant-b");
    let named = || {
        vec![attribute(
            "Name",
            structure(
                0,
                vec![text(tag::NAME_VALUE, "shared"), enumeration(tag::NAME_TYPE, 1)],
            ),
        )]
    };
    let keys: Vec<_> = [server.client("a"), server.client_of("tenant-b", "b")]
        .iter()
        .map(|client: &Client| {
            let mut connection = client.connect();
            let key = message::identifier(&connection.exchange(&create_with(named())));
            assert_eq!(located(&mut connection, named()), std::slice::from_ref(&key));
            key_material(&connection.exchange(&about(message::GET, &key)))
        })
        .collect();
    assert_ne!(keys[0], keys[1]);
}

#[test]
fn a_placeholder_of_one_message_does_not_live_on_in_the_next() {
    let server = Server::start();
    let client = server.client("a");
    let mut connection = client.connect();
    message::identifier(&connection.exchange(&create()));
    let without_identifier = request(message::GET, vec![]);
    assert!(outcome(&connection.exchange(&without_identifier)).is_err());
}

#[test]
fn a_certificate_belongs_to_one_adapter_alone() {
    let server = Server::start();
    server.adapter("tenant-b");
    let client = server.client("a");
    let again = server.claviger(&[
        "certificate",
        "add",
        "tenant-b",
        client.certificate.to_str().expect("a path"),
    ]);
    assert!(!again.status.success());
    let words = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(
        words.contains("vcenter"),
        "the administrator is told whose it is: {words}"
    );
    let mut connection = client.connect();
    message::identifier(&connection.exchange(&create()));
}

#[test]
fn an_unknown_certificate_learns_nothing() {
    let server = Server::start();
    let stranger = server.unknown_client("stranger");
    let refused = stranger.try_connect().and_then(|mut connection| {
        connection.exchange_bytes(&request(message::DISCOVER_VERSIONS, vec![]).encode())
    });
    assert!(refused.is_err());
    let words = server.wait_for_log("certificate is refused");
    assert!(
        words.contains("CN=stranger") && words.contains("claviger certificate add"),
        "the operator is told who it was and how to let it in: {words}"
    );
    server.wait_for_event("certificate.refused");
}

#[test]
fn items_of_a_batch_go_on_or_stop_as_the_client_asked() {
    let server = Server::start();
    let client = server.client("a");
    let mut connection = client.connect();
    let batch = |option: u32| {
        let item = |number: u8, operation: u32, payload: Vec<Item>| {
            structure(
                tag::BATCH_ITEM,
                vec![
                    enumeration(tag::OPERATION, operation),
                    bytes(tag::UNIQUE_BATCH_ITEM_ID, &[number]),
                    structure(tag::REQUEST_PAYLOAD, payload),
                ],
            )
        };
        let version = vec![
            integer(tag::PROTOCOL_VERSION_MAJOR, 1),
            integer(tag::PROTOCOL_VERSION_MINOR, 2),
        ];
        let header = vec![
            structure(tag::PROTOCOL_VERSION, version),
            enumeration(tag::BATCH_ERROR_CONTINUATION_OPTION, option),
            integer(tag::BATCH_COUNT, 3),
        ];
        structure(
            tag::REQUEST_MESSAGE,
            vec![
                structure(tag::REQUEST_HEADER, header),
                item(1, message::LOCATE, vec![]),
                item(2, message::GET, vec![text(tag::UNIQUE_IDENTIFIER, ABSENT)]),
                item(3, message::LOCATE, vec![]),
            ],
        )
    };
    let (continue_, stop) = (1, 2);
    let items = |answer: &Item| answer.all(tag::BATCH_ITEM).count();
    assert_eq!(items(&connection.exchange(&batch(continue_))), 3);
    assert_eq!(items(&connection.exchange(&batch(stop))), 2);
}

on_a_device_and_key_protect! {
    another_adapters_key_is_answered_as_one_that_does_not_exist,
    the_same_name_in_two_adapters_is_two_keys,
}
