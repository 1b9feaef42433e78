//! What clients see while something happens to the server.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use super::client::{Client, Connection};
use super::message::{self, about, create, key_material, outcome};

/// Requests of all clients, counted.
#[derive(Debug, Default)]
pub struct Served {
    pub answered: usize,
    /// What those were told that were refused.
    pub failed: Vec<String>,
}

/// Makes keys and fetches them over so many connections while `what` happens: at least one round each before, and one
/// after. Each key must come back as it came the first time.
pub fn served_while(client: &Client, connections: usize, what: impl FnOnce()) -> Served {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (begun, beginning) = channel();
        let clients: Vec<_> = (0..connections)
            .map(|_| {
                let (begun, over) = (begun.clone(), &over);
                scope.spawn(move || {
                    let (mut connection, mut served) = (client.connect(), Served::default());
                    served.round(&mut connection);
                    begun.send(()).expect("the test waits");
                    loop {
                        let last = over.load(Ordering::SeqCst);
                        served.round(&mut connection);
                        if last {
                            return served;
                        }
                    }
                })
            })
            .collect();
        let end = EndOfTraffic(&over);
        for _ in 0..connections {
            beginning
                .recv_timeout(Duration::from_mins(1))
                .expect("every client is served");
        }
        what();
        drop(end);
        let mut all = Served::default();
        for client in clients {
            let served = client.join().expect("the client is not at fault");
            all.answered += served.answered;
            all.failed.extend(served.failed);
        }
        all
    })
}

/// Ends the traffic when it is dropped, as it is where a test fails.
struct EndOfTraffic<'a>(&'a AtomicBool);

impl Drop for EndOfTraffic<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Served {
    /// Makes a key and fetches it twice.
    fn round(&mut self, connection: &mut Connection) {
        let made = connection.exchange(&create());
        if !self.counts(&made) {
            return;
        }
        let identifier = message::identifier(&made);
        let mut first = None;
        for _ in 0..2 {
            let got = connection.exchange(&about(message::GET, &identifier));
            if self.counts(&got) {
                let key = key_material(&got);
                assert_eq!(*first.get_or_insert_with(|| key.clone()), key);
            }
        }
    }

    fn counts(&mut self, answer: &super::ttlv::Item) -> bool {
        match outcome(answer) {
            Ok(_) => self.answered += 1,
            Err((_, message)) => self.failed.push(message),
        }
        outcome(answer).is_ok()
    }
}
