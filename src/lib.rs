//! Claviger: a KMIP key service for VMware that stands beside an HSM.
//!
//! # The map of the house
//!
//! Each module imports only modules below it in this list; `tests/architecture.rs` keeps it so.
//!
//! | module | what belongs there |
//! |---|---|
//! | [`cli`] | the command line, a file a command |
//! | [`endpoint`] | KMIP over TLS: listener, client certificates, limits, sessions |
//! | [`admin`] | the administration interface |
//! | [`operation`] | what a KMIP operation does, a file an operation |
//! | [`witness`] | another host that signs the log's checkpoints, and refuses a log that was cut short or rewritten |
//! | [`backup`] | backups: their form, their making, the way back, and whether what came back is whole |
//! | [`job`] | what goes on in the background |
//! | [`recorder`] | the only way to write: a change and its custody record in one commit |
//! | [`store`] | the database and the seal of a row |
//! | [`root_key`] | root keys and the backends that hold them |
//! | [`cryptography`] | in this process, for what a device lacks: ciphers, codes, hashes, derivation; pure |
//! | [`key`] | the managed key and its life cycle; pure |
//! | [`adapter`] | adapters, their certificates and root keys; pure |
//! | [`verifier`] | the auditor's command that verifies offline |
//! | [`custody`] | the custody log as a thing to read; pure |
//! | [`kmip`] | the protocol; pure |
//! | [`tls`] | a server's certificate, read again when its files change |
//! | [`config`] | the configuration file |
//!
//! The device itself lives in the crate `claviger-hsm`. Without the feature `server` there are `custody` and `verifier` alone,
//! for the binary `claviger-verify`.

#![forbid(unsafe_code)]

#[cfg(feature = "server")]
pub mod adapter;
#[cfg(feature = "server")]
pub mod admin;
#[cfg(feature = "server")]
pub mod backup;
#[cfg(feature = "server")]
pub mod cli;
#[cfg(feature = "server")]
pub mod config;
#[cfg(feature = "server")]
pub mod cryptography;
pub mod custody;
#[cfg(feature = "server")]
pub mod endpoint;
#[cfg(feature = "server")]
pub mod job;
#[cfg(feature = "server")]
pub mod key;
#[cfg(feature = "server")]
pub mod kmip;
#[cfg(feature = "server")]
pub mod operation;
#[cfg(feature = "server")]
pub mod recorder;
#[cfg(feature = "server")]
pub mod root_key;
#[cfg(feature = "server")]
pub mod store;
#[cfg(feature = "server")]
pub mod tls;
pub mod verifier;
#[cfg(feature = "server")]
pub mod witness;
