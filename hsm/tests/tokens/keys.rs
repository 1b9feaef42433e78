//! Keys: made, taken in, released, refused.

use claviger_hsm::{Error, KeptKey, KeyKind, KeyWrap, MadeKey};
use openssl::cipher::Cipher;
use openssl::cipher_ctx::{CipherCtx, CipherCtxFlags};
use openssl::sha::sha256;

use super::device_with_root_key;
use crate::support::{root, value};

const AES_256: KeyKind = KeyKind::Aes { bytes: 32 };

#[tokio::test]
async fn a_key_is_the_same_each_time_it_is_released() {
    let Some((_token, device, root)) = device_with_root_key().await else {
        return;
    };
    for bytes in [16, 24, 32] {
        let kind = KeyKind::Aes { bytes };
        let MadeKey {
            wrapped,
            sha256: digest,
        } = device.generate(&root, kind).await.unwrap();
        let first = value(&device, &root, kind, &wrapped).await;
        assert_eq!(first.len(), usize::from(bytes));
        assert_eq!(first, value(&device, &root, kind, &wrapped).await);
        assert_eq!(digest, sha256(&first));
    }
    device.shutdown().await;
}

#[tokio::test]
async fn a_key_is_wrapped_by_the_best_profile_that_the_device_has() {
    let Some((token, device, root)) = device_with_root_key().await else {
        return;
    };
    let made = device.generate(&root, AES_256).await.unwrap();
    assert_eq!(made.wrapped.profile, token.expectations().wrap_profiles[0]);
}

#[tokio::test]
async fn a_secret_of_any_length_comes_back_in_its_length() {
    let Some((token, device, root)) = device_with_root_key().await else {
        return;
    };
    let longest = token.expectations().longest_secret;
    for bytes in [1, 8, 15, 16, 20, 33, 64, 255, 256, 1000, 4096] {
        let kind = KeyKind::Generic { bytes };
        let made = device.generate(&root, kind).await;
        assert_eq!(made.is_ok(), bytes <= longest, "{bytes} bytes: {made:?}");
        if let Ok(MadeKey {
            wrapped,
            sha256: digest,
        }) = made
        {
            let made = value(&device, &root, kind, &wrapped).await;
            assert_eq!(made.len(), usize::from(bytes));
            assert_eq!(digest, sha256(&made), "{bytes} bytes made");
        }

        let material: Vec<u8> = (0..bytes).map(|index| (index % 251) as u8 + 1).collect();
        let MadeKey {
            wrapped,
            sha256: digest,
        } = device.import(&root, kind, &material).await.unwrap();
        assert_eq!(
            value(&device, &root, kind, &wrapped).await,
            material,
            "{bytes} bytes taken in"
        );
        assert_eq!(digest, sha256(&material));
    }
}

#[tokio::test]
async fn a_length_that_the_device_does_not_make_is_said_to_be_so() {
    let Some((token, device, root)) = device_with_root_key().await else {
        return;
    };
    let bytes = token.expectations().longest_secret + 1;
    let refused = device.generate(&root, KeyKind::Generic { bytes }).await.err();
    assert_eq!(
        refused,
        Some(Error::KeyLength {
            bytes: usize::from(bytes)
        })
    );
}

#[tokio::test]
async fn a_key_that_was_taken_in_is_released_as_it_came() {
    let Some((_token, device, root)) = device_with_root_key().await else {
        return;
    };
    let material = [0xC3; 32];
    let made = device.import(&root, AES_256, &material).await.unwrap();
    assert!(
        made.wrapped
            .bytes
            .windows(8)
            .all(|window| window != &material[..8])
    );
    assert_eq!(value(&device, &root, AES_256, &made.wrapped).await, material);
    let refused = device.import(&root, AES_256, &material[..31]).await.unwrap_err();
    assert_eq!(refused, Error::KeyLength { bytes: 31 });
}

#[tokio::test]
async fn a_wrapped_key_with_a_changed_bit_is_refused_and_the_worker_goes_on() {
    let Some((token, device, root)) = device_with_root_key().await else {
        return;
    };
    let pids = device.worker_pids();
    let made = device.generate(&root, AES_256).await.unwrap();
    let finds_changes = token.expectations().finds_changes;
    for position in 0..made.wrapped.bytes.len() {
        let mut changed = made.wrapped.clone();
        changed.bytes[position] ^= 0x10;
        let refused = device.release(&root, AES_256, &changed).await.err();
        assert!(
            refused == Some(Error::WrappedKeyRefused) || refused.is_none() && !finds_changes,
            "byte {position}: {refused:?}"
        );
    }
    let right = made.wrapped.bytes.len();
    for length in [0, 8, right - 1, right + 1] {
        let mut changed = made.wrapped.clone();
        changed.bytes.resize(length, 0);
        assert_eq!(
            device.release(&root, AES_256, &changed).await.err(),
            Some(Error::WrappedKeyRefused)
        );
    }
    assert_eq!(device.worker_pids(), pids);
    value(&device, &root, AES_256, &made.wrapped).await;
}

#[tokio::test]
async fn another_root_key_does_not_release_a_key() {
    let Some((token, device, first)) = device_with_root_key().await else {
        return;
    };
    let finds_changes = token.expectations().finds_changes;
    let second = root(2);
    device.create_root_key(&second).await.unwrap();
    let made = device.generate(&first, AES_256).await.unwrap();
    match device.release(&second, AES_256, &made.wrapped).await {
        Ok(released) => {
            let mut other = [0; 32];
            released.open_into(&mut other).unwrap();
            assert!(!finds_changes && other[..] != value(&device, &first, AES_256, &made.wrapped).await);
        }
        Err(refused) => assert_eq!(refused, Error::WrappedKeyRefused),
    }
}

#[tokio::test]
async fn lengths_that_no_key_has_are_refused_before_the_device_is_asked() {
    let Some((_token, device, root)) = device_with_root_key().await else {
        return;
    };
    for kind in [
        KeyKind::Aes { bytes: 17 },
        KeyKind::Generic { bytes: 0 },
        KeyKind::Generic { bytes: 4097 },
    ] {
        assert_eq!(
            device.generate(&root, kind).await.err(),
            Some(Error::KeyLength { bytes: kind.bytes() })
        );
    }
}

#[tokio::test]
async fn a_key_goes_only_into_a_buffer_of_its_length() {
    let Some((_token, device, root)) = device_with_root_key().await else {
        return;
    };
    let made = device.generate(&root, AES_256).await.unwrap();
    let released = device.release(&root, AES_256, &made.wrapped).await.unwrap();
    let mut small = [0; 31];
    assert_eq!(
        released.open_into(&mut small),
        Err(Error::BufferLength { key: 32, buffer: 31 })
    );
    assert_eq!(small, [0; 31]);
}

#[tokio::test]
async fn a_key_leaves_under_a_clients_key_as_rfc_3394_and_rfc_5649_say() {
    let Some((token, device, root)) = device_with_root_key().await else {
        return;
    };
    // RFC 3394, section 4.6: 256 bits of key data with a 256-bit KEK.
    let hex = |text: &str| hex::decode(text).unwrap();
    let kek = hex("000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F");
    let data = hex("00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F");
    let expected = hex("28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21");
    let kept = async |material: &[u8]| KeptKey {
        root: root.clone(),
        kind: AES_256,
        wrapped: device.import(&root, AES_256, material).await.unwrap().wrapped,
    };
    let (key, wrapping_key) = (kept(&data).await, kept(&kek).await);
    for (key_wrap, profile, expected) in [
        (KeyWrap::Nist, "aes-kw", expected),
        (KeyWrap::Padded, "aes-kwp", wrapped_with_padding(&kek, &data)),
    ] {
        let can = token.expectations().wraps_for_clients;
        assert_eq!(
            device.release_under(&key, &wrapping_key, key_wrap).await,
            can.then_some(expected).ok_or(Error::WrapProfile {
                profile: profile.to_owned()
            })
        );
    }

    let mut changed = wrapping_key.clone();
    changed.wrapped.bytes[7] ^= 1;
    let refused = device.release_under(&key, &changed, KeyWrap::Nist).await;
    assert!(refused.is_err());
    let kind = KeyKind::Generic { bytes: 20 };
    let odd = KeptKey {
        kind,
        wrapped: device.generate(&root, kind).await.unwrap().wrapped,
        ..key
    };
    let refused = device
        .release_under(&odd, &wrapping_key, KeyWrap::Nist)
        .await
        .unwrap_err();
    assert_eq!(refused, Error::KeyLength { bytes: 20 });
    device.shutdown().await;
}

/// By OpenSSL, as RFC 5649 says.
fn wrapped_with_padding(wrapping_key: &[u8], key: &[u8]) -> Vec<u8> {
    let mut context = CipherCtx::new().expect("OpenSSL has memory");
    context.set_flags(CipherCtxFlags::FLAG_WRAP_ALLOW);
    context
        .encrypt_init(Some(Cipher::aes_256_wrap_pad()), Some(wrapping_key), None)
        .expect("an AES-256 key");
    let mut wrapped = Vec::new();
    context
        .cipher_update_vec(key, &mut wrapped)
        .expect("a key of a length that can be wrapped");
    wrapped
}

#[tokio::test]
async fn a_key_that_goes_to_another_root_key_keeps_its_bytes() {
    let Some((token, device, first)) = device_with_root_key().await else {
        return;
    };
    let second = root(2);
    device.create_root_key(&second).await.unwrap();
    for kind in [AES_256, KeyKind::Generic { bytes: 33 }] {
        let made = device.generate(&first, kind).await.unwrap();
        let before = value(&device, &first, kind, &made.wrapped).await;
        let moved = device.rewrap(&first, &second, kind, &made.wrapped).await.unwrap();
        assert_ne!(moved, made.wrapped);
        assert_eq!(value(&device, &second, kind, &moved).await, before);
        let again = device.rewrap(&first, &second, kind, &moved).await;
        assert!(
            again == Err(Error::WrappedKeyRefused) || again.is_ok() && !token.expectations().finds_changes
        );
    }
}
