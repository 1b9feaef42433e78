//! A long mixed load, with device workers killed and the configuration read again: nothing may grow.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use claviger_hsm::testkit::SoftHsm;

use crate::accounting;
use crate::client::Connector;
use crate::load::{CONNECTIONS, connector};
use crate::options::Options;
use crate::support::message;
use crate::support::server::{Server, signal, signal_if_there};
use crate::support::ttlv::Item;
use crate::table::{Goal, Table};

/// How often it is looked what the server uses.
const LOOK: Duration = Duration::from_secs(5);
/// Every so many looks a device worker is killed, and every so many the configuration is read again.
const KILL: u64 = 6;
const RELOAD: u64 = 4;

/// What a server uses at a moment.
#[derive(Clone, Copy)]
struct Use {
    resident_kib: u64,
    files: usize,
    workers: usize,
    sessions: usize,
}

pub async fn run(options: &Options, table: &mut Table) {
    let server = Server::start_on(SoftHsm::new(), options.workers, options.sessions, "");
    let identity = server.client("bench");
    let (stop, lives, refused) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU64::new(0)),
        Arc::new(AtomicU64::new(0)),
    );
    let loads: Vec<_> = (0..CONNECTIONS)
        .map(|number| {
            let connector = connector(&identity, identity.address, number % 2 == 0);
            let (stop, lives, refused) = (Arc::clone(&stop), Arc::clone(&lives), Arc::clone(&refused));
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    match life(&connector).await {
                        0 => lives.fetch_add(1, Ordering::Relaxed),
                        failed => refused.fetch_add(failed, Ordering::Relaxed),
                    };
                }
            })
        })
        .collect();
    println!("\n{} minutes of mixed load", options.minutes);
    let begin = Instant::now();
    let (mut uses, mut kills, mut reloads) = (Vec::new(), 0_u64, 0_u64);
    for look in 1.. {
        tokio::time::sleep(LOOK).await;
        if begin.elapsed() > Duration::from_secs(60 * options.minutes) {
            break;
        }
        if look % KILL == 0
            && let Some(worker) = server.worker_pids().first()
        {
            signal_if_there(*worker, "KILL");
            kills += 1;
        }
        if look % RELOAD == 0 {
            signal(server.pid(), "HUP");
            reloads += 1;
        }
        let workers = server.worker_pids();
        uses.push(Use {
            resident_kib: accounting::resident_kib(server.pid()),
            files: accounting::open_files(server.pid()),
            workers: workers.len(),
            sessions: workers.into_iter().map(accounting::sessions).sum(),
        });
    }
    stop.store(true, Ordering::Relaxed);
    for load in loads {
        load.await.expect("a task of the load");
    }
    let (lives, refused) = (lives.load(Ordering::Relaxed), refused.load(Ordering::Relaxed));
    println!(
        "{lives} lives of keys, {refused} requests told to try again, {kills} workers killed, {reloads} reloads"
    );
    // The first fifth is for what is made once.
    let uses = &uses[uses.len() / 5..];
    let growth = |of: fn(&Use) -> f64| {
        let half = uses.len() / 2;
        let most = |uses: &[Use]| uses.iter().map(of).fold(0.0, f64::max);
        most(&uses[half..]) / most(&uses[..half])
    };
    if let Some(last) = uses.last() {
        println!(
            "at the end {} MiB resident, {} open files, {} device workers with {} sessions",
            last.resident_kib / 1024,
            last.files,
            last.workers,
            last.sessions
        );
    }
    table.goal(
        "soak: resident memory, second half / first",
        growth(|used| used.resident_kib as f64),
        Goal::AtMost(1.05),
    );
    table.goal(
        "soak: open files, second half / first",
        growth(|used| used.files as f64),
        Goal::AtMost(1.05),
    );
    table.goal(
        "soak: device workers, second half / first",
        growth(|used| used.workers as f64),
        Goal::AtMost(1.0),
    );
    table.goal(
        "soak: sessions on the device, second half / first",
        growth(|used| used.sessions as f64),
        Goal::AtMost(1.0),
    );
    table.fact("soak: lives of keys", lives as f64);
    let verifying = Instant::now();
    server.verify_custody_log();
    println!(
        "the custody log was verified in {:.0} s",
        verifying.elapsed().as_secs_f64()
    );
}

/// A key from its making to its end on a connection of its own. Returns how many requests were told to try again, with
/// which it ends.
async fn life(connector: &Connector) -> u64 {
    let (mut connection, mut answer) = (connector.connect().await, Vec::new());
    connection
        .exchange(&message::create().encode(), &mut answer)
        .await;
    let made = Item::decode(&answer);
    if message::outcome(&made).is_err() {
        return 1;
    }
    let key = message::identifier(&made);
    for request in [
        message::about(message::ACTIVATE, &key),
        message::about(message::GET, &key),
        message::about(message::GET, &key),
        message::revoke(&key, 6),
        message::about(message::DESTROY, &key),
    ] {
        connection.exchange(&request.encode(), &mut answer).await;
        if message::outcome(&Item::decode(&answer)).is_err() {
            return 1;
        }
    }
    0
}
