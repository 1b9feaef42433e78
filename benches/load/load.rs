//! Load on a server, and what its answers show.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::accounting;
use crate::client::{Connection, Connector};
use crate::measure::{Measured, run};
use crate::support::client::Client;
use crate::support::server::Server;
use crate::support::ttlv::Item;
use crate::support::{health, message};

/// Connections that are kept, as the hosts of a cluster hold them.
pub const CONNECTIONS: usize = 16;

/// Opens connections as this client, to this address.
pub fn connector(identity: &Client, address: SocketAddr, resumption: bool) -> Connector {
    Connector::new(
        address,
        &identity.certificate,
        &identity.key,
        &identity.ca,
        resumption,
    )
}

/// How many commits the server has made, as it says where its `[metrics]` are.
pub fn commits(metrics: SocketAddr) -> u64 {
    let (_, text) = health::get(metrics, "/metrics");
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix("claviger_custody_commits_total "));
    value
        .expect("the server counts its commits")
        .trim()
        .parse()
        .expect("a number")
}

pub fn about_key(identifier: &str) -> Vec<u8> {
    message::about(message::GET, identifier).encode()
}

/// An answer is a success, or the request itself from the echo server.
pub fn assert_answered(request: &[u8], answer: &[u8]) {
    if request != answer {
        message::outcome(&Item::decode(answer)).expect("the server answers with success");
    }
}

/// Asks on one connection, and returns the answer.
pub async fn ask(connection: &mut Connection, request: &[u8]) -> Item {
    let mut answer = Vec::new();
    connection.exchange(request, &mut answer).await;
    let answer = Item::decode(&answer);
    message::outcome(&answer).expect("the server answers with success");
    answer
}

/// Makes a key and activates it.
pub async fn one_key(connector: &Connector) -> String {
    let mut connection = connector.connect().await;
    let answer = ask(&mut connection, &message::create().encode()).await;
    let identifier = message::identifier(&answer);
    ask(
        &mut connection,
        &message::about(message::ACTIVATE, &identifier).encode(),
    )
    .await;
    identifier
}

/// Makes so many keys, as fast as it goes.
pub async fn make_keys(connector: &Connector, number: u64) {
    let each = number.div_ceil(CONNECTIONS as u64);
    let made = (0..CONNECTIONS).map(async |_| {
        let (mut connection, mut answer) = (connector.connect().await, Vec::new());
        let create = message::create().encode();
        for _ in 0..each {
            connection.exchange(&create, &mut answer).await;
            assert_answered(&create, &answer);
        }
    });
    futures_util::future::join_all(made).await;
}

/// Sends one request again and again, on connections that are kept.
pub async fn kept(connector: &Connector, time: Duration, request: Vec<u8>) -> Measured {
    kept_by(CONNECTIONS, connector, time, request).await
}

/// The same on so many connections.
pub async fn kept_by(
    connections: usize,
    connector: &Connector,
    time: Duration,
    request: Vec<u8>,
) -> Measured {
    let request = Arc::new(request);
    run(
        connections,
        async |_| connector.connect().await,
        |mut connection: Connection| {
            let request = Arc::clone(&request);
            async move {
                let mut answer = Vec::new();
                let (begin, mut latencies) = (Instant::now(), Vec::new());
                while begin.elapsed() < time {
                    let start = Instant::now();
                    connection.exchange(&request, &mut answer).await;
                    latencies.push(start.elapsed());
                }
                assert_answered(&request, &answer);
                latencies
            }
        },
    )
    .await
}

/// Sends a request on a new connection each time. Where the connectors resume, each worker has one of its own, which has
/// been connected once: it has a ticket for every connection.
pub async fn fresh(
    make: impl Fn() -> Connector,
    resumption: bool,
    time: Duration,
    request: Vec<u8>,
) -> Measured {
    let request = Arc::new(request);
    run(
        CONNECTIONS,
        async |_| {
            let connector = make();
            if resumption {
                let mut answer = Vec::new();
                connector.connect().await.exchange(&request, &mut answer).await;
            }
            connector
        },
        |connector: Connector| {
            let request = Arc::clone(&request);
            async move {
                let mut answer = Vec::new();
                let (begin, mut latencies) = (Instant::now(), Vec::new());
                while begin.elapsed() < time {
                    let start = Instant::now();
                    let mut connection = connector.connect().await;
                    connection.exchange(&request, &mut answer).await;
                    latencies.push(start.elapsed());
                    assert_eq!(connection.is_resumed(), resumption, "as the line says");
                }
                assert_answered(&request, &answer);
                latencies
            }
        },
    )
    .await
}

/// The processes whose time a line shows: the server, and its device workers.
pub struct Watched {
    server: u32,
    workers: Vec<u32>,
}

impl Watched {
    pub fn server(server: &Server) -> Self {
        Self {
            server: server.pid(),
            workers: server.worker_pids(),
        }
    }

    pub const fn process(pid: u32) -> Self {
        Self {
            server: pid,
            workers: Vec::new(),
        }
    }

    fn times(&self) -> (Duration, Duration) {
        let workers = self.workers.iter().map(|pid| accounting::cpu_time(*pid));
        (accounting::cpu_time(self.server), workers.sum())
    }
}

/// A measured line: the medians of its rounds.
pub struct Line {
    pub per_second: f64,
    pub p50: Duration,
    pub p99: Duration,
    /// Of the server, an operation, in microseconds.
    pub server_time: f64,
}

/// A line that is measured in rounds, by turns with others.
pub struct Rounds {
    name: String,
    watched: Watched,
    /// Of each: operations a second, p50, p99, processor time of the server and of the device.
    measured: Vec<[f64; 5]>,
}

impl Rounds {
    pub fn new(name: impl Into<String>, watched: Watched) -> Self {
        Self {
            name: name.into(),
            watched,
            measured: Vec::new(),
        }
    }

    /// Measures one round of it. Returns how many operations it had.
    pub async fn round(&mut self, work: impl Future<Output = Measured>) -> usize {
        let before = self.watched.times();
        let measured = work.await;
        let after = self.watched.times();
        let each = |time: Duration| time.as_secs_f64() * 1e6 / measured.operations as f64;
        self.measured.push([
            measured.per_second(),
            measured.percentile(50).as_secs_f64(),
            measured.percentile(99).as_secs_f64(),
            each(after.0.saturating_sub(before.0)),
            each(after.1.saturating_sub(before.1)),
        ]);
        measured.operations
    }

    /// The medians, which it prints.
    pub fn line(&self) -> Line {
        let median = |place: usize| {
            let mut values: Vec<f64> = self.measured.iter().map(|round| round[place]).collect();
            values.sort_unstable_by(f64::total_cmp);
            values[values.len() / 2]
        };
        let [per_second, p50, p99, server, device] = [0, 1, 2, 3, 4].map(median);
        println!(
            "{:<48} {per_second:>10.0} {:>8.2}ms {:>8.2}ms {server:>8.0} µs {device:>8.0} µs",
            self.name,
            p50 * 1e3,
            p99 * 1e3,
        );
        Line {
            per_second,
            p50: Duration::from_secs_f64(p50),
            p99: Duration::from_secs_f64(p99),
            server_time: server,
        }
    }
}

pub fn heading(what: &str) {
    println!(
        "\n{what}\n{:<48} {:>10} {:>10} {:>10} {:>11} {:>11}",
        "", "per second", "p50", "p99", "server CPU", "device CPU"
    );
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

pub fn ratio(ours: Duration, mark: Duration) -> f64 {
    ours.as_secs_f64() / mark.as_secs_f64()
}

/// Where the files of a server lie.
pub fn database_bytes(server: &Server) -> u64 {
    let database = server.database();
    let beside = |suffix: &str| {
        let mut name = database.clone().into_os_string();
        name.push(suffix);
        PathBuf::from(name)
    };
    [database.clone(), beside("-wal")]
        .iter()
        .filter_map(|path| std::fs::metadata(path).ok())
        .map(|file| file.len())
        .sum()
}
