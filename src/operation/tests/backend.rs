//! A stand-in for a device: it "wraps" by adding a constant, and fails when it is told to.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_trait::async_trait;
use claviger_hsm::memory::LockedBuffer;
use openssl::aes::{AesKey, unwrap_key, wrap_key};
use sha2::{Digest, Sha256};

use crate::adapter::RootKey;
use crate::cryptography::{self, CipherParameters, CipherStream, Direction, MacStream};
use crate::key::{WrapProfile, WrappedKek};
use crate::kmip::enumeration::{BlockCipherMode, CryptographicAlgorithm, PaddingMethod};
use crate::root_key::{
    BackendDescription, Cipher, CreatedRootKey, DerivingCipher, Error, KeptKey, KeySpecification, KeyWrap,
    MacAlgorithm, MadeKey, Material, RootKeyBackend, RsaPublicKey, WrappedRootKey,
};

/// What is added to each byte of a key.
const MASK: u8 = 0x5A;

#[derive(Default)]
pub(super) struct Backend {
    made: AtomicU64,
    pub(super) is_down: AtomicBool,
    /// How often a key was used on it.
    pub(super) asked: AtomicU64,
    /// How many bytes of seeds it was given.
    pub(super) seeded: AtomicU64,
}

impl Backend {
    fn up(&self) -> Result<(), Error> {
        if self.is_down.load(Ordering::SeqCst) {
            return Err(Error::Device {
                backend: "hsm in slot 7".into(),
                source: claviger_hsm::Error::Function {
                    function: "C_WrapKey".into(),
                    code: 0x32,
                    name: "CKR_DEVICE_REMOVED".into(),
                },
            });
        }
        Ok(())
    }
}

fn bytes(what: KeySpecification) -> usize {
    what.bytes()
}

fn masked(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| byte ^ MASK).collect()
}

fn made(key: &[u8]) -> MadeKey {
    MadeKey {
        wrapped: WrappedKek {
            profile: WrapProfile::AesKw,
            bytes: masked(key),
        },
        sha256: Sha256::digest(key).into(),
    }
}

#[async_trait]
impl RootKeyBackend for Backend {
    async fn create(&self, _: &RootKey) -> Result<CreatedRootKey, Error> {
        unreachable!("operations make no root key")
    }

    async fn verify(&self, _: &RootKey) -> Result<(), Error> {
        self.up()
    }

    async fn rewrap(
        &self,
        _: &RootKey,
        _: &RootKey,
        _: KeySpecification,
        wrapped: &WrappedKek,
    ) -> Result<WrappedKek, Error> {
        self.up()?;
        Ok(wrapped.clone())
    }

    async fn destroy(&self, _: &RootKey) -> Result<(), Error> {
        unreachable!("operations destroy no root key")
    }

    async fn offer_take_in(&self, _: &str) -> Result<RsaPublicKey, Error> {
        unreachable!("no root key is brought here")
    }

    async fn take_in(&self, _: &str, _: &WrappedRootKey, _: &RootKey) -> Result<CreatedRootKey, Error> {
        unreachable!("no root key is brought here")
    }

    fn device(&self) -> Result<claviger_hsm::Device, Error> {
        Err(Error::NotOneDevice {
            backend: "hsm".into(),
        })
    }

    async fn check(&self, _: &RootKey) -> Result<(), Error> {
        self.up()
    }

    async fn describe(&self) -> Result<BackendDescription, Error> {
        unreachable!("operations do not ask")
    }

    async fn generate(&self, root: &RootKey, what: KeySpecification) -> Result<MadeKey, Error> {
        self.up()?;
        let number = self.made.fetch_add(1, Ordering::SeqCst);
        let seed = format!("{} {number}", root.id);
        let key: Vec<_> = Sha256::digest(seed)
            .iter()
            .copied()
            .cycle()
            .take(bytes(what))
            .collect();
        Ok(made(&key))
    }

    async fn import(&self, _: &RootKey, what: KeySpecification, material: &[u8]) -> Result<MadeKey, Error> {
        self.up()?;
        assert_eq!(material.len(), bytes(what));
        Ok(made(material))
    }

    async fn release(
        &self,
        _: &RootKey,
        what: KeySpecification,
        wrapped: &WrappedKek,
    ) -> Result<Material, Error> {
        self.up()?;
        assert_eq!(wrapped.bytes.len(), bytes(what));
        Ok(Material::of_stand_in(masked(&wrapped.bytes)))
    }

    async fn release_under(
        &self,
        key: KeptKey<'_>,
        wrapping_key: KeptKey<'_>,
        key_wrap: KeyWrap,
    ) -> Result<Vec<u8>, Error> {
        self.up()?;
        if key_wrap == KeyWrap::Padded {
            return Err(cannot_pad());
        }
        let under = AesKey::new_encrypt(&masked(&wrapping_key.wrapped.bytes)).expect("an AES key");
        let mut wrapped = vec![0; key.wrapped.bytes.len() + 8];
        wrap_key(&under, None, &mut wrapped, &masked(&key.wrapped.bytes))
            .expect("AES key wrap takes the key");
        Ok(wrapped)
    }

    async fn unwrap_under(
        &self,
        _: &RootKey,
        what: KeySpecification,
        wrapping_key: KeptKey<'_>,
        key_wrap: KeyWrap,
        wrapped: &[u8],
    ) -> Result<MadeKey, Error> {
        self.up()?;
        if key_wrap == KeyWrap::Padded {
            return Err(cannot_pad());
        }
        let refused = || Error::Device {
            backend: "stand-in".to_owned(),
            source: claviger_hsm::Error::ForeignKeyRefused,
        };
        let under = AesKey::new_decrypt(&masked(&wrapping_key.wrapped.bytes)).expect("an AES key");
        let mut key = vec![0; wrapped.len().checked_sub(8).ok_or_else(refused)?];
        unwrap_key(&under, None, &mut key, wrapped).map_err(|_| refused())?;
        if key.len() == bytes(what) {
            Ok(made(&key))
        } else {
            Err(refused())
        }
    }

    async fn encrypt(&self, key: KeptKey<'_>, cipher: &Cipher, data: &[u8]) -> Result<Vec<u8>, Error> {
        self.up()?;
        self.through(Direction::Encrypt, key, cipher, data)
    }

    async fn decrypt(&self, key: KeptKey<'_>, cipher: &Cipher, data: &[u8]) -> Result<Vec<u8>, Error> {
        self.up()?;
        self.through(Direction::Decrypt, key, cipher, data)
    }

    async fn mac(&self, key: KeptKey<'_>, algorithm: MacAlgorithm, data: &[u8]) -> Result<Vec<u8>, Error> {
        self.up()?;
        if algorithm != MacAlgorithm::AesCmac {
            return Err(Error::unsupported(algorithm));
        }
        let mut stream = MacStream::new(cryptography::MacAlgorithm::Cmac, &opened(key)).expect("an AES key");
        stream.update(data).expect("data");
        Ok(stream.finish().expect("a code"))
    }

    async fn verify_mac(
        &self,
        key: KeptKey<'_>,
        algorithm: MacAlgorithm,
        data: &[u8],
        code: &[u8],
    ) -> Result<bool, Error> {
        Ok(self.mac(key, algorithm, data).await? == code)
    }

    async fn derive_by_encryption(
        &self,
        _: &RootKey,
        what: KeySpecification,
        base: KeptKey<'_>,
        cipher: DerivingCipher,
        data: &[u8],
    ) -> Result<MadeKey, Error> {
        self.up()?;
        let cipher = match cipher {
            DerivingCipher::Ecb => Cipher::Ecb,
            DerivingCipher::Cbc { iv } => Cipher::Cbc { iv },
        };
        let text = self.through(Direction::Encrypt, base, &cipher, data)?;
        Ok(made(&text[..bytes(what)]))
    }

    async fn random(&self, length: u16) -> Result<Vec<u8>, Error> {
        self.up()?;
        Ok(vec![0xA5; length.into()])
    }

    async fn seed_random(&self, seed: &[u8]) -> Result<bool, Error> {
        self.up()?;
        self.seeded.fetch_add(seed.len() as u64, Ordering::SeqCst);
        Ok(true)
    }
}

impl Backend {
    /// As a device that has ECB, CBC, CTR and GCM.
    fn through(
        &self,
        direction: Direction,
        key: KeptKey<'_>,
        cipher: &Cipher,
        data: &[u8],
    ) -> Result<Vec<u8>, Error> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let (mode, iv, aead) = match cipher {
            Cipher::Ecb => (BlockCipherMode::ECB, Vec::new(), None),
            Cipher::Cbc { iv } => (BlockCipherMode::CBC, iv.to_vec(), None),
            Cipher::Ctr { counter_block, .. } => (BlockCipherMode::CTR, counter_block.to_vec(), None),
            Cipher::Gcm(aead) => (BlockCipherMode::GCM, aead.nonce.clone(), Some(aead)),
            other => return Err(Error::unsupported(other.mode())),
        };
        let parameters = CipherParameters {
            algorithm: CryptographicAlgorithm::AES,
            mode: Some(mode),
            padding: PaddingMethod::None,
            iv: &iv,
            additional_data: aead.map_or(&[], |aead| &aead.additional_data),
            tag_bytes: cipher.tag_bytes(),
        };
        let mut stream = CipherStream::new(direction, &opened(key), &parameters).expect("it fits");
        let (data, tag) = match direction {
            Direction::Encrypt => (data, None),
            Direction::Decrypt => {
                let (data, tag) = data.split_at(data.len() - cipher.tag_bytes());
                (data, Some(tag))
            }
        };
        let mut out = stream.update(data).expect("it fits");
        let end = stream.finish(tag).map_err(|_| Error::Device {
            backend: "stand-in".to_owned(),
            source: claviger_hsm::Error::DataRefused,
        })?;
        out.extend(end.data);
        out.extend(end.tag.unwrap_or_default());
        Ok(out)
    }
}

fn opened(key: KeptKey<'_>) -> LockedBuffer {
    let mut opened = LockedBuffer::default();
    opened.extend_from_slice(&masked(&key.wrapped.bytes));
    opened
}

/// What a device says that has no AES key wrap with padding.
fn cannot_pad() -> Error {
    Error::Device {
        backend: "stand-in".to_owned(),
        source: claviger_hsm::Error::WrapProfile {
            profile: "aes-kwp".to_owned(),
        },
    }
}
