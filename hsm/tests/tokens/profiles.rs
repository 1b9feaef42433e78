//! Wrap profiles and release profiles, each that the token has.

use claviger_hsm::{
    Device, DeviceConfig, Error, KeyKind, ReleaseProfile, RootKeyLocator, WrapProfile, Wrapped,
};
use openssl::sha::sha256;

use super::token;
use crate::support::{root, start, value};

const AES_256: KeyKind = KeyKind::Aes { bytes: 32 };

/// A root key that a profile wraps under, a key under it, and the key's value.
struct Kept {
    root: RootKeyLocator,
    wrapped: Wrapped,
    value: Vec<u8>,
}

async fn make(device: &Device, number: u8) -> Kept {
    let root = root(number);
    device.create_root_key(&root).await.expect("a root key is made");
    let made = device.generate(&root, AES_256).await.expect("a key is made");
    let value = value(device, &root, AES_256, &made.wrapped).await;
    assert_eq!(made.sha256, sha256(&value));
    Kept {
        root,
        wrapped: made.wrapped,
        value,
    }
}

#[tokio::test]
async fn a_device_that_wraps_by_another_profile_now_opens_what_it_wrapped_before() {
    let Some(token) = token() else { return };
    let mut kept = Vec::new();
    for (number, profile) in (1..).zip(WrapProfile::ALL) {
        let config = DeviceConfig {
            wrap_profile: Some(profile),
            ..token.device_config("test")
        };
        if !token.expectations().wrap_profiles.contains(&profile) {
            let refused = Device::start(config, crate::support::command())
                .await
                .err()
                .unwrap();
            assert!(matches!(refused, Error::NoWrapProfile { .. }), "{refused}");
            continue;
        }
        let device = start(config).await;
        assert_eq!(device.wrap_profile(), Some(profile));
        kept.push(make(&device, number).await);
        assert_eq!(kept.last().unwrap().wrapped.profile, profile);
        device.shutdown().await;
    }

    let device = start(token.device_config("test")).await;
    for one in &kept {
        assert_eq!(value(&device, &one.root, AES_256, &one.wrapped).await, one.value);
        // To each other root key, and so from each profile to each.
        for other in &kept {
            let moved = device
                .rewrap(&one.root, &other.root, AES_256, &one.wrapped)
                .await
                .unwrap();
            assert_eq!(value(&device, &other.root, AES_256, &moved).await, one.value);
        }
        device.check(&one.root).await.unwrap();
    }
    device.shutdown().await;
}

#[tokio::test]
async fn a_flipped_bit_gives_no_other_key_where_the_profile_has_integrity() {
    let Some(token) = token() else { return };
    for (number, profile) in (1..).zip(token.expectations().wrap_profiles) {
        let device = start(DeviceConfig {
            wrap_profile: Some(*profile),
            ..token.device_config("test")
        })
        .await;
        let kept = make(&device, number).await;
        for position in [0, kept.wrapped.bytes.len() / 2, kept.wrapped.bytes.len() - 1] {
            let mut changed = kept.wrapped.clone();
            changed.bytes[position] ^= 1;
            let released = device.release(&kept.root, AES_256, &changed).await;
            if profile.has_integrity() {
                assert_eq!(
                    released.err(),
                    Some(Error::WrappedKeyRefused),
                    "{profile}, byte {position}"
                );
            }
        }
        let mut short = kept.wrapped.clone();
        short.bytes.truncate(16);
        let refused = device.release(&kept.root, AES_256, &short).await.err();
        assert_eq!(refused, Some(Error::WrappedKeyRefused), "{profile}, cut");
        device.shutdown().await;
    }
}

#[tokio::test]
async fn a_key_that_is_read_from_the_device_is_the_same_key() {
    let Some(token) = token() else { return };
    let device = start(DeviceConfig {
        release_profile: ReleaseProfile::Read,
        ..token.device_config("test")
    })
    .await;
    let kept = make(&device, 1).await;
    assert_eq!(kept.value.len(), 32);
    let imported = device.import(&kept.root, AES_256, &kept.value).await.unwrap();
    assert_eq!(
        value(&device, &kept.root, AES_256, &imported.wrapped).await,
        kept.value
    );
    device.shutdown().await;

    // It is no other key for a device that wraps it for its release.
    let device = start(token.device_config("test")).await;
    assert_eq!(
        value(&device, &kept.root, AES_256, &kept.wrapped).await,
        kept.value
    );
    device.shutdown().await;
}
