//! The PIN: what is wrong is tried once.

use claviger_hsm::testkit::{Faults, SoftHsm};
use claviger_hsm::{Device, DeviceConfig, Error};

use crate::support::{Scene, command, until};

#[tokio::test]
async fn a_wrong_pin_reaches_the_token_once() {
    let token = SoftHsm::new();
    token.write_pin("not-the-pin\n");
    let mut config = DeviceConfig {
        workers: 3,
        ..token.device_config("test")
    };
    let faults = Faults::before(&mut config, token.directory().join("faults"));
    let refused = Device::start(config, command())
        .await
        .err()
        .expect("the PIN is wrong");
    assert!(matches!(refused, Error::PinIncorrect { .. }), "{refused}");
    assert_eq!(faults.calls("C_Login"), 1);
}

#[tokio::test]
async fn a_pin_that_the_token_no_longer_takes_is_tried_once_however_often_it_is_asked_for() {
    for value in ["CKR_PIN_INCORRECT", "CKR_PIN_LOCKED"] {
        let scene = Scene::with(|config| DeviceConfig { workers: 3, ..config }).await;
        scene.faults.set(&format!(
            "C_Login all fail {value}\nC_WrapKey all fail CKR_CRYPTOKI_NOT_INITIALIZED"
        ));
        until("the PIN is known to be refused", async || {
            matches!(
                scene.device.check(&scene.root).await,
                Err(Error::PinIncorrect { .. })
            )
        })
        .await;
        // The other workers are logged in still; they come to their own end as soon as the module fails them.
        for _ in 0..20 {
            let refused = scene
                .device
                .check(&scene.root)
                .await
                .expect_err("there is no login");
            assert!(matches!(refused, Error::PinIncorrect { .. }), "{refused}");
        }
        assert_eq!(scene.faults.calls("C_Login"), 1, "{value}");
    }
}

#[tokio::test]
async fn a_login_that_failed_for_another_reason_is_made_again() {
    let scene = Scene::new().await;
    scene
        .faults
        .set("C_Login 1-3 fail CKR_DEVICE_ERROR\nC_UnwrapKey 1 crash");
    until("the device works again", async || scene.release().await.is_ok()).await;
    assert_eq!(scene.faults.calls("C_Login"), 4);
}
