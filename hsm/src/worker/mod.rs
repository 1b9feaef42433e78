//! The boundary: the process that hosts a device, the protocol to it, and its supervision.
//!
//! The starting process has [`Device`], `link` (one worker's connection), `supervisor` (which worker serves, restart)
//! `proof` (when it last worked) and `process`. The worker has `serve` (its life) and `host` (the threads' common device, and how it is healed). Both
//! have `protocol`, `frame`, `healing` (what was done, counted)
//! and `login` (the PIN is tried once).
//!
//! Nothing of PKCS#11 belongs here: that is [`crate::device`].

mod cryptography;
mod frame;
mod handle;
mod healing;
mod host;
mod incoming;
#[cfg(all(test, feature = "testkit"))]
#[allow(clippy::unwrap_used)] // Compiled for tests only.
mod kept_tests;
#[cfg(all(test, feature = "testkit"))]
#[allow(clippy::unwrap_used)] // Compiled for tests only.
mod ladder_tests;
mod link;
mod login;
mod measure;
mod moving;
mod new_token;
mod process;
mod proof;
pub(crate) mod protocol;
mod queue;
mod serve;
mod signing;
mod supervisor;
mod token_change;
mod transport;

pub use handle::{Device, Released, Starter};
pub use healing::Healing;
pub use new_token::make_token;
pub use serve::serve_inherited;

pub(crate) use login::Logins;
pub(crate) use process::{Connection, connect};
pub(crate) use transport::TransportPair;

/// Takes a lock whatever happened to the thread that had it: every value behind the locks of this module is whole
/// between any two of its statements.
fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
