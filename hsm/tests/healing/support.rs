//! What the tests share.

use std::time::{Duration, Instant};

use claviger_hsm::testkit::{Faults, SoftHsm};
use claviger_hsm::{Device, DeviceConfig, KeyKind, RootKeyLocator, WorkerCommand, Wrapped};
use rustix::process::{Pid, Signal, kill_process};

pub(crate) const AES_256: KeyKind = KeyKind::Aes { bytes: 32 };

/// A device with faults before it, one root key, and a key under that with its value.
pub(crate) struct Scene {
    pub(crate) device: Device,
    pub(crate) faults: Faults,
    pub(crate) root: RootKeyLocator,
    pub(crate) wrapped: Wrapped,
    value: Vec<u8>,
    pub(crate) token: SoftHsm,
}

impl Scene {
    /// One worker of two sessions.
    pub(crate) async fn new() -> Self {
        Self::with(|config| config).await
    }

    pub(crate) async fn with(change: impl FnOnce(DeviceConfig) -> DeviceConfig) -> Self {
        let token = SoftHsm::new();
        let mut config = change(token.device_config("test"));
        let faults = Faults::before(&mut config, token.directory().join("faults"));
        let device = Device::start(config, command()).await.expect("the device starts");
        let root = root(1);
        device.create_root_key(&root).await.expect("a root key is made");
        let wrapped = device
            .generate(&root, AES_256)
            .await
            .expect("a key is made")
            .wrapped;
        let mut scene = Self {
            device,
            faults,
            root,
            wrapped,
            value: Vec::new(),
            token,
        };
        scene.value = scene.released().await.expect("the key is released");
        scene
    }

    async fn released(&self) -> Result<Vec<u8>, claviger_hsm::Error> {
        let released = self.device.release(&self.root, AES_256, &self.wrapped).await?;
        let mut value = vec![0; released.len()];
        released.open_into(&mut value)?;
        Ok(value)
    }

    /// Releases the key; what comes must be its value.
    pub(crate) async fn release(&self) -> Result<(), claviger_hsm::Error> {
        let value = self.released().await?;
        assert!(value == self.value, "another key's bytes were released");
        Ok(())
    }

    /// Makes a key, reads it back, and compares it with the digest that was said of it.
    pub(crate) async fn generate(&self) -> Result<(), claviger_hsm::Error> {
        let made = self.device.generate(&self.root, AES_256).await?;
        self.faults.none();
        let released = self.device.release(&self.root, AES_256, &made.wrapped).await?;
        let mut value = vec![0; released.len()];
        released.open_into(&mut value)?;
        assert!(
            openssl::sha::sha256(&value) == made.sha256,
            "the digest is another key's"
        );
        Ok(())
    }

    /// Waits until the device does all that it did before.
    pub(crate) async fn is_well(&self) {
        until("the device works again", async || self.release().await.is_ok()).await;
        self.generate().await.expect("a key is made");
        self.device.check(&self.root).await.expect("the root key works");
        assert_eq!(
            self.device.list_root_keys().await.expect("the root keys").len(),
            1
        );
    }

    /// Replaces the worker, so that nothing is remembered.
    pub(crate) async fn with_a_new_worker(self) -> Self {
        let pid = self.pid();
        let process = Pid::from_raw(i32::try_from(pid).expect("a process number")).expect("not 0");
        kill_process(process, Signal::KILL).expect("it runs");
        until("a new worker serves", async || {
            self.device.worker_pids().iter().any(|other| *other != pid)
        })
        .await;
        self
    }

    pub(crate) fn pid(&self) -> u32 {
        let [pid] = self.device.worker_pids()[..] else {
            panic!("one worker serves")
        };
        pid
    }
}

/// The worker program of this crate.
pub(crate) fn command() -> WorkerCommand {
    WorkerCommand {
        program: env!("CARGO_BIN_EXE_claviger-device-worker").into(),
        arguments: Vec::new(),
    }
}

pub(crate) fn root(number: u8) -> RootKeyLocator {
    RootKeyLocator {
        label: format!("root key {number}"),
        id: vec![number; 16],
        check_value: None,
    }
}

/// Waits for a condition; the runner's own limit ends a wait that has no end.
pub(crate) async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let limit = Instant::now() + Duration::from_mins(1);
    while !condition().await {
        assert!(Instant::now() < limit, "this never came: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
