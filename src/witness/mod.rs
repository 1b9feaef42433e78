//! A witness: another host, under another administrator, that signs the checkpoints of a log only where each is the
//! continuation of the one before (C2SP tlog-witness). Whoever trusts it need not trust the log not to have been cut short,
//! rewritten, or shown to two people in two forms.
//!
//! [`Witness`] is the server's side: it judges ([`judge()`]), remembers ([`Memory`]) and signs ([`WitnessKey`]); [`serve`]
//! answers HTTP for it. It needs nothing of the key service but the custody log's formats.
//!
//! [`Witnesses`] is the log's side, which asks the witnesses of a policy for each checkpoint.

mod client;
mod judge;
mod key;
mod memory;
mod request;
mod server;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod tls;

pub use client::{Witnesses, WitnessesConfig, WitnessesError};
pub use judge::{Refusal, WitnessedLog, judge};
pub use key::{KeyError, WitnessKey};
pub use memory::{Cosigned, Fork, Memory, MemoryError};
pub use request::{AddCheckpoint, MOST_HASHES, NotARequest};
pub use server::{Answer, Witness, serve};
pub use tls::{TlsError, tls};
