//! Whatever comes in from the network, the server goes on, answers the others, and keeps its limits.

mod support;

use std::io::Write;
use std::net::TcpStream;

use support::message::{self, about, create, key_material, outcome, request};
use support::server::Server;
use support::tag;
use support::ttlv::{Item, bytes, integer, structure, text};

#[test]
fn ten_thousand_connections_opened_and_dropped_harm_nobody() {
    let server = Server::start();
    let client = server.client("a");
    let mut connection = client.connect();
    let key = message::identifier(&connection.exchange(&create()));
    let before = key_material(&connection.exchange(&about(message::GET, &key)));
    for number in 0..10_000_u32 {
        let mut stream = TcpStream::connect(client.address).expect("the server accepts");
        match number % 3 {
            0 => {}
            // Something that is no TLS.
            1 => drop(stream.write_all(b"GET / HTTP/1.1\r\n\r\n")),
            // The first bytes of a ClientHello, and no more.
            _ => drop(stream.write_all(&[0x16, 0x03, 0x01, 0x02, 0x00, 0x01])),
        }
    }
    assert_eq!(
        key_material(&connection.exchange(&about(message::GET, &key))),
        before
    );
    assert_eq!(
        key_material(&client.connect().exchange(&about(message::GET, &key))),
        before
    );
}

#[test]
fn a_message_that_is_no_kmip_gets_one_error_and_the_connection_ends() {
    let server = Server::start();
    let client = server.client("a");
    let well_formed = create().encode();
    let mut wrong_type = well_formed.clone();
    wrong_type[3] = 0x02;
    let mut padding = well_formed.clone();
    *padding.last_mut().expect("a byte") = 1;
    let mut inner_length = well_formed.clone();
    inner_length[15] = 0xff;
    let deep = (0..200).fold(integer(tag::BATCH_COUNT, 1), |inner, _| {
        structure(tag::REQUEST_HEADER, vec![inner])
    });
    let deep = structure(tag::REQUEST_MESSAGE, vec![deep]).encode();
    for (what, message) in [
        ("type", wrong_type),
        ("length", inner_length),
        ("depth", deep),
        ("padding", padding),
    ] {
        let mut connection = client.connect();
        let answer = connection
            .exchange_bytes(&message)
            .unwrap_or_else(|error| panic!("{what}: no answer: {error}"));
        let answer = Item::decode(&answer);
        let (reason, _) = outcome(&answer).expect_err(what);
        assert_eq!(reason, 4, "{what}: Invalid Message");
        if what != "padding" {
            assert!(
                connection.is_closed_by_server(),
                "{what}: the connection stays open"
            );
        }
    }
    // Lengths that promise more than there is, or than is allowed, are refused before they are believed.
    for length in [u32::MAX, 0x7fff_ffff, 0x4000_0000] {
        let mut connection = client.connect();
        let mut head = vec![0x42, 0x00, 0x78, 0x01];
        head.extend(length.to_be_bytes());
        let answer = Item::decode(
            &connection
                .exchange_bytes(&head)
                .expect("an answer without more bytes"),
        );
        assert!(outcome(&answer).is_err());
        assert!(connection.is_closed_by_server());
    }
}

#[test]
fn a_message_sent_a_byte_at_a_time_is_answered() {
    let server = Server::start();
    let client = server.client("a");
    let mut connection = client.connect();
    for byte in create().encode() {
        connection.stream.write_all(&[byte]).expect("the server reads");
        connection.stream.flush().expect("the server reads");
    }
    let answer = Item::decode(&connection.read_message().expect("an answer"));
    message::identifier(&answer);
}

#[test]
fn a_client_that_sends_half_a_message_and_falls_silent_is_let_go() {
    let server = Server::start_with("request = \"2s\"");
    let client = server.client("a");
    let mut silent = client.connect();
    let request = create().encode();
    silent
        .stream
        .write_all(&request[..request.len() / 2])
        .expect("the server reads");
    assert!(silent.is_closed_by_server());
    message::identifier(&client.connect().exchange(&create()));
}

#[test]
fn errors_say_what_was_wrong_and_nothing_of_the_device() {
    let server = Server::start();
    let client = server.client("a");
    let mut connection = client.connect();
    let requests = [
        request(message::GET, vec![text(tag::UNIQUE_IDENTIFIER, "no-such-key")]),
        request(message::GET, vec![bytes(tag::UNIQUE_IDENTIFIER, b"x")]),
        request(message::CREATE, vec![]),
        request(0x7f, vec![]),
        request(message::ACTIVATE, vec![integer(tag::BATCH_COUNT, 1)]),
    ];
    for wrong in requests {
        let answer = connection.exchange(&wrong);
        let (_, words) = outcome(&answer).expect_err("a wrong request");
        assert!(words.len() > 10, "{words}");
        for internal in [
            "CKR", "C_", "pkcs11", "softhsm", "sqlite", "panicked", ".rs", "root key",
        ] {
            assert!(
                !words.to_lowercase().contains(&internal.to_lowercase()),
                "{words}"
            );
        }
    }
    message::identifier(&connection.exchange(&create()));
}
