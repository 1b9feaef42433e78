//! The tickets of logins (KMIP 2.1, section 6.1.30): which are good, whose they are, for how long and how often.
//!
//! A ticket adds nothing to what its client may do: the client certificate is needed for every request, and a ticket is good
//! with that certificate alone. It stands for the password that was shown at the login, as long as that is the user's. Of its secret only the SHA-256 is kept, in the memory of this server: a restart ends every
//! login.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use openssl::error::ErrorStack;
use openssl::rand::rand_bytes;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::passwords::Proof;
use crate::adapter::{AdapterId, Caller, Fingerprint};
use crate::kmip::ttlv::DateTime;

/// The bytes of a secret.
const LENGTH: usize = 32;
/// The most tickets that a client has at once.
pub(super) const OF_A_CLIENT: usize = 16;
/// The most tickets that there are at once.
const OF_ALL: usize = 4_096;
/// How long a ticket is good where the client does not say, in seconds.
pub(super) const USUAL_LEASE: i64 = 3_600;
/// How long a ticket is good at most, in seconds.
pub(super) const LONGEST_LEASE: i64 = 24 * 3_600;

/// The tickets that are good.
#[derive(Default)]
pub(super) struct Tickets(Mutex<HashMap<[u8; 32], Held>>);

/// What is known of a ticket.
struct Held {
    owner: (AdapterId, Fingerprint),
    until: DateTime,
    /// How many requests it is still good for; none means any number.
    left: Option<u32>,
    /// The user who logged in, where a password was shown.
    proof: Option<Proof>,
}

/// Why a ticket is not given or not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// There is no such ticket of this client, or it is over.
    Invalid,
    /// It was good for so many requests, and they were made.
    UsedUp,
    /// There are as many tickets as are kept.
    TooMany,
    /// There are no random numbers.
    NoRandom,
}

impl From<ErrorStack> for Trouble {
    fn from(_: ErrorStack) -> Self {
        Self::NoRandom
    }
}

impl Tickets {
    /// Gives a new ticket to a client.
    pub(super) fn give(
        &self,
        caller: &Caller,
        now: DateTime,
        until: DateTime,
        requests: Option<u32>,
        proof: Option<Proof>,
    ) -> Result<Zeroizing<Vec<u8>>, Trouble> {
        let mut secret = Zeroizing::new(vec![0; LENGTH]);
        rand_bytes(&mut secret)?;
        let owner = owner(caller);
        let mut held = self.lock();
        held.retain(|_, ticket| ticket.until > now && ticket.left != Some(0));
        let of_client = held.values().filter(|ticket| ticket.owner == owner).count();
        if of_client >= OF_A_CLIENT || held.len() >= OF_ALL {
            return Err(Trouble::TooMany);
        }
        let ticket = Held {
            owner,
            until,
            left: requests,
            proof,
        };
        held.insert(digest(&secret), ticket);
        Ok(secret)
    }

    /// Takes a ticket that comes with a request, which counts. Tells the user who logged in, where a password was shown.
    pub(super) fn take(
        &self,
        caller: &Caller,
        now: DateTime,
        secret: &[u8],
    ) -> Result<Option<Proof>, Trouble> {
        let mut held = self.lock();
        let ticket = held
            .get_mut(&digest(secret))
            .filter(|ticket| ticket.owner == owner(caller) && ticket.until > now)
            .ok_or(Trouble::Invalid)?;
        match &mut ticket.left {
            None => {}
            Some(0) => return Err(Trouble::UsedUp),
            Some(left) => *left -= 1,
        }
        Ok(ticket.proof)
    }

    /// Ends a login.
    pub(super) fn end(&self, caller: &Caller, now: DateTime, secret: &[u8]) -> Result<(), Trouble> {
        let mut held = self.lock();
        let digest = digest(secret);
        match held.get(&digest) {
            Some(ticket) if ticket.owner == owner(caller) && ticket.until > now => {
                held.remove(&digest);
                Ok(())
            }
            _ => Err(Trouble::Invalid),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 32], Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a record calls a ticket.
pub(super) fn shown(secret: &[u8]) -> String {
    hex::encode(&digest(secret)[..8])
}

fn owner(caller: &Caller) -> (AdapterId, Fingerprint) {
    (caller.adapter, caller.certificate)
}

fn digest(secret: &[u8]) -> [u8; 32] {
    Sha256::digest(secret).into()
}
