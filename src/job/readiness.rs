//! Readiness: whether keys can be made and released under each root key now, found by doing it.
//!
//! In the background each root key makes, wraps, unwraps and releases a key that is thrown away, on a device about twice a
//! second: where requests of clients succeed, that is proof enough. A backend whose every request costs says itself how often
//! it may be tried while it is well. Who asks is told what was found; nobody waits for a
//! device, and a device that does not answer is not ready for that very reason.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::adapter::{RootKey, RootKeyId};
use crate::root_key::{BackendDescription, RootKeyBackend, RootKeys};
use crate::store::Store;

/// How long the first look at everything waits for what takes long to answer.
const PATIENCE: Duration = Duration::from_millis(400);
/// How often it is looked which proofs are no longer good. How long one is good for, the backend says: a device that goes
/// away is noticed within that, the backend's patience and this together, less than a second.
const LOOK: Duration = Duration::from_millis(100);

/// What is known of each root key and backend. The work in the background ends when this is dropped.
pub struct Readiness {
    shared: Arc<Shared>,
    watching: JoinHandle<()>,
}

struct Shared {
    store: Arc<dyn Store>,
    root_keys: RootKeys,
    found: Mutex<Found>,
    /// Told whenever something is found.
    changed: watch::Sender<()>,
    /// Told when somebody wants to know of what was not tried yet.
    wanted: Notify,
}

#[derive(Default)]
struct Found {
    root_keys: HashMap<RootKeyId, Finding<()>>,
    backends: HashMap<String, Finding<BackendDescription>>,
}

/// What came of asking something again and again.
struct Finding<T> {
    /// Since when it is asked, where it has not answered yet.
    asked: Option<Instant>,
    answered: Option<(Instant, Result<T, String>)>,
}

impl Readiness {
    /// Begins to try them.
    pub fn start(store: Arc<dyn Store>, root_keys: RootKeys) -> Self {
        let shared = Arc::new(Shared {
            store,
            root_keys,
            found: Mutex::default(),
            changed: watch::channel(()).0,
            wanted: Notify::new(),
        });
        let watching = tokio::spawn(Arc::clone(&shared).watch());
        Self { shared, watching }
    }

    /// Waits until each of these has been tried for the first time, but not longer than what is late is waited for.
    pub async fn settled(&self, root_keys: &[RootKey]) {
        let mut changed = self.shared.changed.subscribe();
        let settled = async {
            while !self.shared.knows(root_keys) {
                self.shared.wanted.notify_one();
                // The sender is in `self`.
                let _ = changed.changed().await;
            }
        };
        // What is late shows in what is told of it.
        let _ = timeout(PATIENCE, settled).await;
    }

    /// Whether keys can be made and released under the root key; why not, where they can't. One that is not enabled here
    /// is as it shall be.
    pub fn root_key(&self, root_key: &RootKey) -> Result<(), String> {
        if !is_tried(root_key) {
            return Ok(());
        }
        let backend = self
            .shared
            .root_keys
            .for_root(root_key)
            .map_err(|error| error.to_string())?;
        let worked = backend.last_worked(root_key);
        let found = self.shared.found();
        match found.root_keys.get(&root_key.id) {
            Some(finding) => {
                let judged = finding.judge(Instant::now(), worked, backend.patience_of_checks());
                judged.map(|_| ())
            }
            None if worked.is_some() => Ok(()),
            None => Err(NOT_TRIED.to_owned()),
        }
    }

    /// What a backend says of itself; why it says nothing, where it does not answer.
    pub fn backend(&self, name: &str) -> Result<BackendDescription, String> {
        let backend = self.shared.root_keys.backend(name);
        let patience = backend.map_or(PATIENCE, |backend| backend.patience_of_checks());
        let found = self.shared.found();
        let finding = found.backends.get(name).ok_or(NOT_TRIED)?;
        let description = finding.judge(Instant::now(), None, patience)?;
        description.cloned().ok_or_else(|| NOT_TRIED.to_owned())
    }
}

/// What is disabled here may be disabled in its backend too, and nobody waits for it.
fn is_tried(root_key: &RootKey) -> bool {
    root_key.state.is_enabled()
}

const NOT_TRIED: &str = "it was not tried yet";

impl Drop for Readiness {
    fn drop(&mut self) {
        self.watching.abort();
    }
}

impl Shared {
    async fn watch(self: Arc<Self>) {
        let mut due = interval(LOOK);
        due.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = due.tick() => {}
                () = self.wanted.notified() => {}
            }
            self.look().await;
        }
    }

    /// Asks whatever has no fresh proof and is not being asked already.
    async fn look(self: &Arc<Self>) {
        for name in self.root_keys.names() {
            let Ok(backend) = self.root_keys.backend(name) else {
                continue;
            };
            if self
                .found()
                .backends
                .entry(name.to_owned())
                .or_default()
                .begin(|well| backend.rest_between_checks(well))
            {
                let (shared, name) = (Arc::clone(self), name.to_owned());
                tokio::spawn(async move {
                    let answer = backend.describe().await.map_err(|error| error.to_string());
                    shared.found().backends.entry(name).or_default().end(answer);
                    shared.changed.send_replace(());
                });
            }
        }
        let root_keys = match self.store.root_keys().await {
            Ok(listing) => listing.rows,
            Err(error) => {
                // Whoever asks for them is told so.
                tracing::debug!(%error, "the root keys can't be read, so they are not tried");
                return;
            }
        };
        for root_key in root_keys.into_iter().filter(is_tried) {
            if let Ok(backend) = self.root_keys.for_root(&root_key) {
                self.try_out(root_key, backend);
            }
        }
    }

    fn try_out(self: &Arc<Self>, root_key: RootKey, backend: Arc<dyn RootKeyBackend>) {
        let worked = backend.last_worked(&root_key);
        let rest = |well| backend.rest_between_checks(well);
        if worked.is_some_and(|worked| worked.elapsed() < rest(true))
            || !self.found().root_keys.entry(root_key.id).or_default().begin(rest)
        {
            return;
        }
        let shared = Arc::clone(self);
        tokio::spawn(async move {
            let answer = backend.check(&root_key).await.map_err(|error| error.to_string());
            let was = shared
                .found()
                .root_keys
                .entry(root_key.id)
                .or_default()
                .end(answer.clone());
            match (was, answer) {
                (true, Err(error)) => {
                    tracing::error!(root_key = %root_key.name, backend = %root_key.backend, %error, "not ready");
                }
                (false, Ok(())) => {
                    tracing::info!(root_key = %root_key.name, backend = %root_key.backend, "ready");
                }
                _ => {}
            }
            shared.changed.send_replace(());
        });
    }

    fn knows(&self, root_keys: &[RootKey]) -> bool {
        let found = self.found();
        self.root_keys
            .names()
            .all(|name| found.backends.get(name).is_some_and(Finding::is_known))
            && root_keys
                .iter()
                .filter(|root_key| is_tried(root_key))
                .all(|root_key| {
                    self.root_keys.for_root(root_key).map_or(true, |backend| {
                        backend.last_worked(root_key).is_some()
                            || found.root_keys.get(&root_key.id).is_some_and(Finding::is_known)
                    })
                })
    }

    fn found(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Default for Finding<T> {
    fn default() -> Self {
        Self {
            asked: None,
            answered: None,
        }
    }
}

impl<T> Finding<T> {
    /// Whether it is to be asked now; from now on it is.
    fn begin(&mut self, rest: impl Fn(bool) -> Duration) -> bool {
        let fresh = self
            .answered
            .as_ref()
            .is_some_and(|(when, answer)| when.elapsed() < rest(answer.is_ok()));
        let begins = self.asked.is_none() && !fresh;
        if begins {
            self.asked = Some(Instant::now());
        }
        begins
    }

    /// It has answered. Tells whether it was well before.
    fn end(&mut self, answer: Result<T, String>) -> bool {
        self.asked = None;
        let before = self.answered.replace((Instant::now(), answer));
        matches!(before, Some((_, Ok(_))))
    }

    fn is_known(&self) -> bool {
        self.answered.is_some()
    }

    /// What is to be said of it: what it answered last, unless it has worked since then, or answers late. No answer is
    /// given where it works for others and has not been asked.
    fn judge(&self, now: Instant, worked: Option<Instant>, patience: Duration) -> Result<Option<&T>, String> {
        let well = match &self.answered {
            Some((when, Ok(_))) => worked.max(Some(*when)),
            _ => worked,
        };
        if let Some(asked) = self.asked {
            let late = now.saturating_duration_since(asked);
            if late > patience && well.is_none_or(|well| well < asked) {
                return Err(format!("it has not answered for {} ms", late.as_millis()));
            }
        }
        match &self.answered {
            Some((when, Err(error))) if well.is_none_or(|well| well <= *when) => Err(error.clone()),
            Some((_, Ok(answer))) => Ok(Some(answer)),
            None if well.is_none() => Err(NOT_TRIED.to_owned()),
            _ => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = PATIENCE;
    const MOMENT: Duration = Duration::from_millis(1);

    fn finding(asked: Option<Instant>, answered: Option<(Instant, Result<(), String>)>) -> Finding<()> {
        Finding { asked, answered }
    }

    #[test]
    fn a_device_that_failed_is_ready_again_as_soon_as_a_client_got_a_key() {
        let start = Instant::now();
        let failed = finding(None, Some((start, Err("away".into()))));
        assert_eq!(failed.judge(start, None, PATIENCE), Err("away".into()));
        assert_eq!(
            failed.judge(start, start.checked_sub(MOMENT), PATIENCE),
            Err("away".into())
        );
        assert_eq!(
            failed.judge(start + MOMENT, Some(start + MOMENT), PATIENCE),
            Ok(None)
        );
    }

    #[test]
    fn a_device_that_answers_late_is_not_ready_unless_others_are_answered() {
        let start = Instant::now();
        let asked = finding(Some(start + INTERVAL), Some((start, Ok(()))));
        assert_eq!(
            asked.judge(start + INTERVAL + PATIENCE, None, PATIENCE),
            Ok(Some(&()))
        );
        let late = start + INTERVAL + PATIENCE + MOMENT;
        assert!(asked.judge(late, None, PATIENCE).is_err());
        assert_eq!(
            asked.judge(late, Some(start + INTERVAL + MOMENT), PATIENCE),
            Ok(Some(&()))
        );
    }

    #[test]
    fn what_was_never_tried_is_not_ready() {
        let now = Instant::now();
        assert!(finding(None, None).judge(now, None, PATIENCE).is_err());
        assert!(finding(Some(now), None).judge(now, None, PATIENCE).is_err());
        assert_eq!(finding(None, None).judge(now, Some(now), PATIENCE), Ok(None));
    }

    #[test]
    fn nothing_is_asked_twice_at_a_time_or_again_at_once() {
        let mut finding = finding(None, None);
        assert!(finding.begin(|_| INTERVAL) && !finding.begin(|_| INTERVAL));
        assert!(!finding.end(Ok(())));
        assert!(!finding.begin(|_| INTERVAL));
        finding.answered = Instant::now().checked_sub(INTERVAL).map(|when| (when, Ok(())));
        assert!(finding.begin(|_| INTERVAL));
        assert!(finding.end(Err("away".into())));
    }
}
