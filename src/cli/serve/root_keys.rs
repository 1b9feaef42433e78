//! Root keys at a start: found, checked, their seal keys opened. What fails is tried again in the background.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::adapter::{RootKey, RootKeyId, RootKeyVersion, VersionState};
use crate::custody::{Actor, DeviceFault, Event, EventName};
use crate::job::{self, ClosedRootKeys, Unusable};
use crate::recorder::{Recorder, root_key_facts};
use crate::root_key::{BackendKind, RootKeys};
use crate::store::{self, SealKeys, Store, UnverifiedRootKey};

use super::identities::IdentityLoader;

/// The rest between two tries, where no device comes up meanwhile.
const REST: Duration = Duration::from_millis(500);

/// How long a start waits for a key manager. A device was waited for when it was started.
const PATIENCE: Duration = Duration::from_secs(3);

/// What opens the root keys of one kind of backend.
pub(super) struct Opener {
    kind: BackendKind,
    store: Arc<dyn Store>,
    root_keys: RootKeys,
    seal_keys: SealKeys,
    closed: ClosedRootKeys,
    said: Said,
}

/// What the log was told last of what can't be used: the same is not said at each try.
#[derive(Default)]
struct Said {
    root_keys: HashMap<RootKeyId, String>,
    rows: Vec<String>,
}

impl Said {
    /// Whether this is another reason than the last.
    fn is_new(&mut self, root_key: RootKeyId, reason: &str) -> bool {
        let before = self.root_keys.insert(root_key, reason.to_owned());
        before.is_none_or(|before| before != reason)
    }
}

/// What an opener still has to do.
pub(super) struct Due {
    /// Some root keys can't be used now, and may be later.
    pub(super) pending: bool,
    /// Other servers share the store, and make root keys too.
    pub(super) is_shared: bool,
}

/// How the opening of all root keys went.
pub(super) struct Opened {
    /// A record for each that was tried.
    pub(super) events: Vec<Event>,
    /// How many can be used.
    pub(super) usable: usize,
    /// Whether some can't now, and may later.
    pub(super) pending: bool,
}

impl Opener {
    pub(super) fn new(
        kind: BackendKind,
        store: Arc<dyn Store>,
        root_keys: RootKeys,
        seal_keys: SealKeys,
        closed: ClosedRootKeys,
    ) -> Self {
        Self {
            kind,
            store,
            root_keys,
            seal_keys,
            closed,
            said: Said::default(),
        }
    }

    /// Opens at a start what can be opened in a short time.
    pub(super) async fn open_first(&mut self) -> Result<Opened, store::Error> {
        let patience = (self.kind == BackendKind::KeyProtect).then_some(PATIENCE);
        self.open_all(patience).await
    }

    /// Opens each root key whose seal key is still closed; with `patience` what takes no longer.
    async fn open_all(&mut self, patience: Option<Duration>) -> Result<Opened, store::Error> {
        let listing = self.store.unverified_root_keys().await?;
        let mut opened = Opened {
            events: Vec::new(),
            usable: 0,
            pending: false,
        };
        // Nobody knows what holds these.
        if self.kind == BackendKind::Pkcs11 {
            self.tell_of_refused(&listing.refused, &mut opened.events);
        }
        let mut closed = Vec::new();
        for row in listing.rows.into_iter().filter(|row| self.is_for(row.claimed())) {
            if self.seal_keys.contains(row.claimed().id) {
                self.closed.forget(row.claimed().id);
                opened.usable += 1;
            } else {
                closed.push(row);
            }
        }
        let tried = join_all(closed.into_iter().map(|row| self.open(row, patience))).await;
        for (claimed, outcome) in tried {
            let event = event(&claimed);
            match outcome {
                Ok(root_key) => {
                    tracing::info!(root_key = %root_key.name, backend = %root_key.backend, "a root key is verified");
                    self.closed.forget(root_key.id);
                    opened.usable += 1;
                    opened.events.push(event);
                    self.verify_earlier(&root_key, &mut opened.events).await?;
                }
                Err(error) => {
                    let retryable = error.is_retryable();
                    self.closed.remember(&claimed, &error);
                    if self.said.is_new(claimed.id, &error.to_string()) {
                        tracing::error!(
                            root_key = %claimed.name, backend = %claimed.backend, %error,
                            "a root key can't be used: clients of its adapters are refused{}",
                            if retryable { " until it can; it is tried again" } else { "" }
                        );
                    }
                    opened.pending |= retryable;
                    opened.events.push(failed(event, &error));
                }
            }
        }
        Ok(opened)
    }

    fn is_for(&self, root_key: &RootKey) -> bool {
        let backend = self.root_keys.for_root(root_key);
        backend.map_or(BackendKind::Pkcs11, |backend| backend.kind()) == self.kind
    }

    fn tell_of_refused(&mut self, refused: &[store::Error], events: &mut Vec<Event>) {
        for error in refused.iter().map(ToString::to_string) {
            if !self.said.rows.contains(&error) {
                tracing::error!(%error, "a root key's row can't be read");
                self.said.rows.push(error.clone());
            }
            events.push(Event::new(EventName::StoreTampered, Actor::Server).refused(error));
        }
    }

    async fn open(
        &self,
        row: UnverifiedRootKey,
        patience: Option<Duration>,
    ) -> (RootKey, Result<RootKey, Unusable>) {
        let claimed = row.claimed().clone();
        let opening = job::open(&self.root_keys, &self.seal_keys, row);
        let outcome = match patience {
            None => opening.await,
            Some(patience) => timeout(patience, opening).await.unwrap_or(Err(Unusable::Late)),
        };
        (claimed, outcome)
    }

    /// Compares each earlier version in its backend with its row. One that fails makes the keys under it unreadable, and no
    /// others. What was destroyed, or is to be, is not looked for.
    async fn verify_earlier(&self, root_key: &RootKey, events: &mut Vec<Event>) -> Result<(), store::Error> {
        if root_key.state.is_beyond_recall() {
            return Ok(());
        }
        let listing = self.store.earlier_versions(root_key.id).await?;
        for error in listing.refused {
            tracing::error!(%error, "an earlier version of a root key can't be read");
            events.push(Event::new(EventName::StoreTampered, Actor::Server).refused(error.to_string()));
        }
        let kept = |version: &RootKeyVersion| version.state == VersionState::Kept;
        for version in listing.rows.into_iter().filter(kept) {
            let earlier = root_key.at(&version);
            let verified = match self.root_keys.for_root(&earlier) {
                Ok(backend) => backend.verify(&earlier).await,
                Err(error) => Err(error),
            };
            events.push(match verified {
                Ok(()) => event(&earlier),
                Err(error) => {
                    tracing::error!(
                        root_key = %earlier.name, version = earlier.version, %error,
                        "an earlier version of a root key can't be used: keys that are still under it can't be read"
                    );
                    failed(event(&earlier), &error.into())
                }
            });
        }
        Ok(())
    }

    /// Opens what is still closed until nothing is left that may come back, and lets its clients in: at once where a
    /// device comes up, and again where another server may have made a root key.
    pub(super) async fn keep_trying(
        mut self,
        mut due: Due,
        recorder: Recorder,
        identities: Arc<IdentityLoader>,
        mut came_up: watch::Receiver<()>,
    ) {
        let (mut usable, mut current) = (0, true);
        let mut said = String::new();
        let mut changes = recorder.subscribe();
        loop {
            if !due.pending {
                if !due.is_shared || changes.changed().await.is_err() {
                    return;
                }
            } else if let Ok(Err(_)) = timeout(REST, came_up.changed()).await {
                // There is nobody left to tell.
                sleep(REST).await;
            }
            let opened = match self.open_all(None).await {
                Ok(opened) => opened,
                Err(error) => {
                    let error = error.to_string();
                    if error != said {
                        tracing::error!(%error, "the root keys can't be read; it is tried again");
                        said = error;
                    }
                    due.pending = true;
                    continue;
                }
            };
            if opened.usable > usable {
                (usable, current) = (opened.usable, false);
                // Only what is new: that a device is still away was recorded at the start.
                for event in opened.events.into_iter().filter(|event| event.reason.is_none()) {
                    if let Err(error) = recorder.commit(Vec::new(), event).await {
                        tracing::error!(%error, "that a root key was verified could not be recorded");
                    }
                }
            }
            if !current {
                match identities.load().await {
                    Ok(()) => current = true,
                    Err(error) => tracing::error!(%error, "the client certificates can't be read"),
                }
            }
            due.pending = opened.pending || !current;
        }
    }
}

fn event(root_key: &RootKey) -> Event {
    let mut event = Event::new(EventName::RootKeyVerify, Actor::Server).detail("name", &root_key.name);
    event.root_key = Some(root_key_facts(root_key));
    event
}

fn failed(event: Event, error: &Unusable) -> Event {
    let mut event = event.failed(error.to_string());
    if let Unusable::Backend(error) = error {
        event.device = error.function().map(|(function, code, name)| DeviceFault {
            function: function.to_owned(),
            code,
            name: name.to_owned(),
        });
    }
    event
}
