//! [`Device`]: what the rest of the program has of a device.

use std::sync::Arc;
use std::time::Instant;

use openssl::sha::sha256;
use tokio::time::{timeout, timeout_at};

use super::healing::Healing;
use super::link::{Answer, Failure, Link};
use super::measure::Measures;
use super::proof::Proofs;
use super::protocol::{Digest, Operation, Reply, TokenChange};
use super::supervisor::Supervisor;
use super::transport::TransportPair;
use crate::Error;
use crate::configuration::{DeviceConfig, ReleaseProfile, WorkerCommand};
use crate::key::{KeptKey, KeyKind, KeyWrap, MadeKey, RootKeyFacts, RootKeyLocator, TokenFacts};
use crate::memory::LockedBuffer;
use crate::software::SoftwareKey;
use crate::wrapped::{WrapProfile, Wrapped};

/// How often a request is sent again because the transport key was renewed between its sealing and its arrival.
const EXPIRIES: usize = 3;

/// A device: its workers, and the way to ask them. A cheap handle; the workers end with the last of its clones.
///
/// Every request has the deadline of the configuration, its waiting included. What was under way at a worker that
/// ended is asked once more at another. All methods need the tokio runtime that the device was started on.
#[derive(Clone)]
pub struct Device {
    shared: Arc<Shared>,
}

struct Shared {
    supervisor: Arc<Supervisor>,
    proofs: Proofs,
    measures: Measures,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.supervisor.close();
    }
}

/// Starts a device as often as it takes until it is there: the key pair that its transport keys come under is made once.
pub struct Starter {
    config: DeviceConfig,
    command: WorkerCommand,
    pair: Arc<TransportPair>,
}

impl Starter {
    /// Makes the key pair; the device is not asked yet.
    pub async fn new(config: DeviceConfig, command: WorkerCommand) -> Result<Self, Error> {
        let pair = tokio::task::spawn_blocking(TransportPair::generate)
            .await
            .map_err(|error| Error::transport(error.to_string()))??;
        Ok(Self {
            config,
            command,
            pair: Arc::new(pair),
        })
    }

    /// Tries once, as [`Device::start`] does. Where that failed because of the PIN, it must not be tried again.
    pub async fn start(&self) -> Result<Device, Error> {
        let (config, command) = (self.config.clone(), self.command.clone());
        let measures = Measures::of(&config.name);
        let supervisor = Supervisor::start(config, command, Arc::clone(&self.pair)).await?;
        Ok(Device {
            shared: Arc::new(Shared {
                supervisor,
                proofs: Proofs::default(),
                measures,
            }),
        })
    }
}

/// A key on its way out: under the transport key, until it is opened.
pub struct Released {
    key: Arc<SoftwareKey>,
    wrapped: Wrapped,
    kind: KeyKind,
}

impl Device {
    /// Starts the workers and waits until they serve. One at least must; the others may follow later.
    ///
    /// Fails with [`Error::PinIncorrect`] after one try of a wrong PIN.
    pub async fn start(config: DeviceConfig, command: WorkerCommand) -> Result<Self, Error> {
        Starter::new(config, command).await?.start().await
    }

    /// The name that the configuration gives the device.
    pub fn name(&self) -> &str {
        &self.shared.supervisor.config.name
    }

    /// The token, as it says itself now.
    pub async fn token(&self) -> Result<TokenFacts, Error> {
        match self.ask(Operation::TokenFacts).await? {
            Reply::Token(token) => Ok(token),
            _ => Err(unexpected()),
        }
    }

    /// The tokens as the workers saw them when they logged in; asks nobody.
    pub fn known_token(&self) -> Option<TokenFacts> {
        self.shared
            .supervisor
            .links()
            .first()
            .map(|link| link.token().clone())
    }

    /// How the device wraps new keys, as its workers found when they logged in; `None` while none has.
    pub fn wrap_profile(&self) -> Option<WrapProfile> {
        let links = self.shared.supervisor.links();
        links.first().map(|link| link.wrap_profile())
    }

    /// How keys leave the device.
    pub fn release_profile(&self) -> ReleaseProfile {
        self.shared.supervisor.config.release_profile
    }

    /// Makes a root key: AES-256, on the token, sensitive, not extractable, not modifiable, for wrapping and unwrapping
    /// only. It is read back and checked before this returns.
    ///
    /// Fails with [`Error::RootKeyExists`] where the label or the identifier is taken.
    pub async fn create_root_key(&self, locator: &RootKeyLocator) -> Result<RootKeyFacts, Error> {
        let mut sent = false;
        let again = |_: &Link| {
            // Sent for the second time, because the worker ended: the first may have made the key.
            let operation = if sent {
                Operation::FindRootKey(locator.clone())
            } else {
                Operation::CreateRootKey(locator.clone())
            };
            sent = true;
            Ok(operation)
        };
        let made = match self.call(again).await {
            // Looked for after a lost answer, and not there.
            Err(Error::RootKeyNotFound { .. }) => self.ask(Operation::CreateRootKey(locator.clone())).await,
            made => made.map(|answer| answer.reply),
        };
        root_key(made?)
    }

    /// Finds a root key, checks its attributes and makes its check value. It is never made here.
    ///
    /// Fails with [`Error::RootKeyNotFound`] or [`Error::RootKeyUnfit`].
    pub async fn find_root_key(&self, locator: &RootKeyLocator) -> Result<RootKeyFacts, Error> {
        root_key(self.ask(Operation::FindRootKey(locator.clone())).await?)
    }

    /// Destroys a root key on the token, and looks for it afterwards. That it is not there any more is success, so this may
    /// be repeated. What is wrapped under it can't be opened again by anybody.
    ///
    /// Fails with [`Error::RootKeyMismatch`], and destroys nothing, where another key stands in its place.
    pub async fn destroy_root_key(&self, locator: &RootKeyLocator) -> Result<(), Error> {
        self.ask(Operation::Change(TokenChange::DestroyRootKey(locator.clone())))
            .await
            .map(|_| ())
    }

    /// All keys on the token that can serve as root keys.
    pub async fn list_root_keys(&self) -> Result<Vec<RootKeyFacts>, Error> {
        match self.ask(Operation::ListRootKeys).await? {
            Reply::RootKeys(keys) => Ok(keys),
            _ => Err(unexpected()),
        }
    }

    /// Makes a key on the device and wraps it there.
    ///
    /// Fails with [`Error::KeyLength`] for a key without a byte: a value that is taken in can be empty, a key can't.
    pub async fn generate(&self, root: &RootKeyLocator, kind: KeyKind) -> Result<MadeKey, Error> {
        kind.check()?;
        if kind.bytes() == 0 {
            return Err(Error::KeyLength { bytes: 0 });
        }
        let answer = self
            .call(|link| {
                Ok(Operation::Generate {
                    root: root.clone(),
                    kind,
                    digest: link.digests_of(kind),
                })
            })
            .await?;
        made(answer, kind)
    }

    /// Takes a key in: it crosses the boundary under the transport key, and is wrapped under the root key on the device.
    ///
    /// Fails with [`Error::KeyLength`] where `material` has not the length that `kind` says.
    pub async fn import(
        &self,
        root: &RootKeyLocator,
        kind: KeyKind,
        material: &[u8],
    ) -> Result<MadeKey, Error> {
        kind.check()?;
        if material.len() != kind.bytes() {
            return Err(Error::KeyLength {
                bytes: material.len(),
            });
        }
        let answer = self
            .call(|link| {
                Ok(Operation::Import {
                    root: root.clone(),
                    kind,
                    material: link.seal(material, kind.padded_bytes())?,
                })
            })
            .await?;
        match answer.reply {
            Reply::Imported(wrapped) => Ok(MadeKey {
                wrapped,
                sha256: sha256(material),
            }),
            _ => Err(unexpected()),
        }
    }

    /// Has the device unwrap a key and wrap it again under the transport key.
    ///
    /// Fails with [`Error::WrappedKeyRefused`] where the wrapped bytes were changed or another root key made them.
    pub async fn release(
        &self,
        root: &RootKeyLocator,
        kind: KeyKind,
        wrapped: &Wrapped,
    ) -> Result<Released, Error> {
        kind.check()?;
        let operation = Operation::Release {
            root: root.clone(),
            kind,
            wrapped: wrapped.clone(),
        };
        let answer = self.call(|_| Ok(operation.clone())).await?;
        match (answer.reply, answer.key) {
            (Reply::Released(transported), Some(key)) => Ok(Released {
                key,
                wrapped: transported.wrapped,
                kind,
            }),
            _ => Err(unexpected()),
        }
    }

    /// Has the device unwrap both keys and wrap the first under the second. What comes back is for whoever knows the second
    /// key; none of it is in the clear here.
    ///
    /// Fails with [`Error::WrappedKeyRefused`] as [`Self::release`] does, with [`Error::KeyLength`] where `key` is no
    /// multiple of eight bytes, or shorter than sixteen, and with [`Error::WrapProfile`] where the device does not wrap
    /// like that.
    pub async fn release_under(
        &self,
        key: &KeptKey,
        wrapping_key: &KeptKey,
        key_wrap: KeyWrap,
    ) -> Result<Vec<u8>, Error> {
        key.kind.check()?;
        wrapping_key.kind.check()?;
        let operation = Operation::ReleaseUnder {
            key: key.clone(),
            wrapping_key: wrapping_key.clone(),
            key_wrap,
        };
        match self.ask(operation).await? {
            Reply::ReleasedUnder(wrapped) => Ok(wrapped),
            _ => Err(unexpected()),
        }
    }

    /// Has the device unwrap a key under one root key and wrap it under another of the same token. Between the two it is a
    /// sensitive session object; it never crosses the boundary.
    ///
    /// Fails with [`Error::WrappedKeyRefused`] as [`release`](Self::release) does.
    pub async fn rewrap(
        &self,
        root: &RootKeyLocator,
        to: &RootKeyLocator,
        kind: KeyKind,
        wrapped: &Wrapped,
    ) -> Result<Wrapped, Error> {
        kind.check()?;
        let operation = Operation::Rewrap {
            root: root.clone(),
            to: to.clone(),
            kind,
            wrapped: wrapped.clone(),
        };
        match self.ask(operation).await? {
            Reply::Rewrapped(wrapped) => Ok(wrapped),
            _ => Err(unexpected()),
        }
    }

    /// Has every worker destroy what it keeps unwrapped of a key, or of all keys under the root key: after the key was
    /// revoked or destroyed, or its root key disabled or rotated. What can't be reached now is over after its time.
    pub async fn forget(&self, root: &RootKeyLocator, wrapped: Option<&Wrapped>) {
        let supervisor = &self.shared.supervisor;
        if supervisor.config.kept_keys.is_none() {
            return;
        }
        let forget = Operation::Forget {
            root: root.clone(),
            wrapped: wrapped.cloned(),
        };
        for link in supervisor.links() {
            let patience = supervisor.config.deadline;
            let asked = timeout(patience, link.request(forget.clone(), patience)).await;
            if !matches!(asked, Ok(Ok(_))) {
                tracing::warn!(device = %self.name(), "a worker keeps a key on the device until its time is over");
            }
        }
    }

    /// Whether keys can be wrapped and unwrapped under the root key now: does it with a key that is thrown away.
    pub async fn check(&self, root: &RootKeyLocator) -> Result<(), Error> {
        self.ask(Operation::Check(root.clone())).await.map(|_| ())
    }

    /// Random bytes from the device. They cross the boundary as they are: for nonces and identifiers, not for keys.
    pub async fn random(&self, length: u16) -> Result<Vec<u8>, Error> {
        match self.ask(Operation::Random(length)).await? {
            Reply::Random(bytes) => Ok(bytes),
            _ => Err(unexpected()),
        }
    }

    /// The process numbers of the workers that serve now.
    pub fn worker_pids(&self) -> Vec<u32> {
        self.shared
            .supervisor
            .links()
            .iter()
            .map(|link| link.process().pid())
            .collect()
    }

    /// What was done since the start so that the device serves again; asks nobody.
    pub fn healing(&self) -> Healing {
        self.shared.supervisor.healing()
    }

    /// When a request under the root key last succeeded; asks nobody.
    pub fn last_worked(&self, root: &RootKeyLocator) -> Option<Instant> {
        self.shared.proofs.last(root)
    }

    /// How many requests are under way.
    pub fn under_way(&self) -> usize {
        self.shared
            .supervisor
            .links()
            .iter()
            .map(|link| link.under_way())
            .sum()
    }

    /// Lets the workers finish what is under way, finalise the module and end; kills those that take longer than the
    /// deadline. Requests after this are refused.
    pub async fn shutdown(&self) {
        self.shared.supervisor.close();
        self.shared.supervisor.closed().await;
    }

    pub(super) async fn ask(&self, operation: Operation) -> Result<Reply, Error> {
        self.call(|_| Ok(operation.clone()))
            .await
            .map(|answer| answer.reply)
    }

    /// Sends what `operation` makes for a worker; once more, to another, where the first ended before it answered. It is
    /// measured.
    pub(super) async fn call(
        &self,
        mut operation: impl FnMut(&Link) -> Result<Operation, Error>,
    ) -> Result<Answer, Error> {
        let asked = self.shared.measures.ask();
        let mut name = "unsent";
        let making = |link: &Link| {
            let operation = operation(link)?;
            name = operation.name();
            Ok(operation)
        };
        let answer = self.send(making).await;
        asked.ended(name, answer.is_ok());
        answer
    }

    async fn send(
        &self,
        mut operation: impl FnMut(&Link) -> Result<Operation, Error>,
    ) -> Result<Answer, Error> {
        let supervisor = &self.shared.supervisor;
        let start = Instant::now();
        let deadline = start + supervisor.config.deadline;
        let mut ended = false;
        let mut expiries = 0;
        loop {
            let link = timeout_at(deadline.into(), supervisor.worker())
                .await
                .map_err(|_| Error::Deadline)??;
            let request = operation(&link)?;
            let root = request.root_key().cloned();
            let patience = deadline.saturating_duration_since(Instant::now());
            match timeout_at(deadline.into(), link.request(request, patience)).await {
                Ok(Ok(answer)) => {
                    if let Some(root) = root {
                        self.shared.proofs.worked(&root);
                    }
                    return Ok(answer);
                }
                Ok(Err(Failure::Refused(Error::TransportExpired))) if expiries < EXPIRIES => expiries += 1,
                Ok(Err(Failure::Refused(error))) => return Err(error),
                Ok(Err(Failure::NotSent)) => {}
                Ok(Err(Failure::Busy)) => return Err(Error::Busy),
                Ok(Err(Failure::Ended)) if !ended => {
                    ended = true;
                    supervisor.count_repetition();
                }
                Ok(Err(Failure::Ended)) => {
                    return Err(Error::unavailable(
                        "two workers ended while they served the request",
                    ));
                }
                Err(_) => {
                    link.kill_if_silent_since(start);
                    return Err(Error::Deadline);
                }
            }
        }
    }
}

impl Released {
    /// The key's length in bytes.
    pub fn len(&self) -> usize {
        self.kind.bytes()
    }

    /// Never: there is no key without a byte.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Opens the key into `out`, which must have its length. Nothing is written there where it fails.
    pub fn open_into(&self, out: &mut [u8]) -> Result<(), Error> {
        if out.len() != self.len() {
            return Err(Error::BufferLength {
                key: self.len(),
                buffer: out.len(),
            });
        }
        self.key.open(&self.wrapped, self.kind.padded_bytes(), out)
    }
}

/// A key that was made, with the digest that the device said or that is made here.
pub(super) fn made(answer: Answer, kind: KeyKind) -> Result<MadeKey, Error> {
    match (answer.reply, answer.key) {
        (
            Reply::Made {
                wrapped,
                digest: Digest::Sha256(sha256),
            },
            _,
        ) => Ok(MadeKey { wrapped, sha256 }),
        (
            Reply::Made {
                wrapped,
                digest: Digest::Key(transported),
            },
            Some(key),
        ) => {
            let released = Released {
                key,
                wrapped: transported.wrapped,
                kind,
            };
            let mut opened = LockedBuffer::zeroed(kind.bytes());
            released.open_into(opened.as_mut_slice())?;
            Ok(MadeKey {
                wrapped,
                sha256: sha256(opened.as_slice()),
            })
        }
        _ => Err(unexpected()),
    }
}

pub(super) fn root_key(reply: Reply) -> Result<RootKeyFacts, Error> {
    match reply {
        Reply::RootKey(facts) => Ok(facts),
        _ => Err(unexpected()),
    }
}

pub(super) fn unexpected() -> Error {
    Error::protocol("an answer to another question")
}
