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
//! | [`job`] | what goes on in the background |
//! | [`recorder`] | the only way to write: a change and its custody record in one commit |
//! | [`store`] | the database and the seal of a row |
//! | [`root_key`] | root keys and the backends that hold them |
//! | [`cryptography`] | in this process, for what a device lacks: ciphers, codes, hashes, derivation; pure |
//! | [`key`] | the managed key and its life cycle; pure |
//! | [`adapter`] | adapters, their certificates and root keys; pure |
//! | [`custody`] | the custody log as a thing to read; pure |
//! | [`kmip`] | the protocol; pure |
//! | [`config`] | the configuration file |
//!
//! The device itself lives in the crate `claviger-hsm`.

#![forbid(unsafe_code)]

pub mod adapter;
pub mod admin;
pub mod cli;
pub mod config;
pub mod cryptography;
pub mod custody;
pub mod endpoint;
pub mod job;
pub mod key;
pub mod kmip;
pub mod operation;
pub mod recorder;
pub mod root_key;
pub mod store;
pub mod witness;
