//! Values under root keys: made, wrapped, unwrapped, wrapped anew; in the clear in locked memory alone.

use claviger_hsm::memory::LockedBuffer;
use futures_util::future::try_join_all;
use openssl::sha::sha256;

use super::Error;
use super::aad::strings;
use super::actions::{Unwrapped, Wrapped};
use super::backend::Inner;
use super::client::Service;
use super::envelope::Envelope;
use super::identity::Identity;
use crate::key::{WrapProfile, WrappedKek};
use crate::root_key::{KeptKey, KeySpecification, MadeKey};

/// What the key manager makes of a wrap without a plaintext, in bytes.
const MADE: usize = 32;
/// For a longer value so many of these are asked for at one time.
const AT_ONE_TIME: usize = 16;
/// What is wrapped of a value that has no byte: without a plaintext the key manager would make one.
const NOTHING: [u8; 16] = [0; 16];

impl Inner {
    /// Makes a value in the key manager and wraps it under the root key.
    pub(super) async fn generate(
        &self,
        service: &Service<'_>,
        root: Identity,
        specification: KeySpecification,
    ) -> Result<MadeKey, Error> {
        let bytes = specification.bytes();
        if bytes != MADE {
            let value = self.draw(service, root, bytes).await?;
            return self.wrap(service, root, specification, value.as_slice()).await;
        }
        let profile = self
            .worked
            .met(root.key, self.aad.profile(service, root.key).await)?;
        let made = service.make(root.key, &strings(profile, specification)).await;
        let made = self.worked.noted(root.key, made)?;
        self.notice(root, &made.wrapped);
        if made.plaintext.len() != MADE {
            return Err(Error::KeyLength {
                bytes: made.plaintext.len(),
            });
        }
        Ok(MadeKey {
            sha256: sha256(made.plaintext.as_slice()),
            wrapped: kept(profile, made.wrapped),
        })
    }

    /// Random bytes of the key manager's HSM: what it makes and wraps, cut to length. What it wrapped is thrown away.
    async fn draw(&self, service: &Service<'_>, root: Identity, bytes: usize) -> Result<LockedBuffer, Error> {
        let mut value = LockedBuffer::with_capacity(bytes.next_multiple_of(MADE));
        while value.len() < bytes {
            let lacking = (bytes - value.len()).div_ceil(MADE).min(AT_ONE_TIME);
            let made = try_join_all((0..lacking).map(|_| service.make(root.key, &[]))).await;
            for made in self.worked.noted(root.key, made)? {
                if made.plaintext.len() != MADE {
                    return Err(Error::KeyLength {
                        bytes: made.plaintext.len(),
                    });
                }
                value.extend_from_slice(made.plaintext.as_slice());
            }
        }
        value.resize_zeroed(bytes);
        Ok(value)
    }

    pub(super) async fn wrap(
        &self,
        service: &Service<'_>,
        root: Identity,
        specification: KeySpecification,
        value: &[u8],
    ) -> Result<MadeKey, Error> {
        if value.len() != specification.bytes() {
            return Err(Error::KeyLength { bytes: value.len() });
        }
        let profile = self
            .worked
            .met(root.key, self.aad.profile(service, root.key).await)?;
        let plaintext = if value.is_empty() { &NOTHING } else { value };
        let aad = strings(profile, specification);
        let wrapped = service.wrap(root.key, plaintext, &aad).await;
        let wrapped = self.worked.noted(root.key, wrapped)?;
        self.notice(root, &wrapped);
        Ok(MadeKey {
            sha256: sha256(value),
            wrapped: kept(profile, wrapped),
        })
    }

    /// The root key may have been rotated by somebody else.
    fn notice(&self, root: Identity, wrapped: &Wrapped) {
        if wrapped.version == root.version {
            return;
        }
        let (_, number) = wrapped.version.as_u64_pair();
        self.other_version
            .send_if_modified(|last| std::mem::replace(last, number) != number);
    }

    pub(super) async fn unwrap(
        &self,
        service: &Service<'_>,
        root: Identity,
        specification: KeySpecification,
        wrapped: &WrappedKek,
    ) -> Result<Unwrapped, Error> {
        let ciphertext = ciphertext(wrapped)?;
        let aad = strings(wrapped.profile, specification);
        let opened = service.unwrap(root.key, &ciphertext, &aad).await;
        let mut opened = self.worked.noted(root.key, opened)?;
        let bytes = specification.bytes();
        if bytes == 0 && opened.plaintext.as_slice() == NOTHING {
            opened.plaintext.clear();
        }
        if opened.plaintext.len() != bytes {
            return Err(Error::WrappedKeyRefused);
        }
        Ok(opened)
    }

    pub(super) async fn rewrap(
        &self,
        service: &Service<'_>,
        (from, to): (Identity, Identity),
        specification: KeySpecification,
        wrapped: &WrappedKek,
    ) -> Result<WrappedKek, Error> {
        if from.key != to.key {
            let opened = self.unwrap(service, from, specification, wrapped).await?;
            let made = self.wrap(service, to, specification, opened.plaintext.as_slice());
            return Ok(made.await?.wrapped);
        }
        let ciphertext = ciphertext(wrapped)?;
        let aad = strings(wrapped.profile, specification);
        let rewrapped = service.rewrap(from.key, &ciphertext, &aad).await;
        let rewrapped = self.worked.noted(from.key, rewrapped)?;
        Ok(kept(wrapped.profile, rewrapped))
    }

    pub(super) async fn open(&self, service: &Service<'_>, key: KeptKey<'_>) -> Result<LockedBuffer, Error> {
        let root = Identity::of(key.root_key, &self.config.instance_id)?;
        let opened = self.unwrap(service, root, key.specification, key.wrapped).await?;
        Ok(opened.plaintext)
    }

    pub(super) async fn check(&self, service: &Service<'_>, root: Identity) -> Result<(), Error> {
        let made = service.make(root.key, &[]).await?;
        let opened = service.unwrap(root.key, &made.wrapped.ciphertext, &[]).await?;
        if opened.plaintext.as_slice() != made.plaintext.as_slice() {
            return Err(Error::NotTheSame {
                key: root.key.to_string(),
            });
        }
        self.worked.now(root.key);
        Ok(())
    }
}

/// The wrapped key in the form that is kept.
pub(super) fn kept(profile: WrapProfile, wrapped: Wrapped) -> WrappedKek {
    let Wrapped { ciphertext, version } = wrapped;
    WrappedKek {
        profile,
        bytes: Envelope::Wrapped { version, ciphertext }.to_bytes(),
    }
}

/// The ciphertext of a wrapped key.
pub(super) fn ciphertext(wrapped: &WrappedKek) -> Result<String, Error> {
    if !matches!(
        wrapped.profile,
        WrapProfile::KeyProtect | WrapProfile::KeyProtectAad
    ) {
        return Err(Error::WrapProfile {
            profile: wrapped.profile.name().to_owned(),
        });
    }
    match Envelope::from_bytes(&wrapped.bytes) {
        Some(Envelope::Wrapped { ciphertext, .. }) => Ok(ciphertext),
        None => Err(Error::WrappedKeyRefused),
    }
}
