//! Each function that a request needs, failing in each way: the answer is right or there is none, nothing is lost, and
//! the device heals by itself.

use claviger_hsm::Error;

use crate::support::{AES_256, Scene};

/// What is asked while the device fails.
#[derive(Clone, Copy, Debug)]
enum Asked {
    Generate,
    Release,
    Check,
    Find,
    /// A request of a worker that was just started, so that nothing is remembered.
    ReleaseAtFirst,
}

use Asked::{Check, Find, Generate, Release, ReleaseAtFirst};

/// The functions that a request calls, in the order of a request.
const CALLED: &[(&str, &[Asked])] = &[
    ("C_OpenSession", &[ReleaseAtFirst]),
    ("C_GetSessionInfo", &[ReleaseAtFirst]),
    ("C_FindObjectsInit", &[Find, ReleaseAtFirst]),
    ("C_FindObjects", &[Find, ReleaseAtFirst]),
    ("C_FindObjectsFinal", &[Find, ReleaseAtFirst]),
    ("C_GetAttributeValue", &[Find, ReleaseAtFirst]),
    ("C_CreateObject", &[Find, ReleaseAtFirst]),
    ("C_GenerateKey", &[Generate, Check]),
    ("C_UnwrapKey", &[Release, Check]),
    ("C_WrapKey", &[Generate, Release, Check, Find]),
    ("C_DigestInit", &[Generate]),
    ("C_DigestKey", &[Generate]),
    ("C_DigestFinal", &[Generate]),
    ("C_DestroyObject", &[Generate, Release, Check]),
];

/// One return value of each class: the token, the session, a handle.
const PASSING: [&str; 6] = [
    "CKR_DEVICE_ERROR",
    "CKR_GENERAL_ERROR",
    "CKR_SESSION_HANDLE_INVALID",
    "CKR_USER_NOT_LOGGED_IN",
    "CKR_KEY_HANDLE_INVALID",
    "CKR_CRYPTOKI_NOT_INITIALIZED",
];

impl Asked {
    async fn of(self, scene: &Scene) -> Result<(), Error> {
        match self {
            Generate => scene.generate().await,
            Release | ReleaseAtFirst => scene.release().await,
            Check => scene.device.check(&scene.root).await,
            Find => scene.device.find_root_key(&scene.root).await.map(|_| ()),
        }
    }
}

/// Asks once under each fault with each of the values, and then sees that all is well.
async fn try_all(values: &[&str], which: &str, verb: &str, judge: impl Fn(&str, &Result<(), Error>)) {
    let mut scene = Scene::new().await;
    for (function, requests) in CALLED {
        for asked in *requests {
            for value in values {
                let rule = format!("{function} {which} {verb} {value}");
                if matches!(asked, ReleaseAtFirst) {
                    scene = scene.with_a_new_worker().await;
                }
                scene.faults.set(&rule);
                let outcome = asked.of(&scene).await;
                judge(&format!("{asked:?} with {rule}"), &outcome);
                scene.faults.none();
                scene.is_well().await;
            }
        }
    }
}

fn succeeds(what: &str, outcome: &Result<(), Error>) {
    assert_eq!(*outcome, Ok(()), "{what}");
}

#[tokio::test]
async fn no_request_fails_because_a_call_failed_once() {
    try_all(&PASSING, "1", "fail", succeeds).await;
}

#[tokio::test]
async fn no_request_fails_because_a_call_was_done_and_its_answer_lost() {
    try_all(&PASSING, "1", "do-and-fail", succeeds).await;
}

#[tokio::test]
async fn a_call_that_fails_for_good_gives_no_wrong_answer_and_no_lasting_harm() {
    try_all(
        &["CKR_DEVICE_ERROR", "CKR_SESSION_HANDLE_INVALID"],
        "all",
        "fail",
        |what, outcome| {
            if let Err(error) = outcome {
                // A client may try again what the device could not do; a key is not said to be broken.
                assert!(error.is_retryable(), "{what}: {error}");
            }
        },
    )
    .await;
}

#[tokio::test]
async fn a_device_that_fails_now_and_then_does_not_make_a_keys_bytes_wrong() {
    let scene = Scene::new().await;
    for which in ["1", "1-2", "/2", "/3", "/4"] {
        scene
            .faults
            .set(&format!("C_UnwrapKey {which} fail CKR_GENERAL_ERROR"));
        for _ in 0..20 {
            assert_eq!(scene.release().await, Ok(()), "{which}");
        }
        assert!(scene.faults.calls("C_UnwrapKey") >= 20);
    }
    scene.faults.none();
    let before = scene.device.healing();
    let mut changed = scene.wrapped.clone();
    changed.bytes[3] ^= 1;
    assert_eq!(
        scene.device.release(&scene.root, AES_256, &changed).await.err(),
        Some(Error::WrappedKeyRefused)
    );
    let after = scene.device.healing();
    assert_eq!(
        (after.sessions, after.modules, after.workers),
        (before.sessions, before.modules, before.workers)
    );
}

#[tokio::test]
async fn a_requests_own_error_does_not_disturb_the_device() {
    let scene = Scene::new().await;
    let pid = scene.pid();
    for value in [
        "CKR_KEY_UNEXTRACTABLE",
        "CKR_TEMPLATE_INCONSISTENT",
        "CKR_MECHANISM_INVALID",
    ] {
        scene.faults.set(&format!("C_GenerateKey 1 fail {value}"));
        let refused = scene
            .device
            .generate(&scene.root, AES_256)
            .await
            .expect_err("the device refused it");
        assert!(
            !refused.is_retryable() && refused.to_string().contains(value),
            "{refused}"
        );
        assert_eq!(scene.faults.calls("C_GenerateKey"), 1);
    }
    assert_eq!(scene.device.healing(), claviger_hsm::Healing::default());
    assert_eq!(scene.pid(), pid);
}

#[tokio::test]
async fn an_operator_reads_how_often_each_step_was_needed() {
    let scene = Scene::new().await;
    scene.faults.set("C_WrapKey 1 fail CKR_SESSION_CLOSED");
    scene.release().await.expect("a fresh session heals it");
    let healing = scene.device.healing();
    assert_eq!(
        (
            healing.sessions,
            healing.modules,
            healing.workers,
            healing.requests
        ),
        (1, 0, 0, 1)
    );

    scene
        .faults
        .set("C_UnwrapKey 1-4 fail CKR_CRYPTOKI_NOT_INITIALIZED");
    scene.release().await.expect("an initialisation heals it");
    assert!(scene.device.healing().modules >= 1);

    scene.faults.set("C_UnwrapKey 1 crash");
    scene.release().await.expect("another worker heals it");
    assert_eq!(scene.device.healing().workers, 1);
}

#[tokio::test]
async fn a_module_that_crashes_under_load_costs_no_key_and_no_answer() {
    let scene = Scene::with(|config| claviger_hsm::DeviceConfig { workers: 2, ..config }).await;
    scene
        .faults
        .set("C_WrapKey /40 crash\nC_UnwrapKey /60 do-and-crash");
    let mut retried = 0;
    for _ in 0..200 {
        while let Err(error) = scene.release().await {
            assert!(error.is_retryable(), "{error}");
            retried += 1;
            tokio::task::yield_now().await;
        }
    }
    println!(
        "200 keys released, {:?}, {retried} requests tried again by the client",
        scene.device.healing()
    );
    assert!(scene.device.healing().workers > 3);
    scene.faults.none();
    scene.is_well().await;
}

#[tokio::test]
async fn no_use_of_a_key_fails_because_a_call_failed_once() {
    let scene = Scene::new().await;
    let key = claviger_hsm::KeptKey {
        root: scene.root.clone(),
        kind: AES_256,
        wrapped: scene.wrapped.clone(),
    };
    let cipher = claviger_hsm::Cipher::Cbc { iv: [1; 16] };
    let expected = scene.device.encrypt(&key, &cipher, &[2; 32]).await.unwrap();
    for function in [
        "C_EncryptInit",
        "C_Encrypt",
        "C_UnwrapKey",
        "C_SetAttributeValue",
        "C_DestroyObject",
    ] {
        for value in PASSING {
            scene.faults.set(&format!("{function} 1 fail {value}"));
            let encrypted = scene.device.encrypt(&key, &cipher, &[2; 32]).await;
            assert_eq!(encrypted.as_ref(), Ok(&expected), "{function} {value}");
        }
    }
    scene.faults.none();
    scene.is_well().await;
}
