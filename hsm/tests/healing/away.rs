//! A token that goes away in silence: its module finds nothing, and calls that an answer.

use std::path::PathBuf;

use claviger_hsm::{Error, RootKeyLocator};

use crate::support::{AES_256, Scene, root};

/// Where the token is while it is away.
fn elsewhere(scene: &Scene) -> PathBuf {
    scene.token.directory().join("away")
}

fn take_away(scene: &Scene) {
    std::fs::rename(scene.token.token_directory(), elsewhere(scene)).expect("the token is there");
}

fn bring_back(scene: &Scene) {
    std::fs::rename(elsewhere(scene), scene.token.token_directory()).expect("the token is away");
}

/// The root key as it is recorded: with its check value.
async fn recorded(scene: &Scene, locator: &RootKeyLocator) -> RootKeyLocator {
    let found = scene.device.find_root_key(locator).await.expect("it is there");
    RootKeyLocator {
        check_value: Some(found.check_value),
        ..locator.clone()
    }
}

#[tokio::test]
async fn a_worker_that_never_saw_the_root_key_does_not_say_that_it_is_lost_while_the_token_is_away() {
    for find in [false, true] {
        let mut scene = Scene::new().await;
        scene.root = recorded(&scene, &scene.root).await;
        let scene = scene.with_a_new_worker().await;
        take_away(&scene);
        let refused = if find {
            scene.device.find_root_key(&scene.root).await.err()
        } else {
            scene.release().await.err()
        };
        let refused = refused.expect("there is no token");
        assert!(refused.is_retryable(), "{refused}");
        bring_back(&scene);
        scene.is_well().await;
    }
}

#[tokio::test]
async fn a_root_key_is_not_said_to_be_destroyed_because_its_token_is_away() {
    let mut scene = Scene::new().await;
    scene.root = recorded(&scene, &scene.root).await;
    for anew in [false, true] {
        if anew {
            scene = scene.with_a_new_worker().await;
        }
        take_away(&scene);
        let refused = scene.device.destroy_root_key(&scene.root).await;
        assert!(refused.is_err(), "nothing was destroyed");
        bring_back(&scene);
        scene.is_well().await;
    }
    for _ in 0..2 {
        assert_eq!(scene.device.destroy_root_key(&scene.root).await, Ok(()));
    }
    assert_eq!(scene.device.list_root_keys().await, Ok(Vec::new()));
}

#[tokio::test]
async fn a_root_key_that_is_really_gone_does_not_keep_the_others_from_being_used() {
    let scene = Scene::new().await;
    scene
        .device
        .create_root_key(&root(2))
        .await
        .expect("a second root key");
    let gone = recorded(&scene, &root(2)).await;
    scene
        .device
        .destroy_root_key(&gone)
        .await
        .expect("it is destroyed");
    scene.faults.none();
    for _ in 0..20 {
        let refused = scene.device.generate(&gone, AES_256).await.map(|_| ());
        assert!(
            matches!(refused, Err(Error::RootKeyNotFound { .. })),
            "{refused:?}"
        );
        scene.release().await.expect("the other is used");
    }
    assert_eq!(
        scene.faults.calls("C_Initialize"),
        1,
        "the module was initialised again and again"
    );
}
