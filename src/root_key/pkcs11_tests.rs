//! The PKCS#11 backend on a real token.

use std::sync::Arc;

use claviger_hsm::testkit::{SoftHsm, worker_in_this_test_program};
use claviger_hsm::{Device, Error as DeviceError};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Binding, Error, KeyKind, KeySpecification, Pkcs11Backend, RootKeyBackend, RootKeys};
use crate::adapter::{RootKey, RootKeyId, RootKeyOrigin, RootKeyState, WrappedBytes};
use crate::key::WrapProfile;

const AES_256: KeySpecification = KeySpecification {
    kind: KeyKind::Aes { bytes: 32 },
    binding: Binding {
        adapter: Uuid::from_u128(1),
        object: Uuid::from_u128(2),
        part: 0,
    },
};

#[test]
#[ignore = "the worker program of the tests in this file"]
fn worker() {
    claviger_hsm::worker::serve_inherited();
}

async fn backend(token: &SoftHsm) -> Pkcs11Backend {
    let command = worker_in_this_test_program("root_key::pkcs11_tests::worker");
    Pkcs11Backend::new(
        Device::start(token.device_config("hsm-1"), command)
            .await
            .unwrap(),
    )
}

fn facts(label: &str) -> RootKey {
    RootKey {
        id: RootKeyId::new(),
        name: label.into(),
        backend: "hsm-1".into(),
        token_label: String::new(),
        token_serial: String::new(),
        label: label.into(),
        version: 1,
        check_value: Vec::new(),
        seal_key: WrappedBytes {
            profile: "aes-kw".into(),
            bytes: Vec::new(),
        },
        created_at: OffsetDateTime::UNIX_EPOCH,
        state: RootKeyState::default(),
        origin: RootKeyOrigin::default(),
    }
}

async fn created(backend: &Pkcs11Backend, label: &str) -> RootKey {
    let facts = facts(label);
    let created = backend.create(&facts).await.unwrap();
    assert_eq!(created.token_label, SoftHsm::LABEL);
    RootKey {
        token_label: created.token_label,
        token_serial: created.token_serial,
        check_value: created.check_value,
        ..facts
    }
}

#[tokio::test]
async fn keys_come_back_as_they_were_made_and_taken_in() {
    let token = SoftHsm::new();
    let backend = backend(&token).await;
    let root = created(&backend, "vcenter").await;
    backend.verify(&root).await.unwrap();
    backend.check(&root).await.unwrap();

    let made = backend.generate(&root, AES_256).await.unwrap();
    let material = backend.release(&root, AES_256, &made.wrapped).await.unwrap();
    assert_eq!(material.release_profile(), "transport");
    let mut value = vec![0; material.len()];
    material.open_into(&mut value).unwrap();
    assert_eq!(openssl::sha::sha256(&value), made.sha256);

    let imported = backend.import(&root, AES_256, &value).await.unwrap();
    assert_eq!(imported.sha256, made.sha256);
    let material = backend.release(&root, AES_256, &imported.wrapped).await.unwrap();
    let mut again = vec![0; material.len()];
    material.open_into(&mut again).unwrap();
    assert_eq!(again, value);
}

#[tokio::test]
async fn another_key_in_the_root_keys_place_is_noticed() {
    let token = SoftHsm::new();
    let backend = backend(&token).await;
    let root = created(&backend, "vcenter").await;
    let recorded = RootKey {
        check_value: vec![0; 8],
        ..root
    };
    for refused in [
        backend.verify(&recorded).await.err(),
        backend.generate(&recorded, AES_256).await.err(),
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
async fn a_wrapped_key_that_was_changed_or_is_of_another_profile_is_refused() {
    let token = SoftHsm::new();
    let backend = backend(&token).await;
    let root = created(&backend, "vcenter").await;
    let mut wrapped = backend.generate(&root, AES_256).await.unwrap().wrapped;
    wrapped.bytes[7] ^= 1;
    let refused = backend.release(&root, AES_256, &wrapped).await.err().unwrap();
    assert!(
        refused.is_refusal_of_the_wrapped_key() && !refused.is_retryable(),
        "{refused}"
    );
    // A profile that this device does not do, with a blob of its length.
    wrapped.profile = WrapProfile::AesGcm;
    wrapped.bytes.resize(12 + 32 + 16, 0);
    let refused = backend.release(&root, AES_256, &wrapped).await.err().unwrap();
    let source = match &refused {
        Error::Device { source, .. } => source,
        other => panic!("{other}"),
    };
    assert!(matches!(source, DeviceError::WrapProfile { .. }), "{refused}");
}

#[tokio::test]
async fn a_seal_key_is_the_same_each_time_it_is_released() {
    let token = SoftHsm::new();
    let backend = backend(&token).await;
    let mut root = created(&backend, "vcenter").await;
    let root_keys = RootKeys::new(vec![("hsm-1".into(), Arc::new(backend))]);
    root.seal_key = root_keys.make_seal_key(&root).await.unwrap();
    let mut opened = [[0; 32]; 2];
    for opened in &mut opened {
        root_keys
            .release_seal_key(&root)
            .await
            .unwrap()
            .open_into(opened)
            .unwrap();
    }
    assert_eq!(opened[0], opened[1]);
    assert_ne!(opened[0], [0; 32]);
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
