//! A mixed load with device workers killed and the configuration read again: what a server uses does not grow. An hour of it
//! is `scripts/bench soak`.

#[path = "../benches/load/accounting.rs"]
mod accounting;
mod support;

use std::thread;

use claviger_hsm::testkit::SoftHsm;
use support::client::Client;
use support::server::{self, HEALTHY, Server};
use support::{health, message};

/// Clients that come again and again.
const CLIENTS: usize = 8;
/// Lives of keys that each makes in a round.
const LIVES: usize = 8;
/// Rounds before it is looked what the server uses, and after.
const ROUNDS: [usize; 2] = [2, 6];
/// What resident memory may grow by, in KiB, for what an allocator keeps.
const SLACK: u64 = 16 * 1024;

/// What a server uses once nobody is connected.
#[derive(Debug)]
struct Use {
    files: usize,
    threads: u64,
    resident_kib: u64,
}

impl Use {
    fn of(server: &Server) -> Self {
        let pid = server.pid();
        Self {
            files: accounting::open_files(pid),
            threads: accounting::threads(pid),
            resident_kib: accounting::resident_kib(pid),
        }
    }
}

/// A key from its making to its end, on a connection of its own; up to what is refused because a worker was killed.
fn life(client: &Client) -> Result<(), (u32, String)> {
    let mut connection = client.connect();
    let made = connection.exchange(&message::create());
    message::outcome(&made)?;
    let key = message::identifier(&made);
    for request in message::life(&key) {
        message::outcome(&connection.exchange(&request))?;
    }
    Ok(())
}

/// A round of load, with a worker killed and the configuration read again in the midst of it. Returns the lives that came to
/// their end.
fn round(server: &Server, client: &Client) -> usize {
    let lives = thread::scope(|scope| {
        let loads: Vec<_> = (0..CLIENTS)
            .map(|_| scope.spawn(|| (0..LIVES).filter(|_| life(client).is_ok()).count()))
            .collect();
        let position = server.log.position();
        server::signal_if_there(server.worker_pids()[0], "KILL");
        server::signal(server.pid(), "HUP");
        server.log.wait_for(position, "the configuration was read again");
        server.log.wait_for(position, "a device worker serves");
        loads.into_iter().map(|load| load.join().expect("a client")).sum()
    });
    server.wait_for_status(HEALTHY);
    lives
}

/// Returns when no client is connected any more.
fn wait_until_alone(server: &Server) {
    let metrics = health::address(server);
    let is_alone = || {
        let (_, text) = health::get(metrics, "/metrics");
        text.lines()
            .filter_map(|line| line.strip_prefix("claviger_kmip_connections{"))
            .all(|line| line.ends_with(" 0"))
    };
    while !is_alone() {
        thread::yield_now();
    }
}

#[test]
fn a_server_that_runs_for_years_uses_no_more_than_on_its_first_day() {
    let server = Server::start_on(SoftHsm::new(), 2, 2, health::LISTEN);
    let client = server.client("vcenter");
    let [before, after] = ROUNDS.map(|rounds| {
        let lives: usize = (0..rounds).map(|_| round(&server, &client)).sum();
        assert!(lives > rounds * CLIENTS, "{lives} lives");
        wait_until_alone(&server);
        Use::of(&server)
    });
    assert!(after.files <= before.files + 2, "{before:?}, {after:?}");
    assert!(after.threads <= before.threads + 4, "{before:?}, {after:?}");
    assert!(
        after.resident_kib <= before.resident_kib + SLACK,
        "{before:?}, {after:?}"
    );
    server.verify_custody_log();
}
