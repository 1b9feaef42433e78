//! Root keys: the trait, and its backends.

mod backend;
mod error;
mod material;
mod pkcs11;
#[cfg(test)]
mod pkcs11_tests;
mod registry;

use async_trait::async_trait;

use crate::adapter::RootKey;
use crate::key::WrappedKek;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("no backend {0}")]
    NoBackend(String),
    #[error("{0}")]
    Other(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeySpecification {
    Aes { bytes: u16 },
    Generic { bytes: u16 },
}

pub struct MadeKey {
    pub wrapped: WrappedKek,
    pub sha256: [u8; 32],
}

pub trait Open: Send + Sync {
    fn len(&self) -> usize;
    fn open_into(&self, out: &mut [u8]) -> Result<(), Error>;
}

pub struct Material(Box<dyn Open>);

impl Material {
    pub fn new(open: Box<dyn Open>) -> Self {
        Self(open)
    }
    pub fn len(&self) -> usize {
        self.0.len()
    }
    pub fn open_into(&self, out: &mut [u8]) -> Result<(), Error> {
        self.0.open_into(out)
    }
    pub fn release_profile(&self) -> &'static str {
        "transport"
    }
}

#[async_trait]
pub trait RootKeyBackend: Send + Sync {
    async fn generate(&self, root: &RootKey, what: KeySpecification) -> Result<MadeKey, Error>;
    async fn import(&self, root: &RootKey, what: KeySpecification, material: &[u8])
    -> Result<MadeKey, Error>;
    async fn release(
        &self,
        root: &RootKey,
        what: KeySpecification,
        wrapped: &WrappedKek,
    ) -> Result<Material, Error>;
}

#[derive(Clone)]
pub struct RootKeys(Arc<HashMap<String, Arc<dyn RootKeyBackend>>>);

impl RootKeys {
    pub fn new(backends: Vec<(String, Arc<dyn RootKeyBackend>)>) -> Self {
        Self(Arc::new(backends.into_iter().collect()))
    }
    pub fn for_root(&self, root: &RootKey) -> Result<Arc<dyn RootKeyBackend>, Error> {
        self.0
            .get(&root.backend)
            .cloned()
            .ok_or_else(|| Error::NoBackend(root.backend.clone()))
    }
}
