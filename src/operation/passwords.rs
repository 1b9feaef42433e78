//! Passwords of users (KMIP 1.4, section 2.1.2), beside the client's certificate, where an adapter has users.
//!
//! A password is verified with Argon2id in a thread of its own, of which few run at once; what was right is remembered for its
//! client as long as the password is the user's, by a code under a key that this process made, so that it costs the next
//! request nothing. Who guesses is slowed down, by the certificate and by the adapter; a client whose password is remembered
//! does not notice that another guesses.

use std::collections::HashSet;
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use hmac::{Hmac, Mac as _};
use openssl::rand::rand_bytes;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

use crate::adapter::{AdapterId, Caller, Credentials, Fingerprint, PasswordHash, PasswordUser};
use crate::cryptography::{Argon2id, Error, PASSWORD_HASH};
use crate::kmip::message::Password;

/// The bytes of a salt.
const SALT: usize = 16;
/// The passwords that are verified at once.
const AT_ONCE: usize = 2;
/// Clients with one password wait for each other, among so many places.
const PLACES: usize = 64;
/// The most that is remembered of passwords that were right.
const REMEMBERED: usize = 4_096;
/// How many passwords of a client are looked at one after the other, and how often another one then.
const OF_A_CLIENT: NonZeroU32 = NonZeroU32::new(5).expect("it is not zero");
const ANOTHER_OF_A_CLIENT: Duration = Duration::from_secs(30);
/// The same for all clients of an adapter.
const OF_AN_ADAPTER: NonZeroU32 = NonZeroU32::new(100).expect("it is not zero");
const ANOTHER_OF_AN_ADAPTER: Duration = Duration::from_secs(3);
/// With so many clients, those that have not guessed lately are forgotten.
const COUNTED: usize = 4_096;

/// A certificate of an adapter.
type Client = (AdapterId, Fingerprint);

/// What is known of passwords that came.
pub(super) struct Passwords {
    key: OnceLock<Zeroizing<[u8; 32]>>,
    right: Mutex<HashSet<[u8; 32]>>,
    places: [tokio::sync::Mutex<()>; PLACES],
    at_once: Semaphore,
    of_client: DefaultKeyedRateLimiter<Client>,
    of_adapter: DefaultKeyedRateLimiter<AdapterId>,
}

/// Whose password was shown: the user, and the password that it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Proof([u8; 32]);

/// Why a password is not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum Denied {
    #[error("there is no such user of the adapter")]
    NoSuchUser,
    #[error("the password is not the user's")]
    Wrong,
    #[error("it was not looked at, since too many came that were not right")]
    TooOften,
    /// It could not be verified.
    #[error("{0}")]
    Failed(String),
}

impl Default for Passwords {
    fn default() -> Self {
        let quota = |burst, another| {
            let quota = Quota::with_period(another).expect("the time is not zero");
            quota.allow_burst(burst)
        };
        Self {
            key: OnceLock::new(),
            right: Mutex::default(),
            places: std::array::from_fn(|_| tokio::sync::Mutex::default()),
            at_once: Semaphore::new(AT_ONCE),
            of_client: RateLimiter::keyed(quota(OF_A_CLIENT, ANOTHER_OF_A_CLIENT)),
            of_adapter: RateLimiter::keyed(quota(OF_AN_ADAPTER, ANOTHER_OF_AN_ADAPTER)),
        }
    }
}

impl Proof {
    fn of(user: &PasswordUser) -> Self {
        let digest = Sha256::new()
            .chain_update(user.password.hash.as_bytes())
            .chain_update([0])
            .chain_update(user.username.as_bytes());
        Self(digest.finalize().into())
    }

    /// Whether the user is still there, with that password.
    pub(super) fn is_in_force(self, credentials: &Credentials) -> bool {
        credentials.users.iter().any(|user| Self::of(user) == self)
    }
}

impl Passwords {
    /// Whether this is the password of a user.
    pub(super) async fn verify(
        &self,
        caller: &Caller,
        credentials: &Credentials,
        username: &str,
        password: &Password,
    ) -> Result<Proof, Denied> {
        let user = credentials.user(username);
        let mark = self.mark(caller, user, username, password)?;
        if let Some(user) = user.filter(|_| self.right().contains(&mark)) {
            return Ok(Proof::of(user));
        }
        // Of many connections that begin with one password, one has it verified, and the others find what became of it.
        let _alone = self.places[usize::from(mark[0]) % PLACES].lock().await;
        if let Some(user) = user.filter(|_| self.right().contains(&mark)) {
            return Ok(Proof::of(user));
        }
        self.count(caller)?;
        let hash = user.map(|user| user.password.clone());
        let given = Zeroizing::new(password.expose().to_owned());
        let is_right = {
            let _permit = self.at_once.acquire().await;
            spawn_blocking(move || is_right(&given, hash.as_ref()))
                .await
                .map_err(|error| Denied::Failed(format!("a password could not be verified: {error}")))??
        };
        match user {
            None => Err(Denied::NoSuchUser),
            Some(_) if !is_right => Err(Denied::Wrong),
            Some(user) => {
                let mut right = self.right();
                if right.len() >= REMEMBERED {
                    right.clear();
                }
                right.insert(mark);
                Ok(Proof::of(user))
            }
        }
    }

    /// Counts a password that has to be verified.
    fn count(&self, caller: &Caller) -> Result<(), Denied> {
        if self.of_client.len() >= COUNTED {
            self.of_client.retain_recent();
        }
        let client = (caller.adapter, caller.certificate);
        let counted = self.of_client.check_key(&client).is_ok();
        if counted && self.of_adapter.check_key(&caller.adapter).is_ok() {
            Ok(())
        } else {
            Err(Denied::TooOften)
        }
    }

    /// What is remembered of a password that was right: it tells nothing without the key, and is another for another client,
    /// and once the user has another password.
    fn mark(
        &self,
        caller: &Caller,
        user: Option<&PasswordUser>,
        username: &str,
        password: &Password,
    ) -> Result<[u8; 32], Denied> {
        let key = self.key()?;
        let mut code = Hmac::<Sha256>::new_from_slice(key)
            .map_err(|error| Denied::Failed(format!("a code can't be made: {error}")))?;
        let hash = user.map_or("", |user| &user.password.hash);
        let adapter = caller.adapter.uuid();
        let parts = [
            &adapter.as_bytes()[..],
            &caller.certificate.0[..],
            hash.as_bytes(),
            username.as_bytes(),
            password.expose().as_bytes(),
        ];
        for part in parts {
            code.update(&part.len().to_be_bytes());
            code.update(part);
        }
        Ok(code.finalize().into_bytes().into())
    }

    fn key(&self) -> Result<&[u8; 32], Denied> {
        if self.key.get().is_none() {
            let mut key = Zeroizing::new([0; 32]);
            rand_bytes(&mut *key).map_err(|error| Denied::Failed(format!("no random numbers: {error}")))?;
            // Another thread may have been first.
            let _ = self.key.set(key);
        }
        let key = self.key.get();
        key.map(|key| &**key)
            .ok_or_else(|| Denied::Failed("there is no key".into()))
    }

    fn right(&self) -> MutexGuard<'_, HashSet<[u8; 32]>> {
        self.right.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a password is known by, with a new salt. Takes tens of milliseconds of this thread.
///
/// # Errors
/// The system gives no random bytes.
pub fn hash_password(password: &str, with: Argon2id) -> Result<PasswordHash, Error> {
    let mut salt = [0; SALT];
    rand_bytes(&mut salt)?;
    let hash = with.hash(password.as_bytes(), &salt)?;
    Ok(PasswordHash {
        memory_kib: with.memory_kib,
        passes: with.passes,
        lanes: with.lanes,
        salt: hex::encode(salt),
        hash: hex::encode(hash),
    })
}

/// Whether this is the password; never, where there is no such user, which takes as long.
fn is_right(password: &str, known: Option<&PasswordHash>) -> Result<bool, Denied> {
    let failed = |why: String| Denied::Failed(format!("a password can't be verified: {why}"));
    let Some(known) = known else {
        let hash = Argon2id::USUAL.hash(password.as_bytes(), &[0; SALT]);
        return hash.map(|_| false).map_err(|error| failed(error.to_string()));
    };
    let bytes = |text: &str| hex::decode(text).map_err(|error| failed(error.to_string()));
    let (salt, expected) = (bytes(&known.salt)?, bytes(&known.hash)?);
    let parameters = Argon2id {
        memory_kib: known.memory_kib,
        passes: known.passes,
        lanes: known.lanes,
    };
    let hash = parameters.hash(password.as_bytes(), &salt);
    let hash: [u8; PASSWORD_HASH] = hash.map_err(|error| failed(error.to_string()))?;
    Ok(hash.ct_eq(expected.as_slice()).into())
}
