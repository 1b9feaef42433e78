//! Root keys: made once, found, never made anew, and of no use to who has the PIN but for wrapping.

use claviger_hsm::testkit::{Expectations, TokenKind};
use claviger_hsm::{Error, KeyKind, RootKeyLocator};
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;

use super::{device_with_root_key, path};
use crate::support::{TokenOfTheEnvironment, root, run_again, start};

#[tokio::test]
async fn a_root_key_is_found_again_with_the_same_check_value() {
    let Some((token, device, root)) = device_with_root_key().await else {
        return;
    };
    let found = device.find_root_key(&root).await.unwrap();
    assert_eq!(found.check_value.len(), 8);
    let attributes = found.attributes;
    assert!(attributes.sensitive && attributes.wrap && attributes.unwrap && attributes.local);
    assert!(!attributes.extractable && !attributes.modifiable);
    assert_eq!(attributes.copyable, token.expectations().copyable);
    assert!(!attributes.encrypt && !attributes.decrypt && !attributes.sign && !attributes.derive);

    let other = device.create_root_key(&crate::support::root(2)).await.unwrap();
    assert_ne!(other.check_value, found.check_value);
    device.shutdown().await;

    let device = start(token.device_config("later")).await;
    assert_eq!(device.find_root_key(&root).await.unwrap(), found);
    let mut listed = device.list_root_keys().await.unwrap();
    listed.sort_by(|one, two| one.locator.label.cmp(&two.locator.label));
    assert_eq!(listed, [found, other]);
}

#[tokio::test]
async fn nothing_is_wrapped_under_another_key_that_took_the_root_keys_place() {
    let Some((_token, device, root)) = device_with_root_key().await else {
        return;
    };
    let facts = device.find_root_key(&root).await.unwrap();
    let right = RootKeyLocator {
        check_value: Some(facts.check_value),
        ..root.clone()
    };
    let other = RootKeyLocator {
        check_value: Some(vec![0; 8]),
        ..root
    };
    let made = device.generate(&right, KeyKind::Aes { bytes: 32 }).await.unwrap();
    device
        .release(&right, KeyKind::Aes { bytes: 32 }, &made.wrapped)
        .await
        .unwrap();
    for refused in [
        device.find_root_key(&other).await.err(),
        device.generate(&other, KeyKind::Aes { bytes: 32 }).await.err(),
        device
            .release(&other, KeyKind::Aes { bytes: 32 }, &made.wrapped)
            .await
            .err(),
        device.check(&other).await.err(),
    ] {
        assert!(
            matches!(refused, Some(Error::RootKeyMismatch { .. })),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn a_root_key_that_is_not_there_is_an_error_and_is_never_made() {
    let Some((_token, device, there)) = device_with_root_key().await else {
        return;
    };
    let absent = root(9);
    let key = device.generate(&there, KeyKind::Aes { bytes: 32 }).await.unwrap();
    let missing = |error: Error| matches!(error, Error::RootKeyNotFound { .. });
    assert!(missing(device.find_root_key(&absent).await.unwrap_err()));
    assert!(missing(device.check(&absent).await.unwrap_err()));
    assert!(missing(
        device
            .generate(&absent, KeyKind::Aes { bytes: 32 })
            .await
            .unwrap_err()
    ));
    assert!(missing(
        device
            .import(&absent, KeyKind::Aes { bytes: 16 }, &[1; 16])
            .await
            .unwrap_err()
    ));
    let release = device
        .release(&absent, KeyKind::Aes { bytes: 32 }, &key.wrapped)
        .await;
    assert!(missing(release.err().unwrap()));
    assert_eq!(device.list_root_keys().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_label_or_an_identifier_is_given_to_one_root_key_only() {
    let Some((_token, device, first)) = device_with_root_key().await else {
        return;
    };
    let same_label = RootKeyLocator {
        label: first.label.clone(),
        id: vec![7; 16],
        check_value: None,
    };
    let same_id = RootKeyLocator {
        label: "another".to_owned(),
        id: first.id.clone(),
        check_value: None,
    };
    for taken in [first, same_label, same_id] {
        let refused = device.create_root_key(&taken).await.unwrap_err();
        assert!(matches!(refused, Error::RootKeyExists { .. }), "{refused}");
    }
    assert_eq!(device.list_root_keys().await.unwrap().len(), 1);
}

#[tokio::test]
async fn who_has_the_pin_can_do_no_more_with_a_root_key_than_is_known() {
    let Some((token, device, _root)) = device_with_root_key().await else {
        return;
    };
    run_again(&path("root_keys::as_an_attacker_with_the_pin"), &token, &device).await;
    device.shutdown().await;
}

#[tokio::test]
async fn a_key_that_could_decrypt_what_it_wraps_is_not_taken_for_a_root_key() {
    let Some((token, device, _root)) = device_with_root_key().await else {
        return;
    };
    run_again(
        &path("root_keys::as_somebody_who_makes_a_lax_key"),
        &token,
        &device,
    )
    .await;
    let refused = device.find_root_key(&root(66)).await.unwrap_err();
    assert!(matches!(refused, Error::RootKeyUnfit { .. }), "{refused}");
    assert!(
        device
            .generate(&root(66), KeyKind::Aes { bytes: 32 })
            .await
            .is_err()
    );
    assert_eq!(device.list_root_keys().await.unwrap().len(), 1);
}

/// Has the PIN and the module, and tries what is known to work against root keys that are made carelessly.
#[test]
#[ignore = "run in a process of its own by who_has_the_pin_can_do_no_more_with_a_root_key_than_is_known"]
fn as_an_attacker_with_the_pin() {
    let (session, root) = attacker();
    let mut succeeded: Vec<String> = Vec::new();
    let mut attack = |name: &str, succeeds: bool| {
        if succeeds {
            succeeded.push(name.to_owned());
        }
    };
    let block = [0; 16];
    // What wraps keys must not decrypt them.
    attack(
        "decrypt with it",
        session.decrypt(&Mechanism::AesEcb, root, &block).is_ok(),
    );
    attack(
        "encrypt with it",
        session.encrypt(&Mechanism::AesEcb, root, &block).is_ok(),
    );
    for (name, attribute) in [
        ("CKA_ENCRYPT", Attribute::Encrypt(true)),
        ("CKA_DECRYPT", Attribute::Decrypt(true)),
        ("CKA_EXTRACTABLE", Attribute::Extractable(true)),
        ("CKA_SENSITIVE", Attribute::Sensitive(false)),
        ("CKA_MODIFIABLE", Attribute::Modifiable(true)),
    ] {
        let attribute = [attribute];
        attack(
            &format!("set its {name}"),
            session.update_attributes(root, &attribute).is_ok(),
        );
        attack(
            &format!("copy it with {name}"),
            session.copy_object(root, &attribute).is_ok(),
        );
    }
    let value = session.get_attributes(root, &[AttributeType::Value]);
    attack("read it", !value.unwrap_or_default().is_empty());
    let template = [
        Attribute::ValueLen(32.into()),
        Attribute::Wrap(true),
        Attribute::Token(false),
    ];
    let other = session.generate_key(&Mechanism::AesKeyGen, &template).unwrap();
    for mechanism in [Mechanism::AesKeyWrap, Mechanism::AesCbcPad(block)] {
        attack(
            "wrap it under a key of the attacker's",
            session.wrap_key(&mechanism, other, root).is_ok(),
        );
    }
    let expected = Expectations::of(TokenKind::of_module(module_path!()));
    assert_eq!(succeeded, expected.attacks_that_succeed);
}

#[test]
#[ignore = "run in a process of its own by a_key_that_could_decrypt_what_it_wraps_is_not_taken_for_a_root_key"]
fn as_somebody_who_makes_a_lax_key() {
    let (session, _) = attacker();
    let lax = root(66);
    let template = [
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::AES),
        Attribute::ValueLen(32.into()),
        Attribute::Label(lax.label.into()),
        Attribute::Id(lax.id),
        Attribute::Token(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Wrap(true),
        Attribute::Unwrap(true),
        Attribute::Decrypt(true),
    ];
    session.generate_key(&Mechanism::AesKeyGen, &template).unwrap();
}

fn attacker() -> (Session, ObjectHandle) {
    let session = logged_in();
    let found = session
        .find_objects(&[Attribute::Id(root(1).id)])
        .expect("as the worker does");
    (session, found[0])
}

/// A session of somebody who has the module and the PIN.
pub(crate) fn logged_in() -> Session {
    let token = TokenOfTheEnvironment::get();
    let module = Pkcs11::new(token.module).expect("as the worker does");
    module
        .initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK))
        .expect("as the worker does");
    // openCryptoki has code that runs at the end of a thread: the library must be there still.
    std::mem::forget(module.clone());
    let slot = Slot::try_from(token.slot).expect("a slot's number");
    let session = module.open_rw_session(slot).expect("as the worker does");
    let pin = std::fs::read_to_string(token.pin_file).expect("as the worker does");
    session
        .login(UserType::User, Some(&AuthPin::from(pin.trim_end())))
        .expect("as the worker does");
    session
}
