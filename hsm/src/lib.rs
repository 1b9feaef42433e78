//! The device: everything that Claviger does with an HSM through PKCS#11.
//!
//! This is the only crate that names `cryptoki`. It knows nothing of KMIP, adapters or the store.
//!
//! # Where the vendor's code runs
//!
//! A PKCS#11 module is foreign code: modules crash, leak, hang and lock. It is loaded in a process of its own, a
//! *worker*, that has the PIN and the sessions and nothing else. The process that faces the network holds a
//! [`Device`]: it speaks to its workers over Unix socket pairs, starts a new one where one dies, and asks again once
//! for what was under way. So the process that faces the network never has a PIN or a PKCS#11 session.
//!
//! # How a key leaves the device
//!
//! A key is made on the device, wrapped there under a root key that never leaves it, and destroyed there. For its
//! release the device unwraps it into a sensitive session object and wraps it again under a *transport key*, an AES-256
//! key made on the device for this worker alone, which the starting process received once under an RSA key pair of its
//! own. What crosses the boundary is wrapped in both directions; [`Released::open_into`] opens it at the last moment
//! into the buffer that the caller chose.
//!
//! | module | what belongs there |
//! |---|---|
//! | [`device`] | PKCS#11 itself; only in the process that loads the module |
//! | [`worker`] | the boundary: the protocol, both its ends, supervision and healing |
//! | [`doctor`] | what a device can do, found by trial, and what is wrong with it |
//! | [`clock`] | what the kernel knows of this host's clock |
//! | [`memory`] | memory for secrets: locked, out of dumps, zeroised |
//! | `testkit` | tokens for tests: SoftHSMv2, openCryptoki, Kryoptic; and faults before them (feature `testkit`) |

#![deny(unsafe_code)]

pub mod clock;
mod configuration;
mod cryptography;
pub mod device;
pub mod doctor;
mod error;
#[cfg(all(test, feature = "testkit"))]
#[allow(clippy::unwrap_used)] // Compiled for tests only.
mod in_process;
mod key;
pub mod memory;
mod series;
mod signing_key;
mod software;
#[cfg(feature = "testkit")]
pub mod testkit;
pub mod worker;
mod wrapped;

pub use configuration::{
    DeviceConfig, KeptKeys, ReleaseProfile, SlotSelector, TransportRenewal, WorkerCommand,
};
pub use cryptography::{Aead, Capabilities, Cipher, CipherMode, DerivingCipher, LONGEST_DATA, MacAlgorithm};
pub use error::Error;
pub use key::{
    KeptKey, KeyKind, KeyWrap, MadeKey, RootKeyAttributes, RootKeyFacts, RootKeyLocator, RsaPublicKey,
    TokenFacts, WrappedRootKey,
};
pub use series::Series;
pub use signing_key::{SignatureScheme, SigningKey};
pub use worker::{Device, Healing, Released, Starter, make_token};
pub use wrapped::{WrapProfile, Wrapped};
