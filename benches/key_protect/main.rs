//! Get and Create where the root key is in Key Protect, beside a bare HTTPS client of the same stand-in, at several delays
//! of the service and with several clients.
//!
//! The stand-in is a process of its own; it, the server and the load share the processors, so what is read is how near a
//! line comes to the delay's bound, or else to processors that are all busy. `scripts/bench key-protect` runs this.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::cast_precision_loss,
    clippy::print_stdout
)]

#[path = "../load/accounting.rs"]
mod accounting;
mod bare;
#[path = "../load/client.rs"]
mod client;
#[path = "../load/measure.rs"]
mod measure;
mod stand_in;
#[path = "../../tests/support/mod.rs"]
mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bare::{Action, Bare};
use client::{Connection, Connector};
use measure::{Measured, run};
use stand_in::Process;
use support::message;
use support::server::Server;
use support::ttlv::Item;

/// What the service is slower by, in milliseconds.
const DELAYS: [u64; 3] = [0, 5, 50];
const CLIENTS: [u64; 3] = [1, 16, 256];

fn main() {
    stand_in::run_if_asked();
    let seconds = option("--seconds").unwrap_or(3);
    let process = Process::start();
    let server = Server::start_on_section(&process.section());
    tokio::runtime::Runtime::new()
        .expect("a runtime")
        .block_on(async {
            let bare = Bare::new(&process.facts).await;
            Bench {
                seconds: Duration::from_secs(seconds),
                server: &server,
                process: &process,
                bare: &bare,
            }
            .run()
            .await;
        });
}

/// The number that follows this option, where it is given.
fn option(name: &str) -> Option<u64> {
    let given = std::env::args().skip_while(|argument| argument != name).nth(1)?;
    Some(given.parse().unwrap_or_else(|_| panic!("{name} takes a number")))
}

struct Bench<'a> {
    seconds: Duration,
    server: &'a Server,
    process: &'a Process,
    bare: &'a Bare,
}

impl Bench<'_> {
    async fn run(&self) {
        let identity = self.server.client("bench");
        let connector = Connector::new(
            identity.address,
            &identity.certificate,
            &identity.key,
            &identity.ca,
            true,
        );
        let create = message::create().encode();
        let get = self.one_key(&connector).await;
        println!("the bound is clients / delay; busy: how much of the processors was, by everybody\n");
        println!(
            "{:>8} {:>8} {:<13} {:>10} {:>9} {:>9} {:>9} {:>11} {:>13} {:>6}",
            "delay",
            "clients",
            "",
            "per second",
            "p50",
            "p99",
            "of bound",
            "server CPU",
            "stand-in CPU",
            "busy"
        );
        let (delay, clients) = (option("--delay"), option("--clients"));
        for delay in delay.map_or(DELAYS.to_vec(), |delay| vec![delay]) {
            self.bare.set_delay(delay).await;
            for clients in clients.map_or(CLIENTS.to_vec(), |clients| vec![clients]) {
                let clients = usize::try_from(clients).expect("it fits");
                let case = Case { delay, clients };
                let unwraps = self.line(case, "bare unwrap", async |time| {
                    self.bare.load(clients, time, Action::Unwrap).await
                });
                let unwraps = unwraps.await;
                let gets = self.line(case, "Get", async |time| {
                    kept(&connector, clients, time, &get).await
                });
                let gets = gets.await;
                let wraps = self.line(case, "bare wrap", async |time| {
                    self.bare.load(clients, time, Action::Wrap).await
                });
                let wraps = wraps.await;
                let creates = self.line(case, "Create", async |time| {
                    kept(&connector, clients, time, &create).await
                });
                let creates = creates.await;
                println!(
                    "{:>17} Get / bare unwrap {:.2}, Create / bare wrap {:.2}",
                    "",
                    gets / unwraps,
                    creates / wraps
                );
            }
        }
        let counters = self.bare.counters().await;
        println!(
            "\nrequests: {}; connections: {}",
            counters["requests"], counters["connections"]
        );
    }

    async fn one_key(&self, connector: &Connector) -> Vec<u8> {
        let (mut connection, mut answer) = (connector.connect().await, Vec::new());
        connection
            .exchange(&message::create().encode(), &mut answer)
            .await;
        let identifier = message::identifier(&Item::decode(&answer));
        let activate = message::about(message::ACTIVATE, &identifier).encode();
        connection.exchange(&activate, &mut answer).await;
        message::about(message::GET, &identifier).encode()
    }

    /// Runs a piece of work long enough to be measured, prints its line, and returns the operations a second.
    async fn line(&self, case: Case, name: &str, work: impl AsyncFn(Duration) -> Measured) -> f64 {
        work(Duration::from_millis(500)).await;
        let cpu = || {
            (
                accounting::cpu_time(self.server.pid()),
                self.process.cpu_time(),
                accounting::processors(),
            )
        };
        let before = cpu();
        let measured = work(self.seconds).await;
        let after = cpu();
        let each =
            |time: Duration| format!("{:.0} µs", time.as_secs_f64() * 1e6 / measured.operations as f64);
        let (busy, all) = (after.2.0 - before.2.0, after.2.1 - before.2.1);
        println!(
            "{:>5} ms {:>8} {name:<13} {:>10.0} {:>6.2} ms {:>6.2} ms {:>9} {:>11} {:>13} {:>4.0} %",
            case.delay,
            case.clients,
            measured.per_second(),
            measured.percentile(50).as_secs_f64() * 1e3,
            measured.percentile(99).as_secs_f64() * 1e3,
            case.of_bound(measured.per_second()),
            each(after.0.saturating_sub(before.0)),
            each(after.1.saturating_sub(before.1)),
            busy as f64 * 100.0 / all as f64,
        );
        measured.per_second()
    }
}

#[derive(Clone, Copy)]
struct Case {
    /// In milliseconds.
    delay: u64,
    clients: usize,
}

impl Case {
    /// The share of what the delay allows.
    fn of_bound(self, per_second: f64) -> String {
        if self.delay == 0 {
            return "-".to_owned();
        }
        let bound = self.clients as f64 * 1e3 / self.delay as f64;
        format!("{:.0} %", per_second * 100.0 / bound)
    }
}

/// The same request again and again over so many connections.
async fn kept(connector: &Connector, clients: usize, time: Duration, request: &[u8]) -> Measured {
    let request: Arc<[u8]> = request.into();
    run(
        clients,
        async |_| connector.connect().await,
        |mut connection: Connection| {
            let request = Arc::clone(&request);
            async move {
                let (mut answer, mut latencies) = (Vec::new(), Vec::new());
                let begin = Instant::now();
                while begin.elapsed() < time {
                    let start = Instant::now();
                    connection.exchange(&request, &mut answer).await;
                    latencies.push(start.elapsed());
                    message::outcome(&Item::decode(&answer)).expect("the server answers with success");
                }
                latencies
            }
        },
    )
    .await
}
