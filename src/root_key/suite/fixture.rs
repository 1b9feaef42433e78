//! A backend with a root key, and what tests ask of it again and again.

use std::sync::Arc;

use time::OffsetDateTime;
use uuid::Uuid;

use super::Expectations;
use crate::adapter::{RootKey, RootKeyId, RootKeyOrigin, RootKeyState, WrappedBytes};
use crate::key::WrappedKek;
use crate::root_key::{Binding, CreatedRootKey, Error, KeyKind, KeySpecification, RootKeyBackend, RootKeys};

/// What every backend of these tests is called.
pub(crate) const BACKEND: &str = "hsm-1";

/// What holds root keys, for one test, and how to start a backend on it.
pub(crate) trait Maker: Sized + Send + Sync {
    /// What to expect of it.
    const EXPECTATIONS: Expectations;
    /// One that nobody else has, empty.
    fn make() -> impl Future<Output = Self> + Send;
    /// Starts the backend, called [`BACKEND`], as a server does that starts, for the first time or again.
    fn start(&self) -> impl Future<Output = Arc<dyn RootKeyBackend>> + Send;
}

/// A backend with a root key.
pub(crate) struct Fixture<M> {
    pub(crate) maker: M,
    pub(crate) backend: Arc<dyn RootKeyBackend>,
    pub(crate) root: RootKey,
}

impl<M: Maker> Fixture<M> {
    pub(crate) async fn new() -> Self {
        let maker = M::make().await;
        let backend = maker.start().await;
        let root = create(&*backend, "vcenter").await;
        Self { maker, backend, root }
    }

    /// One more root key.
    pub(crate) async fn another(&self) -> RootKey {
        create(&*self.backend, "another").await
    }

    /// Rotates the root key; returns the facts of its new version.
    pub(crate) async fn rotated(&self) -> RootKey {
        let version = self.root.version + 1;
        let next = RootKey {
            version,
            label: RootKey::label_of(&self.root.name, version),
            check_value: Vec::new(),
            ..self.root.clone()
        };
        let created = self.backend.rotate(&self.root, &next).await.unwrap();
        with(next, created)
    }

    pub(crate) async fn make_key(&self, specification: KeySpecification) -> WrappedKek {
        let made = self.backend.generate(&self.root, specification).await;
        made.unwrap().wrapped
    }

    pub(crate) async fn value(&self, specification: KeySpecification, wrapped: &WrappedKek) -> Vec<u8> {
        value(&*self.backend, &self.root, specification, wrapped)
            .await
            .unwrap()
    }

    /// The backend in the registry, under its name.
    pub(crate) fn registry(&self) -> RootKeys {
        RootKeys::new(vec![(BACKEND.into(), Arc::clone(&self.backend))])
    }
}

/// What the backend releases of a wrapped key.
pub(crate) async fn value(
    backend: &dyn RootKeyBackend,
    root: &RootKey,
    specification: KeySpecification,
    wrapped: &WrappedKek,
) -> Result<Vec<u8>, Error> {
    let material = backend.release(root, specification, wrapped).await?;
    let mut value = vec![0; material.len()];
    material.open_into(&mut value)?;
    Ok(value)
}

async fn create(backend: &dyn RootKeyBackend, name: &str) -> RootKey {
    let facts = facts(name);
    let created = backend.create(&facts).await.unwrap();
    assert_eq!(created.origin, RootKeyOrigin::Generated);
    with(facts, created)
}

/// The facts as they are kept once the backend has made the key.
fn with(facts: RootKey, created: CreatedRootKey) -> RootKey {
    RootKey {
        label: created.label,
        token_label: created.token_label,
        token_serial: created.token_serial,
        check_value: created.check_value,
        origin: created.origin,
        ..facts
    }
}

/// What is known of a root key before it is made.
pub(crate) fn facts(name: &str) -> RootKey {
    RootKey {
        id: RootKeyId::new(),
        name: name.into(),
        backend: BACKEND.into(),
        token_label: String::new(),
        token_serial: String::new(),
        label: RootKey::label_of(name, 1),
        version: 1,
        check_value: Vec::new(),
        seal_key: WrappedBytes {
            profile: String::new(),
            bytes: Vec::new(),
        },
        created_at: OffsetDateTime::UNIX_EPOCH,
        state: RootKeyState::default(),
        origin: RootKeyOrigin::default(),
    }
}

/// A key of this kind, which is no other's.
pub(crate) fn a_new(kind: KeyKind) -> KeySpecification {
    let binding = Binding {
        adapter: Uuid::from_u128(1),
        object: Uuid::new_v4(),
        part: 0,
    };
    KeySpecification { kind, binding }
}

pub(crate) fn an_aes_256_key() -> KeySpecification {
    a_new(KeyKind::Aes { bytes: 32 })
}
