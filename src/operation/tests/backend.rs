//! A stand-in for a device: it "wraps" by adding a constant, and fails when it is told to.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_trait::async_trait;
use sha2::{Digest, Sha256};

use crate::adapter::RootKey;
use crate::key::{WrapProfile, WrappedKek};
use crate::root_key::{Error, KeySpecification, MadeKey, Material, Open, RootKeyBackend};

/// What is added to each byte of a key.
const MASK: u8 = 0x5A;

#[derive(Default)]
pub(super) struct Backend {
    made: AtomicU64,
    pub(super) is_down: AtomicBool,
}

impl Backend {
    fn check(&self) -> Result<(), Error> {
        if self.is_down.load(Ordering::SeqCst) {
            return Err(Error::Other("C_WrapKey: CKR_DEVICE_REMOVED in slot 7".into()));
        }
        Ok(())
    }
}

fn bytes(what: KeySpecification) -> usize {
    let (KeySpecification::Aes { bytes } | KeySpecification::Generic { bytes }) = what;
    usize::from(bytes)
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
    async fn generate(&self, root: &RootKey, what: KeySpecification) -> Result<MadeKey, Error> {
        self.check()?;
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
        self.check()?;
        assert_eq!(material.len(), bytes(what));
        Ok(made(material))
    }

    async fn release(
        &self,
        _: &RootKey,
        what: KeySpecification,
        wrapped: &WrappedKek,
    ) -> Result<Material, Error> {
        self.check()?;
        assert_eq!(wrapped.bytes.len(), bytes(what));
        Ok(Material::new(Box::new(Closed(wrapped.bytes.clone()))))
    }
}

struct Closed(Vec<u8>);

impl Open for Closed {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn open_into(&self, out: &mut [u8]) -> Result<(), Error> {
        out.copy_from_slice(&masked(&self.0));
        Ok(())
    }
}
