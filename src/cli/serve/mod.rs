//! `claviger serve`: the server, started part by part and stopped in the opposite order.
//!
//! The order of a start: the process is protected, the state directory locked, the KMIP sockets bound (so that a port
//! that is taken stops the start before anything is recorded), the store opened, the devices started, each root key
//! compared with its record and its seal key opened, the custody log continued with `server.start`, the administration
//! socket opened, and at last KMIP answered. A device that does not answer does not keep the server from starting, nor does
//! a key manager that is out of reach: see [`devices`] and [`root_keys`].

mod custody;
mod devices;
mod error;
mod feeds;
mod holders;
mod identities;
mod jobs;
mod listeners;
pub(super) mod logging;
pub(super) mod process;
mod reload;
mod renewal;
mod root_keys;
mod traces;
mod witnesses;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use claviger_hsm::WorkerCommand;
use futures_util::future::try_join_all;
use time::OffsetDateTime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::backup;
use super::database;
use super::device::device_config;
use super::exit::{Exit, Failure};
use super::key_protect::key_protect_backend;
use crate::admin::{self, Administration, Admitted, NeedsRestart, ServerFacts, Socket};
use crate::backup::Restored;
use crate::config::{self, Config, CustodySigner, Problems, RngSeed, Severity, WhenAbsent};
use crate::custody::{Actor, Event, EventName, Hash};
use crate::endpoint::{Endpoint, Identities, Services};
use crate::job::feed::Delivery;
use crate::job::{ClosedRootKeys, Feeds, Jobs, RetentionPolicy, Turn};
use crate::kmip::ttlv;
use crate::operation::{self, Clock, Limits, RandomSeed};
use crate::recorder::{self, KnownHead, NodeFacts, Recorder};
use crate::root_key::key_protect::KeyProtectBackend;
use crate::root_key::{BackendKind, RootKeys};
use crate::store::{Database, SealKeys, Store};
use crate::tls::RenewalTrouble;

use devices::Devices;
pub use error::Error;
pub(super) use holders::Holders;
use identities::IdentityLoader;
use listeners::Listeners;
use process::StateLock;
use root_keys::{Due, Opener};
use traces::Traces;
pub(super) use witnesses::policy as witness_policy;

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// A server that answers.
pub struct Running {
    services: Serving,
    store: Database,
    devices: Devices,
    // The last to go, so that no other server comes while this one still writes.
    _lock: StateLock,
}

/// The parts that talk to others and write records.
struct Serving {
    endpoint: Endpoint,
    admin: JoinHandle<()>,
    web: Option<JoinHandle<()>>,
    metrics: Option<JoinHandle<()>>,
    admin_socket: PathBuf,
    needs_restart: NeedsRestart,
    stop_admin: CancellationToken,
    background: Vec<JoinHandle<()>>,
    /// What this server may be doing of what one does at a time.
    turns: Vec<Turn>,
    operations: Arc<operation::Services>,
    recorder: Recorder,
    /// What keeps the head of the log outside of the store; ends after the recorder.
    known: JoinHandle<()>,
}

/// Runs the server until the process is told to stop.
pub(super) fn run(config: Config) -> Result<Exit, Failure> {
    let traces = Traces::wanted(&config)?;
    logging::start(&config.log, traces.as_ref());
    let ended = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Error::Runtime)
        .and_then(|runtime| runtime.block_on(until_told(config)))
        .map(|()| Exit::Done)
        .map_err(|error| {
            let failure = Failure::new(error.to_string());
            match error.remedy() {
                Some(remedy) => failure.remedy(remedy),
                None => failure,
            }
        });
    if let Some(traces) = traces {
        traces.stop();
    }
    ended
}

async fn until_told(mut config: Config) -> Result<(), Error> {
    // Taken before the start, so that a server that is told to stop meanwhile stops in order too.
    let mut terminate = signal(SignalKind::terminate()).map_err(Error::Runtime)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Error::Runtime)?;
    let mut hang_up = signal(SignalKind::hangup()).map_err(Error::Runtime)?;
    let worker = WorkerCommand::this_program().map_err(Error::Program)?;
    let running = start(config.clone(), worker).await?;
    process::notify_systemd("READY=1");
    tokio::spawn(process::answer_watchdog());
    let broken = loop {
        tokio::select! {
            _ = terminate.recv() => {
                tracing::info!("SIGTERM: the server stops");
                break None;
            }
            _ = interrupt.recv() => {
                tracing::info!("SIGINT: the server stops");
                break None;
            }
            why = running.services.recorder.broken() => break Some(why),
            _ = hang_up.recv() => {}
        }
        running.reload(&mut config).await;
    };
    process::notify_systemd("STOPPING=1");
    running.stop().await;
    match broken {
        None => Ok(()),
        Some(why) => Err(recorder::Error::BrokenLog { why }.into()),
    }
}

/// Starts a server. It answers when this returns.
///
/// `worker` is the command that hosts a device: this program's `device-worker`.
///
/// # Errors
/// What stands against a start; nothing is left running then.
pub async fn start(config: Config, worker: WorkerCommand) -> Result<Running, Error> {
    renewal::finish(&config);
    let (errors, warnings): (Vec<_>, Vec<_>) = config::check(&config)
        .into_iter()
        .partition(|problem| problem.severity == Severity::Error);
    Problems::none_of(errors)?;
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    process::protect_memory()?;
    let key_managers = key_managers(&config)?;
    let lock = process::lock_state_directory(&config.state_directory)?;
    let listeners = Listeners::bind(&config).await?;
    let store = database::open(&config, SealKeys::new()).await?;
    let software = match &config.custody.signer {
        CustodySigner::Software(token) => Some(device_config(token)),
        _ => None,
    };
    let devices = config.devices.iter().map(device_config).collect();
    let devices = Devices::start(devices, software, &worker).await;
    let root_keys = devices.root_keys(&config.mirrors, &key_managers);
    match serve(&config, listeners, &store, root_keys, &devices).await {
        Ok(services) => {
            tracing::info!(
                node = %config.node, version = VERSION, kmip = ?services.endpoint.addresses(),
                https = ?services.endpoint.https_addresses(),
                admin = %services.admin_socket.display(), "the server is ready"
            );
            Ok(Running {
                services,
                store,
                devices,
                _lock: lock,
            })
        }
        Err(error) => {
            devices.shutdown().await;
            store.close().await;
            Err(error)
        }
    }
}

/// What speaks to the instances of the key manager. It asks nobody yet, and heals by itself.
fn key_managers(config: &Config) -> Result<Vec<KeyProtectBackend>, Error> {
    let instances = config.key_protect.iter();
    let backends = instances.map(|instance| {
        key_protect_backend(instance).map_err(|source| Error::KeyProtect {
            name: instance.name.clone(),
            source,
        })
    });
    backends.collect()
}

/// What the configuration says of the operations.
fn limits_of(config: &Config) -> Limits {
    Limits {
        message: ttlv::Limits {
            message_size: config.kmip.limits.request_bytes,
            ..ttlv::Limits::default()
        },
        cryptography_in_server: config.kmip.cryptography_in_server,
        random_seed: match config.kmip.rng_seed {
            RngSeed::All => RandomSeed::All,
            RngSeed::AtMost(bytes) => RandomSeed::AtMost(bytes),
            RngSeed::Refuse => RandomSeed::Refuse,
        },
        ..Limits::default()
    }
}

async fn serve(
    config: &Config,
    listeners: Listeners,
    database: &Database,
    root_keys: RootKeys,
    devices: &Devices,
) -> Result<Serving, Error> {
    let (store, seal_keys) = (database.reading(), database.seal_keys().clone());
    let is_shared = store.elsewhere().is_some();
    // What is out of reach holds up neither the start nor the others.
    let closed = ClosedRootKeys::default();
    let mut openers = [BackendKind::Pkcs11, BackendKind::KeyProtect].map(|kind| {
        let (root_keys, seal_keys) = (root_keys.clone(), seal_keys.clone());
        Opener::new(kind, store.clone(), root_keys, seal_keys, closed.clone())
    });
    // From before the first look, so that nothing that comes up after it is missed.
    let came_up = devices.came_up();
    let found = try_join_all(openers.iter_mut().map(Opener::open_first)).await?;

    let (events, pending): (Vec<_>, Vec<_>) = found
        .into_iter()
        .map(|found| (found.events, found.pending))
        .unzip();
    let addresses = listeners.kmip_addresses();
    let (recorder, known) =
        begin_log(config, database, devices, listeners.started(), events.concat()).await?;

    let identities = Identities::default();
    let loader = Arc::new(IdentityLoader::new(store.clone(), identities.clone()));
    loader.load().await?;
    if identities.is_empty() {
        tracing::warn!("no client certificate is admitted yet: claviger certificate add ADAPTER FILE");
    }

    // Everything that can still fail is made before the first task runs.
    let admitted = Admitted::own_user().with(&config.admin.administrators)?;
    let socket = Socket::bind(&config.admin.socket)?;
    socket.open_to(&admitted)?;
    let admin_socket = socket.path().to_owned();
    let operations = operation::Services::new(
        store.clone(),
        recorder.clone(),
        root_keys.clone(),
        Clock::system(),
        limits_of(config),
    );
    let operations = Arc::new(operations.served_over_https(listeners.https_port()));
    let feeds = Feeds::default();
    // Another start of this server is another holder.
    let holder = format!("{} {}", config.node, Uuid::new_v4());
    let (delivering, mut turns) = deliver(config, &store, &recorder, &feeds, &holder)?;
    let endpoint = Endpoint::start(
        &config.kmip,
        listeners.endpoint,
        Services {
            answer: Arc::new(Arc::clone(&operations)),
            identities,
            refusals: Arc::new(recorder.clone()),
            refused_certificates: config.state_directory.join("refused"),
        },
    )?;
    let facts = server_facts(config, addresses)?;
    let needs_restart = facts.needs_restart.clone();
    let renewal_trouble = facts.renewal.clone();
    let mut jobs = Jobs::new(store.clone(), recorder.clone(), root_keys.clone());
    jobs.closed = closed;
    jobs.feeds = feeds;
    jobs.retention.policy = retention_policy(config);
    let administration = Arc::new(Administration::new(
        store.clone(),
        recorder.clone(),
        root_keys,
        seal_keys,
        loader.clone(),
        jobs.clone(),
        facts,
    ));
    let stop_admin = CancellationToken::new();
    let served = Arc::clone(&administration);
    let web = listeners::serve_pages(listeners.web, &served, &stop_admin);
    let metrics = listeners::serve_metrics(listeners.metrics, &served, &stop_admin);
    let admin = tokio::spawn(admin::serve(socket, served, admitted, stop_admin.clone()));
    let known = tokio::spawn(known.follow(recorder.clone()));
    let turn = Turn::new(store, jobs::TURN, holder);
    turns.push(turn.clone());
    let working = jobs::work_when_released(turn, recorder.clone(), jobs);
    let mut background = vec![tokio::spawn(working)];
    background.extend(delivering);
    background.push(tokio::spawn(follow(recorder.clone(), Arc::clone(&loader))));
    if let Some(renewal) = renewal::of(config) {
        background.push(tokio::spawn(renewal::keep_renewed(renewal, renewal_trouble)));
    }
    background.push(tokio::spawn(warn_of_expiry(Arc::clone(&administration))));
    for (opener, pending) in openers.into_iter().zip(pending) {
        let due = Due { pending, is_shared };
        let trying = opener.keep_trying(due, recorder.clone(), Arc::clone(&loader), came_up.clone());
        background.push(tokio::spawn(trying));
    }
    Ok(Serving {
        endpoint,
        admin,
        web,
        metrics,
        admin_socket,
        needs_restart,
        stop_admin,
        background,
        turns,
        operations,
        recorder,
        known,
    })
}

/// Goes on with the custody log, records the start and what was found at it, and has the log signed from then on.
async fn begin_log(
    config: &Config,
    store: &Database,
    devices: &Devices,
    mut started: Event,
    found: Vec<Event>,
) -> Result<(Recorder, KnownHead), Error> {
    let cosigner = witnesses::cosigner(config.custody.witness.as_ref())?;
    let (recorder, known) = go_on_with_log(config, store).await?;
    let checkpoints = custody::checkpoints(config, devices, cosigner);
    if let Some(checkpoints) = &checkpoints {
        started = started.detail("custody_key", checkpoints.signer.key().to_string());
    }
    let restored = restored(config, store).await?;
    let has_restored = restored.is_some();
    let events = restored.into_iter().chain(std::iter::once(started)).chain(found);
    recorder.commit_at_start(events.collect()).await?;
    if has_restored {
        tokio::spawn(forget_restored(recorder.clone(), config.state_directory.clone()));
    }
    if let Some(checkpoints) = checkpoints {
        recorder.sign_with(checkpoints);
    }
    if let Some(witness) = &config.custody.witness
        && witness.when_absent == WhenAbsent::Refuse
    {
        recorder.require_witnesses(witness.wait);
    }
    Ok((recorder, known))
}

/// The record that the database was restored, where that is so and no server has recorded it.
async fn restored(config: &Config, store: &Database) -> Result<Option<Event>, Error> {
    let Some(restored) = Restored::within(&config.state_directory)? else {
        return Ok(None);
    };
    let event = restored.event(&*store.reading()).await?;
    if event.is_none() {
        tracing::warn!(
            "a restoration was begun here, and the database does not go on from that backup: it did not take place"
        );
        Restored::forget(&config.state_directory)?;
    }
    Ok(event)
}

/// Where the log is held, what a start records is written once a new epoch is open, and not before.
async fn forget_restored(recorder: Recorder, state_directory: PathBuf) {
    recorder.released().await;
    if recorder.held().is_none()
        && let Err(error) = Restored::forget(&state_directory)
    {
        tracing::error!(%error, "the next start will record the restoration again");
    }
}

/// What goes on with the custody log of the store, and what keeps its head outside of it. A log that is not the one that was
/// written last is held.
pub(super) async fn go_on_with_log(
    config: &Config,
    store: &Database,
) -> Result<(Recorder, KnownHead), Error> {
    let node = NodeFacts {
        name: config.node.clone(),
        server_version: VERSION.to_owned(),
        configuration_sha256: Some(Hash(config.sha256)),
    };
    let recorder = Recorder::start(store.writing(), node).await?;
    let known = KnownHead::within(&config.state_directory);
    if let Some(rollback) = recorder.remember_in(known.clone()).await? {
        tracing::error!(
            "no key is served: the custody log is not the one that was written last: {rollback}; put the right database \
             back, or have two administrators open a new epoch: claviger custody epoch"
        );
    }
    Ok((recorder, known))
}

/// Begins to bring the log to its feeds.
fn deliver(
    config: &Config,
    store: &Arc<dyn Store>,
    recorder: &Recorder,
    feeds: &Feeds,
    holder: &str,
) -> Result<(Vec<JoinHandle<()>>, Vec<Turn>), Error> {
    let delivery = Delivery {
        folder: config.state_directory.join("feeds"),
        holder: holder.to_owned(),
        store: Arc::clone(store),
        recorder: recorder.clone(),
        feeds: feeds.clone(),
    };
    Ok(delivery.start(feeds::feeds(&config.custody.feeds))?)
}

/// What the administration tells of this server, and what it goes by.
fn server_facts(config: &Config, kmip_addresses: Vec<String>) -> Result<ServerFacts, Error> {
    let witness = config.custody.witness.as_ref();
    Ok(ServerFacts {
        version: VERSION.to_owned(),
        started_at: OffsetDateTime::now_utc(),
        needs_restart: NeedsRestart::default(),
        renewal: RenewalTrouble::default(),
        kmip_addresses,
        destruction_waiting_time: config.admin.destruction_waiting_time,
        witnesses: witness.map(witnesses::policy).transpose()?,
        bundle_directory: config.state_directory.clone(),
        backups: admin::Backups {
            key: config.backup.key.clone(),
            source: backup::source(config),
            state_directory: config.state_directory.clone(),
        },
        certificates: own_certificates(config),
        warn_before_expiry: config.kmip.warn_before_expiry,
    })
}

/// What may be pruned of the custody log; none where nothing may.
fn retention_policy(config: &Config) -> Option<RetentionPolicy> {
    config.custody.retention.map(|retention| RetentionPolicy {
        keep: retention.keep,
        without_archive: retention.without_archive,
    })
}

/// The files of the certificates that the server shows.
fn own_certificates(config: &Config) -> Vec<PathBuf> {
    let mut files = vec![config.kmip.certificate.clone()];
    files.extend(
        config
            .kmip
            .previous
            .iter()
            .map(|previous| previous.certificate.clone()),
    );
    if let Some(web) = &config.admin.web
        && web.certificate != config.kmip.certificate
    {
        files.push(web.certificate.clone());
    }
    files
}

/// Says once a day in the log what is about to expire.
async fn warn_of_expiry(administration: Arc<Administration>) {
    let mut daily = tokio::time::interval(Duration::from_hours(24));
    loop {
        daily.tick().await;
        match administration.expiring().await {
            Ok(expiring) => {
                for sentence in expiring {
                    tracing::warn!("{sentence}");
                }
            }
            Err(error) => tracing::warn!(%error, "what is about to expire can't be read"),
        }
    }
}

/// Loads who is let in again after each change of it, whoever made the change.
async fn follow(recorder: Recorder, loader: Arc<IdentityLoader>) {
    let mut changes = recorder.subscribe();
    while changes.changed().await.is_ok() {
        if let Err(error) = loader.load().await {
            tracing::error!(%error, "who is let in can't be read again: it stays as it was");
        }
    }
}

impl Running {
    /// The addresses that it speaks KMIP on, with the ports that the system chose.
    pub fn kmip_addresses(&self) -> &[SocketAddr] {
        self.services.endpoint.addresses()
    }

    /// The addresses that it speaks HTTPS on.
    pub fn https_addresses(&self) -> &[SocketAddr] {
        self.services.endpoint.https_addresses()
    }

    /// The administration socket.
    pub fn admin_socket(&self) -> &Path {
        &self.services.admin_socket
    }

    /// The process numbers of the device workers.
    pub fn worker_pids(&self) -> Vec<u32> {
        self.devices.worker_pids()
    }

    /// Stops in order: requests under way are answered, then `server.stop` is recorded, then the devices are let go.
    pub async fn stop(self) {
        let Self {
            services,
            store,
            devices,
            _lock,
        } = self;
        let Serving {
            endpoint,
            admin,
            web,
            metrics,
            stop_admin,
            background,
            turns,
            operations,
            recorder,
            known,
            ..
        } = services;
        stop_admin.cancel();
        endpoint.stop().await;
        operations.close().await;
        if let Err(error) = admin.await {
            tracing::error!(%error, "the administration interface ended in disorder");
        }
        if let Some(web) = web
            && let Err(error) = web.await
        {
            tracing::error!(%error, "the auditor's pages ended in disorder");
        }
        if let Some(metrics) = metrics
            && let Err(error) = metrics.await
        {
            tracing::error!(%error, "health and metrics ended in disorder");
        }
        for task in background {
            task.abort();
            // What it did is not taken on by another before it has ended.
            let _ = task.await;
        }
        for turn in turns {
            turn.give_up().await;
        }
        let stopped = Event::new(EventName::ServerStop, Actor::Server);
        if recorder.held().is_some() {
            tracing::warn!("the custody log is held: that the server stops is not recorded");
        } else if let Err(error) = recorder.commit(Vec::new(), stopped).await {
            tracing::error!(%error, "that the server stops could not be recorded");
        }
        recorder.stop().await;
        if let Err(error) = known.await {
            tracing::error!(%error, "the head of the custody log was not kept a last time");
        }
        store.close().await;
        devices.shutdown().await;
        tracing::info!("the server has stopped");
    }
}
