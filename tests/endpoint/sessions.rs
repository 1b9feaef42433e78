//! A conversation from its first byte to its end.

use std::sync::atomic::Ordering;

use rustls::version::{TLS12, TLS13};
use tokio::io::AsyncWriteExt;

use crate::certificates::{Kind, Pair, Wanted};
use crate::support::{Client, Server, ask, closed, expect, message, within};

fn server() -> (Server, Client, Client) {
    let server = Server::start();
    let pair = Pair::new(
        "client",
        &Wanted {
            kind: Kind::P256,
            ..Wanted::default()
        },
    );
    server.admit(&[&pair]);
    let (old, new) = (Client::new(&pair, &[&TLS12]), Client::new(&pair, &[&TLS13]));
    (server, old, new)
}

#[tokio::test]
async fn a_handshake_that_is_closed_without_a_byte_is_nothing_to_tell_of() {
    let (server, old, new) = server();
    for client in [old, new] {
        let mut stream = client.connect(&server).await.unwrap();
        stream.shutdown().await.unwrap();
        assert_eq!(closed(&mut stream).await, b"");
    }
    server.connections(0).await;
    assert!(server.refused.told.borrow().is_empty());
    assert!(server.echo.requests.lock().unwrap().is_empty());
}

#[tokio::test]
async fn requests_and_answers_of_every_size_come_whole() {
    let (server, old, new) = server();
    for client in [old, new] {
        let mut stream = client.connect(&server).await.unwrap();
        for length in [0, 8, 300, 4080, 4088, 16_376, 16_384, 70_000, 1_000_000, 8] {
            ask(&mut stream, &message(length)).await.unwrap();
        }
    }
    assert_eq!(server.echo.requests.lock().unwrap().len(), 20);
}

#[tokio::test]
async fn requests_that_come_together_are_answered_in_their_order() {
    let (server, old, new) = server();
    for client in [old, new] {
        let mut stream = client.connect(&server).await.unwrap();
        let requests: Vec<_> = [8, 5000, 0, 16, 20_000, 24].map(message).into();
        stream.write_all(&requests.concat()).await.unwrap();
        stream.flush().await.unwrap();
        for request in &requests {
            expect(&mut stream, request).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_request_in_many_pieces_is_one_request() {
    let (server, old, new) = server();
    for client in [old, new] {
        let mut stream = client.connect(&server).await.unwrap();
        let request = message(40);
        for piece in request.chunks(3) {
            stream.write_all(piece).await.unwrap();
            stream.flush().await.unwrap();
        }
        expect(&mut stream, &request).await.unwrap();
    }
    assert_eq!(server.echo.requests.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_client_that_closes_behind_its_request_gets_its_answer() {
    let (server, old, new) = server();
    for client in [old, new] {
        let mut stream = client.connect(&server).await.unwrap();
        stream.write_all(&message(16)).await.unwrap();
        stream.shutdown().await.unwrap();
        assert_eq!(closed(&mut stream).await, message(16));
    }
}

#[tokio::test]
async fn a_stop_lets_the_request_under_way_finish_and_says_goodbye_to_the_idle() {
    let (server, old, new) = server();
    let mut idle = old.converse(&server).await.unwrap();
    let mut busy = new.converse(&server).await.unwrap();
    server.echo.held.store(true, Ordering::SeqCst);
    busy.write_all(&message(32)).await.unwrap();
    busy.flush().await.unwrap();
    within(server.echo.arrivals(3)).await;

    let address = server.address;
    let echo = server.echo.clone();
    let stop = tokio::spawn(server.endpoint.stop());
    assert_eq!(closed(&mut idle).await, b"");
    assert!(!stop.is_finished(), "it waits for the request under way");
    echo.release.notify_one();
    assert_eq!(closed(&mut busy).await, message(32));
    within(stop).await.unwrap();
    tokio::net::TcpStream::connect(address)
        .await
        .expect_err("nobody listens any more");
}

#[tokio::test]
async fn a_request_that_has_come_when_the_server_stops_is_answered() {
    let (server, old, _) = server();
    let mut stream = old.converse(&server).await.unwrap();
    stream.write_all(&message(32)).await.unwrap();
    stream.flush().await.unwrap();
    // It was not read yet: the test and the server share a thread.
    within(server.endpoint.stop()).await;
    assert_eq!(closed(&mut stream).await, message(32));
}

#[tokio::test]
async fn a_stop_does_not_wait_for_ever() {
    let server = Server::with("[kmip.limits]\nshutdown = \"50ms\"", Kind::P256);
    let pair = Pair::new(
        "client",
        &Wanted {
            kind: Kind::P256,
            ..Wanted::default()
        },
    );
    server.admit(&[&pair]);
    let mut stream = Client::new(&pair, &[&TLS13]).connect(&server).await.unwrap();
    server.echo.held.store(true, Ordering::SeqCst);
    stream.write_all(&message(32)).await.unwrap();
    stream.flush().await.unwrap();
    within(server.echo.arrivals(1)).await;
    within(server.endpoint.stop()).await;
}
