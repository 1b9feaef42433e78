//! PKCS#11: the module, its token, sessions, root keys, keys and transport keys.
//!
//! Only a process that is meant to load a vendor's module uses what is here: a worker, or a measurement. Every call
//! blocks; a session belongs to one thread at a time, and what it makes is destroyed when it is dropped. What happens
//! when a device goes away is not decided here but in [`crate::worker`]; `Fault` only says what an error means.

mod capability;
mod check_value;
mod cipher;
mod client_unwrap;
mod client_wrap;
mod derivation;
mod destruction;
mod enforcement;
mod fault;
mod keeping;
mod kek;
mod kept;
mod key_use;
mod mac;
mod measure;
mod module;
mod new_token;
mod pin;
mod raw;
mod root_key;
mod root_template;
mod session;
mod signer;
mod signing;
mod take_in;
mod token_info;
mod transfer;
mod transport;
mod trial;
mod wrapping;

pub use measure::{Measured, Rate, measure};

pub(crate) use capability::capabilities;
pub(crate) use cipher::{decrypt, encrypt};
pub(crate) use client_unwrap::unwrap_under;
pub(crate) use client_wrap::release_under;
pub(crate) use derivation::derive;
pub(crate) use destruction::destroy;
pub(crate) use enforcement::{Attack, Outcome};
pub(crate) use fault::Fault;
pub(crate) use keeping::Keeping;
pub(crate) use kek::{RootKey, check, generate, generate_and_transport, import, rewrap};
pub(crate) use kept::{Kept, release};
pub(crate) use mac::{mac, verify_mac};
pub(crate) use measure::{Sample, sample};
pub(crate) use module::Module;
pub(crate) use pin::{read_pin, refuse_to_risk_the_pin, unsafe_mode};
pub(crate) use root_key::{create, find, list, verify, wrapping};
pub(crate) use root_template::{Manner, Narrowing};
pub(crate) use session::Session;
pub(crate) use signer::{find_signing_key, make_signing_key, sign};
pub(crate) use signing::SigningPair;
pub(crate) use take_in::{offer, take_in, withdraw};
pub(crate) use transfer::give_out;
pub(crate) use transport::{Transport, TransportKey};
pub(crate) use trial::{choose, trial, try_wrapping};
pub(crate) use wrapping::Wrapping;
