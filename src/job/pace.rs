//! How fast a job works: as fast as it can while the device has nothing else to do; while clients ask for keys, one key at a
//! time, with a rest behind each that is as long as it took, so that a release hardly waits for it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::stream::{FuturesUnordered, StreamExt};

use crate::root_key::RootKeyBackend;

/// While nobody else asks. More than the sessions of most devices, so that those that are at the recorder keep none of them
/// waiting, and its commits hold many keys.
const ALONE: usize = 64;
/// While clients ask.
const AMONG_CLIENTS: usize = 1;
/// The shortest rest behind a key while clients ask: where the device is quick, it is the store that they would wait for.
const SHORTEST_REST: Duration = Duration::from_millis(2);
/// For so long after a request of a client's was seen at the device, more are expected: a quick device is rarely seen with
/// one, however many there are.
const EXPECTED: Duration = Duration::from_millis(10);
/// The same where another had come not longer than that before: while a group of releases is committed, all clients are at the
/// recorder.
const STEADILY: Duration = Duration::from_millis(100);

/// The pace at one device, or at several that the job needs for each of its keys.
pub(super) struct Pace {
    /// How many requests are at the devices, of everybody.
    under_way: Box<dyn Fn() -> usize + Send + Sync>,
    /// The job's own requests that are at one of them.
    own: AtomicUsize,
    seen: Mutex<Seen>,
}

/// The requests of others at the device, as they were seen last.
#[derive(Default)]
struct Seen {
    /// There was one.
    present: bool,
    last: Option<Instant>,
    /// When the last one came.
    came: Option<Instant>,
    /// How long after `last` more are expected.
    expected: Duration,
}

impl Seen {
    fn look(&mut self, present: bool, now: Instant) {
        if present && !self.present {
            let steadily = self
                .came
                .is_some_and(|before| now.duration_since(before) < STEADILY);
            self.expected = if steadily { STEADILY } else { EXPECTED };
            self.came = Some(now);
        }
        self.present = present;
        if present {
            self.last = Some(now);
        }
    }

    fn expects_more(&self, now: Instant) -> bool {
        self.last
            .is_some_and(|last| now.duration_since(last) < self.expected)
    }
}

impl Pace {
    pub(super) fn at(backend: Arc<dyn RootKeyBackend>) -> Self {
        Self::at_all(vec![backend])
    }

    /// The pace at several, no two of them the same.
    pub(super) fn at_all(backends: Vec<Arc<dyn RootKeyBackend>>) -> Self {
        Self::by(move || backends.iter().map(|backend| backend.under_way()).sum())
    }

    fn by(under_way: impl Fn() -> usize + Send + Sync + 'static) -> Self {
        Self {
            under_way: Box::new(under_way),
            own: AtomicUsize::new(0),
            seen: Mutex::default(),
        }
    }

    /// A request of the job's to a device, or several in a row.
    pub(super) async fn ask<T>(&self, request: impl Future<Output = T>) -> T {
        let _own = Own::one_of(&self.own);
        request.await
    }

    /// Does all of the work, and gives each outcome to `ended`; stops where that says `false`, which is told.
    pub(super) async fn work<W, F: Future>(
        &self,
        pieces: Vec<W>,
        work: impl Fn(W) -> F,
        mut ended: impl FnMut(F::Output) -> bool,
    ) -> bool {
        let mut pieces = pieces.into_iter();
        let mut under_way = FuturesUnordered::new();
        loop {
            while under_way.len() < self.at_a_time()
                && let Some(piece) = pieces.next()
            {
                let work = work(piece);
                under_way.push(async {
                    let start = Instant::now();
                    let outcome = work.await;
                    if self.clients_ask() {
                        tokio::time::sleep(start.elapsed().max(SHORTEST_REST)).await;
                    }
                    outcome
                });
            }
            let Some(outcome) = under_way.next().await else {
                return true;
            };
            if !ended(outcome) {
                return false;
            }
        }
    }

    fn at_a_time(&self) -> usize {
        if self.clients_ask() { AMONG_CLIENTS } else { ALONE }
    }

    fn clients_ask(&self) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        seen.look((self.under_way)() > self.own.load(Ordering::Relaxed), now);
        seen.expects_more(now)
    }
}

/// Counts a request while it is under way.
struct Own<'a>(&'a AtomicUsize);

impl<'a> Own<'a> {
    fn one_of(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Own<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The most pieces that were under way at a time, where so many requests of clients are.
    async fn most_at_a_time(clients: usize) -> usize {
        let own = Arc::new(AtomicUsize::new(0));
        let at_device = Arc::clone(&own);
        let pace = Pace::by(move || clients + at_device.load(Ordering::Relaxed));
        let most = AtomicUsize::new(0);
        let piece = async |_| {
            pace.ask(async {
                most.fetch_max(own.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                own.fetch_sub(1, Ordering::Relaxed);
            })
            .await;
        };
        let mut done = 0;
        let all = pace.work((0..200).collect(), piece, |()| {
            done += 1;
            true
        });
        assert!(all.await);
        assert_eq!(done, 200);
        most.into_inner()
    }

    #[tokio::test]
    async fn a_client_waits_behind_one_key_of_a_job_and_an_idle_device_for_none() {
        assert_eq!(most_at_a_time(1).await, AMONG_CLIENTS);
        assert_eq!(most_at_a_time(0).await, ALONE);
    }

    #[test]
    fn a_steady_stream_of_clients_is_waited_for_longer_than_a_single_one() {
        let (start, mut seen) = (Instant::now(), Seen::default());
        let after = |milliseconds| start + Duration::from_millis(milliseconds);
        seen.look(true, after(0));
        seen.look(true, after(1));
        seen.look(false, after(2));
        assert!(seen.expects_more(after(9)) && !seen.expects_more(after(12)));
        // Another, as a health check comes now and then.
        seen.look(true, after(500));
        seen.look(false, after(501));
        assert!(!seen.expects_more(after(512)));
        seen.look(true, after(520));
        seen.look(false, after(521));
        assert!(seen.expects_more(after(600)) && !seen.expects_more(after(630)));
    }

    #[tokio::test]
    async fn a_job_stops_where_it_is_told_to() {
        let pace = Pace::by(|| 0);
        let mut done = 0;
        let work = pace.work(
            (0..200).collect(),
            async |_: i32| (),
            |()| {
                done += 1;
                done < 3
            },
        );
        assert!(!work.await);
        assert_eq!(done, 3);
    }
}
