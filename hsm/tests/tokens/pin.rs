//! The PIN: what is wrong is tried once.

use claviger_hsm::{Device, DeviceConfig, Error};
use rustix::process::Signal;

use super::token;
use crate::support::{counted_command, root, signal, starts, until};

#[tokio::test]
async fn a_wrong_pin_is_tried_once() {
    let Some(token) = token() else { return };
    token.write_pin("wrong-17\n");
    let log = token.directory().join("starts");
    let config = DeviceConfig {
        workers: 3,
        ..token.device_config("test")
    };
    let refused = Device::start(config, counted_command(&log)).await.err().unwrap();
    assert!(matches!(refused, Error::PinIncorrect { .. }), "{refused}");
    assert!(!refused.is_retryable());
    assert_eq!(starts(&log), 1);
}

#[tokio::test]
async fn a_pin_that_was_changed_is_tried_once_however_many_workers_ended() {
    let Some(token) = token() else { return };
    let log = token.directory().join("starts");
    let config = DeviceConfig {
        workers: 3,
        ..token.device_config("test")
    };
    let device = Device::start(config, counted_command(&log)).await.unwrap();
    device.create_root_key(&root(1)).await.unwrap();
    assert_eq!(starts(&log), 3);

    token.write_pin("wrong-17\n");
    for pid in device.worker_pids() {
        signal(pid, Signal::KILL);
    }
    until("the PIN is known to be wrong", async || {
        matches!(device.check(&root(1)).await, Err(Error::PinIncorrect { .. }))
    })
    .await;
    for _ in 0..20 {
        assert!(matches!(
            device.check(&root(1)).await,
            Err(Error::PinIncorrect { .. })
        ));
    }
    assert_eq!(starts(&log), 4);
    device.shutdown().await;
    assert_eq!(starts(&log), 4);
}

#[tokio::test]
async fn a_pin_file_that_is_not_there_is_said_to_be_so() {
    let Some(token) = token() else { return };
    std::fs::remove_file(token.pin_file()).unwrap();
    let refused = Device::start(token.device_config("test"), crate::support::command())
        .await
        .err()
        .unwrap();
    assert!(matches!(refused, Error::PinFile { .. }), "{refused}");
}
