//! How fast the server is, beside the raw device and a bare TLS server, all in one run.
//!
//! The load generator shares the processors with what it measures, so absolute figures are low; the ratios
//! hold. `scripts/bench` runs this.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::cast_precision_loss,
    clippy::print_stdout
)]

mod accounting;
mod client;
mod echo;
mod measure;
mod raw;
#[path = "../../tests/support/mod.rs"]
mod support;

use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use claviger_hsm::DeviceConfig;
use claviger_hsm::testkit::{Faults, SoftHsm};
use client::{Connection, Connector};
use echo::Echo;
use measure::{Measured, run};
use support::message;
use support::server::Server;
use support::ttlv::Item;

/// Connections that are kept, as the hosts of a cluster hold them.
const CONNECTIONS: usize = 16;
/// So many keys at least are wrapped anew.
const ROTATED: u64 = 10_000;
/// Connections that only wait.
const IDLE: usize = 1000;

fn main() {
    echo::run_if_asked();
    raw::run_if_asked();
    let seconds = argument("--seconds", 5);
    let (workers, sessions) = (argument("--workers", 2), argument("--sessions", 2));
    let server = Server::start_on(SoftHsm::new(), workers, sessions, "");
    let identity = server.client("bench");
    let connector = |address, resumption| {
        Connector::new(
            address,
            &identity.certificate,
            &identity.key,
            &identity.ca,
            resumption,
        )
    };
    let echo = Echo::start(&server.server_certificate(), &server.server_key());
    let config = DeviceConfig {
        workers,
        sessions,
        ..server.token().device_config("raw")
    };
    let raw = raw::run(&server, &config, seconds);
    tokio::runtime::Runtime::new()
        .expect("a runtime")
        .block_on(async {
            let bench = Bench {
                server: &server,
                seconds,
            };
            let kept = connector(identity.address, true);
            let identifier = bench.one_key(&kept).await;
            println!("{workers} device workers with {sessions} sessions each; {CONNECTIONS} connections\n");
            println!(
                "{:<44} {:>10} {:>9} {:>9} {:>11} {:>11}",
                "", "per second", "p50", "p99", "server CPU", "device CPU"
            );
            let tls = bench.line("bare TLS echo, kept", Some(echo.pid()), async |time| {
                bench
                    .kept(&connector(echo.address, true), time, about_key(&identifier))
                    .await
            });
            let tls = tls.await;
            let raw_create = raw_line("raw device: generate, wrap, digest", raw.generate);
            let create = bench
                .line("Create, kept", None, async |time| {
                    bench.kept(&kept, time, message::create().encode()).await
                })
                .await;
            let raw_get = raw_line("raw device: unwrap, wrap", raw.release);
            let get = bench
                .line("Get, kept", None, async |time| {
                    bench.kept(&kept, time, about_key(&identifier)).await
                })
                .await;
            let fresh = connector(echo.address, false);
            let handshake = bench
                .line(
                    "bare TLS echo, a handshake each",
                    Some(echo.pid()),
                    async |time| bench.fresh(&fresh, time, about_key(&identifier)).await,
                )
                .await;
            let fresh = connector(identity.address, false);
            let get_fresh = bench
                .line("Get, a handshake each", None, async |time| {
                    bench.fresh(&fresh, time, about_key(&identifier)).await
                })
                .await;
            println!();
            ratio("Create / raw device", create, raw_create);
            ratio("Get / raw device", get, raw_get);
            ratio("Get / bare TLS echo", get, tls);
            ratio(
                "Get with a handshake / bare TLS echo with one",
                get_fresh,
                handshake,
            );
            bench.idle(&kept).await;
            bench.rotations(&kept, &identifier, raw_get).await;
        });
    drop(server);
    slow_device(workers, sessions, seconds);
}

/// The rotation once more, with a device whose calls take a millisecond longer, as those of an HSM in the network do.
fn slow_device(workers: usize, sessions: usize, seconds: u64) {
    let token = SoftHsm::new();
    let mut config = DeviceConfig {
        workers,
        sessions,
        ..token.device_config("hsm")
    };
    let faults = Faults::before(&mut config, token.directory().join("script"));
    let server = Server::start_on_device(token, &config);
    let identity = server.client("bench");
    faults.set("C_WrapKey all delay 1\nC_UnwrapKey all delay 1");
    let raw = raw::run(&server, &config, seconds);
    println!("\nwith a device that takes a millisecond longer for each wrapping and unwrapping");
    let raw = raw_line("raw device: unwrap, wrap", raw.release);
    let kept = Connector::new(
        identity.address,
        &identity.certificate,
        &identity.key,
        &identity.ca,
        true,
    );
    tokio::runtime::Runtime::new()
        .expect("a runtime")
        .block_on(async {
            let bench = Bench {
                server: &server,
                seconds,
            };
            let identifier = bench.one_key(&kept).await;
            bench.rotations(&kept, &identifier, raw).await;
        });
}

/// The number behind a name on the command line.
fn argument<T: FromStr>(name: &str, otherwise: T) -> T {
    let given = std::env::args().skip_while(|argument| argument != name).nth(1);
    given.map_or(otherwise, |text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{name} takes a number, not {text}"))
    })
}

fn about_key(identifier: &str) -> Vec<u8> {
    message::about(message::GET, identifier).encode()
}

/// An answer is a success, or the request itself from the echo server.
fn assert_answered(request: &[u8], answer: &[u8]) {
    if request != answer {
        message::outcome(&Item::decode(answer)).expect("the server answers with success");
    }
}

fn raw_line(name: &str, per_second: f64) -> f64 {
    println!("{name:<44} {per_second:>10.0}");
    per_second
}

fn ratio(what: &str, ours: f64, mark: f64) {
    println!("{what:<46} {:.2}", ours / mark);
}

struct Bench<'a> {
    server: &'a Server,
    seconds: u64,
}

impl Bench<'_> {
    async fn one_key(&self, connector: &Connector) -> String {
        let mut connection = connector.connect().await;
        let mut answer = Vec::new();
        connection
            .exchange(&message::create().encode(), &mut answer)
            .await;
        let identifier = message::identifier(&Item::decode(&answer));
        let activate = message::about(message::ACTIVATE, &identifier).encode();
        connection.exchange(&activate, &mut answer).await;
        assert_answered(&activate, &answer);
        identifier
    }

    /// Runs a piece of work long enough to be measured, prints its line, and returns the operations a second.
    async fn line(&self, name: &str, pid: Option<u32>, work: impl AsyncFn(Duration) -> Measured) -> f64 {
        work(Duration::from_millis(500)).await;
        let server = pid.unwrap_or(self.server.pid());
        let workers = if pid.is_some() {
            Vec::new()
        } else {
            self.server.worker_pids()
        };
        let device = |workers: &[u32]| {
            workers
                .iter()
                .map(|pid| accounting::cpu_time(*pid))
                .sum::<Duration>()
        };
        let before = (accounting::cpu_time(server), device(&workers));
        let measured = work(Duration::from_secs(self.seconds)).await;
        let after = (accounting::cpu_time(server), device(&workers));
        let per_operation = |time: Duration| time.as_secs_f64() * 1e6 / measured.operations as f64;
        println!(
            "{name:<44} {:>10.0} {:>8.2}ms {:>7.2}ms {:>8.0} µs {:>8.0} µs",
            measured.per_second(),
            measured.percentile(50).as_secs_f64() * 1e3,
            measured.percentile(99).as_secs_f64() * 1e3,
            per_operation(after.0.saturating_sub(before.0)),
            per_operation(after.1.saturating_sub(before.1)),
        );
        measured.per_second()
    }

    async fn kept(&self, connector: &Connector, time: Duration, request: Vec<u8>) -> Measured {
        let request = Arc::new(request);
        run(
            CONNECTIONS,
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

    async fn fresh(&self, connector: &Connector, time: Duration, request: Vec<u8>) -> Measured {
        let request = Arc::new(request);
        run(
            CONNECTIONS,
            async |_| connector.clone(),
            |connector: Connector| {
                let request = Arc::clone(&request);
                async move {
                    let mut answer = Vec::new();
                    let (begin, mut latencies) = (Instant::now(), Vec::new());
                    while begin.elapsed() < time {
                        let start = Instant::now();
                        connector.connect().await.exchange(&request, &mut answer).await;
                        latencies.push(start.elapsed());
                    }
                    assert_answered(&request, &answer);
                    latencies
                }
            },
        )
        .await
    }

    /// Rotates the root key twice: while nothing else is asked, and while keys are asked for.
    async fn rotations(&self, connector: &Connector, identifier: &str, raw: f64) {
        let connections: Vec<_> = (0..CONNECTIONS).map(|_| connector.connect()).collect();
        let mut connections = futures_util::future::join_all(connections).await;
        while self.keys() < ROTATED {
            let create = message::create().encode();
            let made = connections.iter_mut().map(async |connection| {
                for _ in 0..100 {
                    connection.exchange(&create, &mut Vec::new()).await;
                }
            });
            futures_util::future::join_all(made).await;
        }
        let before = self.kept(
            connector,
            Duration::from_secs(self.seconds),
            about_key(identifier),
        );
        let p99 = before.await.percentile(99);
        let list = self.server.json(&["root-key", "list"]);
        let name = list[0]["name"].as_str().expect("a name").to_owned();
        let keys = self.keys() as f64;

        let start = Instant::now();
        self.server.must(&["root-key", "rotate", &name]);
        while self.keys_under_earlier_versions() > 0 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let alone = keys / start.elapsed().as_secs_f64();
        println!("{:<44} {alone:>10.0}", "rotation, alone");

        self.server.must(&["root-key", "rotate", &name]);
        let (start, left) = (Instant::now(), self.keys_under_earlier_versions());
        let during = self.kept(
            connector,
            Duration::from_secs(self.seconds),
            about_key(identifier),
        );
        let during = during.await.percentile(99);
        let done = left - self.keys_under_earlier_versions();
        let among = done as f64 / start.elapsed().as_secs_f64();
        println!("{:<44} {among:>10.0}", "rotation, while Gets run");
        ratio("rotation alone / raw device: unwrap, wrap", alone, raw);
        ratio(
            "p99 of Get while a rotation runs / without",
            during.as_secs_f64(),
            p99.as_secs_f64(),
        );
        while self.keys_under_earlier_versions() > 0 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    fn keys(&self) -> u64 {
        self.server.json(&["status"])["keys"].as_u64().expect("a number")
    }

    fn keys_under_earlier_versions(&self) -> u64 {
        let list = self.server.json(&["root-key", "list"]);
        let versions = list[0]["versions"].as_array().expect("versions");
        let keys = versions
            .iter()
            .map(|version| version["keys"].as_u64().expect("a number"));
        let (count, present) = (versions.len(), list[0]["version"].as_u64());
        assert!(count > 0 && present.is_some(), "{list}");
        keys.zip(versions)
            .filter(|(_, version)| version["version"].as_u64() != present)
            .map(|(keys, _)| keys)
            .sum()
    }

    /// What connections that wait cost in memory.
    async fn idle(&self, connector: &Connector) {
        let mut connections = Vec::with_capacity(IDLE);
        for _ in 0..IDLE {
            let mut connection = connector.connect().await;
            connection
                .exchange(
                    &message::request(message::DISCOVER_VERSIONS, vec![]).encode(),
                    &mut Vec::new(),
                )
                .await;
            connections.push(connection);
        }
        let kib = accounting::resident_kib(self.server.pid());
        println!(
            "{:<46} {:.0} MiB resident",
            format!("{IDLE} idle connections"),
            kib as f64 / 1024.0
        );
    }
}
