//! What only a device can be asked, on a real token; what every backend is asked is in [`suite`](super::suite).

use std::sync::Arc;

use claviger_hsm::Error as DeviceError;
use claviger_hsm::testkit::SoftHsm;

use super::suite::fixture::{an_aes_256_key, facts};
use super::suite::softhsm::backend;
use super::{Error, RootKeyBackend, RootKeys};
use crate::adapter::RootKey;

#[tokio::test]
async fn nothing_is_wrapped_under_another_key_that_took_the_root_keys_place() {
    let token = SoftHsm::new();
    let backend = backend(&token).await;
    let root = facts("vcenter");
    backend.create(&root).await.unwrap();
    let recorded = RootKey {
        check_value: vec![0; 8],
        ..root
    };
    for refused in [
        backend.verify(&recorded).await.err(),
        backend.generate(&recorded, an_aes_256_key()).await.err(),
    ] {
        let mismatch = matches!(
            refused,
            Some(Error::Device {
                source: DeviceError::RootKeyMismatch { .. },
                ..
            })
        );
        assert!(mismatch, "{refused:?}");
    }
    let missing = backend.verify(&facts("never made")).await.unwrap_err();
    assert!(
        matches!(
            missing,
            Error::Device {
                source: DeviceError::RootKeyNotFound { .. },
                ..
            }
        ),
        "{missing}"
    );
}

#[tokio::test]
async fn a_root_key_of_a_device_that_is_no_longer_configured_is_said_to_be_so() {
    let token = SoftHsm::new();
    let root_keys = RootKeys::new(vec![("hsm-1".into(), Arc::new(backend(&token).await))]);
    let elsewhere = RootKey {
        backend: "hsm-2".into(),
        ..facts("vcenter")
    };
    let unknown = root_keys.for_root(&elsewhere).err();
    assert_eq!(
        unknown,
        Some(Error::BackendUnknown {
            backend: "hsm-2".into()
        })
    );
    assert_eq!(root_keys.names().collect::<Vec<_>>(), ["hsm-1"]);
    let described = root_keys.backend("hsm-1").unwrap().describe().await.unwrap();
    assert_eq!(
        (described.token_label.as_str(), described.worker_pids.len()),
        (SoftHsm::LABEL, 1)
    );
}
