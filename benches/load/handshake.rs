//! Handshakes beside those of a bare TLS server, and what is asked without a device while the device stands still.

use std::time::Duration;

use claviger_hsm::testkit::SoftHsm;

use crate::client::Connection;
use crate::echo::Echo;
use crate::load::{Line, Rounds, Watched, about_key, connector, fresh, heading, kept, one_key, ratio};
use crate::options::Options;
use crate::slow;
use crate::support::client::Client;
use crate::support::message;
use crate::support::server::Server;
use crate::table::{Goal, Table};

/// How long the device stands still.
const STALL: Duration = Duration::from_secs(10);
const QUERY: u32 = 0x18;
/// Query Function: Query Operations.
const OPERATIONS: u32 = 1;

pub async fn run(options: &Options, table: &mut Table) {
    let token = SoftHsm::new();
    let (config, faults) = slow::device(&token, options.workers);
    let server = Server::start_on_device(token, &config);
    let identity = server.client("bench");
    let echo = Echo::start(&server.server_certificate(), &server.server_key());
    let discover = message::request(message::DISCOVER_VERSIONS, vec![]).encode();

    heading("a handshake and Discover Versions each");
    let ours = |resumption| {
        let identity = identity.clone();
        move || connector(&identity, identity.address, resumption)
    };
    let bare = |resumption| {
        let (identity, address) = (identity.clone(), echo.address);
        move || connector(&identity, address, resumption)
    };
    for (name, resumption) in [("full", false), ("resumed", true)] {
        let mut echoes = Rounds::new(
            format!("bare TLS echo, {name} handshakes"),
            Watched::process(echo.pid()),
        );
        let mut handshakes = Rounds::new(format!("{name} handshakes"), Watched::server(&server));
        for _ in 0..options.rounds {
            echoes
                .round(fresh(
                    bare(resumption),
                    resumption,
                    options.time,
                    discover.clone(),
                ))
                .await;
            handshakes
                .round(fresh(
                    ours(resumption),
                    resumption,
                    options.time,
                    discover.clone(),
                ))
                .await;
        }
        let (echoes, handshakes) = (echoes.line(), handshakes.line());
        table.goal(
            format!("{name} handshakes / bare TLS echo's"),
            handshakes.per_second / echoes.per_second,
            Goal::AtLeast(0.85),
        );
    }

    let key = one_key(&connector(&identity, identity.address, true)).await;
    let before = without_device(&server, &identity, "").await;
    faults.set("C_UnwrapKey all delay 10000");
    // As many Gets as there are sessions, and as many again that wait for one.
    let mut waiting = Vec::new();
    for _ in 0..2 * slow::SESSIONS {
        let mut connection: Connection = connector(&identity, identity.address, true).connect().await;
        let get = about_key(&key);
        waiting.push(tokio::spawn(async move {
            let mut answer = Vec::new();
            connection.exchange(&get, &mut answer).await;
        }));
    }
    let stalled = without_device(&server, &identity, ", the device stands still").await;
    let got_by_then = waiting.iter().filter(|get| get.is_finished()).count();
    faults.none();
    for get in waiting {
        get.abort();
    }
    println!("{got_by_then} of the Gets had an answer by then");
    for ((name, before), stalled) in ["full handshakes", "Discover Versions", "Query"]
        .into_iter()
        .zip(before)
        .zip(stalled)
    {
        table.goal(
            format!("p99 of {name}, device stalled / not"),
            ratio(stalled.p99, before.p99),
            Goal::AtMost(2.0),
        );
    }
}

/// Handshakes, Discover Versions and Query, a third of the time that the device may stand still each.
async fn without_device(server: &Server, identity: &Client, when: &str) -> [Line; 3] {
    let time = STALL / 4;
    let discover = message::request(message::DISCOVER_VERSIONS, vec![]).encode();
    let function = crate::support::ttlv::enumeration(crate::support::tag::QUERY_FUNCTION, OPERATIONS);
    let query = message::request(QUERY, vec![function]).encode();
    let each = || connector(identity, identity.address, false);
    let kept_open = connector(identity, identity.address, true);
    let mut lines = ["full handshakes", "Discover Versions", "Query"]
        .map(|name| Rounds::new(format!("{name}{when}"), Watched::server(server)));
    lines[0].round(fresh(each, false, time, discover.clone())).await;
    lines[1].round(kept(&kept_open, time, discover)).await;
    lines[2].round(kept(&kept_open, time, query)).await;
    lines.map(|line| line.line())
}
