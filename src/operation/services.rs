//! What operations need from the rest of the server.

use std::sync::Arc;

use super::asynchronous::Asynchronous;
use super::at_hand::AtHand;
use super::clock::Clock;
use super::names::NameLocks;
use super::passwords::Passwords;
use super::refusal::{Refusal, Tampered};
use super::streams::Streams;
use super::throttle::Throttle;
use super::tickets::Tickets;
use super::turns::Turns;
use crate::adapter::{AdapterId, Caller, Credentials, Quota, RootKey, RootKeyId};
use crate::custody::{EventName, ObjectFacts};
use crate::kmip::ttlv;
use crate::recorder::{self, Recorder};
use crate::root_key::{Pieces, RootKeys};
use crate::store::{self, Settings, Store, WrappedUnder};

/// Bounds on what one request can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// What the reader of messages takes.
    pub message: ttlv::Limits,
    /// The most items of a batch. Default: 1,000.
    pub batch_items: usize,
    /// The most objects that one Locate answers with. Default: 10,000.
    pub located_items: usize,
    /// Whether keys may be used in the server for what the device can't do with them. Default: no.
    pub cryptography_in_server: bool,
    /// What becomes of seeds for the device's generator of random numbers. Default: all of them are taken.
    pub random_seed: RandomSeed,
}

/// What becomes of a seed that a client brings for the device's generator of random numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RandomSeed {
    /// The device is given all of it.
    #[default]
    All,
    /// The device is given so many bytes of it.
    AtMost(usize),
    /// It is refused.
    Refuse,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message: ttlv::Limits::default(),
            batch_items: 1_000,
            located_items: 10_000,
            cryptography_in_server: false,
            random_seed: RandomSeed::All,
        }
    }
}

/// What operations work with. One for the whole server.
pub struct Services {
    pub(super) store: Arc<dyn Store>,
    pub(super) recorder: Recorder,
    pub(super) root_keys: RootKeys,
    pub(super) clock: Clock,
    pub(super) limits: Limits,
    /// Where the same is served over HTTPS.
    pub(super) https_port: Option<u16>,
    pub(super) names: NameLocks,
    pub(super) streams: Streams,
    pub(super) tickets: Tickets,
    pub(super) passwords: Passwords,
    pub(super) asynchronous: Asynchronous,
    pub(super) turns: Turns,
    pub(super) throttle: Throttle,
    at_hand: AtHand,
}

impl Services {
    /// Operations over this store and these root keys.
    pub fn new(
        store: Arc<dyn Store>,
        recorder: Recorder,
        root_keys: RootKeys,
        clock: Clock,
        limits: Limits,
    ) -> Self {
        let at_hand = AtHand::new(recorder.subscribe());
        Self {
            store,
            recorder,
            root_keys,
            clock,
            limits,
            https_port: None,
            names: NameLocks::new(),
            streams: Streams::default(),
            tickets: Tickets::default(),
            passwords: Passwords::default(),
            asynchronous: Asynchronous::default(),
            turns: Turns::default(),
            throttle: Throttle::default(),
            at_hand,
        }
    }

    /// The same, told that clients reach it over HTTPS at this port, too.
    #[must_use]
    pub fn served_over_https(self, port: Option<u16>) -> Self {
        Self {
            https_port: port,
            ..self
        }
    }

    /// Returns when every request that was put off has been carried out, and takes on none any more.
    pub async fn close(&self) {
        self.asynchronous.close().await;
    }

    /// The root key that new keys of an adapter are wrapped under.
    pub(super) async fn root_key_of(&self, adapter: AdapterId) -> Result<Arc<RootKey>, Refusal> {
        let read = async || {
            let adapter = self.store.adapter(adapter).await?;
            Ok(adapter.map(|adapter| adapter.root_key))
        };
        let id = self
            .at_hand
            .get(|kinds| &mut kinds.root_key_of, adapter, read)
            .await
            .map_err(|error| Refusal::of_store(&error))?
            .ok_or_else(|| Refusal::incomplete("the client's adapter does not exist any more"))?;
        self.root_key(*id).await
    }

    /// What is set for all objects of an adapter.
    pub(super) async fn settings(&self, adapter: AdapterId) -> Result<Arc<Settings>, Refusal> {
        let read = async || self.store.settings(adapter).await.map(Some);
        let settings = self.at_hand.get(|kinds| &mut kinds.settings, adapter, read).await;
        settings
            .map(Option::unwrap_or_default)
            .map_err(|error| Refusal::of_store(&error))
    }

    /// The bounds that are set for an adapter.
    pub(super) async fn quota(&self, adapter: AdapterId) -> Result<Quota, Refusal> {
        let read = async || {
            let found = self.store.quota(adapter).await?;
            Ok(Some(found.map(|found| found.quota).unwrap_or_default()))
        };
        let quota = self.at_hand.get(|kinds| &mut kinds.quotas, adapter, read).await;
        let quota = quota.map_err(|error| Refusal::of_store(&error))?;
        Ok(quota.as_deref().copied().unwrap_or_default())
    }

    /// The users of an adapter.
    pub(super) async fn credentials(&self, adapter: AdapterId) -> Result<Arc<Credentials>, Refusal> {
        let read = async || {
            let settings = self.store.settings(adapter).await?;
            let credentials = Credentials::from_document(settings.credentials.as_deref());
            credentials.map(Some).map_err(|error| store::Error::Unfit {
                what: "the users of an adapter",
                why: error.to_string(),
            })
        };
        let credentials = self
            .at_hand
            .get(|kinds| &mut kinds.credentials, adapter, read)
            .await;
        credentials
            .map(Option::unwrap_or_default)
            .map_err(|error| Refusal::of_store(&error))
    }

    /// A root key by its identifier. Refused where it is not enabled.
    async fn root_key(&self, id: RootKeyId) -> Result<Arc<RootKey>, Refusal> {
        let root_key = self.any_root_key(id).await?;
        if root_key.state.is_enabled() {
            Ok(root_key)
        } else {
            Err(Refusal::root_key_unusable(&root_key.state))
        }
    }

    /// A root key by its identifier, whatever its state.
    pub(super) async fn any_root_key(&self, id: RootKeyId) -> Result<Arc<RootKey>, Refusal> {
        self.at_hand
            .get(
                |kinds| &mut kinds.root_keys,
                id,
                async || self.store.root_key(id).await,
            )
            .await
            .map_err(|error| Refusal::of_store(&error))?
            .ok_or_else(|| Refusal::incomplete("the root key of the object does not exist"))
    }

    /// Has the device forget what it keeps open of a value that is not to be released any more. What can't be told to it now
    /// is over after its time: the key's row refuses a release before the device is asked.
    pub(super) async fn forget(&self, held: Option<&(Pieces, WrappedUnder)>) {
        let Some((pieces, wrapped)) = held else { return };
        if let Ok(root_key) = self.root_key_at(wrapped.root_key, wrapped.version).await
            && let Ok(backend) = self.root_keys.for_root(&root_key)
        {
            pieces.forget(&*backend, &root_key, &wrapped.kek).await;
        }
    }

    /// A root key as it is at one of its versions.
    pub(super) async fn root_key_at(&self, id: RootKeyId, version: u32) -> Result<Arc<RootKey>, Refusal> {
        let root_key = self.root_key(id).await?;
        if root_key.version == version {
            return Ok(root_key);
        }
        let earlier = self
            .store
            .earlier_versions(id)
            .await
            .map_err(|error| Refusal::of_store(&error))?
            .rows
            .into_iter()
            .find(|earlier| earlier.version == version);
        if let Some(earlier) = earlier {
            return Ok(Arc::new(root_key.at(&earlier)));
        }
        // A rotation was committed after `root_key` was taken from what is at hand.
        let now = self
            .store
            .root_key(id)
            .await
            .map_err(|error| Refusal::of_store(&error))?
            .filter(|now| now.version == version);
        now.map(Arc::new)
            .ok_or_else(|| Refusal::incomplete("the version of the root key of the object does not exist"))
    }

    /// Records that a row was found changed by another hand. What the client hears does not depend on it.
    pub(super) async fn report_tampered(&self, caller: &Caller, tampered: &Tampered) {
        let mut event = recorder::by_client(EventName::StoreTampered, caller)
            .refused(format!(
                "the row {} of {}: {}",
                tampered.id, tampered.table, tampered.what
            ))
            .detail("table", &tampered.table);
        event.object = Some(ObjectFacts {
            identifier: tampered.id.clone(),
            ..ObjectFacts::default()
        });
        tracing::error!(table = %tampered.table, id = %tampered.id, what = %tampered.what,
            "a row was changed by another hand and is refused");
        if let Err(error) = self.recorder.commit(Vec::new(), event).await {
            tracing::error!(%error, "that a row was changed by another hand could not be recorded");
        }
    }
}
