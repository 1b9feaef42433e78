//! What clients asked, what came of it, and what they hold: counted, so that it can be shown that nothing is wrong and
//! nothing is lost.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::client::{Client, Connection};
use super::message::{self, about, create};
use super::server::Server;
use super::ttlv::Item;

/// The reason that clients try again on, or at their next server.
pub const GENERAL_FAILURE: u32 = 0x100;
/// The reason where somebody has to allow it again.
pub const PERMISSION_DENIED: u32 = 0x0c;

/// Clients at one time.
const CLIENTS: usize = 8;
/// How long anything is waited for before a test gives up.
const LIMIT: Duration = Duration::from_mins(3);

/// Counts, and the keys with their bytes, once these were handed out.
#[derive(Default)]
pub struct Ledger {
    asked: AtomicU64,
    answered: AtomicU64,
    wrong: AtomicU64,
    refused: Mutex<BTreeMap<(u32, String), u64>>,
    keys: Mutex<BTreeMap<String, Held>>,
}

#[derive(Clone, Default)]
struct Held {
    material: Option<Vec<u8>>,
    releases: u64,
}

impl Ledger {
    /// Clients make keys and get them, and such as were made before, until `disturb` has done what it does.
    pub fn load<T>(&self, client: &Client, disturb: impl FnOnce() -> T) -> T {
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let clients: Vec<_> = (0..CLIENTS)
                .map(|number| {
                    let done = &done;
                    scope.spawn(move || {
                        let mut connection = client.connect();
                        let mut turn = number;
                        while !done.load(Ordering::Relaxed) {
                            turn += CLIENTS;
                            self.round(&mut connection, turn);
                        }
                    })
                })
                .collect();
            let ends = Done(&done);
            let told = disturb();
            drop(ends);
            for client in clients {
                client.join().expect("the server answers each request");
            }
            told
        })
    }

    /// Makes a key, gets it, and gets one that was made before.
    fn round(&self, connection: &mut Connection, turn: usize) {
        if let Some(answer) = self.exchange(connection, &create()) {
            let identifier = message::identifier(&answer);
            self.keys().insert(identifier.clone(), Held::default());
            self.get(connection, &identifier);
        }
        let keys = self.keys();
        let earlier = keys.keys().nth(turn % keys.len().max(1)).cloned();
        drop(keys);
        if let Some(earlier) = earlier {
            self.get(connection, &earlier);
        }
    }

    fn get(&self, connection: &mut Connection, identifier: &str) -> bool {
        let Some(answer) = self.exchange(connection, &about(message::GET, identifier)) else {
            return false;
        };
        let material = message::key_material(&answer);
        let mut keys = self.keys();
        let held = keys.entry(identifier.to_owned()).or_default();
        held.releases += 1;
        let known = held.material.get_or_insert_with(|| material.clone());
        let right = material.len() == 32 && *known == material;
        if !right {
            self.wrong.fetch_add(1, Ordering::Relaxed);
        }
        right
    }

    /// The answer, where it is a success; else it is counted as a refusal.
    fn exchange(&self, connection: &mut Connection, request: &Item) -> Option<Item> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let answer = connection.exchange(request);
        match message::outcome(&answer) {
            Ok(_) => {
                self.answered.fetch_add(1, Ordering::Relaxed);
                Some(answer)
            }
            Err(refusal) => {
                let mut refused = self.refused.lock().expect("no test failed");
                *refused.entry(refusal).or_default() += 1;
                None
            }
        }
    }

    pub fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    /// How many were refused for this reason.
    pub fn refused_for(&self, reason: u32) -> u64 {
        let refused = self.refused.lock().expect("no test failed");
        let of_it = refused.iter().filter(|((other, _), _)| *other == reason);
        of_it.map(|(_, count)| count).sum()
    }

    /// What those were told that were refused.
    pub fn refusals(&self) -> Vec<(u32, String)> {
        self.refused
            .lock()
            .expect("no test failed")
            .keys()
            .cloned()
            .collect()
    }

    /// Waits until so many more requests were answered.
    pub fn wait_for_answers(&self, more: u64) {
        let enough = self.answered() + more;
        until("the load does not get on", || self.answered() >= enough);
    }

    /// The bytes that clients hold.
    pub fn materials(&self) -> Vec<Vec<u8>> {
        self.keys()
            .values()
            .filter_map(|held| held.material.clone())
            .collect()
    }

    /// Every key that was acknowledged is handed out again, the same, and every release is in the custody log, which
    /// verifies. What was counted until then is returned, and what was wrong or lost.
    pub fn settle(&self, server: &Server, client: &Client) -> Settled {
        let told = self.to_string();
        let identifiers: Vec<_> = self.keys().keys().cloned().collect();
        let mut connection = client.connect();
        let there = |identifier: &&String| !self.get(&mut connection, identifier);
        let lost = identifiers.iter().filter(there).count();
        server.verify_custody_log();
        let mut recorded = BTreeMap::<String, u64>::new();
        for record in server.custody_records() {
            if record["event"] == "kmip.get" && record["outcome"] == "success" {
                let identifier = record["object"]["identifier"].as_str().expect("an identifier");
                *recorded.entry(identifier.to_owned()).or_default() += 1;
            }
        }
        let keys = self.keys();
        let unrecorded = keys.iter().filter(|(identifier, held)| {
            recorded.get(*identifier).copied().unwrap_or_default() < held.releases
        });
        Settled {
            told,
            keys: identifiers.len(),
            wrong: self.wrong.load(Ordering::Relaxed),
            lost,
            unrecorded: unrecorded.count(),
        }
    }

    fn keys(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Held>> {
        self.keys.lock().expect("no test failed")
    }
}

impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let refused = self.refused.lock().expect("no test failed");
        let count: u64 = refused.values().sum();
        let asked = self.asked.load(Ordering::Relaxed);
        write!(f, "asked {asked}, answered {}, refused {count}", self.answered())?;
        for ((reason, message), count) in &*refused {
            write!(f, "; {count} × {reason:#x} {message:?}")?;
        }
        Ok(())
    }
}

/// What was left in the end.
pub struct Settled {
    told: String,
    keys: usize,
    wrong: u64,
    lost: usize,
    unrecorded: usize,
}

impl Settled {
    /// # Panics
    ///
    /// Where anything is wrong, lost, or not recorded.
    #[allow(clippy::print_stdout)] // The counts are read by a person.
    pub fn must_be_whole(&self, what: &str) {
        let Self {
            told,
            keys,
            wrong,
            lost,
            unrecorded,
        } = self;
        println!(
            "{what}: {told}; {keys} keys: {wrong} wrong, {lost} lost, {unrecorded} with a release that is not recorded"
        );
        assert_eq!((*wrong, *lost, *unrecorded), (0, 0, 0));
    }
}

/// Waits for a condition.
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < LIMIT, "{what}");
        std::thread::yield_now();
    }
}

/// Ends the clients however the test ends.
struct Done<'a>(&'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
