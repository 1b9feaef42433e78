//! Root keys that are destroyed, brought to a device, and keys that go from one device to another.

use std::time::Duration;

use claviger_hsm::testkit::SoftHsm;
use claviger_hsm::{Device, DeviceConfig, Error, KeyKind, RootKeyLocator, RsaPublicKey, WrappedRootKey};
use openssl::encrypt::Encrypter;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::rsa::Padding;

use crate::support::{root, start, value};

/// RSA keys take a token seconds, and minutes on a machine that is busy.
fn patient(config: DeviceConfig) -> DeviceConfig {
    DeviceConfig {
        deadline: Duration::from_mins(2),
        ..config
    }
}

/// A device on a new token, with one root key.
async fn device_with_root_key() -> (SoftHsm, Device, RootKeyLocator) {
    let token = SoftHsm::new();
    let device = start(patient(token.device_config("first"))).await;
    let root = root(1);
    device.create_root_key(&root).await.expect("a root key is made");
    (token, device, root)
}

const KIND: KeyKind = KeyKind::Aes { bytes: 32 };

/// What an operator does with the public key and `openssl pkeyutl`; SoftHSM 2.6 knows RSA-OAEP with SHA-1 alone.
fn wrap(public_key: &RsaPublicKey, key: &[u8], hash: MessageDigest) -> WrappedRootKey {
    let pem = public_key.to_pem().expect("a public key");
    let wrap = || {
        let public_key = PKey::public_key_from_pem(pem.as_bytes())?;
        let mut encrypter = Encrypter::new(&public_key)?;
        encrypter.set_rsa_padding(Padding::PKCS1_OAEP)?;
        encrypter.set_rsa_oaep_md(hash)?;
        encrypter.set_rsa_mgf1_md(hash)?;
        let mut out = vec![0; encrypter.encrypt_len(key)?];
        let length = encrypter.encrypt(key, &mut out)?;
        out.truncate(length);
        Ok::<_, ErrorStack>(WrappedRootKey(out))
    };
    wrap().expect("OpenSSL knows RSA-OAEP")
}

#[tokio::test]
async fn a_destroyed_root_key_opens_nothing_any_more_and_another_in_its_place_is_left_alone() {
    let (_token, device, root) = device_with_root_key().await;
    let made = device.generate(&root, KIND).await.unwrap();
    let other = RootKeyLocator {
        check_value: Some(vec![7; 8]),
        ..root.clone()
    };
    let refused = device.destroy_root_key(&other).await.unwrap_err();
    assert!(matches!(refused, Error::RootKeyMismatch { .. }), "{refused}");
    device.release(&root, KIND, &made.wrapped).await.unwrap();
    for _ in 0..2 {
        device.destroy_root_key(&root).await.unwrap();
    }
    assert!(device.list_root_keys().await.unwrap().is_empty());
    assert!(device.release(&root, KIND, &made.wrapped).await.is_err());
}

#[tokio::test]
async fn a_root_key_that_was_brought_wraps_like_one_that_was_made_and_can_be_brought_once() {
    let (_token, device, _) = device_with_root_key().await;
    let key = [0x5a; 32];
    let public_key = device.offer_take_in("brought").await.unwrap();
    assert!(
        public_key
            .to_pem()
            .unwrap()
            .starts_with("-----BEGIN PUBLIC KEY-----")
    );
    let garbage = WrappedRootKey(vec![1; 384]);
    let brought = root(9);
    let refused = device.take_in("brought", &garbage, &brought).await.unwrap_err();
    assert_eq!(refused, Error::WrappedKeyRefused);
    let short = wrap(&public_key, &key[..16], MessageDigest::sha1());
    let refused = device.take_in("brought", &short, &brought).await.unwrap_err();
    assert!(matches!(refused, Error::RootKeyUnfit { .. }), "{refused}");
    let wrapped = wrap(&public_key, &key, MessageDigest::sha1());
    let facts = device.take_in("brought", &wrapped, &brought).await.unwrap();
    assert!(!facts.attributes.local && facts.attributes.sensitive && !facts.attributes.extractable);
    let made = device.generate(&brought, KIND).await.unwrap();
    assert_eq!(value(&device, &brought, KIND, &made.wrapped).await.len(), 32);
    let again = device.take_in("brought", &wrapped, &root(8)).await.unwrap_err();
    assert!(matches!(again, Error::RootKeyNotFound { .. }), "{again}");
}

#[tokio::test]
async fn a_key_goes_to_another_device_as_it_is_and_nothing_of_the_way_is_left() {
    let (_first_token, first, here) = device_with_root_key().await;
    let second_token = SoftHsm::new();
    let second = start(patient(second_token.device_config("second"))).await;
    let there = root(2);
    second.create_root_key(&there).await.unwrap();
    let made = first.generate(&here, KIND).await.unwrap();
    let before = value(&first, &here, KIND, &made.wrapped).await;

    let between = root(3);
    // Twice: one of an earlier time is replaced.
    first.share_key_with(&second, &between).await.unwrap();
    let [one, other] = first.share_key_with(&second, &between).await.unwrap();
    assert_eq!(one.check_value, other.check_value);
    assert!(!one.attributes.extractable && !other.attributes.extractable);
    let between = RootKeyLocator {
        check_value: Some(one.check_value),
        ..between
    };
    let carried = first.rewrap(&here, &between, KIND, &made.wrapped).await.unwrap();
    let arrived = second.rewrap(&between, &there, KIND, &carried).await.unwrap();
    assert_eq!(value(&second, &there, KIND, &arrived).await, before);

    for (device, left) in [(&first, &here), (&second, &there)] {
        device.destroy_root_key(&between).await.unwrap();
        let keys = device.list_root_keys().await.unwrap();
        assert_eq!(keys.len(), 1);
        assert_eq!(keys[0].locator.label, left.label);
    }
}
