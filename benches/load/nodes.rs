//! Two servers over one PostgreSQL against one, on a device that takes its time, as one in the network does.

use claviger_hsm::DeviceConfig;
use claviger_hsm::testkit::SoftHsm;

use crate::load::{CONNECTIONS, Rounds, Watched, about_key, connector, heading, kept, median, one_key};
use crate::options::Options;
use crate::slow;
use crate::support::postgres::PostgresServer;
use crate::support::server::{ADAPTER, Server, device};
use crate::table::{Goal, Table};

/// As far away as a device in the network is: what the servers wait for is the device, and not the processors that they, the
/// database and the load share here.
const DELAYS: &str = "C_WrapKey all delay 10\nC_UnwrapKey all delay 10";

pub async fn run(options: &Options, table: &mut Table) {
    // What is measured is durable.
    let postgres = PostgresServer::start_with(&["fsync=on"], &[]);
    let token = SoftHsm::new();
    let (config, faults): (DeviceConfig, _) = slow::device(&token, options.workers);
    let sections = format!(
        "[store]\nurl = \"{}\"\n{}",
        postgres.new_database(),
        device("hsm", &config, config.workers, config.sessions)
    );
    let first = Server::start_node("first", vec![token], &sections);
    let second = Server::start_node("second", Vec::new(), &sections);
    first.must(&["root-key", "create", "root"]);
    first.adapter(ADAPTER);
    let identity = first.client("bench");
    let to_first = connector(&identity, identity.address, true);
    let at_second = second.seen_by(&identity);
    wait_until_known(&at_second);
    let to_second = connector(&at_second, at_second.address, true);
    let get = about_key(&one_key(&to_first).await);
    faults.set(DELAYS);

    heading(&format!(
        "two servers, each with {} sessions on a device that takes twenty milliseconds longer, {CONNECTIONS} connections to each",
        slow::SESSIONS
    ));
    let mut one = Rounds::new("Get, one server", Watched::server(&first));
    let mut both = Vec::new();
    for _ in 0..options.rounds {
        one.round(kept(&to_first, options.time, get.clone())).await;
        let (here, there) = tokio::join!(
            kept(&to_first, options.time, get.clone()),
            kept(&to_second, options.time, get.clone())
        );
        both.push(here.per_second() + there.per_second());
    }
    let one = one.line();
    let both = median(both);
    println!("{:<48} {both:>10.0}", "Get, two servers");
    table.goal(
        "Get on two servers / on one, PostgreSQL",
        both / one.per_second,
        Goal::AtLeast(1.8),
    );
    faults.none();
    let mut quick = Rounds::new("Get, one server, a quick device", Watched::server(&first));
    for _ in 0..options.rounds {
        quick.round(kept(&to_first, options.time, get.clone())).await;
    }
    let quick = quick.line().per_second;
    table.fact("Get, kept, a second, PostgreSQL, SoftHSM", quick);
}

/// A certificate that was added at one server is known to the other within a second.
fn wait_until_known(client: &crate::support::client::Client) {
    while client.try_connect().is_err() {
        std::thread::yield_now();
    }
}
