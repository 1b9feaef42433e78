//! Which workers there are, which one serves the next request, and what happens when one ends.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::healing::{Counters, Healing, Step};
use super::link::Link;
use super::login::Logins;
use super::process::connect;
use super::protocol::Begin;
use super::transport::TransportPair;
use crate::Error;
use crate::configuration::{DeviceConfig, WorkerCommand};

/// The wait before a worker is started for the second time in a row; it doubles from there.
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// A device that is back is noticed no later than this: while it is away one place alone tries.
const LONGEST_WAIT: Duration = Duration::from_millis(500);
/// A worker that served for so long ended for a reason of its own, not because the device can't be served.
const LONG_LIFE: Duration = Duration::from_secs(10);

/// Where one of the workers stands.
enum Place {
    /// It is being started and there is no reason to think that this fails: requests wait for it.
    Starting,
    /// It serves.
    Up(Arc<Link>),
    /// It could not be started since then, and is tried again after a while: requests are refused with the reason.
    Down { reason: Error, since: Instant },
    /// The device is shut down.
    Closed,
}

/// The workers of a device.
pub(super) struct Supervisor {
    pub(super) config: DeviceConfig,
    command: WorkerCommand,
    pair: Arc<TransportPair>,
    places: RwLock<Vec<Place>>,
    changed: watch::Sender<()>,
    closing: watch::Sender<bool>,
    /// Held while a worker is started: with one at a time, a PIN that is wrong now is tried once.
    starting: tokio::sync::Mutex<()>,
    /// The device refused the PIN: no worker is started any more.
    pin_refused: OnceLock<Error>,
    healing: Arc<Counters>,
    logins: Logins,
}

type Worker = (Arc<Link>, JoinHandle<()>);

impl Supervisor {
    /// Starts the first worker and, when that has logged in, the others: a wrong PIN is tried by one of them only.
    pub(super) async fn start(
        mut config: DeviceConfig,
        command: WorkerCommand,
        pair: Arc<TransportPair>,
    ) -> Result<Arc<Self>, Error> {
        config.workers = config.workers.max(1);
        let places = (0..config.workers).map(|_| Place::Starting).collect();
        let supervisor = Arc::new(Self {
            config,
            command,
            pair,
            places: RwLock::new(places),
            changed: watch::channel(()).0,
            closing: watch::channel(false).0,
            starting: tokio::sync::Mutex::default(),
            pin_refused: OnceLock::new(),
            healing: Arc::default(),
            logins: Logins::new()?,
        });
        let first = supervisor.open().await?;
        supervisor.put(0, Place::Up(Arc::clone(&first.0)));
        tokio::spawn(Arc::clone(&supervisor).keep(0, Some(first)));
        for index in 1..supervisor.config.workers {
            tokio::spawn(Arc::clone(&supervisor).keep(index, None));
        }
        let mut changed = supervisor.changed.subscribe();
        while supervisor.read(|places| places.iter().any(|place| matches!(place, Place::Starting))) {
            // The sender is in `supervisor`.
            let _ = changed.changed().await;
        }
        Ok(supervisor)
    }

    /// The worker with the fewest requests under way. Waits where one is being started.
    pub(super) async fn worker(&self) -> Result<Arc<Link>, Error> {
        let mut changed = self.changed.subscribe();
        loop {
            if *self.closing.borrow() {
                return Err(Error::unavailable("it is shut down"));
            }
            let choice = self.read(|places| {
                let up = places.iter().filter_map(|place| match place {
                    Place::Up(link) if link.serves() => Some(link),
                    _ => None,
                });
                if let Some(link) = up.min_by_key(|link| link.under_way()) {
                    return Ok(Some(Arc::clone(link)));
                }
                if let Some(error) = self.pin_refused.get() {
                    return Err(error.clone());
                }
                // One whose socket was closed a moment ago is about to be started again.
                if places
                    .iter()
                    .any(|place| matches!(place, Place::Starting | Place::Up(_)))
                {
                    return Ok(None);
                }
                let down = places.iter().filter_map(|place| match place {
                    Place::Down { reason, since } => Some((since, reason)),
                    _ => None,
                });
                // What happened last tells most.
                Err(match down.max_by_key(|(since, _)| *since) {
                    Some((_, reason)) => unavailable(reason),
                    None => Error::unavailable("it is shut down"),
                })
            })?;
            match choice {
                Some(link) => return Ok(link),
                None => _ = changed.changed().await,
            }
        }
    }

    /// The workers that serve.
    pub(super) fn links(&self) -> Vec<Arc<Link>> {
        self.read(|places| {
            let up = places.iter().filter_map(|place| match place {
                Place::Up(link) => Some(Arc::clone(link)),
                _ => None,
            });
            up.collect()
        })
    }

    /// Starts no worker any more. Those that serve end when they are asked to, or when the last request lets go of
    /// them.
    pub(super) fn close(&self) {
        self.closing.send_replace(true);
    }

    /// Waits until every worker has ended.
    pub(super) async fn closed(&self) {
        let mut changed = self.changed.subscribe();
        while !self.read(|places| places.iter().all(|place| matches!(place, Place::Closed))) {
            if changed.changed().await.is_err() {
                return;
            }
        }
    }

    async fn open(&self) -> Result<Worker, Error> {
        let _one_at_a_time = self.starting.lock().await;
        if let Some(error) = self.pin_refused.get() {
            return Err(error.clone());
        }
        let connection = connect(
            &self.config,
            &self.command,
            &self.pair,
            &self.logins,
            Begin::Serve,
        )
        .await?;
        let healing = Arc::clone(&self.healing);
        let worker = Link::new(
            connection,
            Arc::clone(&self.pair),
            self.config.queue.max(1),
            healing,
        );
        if let Err(error) = &worker {
            self.note(error);
        }
        worker
    }

    /// What was done so far so that the device serves again.
    pub(super) fn healing(&self) -> Healing {
        self.healing.now()
    }

    /// Counts a request that is sent again because its worker ended.
    pub(super) fn count_repetition(&self) {
        self.healing.count(Step::Repetition);
    }

    /// Waits while no worker serves and another place tries: one at a time is enough to notice that a device is back. A place
    /// that has not failed yet goes ahead, since requests wait for it.
    async fn turn(&self, index: usize) {
        let mut changed = self.changed.subscribe();
        while !self.read(|places| is_turn_of(places, index)) {
            // The sender is in `self`.
            let _ = changed.changed().await;
        }
    }

    /// Remembers that the PIN was refused.
    fn note(&self, error: &Error) {
        if error.is_about_the_pin() {
            let _ = self.pin_refused.set(error.clone());
        }
    }

    /// Keeps the worker of one place serving until the device is closed or its PIN refused.
    async fn keep(self: Arc<Self>, index: usize, mut worker: Option<Worker>) {
        let mut closing = self.closing.subscribe();
        let mut failures = 0_u32;
        let mut anew = false;
        let mut said = None;
        loop {
            let opened = match worker.take() {
                Some(worker) => Ok(worker),
                None if self.pin_refused.get().is_some() => break,
                None => tokio::select! {
                    opened = self.open() => opened,
                    () = until_closing(&mut closing) => break,
                },
            };
            match opened {
                Ok((link, ended)) => {
                    said = None;
                    let since = Instant::now();
                    if std::mem::replace(&mut anew, true) {
                        self.healing.worker_started_anew();
                    }
                    self.put(index, Place::Up(Arc::clone(&link)));
                    tracing::info!(device = %self.config.name, pid = link.process().pid(), "a device worker serves");
                    let how = self.until_ended(&link, ended).await;
                    if *closing.borrow() {
                        break;
                    }
                    failures = if since.elapsed() > LONG_LIFE {
                        1
                    } else {
                        failures + 1
                    };
                    // A worker that has died twice in a row probably does so again; until then requests may wait.
                    let place = if failures > 2 {
                        down(Error::unavailable(format!(
                            "its worker ends again and again: {how}"
                        )))
                    } else {
                        Place::Starting
                    };
                    self.put(index, place);
                }
                Err(error) => {
                    // Tried twice a second, and said once.
                    if said.as_ref() != Some(&error) {
                        tracing::error!(device = %self.config.name, %error, "a device worker can't be started; it is tried again");
                        said = Some(error.clone());
                    }
                    self.put(index, down(error));
                    failures += 1;
                }
            }
            let rest = async {
                sleep(wait(failures)).await;
                self.turn(index).await;
            };
            tokio::select! {
                () = rest => {}
                () = until_closing(&mut closing) => break,
            }
        }
        let last = match self.pin_refused.get() {
            Some(error) if !*closing.borrow() => down(error.clone()),
            _ => Place::Closed,
        };
        self.put(index, last);
        if !*closing.borrow() {
            until_closing(&mut closing).await;
            self.put(index, Place::Closed);
        }
    }

    /// Waits for the end of a worker and says how it came; asks it to end when the device is closed.
    async fn until_ended(&self, link: &Link, mut ended: JoinHandle<()>) -> String {
        let mut closing = self.closing.subscribe();
        tokio::select! {
            _ = &mut ended => {}
            () = until_closing(&mut closing) => {
                link.ask_to_end();
                if tokio::time::timeout(self.config.deadline, &mut ended).await.is_err() {
                    link.process().kill();
                }
            }
        }
        let status = link.process().end_within_grace().await;
        let how = match link.last_words() {
            Some(error) => {
                self.note(&error);
                error.to_string()
            }
            None => status,
        };
        if !*closing.borrow() {
            tracing::warn!(device = %self.config.name, pid = link.process().pid(), %how, "a device worker ended");
        }
        how
    }

    fn read<T>(&self, look: impl FnOnce(&[Place]) -> T) -> T {
        look(&self.places.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn put(&self, index: usize, place: Place) {
        self.places.write().unwrap_or_else(PoisonError::into_inner)[index] = place;
        self.changed.send_replace(());
    }
}

async fn until_closing(closing: &mut watch::Receiver<bool>) {
    // The sender lives as long as the supervisor, which whoever calls this has.
    let _ = closing.wait_for(|closing| *closing).await;
}

fn is_turn_of(places: &[Place], index: usize) -> bool {
    let is_down = |place: &Place| matches!(place, Place::Down { .. });
    !is_down(&places[index])
        || places.iter().position(is_down) == Some(index)
        || places.iter().any(|place| matches!(place, Place::Up(_)))
}

fn down(reason: Error) -> Place {
    Place::Down {
        reason,
        since: Instant::now(),
    }
}

/// What a request is refused with while no worker can be started.
fn unavailable(reason: &Error) -> Error {
    match reason {
        Error::PinIncorrect { .. } | Error::PinNotTried { .. } | Error::Unavailable { .. } => reason.clone(),
        other => Error::unavailable(other),
    }
}

/// How long to wait after so many failures in a row: not at all after the first.
fn wait(failures: u32) -> Duration {
    match failures {
        0 | 1 => Duration::ZERO,
        _ => FIRST_WAIT
            .saturating_mul(1 << (failures - 2).min(16))
            .min(LONGEST_WAIT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_place_tries_a_device_that_is_away_and_no_request_waits_for_a_place_that_does_not_try() {
        let away = || down(Error::Deadline);
        let places = [away(), Place::Starting, away()];
        let turns = [0, 1, 2].map(|index| is_turn_of(&places, index));
        assert_eq!(turns, [true, true, false]);
    }

    #[test]
    fn the_waits_grow_and_have_an_end() {
        assert_eq!(wait(1), Duration::ZERO);
        assert_eq!(wait(2), FIRST_WAIT);
        assert!((2..60).all(|failures| wait(failures) <= wait(failures + 1)));
        assert_eq!(wait(u32::MAX), LONGEST_WAIT);
    }
}
