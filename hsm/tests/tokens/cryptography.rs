//! What is done with a key on the device, against the vectors of the standards.

use claviger_hsm::{
    Aead, Cipher, CipherMode, DerivingCipher, Device, Error, KeptKey, KeyKind, KeyWrap, MacAlgorithm,
    RootKeyLocator,
};

use openssl::hash::MessageDigest as Hash;

use super::device_with_root_key;
use crate::support::value;

fn bytes(text: &str) -> Vec<u8> {
    hex::decode(text.replace(' ', "")).expect("hexadecimal digits")
}

async fn kept(device: &Device, root: &RootKeyLocator, kind: KeyKind, material: &[u8]) -> KeptKey {
    KeptKey {
        root: root.clone(),
        kind,
        wrapped: device
            .import(root, kind, material)
            .await
            .expect("the key is taken in")
            .wrapped,
    }
}

fn aes(material: &[u8]) -> KeyKind {
    KeyKind::Aes {
        bytes: material.len().try_into().expect("a key is short"),
    }
}

/// SP 800-38A, appendix F: the key of 128 bits and the first two blocks.
const KEY: &str = "2b7e151628aed2a6abf7158809cf4f3c";
const PLAIN: &str = "6bc1bee22e409f96e93d7e117393172a ae2d8a571e03ac9c9eb76fac45af8e51";

#[tokio::test]
async fn what_the_device_encrypts_others_decrypt_as_sp_800_38a_says() {
    let Some((_token, device, root)) = device_with_root_key().await else {
        return;
    };
    let can = device.capabilities().await.unwrap();
    let material = bytes(KEY);
    let key = kept(&device, &root, aes(&material), &material).await;
    let iv = bytes("000102030405060708090a0b0c0d0e0f").try_into().unwrap();
    let counter_block = bytes("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff").try_into().unwrap();
    let cases = [
        (
            Cipher::Ecb,
            "3ad77bb40d7a3660a89ecaf32466ef97 f5d3d58503b9699de785895a96fdbaaf",
        ),
        (
            Cipher::Cbc { iv },
            "7649abac8119b246cee98e9b12e9197d 5086cb9b507219ee95db113a917678b2",
        ),
        (
            Cipher::Cfb { iv },
            "3b3fd92eb72dad20333449f8e83cfb4a c8a64537a0b3a93fcde3cdad9f1ce58b",
        ),
        (
            Cipher::Ofb { iv },
            "3b3fd92eb72dad20333449f8e83cfb4a 7789508d16918f03f53c52dac54ed825",
        ),
        (
            Cipher::Ctr {
                counter_block,
                counter_bits: 128,
            },
            "874d6191b620e3261bef6864990db6ce 9806f66b7970fdff8617187bb9fffdff",
        ),
    ];
    for (cipher, expected) in cases {
        let encrypted = device.encrypt(&key, &cipher, &bytes(PLAIN)).await;
        if !can.ciphers.contains(&cipher.mode()) {
            assert!(
                matches!(encrypted, Err(Error::Unsupported { .. })),
                "{cipher:?}: {encrypted:?}"
            );
            continue;
        }
        assert_eq!(encrypted.unwrap(), bytes(expected), "{cipher:?}");
        let decrypted = device.decrypt(&key, &cipher, &bytes(expected)).await;
        assert_eq!(decrypted.unwrap(), bytes(PLAIN), "{cipher:?}");
    }
    for mode in [CipherMode::Ecb, CipherMode::Cbc, CipherMode::CbcPad] {
        assert!(can.ciphers.contains(&mode), "{mode}");
    }
    device.shutdown().await;
}

#[tokio::test]
async fn data_of_any_length_comes_back_through_padding_and_a_wrong_padding_is_refused() {
    let Some((_token, device, root)) = device_with_root_key().await else {
        return;
    };
    let material = bytes(KEY);
    let key = kept(&device, &root, aes(&material), &material).await;
    let cipher = Cipher::CbcPad { iv: [7; 16] };
    for length in [0, 1, 15, 16, 17, 5000] {
        let plain = vec![0x5a; length];
        let encrypted = device.encrypt(&key, &cipher, &plain).await.unwrap();
        assert_eq!(encrypted.len(), (length / 16 + 1) * 16);
        assert_eq!(device.decrypt(&key, &cipher, &encrypted).await.unwrap(), plain);
    }
    let unpadded = device
        .encrypt(&key, &Cipher::Cbc { iv: [7; 16] }, &[0xee; 16])
        .await;
    let refused = device.decrypt(&key, &cipher, &unpadded.unwrap()).await;
    assert_eq!(refused, Err(Error::DataRefused));
    let odd = device.encrypt(&key, &Cipher::Ecb, &[0; 17]).await;
    assert_eq!(odd, Err(Error::DataLength { bytes: 17 }));
    device.shutdown().await;
}

#[tokio::test]
async fn the_longest_data_is_encrypted_in_one_request() {
    let Some((_token, device, root)) = device_with_root_key().await else {
        return;
    };
    let material = bytes(KEY);
    let key = kept(&device, &root, aes(&material), &material).await;
    let plain = vec![0xa5; claviger_hsm::LONGEST_DATA];
    let cipher = Cipher::Cbc { iv: [1; 16] };
    let encrypted = device.encrypt(&key, &cipher, &plain).await.unwrap();
    let decrypted = device.decrypt(&key, &cipher, &encrypted).await.unwrap();
    assert!(decrypted == plain);
    let longer = vec![0; plain.len() + 16];
    let refused = device.encrypt(&key, &cipher, &longer).await;
    assert_eq!(refused, Err(Error::DataLength { bytes: longer.len() }));
    device.shutdown().await;
}

/// Test case 4 of the submission of GCM to NIST.
#[tokio::test]
async fn what_gcm_sealed_opens_only_as_it_was() {
    let Some((_token, device, root)) = device_with_root_key().await else {
        return;
    };
    let material = bytes("feffe9928665731c6d6a8f9467308308");
    let key = kept(&device, &root, aes(&material), &material).await;
    let plain = bytes(
        "d9313225f88406e5a55909c5aff5269a 86a7a9531534f7da2e4c303d8a318a72 \
         1c3c0c95956809532fcf0e2449a6b525 b16aedf5aa0de657ba637b39",
    );
    let sealed = bytes(
        "42831ec2217774244b7221b784d0d49c e3aa212f2c02a4e035c17e2329aca12e \
         21d514b25466931c7d8f6a5aac84aa05 1ba30b396a0aac973d58e091 \
         5bc94fbc3221a5db94fae95ae7121a47",
    );
    let cipher = |tag_bytes| {
        Cipher::Gcm(Aead {
            nonce: bytes("cafebabefacedbaddecaf888"),
            additional_data: bytes("feedfacedeadbeeffeedfacedeadbeefabaddad2"),
            tag_bytes,
        })
    };
    if !device
        .capabilities()
        .await
        .unwrap()
        .ciphers
        .contains(&CipherMode::Gcm)
    {
        let refused = device.encrypt(&key, &cipher(16), &plain).await;
        assert!(matches!(refused, Err(Error::Unsupported { .. })), "{refused:?}");
        return;
    }
    assert_eq!(device.encrypt(&key, &cipher(16), &plain).await.unwrap(), sealed);
    assert_eq!(device.decrypt(&key, &cipher(16), &sealed).await.unwrap(), plain);
    let shorter = &sealed[..sealed.len() - 4];
    assert_eq!(device.decrypt(&key, &cipher(12), shorter).await.unwrap(), plain);
    let mut changed = sealed.clone();
    changed[3] ^= 1;
    assert_eq!(
        device.decrypt(&key, &cipher(16), &changed).await,
        Err(Error::DataRefused)
    );
    device.shutdown().await;
}

/// The keys of RFC 4231 that are short enough for every token have lengths that a device does not hold as they are: OpenSSL
/// says what HMAC is for one of 64 bytes, which is no shorter than any code.
#[tokio::test]
async fn codes_are_those_of_hmac_and_of_rfc_4493() {
    let Some((_token, device, root)) = device_with_root_key().await else {
        return;
    };
    let can = device.capabilities().await.unwrap();
    let material = bytes(KEY);
    let aes_key = kept(&device, &root, aes(&material), &material).await;
    let secret = vec![0x0b; 64];
    let kind = KeyKind::Generic { bytes: 64 };
    let secret_key = kept(&device, &root, kind, &secret).await;
    let hmac = |digest| {
        let key = openssl::pkey::PKey::hmac(&secret).unwrap();
        let mut signer = openssl::sign::Signer::new(digest, &key).unwrap();
        signer.sign_oneshot_to_vec(b"Hi There").unwrap()
    };
    let cases = [
        (
            MacAlgorithm::HmacSha1,
            &secret_key,
            hmac(Hash::sha1()),
            b"Hi There".to_vec(),
        ),
        (
            MacAlgorithm::HmacSha224,
            &secret_key,
            hmac(Hash::sha224()),
            b"Hi There".to_vec(),
        ),
        (
            MacAlgorithm::HmacSha256,
            &secret_key,
            hmac(Hash::sha256()),
            b"Hi There".to_vec(),
        ),
        (
            MacAlgorithm::HmacSha384,
            &secret_key,
            hmac(Hash::sha384()),
            b"Hi There".to_vec(),
        ),
        (
            MacAlgorithm::HmacSha512,
            &secret_key,
            hmac(Hash::sha512()),
            b"Hi There".to_vec(),
        ),
        // RFC 4493, section 4, example 2.
        (
            MacAlgorithm::AesCmac,
            &aes_key,
            bytes("070a16b46b4d4144f79bdd9dd04a287c"),
            bytes("6bc1bee22e409f96e93d7e117393172a"),
        ),
    ];
    for (algorithm, key, expected, data) in cases {
        let code = device.mac(key, algorithm, &data).await;
        if !can.macs.contains(&algorithm) {
            assert!(
                matches!(code, Err(Error::Unsupported { .. })),
                "{algorithm}: {code:?}"
            );
            continue;
        }
        assert_eq!(code.unwrap(), expected, "{algorithm}");
        assert_eq!(
            device.verify_mac(key, algorithm, &data, &expected).await,
            Ok(true),
            "{algorithm}"
        );
        let mut wrong = expected;
        wrong[0] ^= 1;
        assert_eq!(
            device.verify_mac(key, algorithm, &data, &wrong).await,
            Ok(false),
            "{algorithm}"
        );
    }
    assert!(can.macs.contains(&MacAlgorithm::HmacSha256));

    let odd = kept(&device, &root, KeyKind::Generic { bytes: 20 }, &[0x0b; 20]).await;
    let refused = device.mac(&odd, MacAlgorithm::HmacSha256, b"Hi There").await;
    assert!(matches!(refused, Err(Error::Unsupported { .. })), "{refused:?}");
    device.shutdown().await;
}

#[tokio::test]
async fn a_key_comes_in_under_a_clients_key_and_a_changed_one_does_not() {
    let Some((token, device, root)) = device_with_root_key().await else {
        return;
    };
    // RFC 3394, section 4.6.
    let material = bytes("000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F");
    let data = bytes("00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F");
    let nist = bytes("28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21");
    let wrapping_key = kept(&device, &root, aes(&material), &material).await;
    let kind = KeyKind::Aes { bytes: 32 };
    let unwrapped = device
        .unwrap_under(&wrapping_key, KeyWrap::Nist, &nist, &root, kind)
        .await;
    if !token.expectations().wraps_for_clients {
        assert!(
            matches!(unwrapped, Err(Error::WrapProfile { .. })),
            "{unwrapped:?}"
        );
        return;
    }
    let made = unwrapped.unwrap();
    assert_eq!(value(&device, &root, kind, &made.wrapped).await, data);
    assert_eq!(made.sha256, openssl::sha::sha256(&data));

    let key = KeptKey {
        root: root.clone(),
        kind,
        wrapped: made.wrapped,
    };
    let padded = device
        .release_under(&key, &wrapping_key, KeyWrap::Padded)
        .await
        .unwrap();
    let secret = KeyKind::Generic { bytes: 32 };
    let made = device
        .unwrap_under(&wrapping_key, KeyWrap::Padded, &padded, &root, secret)
        .await
        .unwrap();
    assert_eq!(value(&device, &root, secret, &made.wrapped).await, data);

    for (key_wrap, mut changed) in [(KeyWrap::Nist, nist.clone()), (KeyWrap::Padded, padded)] {
        changed[9] ^= 1;
        let refused = device
            .unwrap_under(&wrapping_key, key_wrap, &changed, &root, kind)
            .await;
        assert_eq!(refused, Err(Error::ForeignKeyRefused), "{key_wrap:?}");
    }
    let shorter = KeyKind::Aes { bytes: 16 };
    let refused = device
        .unwrap_under(&wrapping_key, KeyWrap::Nist, &nist, &root, shorter)
        .await;
    assert_eq!(refused, Err(Error::KeyLength { bytes: 32 }));
    device.check(&root).await.unwrap();
    device.shutdown().await;
}

#[tokio::test]
async fn a_derived_key_is_the_beginning_of_the_ciphertext() {
    let Some((_token, device, root)) = device_with_root_key().await else {
        return;
    };
    let material = bytes(KEY);
    let base = kept(&device, &root, aes(&material), &material).await;
    let can = device.capabilities().await.unwrap();
    let iv = [3; 16];
    let data = bytes(PLAIN);
    for (deriving, cipher) in [
        (DerivingCipher::Ecb, Cipher::Ecb),
        (DerivingCipher::Cbc { iv }, Cipher::Cbc { iv }),
    ] {
        for kind in [
            KeyKind::Aes { bytes: 16 },
            KeyKind::Aes { bytes: 32 },
            KeyKind::Generic { bytes: 20 },
        ] {
            let derived = device
                .derive_by_encryption(&base, deriving, &data, &root, kind)
                .await;
            if !can.derives_by_encryption {
                assert!(derived.is_err());
                continue;
            }
            // A token may derive keys only as long as the data that is encrypted.
            if kind.bytes() % 16 != 0 && matches!(derived, Err(Error::Unsupported { .. })) {
                continue;
            }
            let derived = derived.unwrap();
            let expected = device.encrypt(&base, &cipher, &data).await.unwrap();
            let found = value(&device, &root, kind, &derived.wrapped).await;
            assert_eq!(found, expected[..kind.bytes()], "{kind:?} {deriving:?}");
            assert_eq!(derived.sha256, openssl::sha::sha256(&found));
        }
    }
    device.shutdown().await;
}

#[tokio::test]
async fn random_numbers_come_after_a_seed_as_before() {
    let Some((_token, device, _root)) = device_with_root_key().await else {
        return;
    };
    let taken = device.seed_random(&[7; 48]).await.unwrap();
    assert_eq!(taken, device.capabilities().await.unwrap().takes_seed);
    let (first, second) = (
        device.random(u16::MAX).await.unwrap(),
        device.random(u16::MAX).await.unwrap(),
    );
    assert_eq!(first.len(), usize::from(u16::MAX));
    assert!(first != second);
    device.shutdown().await;
}
