//! Keys under a client's key.

use openssl::cipher::Cipher;
use openssl::cipher_ctx::{CipherCtx, CipherCtxFlags};

use super::fixture::{Fixture, Maker, a_new, an_aes_256_key};
use crate::key::WrappedKek;
use crate::root_key::{KeptKey, KeyKind, KeySpecification, KeyWrap};

/// RFC 3394, section 4.6: 256 bits of key data with a 256-bit key.
const WRAPPING_KEY: &str = "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F";
const KEY: &str = "00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F";
const WRAPPED: &str = "28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21";

fn bytes(text: &str) -> Vec<u8> {
    hex::decode(text).unwrap()
}

/// A key that was taken in.
struct Kept {
    specification: KeySpecification,
    wrapped: WrappedKek,
}

impl Kept {
    async fn new<M: Maker>(fixture: &Fixture<M>, material: &[u8]) -> Self {
        let specification = an_aes_256_key();
        let made = fixture
            .backend
            .import(&fixture.root, specification, material)
            .await;
        let wrapped = made.unwrap().wrapped;
        Self {
            specification,
            wrapped,
        }
    }

    fn under<'a, M>(&'a self, fixture: &'a Fixture<M>) -> KeptKey<'a> {
        KeptKey {
            root_key: &fixture.root,
            specification: self.specification,
            wrapped: &self.wrapped,
        }
    }
}

/// By OpenSSL, as RFC 5649 says.
fn padded_by_openssl() -> Vec<u8> {
    let mut context = CipherCtx::new().unwrap();
    context.set_flags(CipherCtxFlags::FLAG_WRAP_ALLOW);
    let wrap = Some(Cipher::aes_256_wrap_pad());
    context
        .encrypt_init(wrap, Some(&bytes(WRAPPING_KEY)), None)
        .unwrap();
    let mut wrapped = Vec::new();
    context.cipher_update_vec(&bytes(KEY), &mut wrapped).unwrap();
    wrapped
}

pub(crate) async fn a_key_leaves_under_a_clients_key_as_rfc_3394_and_rfc_5649_say<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let key = Kept::new(&fixture, &bytes(KEY)).await;
    let wrapping_key = Kept::new(&fixture, &bytes(WRAPPING_KEY)).await;
    for (key_wrap, expected) in [
        (KeyWrap::Nist, bytes(WRAPPED)),
        (KeyWrap::Padded, padded_by_openssl()),
    ] {
        let (key, wrapping_key) = (key.under(&fixture), wrapping_key.under(&fixture));
        let released = fixture.backend.release_under(key, wrapping_key, key_wrap).await;
        assert_eq!(released, Ok(expected), "{key_wrap:?}");
    }
}

pub(crate) async fn a_key_comes_in_under_a_clients_key_and_a_changed_one_does_not<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let (backend, root) = (&fixture.backend, &fixture.root);
    let wrapping_key = Kept::new(&fixture, &bytes(WRAPPING_KEY)).await;
    let under = wrapping_key.under(&fixture);
    for (key_wrap, mut wrapped) in [
        (KeyWrap::Nist, bytes(WRAPPED)),
        (KeyWrap::Padded, padded_by_openssl()),
    ] {
        let key = an_aes_256_key();
        let made = backend
            .unwrap_under(root, key, under, key_wrap, &wrapped)
            .await
            .unwrap();
        assert_eq!(
            fixture.value(key, &made.wrapped).await,
            bytes(KEY),
            "{key_wrap:?}"
        );
        assert_eq!(made.sha256, openssl::sha::sha256(&bytes(KEY)));

        let shorter = a_new(KeyKind::Aes { bytes: 16 });
        let refused = backend
            .unwrap_under(root, shorter, under, key_wrap, &wrapped)
            .await;
        assert_eq!(refused.unwrap_err().length_of_the_key(), Some(32));
        wrapped[9] ^= 1;
        let refused = backend.unwrap_under(root, key, under, key_wrap, &wrapped).await;
        let refused = refused.unwrap_err();
        assert!(
            refused.is_refusal_of_a_foreign_key() && !refused.is_retryable(),
            "{key_wrap:?}: {refused}"
        );
    }
    backend.check(root).await.unwrap();
}

pub(crate) async fn a_key_of_no_whole_blocks_is_not_wrapped_without_padding<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let wrapping_key = Kept::new(&fixture, &bytes(WRAPPING_KEY)).await;
    let specification = a_new(KeyKind::Generic { bytes: 20 });
    let odd = Kept {
        specification,
        wrapped: fixture.make_key(specification).await,
    };
    let (odd, under) = (odd.under(&fixture), wrapping_key.under(&fixture));
    let refused = fixture.backend.release_under(odd, under, KeyWrap::Nist).await;
    assert_eq!(refused.unwrap_err().length_of_the_key(), Some(20));
}
