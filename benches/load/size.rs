//! A large store beside a small one: Get, Locate, start, memory, and what a key takes on the disk.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::accounting;
use crate::client::Connection;
use crate::load::{CONNECTIONS, Rounds, Watched, about_key, assert_answered, heading, ratio};
use crate::measure::{self, Measured};
use crate::options::Options;
use crate::stores::{Store, by_attribute, by_name};
use crate::support::message;
use crate::support::postgres::PostgresServer;
use crate::support::ttlv::Item;
use crate::table::{Goal, Table};

/// Keys of the small store.
const SMALL: u64 = 1000;
/// How often each search is made.
const SEARCHES: u64 = 200;

pub async fn run(options: &Options, table: &mut Table) {
    println!("\nSQLite: {SMALL} keys beside {}", options.keys);
    let small = Store::in_sqlite(options, SMALL).await;
    let large = Store::in_sqlite(options, options.keys).await;
    measure_on(options, table, "SQLite", small, large).await;

    println!("\nPostgreSQL: {SMALL} keys beside {}", options.keys);
    let postgres = PostgresServer::start_with(&["fsync=on", "shared_buffers=1GB"], &[]);
    let small = Store::in_postgres(options, SMALL, &postgres).await;
    let large = Store::in_postgres(options, options.keys, &postgres).await;
    measure_on(options, table, "PostgreSQL", small, large).await;
}

async fn measure_on(
    options: &Options,
    table: &mut Table,
    name: &str,
    mut small: Store<'_>,
    mut large: Store<'_>,
) {
    let keys = large.keys;
    let each = (large.bytes() - small.bytes()) as f64 / (keys - small.keys) as f64;
    let start = small.server.restart_timed();
    println!("a start with {SMALL} keys: {:.2} s", start.as_secs_f64());
    let start = large.server.restart_timed();

    heading(&format!("{name}, by turns"));
    let mut of_small = Rounds::new(format!("Get, {SMALL} keys"), Watched::server(&small.server));
    let mut of_large = Rounds::new(format!("Get, {keys} keys"), Watched::server(&large.server));
    for _ in 0..options.rounds {
        of_small.round(gets(&small, options.time)).await;
        of_large.round(gets(&large, options.time)).await;
    }
    let (p50_of_small, p50_of_large) = (of_small.line().p50, of_large.line().p50);
    let resident = |store: &Store<'_>| accounting::resident_kib(store.server.pid()) as f64;
    let memory = resident(&large) / resident(&small);
    table.goal(
        format!("p50 of Get, {keys} keys / {SMALL}, {name}"),
        ratio(p50_of_large, p50_of_small),
        Goal::AtMost(1.2),
    );
    for (what, filter) in [
        ("by Name", by_name as fn(u64) -> Item),
        ("by an x- attribute", by_attribute),
    ] {
        let found = searches(&large, filter).await;
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
        memory,
        Goal::AtMost(1.2),
    );
    table.fact(
        format!("bytes of the database a key, its records included, {name}"),
        each,
    );
}

/// Gets of keys all over the store.
async fn gets(store: &Store<'_>, time: Duration) -> Measured {
    let mut number = 0;
    measure::run(
        CONNECTIONS,
        async |_| store.connector.connect().await,
        |mut connection: Connection| {
            let keys = Arc::clone(&store.asked);
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
async fn searches(store: &Store<'_>, filter: fn(u64) -> Item) -> Measured {
    let (mut connection, mut answer) = (store.connector.connect().await, Vec::new());
    let (begin, mut latencies) = (Instant::now(), Vec::new());
    for number in 0..SEARCHES {
        let wanted = number.wrapping_mul(2_654_435_761) % store.keys;
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
