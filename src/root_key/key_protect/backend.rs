//! An instance of the key manager as a root-key backend.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use claviger_hsm::{Device, RsaPublicKey, WrappedRootKey};
use tokio::sync::watch;

use super::aad::Aad;
use super::client::{Client, Service};
use super::identity::Identity;
use super::worked::Worked;
use super::wrapping::kept;
use super::{Error as KeyProtectError, KeptIn, KeyProtectConfig, foreign};
use crate::adapter::RootKey;
use crate::key::WrappedKek;
use crate::root_key::{
    BackendDescription, BackendKind, CreatedRootKey, Error, Healing, KeptKey, KeySpecification, KeyWrap,
    MadeKey, Material, Rewrapped, RootKeyBackend,
};

/// How keys leave the key manager, for the record: over TLS, and in locked memory here.
pub const RELEASE_PROFILE: &str = "key-protect";

/// An instance of Key Protect or of Hyper Protect Crypto Services as a backend. A cheap handle.
#[derive(Clone)]
pub struct KeyProtectBackend {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) config: KeyProtectConfig,
    pub(super) client: Client,
    pub(super) aad: Aad,
    pub(super) worked: Worked,
    /// A number for the last version that wrapped without being the one that was meant.
    pub(super) other_version: watch::Sender<u64>,
}

impl KeyProtectBackend {
    /// The backend of an instance. Reads the API key and the certificates, and asks nobody.
    ///
    /// Fails where what the configuration says can't be used.
    pub fn new(config: KeyProtectConfig) -> Result<Self, KeyProtectError> {
        Ok(Self {
            inner: Arc::new(Inner {
                client: Client::new(&config)?,
                config,
                aad: Aad::default(),
                worked: Worked::default(),
                other_version: watch::Sender::default(),
            }),
        })
    }

    /// Its name in the configuration.
    pub fn name(&self) -> &str {
        &self.inner.config.name
    }

    /// Where wrapped keys are kept.
    pub fn kept_in(&self) -> KeptIn {
        self.inner.config.kept_in
    }

    pub(super) fn failed(&self, source: KeyProtectError) -> Error {
        Error::KeyProtect {
            backend: self.inner.config.name.clone(),
            source,
        }
    }

    pub(super) async fn begin(&self) -> Result<Service<'_>, Error> {
        self.inner
            .client
            .begin()
            .await
            .map_err(|error| self.failed(error))
    }

    pub(super) fn identity(&self, root_key: &RootKey) -> Result<Identity, KeyProtectError> {
        Identity::of(root_key, &self.inner.config.instance_id)
    }
}

#[async_trait]
impl RootKeyBackend for KeyProtectBackend {
    fn kind(&self) -> BackendKind {
        BackendKind::KeyProtect
    }

    async fn create(&self, root_key: &RootKey) -> Result<CreatedRootKey, Error> {
        let service = self.begin().await?;
        let created = self.inner.create(&service, root_key).await;
        created.map_err(|error| self.failed(error))
    }

    async fn rotate(&self, present: &RootKey, _next: &RootKey) -> Result<CreatedRootKey, Error> {
        let service = self.begin().await?;
        let rotated = self.inner.rotate(&service, present).await;
        rotated.map_err(|error| self.failed(error))
    }

    async fn adopt(&self, _root_key: &RootKey, existing: &str) -> Result<CreatedRootKey, Error> {
        let service = self.begin().await?;
        let adopted = self.inner.adopt(&service, existing).await;
        adopted.map_err(|error| self.failed(error))
    }

    async fn present_version(&self, root_key: &RootKey) -> Result<Option<Vec<u8>>, Error> {
        let service = self.begin().await?;
        let present = self.inner.present_version(&service, root_key).await;
        present.map(Some).map_err(|error| self.failed(error))
    }

    fn other_versions(&self) -> Option<watch::Receiver<u64>> {
        Some(self.inner.other_version.subscribe())
    }

    async fn verify(&self, root_key: &RootKey) -> Result<(), Error> {
        let service = self.begin().await?;
        let verified = self.inner.verify(&service, root_key).await;
        verified.map_err(|error| self.failed(error))
    }

    async fn generate(&self, root_key: &RootKey, specification: KeySpecification) -> Result<MadeKey, Error> {
        let service = self.begin().await?;
        let made = async {
            let root = self.identity(root_key)?;
            self.inner.generate(&service, root, specification).await
        };
        made.await.map_err(|error| self.failed(error))
    }

    async fn import(
        &self,
        root_key: &RootKey,
        specification: KeySpecification,
        material: &[u8],
    ) -> Result<MadeKey, Error> {
        let service = self.begin().await?;
        let made = async {
            let root = self.identity(root_key)?;
            self.inner.wrap(&service, root, specification, material).await
        };
        made.await.map_err(|error| self.failed(error))
    }

    async fn release(
        &self,
        root_key: &RootKey,
        specification: KeySpecification,
        wrapped: &WrappedKek,
    ) -> Result<Material, Error> {
        let service = self.begin().await?;
        let root = self.identity(root_key).map_err(|error| self.failed(error))?;
        let opened = self.inner.unwrap(&service, root, specification, wrapped).await;
        let opened = opened.map_err(|error| self.failed(error))?;
        let rewrapped = opened.rewrapped.map(|rewrapped| {
            let version = rewrapped.version;
            Rewrapped {
                check_value: Identity { version, ..root }.check_value(),
                wrapped: kept(wrapped.profile, rewrapped),
            }
        });
        let name = &self.inner.config.name;
        Ok(Material::of_memory(
            name,
            RELEASE_PROFILE,
            opened.plaintext,
            rewrapped,
        ))
    }

    async fn release_under(
        &self,
        key: KeptKey<'_>,
        wrapping_key: KeptKey<'_>,
        key_wrap: KeyWrap,
    ) -> Result<Vec<u8>, Error> {
        let service = self.begin().await?;
        let released = async {
            foreign::fits(key.specification.bytes())?;
            let (key, under) = futures_util::try_join!(
                self.inner.open(&service, key),
                self.inner.open(&service, wrapping_key)
            )?;
            foreign::wrap(key_wrap, &under, &key)
        };
        released.await.map_err(|error| self.failed(error))
    }

    async fn rewrap(
        &self,
        from: &RootKey,
        to: &RootKey,
        specification: KeySpecification,
        wrapped: &WrappedKek,
    ) -> Result<WrappedKek, Error> {
        let service = self.begin().await?;
        let rewrapped = async {
            let way = (self.identity(from)?, self.identity(to)?);
            self.inner.rewrap(&service, way, specification, wrapped).await
        };
        rewrapped.await.map_err(|error| self.failed(error))
    }

    async fn destroy(&self, root_key: &RootKey) -> Result<(), Error> {
        let service = self.begin().await?;
        let destroyed = self.inner.destroy(&service, root_key).await;
        destroyed.map_err(|error| self.failed(error))
    }

    async fn destroy_version(&self, _root_key: &RootKey) -> Result<(), Error> {
        Err(Error::unsupported(
            "destroying one version of a root key: in the key manager they are destroyed together",
        ))
    }

    fn keeps_versions(&self) -> bool {
        true
    }

    async fn restore(&self, root_key: &RootKey) -> Result<(), Error> {
        let service = self.begin().await?;
        let restored = self.inner.restore(&service, root_key).await;
        restored.map_err(|error| self.failed(error))
    }

    async fn disable(&self, root_key: &RootKey) -> Result<(), Error> {
        let service = self.begin().await?;
        let disabled = self.inner.disable(&service, root_key).await;
        disabled.map_err(|error| self.failed(error))
    }

    async fn enable(&self, root_key: &RootKey) -> Result<(), Error> {
        let service = self.begin().await?;
        let enabled = self.inner.enable(&service, root_key).await;
        enabled.map_err(|error| self.failed(error))
    }

    async fn offer_take_in(&self, _label: &str) -> Result<RsaPublicKey, Error> {
        Err(Error::unsupported("bringing a root key to the key manager"))
    }

    async fn take_in(
        &self,
        _label: &str,
        _wrapped: &WrappedRootKey,
        _root_key: &RootKey,
    ) -> Result<CreatedRootKey, Error> {
        Err(Error::unsupported("bringing a root key to the key manager"))
    }

    fn device(&self) -> Result<Device, Error> {
        Err(Error::unsupported("what PKCS#11 devices do between them"))
    }

    async fn check(&self, root_key: &RootKey) -> Result<(), Error> {
        let service = self.begin().await?;
        let checked = async {
            let root = self.identity(root_key)?;
            self.inner.check(&service, root).await
        };
        checked.await.map_err(|error| self.failed(error))
    }

    fn rest_between_checks(&self, well: bool) -> Duration {
        if well && !self.inner.client.is_away() && !self.inner.worked.has_met_trouble() {
            Duration::from_secs(10)
        } else {
            Duration::from_millis(500)
        }
    }

    fn patience_of_checks(&self) -> Duration {
        (self.inner.config.deadline / 2).clamp(Duration::from_millis(400), Duration::from_secs(5))
    }

    async fn unwrap_under(
        &self,
        root_key: &RootKey,
        specification: KeySpecification,
        wrapping_key: KeptKey<'_>,
        key_wrap: KeyWrap,
        wrapped: &[u8],
    ) -> Result<MadeKey, Error> {
        let service = self.begin().await?;
        let made = async {
            let root = self.identity(root_key)?;
            let bytes = specification.bytes();
            foreign::fits(bytes)?;
            let under = self.inner.open(&service, wrapping_key).await?;
            let key = foreign::unwrap(key_wrap, &under, wrapped, bytes)?;
            self.inner
                .wrap(&service, root, specification, key.as_slice())
                .await
        };
        made.await.map_err(|error| self.failed(error))
    }

    /// From this machine's generator: the key manager has none for that.
    async fn random(&self, length: u16) -> Result<Vec<u8>, Error> {
        let mut bytes = vec![0; usize::from(length)];
        openssl::rand::rand_bytes(&mut bytes)
            .map_err(|error| self.failed(KeyProtectError::cryptography(&error)))?;
        Ok(bytes)
    }

    fn under_way(&self) -> usize {
        self.inner.client.under_way()
    }

    fn last_worked(&self, root_key: &RootKey) -> Option<Instant> {
        self.inner.worked.last(self.identity(root_key).ok()?.key)
    }

    fn healing(&self) -> Option<Healing> {
        Some(self.inner.client.healing())
    }

    async fn describe(&self) -> Result<BackendDescription, Error> {
        let service = self.begin().await?;
        let config = &self.inner.config;
        // Whatever it lists, it answers.
        let listed = service.keys_from(0, 1, None, "", "1").await;
        listed.map_err(|error| self.failed(error))?;
        Ok(BackendDescription {
            name: config.name.clone(),
            kind: self.kind().name(),
            token_label: config.key_ring.clone().unwrap_or_default(),
            token_serial: config.instance_id.clone(),
            manufacturer: "IBM".to_owned(),
            model: self.inner.client.product().to_owned(),
            firmware: String::new(),
            wrap_profile: self
                .inner
                .aad
                .known()
                .map(|profile| profile.name().to_owned())
                .unwrap_or_default(),
            release_profile: RELEASE_PROFILE,
            worker_pids: Vec::new(),
            members: Vec::new(),
        })
    }
}
