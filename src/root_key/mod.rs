//! Root keys: the trait of what holds them, and its backends.
//!
//! A root key never leaves its backend. What is asked of a backend is to make one, to make or take in a key and wrap it
//! under one, and to release a key that was wrapped. What a root key *is*, its name, its version, where it lives, is
//! [`adapter::RootKey`](crate::adapter::RootKey); what a wrapped key is, [`key::WrappedKek`](crate::key::WrappedKek).
//!
//! KMIP does not belong here, nor does the store: whoever asks has the facts of the root key and the wrapped bytes.

mod backend;
mod error;
pub mod key_protect;
mod material;
mod mirror;
mod moving;
mod pieces;
mod pkcs11;
#[cfg(test)]
mod pkcs11_tests;
mod registry;
mod specification;
#[cfg(test)]
pub(crate) mod suite;

pub use claviger_hsm::{RsaPublicKey, WrappedRootKey};

pub use backend::{
    Aead, BackendDescription, BackendKind, CLIENT_RELEASE_PROFILE, Capabilities, Cipher, CipherMode,
    CreatedRootKey, DerivingCipher, ENCODED_RELEASE_PROFILE, Healing, KeptKey, KeptThere, KeyWrap,
    MacAlgorithm, MadeKey, MemberDescription, RootKeyBackend,
};
pub use error::Error;
pub use material::{Material, Rewrapped};
pub use mirror::{MirrorBackend, PATIENCE};
pub use moving::{Carrier, Way};
pub use pieces::Pieces;
pub use pkcs11::{Pkcs11Backend, locator};
pub use registry::{RootKeys, is_same_key};
pub use specification::{Binding, KeyKind, KeySpecification, specification};
