//! What a client may take, and what it gets for taking more.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use claviger::adapter::{AdapterId, ClientCertificate};
use rustls::version::{TLS12, TLS13};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::certificates::{Kind, Pair, Wanted};
use crate::support::{Client, Server, ask, closed, message, within};

/// A server with these limits, a certificate that it knows, and a client with it.
fn server(limits: &str) -> (Server, Client) {
    let server = Server::with(&format!("[kmip.limits]\n{limits}"), Kind::P256);
    let pair = Pair::new(
        "client",
        &Wanted {
            kind: Kind::P256,
            ..Wanted::default()
        },
    );
    server.admit(&[&pair]);
    let client = Client::new(&pair, &[&TLS13, &TLS12]);
    (server, client)
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_closed_when_the_handshake_is_due() {
    let (server, _) = server("handshake = \"50ms\"");
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    assert_eq!(within(socket.read(&mut [0; 8])).await.unwrap(), 0);
    server.connections(0).await;
}

#[tokio::test]
async fn what_is_no_tls_is_closed_and_harms_nobody() {
    let (server, client) = server("");
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    socket
        .write_all(b"GET / HTTP/1.1\r\nHost: kms\r\n\r\n")
        .await
        .unwrap();
    let mut answer = Vec::new();
    let _ = within(socket.read_to_end(&mut answer)).await;
    assert!(answer.len() <= 7, "an alert at most: {answer:?}");
    client.converse(&server).await.unwrap();
}

#[tokio::test]
async fn half_a_request_and_silence_is_closed_when_the_request_is_due() {
    let (server, client) = server("request = \"50ms\"");
    for sent in [1, 7, 8, 20] {
        let mut stream = client.connect(&server).await.unwrap();
        stream.write_all(&message(64)[..sent]).await.unwrap();
        assert_eq!(closed(&mut stream).await, b"", "after {sent} bytes");
    }
    assert!(server.echo.requests.lock().unwrap().is_empty());
}

#[tokio::test]
async fn bytes_that_trickle_in_do_not_put_off_the_deadline() {
    let (server, client) = server("request = \"200ms\"");
    let mut stream = client.connect(&server).await.unwrap();
    stream.write_all(&message(500_000)[..8]).await.unwrap();
    let (mut reading, mut writing) = tokio::io::split(stream);
    let trickle = async {
        while writing.write_all(b"x").await.is_ok() && writing.flush().await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    let end = async {
        let mut rest = Vec::new();
        // The server closes over bytes that are still coming, which may arrive as a reset.
        let _ = reading.read_to_end(&mut rest).await;
        rest
    };
    let rest = within(async {
        tokio::select! { rest = end => rest, () = trickle => Vec::new() }
    })
    .await;
    assert_eq!(rest, b"");
    server.connections(0).await;
    assert!(server.echo.requests.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_idle_connection_is_closed_with_a_goodbye() {
    let (server, client) = server("idle = \"50ms\"");
    let mut stream = client.converse(&server).await.unwrap();
    assert_eq!(closed(&mut stream).await, b"");
    server.connections(0).await;
}

#[tokio::test]
async fn a_hostile_length_is_answered_by_its_header_and_closed() {
    let (server, client) = server("request_size = \"4 KiB\"");
    for length in [4089, u32::MAX, 0x8000_0000] {
        let mut stream = client.connect(&server).await.unwrap();
        let mut request = message(100);
        request[4..8].copy_from_slice(&length.to_be_bytes());
        stream.write_all(&request).await.unwrap();
        let answer = closed(&mut stream).await;
        assert!(
            request.starts_with(&answer) && answer.len() >= 8,
            "{} bytes",
            answer.len()
        );
    }
    // The longest request that is allowed.
    let mut stream = client.connect(&server).await.unwrap();
    ask(&mut stream, &message(4088)).await.unwrap();
}

#[tokio::test]
async fn what_is_no_kmip_is_answered_once_and_closed() {
    let (server, client) = server("");
    let mut stream = client.connect(&server).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    assert_eq!(closed(&mut stream).await, b"GET / HTTP/1.1\r\n\r\n");
    assert_eq!(server.echo.requests.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn connections_over_the_limit_are_closed_and_not_left_waiting() {
    let (server, client) = server("connections = 3");
    let mut open = Vec::new();
    for _ in 0..3 {
        open.push(client.converse(&server).await.unwrap());
    }
    let mut refused = TcpStream::connect(server.address).await.unwrap();
    assert_eq!(within(refused.read(&mut [0; 8])).await.unwrap(), 0);
    for stream in &mut open {
        ask(stream, &message(8)).await.expect("who is in stays in");
    }
    drop(open.pop());
    server.connections(2).await;
    client.converse(&server).await.expect("there is a place again");
}

#[tokio::test]
async fn one_client_can_not_take_the_places_of_the_others() {
    let (server, _) = server("connections_per_client = 2");
    let wanted = Wanted {
        kind: Kind::P256,
        ..Wanted::default()
    };
    let (greedy, modest) = (Pair::new("greedy", &wanted), Pair::new("modest", &wanted));
    server.admit(&[&greedy, &modest]);
    let client = Client::new(&greedy, &[&TLS13]);
    let _first = client.converse(&server).await.unwrap();
    let second = client.converse(&server).await.unwrap();
    let mut third = client.connect(&server).await.unwrap();
    assert_eq!(closed(&mut third).await, b"");
    Client::new(&modest, &[&TLS13])
        .converse(&server)
        .await
        .expect("it is another client");
    drop(second);
    drop(third);
    server.connections(1).await;
    client.converse(&server).await.expect("there is a place again");
}

#[tokio::test]
async fn the_certificates_of_an_adapter_share_the_connections_of_its_quota() {
    let (server, _) = server("");
    let wanted = Wanted {
        kind: Kind::P256,
        ..Wanted::default()
    };
    let pairs = ["first", "second", "elsewhere"].map(|name| Pair::new(name, &wanted));
    let (shared, other) = (AdapterId::new(), AdapterId::new());
    let admitted = pairs.iter().zip([shared, shared, other]);
    let admitted = admitted.map(|(pair, adapter)| {
        let now = time::OffsetDateTime::now_utc();
        let certificate = ClientCertificate::from_der(adapter, "client", &pair.der(), now).unwrap();
        (certificate, adapter.to_string())
    });
    server.identities.replace(admitted);
    server.identities.bound_connections(&HashMap::from([(shared, 2)]));
    let [first, second, elsewhere] = pairs.map(|pair| Client::new(&pair, &[&TLS13]));
    let mut open = [
        first.converse(&server).await.unwrap(),
        second.converse(&server).await.unwrap(),
    ];
    for client in [&first, &second] {
        let mut refused = client.connect(&server).await.unwrap();
        assert_eq!(closed(&mut refused).await, b"");
    }
    let _other = elsewhere
        .converse(&server)
        .await
        .expect("another adapter has its own");
    // A lower bound closes nothing that is open.
    server.identities.bound_connections(&HashMap::from([(shared, 1)]));
    for stream in &mut open {
        ask(stream, &message(8)).await.expect("who is in stays in");
    }
    server.identities.bound_connections(&HashMap::new());
    first
        .converse(&server)
        .await
        .expect("nothing is bounded any more");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_broken_handshake_brings_a_connection_down_in_disorder() {
    // What a connection's task does in disorder is to panic, whose message would reach the log of a real server.
    static PANICS: AtomicUsize = AtomicUsize::new(0);
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        PANICS.fetch_add(1, Ordering::SeqCst);
        usual(panic);
    }));
    let (server, client) = server("handshake = \"500ms\"");
    for hello in [client_hello(&TLS12), client_hello(&TLS13)] {
        for place in 0..hello.len() {
            let mut socket = TcpStream::connect(server.address).await.unwrap();
            let mut broken = hello.clone();
            match place % 3 {
                0 => broken[place] ^= 1 << (place % 8),
                1 => broken.truncate(place),
                _ => broken
                    .splice(place..place, hello[..place].to_vec())
                    .for_each(drop),
            }
            // The server may have had enough before all of it is sent.
            let _ = socket.write_all(&broken).await;
            let _ = socket.shutdown().await;
            let _ = within(socket.read_to_end(&mut Vec::new())).await;
        }
    }
    client.converse(&server).await.expect("it serves as before");
    assert_eq!(PANICS.load(Ordering::SeqCst), 0);
}

/// The first flight of a client.
fn client_hello(version: &'static rustls::SupportedProtocolVersion) -> Vec<u8> {
    let config =
        rustls::ClientConfig::builder_with_provider(rustls::crypto::aws_lc_rs::default_provider().into())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
    let name = rustls::pki_types::ServerName::try_from("kms.example").unwrap();
    let mut client = rustls::ClientConnection::new(config.into(), name).unwrap();
    let mut hello = Vec::new();
    client.write_tls(&mut hello).unwrap();
    hello
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_connections_opened_and_dropped_leave_nothing_behind() {
    let (server, client) = server("connections = 20000");
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let address = server.address;
        tasks.spawn(async move {
            for _ in 0..200 {
                drop(TcpStream::connect(address).await.unwrap());
            }
        });
    }
    tasks.join_all().await;
    client.converse(&server).await.expect("it serves as before");
    server.connections(0).await;
}

#[tokio::test]
async fn a_thousand_idle_connections_are_cheap() {
    let (server, client) = server("");
    client.converse(&server).await.unwrap();
    let before = resident_bytes();
    let mut open = Vec::new();
    for _ in 0..1000 {
        open.push(client.converse(&server).await.unwrap());
    }
    let grown = resident_bytes().saturating_sub(before);
    // Both ends are in this process, and the client's end is the larger one.
    assert!(grown < 100 << 20, "{} KiB a connection", grown / 1000 / 1024);
    for stream in &mut open {
        ask(stream, &message(8)).await.unwrap();
    }
    println!("{} KiB a connection, both ends together", grown / 1000 / 1024);
}

/// The resident memory of this process: proc(5), `statm`, its second number, in pages.
fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * rustix::param::page_size()
}
