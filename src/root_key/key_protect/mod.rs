//! Root keys in Key Protect and in Hyper Protect Crypto Services, which have one REST API (version 2).
//!
//! A root key is a key of the key manager that never leaves it, and a version of ours is a version of that key there. A KEK is
//! made by a wrap without a plaintext, in IBM's HSM, and opened by an unwrap. Over TLS, and in this process's locked memory,
//! its value is in the clear: that is how the API has it.
//!
//! What KMIP makes of a key does not belong here, nor where a wrapped key is stored.

mod aad;
mod actions;
mod address;
mod api_key;
mod backend;
mod breaker;
mod client;
#[cfg(test)]
mod client_tests;
mod config;
mod envelope;
mod error;
mod examine;
mod facts;
mod foreign;
mod http;
mod iam;
mod identity;
mod kept;
mod keys;
mod life;
mod limit;
mod measure;
mod refusal;
mod retry;
#[cfg(test)]
mod scripted;
mod secret_body;
#[cfg(test)]
mod stand_in_tests;
mod standard_key;
mod wire;
mod worked;
mod wrapping;

pub use backend::{KeyProtectBackend, RELEASE_PROFILE};
pub use config::{ApiKeySource, IAM_URL, KeptIn, KeyProtectConfig};
pub use error::Error;
pub use examine::{Examination, Step, Trial};
pub use facts::{Facts, Reached};
pub use kept::KeptBackend;
pub use refusal::{Kind, Refusal};
pub use standard_key::NAME_PREFIX;
pub use wire::{DualAuthDelete, Key, KeyState, KeyVersion, Registration};
