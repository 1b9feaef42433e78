//! What the end-to-end tests share: a real server on a real token, clients, and an independent TTLV.

// Each test file is a crate of its own: it uses only some of this, and nothing is public beyond it.
#![allow(dead_code, missing_docs, unreachable_pub)]

pub mod audit;
pub mod backend;
pub mod books;
pub mod brought;
pub mod client;
pub mod cut;
pub mod health;
pub mod identity;
pub mod key_protect;
pub mod keys;
pub mod ledger;
pub mod log;
pub mod message;
pub mod pair;
pub mod postgres;
pub mod secrets;
pub mod server;
pub mod slot;
pub mod tag;
pub mod traffic;
pub mod ttlv;
pub mod witness;
