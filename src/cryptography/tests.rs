//! Against published vectors; and in pieces as at once.

use claviger_hsm::memory::LockedBuffer;
use proptest::prelude::*;

use super::*;
use crate::kmip::enumeration::{
    BlockCipherMode as Mode, CryptographicAlgorithm as Algorithm, HashingAlgorithm as Hash, PaddingMethod,
};

fn bytes(text: &str) -> Vec<u8> {
    hex::decode(text.replace(' ', "")).unwrap()
}

fn key(text: &str) -> LockedBuffer {
    locked(&bytes(text))
}

fn parameters(algorithm: Algorithm, mode: Option<Mode>, iv: &[u8]) -> CipherParameters<'_> {
    CipherParameters {
        algorithm,
        mode,
        padding: PaddingMethod::None,
        iv,
        additional_data: &[],
        tag_bytes: 16,
    }
}

/// Encrypts in pieces of this length; the data, and the tag.
fn run(
    direction: Direction,
    key: &LockedBuffer,
    parameters: &CipherParameters<'_>,
    data: &[u8],
    tag: Option<&[u8]>,
    piece: usize,
) -> Result<(Vec<u8>, Option<Vec<u8>>), Error> {
    let mut stream = CipherStream::new(direction, key, parameters)?;
    let mut out = Vec::new();
    for piece in data.chunks(piece) {
        out.extend(stream.update(piece)?);
    }
    let finished = stream.finish(tag)?;
    out.extend(finished.data);
    Ok((out, finished.tag))
}

#[test]
fn ciphertexts_are_those_of_the_standards() {
    let sp_800_38a = key("2b7e151628aed2a6abf7158809cf4f3c");
    let iv = bytes("000102030405060708090a0b0c0d0e0f");
    let counter = bytes("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
    let plain = bytes("6bc1bee22e409f96e93d7e117393172a ae2d8a571e03ac9c9eb76fac45af8e51");
    for (mode, iv, expected) in [
        (
            Mode::ECB,
            &iv,
            "3ad77bb40d7a3660a89ecaf32466ef97 f5d3d58503b9699de785895a96fdbaaf",
        ),
        (
            Mode::CBC,
            &iv,
            "7649abac8119b246cee98e9b12e9197d 5086cb9b507219ee95db113a917678b2",
        ),
        (
            Mode::CFB,
            &iv,
            "3b3fd92eb72dad20333449f8e83cfb4a c8a64537a0b3a93fcde3cdad9f1ce58b",
        ),
        (
            Mode::OFB,
            &iv,
            "3b3fd92eb72dad20333449f8e83cfb4a 7789508d16918f03f53c52dac54ed825",
        ),
        (
            Mode::CTR,
            &counter,
            "874d6191b620e3261bef6864990db6ce 9806f66b7970fdff8617187bb9fffdff",
        ),
    ] {
        let parameters = parameters(Algorithm::AES, Some(mode), iv);
        let (encrypted, _) = run(Direction::Encrypt, &sp_800_38a, &parameters, &plain, None, 7).unwrap();
        assert_eq!(encrypted, bytes(expected), "{mode:?}");
        let (decrypted, _) = run(Direction::Decrypt, &sp_800_38a, &parameters, &encrypted, None, 5).unwrap();
        assert_eq!(decrypted, plain, "{mode:?}");
    }
}

#[test]
fn a_tag_is_the_standards_and_a_wrong_one_is_refused() {
    // SP 800-38C, example 1.
    let nonce = bytes("10111213141516");
    let additional_data = bytes("0001020304050607");
    let parameters = CipherParameters {
        additional_data: &additional_data,
        tag_bytes: 4,
        ..parameters(Algorithm::AES, Some(Mode::CCM), &nonce)
    };
    let key = key("404142434445464748494a4b4c4d4e4f");
    let plain = bytes("20212223");
    let (sealed, tag) = run(Direction::Encrypt, &key, &parameters, &plain, None, 3).unwrap();
    assert_eq!(
        (sealed.clone(), tag),
        (bytes("7162015b"), Some(bytes("4dac255d")))
    );
    let open = |tag: &str| {
        run(
            Direction::Decrypt,
            &key,
            &parameters,
            &sealed,
            Some(&bytes(tag)),
            1,
        )
    };
    assert_eq!(open("4dac255d").unwrap().0, plain);
    assert_eq!(open("4dac255c"), Err(Error::Refused));
}

#[test]
fn chacha20_is_that_of_rfc_8439() {
    // Section 2.4.2: the counter is 1; the nonce stands behind it.
    let key = key("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
    let iv = bytes("01000000 000000000000004a00000000");
    let plain = b"Ladies and Gentlemen";
    let parameters = parameters(Algorithm::ChaCha20, None, &iv);
    let (encrypted, _) = run(Direction::Encrypt, &key, &parameters, plain, None, 6).unwrap();
    assert_eq!(encrypted, bytes("6e2e359a2568f98041ba0728dd0d6981e97e7aec"));
}

#[test]
fn codes_are_those_of_rfc_4231_and_rfc_4493() {
    let code = |algorithm, key: &LockedBuffer, data: &[u8]| {
        let mut stream = MacStream::new(algorithm, key).unwrap();
        stream.update(data).unwrap();
        stream.finish().unwrap()
    };
    assert_eq!(
        code(
            MacAlgorithm::Hmac(Hash::SHA_256),
            &locked(b"Jefe"),
            b"what do ya want for nothing?"
        ),
        bytes("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    );
    let aes = key("2b7e151628aed2a6abf7158809cf4f3c");
    for (data, expected) in [
        ("", "bb1d6929e95937287fa37d129b756746"),
        (
            "6bc1bee22e409f96e93d7e117393172a",
            "070a16b46b4d4144f79bdd9dd04a287c",
        ),
        (
            "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411",
            "dfa66747de9ae63030ca32611497c827",
        ),
    ] {
        assert_eq!(code(MacAlgorithm::Cmac, &aes, &bytes(data)), bytes(expected));
    }
}

#[test]
fn keys_are_derived_as_rfc_6070_and_rfc_5869_say() {
    let derived = pbkdf2(Hash::SHA_1, &locked(b"password"), b"salt", 4096, 20).unwrap();
    assert_eq!(
        derived.as_slice(),
        bytes("4b007901b765489abead49d926f721d065a429c1")
    );
    let secret = locked(&[0x0b; 22]);
    let derived = hkdf(
        Hash::SHA_256,
        &secret,
        &bytes("000102030405060708090a0b0c"),
        &bytes("f0f1f2f3f4f5f6f7f8f9"),
        42,
    );
    assert_eq!(
        derived.unwrap().as_slice(),
        bytes("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865")
    );
}

#[test]
fn data_is_wrapped_as_rfc_3394_and_rfc_5649_say() {
    // RFC 3394, section 4.1; RFC 5649, section 6.
    let kek = key("000102030405060708090A0B0C0D0E0F");
    let wrapped = wrap(Wrapping::Nist, &kek, &bytes("00112233445566778899AABBCCDDEEFF")).unwrap();
    assert_eq!(wrapped, bytes("1FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5"));
    let kek = key("5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8");
    let data = bytes("c37b7e6492584340bed12207808941155068f738");
    let wrapped = wrap(Wrapping::Padded, &kek, &data).unwrap();
    assert_eq!(
        wrapped,
        bytes("138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a")
    );
    assert_eq!(unwrap(Wrapping::Padded, &kek, &wrapped).unwrap().as_slice(), data);
    let mut changed = wrapped;
    changed[5] ^= 1;
    assert_eq!(
        unwrap(Wrapping::Padded, &kek, &changed).err(),
        Some(Error::Refused)
    );
}

proptest! {
    #[test]
    fn pieces_give_what_the_whole_gives(
        data in proptest::collection::vec(any::<u8>(), 16..200),
        piece in 1_usize..40,
        mode in proptest::sample::select(vec![
            Mode::ECB, Mode::CBC, Mode::CFB, Mode::OFB, Mode::CTR, Mode::GCM, Mode::CCM, Mode::XTS,
        ]),
        padding in proptest::sample::select(vec![PaddingMethod::PKCS5, PaddingMethod::ANSIX9_23]),
    ) {
        let material: Vec<u8> = (0..32).collect();
        let key = locked(&material);
        let iv = if mode == Mode::CCM { &material[..12] } else { &material[..16] };
        let parameters = CipherParameters { padding, ..parameters(Algorithm::AES, Some(mode), iv) };
        let whole = run(Direction::Encrypt, &key, &parameters, &data, None, data.len()).unwrap();
        let pieces = run(Direction::Encrypt, &key, &parameters, &data, None, piece).unwrap();
        prop_assert_eq!(&whole, &pieces);
        let (encrypted, tag) = whole;
        let (back, _) = run(Direction::Decrypt, &key, &parameters, &encrypted, tag.as_deref(), piece).unwrap();
        prop_assert_eq!(back, data);
    }

    #[test]
    fn a_code_in_pieces_is_the_code_of_the_whole(
        data in proptest::collection::vec(any::<u8>(), 0..100),
        piece in 1_usize..40,
    ) {
        let material: Vec<u8> = (0..16).collect();
        let key = locked(&material);
        for algorithm in [MacAlgorithm::Hmac(Hash::SHA_256), MacAlgorithm::Cmac, MacAlgorithm::Gmac(&[1; 12])] {
            let mut whole = MacStream::new(algorithm, &key).unwrap();
            whole.update(&data).unwrap();
            let mut pieces = MacStream::new(algorithm, &key).unwrap();
            for piece in data.chunks(piece) {
                pieces.update(piece).unwrap();
            }
            prop_assert!(pieces.verify(&whole.finish().unwrap()).unwrap());
        }
    }
}
