//! Every host asks at once, as after a power failure.

use std::sync::Arc;
use std::time::{Duration, Instant};

use claviger_hsm::testkit::SoftHsm;
use tokio::sync::Barrier;

use crate::client::Connector;
use crate::echo::Echo;
use crate::load::{about_key, assert_answered, connector, median, one_key};
use crate::options::Options;
use crate::support::message;
use crate::support::server::Server;
use crate::support::tag;
use crate::support::ttlv::text;
use crate::table::{Goal, Table};
use crate::{accounting, measure};

/// Hosts that come in the same moment.
const HOSTS: usize = 2000;
/// How many of them are served at a time where the rate is measured that nobody queues for.
const STEADY: usize = 16;

pub async fn run(options: &Options, table: &mut Table) {
    let limits = "connections = 4096\nconnections_per_client = 4096";
    let server = Server::start_on(SoftHsm::new(), options.workers, options.sessions, limits);
    let identity = server.client("bench");
    let echo = Echo::start(&server.server_certificate(), &server.server_key());
    let key = one_key(&connector(&identity, identity.address, true)).await;
    let host = Arc::new(vec![
        message::request(message::DISCOVER_VERSIONS, vec![]).encode(),
        about_key(&key),
        message::request(
            message::GET_ATTRIBUTES,
            vec![
                text(tag::UNIQUE_IDENTIFIER, &key),
                text(tag::ATTRIBUTE_NAME, "State"),
            ],
        )
        .encode(),
    ]);
    let ours = || connector(&identity, identity.address, false);
    let bare = || connector(&identity, echo.address, false);

    println!("\n{HOSTS} hosts at once: a handshake, Discover Versions, Get, Get Attributes (State)");
    let (mut echo_rates, mut rates) = (Vec::new(), Vec::new());
    let (mut last, mut disorder, mut longest) = (Vec::new(), Vec::new(), Vec::new());
    let mut unanswered = 0;
    for _ in 0..options.rounds {
        echo_rates.push(steady(bare, &host, options.time).await);
        rates.push(steady(ours, &host, options.time).await);
        let storm = storm(ours, &host).await;
        println!(
            "first {:.3} s, middle {:.3} s, last {:.3} s; the longest wait of one host {:.3} s",
            storm.quantile(0.0),
            storm.quantile(0.5),
            storm.quantile(1.0),
            storm.longest
        );
        unanswered += storm.unanswered;
        last.push(storm.quantile(1.0));
        disorder.push(storm.disorder());
        longest.push(storm.longest);
    }
    let peak = accounting::peak_kib(server.pid()) as f64 / 1024.0;
    let (rate, echo_rate) = (median(rates), median(echo_rates));
    println!("hosts a second where {STEADY} come at a time: {rate:.0}; at the bare TLS echo {echo_rate:.0}");
    table.goal(
        "storm: hosts that were not answered",
        unanswered as f64,
        Goal::AtMost(0.0),
    );
    table.goal(
        "storm: longest wait / hosts by the server's own steady rate",
        median(longest) * rate / HOSTS as f64,
        Goal::AtMost(1.2),
    );
    table.fact(
        "storm: until the last / hosts by the bare TLS echo's rate",
        median(last) * echo_rate / HOSTS as f64,
    );
    table.goal(
        "storm: places by which the middle host was overtaken, of all",
        median(disorder),
        Goal::AtMost(0.1),
    );
    table.goal("storm: most memory of the server, MiB", peak, Goal::AtMost(300.0));
}

/// What one host does; each answer must be a success, or this panics.
async fn visit(connector: Connector, messages: &[Vec<u8>]) {
    let (mut connection, mut answer) = (connector.connect().await, Vec::new());
    for request in messages {
        connection.exchange(request, &mut answer).await;
        assert_answered(request, &answer);
    }
}

/// Hosts a second where a few come at a time, one after another.
async fn steady(make: impl Fn() -> Connector, messages: &Arc<Vec<Vec<u8>>>, time: Duration) -> f64 {
    let measured = measure::run(
        STEADY,
        async |_| make(),
        |connector: Connector| {
            let messages = Arc::clone(messages);
            async move {
                let (begin, mut latencies) = (Instant::now(), Vec::new());
                while begin.elapsed() < time {
                    let start = Instant::now();
                    visit(connector.clone(), &messages).await;
                    latencies.push(start.elapsed());
                }
                latencies
            }
        },
    );
    measured.await.per_second()
}

/// When each host began and when it had what it came for, in seconds since the storm broke; by their beginnings.
struct Storm {
    hosts: Vec<(f64, f64)>,
    longest: f64,
    unanswered: usize,
}

impl Storm {
    fn quantile(&self, part: f64) -> f64 {
        let mut ends: Vec<f64> = self.hosts.iter().map(|(_, end)| *end).collect();
        ends.sort_unstable_by(f64::total_cmp);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a place in the list"
        )]
        let place = ((ends.len() - 1) as f64 * part) as usize;
        ends[place]
    }

    /// By how many places a host in the middle was served later or earlier than it came, as a part of all hosts.
    fn disorder(&self) -> f64 {
        let mut by_end: Vec<usize> = (0..self.hosts.len()).collect();
        by_end.sort_unstable_by(|one, other| self.hosts[*one].1.total_cmp(&self.hosts[*other].1));
        let moved = by_end
            .iter()
            .enumerate()
            .map(|(place, host)| place.abs_diff(*host) as f64);
        median(moved.collect()) / self.hosts.len() as f64
    }
}

async fn storm(make: impl Fn() -> Connector, messages: &Arc<Vec<Vec<u8>>>) -> Storm {
    let barrier = Arc::new(Barrier::new(HOSTS + 1));
    let hosts: Vec<_> = (0..HOSTS)
        .map(|_| {
            let (connector, messages, barrier) = (make(), Arc::clone(messages), Arc::clone(&barrier));
            tokio::spawn(async move {
                barrier.wait().await;
                let begin = Instant::now();
                visit(connector, &messages).await;
                (begin, Instant::now())
            })
        })
        .collect();
    barrier.wait().await;
    let start = Instant::now();
    let (mut times, mut unanswered) = (Vec::with_capacity(HOSTS), 0);
    for host in hosts {
        let Ok((begin, end)) = host.await else {
            unanswered += 1;
            continue;
        };
        let since = |time: Instant| time.saturating_duration_since(start).as_secs_f64();
        times.push((since(begin), since(end)));
    }
    times.sort_unstable_by(|one, other| one.0.total_cmp(&other.0));
    let waits = times.iter().map(|(begin, end)| end - begin);
    Storm {
        longest: waits.fold(0.0, f64::max),
        hosts: times,
        unanswered,
    }
}
