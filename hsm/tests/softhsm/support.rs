//! What the tests share.

use std::time::Duration;

use claviger_hsm::testkit::SoftHsm;
use claviger_hsm::{Device, DeviceConfig, KeyKind, RootKeyLocator, WorkerCommand, Wrapped};

/// The worker program of this crate.
pub(crate) fn command() -> WorkerCommand {
    WorkerCommand {
        program: env!("CARGO_BIN_EXE_claviger-device-worker").into(),
        arguments: Vec::new(),
    }
}

pub(crate) async fn start(config: DeviceConfig) -> Device {
    Device::start(config, command()).await.expect("the device starts")
}

/// A device on a new token, with one root key.
pub(crate) async fn device_with_root_key() -> (SoftHsm, Device, RootKeyLocator) {
    let token = SoftHsm::new();
    let device = start(token.device_config("test")).await;
    let root = root(1);
    device.create_root_key(&root).await.expect("a root key is made");
    (token, device, root)
}

pub(crate) fn root(number: u8) -> RootKeyLocator {
    RootKeyLocator {
        label: format!("root key {number}"),
        id: vec![number; 16],
    }
}

pub(crate) async fn value(
    device: &Device,
    root: &RootKeyLocator,
    kind: KeyKind,
    wrapped: &Wrapped,
) -> Vec<u8> {
    let released = device
        .release(root, kind, wrapped)
        .await
        .expect("the key is released");
    let mut value = vec![0; released.len()];
    released.open_into(&mut value).expect("the key opens");
    value
}

/// Waits for a condition; the runner's own limit ends a wait that has no end.
pub(crate) async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let limit = std::time::Instant::now() + Duration::from_secs(60);
    while !condition().await {
        assert!(std::time::Instant::now() < limit, "this never came: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
