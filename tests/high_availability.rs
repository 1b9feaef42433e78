//! Two servers over one PostgreSQL and one token are one set of keys, and one custody log.

mod support;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use support::audit::wait_until_signed;
use support::client::Client;
use support::identity;
use support::pair::{Pair, eventually, get, make};
use support::postgres::PostgresServer;
use support::server::{ADAPTER, Server};

#[test]
fn a_key_made_on_one_server_is_fetched_from_the_other_and_the_client_goes_on_when_one_is_killed() {
    let mut pair = Pair::start();
    let at_first = pair.first.client("client");
    let at_second = pair.second.seen_by(&at_first);
    let key = make(&at_first).expect("it is made");
    let material = get(&at_first, &key).expect("it is released");
    eventually("a new certificate is admitted by the other server", || {
        at_second.try_connect().is_ok()
    });
    assert_eq!(get(&at_second, &key).expect("it is there at once"), material);
    let other = make(&at_second).expect("it is made");
    get(&at_first, &other).expect("it is there at once");

    pair.first.kill();
    assert_eq!(get(&at_second, &key).expect("the client goes on"), material);
    let third = make(&at_second).expect("it is made");
    pair.first.start_again();
    get(&at_first, &third).expect("the server is back, and knows what came meanwhile");

    let signed = wait_until_signed(&pair.first);
    assert_eq!(wait_until_signed(&pair.second), signed, "one log has one key");
    for server in [&pair.first, &pair.second] {
        server.verify_custody_log();
    }
    let records = pair.first.custody_records();
    for node in ["first", "second"] {
        let of_node =
            |record: &&serde_json::Value| record["node"] == node && record["event"] == "kmip.create";
        assert!(
            records.iter().any(|record| of_node(&record)),
            "{node} has recorded what it made"
        );
    }
}

#[test]
fn what_is_taken_away_on_one_server_is_refused_by_the_other() {
    let pair = Pair::start();
    let at_first = pair.first.client("client");
    let at_second = pair.second.seen_by(&at_first);
    eventually("a new certificate is admitted by the other server", || {
        at_second.try_connect().is_ok()
    });
    let key = make(&at_second).expect("it is made");

    pair.first.must(&["root-key", "disable", "root"]);
    get(&at_second, &key).expect_err("nothing is released under a root key that was disabled");
    pair.first.must(&["root-key", "enable", "root"]);
    eventually("a root key that was enabled is used again", || {
        get(&at_second, &key).is_ok()
    });

    pair.first.must(&["certificate", "remove", ADAPTER, "client"]);
    eventually(
        "a certificate that was removed is refused by the other server",
        || get(&at_second, &key).is_err(),
    );

    // What is new on one is used on the other: a root key, its adapter, and a client of that.
    pair.first.must(&["root-key", "create", "another"]);
    pair.first.adapter_under("another", "another");
    let new = pair.second.seen_by(&pair.first.client_of("another", "new"));
    eventually(
        "a root key that was made on one server is used by the other",
        || make(&new).is_ok(),
    );
}

#[test]
fn two_servers_together_make_no_more_keys_than_the_quota_of_an_adapter() {
    const QUOTA: usize = 25;
    let pair = Pair::start();
    let at_first = pair.first.client("client");
    let at_second = pair.second.seen_by(&at_first);
    eventually("a new certificate is admitted by the other server", || {
        at_second.try_connect().is_ok()
    });
    pair.first
        .must(&["adapter", "set", ADAPTER, "--keys", &QUOTA.to_string()]);
    let made: usize = std::thread::scope(|scope| {
        let clients = [&at_first, &at_second, &at_first, &at_second];
        let making =
            clients.map(|client| scope.spawn(move || (0..20).filter(|_| make(client).is_ok()).count()));
        making.map(|made| made.join().expect("it ends")).iter().sum()
    });
    assert_eq!(made, QUOTA);
    let shown = pair.second.json(&["adapter", "show", ADAPTER]);
    assert_eq!(shown["keys"], QUOTA);
    let refused = make(&at_second).expect_err("it is full");
    assert!(refused.contains("may have 25 keys"), "{refused}");
    println!("{made} of 80 keys were made by four clients of two servers, under a quota of {QUOTA}");

    // Set on one server, in force on the other.
    let kept = at_first.try_connect().expect("there is a place");
    pair.second
        .must(&["adapter", "set", ADAPTER, "--keys", "none", "--connections", "1"]);
    eventually("the other server heeds the bound on connections", || {
        make(&at_first).is_err()
    });
    kept.close();
    eventually("the place is given back", || make(&at_first).is_ok());
}

#[test]
fn users_and_authorities_of_one_server_are_the_other_s_too() {
    let pair = Pair::start();
    let at_second = pair.second.seen_by(&pair.first.client("client"));
    eventually("a new certificate is admitted by the other server", || {
        make(&at_second).is_ok()
    });
    let policy = |policy| {
        pair.first
            .must(&["adapter", "credential", "policy", ADAPTER, policy]);
    };
    pair.first
        .must(&["adapter", "credential", "add", ADAPTER, "vcenter"]);
    policy("required");
    eventually("a request without a user is refused by the other server", || {
        make(&at_second).is_err()
    });
    policy("optional");
    eventually("a user is asked for no more", || make(&at_second).is_ok());

    let folder = tempfile::tempdir().expect("a temporary folder");
    let (identity, authority) = identity::issued("issued");
    identity::write(&identity, folder.path(), "issued");
    let file = folder.path().join("authority.pem");
    std::fs::write(&file, authority).expect("the folder can be written to");
    let file = file.to_str().expect("a path");
    let issued = Client {
        certificate: folder.path().join("issued.pem"),
        key: folder.path().join("issued.key"),
        ..at_second.clone()
    };
    assert!(issued.try_connect().is_err(), "nobody vouches for it");
    pair.first
        .must(&["adapter", "trust", "add", ADAPTER, file, "--name", "internal"]);
    eventually("the other server lets in whom the authority vouches for", || {
        make(&issued).is_ok()
    });
    pair.first
        .must(&["adapter", "trust", "remove", ADAPTER, "internal"]);
    eventually("and lets them in no more", || issued.try_connect().is_err());
    pair.second.verify_custody_log();
}

#[test]
fn a_rotation_goes_on_at_the_other_server_when_the_one_that_did_it_is_killed() {
    let mut pair = Pair::start();
    let at_first = pair.first.client("client");
    let at_second = pair.second.seen_by(&at_first);
    let keys: Vec<String> = (0..50).map(|_| make(&at_first).expect("it is made")).collect();
    pair.first.must(&["root-key", "rotate", "root"]);
    pair.first.kill();
    eventually("every key comes under the new version", || {
        let records = pair.second.custody_records();
        records
            .iter()
            .filter(|record| record["event"] == "key.rewrap")
            .count()
            == keys.len()
    });
    for key in &keys {
        get(&at_second, key).expect("it is released");
    }
    pair.second.verify_custody_log();
}

#[test]
fn while_the_database_is_away_no_key_leaves_and_both_go_on_by_themselves_when_it_is_back() {
    let mut pair = Pair::start();
    let at_first = pair.first.client("client");
    let at_second = pair.second.seen_by(&at_first);
    eventually("the client is admitted by both", || {
        at_second.try_connect().is_ok()
    });
    let key = make(&at_first).expect("it is made");
    let material = get(&at_second, &key).expect("it is released");
    let before = pair.first.custody_records().len();

    pair.postgres.kill();
    for at in [&at_first, &at_second] {
        get(at, &key).expect_err("no key leaves without a record");
    }
    pair.postgres.start_again();
    for at in [&at_first, &at_second] {
        eventually("the key is released again", || {
            get(at, &key) == Ok(material.clone())
        });
    }
    assert!(pair.first.custody_records().len() >= before + 2);
    pair.second.verify_custody_log();
}

#[test]
fn nothing_that_was_acknowledged_is_lost_with_the_database_where_a_standby_takes_its_place() {
    let postgres = PostgresServer::start();
    let url = postgres.new_database();
    let standby = postgres.synchronous_standby();
    let mut pair = Pair::start_at(postgres, &format!("{url},{}", standby.folder().display()));
    let at_first = pair.first.client("client");
    let at_second = pair.second.seen_by(&at_first);
    eventually("the client is admitted by both", || {
        at_second.try_connect().is_ok()
    });
    let acknowledged = Mutex::new(Vec::new());
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for at in [&at_first, &at_second] {
            let (acknowledged, done) = (&acknowledged, &done);
            scope.spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    if let Ok(key) = make(at) {
                        acknowledged.lock().expect("the keys").push(key);
                    }
                }
            });
        }
        let number = || acknowledged.lock().expect("the keys").len();
        eventually("keys are made", || number() >= 20);
        pair.postgres.kill();
        standby.promote();
        let before = number();
        eventually("keys are made over the other database", || {
            number() >= before + 20
        });
        done.store(true, Ordering::Relaxed);
    });
    let acknowledged = acknowledged.into_inner().expect("the keys");
    for key in &acknowledged {
        get(&at_second, key).expect("what was acknowledged is there");
    }
    pair.first.verify_custody_log();
}

#[test]
fn what_a_server_had_in_a_file_is_served_from_postgres_and_the_log_says_that_it_was_brought_over() {
    let mut server = Server::start();
    let client = server.client("client");
    let key = make(&client).expect("it is made");
    let material = get(&client, &key).expect("it is released");
    assert!(server.stop().success());
    let postgres = PostgresServer::start();
    let url = postgres.new_database();
    let before = std::fs::read_to_string(server.config()).expect("the configuration");
    let after = format!("{before}\n[store]\nurl = \"{url}\"\nconnections = 8\n");
    std::fs::write(server.config(), after).expect("the configuration can be written");
    let file = server.database();
    server.must(&["store", "migrate", "--from", file.to_str().expect("a path")]);
    // Beside no server, and then beside one.
    let verify = ["custody", "--database", &url, "verify"];
    server.must(&verify);
    server.start_again();
    assert_eq!(get(&client, &key), Ok(material));
    server.must(&verify);
    server.verify_custody_log();
    let records = server.custody_records();
    let brought = records.iter().find(|record| record["event"] == "store.migrate");
    let brought = brought.expect("it is recorded");
    assert_eq!(brought["details"]["size"], brought["sequence"].to_string());
    assert_eq!(brought["details"]["from"], file.to_str().expect("a path"));
}

/// A generator of numbers that a seed repeats (Marsaglia's xorshift64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// How often a server is killed, or stopped.
const ENDS: u64 = 6;
const CLIENTS: u64 = 4;

/// What clients of both servers saw.
#[derive(Default)]
struct Seen {
    /// The keys whose making was acknowledged, with their bytes once they were released.
    keys: Mutex<BTreeMap<String, Option<Vec<u8>>>>,
    releases: AtomicU64,
    /// Requests that one of the servers did not answer, and the other was asked.
    second_tries: AtomicU64,
    wrong: AtomicU64,
    /// Requests that neither answered.
    unanswered: AtomicU64,
}

impl Seen {
    /// Makes a key, or gets one, at either server; at the other where one does not answer, as vCenter does.
    fn round(&self, servers: &[Client; 2], dice: &mut Dice) {
        let known: Vec<String> = self.keys.lock().expect("the keys").keys().cloned().collect();
        let one = usize::try_from(dice.below(2)).expect("0 or 1");
        let wanted = (!known.is_empty() && dice.below(3) > 0).then(|| {
            let place = dice.below(known.len() as u64);
            known[usize::try_from(place).expect("a place")].clone()
        });
        for server in [&servers[one], &servers[1 - one]] {
            let answered = match &wanted {
                None => make(server).map(|key| drop(self.keys.lock().expect("the keys").insert(key, None))),
                Some(key) => get(server, key).map(|material| self.released(key, material)),
            };
            if answered.is_ok() {
                return;
            }
            self.second_tries.fetch_add(1, Ordering::Relaxed);
        }
        self.unanswered.fetch_add(1, Ordering::Relaxed);
    }

    fn released(&self, key: &str, material: Vec<u8>) {
        self.releases.fetch_add(1, Ordering::Relaxed);
        let mut keys = self.keys.lock().expect("the keys");
        let known = keys.get_mut(key).expect("it was made");
        if known.as_ref().is_some_and(|known| *known != material) {
            self.wrong.fetch_add(1, Ordering::Relaxed);
        }
        *known = Some(material);
    }
}

#[test]
#[allow(clippy::print_stdout)] // The counts are read by a person.
fn nothing_that_was_acknowledged_is_lost_when_servers_are_killed_and_stopped_at_random() {
    let seed: u64 = std::env::var("CLAVIGER_TEST_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(0x636c_6176_6967_6572);
    let mut pair = Pair::start();
    let at_first = pair.first.client("client");
    let servers = [at_first.clone(), pair.second.seen_by(&at_first)];
    eventually("the client is admitted by both", || {
        servers.iter().all(|at| at.try_connect().is_ok())
    });
    let (observed, is_over) = (Seen::default(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        for number in 1..=CLIENTS {
            let (observed, is_over, servers) = (&observed, &is_over, &servers);
            scope.spawn(move || {
                let mut dice = Dice(seed.wrapping_mul(2 * number + 1));
                while !is_over.load(Ordering::Relaxed) {
                    observed.round(servers, &mut dice);
                }
            });
        }
        let mut dice = Dice(seed);
        for _ in 0..ENDS {
            let so_far = observed.releases.load(Ordering::Relaxed) + 5 + dice.below(40);
            eventually("clients are served", || {
                observed.releases.load(Ordering::Relaxed) >= so_far
            });
            let victim = match dice.below(2) {
                0 => &mut pair.first,
                _ => &mut pair.second,
            };
            // Every third one is stopped in order, as for an upgrade.
            match dice.below(3) {
                0 => assert!(victim.stop().success()),
                _ => victim.kill(),
            }
            let so_far = observed.releases.load(Ordering::Relaxed) + dice.below(20);
            eventually("the other server goes on", || {
                observed.releases.load(Ordering::Relaxed) >= so_far
            });
            victim.start_again();
        }
        is_over.store(true, Ordering::Relaxed);
    });
    let keys = observed.keys.into_inner().expect("the keys");
    for (key, material) in &keys {
        for server in &servers {
            let found = get(server, key).expect("what was acknowledged is there");
            assert!(
                material.as_ref().is_none_or(|material| *material == found),
                "{key} has other bytes"
            );
        }
    }
    for server in [&pair.first, &pair.second] {
        server.verify_custody_log();
    }
    println!(
        "seed {seed}: {} keys made and {} released by {CLIENTS} clients on two servers, {ENDS} servers \
         killed or stopped, {} requests tried at the other server, {} unanswered, {} wrong",
        keys.len(),
        observed.releases.load(Ordering::Relaxed),
        observed.second_tries.load(Ordering::Relaxed),
        observed.unanswered.load(Ordering::Relaxed),
        observed.wrong.load(Ordering::Relaxed)
    );
    assert_eq!(observed.wrong.load(Ordering::Relaxed), 0);
    assert_eq!(
        observed.unanswered.load(Ordering::Relaxed),
        0,
        "a client that tries both is always served"
    );
}
