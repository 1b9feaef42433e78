//! A log is signed again when its device is back, and by no other key.

use claviger_hsm::{Error, SigningKey};

use crate::support::{Scene, until};

const LABEL: &str = "claviger.custody";

async fn signs(scene: &Scene, key: &SigningKey) -> bool {
    match scene.device.sign(key, b"text").await {
        Ok(signature) => key.verifies(b"text", &signature),
        Err(_) => false,
    }
}

#[tokio::test]
async fn a_key_whose_making_lost_its_answer_is_made_once_and_answered_with() {
    let scene = Scene::new().await;
    let mut number = 0;
    for function in [
        "C_GenerateKeyPair",
        "C_Sign",
        "C_FindObjects",
        "C_GetAttributeValue",
    ] {
        for verb in ["fail", "do-and-fail"] {
            for value in ["CKR_DEVICE_ERROR", "CKR_SESSION_CLOSED"] {
                number += 1;
                let label = format!("key {number}");
                scene.faults.set(&format!("{function} 1 {verb} {value}"));
                let made = scene.device.make_signing_key(&label).await;
                scene.faults.none();
                let made = made.unwrap_or_else(|error| panic!("{function} {verb} {value}: {error}"));
                assert_eq!(scene.device.signing_key(&label).await.as_ref(), Ok(&made));
                assert!(signs(&scene, &made).await, "{function} {verb} {value}");
            }
        }
    }
}

#[tokio::test]
async fn a_checkpoint_is_signed_whatever_failed_once_on_the_way() {
    let scene = Scene::new().await;
    let key = scene.device.make_signing_key(LABEL).await.expect("a key is made");
    for function in ["C_SignInit", "C_Sign", "C_FindObjectsInit", "C_GetAttributeValue"] {
        for value in [
            "CKR_DEVICE_ERROR",
            "CKR_SESSION_CLOSED",
            "CKR_CRYPTOKI_NOT_INITIALIZED",
            "CKR_USER_NOT_LOGGED_IN",
        ] {
            scene.faults.set(&format!("{function} 1 fail {value}"));
            let signed = scene.device.sign(&key, b"text").await;
            scene.faults.none();
            assert!(signed.is_ok(), "{function} {value}: {signed:?}");
        }
    }
}

#[tokio::test]
async fn a_device_that_serves_keys_and_does_not_sign_is_not_initialised_anew_at_each_checkpoint() {
    let scene = Scene::new().await;
    let key = scene.device.make_signing_key(LABEL).await.expect("a key is made");
    scene.faults.set("C_Sign all fail CKR_DEVICE_ERROR");
    let before = scene.faults.calls("C_Initialize");
    for _ in 0..3 {
        scene
            .device
            .sign(&key, b"text")
            .await
            .expect_err("it does not sign");
        scene.release().await.expect("keys are served");
    }
    assert_eq!(scene.faults.calls("C_Initialize"), before);
    scene.faults.none();
    assert!(signs(&scene, &key).await);
}

#[tokio::test]
async fn a_worker_that_is_killed_is_followed_by_one_that_signs() {
    let scene = Scene::new().await;
    let key = scene.device.make_signing_key(LABEL).await.expect("a key is made");
    let scene = scene.with_a_new_worker().await;
    assert!(signs(&scene, &key).await);
}

#[tokio::test]
async fn a_token_that_is_away_is_not_one_that_has_lost_its_key() {
    let scene = Scene::new().await;
    let key = scene.device.make_signing_key(LABEL).await.expect("a key is made");
    let elsewhere = scene.token.directory().join("away");
    std::fs::rename(scene.token.token_directory(), &elsewhere).expect("the token is there");
    let refused = scene.device.sign(&key, b"text").await.expect_err("it is away");
    assert!(refused.is_retryable(), "{refused}");
    std::fs::rename(&elsewhere, scene.token.token_directory()).expect("the token is away");
    until("it signs again", async || signs(&scene, &key).await).await;
}

#[tokio::test]
async fn a_key_that_is_really_gone_is_said_to_be_and_does_not_keep_keys_from_being_served() {
    let scene = Scene::new().await;
    let key = scene.device.make_signing_key(LABEL).await.expect("a key is made");
    let absent = SigningKey {
        label: "gone".into(),
        ..key
    };
    for _ in 0..3 {
        let refused = scene.device.sign(&absent, b"text").await.expect_err("it is gone");
        assert!(matches!(refused, Error::SigningKeyNotFound { .. }), "{refused}");
        scene.release().await.expect("keys are served");
    }
}
