//! What clients have and were told, compared with what they are given later.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::client::{Client, Connection};
use super::message::{self, about, create};
use super::ttlv::Item;

/// General Failure: the reason that clients try again on, or at their next server.
pub const GENERAL_FAILURE: u32 = 0x100;

/// The keys that clients have, and what came of their requests.
#[derive(Default)]
pub struct Books {
    pub keys: Mutex<BTreeMap<String, Vec<u8>>>,
    pub succeeded: AtomicU64,
    /// Refused with a reason to try again.
    pub refused: AtomicU64,
    /// Those of them that were refused because too much was asked at once.
    pub busy: AtomicU64,
}

impl Books {
    /// Makes a key and reads it, then reads one that was made before. Whatever is handed out must be right, and what is
    /// refused must be refused as something that may be tried again.
    pub fn make_and_read(&self, connection: &mut Connection) {
        let Some(made) = self.judge(&connection.exchange(&create())) else {
            return;
        };
        self.read(connection, &made);
        let earlier = self.keys.lock().expect("no test failed").keys().next().cloned();
        if let Some(earlier) = earlier {
            self.read(connection, &earlier);
        }
    }

    pub fn read(&self, connection: &mut Connection, identifier: &str) {
        let answer = connection.exchange(&about(message::GET, identifier));
        if self.judge(&answer).is_none() {
            return;
        }
        let material = message::key_material(&answer);
        assert_eq!(material.len(), 32);
        let mut keys = self.keys.lock().expect("no test failed");
        let known = keys
            .entry(identifier.to_owned())
            .or_insert_with(|| material.clone());
        assert!(*known == material, "{identifier}: these are another key's bytes");
    }

    /// The identifier that a success names.
    pub fn judge(&self, answer: &Item) -> Option<String> {
        match message::outcome(answer) {
            Ok(_) => {
                self.succeeded.fetch_add(1, Ordering::Relaxed);
                Some(message::identifier(answer))
            }
            Err((reason, text)) => {
                assert_eq!(reason, GENERAL_FAILURE, "nothing is said to be broken: {text}");
                self.refused.fetch_add(1, Ordering::Relaxed);
                if text.contains("too much to do") {
                    self.busy.fetch_add(1, Ordering::Relaxed);
                }
                None
            }
        }
    }

    /// Every key that was ever handed out is handed out again, the same.
    pub fn nothing_is_lost(&self, client: &Client) {
        let mut connection = client.connect();
        let keys = self.keys.lock().expect("no test failed");
        for (identifier, material) in keys.iter() {
            let answer = connection.exchange(&about(message::GET, identifier));
            assert!(message::key_material(&answer) == *material, "{identifier}");
        }
    }
}

/// Ends the clients however the test ends.
struct Done<'a>(&'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Clients make and read keys until `disturb` has done what it does.
pub fn under_load(client: &Client, books: &Books, disturb: impl FnOnce()) {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let mut connection = client.connect();
                    while !done.load(Ordering::Relaxed) {
                        books.make_and_read(&mut connection);
                    }
                })
            })
            .collect();
        let ends = Done(&done);
        disturb();
        drop(ends);
        for client in clients {
            client.join().expect("the client got no wrong answer");
        }
    });
}
