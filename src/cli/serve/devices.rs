//! The devices of the configuration, started; one that does not answer is tried again until it does. Those of a mirror
//! serve as one.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use claviger_hsm::{Device, DeviceConfig, Error as DeviceError, Starter, WorkerCommand};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::adapter::RootKey;
use crate::config::{CustodySigner, Mirror};
use crate::key::WrappedKek;
use crate::root_key::key_protect::{KeptBackend, KeyProtectBackend};
use crate::root_key::{
    BackendDescription, Capabilities, Cipher, CreatedRootKey, DerivingCipher, Error, Healing, KeptKey,
    KeySpecification, KeyWrap, MacAlgorithm, MadeKey, Material, MirrorBackend, Pkcs11Backend, RootKeyBackend,
    RootKeys, RsaPublicKey, WrappedRootKey,
};

/// How long a start waits for a device before it goes on without.
const PATIENCE: Duration = Duration::from_secs(30);

/// The rest between two tries of a device that is away: it serves again within a second of its return.
const REST: Duration = Duration::from_millis(500);

/// The devices, up or on their way.
pub(super) struct Devices {
    backends: Vec<Arc<LateBackend>>,
    /// What signs the custody log and holds no root keys.
    software_signer: Option<Arc<LateBackend>>,
    starting: Vec<JoinHandle<()>>,
    /// Told whenever one comes up.
    came_up: watch::Sender<()>,
}

impl Devices {
    /// Starts all of them at once, and waits until each serves or has failed for the first time.
    pub(super) async fn start(
        configs: Vec<DeviceConfig>,
        software_signer: Option<DeviceConfig>,
        worker: &WorkerCommand,
    ) -> Self {
        let mut devices = Self {
            backends: Vec::new(),
            software_signer: None,
            starting: Vec::new(),
            came_up: watch::channel(()).0,
        };
        let mut first_tries = Vec::new();
        let mut bring_up = |config: DeviceConfig| {
            let backend = Arc::new(LateBackend::new(&config.name));
            let (tried, first_try) = watch::channel(false);
            devices.starting.push(tokio::spawn(Arc::clone(&backend).bring_up(
                config,
                worker.clone(),
                tried,
                devices.came_up.clone(),
            )));
            first_tries.push(first_try);
            backend
        };
        devices.backends = configs.into_iter().map(&mut bring_up).collect();
        devices.software_signer = software_signer.map(&mut bring_up);
        let all = async {
            for first_try in &mut first_tries {
                // An error means that the task is over, which is an answer as well.
                let _ = first_try.wait_for(|tried| *tried).await;
            }
        };
        if timeout(PATIENCE, all).await.is_err() {
            tracing::warn!("a device takes long to start; the server goes on without it for now");
        }
        devices
    }

    /// What holds root keys: the devices, those of a mirror by the mirror's name alone, and these instances of the key manager.
    pub(super) fn root_keys(&self, mirrors: &[Mirror], key_managers: &[KeyProtectBackend]) -> RootKeys {
        let mirrored = |name: &String| mirrors.iter().any(|mirror| mirror.devices.contains(name));
        let alone = (self.backends.iter())
            .filter(|backend| !mirrored(&backend.name))
            .map(named);
        let together = mirrors.iter().map(|mirror| {
            let members = (self.backends.iter())
                .filter(|backend| mirror.devices.contains(&backend.name))
                .map(named)
                .collect();
            let backend = MirrorBackend::start(&mirror.name, members, mirror.replication);
            let backend: Arc<dyn RootKeyBackend> = Arc::new(backend);
            (mirror.name.clone(), backend)
        });
        let elsewhere = key_managers.iter().map(|instance| {
            let backend: Arc<dyn RootKeyBackend> = Arc::new(KeptBackend::new(instance.clone()));
            (instance.name().to_owned(), backend)
        });
        RootKeys::new(alone.chain(together).chain(elsewhere).collect())
    }

    /// What signs the custody log.
    pub(super) fn signers(&self, signer: &CustodySigner) -> Vec<Arc<LateBackend>> {
        match signer {
            CustodySigner::Devices(names) => {
                let backends = self.backends.iter();
                let meant = backends.filter(|backend| names.contains(&backend.name));
                meant.cloned().collect()
            }
            CustodySigner::Software(_) => self.software_signer.iter().cloned().collect(),
            CustodySigner::Nowhere => Vec::new(),
        }
    }

    /// Every device, that of the software token too.
    fn all(&self) -> impl Iterator<Item = &Arc<LateBackend>> {
        self.backends.iter().chain(&self.software_signer)
    }

    /// Told whenever a device that was away at the start comes up.
    pub(super) fn came_up(&self) -> watch::Receiver<()> {
        self.came_up.subscribe()
    }

    /// The process numbers of all workers.
    pub(super) fn worker_pids(&self) -> Vec<u32> {
        self.all()
            .filter_map(|b| b.up.get())
            .flat_map(|up| up.device().worker_pids())
            .collect()
    }

    /// Ends the workers, after what is under way.
    pub(super) async fn shutdown(self) {
        for starting in &self.starting {
            starting.abort();
        }
        let workers = self.all().filter_map(|backend| backend.up.get());
        futures_util::future::join_all(workers.map(|up| up.device().shutdown())).await;
    }
}

fn named(backend: &Arc<LateBackend>) -> (String, Arc<dyn RootKeyBackend>) {
    (backend.name.clone(), Arc::clone(backend) as _)
}

async fn start(
    starter: &mut Option<Starter>,
    config: &DeviceConfig,
    worker: &WorkerCommand,
) -> Result<Device, DeviceError> {
    let starter = match starter {
        Some(starter) => starter,
        None => starter.insert(Starter::new(config.clone(), worker.clone()).await?),
    };
    starter.start().await
}

/// A device that may not be up yet. Until then everything fails as on a device that is away for a while.
pub(super) struct LateBackend {
    name: String,
    up: OnceLock<Pkcs11Backend>,
    /// Why it is not up.
    why_not: RwLock<DeviceError>,
}

impl LateBackend {
    fn new(name: &str) -> Self {
        let why_not = DeviceError::Unavailable {
            reason: "it is being started".into(),
        };
        Self {
            name: name.to_owned(),
            up: OnceLock::new(),
            why_not: RwLock::new(why_not),
        }
    }

    /// Tries until the device serves or refuses its PIN.
    async fn bring_up(
        self: Arc<Self>,
        config: DeviceConfig,
        worker: WorkerCommand,
        tried: watch::Sender<bool>,
        came_up: watch::Sender<()>,
    ) {
        let mut starter = None;
        let mut said = String::new();
        loop {
            let error = match start(&mut starter, &config, &worker).await {
                Ok(device) => {
                    tracing::info!(device = %self.name, "the device serves");
                    let _ = self.up.set(Pkcs11Backend::new(device));
                    tried.send_replace(true);
                    came_up.send_replace(());
                    return;
                }
                Err(error) => error,
            };
            let last = matches!(error, DeviceError::PinIncorrect { .. });
            let reason = error.to_string();
            *self.why_not.write().unwrap_or_else(PoisonError::into_inner) = if last {
                error.clone()
            } else {
                DeviceError::Unavailable {
                    reason: reason.clone(),
                }
            };
            tried.send_replace(true);
            if last {
                // A few wrong PINs lock a token. The server stays up: a supervisor that starts it again and again
                // would do the same.
                tracing::error!(device = %self.name, %error, "the device can't be used: correct its PIN file and start the server again");
                return;
            }
            if reason != said {
                tracing::error!(device = %self.name, %error, "the device does not serve; it is tried again until it does");
                said = reason;
            }
            tokio::time::sleep(REST).await;
        }
    }

    fn up(&self) -> Result<&Pkcs11Backend, Error> {
        self.up.get().ok_or_else(|| Error::Device {
            backend: self.name.clone(),
            source: self
                .why_not
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .clone(),
        })
    }
}

#[async_trait]
impl RootKeyBackend for LateBackend {
    async fn create(&self, root_key: &RootKey) -> Result<CreatedRootKey, Error> {
        self.up()?.create(root_key).await
    }

    async fn verify(&self, root_key: &RootKey) -> Result<(), Error> {
        self.up()?.verify(root_key).await
    }

    async fn generate(&self, root_key: &RootKey, specification: KeySpecification) -> Result<MadeKey, Error> {
        self.up()?.generate(root_key, specification).await
    }

    async fn import(
        &self,
        root_key: &RootKey,
        specification: KeySpecification,
        material: &[u8],
    ) -> Result<MadeKey, Error> {
        self.up()?.import(root_key, specification, material).await
    }

    async fn release(
        &self,
        root_key: &RootKey,
        specification: KeySpecification,
        wrapped: &WrappedKek,
    ) -> Result<Material, Error> {
        self.up()?.release(root_key, specification, wrapped).await
    }

    async fn release_under(
        &self,
        key: KeptKey<'_>,
        wrapping_key: KeptKey<'_>,
        key_wrap: KeyWrap,
    ) -> Result<Vec<u8>, Error> {
        self.up()?.release_under(key, wrapping_key, key_wrap).await
    }

    async fn encrypt(&self, key: KeptKey<'_>, cipher: &Cipher, data: &[u8]) -> Result<Vec<u8>, Error> {
        self.up()?.encrypt(key, cipher, data).await
    }

    async fn decrypt(&self, key: KeptKey<'_>, cipher: &Cipher, data: &[u8]) -> Result<Vec<u8>, Error> {
        self.up()?.decrypt(key, cipher, data).await
    }

    async fn mac(&self, key: KeptKey<'_>, algorithm: MacAlgorithm, data: &[u8]) -> Result<Vec<u8>, Error> {
        self.up()?.mac(key, algorithm, data).await
    }

    async fn verify_mac(
        &self,
        key: KeptKey<'_>,
        algorithm: MacAlgorithm,
        data: &[u8],
        code: &[u8],
    ) -> Result<bool, Error> {
        self.up()?.verify_mac(key, algorithm, data, code).await
    }

    async fn unwrap_under(
        &self,
        root_key: &RootKey,
        specification: KeySpecification,
        wrapping_key: KeptKey<'_>,
        key_wrap: KeyWrap,
        wrapped: &[u8],
    ) -> Result<MadeKey, Error> {
        self.up()?
            .unwrap_under(root_key, specification, wrapping_key, key_wrap, wrapped)
            .await
    }

    async fn derive_by_encryption(
        &self,
        root_key: &RootKey,
        specification: KeySpecification,
        base: KeptKey<'_>,
        cipher: DerivingCipher,
        data: &[u8],
    ) -> Result<MadeKey, Error> {
        self.up()?
            .derive_by_encryption(root_key, specification, base, cipher, data)
            .await
    }

    async fn random(&self, length: u16) -> Result<Vec<u8>, Error> {
        self.up()?.random(length).await
    }

    async fn seed_random(&self, seed: &[u8]) -> Result<bool, Error> {
        self.up()?.seed_random(seed).await
    }

    async fn capabilities(&self) -> Result<Capabilities, Error> {
        self.up()?.capabilities().await
    }

    async fn rewrap(
        &self,
        from: &RootKey,
        to: &RootKey,
        specification: KeySpecification,
        wrapped: &WrappedKek,
    ) -> Result<WrappedKek, Error> {
        self.up()?.rewrap(from, to, specification, wrapped).await
    }

    async fn forget(&self, root_key: &RootKey, wrapped: Option<&WrappedKek>) {
        // A device that is not up keeps nothing.
        if let Ok(up) = self.up() {
            up.forget(root_key, wrapped).await;
        }
    }

    async fn destroy(&self, root_key: &RootKey) -> Result<(), Error> {
        self.up()?.destroy(root_key).await
    }

    async fn offer_take_in(&self, label: &str) -> Result<RsaPublicKey, Error> {
        self.up()?.offer_take_in(label).await
    }

    async fn take_in(
        &self,
        label: &str,
        wrapped: &WrappedRootKey,
        root_key: &RootKey,
    ) -> Result<CreatedRootKey, Error> {
        self.up()?.take_in(label, wrapped, root_key).await
    }

    fn device(&self) -> Result<Device, Error> {
        RootKeyBackend::device(self.up()?)
    }

    async fn check(&self, root_key: &RootKey) -> Result<(), Error> {
        self.up()?.check(root_key).await
    }

    fn under_way(&self) -> usize {
        self.up.get().map_or(0, Pkcs11Backend::under_way)
    }

    fn last_worked(&self, root_key: &RootKey) -> Option<Instant> {
        self.up.get()?.last_worked(root_key)
    }

    fn healing(&self) -> Option<Healing> {
        Some(self.up.get().and_then(Pkcs11Backend::healing).unwrap_or_default())
    }

    async fn describe(&self) -> Result<BackendDescription, Error> {
        self.up()?.describe().await
    }
}
