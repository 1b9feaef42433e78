//! A root key is rotated: all keys under it are wrapped anew in the background.

use std::time::{Duration, Instant};

use claviger_hsm::DeviceConfig;
use claviger_hsm::testkit::{Faults, SoftHsm};

use crate::client::Connector;
use crate::load::{about_key, connector, kept, make_keys, one_key, ratio};
use crate::options::Options;
use crate::raw;
use crate::support::server::Server;
use crate::table::{Goal, Table};

/// Of a device in the network, whose calls take a millisecond longer, fewer keys are wrapped anew, that the run ends.
const SLOW: u64 = 10_000;
/// How often it is looked how many keys are left.
const LOOK: Duration = Duration::from_secs(1);

pub async fn run(options: &Options, table: &mut Table) {
    let config = |token: &SoftHsm| DeviceConfig {
        workers: options.workers,
        sessions: options.sessions,
        ..token.device_config("hsm")
    };
    let token = SoftHsm::new();
    let device = config(&token);
    let server = Server::start_on_device(token, &device);
    println!("\nrotation of {} keys", options.rotated);
    rotate(options, table, (&server, &device), ("SoftHSM", options.rotated)).await;
    drop(server);

    let token = SoftHsm::new();
    let mut device = config(&token);
    let faults = Faults::before(&mut device, token.directory().join("script"));
    let server = Server::start_on_device(token, &device);
    let number = SLOW.min(options.rotated);
    println!(
        "rotation of {number} keys, a device that takes a millisecond longer for each wrapping and unwrapping"
    );
    let name = ("1 ms a call", number);
    make_keys(
        &connector(&server.client("maker"), server_address(&server), true),
        number,
    )
    .await;
    faults.set("C_WrapKey all delay 1\nC_UnwrapKey all delay 1");
    rotate(options, table, (&server, &device), name).await;
}

fn server_address(server: &Server) -> std::net::SocketAddr {
    server.unknown_client("nobody").address
}

/// Rotates twice: while nothing else is asked, and while keys are asked for.
async fn rotate(
    options: &Options,
    table: &mut Table,
    (server, device): (&Server, &DeviceConfig),
    (name, number): (&str, u64),
) {
    let raw = raw::run(server, device, options.time.as_secs()).release;
    let identity = server.client("bench");
    let connector: Connector = connector(&identity, identity.address, true);
    let present = server.json(&["status"])["keys"].as_u64().expect("a number");
    make_keys(&connector, number.saturating_sub(present)).await;
    let get = about_key(&one_key(&connector).await);
    let before = kept(&connector, options.time, get.clone()).await.percentile(99);
    let list = server.json(&["root-key", "list"]);
    let root_key = list[0]["name"].as_str().expect("a name").to_owned();
    let keys = server.json(&["status"])["keys"].as_u64().expect("a number") as f64;

    let start = Instant::now();
    server.must(&["root-key", "rotate", &root_key]);
    let alone = rate(server, keys, start).await;
    println!("{:<48} {raw:>10.0}", "raw device: unwrap, wrap");
    println!("{:<48} {alone:>10.0}", "rotation, alone");

    server.must(&["root-key", "rotate", &root_key]);
    let (start, left) = (Instant::now(), left(server));
    let during = kept(&connector, options.time, get).await.percentile(99);
    let among = (left - self::left(server)) as f64 / start.elapsed().as_secs_f64();
    println!("{:<48} {among:>10.0}", "rotation, while Gets run");
    until_done(server).await;
    table.goal(
        format!("rotation alone / raw device, {name}"),
        alone / raw,
        Goal::AtLeast(0.8),
    );
    table.goal(
        format!("p99 of Get, rotation / none, {name}"),
        ratio(during, before),
        Goal::AtMost(2.0),
    );
}

/// Keys a second, from the start until it was last seen not to be done. Looked at seldom: a look takes from the rotation what
/// it takes of the processors.
async fn rate(server: &Server, keys: f64, start: Instant) -> f64 {
    let mut rate = None;
    loop {
        tokio::time::sleep(LOOK).await;
        let (left, elapsed) = (left(server), start.elapsed());
        if left == 0 {
            return rate.unwrap_or(keys / elapsed.as_secs_f64());
        }
        rate = Some((keys - left as f64) / elapsed.as_secs_f64());
    }
}

async fn until_done(server: &Server) {
    while left(server) > 0 {
        tokio::time::sleep(LOOK).await;
    }
}

/// Keys that are under an earlier version of the only root key.
fn left(server: &Server) -> u64 {
    let list = server.json(&["root-key", "list"]);
    let versions = list[0]["versions"].as_array().expect("versions");
    let present = list[0]["version"].as_u64();
    assert!(!versions.is_empty() && present.is_some(), "{list}");
    versions
        .iter()
        .filter(|version| version["version"].as_u64() != present)
        .map(|version| version["keys"].as_u64().expect("a number"))
        .sum()
}
