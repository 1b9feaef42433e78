//! What can be asked of SoftHSMv2 only: its tokens are files that can be moved away. openCryptoki's and Kryoptic's stay
//! open in the process that uses them.

use std::process::Command;

use claviger_hsm::testkit::SoftHsm;
use claviger_hsm::{DeviceConfig, Error, KeyKind, SlotSelector};

use crate::support::{root, start, until, value};

const AES_256: KeyKind = KeyKind::Aes { bytes: 32 };

#[tokio::test]
async fn a_token_that_went_away_is_served_again_when_it_is_back() {
    let token = SoftHsm::new();
    let device = start(token.device_config("test")).await;
    let root = root(1);
    device.create_root_key(&root).await.unwrap();
    let made = device.generate(&root, AES_256).await.unwrap();
    let before = value(&device, &root, AES_256, &made.wrapped).await;
    let away = token.directory().join("away");
    std::fs::rename(token.token_directory(), &away).unwrap();
    let refused = device.check(&root).await.expect_err("there is no token");
    assert!(
        refused.is_retryable() || matches!(refused, Error::RootKeyNotFound { .. }),
        "{refused}"
    );
    assert!(device.create_root_key(&crate::support::root(5)).await.is_err());

    std::fs::rename(&away, token.token_directory()).unwrap();
    until("the device works again", async || {
        device.check(&root).await.is_ok()
    })
    .await;
    assert_eq!(value(&device, &root, AES_256, &made.wrapped).await, before);
    assert_eq!(device.list_root_keys().await.unwrap().len(), 1);
}

/// IBM's module for GREP11 takes an API key as PIN. openCryptoki takes eight characters at most.
#[tokio::test]
async fn a_pin_as_long_as_an_api_key_reaches_the_token_as_it_is() {
    const API_KEY: &str = "Zt-9_pQw3RxYvKmN7bHcJdLfGsA1eUi0oT5zX2yVq6M8";
    let token = SoftHsm::new();
    let made = Command::new("softhsm2-util")
        .args(["--init-token", "--free", "--label", "api-key"])
        .args(["--so-pin", "officer-4713", "--pin", API_KEY])
        .envs(token.environment())
        .status();
    assert!(made.unwrap().success());
    token.write_pin(&format!("{API_KEY}\n"));
    let device = start(DeviceConfig {
        slot: SlotSelector::TokenLabel("api-key".to_owned()),
        ..token.device_config("test")
    })
    .await;
    device.create_root_key(&root(1)).await.unwrap();
    device.shutdown().await;
}
