//! A large store beside a small one: Get, Locate, start, memory, and what a key takes on the disk.

use std::time::{Duration, Instant};

use claviger_hsm::testkit::SoftHsm;

use crate::accounting;
use crate::client::{Connection, Connector};
use crate::load::{CONNECTIONS, about_key, assert_answered, connector, database_bytes, ratio};
use crate::measure::{self, Measured};
use crate::options::Options;
use crate::support::message::{self, attribute};
use crate::support::postgres::PostgresServer;
use crate::support::server::{ADAPTER, Server, device};
use crate::support::tag;
use crate::support::ttlv::{Item, enumeration, structure, text};
use crate::table::{Goal, Table};

/// Keys of the small store.
const SMALL: u64 = 1000;
/// Of so many keys the identifiers are kept, to ask for them; at a time.
const ASKED: u64 = 10_000;
/// How often each search is made.
const SEARCHES: u64 = 200;
/// Connections that make keys.
const MAKERS: usize = 64;

pub async fn run(options: &Options, table: &mut Table) {
    {
        let mut server = Server::start_on(SoftHsm::new(), options.workers, options.sessions, "");
        measure_on(options, table, &mut server, "SQLite", database_bytes).await;
    }
    let postgres = PostgresServer::start_with(&["fsync=on", "shared_buffers=1GB"], &[]);
    let url = postgres.new_database();
    let token = SoftHsm::new();
    let section = device(
        "hsm",
        &token.device_config("hsm"),
        options.workers,
        options.sessions,
    );
    let sections = format!("[store]\nurl = \"{url}\"\n{section}");
    let mut server = Server::start_node("bench", vec![token], &sections);
    server.must(&["root-key", "create", "root"]);
    server.adapter(ADAPTER);
    let name = url
        .split('/')
        .nth(3)
        .and_then(|rest| rest.split('?').next())
        .expect("a database's name")
        .to_owned();
    measure_on(options, table, &mut server, "PostgreSQL", |_| {
        let bytes = postgres.run_sql("postgres", &format!("SELECT pg_database_size('{name}')"));
        bytes.parse().expect("a number")
    })
    .await;
}

async fn measure_on(
    options: &Options,
    table: &mut Table,
    server: &mut Server,
    name: &str,
    bytes: impl Fn(&Server) -> u64,
) {
    let identity = server.client("bench");
    let connector = connector(&identity, identity.address, true);
    println!("\n{name}: {SMALL} keys beside {}", options.keys);
    let small_keys = make(&connector, 0, SMALL).await;
    let start = server.restart_timed();
    println!("a start with {SMALL} keys: {:.2} s", start.as_secs_f64());
    let small = gets(&connector, &small_keys, options.time).await;
    let small_memory = accounting::resident_kib(server.pid());
    let small_bytes = bytes(server);

    let making = Instant::now();
    let keys = make(&connector, SMALL, options.keys - SMALL).await;
    println!(
        "{} more keys made by KMIP in {:.0} s",
        options.keys - SMALL,
        making.elapsed().as_secs_f64()
    );
    let each = (bytes(server) - small_bytes) as f64 / (options.keys - SMALL) as f64;
    let start = server.restart_timed();
    let large = gets(&connector, &keys, options.time).await;
    let memory = accounting::resident_kib(server.pid());
    for (what, measured) in [("Get, small", &small), ("Get, large", &large)] {
        println!(
            "{what:<48} {:>10.0} {:>8.2}ms {:>8.2}ms",
            measured.per_second(),
            measured.percentile(50).as_secs_f64() * 1e3,
            measured.percentile(99).as_secs_f64() * 1e3,
        );
    }
    let keys = options.keys;
    table.goal(
        format!("p50 of Get, {keys} keys / {SMALL}, {name}"),
        ratio(large.percentile(50), small.percentile(50)),
        Goal::AtMost(1.2),
    );
    for (what, filter) in [
        ("by Name", by_name as fn(u64) -> Item),
        ("by an x- attribute", by_attribute),
    ] {
        let found = searches(&connector, keys, filter).await;
        table.goal(
            format!("Locate {what}, {keys} keys, {name}, p99, ms"),
            found.percentile(99).as_secs_f64() * 1e3,
            Goal::AtMost(10.0),
        );
    }
    table.goal(
        format!("start with {keys} keys, {name}, seconds"),
        start.as_secs_f64(),
        Goal::AtMost(2.0),
    );
    table.goal(
        format!("resident memory, {keys} keys / {SMALL}, {name}"),
        memory as f64 / small_memory as f64,
        Goal::AtMost(1.2),
    );
    table.fact(
        format!("bytes of the database a key, its records included, {name}"),
        each,
    );
}

fn name_of(number: u64) -> Item {
    structure(
        0,
        vec![
            text(tag::NAME_VALUE, &format!("vm-{number}")),
            enumeration(tag::NAME_TYPE, 1),
        ],
    )
}

fn attribute_of(number: u64) -> Item {
    text(0, &format!("cluster-{}", number / 8))
}

fn by_name(number: u64) -> Item {
    attribute("Name", name_of(number))
}

fn by_attribute(number: u64) -> Item {
    attribute("x-cluster", attribute_of(number))
}

/// Makes so many keys from this number on, each with a name of its own and an attribute that it shares with seven others.
/// Returns the identifiers of some, from all over.
async fn make(connector: &Connector, first: u64, number: u64) -> Vec<String> {
    let every = number.div_ceil(ASKED);
    let makers = (0..MAKERS).map(|maker| {
        let connector = connector.clone();
        tokio::spawn(async move {
            let (mut connection, mut answer) = (connector.connect().await, Vec::new());
            let mut kept = Vec::new();
            for number in (first + maker as u64..first + number).step_by(MAKERS) {
                let create = message::create_with(vec![by_name(number), by_attribute(number)]);
                connection.exchange(&create.encode(), &mut answer).await;
                if number % every == 0 {
                    let key = message::identifier(&Item::decode(&answer));
                    // The first Get of a key writes its row, whose others do not.
                    let get = about_key(&key);
                    connection.exchange(&get, &mut answer).await;
                    assert_answered(&get, &answer);
                    kept.push(key);
                }
            }
            kept
        })
    });
    let mut identifiers = Vec::new();
    for maker in makers.collect::<Vec<_>>() {
        identifiers.extend(maker.await.expect("a maker of keys"));
    }
    identifiers
}

/// Gets of keys all over the store.
async fn gets(connector: &Connector, keys: &[String], time: Duration) -> Measured {
    let keys = std::sync::Arc::new(keys.to_vec());
    let mut number = 0;
    measure::run(
        CONNECTIONS,
        async |_| connector.connect().await,
        |mut connection: Connection| {
            let keys = std::sync::Arc::clone(&keys);
            number += 1;
            let mut place = number * 7919;
            async move {
                let mut answer = Vec::new();
                let (begin, mut latencies) = (Instant::now(), Vec::new());
                while begin.elapsed() < time {
                    // A stride that is prime to any number of keys that is not its multiple.
                    place = (place + 104_729) % keys.len();
                    let request = about_key(&keys[place]);
                    let start = Instant::now();
                    connection.exchange(&request, &mut answer).await;
                    latencies.push(start.elapsed());
                    assert_answered(&request, &answer);
                }
                latencies
            }
        },
    )
    .await
}

/// Searches, one after another, each of which must find.
async fn searches(connector: &Connector, keys: u64, filter: fn(u64) -> Item) -> Measured {
    let (mut connection, mut answer) = (connector.connect().await, Vec::new());
    let (begin, mut latencies) = (Instant::now(), Vec::new());
    for number in 0..SEARCHES {
        let wanted = number.wrapping_mul(2_654_435_761) % keys;
        let request = message::request(message::LOCATE, vec![filter(wanted)]).encode();
        let start = Instant::now();
        connection.exchange(&request, &mut answer).await;
        latencies.push(start.elapsed());
        message::identifier(&Item::decode(&answer));
    }
    latencies.sort_unstable();
    Measured {
        operations: latencies.len(),
        elapsed: begin.elapsed(),
        latencies,
    }
}
