//! What every resource works with, and how a change is carried out: to its end, and on the record.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use time::OffsetDateTime;
use tokio::sync::Mutex;
use tokio_util::task::TaskTracker;

use super::Caller;
use super::refusal::{Kind, Refusal};
use crate::adapter::{Adapter, RootKey};
use crate::custody::{Actor, AdapterFacts, Event, EventName, Policy};
use crate::job::{self, Feeds, Jobs, Readiness, Unusable};
use crate::recorder::Recorder;
use crate::root_key::RootKeys;
use crate::store::{self, Change, Listing, SealKeys, Store, UnverifiedRootKey};
use crate::tls::RenewalTrouble;

/// Who is to know at once that other client certificates, or other adapters, are let in.
#[async_trait]
pub trait ReloadIdentities: Send + Sync {
    /// Reads them again. A new connection made after it returns is judged by what was committed before.
    ///
    /// An error says why the old ones are still in force.
    async fn reload(&self) -> Result<(), String>;
}

/// What the server says of itself.
#[derive(Clone, Debug)]
pub struct ServerFacts {
    /// The program's version.
    pub version: String,
    /// When it started.
    pub started_at: OffsetDateTime,
    /// Where it speaks KMIP.
    pub kmip_addresses: Vec<String>,
    /// The shortest time between the request for a root key's destruction and the destruction.
    pub destruction_waiting_time: Duration,
    /// The witnesses of the custody log and their quorum; none where nobody cosigns it.
    pub witnesses: Option<Policy>,
    /// Where a bundle of the log is made before it is sent: it may become as large as the log.
    pub bundle_directory: PathBuf,
    /// How its backups are made.
    pub backups: super::Backups,
    /// The files of its own certificates.
    pub certificates: Vec<PathBuf>,
    /// What of the configuration waits for a restart.
    pub needs_restart: super::NeedsRestart,
    /// Why its certificate could not be renewed.
    pub renewal: RenewalTrouble,
    /// How long before its end a certificate is warned of.
    pub warn_before_expiry: Duration,
}

/// A root key of the store.
pub(super) enum Found {
    /// Verified.
    Open(RootKey),
    /// What the row claims, until the seal key is open.
    Closed(UnverifiedRootKey),
}

/// What the administration interface works with.
pub struct Administration {
    store: Arc<dyn Store>,
    recorder: Recorder,
    root_keys: RootKeys,
    readiness: Readiness,
    seal_keys: SealKeys,
    identities: Arc<dyn ReloadIdentities>,
    jobs: Jobs,
    server: ServerFacts,
    /// Changes are made one after another: what one of them has looked at still holds when it commits.
    changes: Mutex<()>,
    /// Who has asked for a new epoch of the custody log.
    epoch: Mutex<Option<super::epoch::Asked>>,
    /// Who has asked to let records of the custody log go.
    pruning: Mutex<super::pruning::Asked>,
    /// Who has asked to revoke or destroy keys by a list.
    key_lists: Mutex<super::key_lists::AllAsked>,
    /// Bundles of the log are made one after another.
    bundles: Mutex<()>,
    /// Those under way, also where nobody waits for them any more.
    under_way: TaskTracker,
}

impl Administration {
    /// The interface's work on these. From now on the root keys are tried in the background: this needs a tokio runtime.
    pub fn new(
        store: Arc<dyn Store>,
        recorder: Recorder,
        root_keys: RootKeys,
        seal_keys: SealKeys,
        identities: Arc<dyn ReloadIdentities>,
        jobs: Jobs,
        server: ServerFacts,
    ) -> Self {
        let readiness = Readiness::start(Arc::clone(&store), root_keys.clone());
        Self {
            store,
            recorder,
            root_keys,
            readiness,
            seal_keys,
            identities,
            jobs,
            server,
            changes: Mutex::new(()),
            epoch: Mutex::new(None),
            pruning: Mutex::default(),
            key_lists: Mutex::default(),
            bundles: Mutex::new(()),
            under_way: TaskTracker::new(),
        }
    }

    pub(super) fn store(&self) -> &dyn Store {
        &*self.store
    }

    pub(super) fn shared_store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }

    pub(super) const fn bundles(&self) -> &Mutex<()> {
        &self.bundles
    }

    pub(super) fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    pub(super) fn root_keys(&self) -> &RootKeys {
        &self.root_keys
    }

    pub(super) fn readiness(&self) -> &Readiness {
        &self.readiness
    }

    pub(super) fn feeds(&self) -> &Feeds {
        &self.jobs.feeds
    }

    pub(super) fn seal_keys(&self) -> &SealKeys {
        &self.seal_keys
    }

    pub(super) fn jobs(&self) -> &Jobs {
        &self.jobs
    }

    pub(super) fn epoch_asked(&self) -> &Mutex<Option<super::epoch::Asked>> {
        &self.epoch
    }

    pub(super) fn pruning_asked(&self) -> &Mutex<super::pruning::Asked> {
        &self.pruning
    }

    pub(super) fn key_lists_asked(&self) -> &Mutex<super::key_lists::AllAsked> {
        &self.key_lists
    }

    /// What is carried out to its end, though nobody waits for it.
    pub(super) fn under_way(&self) -> &TaskTracker {
        &self.under_way
    }

    pub(super) fn destruction_waiting_time(&self) -> Duration {
        self.server.destruction_waiting_time
    }

    pub(super) fn server(&self) -> &ServerFacts {
        &self.server
    }

    /// The adapter of this name or identifier.
    pub(super) async fn adapter(&self, name: &str) -> Result<Adapter, Refusal> {
        let found = match name.parse() {
            Ok(id) => self.store.adapter(id).await?,
            Err(_) => self.store.adapter_named(name).await?,
        };
        found.ok_or_else(|| {
            Refusal::not_found("adapter", name).remedy("`claviger adapter list` shows those that there are")
        })
    }

    /// The root key of this name or identifier.
    pub(super) async fn root_key(&self, name: &str) -> Result<RootKey, Refusal> {
        let found = match name.parse() {
            Ok(id) => self.store.root_key(id).await?,
            Err(_) => self.store.root_key_named(name).await?,
        };
        found.ok_or_else(|| {
            Refusal::not_found("root key", name).remedy("`claviger root-key list` shows those that there are")
        })
    }

    /// The root key of this name or identifier, also where its seal key is closed: its backend has not had it since the
    /// start. Then all of the row is a claim.
    pub(super) async fn root_key_or_claim(&self, name: &str) -> Result<Found, Refusal> {
        let found = match name.parse() {
            Ok(id) => self.store.root_key(id).await,
            Err(_) => self.store.root_key_named(name).await,
        };
        if !matches!(found, Err(store::Error::SealKeyMissing { .. })) {
            return self.root_key(name).await.map(Found::Open);
        }
        let is_meant = |row: &UnverifiedRootKey| {
            let claimed = row.claimed();
            claimed.name == name || claimed.id.to_string() == name
        };
        let mut rows = self.store.unverified_root_keys().await?.rows.into_iter();
        let row = rows.find(is_meant);
        row.map(Found::Closed)
            .ok_or_else(|| Refusal::not_found("root key", name))
    }

    /// Opens the seal key of a root key that its backend has again, and lets its clients in.
    pub(super) async fn open(&self, row: UnverifiedRootKey) -> Result<RootKey, Refusal> {
        let opened = job::open(&self.root_keys, &self.seal_keys, row).await;
        let root_key = opened.map_err(|error| match error {
            Unusable::Backend(error) => Refusal::from(error),
            Unusable::Row(error) => error.into(),
            late @ Unusable::Late => Refusal::new(Kind::BackendFailed, late.to_string()),
        })?;
        self.jobs.closed.forget(root_key.id);
        self.reload_identities().await?;
        Ok(root_key)
    }

    /// The event, with the adapter that `name` means, where there is one; with the name itself in any case.
    pub(super) async fn about_adapter(&self, event: Event, name: &str) -> Event {
        let found = self.adapter(name).await.ok();
        let adapter = found.map(|adapter| AdapterFacts {
            id: adapter.id.uuid(),
            name: adapter.name,
        });
        Event {
            adapter,
            ..event.detail("adapter", name)
        }
    }

    /// Writes changes and the record that tells of them, or neither.
    pub(super) async fn commit(&self, changes: Vec<Change>, event: Event) -> Result<(), Refusal> {
        self.recorder.commit(changes, event).await?;
        Ok(())
    }

    /// Has the endpoint judge by what is committed now.
    pub(super) async fn reload_identities(&self) -> Result<(), Refusal> {
        self.identities.reload().await.map_err(|why| {
            Refusal::new(
                Kind::Internal,
                format!(
                    "the change is stored and recorded, but the KMIP endpoint still judges as before: {why}"
                ),
            )
            .remedy("start the server again")
        })
    }

    /// Carries out a change that an administrator asked for.
    ///
    /// It runs to its end even where nobody waits for it any more, alone among the changes of this interface.
    /// Where it is refused or fails, that is recorded as the same `event`.
    pub(super) async fn carry_out<T, F>(
        self: &Arc<Self>,
        event: Event,
        change: impl FnOnce(Arc<Self>, Event) -> F + Send + 'static,
    ) -> Result<T, Refusal>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Refusal>> + Send,
    {
        if let Some(rollback) = self.recorder.held() {
            // Nothing is begun that can't be recorded.
            return Err(crate::recorder::Error::Held(rollback).into());
        }
        let this = Arc::clone(self);
        let task = self.under_way.spawn(async move {
            let _alone = this.changes.lock().await;
            let done = change(Arc::clone(&this), event.clone()).await;
            match done {
                Ok(done) => Ok(done),
                Err(refusal) => Err(this.record_refusal(event, refusal).await),
            }
        });
        task.await.unwrap_or_else(|error| {
            Err(
                Refusal::new(Kind::Internal, format!("the change broke off: {error}"))
                    .remedy("read the resource before repeating the change, and look at the server's log"),
            )
        })
    }

    /// What is about to expire, or has, a sentence each.
    ///
    /// # Errors
    /// Why the certificates can't be read.
    pub async fn expiring(&self) -> Result<Vec<String>, store::Error> {
        let certificates = self.store.certificates(None).await?.rows;
        Ok(super::expiry::told(self, &certificates).await)
    }

    /// Waits for the changes under way. There must be no new ones.
    pub(super) async fn finish(&self) {
        self.under_way.close();
        self.under_way.wait().await;
    }

    /// Records a refusal. Where that fails too, the refusal says so.
    pub(super) async fn record_refusal(&self, event: Event, refusal: Refusal) -> Refusal {
        let event = match refusal.kind() {
            // There is no log to write this into.
            Kind::Unavailable => return refusal,
            Kind::Internal | Kind::BackendFailed | Kind::Tampered => event.failed(refusal.message()),
            _ => event.refused(refusal.message()),
        };
        match self.recorder.commit(Vec::new(), event).await {
            Ok(_) => refusal,
            Err(error) => refusal.and(&format!("that this was asked for is not recorded: {error}")),
        }
    }

    /// The rows of a listing and what to tell of those that cannot be trusted, after that is recorded.
    pub(super) async fn trusted<T>(
        &self,
        listing: Listing<T>,
        caller: &Caller,
    ) -> Result<(Vec<T>, Vec<String>), Refusal> {
        self.trusted_by(listing, &caller.actor()).await
    }

    /// The same, for whoever looks.
    pub(super) async fn trusted_by<T>(
        &self,
        listing: Listing<T>,
        actor: &Actor,
    ) -> Result<(Vec<T>, Vec<String>), Refusal> {
        let is_closed = |error: &&store::Error| matches!(error, store::Error::SealKeyMissing { .. });
        let (closed, tampered): (Vec<_>, Vec<_>) = listing.refused.iter().partition(is_closed);
        let [closed, tampered] =
            [closed, tampered].map(|errors| errors.into_iter().map(ToString::to_string).collect::<Vec<_>>());
        // What can't be judged was not changed for that.
        self.record_tampering_found_by(&tampered, actor).await?;
        Ok((listing.rows, tampered.into_iter().chain(closed).collect()))
    }

    /// Records rows that were found changed by another hand.
    pub(super) async fn record_tampering(&self, found: &[String], caller: &Caller) -> Result<(), Refusal> {
        self.record_tampering_found_by(found, &caller.actor()).await
    }

    /// The same, by whoever looked.
    pub(super) async fn record_tampering_found_by(
        &self,
        found: &[String],
        actor: &Actor,
    ) -> Result<(), Refusal> {
        if self.recorder.held().is_some() {
            return Ok(());
        }
        for what in found {
            let event = Event::new(EventName::StoreTampered, actor.clone()).refused(what);
            self.commit(Vec::new(), event).await?;
        }
        Ok(())
    }
}

/// The present time, as exactly as a store keeps it.
pub(super) fn now() -> OffsetDateTime {
    let now = OffsetDateTime::now_utc();
    now.replace_microsecond(now.microsecond()).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_was_made_reads_the_same_after_it_was_stored() {
        assert_eq!(super::now().nanosecond() % 1000, 0);
    }
}
