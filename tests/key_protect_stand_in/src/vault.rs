//! The keys on the token, and what is done with them.
//!
//! Each version of a root key is one root key on the token. A key is wrapped there; what comes of it goes into the document
//! that the client gets as its ciphertext, sealed with the key's identifier, its version and the client's `aad`. The key that
//! seals is kept wrapped by the token and is in memory while the stand-in runs.

use std::path::Path;

use claviger_hsm::memory::LockedBuffer;
use claviger_hsm::{Device, KeyKind, RootKeyLocator, WrapProfile, Wrapped, WrappedRootKey};
use openssl::encrypt::Encrypter;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::rsa::Padding;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::refusal::Refusal;
use crate::seal::Seal;
use crate::{Error, Options, files, token};

/// The longest plaintext in bytes that is wrapped: what the device takes in.
pub(crate) const LONGEST_PLAINTEXT: usize = 4096;
/// The length in bytes of a key that the service makes.
pub(crate) const MADE: u16 = 32;

/// The device, and the key that seals.
pub(crate) struct Vault {
    device: Device,
    seal: Seal,
}

/// A key as the token wrapped it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) kind: KeyKind,
    pub(crate) wrapped: Wrapped,
}

impl Vault {
    /// Starts the device; makes the token, its first root key and the sealing key where there are none.
    pub(crate) async fn open(options: &Options) -> Result<Self, Error> {
        let device = Device::start(token::device(options)?, options.worker.clone()).await?;
        let path = options.directory.join("seal.key");
        let seal = seal(&device, &path).await?;
        Ok(Self { device, seal })
    }

    pub(crate) fn seal(&self) -> &Seal {
        &self.seal
    }

    /// Makes a version of a root key on the token.
    pub(crate) async fn create(&self, version: Uuid) -> Result<(), Refusal> {
        self.device.create_root_key(&locator(version)).await?;
        Ok(())
    }

    /// Takes in a version of a root key. Material of 16 or 24 bytes, which no root key of the token has, becomes one of 32 by
    /// SHA-256: the same material is the same key.
    pub(crate) async fn import(&self, version: Uuid, material: &[u8]) -> Result<(), Refusal> {
        let locator = locator(version);
        let key = self.device.offer_take_in(&locator.label).await?;
        let pem = key.to_pem()?;
        let stretched = openssl::sha::sha256(material);
        let material = if material.len() == stretched.len() {
            material
        } else {
            &stretched
        };
        for digest in [MessageDigest::sha256(), MessageDigest::sha1()] {
            let wrapped = oaep(pem.as_bytes(), digest, material).map_err(Refusal::internal)?;
            match self
                .device
                .take_in(&locator.label, &WrappedRootKey(wrapped), &locator)
                .await
            {
                // The token knows the other hash only.
                Err(claviger_hsm::Error::WrappedKeyRefused) => {}
                taken_in => return Ok(taken_in.map(|_| ())?),
            }
        }
        Err(Refusal::internal("the token takes no key in"))
    }

    /// Destroys a version for good. That it is not there is no error.
    pub(crate) async fn destroy(&self, version: Uuid) -> Result<(), Refusal> {
        Ok(self.device.destroy_root_key(&locator(version)).await?)
    }

    /// Makes a key of 32 bytes under this version.
    pub(crate) async fn make(&self, version: Uuid) -> Result<Kept, Refusal> {
        let kind = KeyKind::Aes { bytes: MADE };
        let made = self.device.generate(&locator(version), kind).await?;
        Ok(Kept {
            kind,
            wrapped: made.wrapped,
        })
    }

    /// Wraps a client's own key, of at most [`LONGEST_PLAINTEXT`] bytes, under this version.
    pub(crate) async fn wrap(&self, version: Uuid, plaintext: &[u8]) -> Result<Kept, Refusal> {
        let bytes = u16::try_from(plaintext.len()).map_err(Refusal::internal)?;
        let kind = KeyKind::Generic { bytes };
        let made = self.device.import(&locator(version), kind, plaintext).await?;
        Ok(Kept {
            kind,
            wrapped: made.wrapped,
        })
    }

    /// The key in the clear.
    pub(crate) async fn unwrap(&self, version: Uuid, kept: &Kept) -> Result<LockedBuffer, Refusal> {
        release(&self.device, &locator(version), kept)
            .await
            .map_err(Into::into)
    }

    /// Wraps the key under another version, on the token.
    pub(crate) async fn rewrap(&self, from: Uuid, to: Uuid, kept: &Kept) -> Result<Kept, Refusal> {
        let (from, to) = (locator(from), locator(to));
        let wrapped = self.device.rewrap(&from, &to, kept.kind, &kept.wrapped).await?;
        let kind = kept.kind;
        Ok(Kept { kind, wrapped })
    }

    /// Ends the device.
    pub(crate) async fn close(&self) {
        self.device.shutdown().await;
    }
}

fn locator(version: Uuid) -> RootKeyLocator {
    RootKeyLocator {
        label: format!("key-version.{version}"),
        id: version.as_bytes().to_vec(),
        check_value: None,
    }
}

/// The key that seals, from its file or made.
async fn seal(device: &Device, path: &Path) -> Result<Seal, Error> {
    let locator = RootKeyLocator {
        label: "instance".to_owned(),
        id: b"instance".to_vec(),
        check_value: None,
    };
    let kept: Kept = match std::fs::read(path) {
        Ok(content) => serde_json::from_slice(&content).map_err(|error| Error::content(path, error))?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            match device.create_root_key(&locator).await {
                // Of a start that came no further.
                Ok(_) | Err(claviger_hsm::Error::RootKeyExists { .. }) => {}
                Err(error) => return Err(error.into()),
            }
            let kind = KeyKind::Aes { bytes: MADE };
            let wrapped = device.generate(&locator, kind).await?.wrapped;
            let kept = Kept { kind, wrapped };
            let content = serde_json::to_vec(&kept).map_err(|error| Error::content(path, error))?;
            files::write(path, &content)?;
            kept
        }
        Err(error) => return Err(Error::file(path)(error)),
    };
    Ok(Seal::new(release(device, &locator, &kept).await?))
}

async fn release(
    device: &Device,
    root: &RootKeyLocator,
    kept: &Kept,
) -> Result<LockedBuffer, claviger_hsm::Error> {
    let released = device.release(root, kept.kind, &kept.wrapped).await?;
    let mut opened = LockedBuffer::zeroed(released.len());
    released.open_into(opened.as_mut_slice())?;
    Ok(opened)
}

fn oaep(pem: &[u8], digest: MessageDigest, material: &[u8]) -> Result<Vec<u8>, openssl::error::ErrorStack> {
    let key = PKey::public_key_from_pem(pem)?;
    let mut encrypter = Encrypter::new(&key)?;
    encrypter.set_rsa_padding(Padding::PKCS1_OAEP)?;
    encrypter.set_rsa_oaep_md(digest)?;
    encrypter.set_rsa_mgf1_md(digest)?;
    let mut wrapped = vec![0; encrypter.encrypt_len(material)?];
    let length = encrypter.encrypt(material, &mut wrapped)?;
    wrapped.truncate(length);
    Ok(wrapped)
}

impl Kept {
    /// As it is sealed into a ciphertext: profile, kind and true length, and what the token gave.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let (kind, bytes) = match self.kind {
            KeyKind::Aes { bytes } => (0, bytes),
            KeyKind::Generic { bytes } => (1, bytes),
        };
        let profile = WrapProfile::ALL
            .iter()
            .position(|profile| *profile == self.wrapped.profile);
        let profile = profile.and_then(|place| u8::try_from(place).ok());
        let mut form = vec![profile.expect("there are four profiles"), kind];
        form.extend_from_slice(&bytes.to_be_bytes());
        form.extend_from_slice(&self.wrapped.bytes);
        form
    }

    /// From [`to_bytes`](Self::to_bytes).
    pub(crate) fn from_bytes(form: &[u8]) -> Option<Self> {
        let (&[profile, kind, high, low], wrapped) = form.split_first_chunk::<4>()?;
        let bytes = u16::from_be_bytes([high, low]);
        let kind = match kind {
            0 => KeyKind::Aes { bytes },
            1 => KeyKind::Generic { bytes },
            _ => return None,
        };
        Some(Self {
            kind,
            wrapped: Wrapped {
                profile: *WrapProfile::ALL.get(usize::from(profile))?,
                bytes: wrapped.to_vec(),
            },
        })
    }
}
