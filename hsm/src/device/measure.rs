//! The raw device: how fast it makes and releases keys with nothing around it.
//!
//! The yardstick for everything that Claviger adds. It runs in the calling process, which loads the module.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use openssl::rsa::Rsa;
use serde::Serialize;

use super::kek::{self, RootKey};
use super::module::Module;
use super::pin::read_pin;
use super::root_key;
use super::root_template::{self, Manner, Narrowing};
use super::session::{Session, SessionObject};
use super::signing::SigningPair;
use super::transport::{Recipient, Transport};
use super::trial;
use crate::Error;
use crate::configuration::DeviceConfig;
use crate::key::{KeyKind, RootKeyLocator};
use crate::signing_key::SignatureScheme;

const KIND: KeyKind = KeyKind::Aes { bytes: 32 };

/// What was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Measured {
    /// How many sessions worked at once, each with its own thread.
    pub sessions: usize,
    /// Making a key and wrapping it under the root key.
    pub generate_and_wrap: Rate,
    /// The same, with the device's SHA-256 of the key where it gives one, as a Create does it.
    pub generate_wrap_and_digest: Rate,
    /// Unwrapping a key and wrapping it under the transport key, as a Get does it.
    pub unwrap_and_rewrap: Rate,
    /// Signing 32 bytes by ECDSA with P-256; `None` where the device can't.
    pub sign: Option<Rate>,
}

/// How often in a second, and how long each took.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Rate {
    /// Of all sessions together.
    pub per_second: f64,
    /// The median in microseconds.
    pub p50_microseconds: u64,
    /// Of a hundred, one took longer; in microseconds.
    pub p99_microseconds: u64,
}

impl Rate {
    /// Of operations that were begun within `duration`, by how long each took.
    fn of(mut times: Vec<Duration>, duration: Duration) -> Self {
        times.sort_unstable();
        let at = |percent: usize| {
            let time = times
                .get(times.len() * percent / 100)
                .copied()
                .unwrap_or_default();
            u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
        };
        #[allow(clippy::cast_precision_loss)] // A rate of more than 2^52 is not expected.
        let per_second = times.len() as f64 / duration.as_secs_f64();
        Self {
            per_second,
            p50_microseconds: at(50),
            p99_microseconds: at(99),
        }
    }
}

/// Measures each operation for `duration`, with the sessions of `config`, in this process. The root key must be there.
///
/// The environment of `config` is not set: this process must have it.
pub fn measure(config: &DeviceConfig, root: &RootKeyLocator, duration: Duration) -> Result<Measured, Error> {
    let module = Module::load(&config.module)?;
    let slot = module.initialise_and_find(&config.slot)?.slot;
    let first = module.open_session(slot)?;
    first.login(&read_pin(&config.pin_file)?)?;
    let wrapping = trial::choose(&first, config.wrap_profile)?;
    let root = RootKey {
        handle: root_key::find(&first, root)?,
        wrapping,
    };
    let pair = Rsa::generate(2048).map_err(Error::transport)?;
    let recipient = Recipient::new(pair.n().to_vec(), pair.e().to_vec());
    let (transport, _) = Transport::open(
        first,
        recipient,
        Manner {
            wrapping,
            release: config.release_profile,
        },
        config.transport_renewal,
        0,
    )?;
    let sessions = (0..config.sessions.max(1)).map(|_| module.open_session(slot));
    let mut sessions = sessions.collect::<Result<Vec<_>, _>>()?;

    let measured = Measured {
        sessions: sessions.len(),
        generate_and_wrap: rate(&mut sessions, duration, &|session| {
            Ok(Box::new(move || {
                root.wrap(session, &make(session)?, KIND).map(|_| ())
            }))
        })?,
        generate_wrap_and_digest: rate(&mut sessions, duration, &|session| {
            Ok(Box::new(move || kek::generate(session, root, KIND).map(|_| ())))
        })?,
        unwrap_and_rewrap: {
            let wrapped = root.wrap(&sessions[0], &make(&sessions[0])?, KIND)?;
            let (wrapped, transport) = (&wrapped, &transport);
            rate(&mut sessions, duration, &|session| {
                Ok(Box::new(move || {
                    kek::release(session, root, KIND, wrapped, transport).map(|_| ())
                }))
            })?
        },
        sign: if SigningPair::make(&sessions[0], SignatureScheme::EcdsaP256).is_ok() {
            Some(rate(&mut sessions, duration, &|session| {
                let pair = SigningPair::make(session, SignatureScheme::EcdsaP256)?;
                Ok(Box::new(move || pair.sign(&[7; 32]).map(|_| ())))
            })?)
        } else {
            None
        },
    };
    drop((sessions, transport));
    module.finalise()?;
    Ok(measured)
}

/// How fast a device is with one session.
pub(crate) struct Sample {
    /// Making a key and wrapping it.
    pub(crate) generate_and_wrap: Rate,
    /// Unwrapping a key and wrapping it under the transport key; `None` where there is no such key.
    pub(crate) unwrap_and_rewrap: Option<Rate>,
}

/// Measures each operation for `duration`, under a key of the session that is like a root key.
pub(crate) fn sample(
    session: &Session,
    manner: Manner,
    transport: Option<&Transport>,
    duration: Duration,
) -> Result<Sample, Error> {
    let narrowing = Narrowing::found(session, manner);
    let key = root_template::make_like(session, manner, narrowing)?;
    let root = RootKey {
        handle: key.handle(),
        wrapping: manner.wrapping,
    };
    let made = times(duration, || root.wrap(session, &make(session)?, KIND).map(|_| ()))?;
    let released = match transport {
        None => None,
        Some(transport) => {
            let wrapped = root.wrap(session, &make(session)?, KIND)?;
            let times = times(duration, || {
                kek::release(session, root, KIND, &wrapped, transport).map(|_| ())
            });
            Some(Rate::of(times?, duration))
        }
    };
    Ok(Sample {
        generate_and_wrap: Rate::of(made, duration),
        unwrap_and_rewrap: released,
    })
}

fn make(session: &Session) -> Result<SessionObject<'_>, Error> {
    kek::make(session, KIND, &kek::template(KIND))
}

/// Something that is done over and over in a session.
type Operation<'a> = Box<dyn FnMut() -> Result<(), Error> + 'a>;

/// `prepare` is called once in each thread, before the time that counts.
fn rate<'a>(
    sessions: &'a mut [Session],
    duration: Duration,
    prepare: &(dyn Fn(&'a Session) -> Result<Operation<'a>, Error> + Sync),
) -> Result<Rate, Error> {
    let barrier = Barrier::new(sessions.len());
    let times = thread::scope(|scope| {
        let threads: Vec<_> = sessions
            .iter_mut()
            .map(|session| {
                let barrier = &barrier;
                scope.spawn(move || {
                    let operation = prepare(session);
                    barrier.wait();
                    times(duration, operation?)
                })
            })
            .collect();
        let mut all = Vec::new();
        for thread in threads {
            let times = thread
                .join()
                .map_err(|_| Error::unavailable("a measuring thread ended"))?;
            all.extend(times?);
        }
        Ok::<_, Error>(all)
    });
    Ok(Rate::of(times?, duration))
}

/// How long each of the operations took that were begun within `duration`.
fn times(
    duration: Duration,
    mut operation: impl FnMut() -> Result<(), Error>,
) -> Result<Vec<Duration>, Error> {
    let mut times = Vec::new();
    let start = Instant::now();
    while start.elapsed() < duration {
        let before = Instant::now();
        operation()?;
        times.push(before.elapsed());
    }
    Ok(times)
}
