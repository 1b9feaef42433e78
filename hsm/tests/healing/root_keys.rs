//! A root key is made once, and what is there is never taken for another.

use claviger_hsm::Error;

use crate::support::{Scene, root};

#[tokio::test]
async fn a_root_key_whose_making_lost_its_answer_is_made_once_and_answered_with() {
    let scene = Scene::new().await;
    let mut number = 1;
    for function in [
        "C_GenerateKey",
        "C_GetAttributeValue",
        "C_WrapKey",
        "C_CreateObject",
    ] {
        for verb in ["fail", "do-and-fail"] {
            for value in [
                "CKR_DEVICE_ERROR",
                "CKR_SESSION_CLOSED",
                "CKR_CRYPTOKI_NOT_INITIALIZED",
            ] {
                number += 1;
                scene.faults.set(&format!("{function} 1 {verb} {value}"));
                let made = scene.device.create_root_key(&root(number)).await;
                scene.faults.none();
                let made = made.unwrap_or_else(|error| panic!("{function} {verb} {value}: {error}"));
                assert_eq!(scene.device.find_root_key(&root(number)).await, Ok(made));
                let there = scene.device.list_root_keys().await.expect("the root keys").len();
                assert_eq!(there, usize::from(number), "{function} {verb} {value}");
            }
        }
    }
}

#[tokio::test]
async fn a_root_key_that_was_there_before_is_not_said_to_be_new_because_the_device_failed() {
    let scene = Scene::new().await;
    for value in ["CKR_DEVICE_ERROR", "CKR_SESSION_CLOSED"] {
        scene.faults.set(&format!("C_FindObjects 1 fail {value}"));
        let refused = scene
            .device
            .create_root_key(&scene.root)
            .await
            .expect_err("it is there");
        assert!(matches!(refused, Error::RootKeyExists { .. }), "{refused}");
    }
}

#[tokio::test]
async fn a_check_value_that_could_not_be_made_is_not_taken_for_another_keys() {
    let scene = Scene::new().await;
    let check_value = scene
        .device
        .find_root_key(&scene.root)
        .await
        .expect("it is there")
        .check_value;
    let mut expected = scene.root.clone();
    expected.check_value = Some(check_value);
    for function in ["C_CreateObject", "C_WrapKey"] {
        scene.faults.set(&format!("{function} all fail CKR_DEVICE_ERROR"));
        let refused = scene
            .device
            .find_root_key(&expected)
            .await
            .expect_err("the device fails");
        assert!(refused.is_retryable(), "{function}: {refused}");
        scene.faults.none();
        scene.is_well().await;
    }
}
