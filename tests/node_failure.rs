//! One of two servers is stopped for an upgrade, or cut off from what it needs: the other goes on, and it comes back by itself.

mod support;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use claviger_hsm::testkit::{Faults, SoftHsm};
use support::client::{Client, Connection};
use support::cut::Cut;
use support::health::{self, LISTEN};
use support::message::{self, attribute, create_with};
use support::pair::{Differing, LIMIT, Pair, ask, eventually, get, get_over, make, make_over};
use support::postgres::PostgresServer;
use support::server::Server;
use support::tag;
use support::ttlv::{enumeration, structure, text};

/// A client that keeps a connection to one server, and goes on at the other where that fails, as vCenter does.
struct Keeping<'a> {
    servers: [&'a Client; 2],
    connection: Option<Connection>,
}

impl Keeping<'_> {
    /// What comes of a request; none where neither server carries it out. `again` counts what was asked of the other server.
    fn ask<T>(
        &mut self,
        again: &AtomicU64,
        request: impl Fn(&mut Connection) -> Result<T, String>,
    ) -> Option<T> {
        if let Some(connection) = &mut self.connection {
            match request(connection) {
                Ok(done) => return Some(done),
                Err(_) => self.servers.reverse(),
            }
            again.fetch_add(1, Ordering::Relaxed);
        }
        for _ in 0..2 {
            self.connection = self.servers[0].try_connect().ok();
            if let Some(done) = self
                .connection
                .as_mut()
                .and_then(|connection| request(connection).ok())
            {
                return Some(done);
            }
            again.fetch_add(1, Ordering::Relaxed);
            self.servers.reverse();
        }
        None
    }
}

fn events(server: &Server, name: &str) -> usize {
    let records = server.custody_records();
    let named = records
        .iter()
        .filter(|record| record["event"] == name && record["outcome"] == "success");
    named.count()
}

#[test]
#[allow(clippy::print_stdout)] // The counts are read by a person.
fn no_request_fails_while_both_servers_are_restarted_one_after_the_other() {
    let mut pair = Pair::start();
    let servers = pair.client();
    let (made, released, again) = (Mutex::new(Vec::new()), AtomicU64::new(0), AtomicU64::new(0));
    let (unanswered, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        for number in 0..4 {
            let (servers, made, released) = (&servers, &made, &released);
            let (again, unanswered, is_over) = (&again, &unanswered, &is_over);
            scope.spawn(move || {
                let mut client = Keeping {
                    servers: [&servers[number % 2], &servers[1 - number % 2]],
                    connection: None,
                };
                while !is_over.load(Ordering::Relaxed) {
                    let Some(key) = client.ask(again, make_over) else {
                        unanswered.fetch_add(1, Ordering::Relaxed);
                        continue;
                    };
                    match client.ask(again, |connection| get_over(connection, &key)) {
                        Some(_) => released.fetch_add(1, Ordering::Relaxed),
                        None => unanswered.fetch_add(1, Ordering::Relaxed),
                    };
                    made.lock().expect("the keys").push(key);
                }
            });
        }
        let served = |more: u64| {
            let so_far = released.load(Ordering::Relaxed) + more;
            eventually("clients are served", || {
                released.load(Ordering::Relaxed) >= so_far
            });
        };
        served(20);
        for _ in 0..2 {
            for server in [&mut pair.first, &mut pair.second] {
                assert!(server.stop().success());
                served(10);
                server.start_again();
                served(10);
            }
        }
        is_over.store(true, Ordering::Relaxed);
    });
    let made = made.into_inner().expect("the keys");
    for key in &made {
        get(&servers[1], key).expect("what was acknowledged is there");
    }
    let recorded = events(&pair.first, "kmip.create");
    println!(
        "{} keys made, {recorded} recorded as made, {} released, {} requests asked again elsewhere, {} unanswered, in four \
         restarts under four clients",
        made.len(),
        released.load(Ordering::Relaxed),
        again.load(Ordering::Relaxed),
        unanswered.load(Ordering::Relaxed),
    );
    assert_eq!(
        unanswered.load(Ordering::Relaxed),
        0,
        "a client that tries both is always served"
    );
    assert_eq!(
        recorded,
        made.len(),
        "what was carried out was answered before a server stopped"
    );
    pair.first.verify_custody_log();
}

#[test]
#[allow(clippy::print_stdout)] // The counts are read by a person; they decide nothing.
fn a_server_that_is_cut_off_from_the_database_says_so_and_comes_back_while_the_other_goes_on() {
    let postgres = PostgresServer::start();
    let url = postgres.new_database();
    let cut = Cut::to(&postgres);
    let differing = Differing {
        url: Some(cut.url(&url)),
        sections: LISTEN.to_owned(),
        ..Differing::default()
    };
    let pair = Pair::start_differing(postgres, &url, SoftHsm::new(), &differing);
    let health = health::address(&pair.second);
    let [at_first, at_second] = pair.client();
    let key = make(&at_second).expect("it is made");
    let mut kept = at_second.connect();
    get_over(&mut kept, &key).expect("it is released");
    assert_eq!(health::get(health, "/readyz").0, 200);

    cut.cut();
    let is_known = AtomicBool::new(false);
    let by_first = std::thread::scope(|scope| {
        let going_on = scope.spawn(|| {
            let (mut answered, begun) = (0, Instant::now());
            while !is_known.load(Ordering::Relaxed) && begun.elapsed() < LIMIT {
                get(&at_first, &key).expect("the other server goes on");
                make(&at_first).expect("the other server goes on");
                answered += 2;
            }
            answered
        });
        let begun = Instant::now();
        let refused = get_over(&mut kept, &key).expect_err("no key leaves without a record");
        println!("refused after {:?}: {refused}", begun.elapsed());
        assert!(
            refused.contains("The request"),
            "it is answered, not cut off: {refused}"
        );
        eventually("the health of the server tells of it", || {
            health::get(health, "/readyz").0 == 503
        });
        is_known.store(true, Ordering::Relaxed);
        going_on.join().expect("the other server goes on")
    });
    let begun = Instant::now();
    for _ in 0..5 {
        make(&at_second).expect_err("nothing is made without a record");
    }
    println!(
        "{by_first} requests answered by the other server until it was known; 5 refused in {:?} since",
        begun.elapsed()
    );

    let begun = Instant::now();
    cut.mend();
    eventually("the key is released again", || get(&at_second, &key).is_ok());
    println!("it is back after {:?}", begun.elapsed());
    eventually("and its health says so", || {
        health::get(health, "/readyz").0 == 200
    });
    make(&at_second).expect("it is made");
    pair.second.verify_custody_log();
}

#[test]
#[allow(clippy::print_stdout)] // The counts are read by a person; they decide nothing.
fn a_server_that_is_cut_off_from_the_hsm_says_so_and_comes_back_while_the_other_goes_on() {
    let postgres = PostgresServer::start();
    let url = postgres.new_database();
    let token = SoftHsm::new();
    let mut device = token.device_config("hsm");
    let faults = Faults::before(&mut device, token.directory().join("faults"));
    let differing = Differing {
        device: Some(device),
        sections: LISTEN.to_owned(),
        ..Differing::default()
    };
    let pair = Pair::start_differing(postgres, &url, token, &differing);
    let health = health::address(&pair.second);
    let [at_first, at_second] = pair.client();
    let key = make(&at_second).expect("it is made");
    eventually("it is ready", || health::get(health, "/readyz").0 == 200);

    faults.set("any all fail CKR_DEVICE_REMOVED");
    let begun = Instant::now();
    let refused = get(&at_second, &key).expect_err("nothing comes from a device that is away");
    println!("refused after {:?}: {refused}", begun.elapsed());
    let mut by_first = 0;
    eventually("the health of the server tells of it", || {
        get(&at_first, &key).expect("the other server goes on");
        by_first += 1;
        health::get(health, "/readyz").0 == 503
    });
    let begun = Instant::now();
    faults.none();
    eventually("the key is released again", || get(&at_second, &key).is_ok());
    println!(
        "{by_first} requests answered by the other server until it was known; back after {:?}",
        begun.elapsed()
    );
    eventually("and its health says so", || {
        health::get(health, "/readyz").0 == 200
    });
    pair.second.verify_custody_log();
}

#[test]
fn a_name_that_two_servers_are_given_at_once_is_one_objects() {
    let pair = Pair::start();
    let servers = pair.client();
    for round in 0..10 {
        let name = format!("disk-{round}");
        let name = structure(
            0,
            vec![text(tag::NAME_VALUE, &name), enumeration(tag::NAME_TYPE, 1)],
        );
        let request = create_with(vec![attribute("Name", name)]);
        let made: Vec<Result<String, String>> = std::thread::scope(|scope| {
            let ask = |at: &Client| ask(&mut at.try_connect()?, &request);
            let asking = servers.each_ref().map(|at| scope.spawn(move || ask(at)));
            asking
                .into_iter()
                .map(|asked| {
                    asked
                        .join()
                        .expect("it asks")
                        .map(|answer| message::identifier(&answer))
                })
                .collect()
        });
        assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 1, "{made:?}");
        let refused = made.iter().find_map(|made| made.as_ref().err());
        assert!(refused.is_some_and(|why| why.contains("is in use")), "{made:?}");
    }
    pair.first.verify_custody_log();
}
