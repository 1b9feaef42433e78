//! AES-256-GCM and HMAC-SHA-256 with a key that the token keeps: for ciphertexts, and for the material of standard keys.

use claviger_hsm::memory::LockedBuffer;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use openssl::symm::{Cipher, decrypt_aead, encrypt_aead};

use crate::random;

const NONCE: usize = 12;
const TAG: usize = 16;

/// The key.
pub(crate) struct Seal(LockedBuffer);

impl Seal {
    /// With a key of 32 bytes.
    pub(crate) fn new(key: LockedBuffer) -> Self {
        Self(key)
    }

    /// A nonce, the sealed bytes, and the tag over them and over `context`.
    pub(crate) fn seal(&self, context: &[u8], bytes: &[u8]) -> Vec<u8> {
        let nonce = random::<NONCE>();
        let mut tag = [0; TAG];
        let cipher = Cipher::aes_256_gcm();
        let sealed = encrypt_aead(cipher, self.0.as_slice(), Some(&nonce), context, bytes, &mut tag)
            .expect("AES-256-GCM takes any bytes under a key of its length");
        [&nonce[..], &sealed, &tag].concat()
    }

    /// What was sealed in this context; `None` where anything of it was changed.
    pub(crate) fn open(&self, context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE>()?;
        let (bytes, tag) = rest.split_last_chunk::<TAG>()?;
        let cipher = Cipher::aes_256_gcm();
        decrypt_aead(cipher, self.0.as_slice(), Some(nonce), context, bytes, tag).ok()
    }

    /// Tells these bytes from any other without telling what they are.
    pub(crate) fn tag(&self, purpose: &str, bytes: &[u8]) -> [u8; 32] {
        let tag = || {
            let key = PKey::hmac(self.0.as_slice())?;
            let mut signer = Signer::new(MessageDigest::sha256(), &key)?;
            signer.update(purpose.as_bytes())?;
            signer.update(&[0])?;
            signer.update(bytes)?;
            signer.sign_to_vec()
        };
        let tag = tag().expect("HMAC takes any bytes");
        tag.try_into().expect("SHA-256 has 32 bytes")
    }
}
