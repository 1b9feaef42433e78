//! Root keys that are made and found again.

use claviger_hsm::WrappedRootKey;
use openssl::encrypt::Encrypter;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::rsa::Padding;

use super::fixture::{Fixture, Maker, an_aes_256_key, facts, value};
use crate::adapter::{RootKey, RootKeyOrigin};

pub(crate) async fn a_root_key_is_found_again_after_a_restart_and_opens_its_keys<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let key = an_aes_256_key();
    let wrapped = fixture.make_key(key).await;
    let before = fixture.value(key, &wrapped).await;
    let again = fixture.maker.start().await;
    again.verify(&fixture.root).await.unwrap();
    again.check(&fixture.root).await.unwrap();
    assert_eq!(value(&*again, &fixture.root, key, &wrapped).await, Ok(before));
}

pub(crate) async fn another_key_in_the_root_keys_place_is_noticed_and_left_alone<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let key = an_aes_256_key();
    let wrapped = fixture.make_key(key).await;
    let before = fixture.value(key, &wrapped).await;
    let mut recorded = fixture.root.clone();
    *recorded.check_value.last_mut().unwrap() ^= 1;
    fixture.backend.verify(&recorded).await.unwrap_err();
    let destroyed = fixture.backend.destroy(&recorded).await;
    assert_eq!(
        fixture.value(key, &wrapped).await,
        before,
        "it was destroyed in place of another: {destroyed:?}"
    );
}

pub(crate) async fn a_root_key_that_is_not_there_is_an_error_and_is_never_made<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let missing = RootKey {
        check_value: vec![7; fixture.root.check_value.len()],
        ..facts("never-made")
    };
    for _ in 0..2 {
        fixture.backend.verify(&missing).await.unwrap_err();
        fixture.backend.check(&missing).await.unwrap_err();
        let made = fixture.backend.generate(&missing, an_aes_256_key()).await;
        made.unwrap_err();
    }
    fixture.backend.check(&fixture.root).await.unwrap();
}

pub(crate) async fn a_label_is_given_to_one_root_key_only<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let again = facts(&fixture.root.name);
    let refused = fixture.backend.create(&again).await.unwrap_err();
    assert!(!refused.is_retryable(), "{refused}");
    fixture.backend.verify(&fixture.root).await.unwrap();
}

pub(crate) async fn a_seal_key_is_the_same_each_time_it_is_released<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let root_keys = fixture.registry();
    let root = RootKey {
        seal_key: root_keys.make_seal_key(&fixture.root).await.unwrap(),
        ..fixture.root.clone()
    };
    let mut opened = [[0; 32]; 2];
    for opened in &mut opened {
        let released = root_keys.release_seal_key(&root).await.unwrap();
        released.open_into(opened).unwrap();
    }
    assert_eq!(opened[0], opened[1]);
    assert_ne!(opened[0], [0; 32]);

    let next = fixture.rotated().await;
    let moved = RootKey {
        seal_key: root_keys.rewrap_seal_key(&root, &next).await.unwrap(),
        ..next
    };
    let mut after = [0; 32];
    let released = root_keys.release_seal_key(&moved).await.unwrap();
    released.open_into(&mut after).unwrap();
    assert_eq!(after, opened[0], "and with it every seal");
}

pub(crate) async fn the_backend_says_what_it_is<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    // How it wraps may be found out with the first key.
    fixture.make_key(an_aes_256_key()).await;
    let described = fixture.backend.describe().await.unwrap();
    assert_eq!(
        (described.name.as_str(), described.kind, described.release_profile),
        (
            super::fixture::BACKEND,
            M::EXPECTATIONS.kind,
            M::EXPECTATIONS.release_profile
        )
    );
    assert_eq!(described.wrap_profile, M::EXPECTATIONS.wrap_profile.name());
    assert_eq!(described.token_serial, fixture.root.token_serial);
    assert_eq!(described.token_label, fixture.root.token_label);
}

pub(crate) async fn a_root_key_comes_from_elsewhere_only_where_nobody_else_can_have_it<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let brought = facts("brought");
    let offered = fixture.backend.offer_take_in("claviger.brought.offer").await;
    assert_eq!(offered.is_ok(), M::EXPECTATIONS.takes_in);
    let public_key = match offered {
        Ok(public_key) => public_key.to_pem().unwrap(),
        Err(refused) => {
            assert!(refused.unsupported_what().is_some(), "{refused}");
            return;
        }
    };
    let public_key = PKey::public_key_from_pem(public_key.as_bytes()).unwrap();
    let mut encrypter = Encrypter::new(&public_key).unwrap();
    encrypter.set_rsa_padding(Padding::PKCS1_OAEP).unwrap();
    encrypter.set_rsa_oaep_md(MessageDigest::sha1()).unwrap();
    encrypter.set_rsa_mgf1_md(MessageDigest::sha1()).unwrap();
    let mut wrapped = vec![0; encrypter.encrypt_len(&[7; 32]).unwrap()];
    let length = encrypter.encrypt(&[7; 32], &mut wrapped).unwrap();
    wrapped.truncate(length);
    let taken_in = fixture
        .backend
        .take_in("claviger.brought.offer", &WrappedRootKey(wrapped), &brought)
        .await
        .unwrap();
    assert_eq!(taken_in.origin, RootKeyOrigin::Imported);
}
