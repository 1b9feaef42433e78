//! Root keys that are destroyed, brought to a device, and keys that go from one device to another.

use claviger_hsm::testkit::TestToken;
use claviger_hsm::{Device, Error, KeyKind, RootKeyAttributes, RootKeyLocator, RsaPublicKey, WrappedRootKey};
use openssl::encrypt::Encrypter;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::rsa::Padding;

use super::token;
use crate::support::{carry_and_leave_nothing, patient, root, start, value};

/// A device on a new token, with one root key.
async fn device_with_root_key() -> Option<(TestToken, Device, RootKeyLocator)> {
    let token = token()?;
    let device = start(patient(token.device_config("first"))).await;
    let root = root(1);
    device.create_root_key(&root).await.expect("a root key is made");
    Some((token, device, root))
}

const KIND: KeyKind = KeyKind::Aes { bytes: 32 };

/// What an operator does with the public key and `openssl pkeyutl`.
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
    let Some((_token, device, root)) = device_with_root_key().await else {
        return;
    };
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
    let Some((token, device, _)) = device_with_root_key().await else {
        return;
    };
    let key = [0x5a; 32];
    let hashes = token.expectations().root_keys_come_by;
    let public_key = device.offer_take_in("brought").await.unwrap();
    let pem = public_key.to_pem().unwrap();
    assert!(pem.starts_with("-----BEGIN PUBLIC KEY-----"));
    let garbage = WrappedRootKey(vec![1; 384]);
    let brought = root(9);
    let refused = device.take_in("brought", &garbage, &brought).await.unwrap_err();
    assert_eq!(refused, Error::WrappedKeyRefused);
    let short = wrap(&public_key, &key[..16], MessageDigest::sha1());
    let refused = device.take_in("brought", &short, &brought).await.unwrap_err();
    assert!(matches!(refused, Error::RootKeyUnfit { .. }), "{refused}");
    let wrapped = wrap(&public_key, &key, MessageDigest::sha1());
    let taken_in = device.take_in("brought", &wrapped, &brought).await;
    if !hashes.contains(&"SHA1") {
        let refused = taken_in.unwrap_err().to_string();
        assert!(
            refused.contains("readable") && refused.contains("root-key create"),
            "{refused}"
        );
        assert_eq!(device.list_root_keys().await.unwrap().len(), 1);
        return;
    }
    let facts = taken_in.unwrap();
    assert!(!facts.attributes.local && facts.attributes.sensitive && !facts.attributes.extractable);
    assert_eq!(device.find_root_key(&brought).await.unwrap(), facts);
    let made = device.generate(&brought, KIND).await.unwrap();
    assert_eq!(value(&device, &brought, KIND, &made.wrapped).await.len(), 32);
    let again = device.take_in("brought", &wrapped, &root(8)).await.unwrap_err();
    assert!(matches!(again, Error::RootKeyNotFound { .. }), "{again}");

    let public_key = device.offer_take_in("another").await.unwrap();
    let wrapped = wrap(&public_key, &[0x5b; 32], MessageDigest::sha256());
    let taken_in = device.take_in("another", &wrapped, &root(8)).await;
    assert_eq!(taken_in.is_ok(), hashes.contains(&"SHA256"));
}

#[tokio::test]
async fn a_root_key_that_was_brought_and_one_of_a_move_are_as_narrow_as_one_that_was_made() {
    let Some((token, device, made)) = device_with_root_key().await else {
        return;
    };
    if token.expectations().root_keys_come_by.is_empty() {
        return;
    }
    let made = device.find_root_key(&made).await.unwrap().attributes;
    let alike = RootKeyAttributes { local: false, ..made };

    let public_key = device.offer_take_in("brought").await.unwrap();
    let wrapped = wrap(&public_key, &[0x5a; 32], MessageDigest::sha1());
    let brought = device.take_in("brought", &wrapped, &root(9)).await.unwrap();
    assert_eq!(brought.attributes, alike);

    let Some(other_token) = super::token() else { return };
    let other = start(patient(other_token.device_config("second"))).await;
    for facts in device.share_key_with(&other, &root(3)).await.unwrap() {
        assert_eq!(facts.attributes, alike);
    }
}

#[tokio::test]
async fn a_key_goes_to_another_device_as_it_is_and_nothing_of_the_way_is_left() {
    let Some((first_token, first, here)) = device_with_root_key().await else {
        return;
    };
    let Some(second_token) = token() else { return };
    let second = start(patient(second_token.device_config("second"))).await;
    let there = root(2);
    second.create_root_key(&there).await.unwrap();
    if first_token.expectations().root_keys_come_by.is_empty() {
        let refused = first.share_key_with(&second, &root(3)).await.unwrap_err();
        assert!(matches!(refused, Error::RootKeyUnfit { .. }), "{refused}");
        for device in [first, second] {
            assert_eq!(device.list_root_keys().await.unwrap().len(), 1);
        }
        return;
    }
    // One of an earlier time is replaced.
    first.share_key_with(&second, &root(3)).await.unwrap();
    carry_and_leave_nothing((&first, &here), (&second, &there)).await;
}
