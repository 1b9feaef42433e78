//! Root keys: the trait, and its backends.

mod backend;
mod error;
mod material;
mod pkcs11;
#[cfg(test)]
mod pkcs11_tests;
mod registry;

pub use backend::{BackendDescription, CreatedRootKey, KeySpecification, MadeKey, RootKeyBackend};
pub use error::Error;
pub use material::{Material, Open};
pub use pkcs11::Pkcs11Backend;
pub use registry::RootKeys;
