//! The starting process's connection to one worker: requests go out, answers find who asked.

use std::collections::HashMap;
use std::io::{ErrorKind, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

use super::frame::{self, Decoder};
use super::healing::Counters;
use super::incoming::{self, Incoming};
use super::lock;
use super::process::{Connection, Process};
use super::protocol::{
    Begun, Digest, HandedOver, Message, Operation, Ready, Reply, Request, Transported, Trial,
};
use super::transport::TransportPair;
use crate::Error;
use crate::key::{KeyKind, TokenFacts};
use crate::memory::LockedBuffer;
use crate::software::SoftwareKey;
use crate::wrapped::WrapProfile;

/// An answer, and the transport key that what it carries is wrapped under.
pub(super) struct Answer {
    pub(super) reply: Reply,
    pub(super) key: Option<Arc<SoftwareKey>>,
}

/// Why there is no answer.
pub(super) enum Failure {
    /// The worker answered with an error.
    Refused(Error),
    /// The worker ended before it answered.
    Ended,
    /// The worker had ended before the request was sent.
    NotSent,
    /// As many requests as may be are under way.
    Busy,
}

/// One worker that serves.
pub(super) struct Link {
    process: Process,
    token: TokenFacts,
    wrap_profile: WrapProfile,
    /// By which profile this process wraps for the device, as the device does for this process.
    transport_profile: WrapProfile,
    /// Whether the device says a key's SHA-256 itself.
    digests: bool,
    capacity: usize,
    writer: UnixStream,
    outgoing: Mutex<Outgoing>,
    writable_wanted: Notify,
    pending: Mutex<Pending>,
    under_way: AtomicUsize,
    next_id: AtomicU64,
    transport: Mutex<TransportKeys>,
    healing: Arc<Counters>,
    /// Why the worker gave up, where it said so.
    last_words: Mutex<Option<Error>>,
    started: Instant,
    /// When the last answer came, in milliseconds since `started`.
    last_answer: AtomicU64,
}

/// Frames that the socket has not taken yet.
#[derive(Default)]
struct Outgoing {
    bytes: Vec<u8>,
    sent: usize,
    /// The socket is full; the writing task goes on when it is not.
    blocked: bool,
}

/// Who waits for which answer; `None` when the worker has ended.
struct Pending(Option<HashMap<u64, oneshot::Sender<Result<Answer, Error>>>>);

/// The transport keys that answers may still use; the last is the current one.
struct TransportKeys {
    current: u64,
    keys: HashMap<u64, Arc<SoftwareKey>>,
}

impl Link {
    /// Takes over a worker that has begun to serve, after trying the transport of a key with it. The second value ends
    /// when the worker's socket does.
    pub(super) fn new(
        connection: Connection,
        pair: Arc<TransportPair>,
        capacity: usize,
        healing: Arc<Counters>,
    ) -> Result<(Arc<Self>, JoinHandle<()>), Error> {
        let Connection {
            process,
            stream,
            decoder,
            begun,
        } = connection;
        let Ready {
            token,
            wrap_profile,
            transport_key,
            trial,
        } = match begun {
            Begun::Serving(ready) => *ready,
            Begun::Failed(error) => return Err(error),
            Begun::Examined(_) | Begun::TokenMade => {
                return Err(Error::protocol("a report that nobody asked for"));
            }
        };
        let key = pair.receive(&transport_key)?;
        let digests = try_transport(&key, &trial)?;
        let writer = stream.into_std().map_err(Error::protocol)?;
        let reader = Incoming::of(&writer)?;
        let link = Arc::new(Self {
            process,
            token,
            wrap_profile,
            transport_profile: trial.key.wrapped.profile,
            digests,
            capacity,
            writer,
            outgoing: Mutex::default(),
            writable_wanted: Notify::new(),
            pending: Mutex::new(Pending(Some(HashMap::new()))),
            under_way: AtomicUsize::new(0),
            next_id: AtomicU64::new(0),
            transport: Mutex::new(TransportKeys {
                current: transport_key.epoch,
                keys: HashMap::from([(transport_key.epoch, Arc::new(key))]),
            }),
            healing,
            last_words: Mutex::default(),
            started: Instant::now(),
            last_answer: AtomicU64::new(0),
        });
        let writing = tokio::spawn(Arc::clone(&link).write());
        let reading = tokio::spawn({
            let link = Arc::clone(&link);
            async move {
                if let Err(error) = link.read(reader, decoder, &pair).await {
                    tracing::error!(pid = link.process.pid(), %error, "the device worker is given up");
                }
                writing.abort();
                // Whoever waits learns that the worker ended: the senders are dropped.
                lock(&link.pending).0 = None;
            }
        });
        Ok((link, reading))
    }

    pub(super) fn process(&self) -> &Process {
        &self.process
    }

    pub(super) fn token(&self) -> &TokenFacts {
        &self.token
    }

    /// How the device wraps new keys.
    pub(super) fn wrap_profile(&self) -> WrapProfile {
        self.wrap_profile
    }

    /// Whether the device says the digest of a key of this kind: one that it holds with more bytes has another.
    pub(super) fn digests_of(&self, kind: KeyKind) -> bool {
        self.digests() && kind.padded_bytes() == kind.bytes()
    }

    pub(super) fn digests(&self) -> bool {
        self.digests
    }

    /// Whether its socket is open.
    pub(super) fn serves(&self) -> bool {
        lock(&self.pending).0.is_some()
    }

    /// Why the worker gave up, where it said so.
    pub(super) fn last_words(&self) -> Option<Error> {
        lock(&self.last_words).clone()
    }

    pub(super) fn under_way(&self) -> usize {
        self.under_way.load(Ordering::Relaxed)
    }

    /// Wraps `material` for the device, with zeros behind it to `padded` bytes.
    pub(super) fn seal(&self, material: &[u8], padded: usize) -> Result<Transported, Error> {
        let (epoch, key) = {
            let transport = lock(&self.transport);
            let key = transport
                .keys
                .get(&transport.current)
                .expect("the current key is never taken out");
            (transport.current, Arc::clone(key))
        };
        let wrapped = key.seal(self.transport_profile, material, padded)?;
        Ok(Transported { epoch, wrapped })
    }

    /// Sends a request and waits for its answer. May be dropped at any time: the answer is then ignored.
    pub(super) async fn request(
        self: &Arc<Self>,
        operation: Operation,
        patience: Duration,
    ) -> Result<Answer, Failure> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        if self.under_way.fetch_add(1, Ordering::Relaxed) >= self.capacity {
            self.under_way.fetch_sub(1, Ordering::Relaxed);
            return Err(Failure::Busy);
        }
        let _under_way = UnderWay { link: self, id };
        let (answer, answered) = oneshot::channel();
        match &mut lock(&self.pending).0 {
            Some(pending) => pending.insert(id, answer),
            None => return Err(Failure::NotSent),
        };
        self.send(&Request {
            id,
            patience,
            operation,
        })
        .map_err(Failure::Refused)?;
        match answered.await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(Failure::Refused(error)),
            Err(_) => Err(Failure::Ended),
        }
    }

    /// Kills the worker if nothing has come from it since `since`: it hangs as a whole. (One call that hangs while
    /// others go on is the worker's own to notice.)
    pub(super) fn kill_if_silent_since(&self, since: Instant) {
        let last = self.started + Duration::from_millis(self.last_answer.load(Ordering::Relaxed));
        if last < since {
            tracing::error!(
                pid = self.process.pid(),
                "the device worker does not answer and is replaced"
            );
            self.process.kill();
        }
    }

    /// Asks the worker to finish what is under way and to end.
    pub(super) fn ask_to_end(&self) {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let shutdown = Request {
            id,
            patience: Duration::MAX,
            operation: Operation::Shutdown,
        };
        // Where it can't be sent the worker is ending already.
        let _ = self.send(&shutdown);
    }

    /// Puts a request behind what waits and lets the socket take what it can at once.
    ///
    /// The socket is written to by whoever has something for it, not by a task: that saves a switch per request. What
    /// comes while the socket is full goes out together.
    fn send(&self, request: &Request) -> Result<(), Error> {
        let mut outgoing = lock(&self.outgoing);
        frame::append(&mut outgoing.bytes, request)?;
        if !outgoing.blocked {
            self.flush(&mut outgoing);
        }
        Ok(())
    }

    fn flush(&self, outgoing: &mut Outgoing) {
        outgoing.blocked = false;
        while outgoing.sent < outgoing.bytes.len() {
            match (&self.writer).write(&outgoing.bytes[outgoing.sent..]) {
                Ok(written) => outgoing.sent += written,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    outgoing.blocked = true;
                    self.writable_wanted.notify_one();
                    return;
                }
                // The worker has ended; the reading task sees that too and tells everybody.
                Err(_) => break,
            }
        }
        outgoing.bytes.clear();
        outgoing.sent = 0;
    }

    /// Goes on writing whenever the socket was full.
    async fn write(self: Arc<Self>) {
        loop {
            self.writable_wanted.notified().await;
            if incoming::room(&self.writer).await.is_err() {
                return;
            }
            self.flush(&mut lock(&self.outgoing));
        }
    }

    /// Takes what the worker says until its socket ends.
    async fn read(
        &self,
        mut reader: Incoming,
        mut decoder: Decoder,
        pair: &TransportPair,
    ) -> Result<(), Error> {
        loop {
            while let Some(message) = decoder.next()? {
                self.take(message, pair)?;
            }
            match reader.read_buf(decoder.buffer()).await {
                Ok(0) | Err(_) => return Ok(()),
                Ok(_) => {}
            }
        }
    }

    fn take(&self, message: Message, pair: &TransportPair) -> Result<(), Error> {
        match message {
            Message::Answer { id, outcome } => {
                let elapsed = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
                self.last_answer.store(elapsed, Ordering::Relaxed);
                let asker = lock(&self.pending)
                    .0
                    .as_mut()
                    .and_then(|pending| pending.remove(&id));
                let Some(asker) = asker else { return Ok(()) };
                let answer = outcome.and_then(|reply| {
                    let key = self.key_of(&reply)?;
                    Ok(Answer { reply, key })
                });
                // The asker may have gone meanwhile.
                let _ = asker.send(answer);
            }
            Message::TransportKey(handed) => {
                let HandedOver { epoch, .. } = handed;
                let key = Arc::new(pair.receive(&handed)?);
                let mut transport = lock(&self.transport);
                transport.keys.insert(epoch, key);
                transport.current = epoch;
            }
            Message::TransportRetired(epoch) => {
                let mut transport = lock(&self.transport);
                if epoch != transport.current {
                    transport.keys.remove(&epoch);
                }
            }
            Message::Healing(step) => {
                self.healing.count(step);
                tracing::warn!(pid = self.process.pid(), ?step, "the device is healed");
            }
            Message::LastWords(error) => *lock(&self.last_words) = Some(error),
        }
        Ok(())
    }

    fn key_of(&self, reply: &Reply) -> Result<Option<Arc<SoftwareKey>>, Error> {
        let (Reply::Released(transported)
        | Reply::Made {
            digest: Digest::Key(transported),
            ..
        }) = reply
        else {
            return Ok(None);
        };
        match lock(&self.transport).keys.get(&transported.epoch) {
            Some(key) => Ok(Some(Arc::clone(key))),
            None => Err(Error::protocol(
                "an answer under a transport key that was never handed over",
            )),
        }
    }
}

/// Counts a request as under way, and forgets who asked when it is over or given up.
struct UnderWay<'a> {
    link: &'a Link,
    id: u64,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if let Some(pending) = &mut lock(&self.link.pending).0 {
            pending.remove(&self.id);
        }
        self.link.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Opens the worker's trial key. Tells whether the device's digest of it is the SHA-256 of its value.
fn try_transport(key: &SoftwareKey, trial: &Trial) -> Result<bool, Error> {
    const TRIAL: usize = 32;
    let mut opened = LockedBuffer::zeroed(TRIAL);
    key.open(&trial.key.wrapped, TRIAL, opened.as_mut_slice())?;
    Ok(trial.sha256 == Some(openssl::sha::sha256(opened.as_slice())))
}
