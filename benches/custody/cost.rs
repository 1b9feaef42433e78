//! Get and Create, with the log complete and with the bare transaction.

use std::sync::Arc;
use std::time::{Duration, Instant};

use claviger_hsm::testkit::SoftHsm;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

use super::client::Connector;
use super::support::message;
use super::support::server::Server;
use super::support::ttlv::Item;

/// Connections that are kept, as the hosts of a cluster hold them.
const CONNECTIONS: usize = 16;

struct Side {
    _server: Server,
    connector: Connector,
    get: Arc<Vec<u8>>,
}

/// What one side keeps.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kept {
    /// All but signatures.
    Unsigned,
    All,
    /// The head.
    Nothing,
}

pub async fn run(seconds: u64, rounds: usize, signed: bool) {
    let complete = if signed { Kept::All } else { Kept::Unsigned };
    let sides = [side(complete).await, side(Kept::Nothing).await];
    let create = Arc::new(message::create().encode());
    let (mut creates, mut gets) = ([0.0_f64; 2], [0.0_f64; 2]);
    for _ in 0..rounds {
        for (number, side) in sides.iter().enumerate() {
            let time = Duration::from_secs(seconds);
            creates[number] = creates[number].max(per_second(side, &create, time).await);
            gets[number] = gets[number].max(per_second(side, &side.get, time).await);
        }
    }
    println!("{CONNECTIONS} connections, {rounds} rounds of {seconds} s by turns, the best of each");
    for (name, [full, bare]) in [("Create", creates), ("Get", gets)] {
        println!(
            "{name}: {full:.0} a second with the log complete, {bare:.0} with the bare transaction: {:.2}",
            full / bare
        );
    }
}

/// A server with a key that was made.
async fn side(kept: Kept) -> Side {
    let mut server = Server::start_on(SoftHsm::new(), 2, 2, "");
    match kept {
        Kept::Unsigned => {}
        Kept::All => {
            server.must(&["custody", "key", "create"]);
            server.restart();
        }
        Kept::Nothing => keep_nothing(&server).await,
    }
    let identity = server.client("bench");
    let connector = Connector::new(
        identity.address,
        &identity.certificate,
        &identity.key,
        &identity.ca,
        true,
    );
    let mut answer = Vec::new();
    let mut connection = connector.connect().await;
    connection
        .exchange(&message::create().encode(), &mut answer)
        .await;
    let identifier = message::identifier(&Item::decode(&answer));
    let activate = message::about(message::ACTIVATE, &identifier).encode();
    connection.exchange(&activate, &mut answer).await;
    message::outcome(&Item::decode(&answer)).expect("the key is activated");
    let get = Arc::new(message::about(message::GET, &identifier).encode());
    Side {
        _server: server,
        connector,
        get,
    }
}

/// Has the database of a server leave out of a commit what the log adds to it, but for the head.
async fn keep_nothing(server: &Server) {
    let mut connection = SqliteConnectOptions::new()
        .filename(server.database())
        .busy_timeout(Duration::from_secs(5))
        .connect()
        .await
        .expect("the database opens");
    for statement in [
        "CREATE TRIGGER no_record BEFORE INSERT ON custody_record BEGIN SELECT RAISE(IGNORE); END",
        "CREATE TRIGGER no_hash BEFORE INSERT ON custody_hash BEGIN SELECT RAISE(IGNORE); END",
    ] {
        sqlx::query(statement)
            .execute(&mut connection)
            .await
            .expect("the trigger is made");
    }
    connection.close().await.expect("the database closes");
}

async fn per_second(side: &Side, request: &Arc<Vec<u8>>, time: Duration) -> f64 {
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        connections.push(side.connector.connect().await);
    }
    let start = Instant::now();
    let tasks: Vec<_> = connections
        .into_iter()
        .map(|mut connection| {
            let request = Arc::clone(request);
            tokio::spawn(async move {
                let (mut answer, mut number) = (Vec::new(), 0_u64);
                while start.elapsed() < time {
                    connection.exchange(&request, &mut answer).await;
                    number += 1;
                }
                message::outcome(&Item::decode(&answer)).expect("the server answers with success");
                number
            })
        })
        .collect();
    let mut number = 0;
    for task in tasks {
        number += task.await.expect("a task of the load");
    }
    number as f64 / start.elapsed().as_secs_f64()
}
