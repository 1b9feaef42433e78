//! A stand-in for a device: it "wraps" by adding a constant, and fails when it is told to.

use std::collections::BTreeMap;
use std::sync::Mutex;
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
    MacAlgorithm, MadeKey, Material, Rewrapped, RootKeyBackend, RsaPublicKey, WrappedRootKey,
};

/// What is added to each byte of a key.
const MASK: u8 = 0x5A;

#[derive(Default)]
pub(super) struct Backend {
    pub(super) made: AtomicU64,
    pub(super) is_down: AtomicBool,
    /// How often a key was used on it.
    pub(super) asked: AtomicU64,
    /// How many bytes of seeds it was given.
    pub(super) seeded: AtomicU64,
    /// Where a root key was rotated: the check value of the version that what is released is wrapped anew under.
    pub(super) rotated: Mutex<Option<Vec<u8>>>,
    /// The wrapped keys that lie in it, as in a key manager, where it keeps them itself.
    pub(super) there: Mutex<Option<BTreeMap<String, WrappedKek>>>,
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

/// How a stand-in shows that it has wrapped a key anew.
pub(super) const REWRAPPED: WrapProfile = WrapProfile::AesKwp;
/// How a stand-in says that what the row has is the name of what lies in it.
const REFERENCE: WrapProfile = WrapProfile::KeyProtect;

impl Backend {
    /// Keeps wrapped keys itself from now on.
    pub(super) fn keep_there(&self) {
        *self.there.lock().unwrap() = Some(BTreeMap::new());
    }

    /// What lies in it.
    pub(super) fn lying_there(&self) -> Vec<String> {
        let there = self.there.lock().unwrap();
        there.iter().flat_map(|there| there.keys().cloned()).collect()
    }

    /// Somebody deletes all that lies in it.
    pub(super) fn delete_all(&self) {
        self.keep_there();
    }

    fn made(&self, key: &[u8]) -> MadeKey {
        let wrapped = WrappedKek {
            profile: WrapProfile::AesKw,
            bytes: masked(key),
        };
        MadeKey {
            wrapped: self.put(wrapped),
            sha256: Sha256::digest(key).into(),
        }
    }

    fn put(&self, wrapped: WrappedKek) -> WrappedKek {
        let Some(there) = &mut *self.there.lock().unwrap() else {
            return wrapped;
        };
        let id = format!("id-{}", self.made.fetch_add(1, Ordering::SeqCst));
        there.insert(id.clone(), wrapped);
        WrappedKek {
            profile: REFERENCE,
            bytes: id.into_bytes(),
        }
    }

    fn find(&self, what: KeySpecification, wrapped: &WrappedKek) -> Result<WrappedKek, Error> {
        let Some(id) = self.kept_there(wrapped) else {
            return Ok(wrapped.clone());
        };
        let there = self.there.lock().unwrap();
        let found = there.as_ref().and_then(|there| there.get(&id));
        found.cloned().ok_or(Error::WrappedKeyDeleted {
            backend: "hsm".to_owned(),
            id,
            binding: what.binding,
        })
    }
}

fn bytes(what: KeySpecification) -> usize {
    what.bytes()
}

fn masked(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| byte ^ MASK).collect()
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
        Ok(self.made(&key))
    }

    async fn keep(
        &self,
        _: &RootKey,
        _: KeySpecification,
        wrapped: &WrappedKek,
    ) -> Result<WrappedKek, Error> {
        Ok(self.put(wrapped.clone()))
    }

    async fn discard(&self, _: &RootKey, wrapped: &WrappedKek) -> Result<(), Error> {
        self.up()?;
        let mut there = self.there.lock().unwrap();
        if let (Some(id), Some(there)) = (self.kept_there(wrapped), &mut *there) {
            assert!(there.remove(&id).is_some(), "{id} is not there");
        }
        Ok(())
    }

    fn kept_there(&self, wrapped: &WrappedKek) -> Option<String> {
        let is_reference = wrapped.profile == REFERENCE;
        is_reference.then(|| String::from_utf8(wrapped.bytes.clone()).unwrap())
    }

    async fn import(&self, _: &RootKey, what: KeySpecification, material: &[u8]) -> Result<MadeKey, Error> {
        self.up()?;
        assert_eq!(material.len(), bytes(what));
        Ok(self.made(material))
    }

    async fn release(
        &self,
        _: &RootKey,
        what: KeySpecification,
        wrapped: &WrappedKek,
    ) -> Result<Material, Error> {
        self.up()?;
        let wrapped = self.find(what, wrapped)?;
        assert_eq!(wrapped.bytes.len(), bytes(what));
        let rotated = self.rotated.lock().unwrap().clone();
        let rewrapped = rotated.filter(|_| wrapped.profile != REWRAPPED);
        let rewrapped = rewrapped.map(|check_value| Rewrapped {
            wrapped: WrappedKek {
                profile: REWRAPPED,
                bytes: wrapped.bytes.clone(),
            },
            check_value,
        });
        Ok(Material::of_stand_in(masked(&wrapped.bytes)).rewrapped_as(rewrapped))
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
        let (under, key) = (self.opened(wrapping_key)?, self.opened(key)?);
        let under = AesKey::new_encrypt(under.as_slice()).expect("an AES key");
        let mut wrapped = vec![0; key.len() + 8];
        wrap_key(&under, None, &mut wrapped, key.as_slice()).expect("AES key wrap takes the key");
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
        let under = AesKey::new_decrypt(self.opened(wrapping_key)?.as_slice()).expect("an AES key");
        let mut key = vec![0; wrapped.len().checked_sub(8).ok_or_else(refused)?];
        unwrap_key(&under, None, &mut key, wrapped).map_err(|_| refused())?;
        if key.len() == bytes(what) {
            Ok(self.made(&key))
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
        let key = self.opened(key)?;
        let mut stream = MacStream::new(cryptography::MacAlgorithm::Cmac, &key).expect("an AES key");
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
        Ok(self.made(&text[..bytes(what)]))
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
    fn opened(&self, key: KeptKey<'_>) -> Result<LockedBuffer, Error> {
        let wrapped = self.find(key.specification, key.wrapped)?;
        let mut opened = LockedBuffer::default();
        opened.extend_from_slice(&masked(&wrapped.bytes));
        Ok(opened)
    }

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
        let mut stream = CipherStream::new(direction, &self.opened(key)?, &parameters).expect("it fits");
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

/// What a device says that has no AES key wrap with padding.
fn cannot_pad() -> Error {
    Error::Device {
        backend: "stand-in".to_owned(),
        source: claviger_hsm::Error::WrapProfile {
            profile: "aes-kwp".to_owned(),
        },
    }
}
