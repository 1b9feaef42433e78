//! What the tests share.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use claviger_hsm::testkit::TestToken;
use claviger_hsm::{Device, DeviceConfig, KeyKind, RootKeyLocator, WorkerCommand, Wrapped};
use rustix::process::{Pid, Signal, kill_process};

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

pub(crate) fn root(number: u8) -> RootKeyLocator {
    RootKeyLocator {
        label: format!("root key {number}"),
        id: vec![number; 16],
        check_value: None,
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

/// RSA keys take a token seconds, and minutes on a machine that is busy.
pub(crate) fn patient(config: DeviceConfig) -> DeviceConfig {
    DeviceConfig {
        deadline: Duration::from_mins(2),
        ..config
    }
}

/// Brings a key from under a root key of one device under one of another, over a key that both have meanwhile. Each device
/// has the one root key only.
pub(crate) async fn carry_and_leave_nothing(
    (first, here): (&Device, &RootKeyLocator),
    (second, there): (&Device, &RootKeyLocator),
) {
    let kind = KeyKind::Aes { bytes: 32 };
    let made = first.generate(here, kind).await.expect("a key is made");
    let before = value(first, here, kind, &made.wrapped).await;
    let between = root(3);
    let shared = first.share_key_with(second, &between).await;
    let [one, other] = shared.expect("both devices get the key");
    assert_eq!(one.check_value, other.check_value);
    assert!(!one.attributes.extractable && !other.attributes.extractable);
    let between = RootKeyLocator {
        check_value: Some(one.check_value),
        ..between
    };
    let carried = first.rewrap(here, &between, kind, &made.wrapped).await;
    let arrived = second
        .rewrap(&between, there, kind, &carried.expect("the source knows both"))
        .await;
    assert_eq!(
        value(second, there, kind, &arrived.expect("the target knows both")).await,
        before
    );

    for (device, left) in [(first, here), (second, there)] {
        let destroyed = device.destroy_root_key(&between).await;
        destroyed.expect("the device works");
        let keys = device.list_root_keys().await.expect("the device works");
        let labels: Vec<_> = keys.iter().map(|key| &key.locator.label).collect();
        assert_eq!(labels, [&left.label]);
    }
}

/// Waits for a condition; the runner's own limit ends a wait that has no end.
pub(crate) async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let limit = std::time::Instant::now() + Duration::from_mins(1);
    while !condition().await {
        assert!(std::time::Instant::now() < limit, "this never came: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Runs one test of this program that is marked as ignored, in a process of its own with the token in its environment;
/// `test` is its whole path. It finds the token by [`TokenOfTheEnvironment`].
pub(crate) async fn run_again(test: &str, token: &TestToken, device: &Device) {
    let status = again(test, token, device).await.status();
    let status = status.expect("this program can be started");
    assert!(status.success(), "{test}: {status}");
}

pub(crate) async fn again(test: &str, token: &TestToken, device: &Device) -> Command {
    let slot = device.token().await.expect("the device answers").slot;
    let mut command = Command::new(std::env::current_exe().expect("this program has a file"));
    command
        .args([test, "--exact", "--ignored", "--nocapture"])
        .env("CLAVIGER_TEST_MODULE", token.module())
        .env("CLAVIGER_TEST_SLOT", slot.to_string())
        .env("CLAVIGER_TEST_PIN_FILE", token.pin_file())
        .envs(token.environment());
    command
}

/// The token that [`again`] gave to this process.
pub(crate) struct TokenOfTheEnvironment {
    pub(crate) module: PathBuf,
    pub(crate) slot: u64,
    pub(crate) pin_file: PathBuf,
}

impl TokenOfTheEnvironment {
    pub(crate) fn get() -> Self {
        let get = |name: &str| std::env::var(name).expect("run by another test, which sets it");
        Self {
            module: get("CLAVIGER_TEST_MODULE").into(),
            slot: get("CLAVIGER_TEST_SLOT").parse().expect("a slot's number"),
            pin_file: get("CLAVIGER_TEST_PIN_FILE").into(),
        }
    }
}

/// A worker command that leaves a line in `log` for each worker that is started.
pub(crate) fn counted_command(log: &Path) -> WorkerCommand {
    let script = format!(
        "echo started >> '{}'; exec '{}'",
        log.display(),
        command().program.display()
    );
    WorkerCommand {
        program: "/bin/sh".into(),
        arguments: vec!["-c".into(), script.into()],
    }
}

/// How many workers were started.
pub(crate) fn starts(log: &Path) -> usize {
    std::fs::read_to_string(log).map_or(0, |text| text.lines().count())
}

pub(crate) fn signal(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid)
        .ok()
        .and_then(Pid::from_raw)
        .expect("a process number");
    // It may have ended meanwhile.
    let _ = kill_process(pid, signal);
}

pub(crate) fn is_running(pid: u32) -> bool {
    // A process that nobody has waited for is there still, as a zombie.
    let status = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    status
        .rsplit_once(')')
        .is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
}
