//! Keys that sign: made once, found, never made anew, and of no use to who has the PIN but for signing.

use claviger_hsm::testkit::{Expectations, TestToken, TokenKind};
use claviger_hsm::{Device, Error, SignatureScheme, SigningKey};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, ObjectClass};

use super::root_keys::logged_in;
use super::{path, token};
use crate::support::{root, run_again, start};

const LABEL: &str = "claviger.custody";

/// A device whose token signs.
async fn device_that_signs() -> Option<(TestToken, Device)> {
    let token = token()?;
    token.expectations().signs_by?;
    let device = start(token.device_config("test")).await;
    Some((token, device))
}

#[tokio::test]
async fn a_token_that_can_not_sign_says_so_and_is_left_as_it_was() {
    let Some(token) = token() else { return };
    if token.expectations().signs_by.is_some() {
        return;
    }
    let device = start(token.device_config("test")).await;
    let refused = device.make_signing_key(LABEL).await.unwrap_err();
    assert!(matches!(refused, Error::Unsupported { .. }), "{refused}");
    let absent = device.signing_key(LABEL).await.unwrap_err();
    assert!(matches!(absent, Error::SigningKeyNotFound { .. }), "{absent}");
}

#[tokio::test]
async fn a_log_is_signed_by_the_same_key_after_every_start() {
    let Some((token, device)) = device_that_signs().await else {
        return;
    };
    let key = device.make_signing_key(LABEL).await.unwrap();
    assert_eq!(Some(key.scheme), token.expectations().signs_by);
    for message in [&b"origin\n1\nroot\n"[..], b"", &[7; 3000]] {
        let signature = device.sign(&key, message).await.unwrap();
        assert!(key.verifies(message, &signature));
        assert!(!key.verifies(b"another", &signature));
        if key.scheme == SignatureScheme::Ed25519 {
            assert_eq!(signature.len(), 64);
        }
    }
    device.shutdown().await;

    let device = start(token.device_config("later")).await;
    assert_eq!(device.signing_key(LABEL).await.unwrap(), key);
    let signature = device.sign(&key, b"later").await.unwrap();
    assert!(key.verifies(b"later", &signature));
}

#[tokio::test]
async fn a_key_that_signs_is_made_once_and_never_made_anew() {
    let Some((_token, device)) = device_that_signs().await else {
        return;
    };
    device.create_root_key(&root(1)).await.unwrap();
    let absent = device.signing_key(LABEL).await.unwrap_err();
    assert!(matches!(absent, Error::SigningKeyNotFound { .. }), "{absent}");
    let key = device.make_signing_key(LABEL).await.unwrap();
    let again = device.make_signing_key(LABEL).await.unwrap_err();
    assert!(matches!(again, Error::SigningKeyExists { .. }), "{again}");
    assert_eq!(device.signing_key(LABEL).await.unwrap(), key);
    // It is no root key, and keeps none from being made.
    assert_eq!(device.list_root_keys().await.unwrap().len(), 1);
}

#[tokio::test]
async fn nothing_is_signed_by_another_key_that_took_the_place_of_the_known_one() {
    let Some((_token, device)) = device_that_signs().await else {
        return;
    };
    let other = device.make_signing_key("other").await.unwrap();
    let key = device.make_signing_key(LABEL).await.unwrap();
    let known = SigningKey {
        label: LABEL.into(),
        ..other
    };
    let refused = device.sign(&known, b"text").await.unwrap_err();
    assert!(matches!(refused, Error::SigningKeyMismatch { .. }), "{refused}");
    device.sign(&key, b"text").await.unwrap();
    let absent = SigningKey {
        label: "absent".into(),
        ..key
    };
    let refused = device.sign(&absent, b"text").await.unwrap_err();
    assert!(matches!(refused, Error::SigningKeyNotFound { .. }), "{refused}");
}

#[tokio::test]
async fn who_has_the_pin_can_not_take_a_key_that_signs_with_him() {
    let Some((token, device)) = device_that_signs().await else {
        return;
    };
    device.make_signing_key(LABEL).await.unwrap();
    run_again(
        &path("signing_keys::as_an_attacker_with_the_pin"),
        &token,
        &device,
    )
    .await;
    device.shutdown().await;
}

#[test]
#[ignore = "run in a process of its own by who_has_the_pin_can_not_take_a_key_that_signs_with_him"]
fn as_an_attacker_with_the_pin() {
    let session = logged_in();
    let of = |class| {
        let template = [Attribute::Class(class), Attribute::Label(LABEL.into())];
        session.find_objects(&template).unwrap()
    };
    let [key] = of(ObjectClass::PRIVATE_KEY)[..] else {
        panic!("one private key")
    };
    assert_eq!(of(ObjectClass::PUBLIC_KEY).len(), 1);
    let mut succeeded: Vec<String> = Vec::new();
    let mut attack = |name: &str, succeeds: bool| {
        if succeeds {
            succeeded.push(name.to_owned());
        }
    };
    for (name, attribute) in [
        ("CKA_EXTRACTABLE", Attribute::Extractable(true)),
        ("CKA_SENSITIVE", Attribute::Sensitive(false)),
        ("CKA_MODIFIABLE", Attribute::Modifiable(true)),
        ("CKA_DERIVE", Attribute::Derive(true)),
    ] {
        let attribute = [attribute];
        let set = session.update_attributes(key, &attribute).is_ok();
        attack(&format!("set its {name}"), set);
        let copied = session.copy_object(key, &attribute).is_ok();
        attack(&format!("copy it with {name}"), copied);
    }
    let value = session.get_attributes(key, &[AttributeType::Value]);
    attack("read it", !value.unwrap_or_default().is_empty());
    let template = [
        Attribute::ValueLen(32.into()),
        Attribute::Wrap(true),
        Attribute::Token(false),
    ];
    let other = session.generate_key(&Mechanism::AesKeyGen, &template).unwrap();
    for mechanism in [
        Mechanism::AesKeyWrap,
        Mechanism::AesKeyWrapPad,
        Mechanism::AesCbcPad([0; 16]),
    ] {
        attack(
            "wrap it under a key of the attacker's",
            session.wrap_key(&mechanism, other, key).is_ok(),
        );
    }
    let expected = Expectations::of(TokenKind::of_module(module_path!()));
    assert_eq!(succeeded, expected.attacks_on_signing_keys_that_succeed);
}
