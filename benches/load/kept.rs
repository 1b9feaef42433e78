//! Get and Create on connections that are kept, life cycles, Gets with a handshake each, and 500 clients at once.

use std::sync::Arc;
use std::time::Instant;

use claviger_hsm::DeviceConfig;
use claviger_hsm::testkit::SoftHsm;

use crate::client::{Connection, Connector};
use crate::echo::Echo;
use crate::load::{
    CONNECTIONS, Rounds, Watched, about_key, ask, assert_answered, commits, connector, fresh, heading, kept,
    median, one_key,
};
use crate::measure::{self, Measured};
use crate::options::Options;
use crate::support::server::Server;
use crate::support::{health, message};
use crate::table::{Goal, Table};
use crate::{accounting, raw};

/// Connections that only wait.
const IDLE: usize = 1000;
/// Clients that come at once.
const AT_ONCE: usize = 500;
const METRICS: &str =
    "connections = 4096\nconnections_per_client = 4096\n[metrics]\nlisten = [\"127.0.0.1:0\"]";

pub async fn run(options: &Options, table: &mut Table) {
    let (workers, sessions) = (options.workers, options.sessions);
    let server = Server::start_on(SoftHsm::new(), workers, sessions, METRICS);
    let identity = server.client("bench");
    let echo = Echo::start(&server.server_certificate(), &server.server_key());
    let config = DeviceConfig {
        workers,
        sessions,
        ..server.token().device_config("raw")
    };
    let raw = raw::run(&server, &config, options.time.as_secs());
    let ours = connector(&identity, identity.address, true);
    let bare = connector(&identity, echo.address, true);
    let get = about_key(&one_key(&ours).await);
    let create = message::create().encode();

    heading(&format!(
        "{workers} device workers with {sessions} sessions each, {CONNECTIONS} connections, {} rounds of {} s",
        options.rounds,
        options.time.as_secs()
    ));
    let mut echoes = Rounds::new("bare TLS echo, kept", Watched::process(echo.pid()));
    let mut creates = Rounds::new("Create, kept", Watched::server(&server));
    let mut gets = Rounds::new("Get, kept", Watched::server(&server));
    let mut lives = Rounds::new("create, activate, get, revoke, destroy", Watched::server(&server));
    let mut handshakes = Rounds::new("Get, a handshake each", Watched::server(&server));
    let (mut groups, mut rates) = (Vec::new(), Vec::new());
    let metrics = health::address(&server);
    for _ in 0..options.rounds {
        echoes.round(kept(&bare, options.time, get.clone())).await;
        creates.round(kept(&ours, options.time, create.clone())).await;
        let (before, start) = (commits(metrics), Instant::now());
        let gets_of_round = gets.round(kept(&ours, options.time, get.clone())).await;
        let made = (commits(metrics) - before) as f64;
        groups.push(gets_of_round as f64 / made);
        rates.push(made / start.elapsed().as_secs_f64());
        lives.round(life_cycles(&ours, options)).await;
        let each = || connector(&identity, identity.address, false);
        handshakes
            .round(fresh(each, false, options.time, get.clone()))
            .await;
    }
    echoes.line();
    println!(
        "{:<48} {:>10.0}",
        "raw device: generate, wrap, digest", raw.generate
    );
    let creates = creates.line();
    println!("{:<48} {:>10.0}", "raw device: unwrap, wrap", raw.release);
    let gets = gets.line();
    let lives = lives.line();
    let handshakes = handshakes.line();
    table.goal("Get, kept, a second", gets.per_second, Goal::AtLeast(6700.0));
    table.goal(
        "CPU of the server a Get, microseconds",
        gets.server_time,
        Goal::AtMost(100.0),
    );
    table.goal(
        "Create, kept, a second",
        creates.per_second,
        Goal::AtLeast(3300.0),
    );
    table.goal("life cycles a second", lives.per_second, Goal::AtLeast(450.0));
    table.goal(
        "Get, a handshake each, a second",
        handshakes.per_second,
        Goal::AtLeast(340.0),
    );
    table.goal(
        "500 clients at once, a handshake and a Get each, seconds",
        at_once(&identity, &get, options.rounds).await,
        Goal::AtMost(0.97),
    );
    table.fact("Get / raw device", gets.per_second / raw.release);
    table.fact("Create / raw device", creates.per_second / raw.generate);
    table.fact("Gets in a commit, one flush to the disk each", median(groups));
    table.fact("commits a second", median(rates));
    table.fact("1,000 idle connections, MiB resident", idle(&ours, &server).await);
}

/// Each connection takes keys from their making to their end; a life is one operation.
async fn life_cycles(connector: &Connector, options: &Options) -> Measured {
    let time = options.time;
    measure::run(
        CONNECTIONS,
        async |_| connector.connect().await,
        |mut connection: Connection| async move {
            let (begin, mut latencies) = (Instant::now(), Vec::new());
            while begin.elapsed() < time {
                let start = Instant::now();
                let made = ask(&mut connection, &message::create().encode()).await;
                let key = message::identifier(&made);
                for request in message::life(&key) {
                    ask(&mut connection, &request.encode()).await;
                }
                latencies.push(start.elapsed());
            }
            latencies
        },
    )
    .await
}

/// How long it takes until so many clients that come in the same moment have their keys, in seconds; the median.
async fn at_once(identity: &crate::support::client::Client, get: &[u8], rounds: usize) -> f64 {
    let get = Arc::new(get.to_vec());
    let mut times = Vec::new();
    for _ in 0..rounds {
        let start = Instant::now();
        let clients = (0..AT_ONCE).map(|_| {
            let (connector, get) = (connector(identity, identity.address, false), Arc::clone(&get));
            tokio::spawn(async move {
                let (mut connection, mut answer) = (connector.connect().await, Vec::new());
                connection.exchange(&get, &mut answer).await;
                assert_answered(&get, &answer);
            })
        });
        for client in clients.collect::<Vec<_>>() {
            client.await.expect("a client of the load");
        }
        times.push(start.elapsed().as_secs_f64());
    }
    median(times)
}

/// What connections that wait cost in memory.
async fn idle(connector: &Connector, server: &Server) -> f64 {
    let discover = message::request(message::DISCOVER_VERSIONS, vec![]).encode();
    let (mut connections, mut answer) = (Vec::with_capacity(IDLE), Vec::new());
    for _ in 0..IDLE {
        let mut connection = connector.connect().await;
        connection.exchange(&discover, &mut answer).await;
        connections.push(connection);
    }
    accounting::resident_kib(server.pid()) as f64 / 1024.0
}
