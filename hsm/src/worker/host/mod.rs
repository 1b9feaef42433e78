//! The worker's device: what its threads have in common, and how a device that went away is found again.
//!
//! # The ladder
//!
//! 1. The root key's remembered handle is forgotten and the thread gets a fresh session, logged in.
//! 2. The module is finalised and initialised, the slot found by its label or serial, the user logged in once, a new
//!    transport key made.
//! 3. The worker says why and ends; its supervisor starts another process. Not so where other requests succeed.
//!
//! Each step is followed by the request once more. Before the ladder is climbed for an error that many modules return for
//! a bad request as well, a throw-away key is made, wrapped, unwrapped and sent under the same root key: where that
//! works, the request is tried again, and what fails [`CERTAIN`] times while the device works otherwise is the request's
//! own error. So a client can't make workers end, and a device that fails now and then does not make a key's bytes wrong.
//!
//! A root key that was recorded and is not found is climbed for too: a module whose token is away may find nothing, and
//! say no more (SoftHSM does). Where the module finds nothing right after it was initialised, that is the truth.
//!
//! What hangs is not waited for: the module can't be initialised anew while a call is in it, and where one stays there
//! the worker ends at once.

#[cfg(all(test, feature = "testkit"))]
#[allow(clippy::unwrap_used)] // Compiled for tests only.
mod interference;
mod search;

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

use super::cryptography;
use super::healing::Step;
use super::lock;
use super::login::Logins;
use super::protocol::{Digest, HandedOver, Message, Operation, Ready, Reply, Start, TokenChange};
use super::queue::Outbox;
use super::token_change;
use crate::Error;
use crate::device::{self, Fault, Kept, Manner, Module, RootKey, Session, Transport, TransportKey};
use crate::key::{KeyKind, RootKeyLocator, TokenFacts};
use search::Searches;

/// After so many failures, with a device that works otherwise after each, the request itself is at fault.
const CERTAIN: u32 = 3;
/// How often it is looked whether the last call has left the module.
const LOOK: Duration = Duration::from_millis(1);

/// What the threads of a worker share.
pub(super) struct Host {
    start: Start,
    module: Arc<Module>,
    /// Read while a request runs; written while the module is initialised anew.
    online: RwLock<Option<Online>>,
    /// Held while the module is initialised anew: whoever comes meanwhile waits here, so that those inside get fewer.
    reopening: Mutex<()>,
    login: Mutex<()>,
    logins: Logins,
    searches: Searches,
}

/// What is remembered from one try of a request to the next.
#[derive(Default)]
struct Tries {
    /// For [`device::create`] and [`device::make_signing_key`].
    found_free: Cell<bool>,
    /// Whether the module was initialised anew since the first.
    initialised: Cell<bool>,
}

/// The device between one initialisation and the next.
struct Online {
    generation: u64,
    slot: u64,
    manner: Manner,
    transport: Transport,
    /// The keys that stay unwrapped for a while, where that is wanted.
    kept: Option<Kept>,
    /// Handles of token objects are the same in all sessions of a process.
    root_keys: RwLock<HashMap<RootKeyLocator, RootKey>>,
    /// Whether any request has succeeded.
    worked: AtomicBool,
}

/// What one thread has: its session, and the initialisation that it belongs to.
#[derive(Default)]
pub(super) struct Seat {
    session: Option<(u64, Session)>,
}

/// An answer, and the transport key that it uses: held until the answer is on its way.
pub(super) struct Outcome {
    pub(super) reply: Reply,
    pub(super) held: Option<Arc<TransportKey>>,
}

/// How a request ended.
pub(super) enum Ended {
    Answered(Outcome),
    Refused(Error),
    /// There is no answer: the worker must end.
    GiveUp(Error),
}

impl Host {
    /// Loads the module and opens the device; gives what the starting process is told.
    pub(super) fn open(start: Start, logins: Logins) -> Result<(Self, Ready), Error> {
        let module = Module::load(&start.module)?;
        let host = Self {
            module,
            online: RwLock::new(None),
            reopening: Mutex::new(()),
            login: Mutex::new(()),
            logins,
            searches: Searches::default(),
            start,
        };
        let (online, token, transport_key) = host.bring_online(0)?;
        let wrap_profile = online.manner.wrapping.profile();
        let trial = {
            let session = host.session(online.slot)?;
            device::trial(&session, &online.transport, KeyKind::Aes { bytes: 32 })?
        };
        *host.online.write().unwrap_or_else(PoisonError::into_inner) = Some(online);
        Ok((
            host,
            Ready {
                token,
                wrap_profile,
                transport_key,
                trial,
            },
        ))
    }

    /// Does what is asked, climbing the ladder where the device went away.
    pub(super) fn answer(&self, seat: &mut Seat, operation: &Operation, outbox: &Outbox) -> Ended {
        let (mut rung, mut failed_alone) = (0, 0);
        let (mut knew_root_key, mut searching) = (false, false);
        let tries = Tries::default();
        loop {
            let online = self.online();
            let Some(online_now) = &*online else {
                return Ended::GiveUp(Error::unavailable("the device could not be opened again"));
            };
            let generation = online_now.generation;
            knew_root_key |= operation
                .root_key()
                .is_some_and(|root| online_now.remembers(root));
            let error = match self.attempt(online_now, seat, operation, &tries) {
                Ok(outcome) => {
                    online_now.worked.store(true, Ordering::Relaxed);
                    return Ended::Answered(outcome);
                }
                Err(error) => error,
            };
            let absent = matches!(
                error,
                Error::RootKeyNotFound { .. } | Error::SigningKeyNotFound { .. }
            );
            searching |= absent && (knew_root_key || self.searches.is_due(operation));
            let lost = absent && searching;
            let fault = if lost { Fault::Token } else { Fault::of(&error) };
            if fault == Fault::Request {
                return Ended::Refused(error);
            }
            // What was begun in it may be open still.
            seat.session = None;
            // Once more each time, so that a device that fails at every other call does not pass each check.
            let mut works = || self.works_otherwise(online_now, seat, operation);
            if fault == Fault::Token && !lost && (0..=failed_alone).all(|_| works()) {
                failed_alone += 1;
                if failed_alone == CERTAIN {
                    return Ended::Refused(own(error, operation));
                }
                outbox.send(&[Message::Healing(Step::Repetition)]);
                continue;
            }
            match rung {
                0 => {
                    complain(&error, "a fresh session is tried");
                    outbox.send(&[Message::Healing(Step::Session)]);
                    if let Some(root) = operation.root_key() {
                        online_now.forget(root);
                    }
                    seat.session = None;
                }
                1 => {
                    complain(&error, "the module is initialised anew");
                    seat.session = None;
                    drop(online);
                    if let Err(error) = self.reopen(generation, outbox) {
                        return Ended::GiveUp(error);
                    }
                    tries.initialised.set(true);
                }
                // Said plainly by a module that was initialised a moment ago, or of one root key while others work.
                _ if lost || online_now.worked.load(Ordering::Relaxed) => return Ended::Refused(error),
                _ => return Ended::GiveUp(error),
            }
            outbox.send(&[Message::Healing(Step::Repetition)]);
            rung += 1;
        }
    }

    /// Closes a thread's session, unless its number may belong to another meanwhile.
    pub(super) fn leave(&self, seat: Seat) {
        let online = self.online();
        let current = online.as_ref().map(|online| online.generation);
        if let Some((generation, session)) = seat.session
            && Some(generation) != current
        {
            session.abandon();
        }
    }

    /// Makes a new transport key where the current one is due, and tells the starting process.
    pub(super) fn renew_transport_key_if_due(&self, outbox: &Outbox) {
        let online = self.online();
        let Some(online) = &*online else { return };
        let announce = |handed| outbox.send(&[Message::TransportKey(handed)]);
        match online.transport.renew_if_due(announce) {
            Ok(retired) if retired.is_empty() => {}
            Ok(retired) => {
                outbox.send(
                    &retired
                        .into_iter()
                        .map(Message::TransportRetired)
                        .collect::<Vec<_>>(),
                );
            }
            Err(error) => complain(&error, "the transport key is used on"),
        }
    }

    /// How long a thread may wait for a request before it looks for what is to be tidied up; `None`: as long as it takes.
    pub(super) fn idle_time(&self) -> Option<Duration> {
        self.start.kept_keys.map(|kept| kept.time)
    }

    /// Destroys what is kept and over its time.
    pub(super) fn tidy(&self) {
        if let Some(kept) = self.online().as_ref().and_then(|online| online.kept.as_ref()) {
            kept.sweep();
        }
    }

    /// Destroys the transport keys and finalises the module. Every seat must be empty.
    pub(super) fn close(&self) {
        let online = self.online.write().unwrap_or_else(PoisonError::into_inner).take();
        // Closes the session of the transport keys, which destroys them.
        drop(online);
        if let Err(error) = self.module.finalise() {
            complain(&error, "the process ends all the same");
        }
    }

    fn online(&self) -> RwLockReadGuard<'_, Option<Online>> {
        drop(lock(&self.reopening));
        self.online.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// One try.
    fn attempt(
        &self,
        online: &Online,
        seat: &mut Seat,
        operation: &Operation,
        tries: &Tries,
    ) -> Result<Outcome, Error> {
        let session = self.seat_session(online, seat)?;
        let outcome = self.perform(online, session, operation, tries);
        if session.is_unfit() {
            seat.session = None;
        }
        outcome
    }

    fn perform(
        &self,
        online: &Online,
        session: &Session,
        operation: &Operation,
        tries: &Tries,
    ) -> Result<Outcome, Error> {
        let transport = &online.transport;
        let mut held = None;
        let reply = match operation {
            Operation::CreateRootKey(locator) => {
                let writing = self.module.open_writing_session(online.slot)?;
                Reply::RootKey(device::create(
                    &writing,
                    online.manner,
                    locator,
                    &tries.found_free,
                )?)
            }
            Operation::FindRootKey(locator) => {
                let key = device::find(session, locator)?;
                Reply::RootKey(device::verify(session, key, locator)?)
            }
            Operation::Change(change) => self.change(online, change, tries)?,
            Operation::ListRootKeys => Reply::RootKeys(device::list(session)?),
            Operation::Generate { root, kind, digest } => {
                let root = online.root_key(session, root)?;
                if *digest {
                    let (wrapped, sha256) = device::generate(session, root, *kind)?;
                    Reply::Made {
                        wrapped,
                        digest: Digest::Sha256(sha256),
                    }
                } else {
                    let (wrapped, transported, key) =
                        device::generate_and_transport(session, root, *kind, transport)?;
                    held = Some(key);
                    Reply::Made {
                        wrapped,
                        digest: Digest::Key(transported),
                    }
                }
            }
            Operation::Import { root, kind, material } => {
                let root = online.root_key(session, root)?;
                let key = transport.use_epoch(material.epoch)?;
                Reply::Imported(device::import(session, root, *kind, &key, material)?)
            }
            Operation::Release { root, kind, wrapped } => {
                let key = (online.root_key(session, root)?, root);
                let kept = online.kept.as_ref();
                let (transported, key) = device::release(session, key, *kind, wrapped, transport, kept)?;
                held = Some(key);
                Reply::Released(transported)
            }
            Operation::ReleaseUnder {
                key,
                wrapping_key,
                key_wrap,
            } => {
                let roots = [&key.root, &wrapping_key.root].map(|root| online.root_key(session, root));
                let [root, wrapping_root] = roots;
                let wrapped =
                    device::release_under(session, (root?, key), (wrapping_root?, wrapping_key), *key_wrap)?;
                Reply::ReleasedUnder(wrapped)
            }
            Operation::Rewrap {
                root,
                to,
                kind,
                wrapped,
            } => {
                let root = online.root_key(session, root)?;
                let to = online.root_key(session, to)?;
                Reply::Rewrapped(device::rewrap(session, root, to, *kind, wrapped)?)
            }
            Operation::Forget { root, wrapped } => {
                if let Some(kept) = &online.kept {
                    kept.forget(root, wrapped.as_ref());
                }
                Reply::Done
            }
            Operation::Check(root) => {
                device::check(session, online.root_key(session, root)?, transport)?;
                Reply::Done
            }
            Operation::Cryptography(asked) => {
                let root_key = |root: &RootKeyLocator| online.root_key(session, root);
                let (reply, key) = cryptography::carry_out(session, transport, root_key, asked)?;
                held = key;
                reply
            }
            Operation::MakeSigningKey(label) => self.make_signing_key(online, label, tries)?,
            Operation::FindSigningKey(label) => {
                Reply::SigningKey(device::find_signing_key(session, label)?.1)
            }
            Operation::Sign { key, message } => Reply::Signature(device::sign(session, key, message)?),
            Operation::Random(length) => {
                let mut bytes = vec![0; usize::from(*length)];
                session.random(&mut bytes)?;
                Reply::Random(bytes)
            }
            Operation::TokenFacts => Reply::Token(self.module.token(online.slot)?),
            // The reading thread sees to it; no thread is handed one.
            Operation::Shutdown => Reply::Done,
        };
        Ok(Outcome { reply, held })
    }

    /// Makes a key that signs, in a session of its own.
    fn make_signing_key(&self, online: &Online, label: &str, tries: &Tries) -> Result<Reply, Error> {
        let writing = self.module.open_writing_session(online.slot)?;
        let key = device::make_signing_key(&writing, label, &tries.found_free)?;
        Ok(Reply::SigningKey(key))
    }

    /// Changes the objects of the token, in a session of its own.
    fn change(&self, online: &Online, change: &TokenChange, tries: &Tries) -> Result<Reply, Error> {
        if let TokenChange::DestroyRootKey(locator) = change {
            online.forget(locator);
        }
        let writing = self.module.open_writing_session(online.slot)?;
        let outcome = token_change::carry_out(&writing, online.manner, change);
        match (&outcome, change) {
            // It was destroyed before, or never there. One that was recorded is known to be destroyed only now: before, the
            // token may have been away.
            (Err(Error::RootKeyNotFound { .. }), TokenChange::DestroyRootKey(locator))
                if locator.check_value.is_none() || tries.initialised.get() =>
            {
                Ok(Reply::Done)
            }
            _ => outcome,
        }
    }

    /// Whether the device works under the request's root key, so that an error is the request's own. A signature has no root
    /// key: any that is in use tells as much.
    fn works_otherwise(&self, online: &Online, seat: &mut Seat, operation: &Operation) -> bool {
        let root = match operation {
            Operation::Sign { .. } => online.any_root_key(),
            _ => operation.root_key().cloned(),
        };
        let Some(root) = root else {
            return false;
        };
        let check = Operation::Check(root);
        *operation != check && self.attempt(online, seat, &check, &Tries::default()).is_ok()
    }

    /// The thread's session: of this initialisation, open and logged in.
    fn seat_session<'a>(&self, online: &Online, seat: &'a mut Seat) -> Result<&'a Session, Error> {
        if let Some((generation, _)) = &seat.session
            && *generation != online.generation
            && let Some((_, session)) = seat.session.take()
        {
            session.abandon();
        }
        if seat.session.is_none() {
            seat.session = Some((online.generation, self.session(online.slot)?));
            if let Some(kept) = &online.kept
                && kept.is_lost()
            {
                kept.begin_anew(self.session(online.slot)?);
            }
        }
        let (_, session) = seat.session.as_ref().expect("it was put there");
        Ok(session)
    }

    /// Opens a session and sees that the user is logged in.
    fn session(&self, slot: u64) -> Result<Session, Error> {
        let session = self.module.open_session(slot)?;
        if session.is_logged_in()? {
            return Ok(session);
        }
        let _one_at_a_time = lock(&self.login);
        if session.is_logged_in()? {
            return Ok(session);
        }
        self.logins.once(|| {
            device::refuse_to_risk_the_pin(&self.module.token(slot)?)?;
            session.login(&device::read_pin(&self.start.pin_file)?)
        })?;
        Ok(session)
    }

    fn bring_online(&self, generation: u64) -> Result<(Online, TokenFacts, HandedOver), Error> {
        let token = self.module.initialise_and_find(&self.start.slot)?;
        let session = self.session(token.slot)?;
        let best = device::choose(&session, None);
        let wrapping = match self.start.wrap_profile {
            Some(wanted) => device::choose(&session, Some(wanted))?,
            None => best.clone()?,
        };
        let release = self.start.release_profile;
        let transport = Manner {
            wrapping: best.unwrap_or(wrapping),
            release,
        };
        let recipient = self.start.transport_recipient.clone().into();
        // Epochs of one initialisation never meet those of another.
        let epoch = generation << 32;
        let (transport, handed) = Transport::open(session, recipient, transport, self.start.renewal, epoch)?;
        let kept = match self.start.kept_keys {
            Some(limits) => Some(Kept::new(limits, self.session(token.slot)?)),
            None => None,
        };
        let online = Online {
            generation,
            slot: token.slot,
            manner: Manner { wrapping, release },
            transport,
            kept,
            root_keys: RwLock::default(),
            worked: AtomicBool::new(false),
        };
        Ok((online, token, handed))
    }

    /// Initialises the module anew, unless another thread has done so since `generation`.
    fn reopen(&self, generation: u64, outbox: &Outbox) -> Result<(), Error> {
        let _nobody_enters = lock(&self.reopening);
        let mut online = self.alone()?;
        match online.take() {
            Some(newer) if newer.generation != generation => {
                *online = Some(newer);
                return Ok(());
            }
            Some(older) => {
                older.transport.abandon();
                older.kept.into_iter().for_each(Kept::abandon);
            }
            None => return Err(Error::unavailable("the device could not be opened again")),
        }
        // A module that lost its device may refuse this and initialise all the same.
        let _ = self.module.finalise();
        let (newer, _, handed) = self.bring_online(generation + 1)?;
        outbox.send(&[Message::TransportKey(handed), Message::Healing(Step::Module)]);
        *online = Some(newer);
        Ok(())
    }

    /// Waits until no call is in the module any more. One that does not come back in time hangs.
    fn alone(&self) -> Result<RwLockWriteGuard<'_, Option<Online>>, Error> {
        let limit = Instant::now() + self.start.deadline / 4;
        loop {
            match self.online.try_write() {
                Ok(online) => return Ok(online),
                Err(TryLockError::Poisoned(poisoned)) => return Ok(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) if Instant::now() < limit => thread::sleep(LOOK),
                Err(TryLockError::WouldBlock) => {
                    return Err(Error::unavailable(
                        "the module is to be initialised anew, and a call into it does not come back",
                    ));
                }
            }
        }
    }
}

impl Online {
    fn remembers(&self, root: &RootKeyLocator) -> bool {
        self.root_keys
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .contains_key(root)
    }

    fn any_root_key(&self) -> Option<RootKeyLocator> {
        let remembered = self.root_keys.read().unwrap_or_else(PoisonError::into_inner);
        remembered.keys().next().cloned()
    }

    fn forget(&self, root: &RootKeyLocator) {
        self.root_keys
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(root);
    }

    /// The root key: remembered, or found and checked.
    fn root_key(&self, session: &Session, root: &RootKeyLocator) -> Result<RootKey, Error> {
        if let Some(key) = self
            .root_keys
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(root)
        {
            return Ok(*key);
        }
        let handle = device::find(session, root)?;
        device::verify(session, handle, root)?;
        let wrapping = device::wrapping(session, handle, self.manner, root)?;
        let key = RootKey { handle, wrapping };
        self.root_keys
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(root.clone(), key);
        Ok(key)
    }
}

/// What an error means when the device works otherwise.
fn own(error: Error, operation: &Operation) -> Error {
    match (operation, &error) {
        (
            Operation::Release { .. } | Operation::ReleaseUnder { .. } | Operation::Rewrap { .. },
            Error::Function { function, .. },
        ) if function == "C_UnwrapKey" => Error::WrappedKeyRefused,
        (Operation::Cryptography(asked), _) => asked.own(error),
        _ => error,
    }
}

fn complain(error: &Error, consequence: &str) {
    super::serve::say(format_args!("{error}; {consequence}"));
}
