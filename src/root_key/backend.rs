//! What a backend does, and the words for it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use claviger_hsm::{Device, RsaPublicKey, WrappedRootKey};
use serde::Serialize;
use time::OffsetDateTime;
use tokio::sync::watch;
use uuid::Uuid;

use super::{Error, KeySpecification, Material};
use crate::adapter::{RootKey, RootKeyOrigin};
use crate::key::WrappedKek;

/// How a key is wrapped for a client that knows the wrapping key.
pub use claviger_hsm::KeyWrap;

/// What a backend can be asked to do with a kept key.
pub use claviger_hsm::{Aead, Capabilities, Cipher, CipherMode, DerivingCipher, MacAlgorithm};

/// How often each step of healing was needed.
pub use claviger_hsm::Healing;

/// What kind of thing holds root keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BackendKind {
    /// A slot of an HSM, or several as one.
    Pkcs11,
    /// An instance of Key Protect or of Hyper Protect Crypto Services.
    KeyProtect,
}

impl BackendKind {
    /// One word for it: `pkcs11` or `key-protect`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pkcs11 => "pkcs11",
            Self::KeyProtect => "key-protect",
        }
    }

    /// The word for it in messages: `device` or `key manager`.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Pkcs11 => "device",
            Self::KeyProtect => "key manager",
        }
    }
}

/// What a backend tells of a root key that it has just made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedRootKey {
    /// What the backend calls it: of a device `CKA_LABEL`.
    pub label: String,
    /// The label of the token that it was made on; in Key Protect the key ring.
    pub token_label: String,
    /// The serial number of that token; in Key Protect the instance.
    pub token_serial: String,
    /// What tells it from another key of the same label.
    pub check_value: Vec<u8>,
    /// How it came to be there.
    pub origin: RootKeyOrigin,
}

/// A wrapped key that lies in the key manager itself, as the key manager tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptThere {
    /// What the key manager calls it by.
    pub id: String,
    /// Its name there.
    pub name: String,
    /// The adapter that it was put there for, where it says so.
    pub adapter: Option<Uuid>,
    /// Since when it is there.
    pub created_at: Option<OffsetDateTime>,
    /// Whether this server put it there moments ago, so that its row may be on the way still.
    pub is_new: bool,
}

/// A key that was made or taken in, under its root key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeKey {
    /// What is kept.
    pub wrapped: WrappedKek,
    /// SHA-256 of the key's value.
    pub sha256: [u8; 32],
}

/// A key as it is kept, and what it is.
#[derive(Clone, Copy)]
pub struct KeptKey<'a> {
    /// The root key that wraps it.
    pub root_key: &'a RootKey,
    /// What it is.
    pub specification: KeySpecification,
    /// The key under the root key.
    pub wrapped: &'a WrappedKek,
}

/// How a key leaves that is wrapped under a key of the client's, for the record.
pub const CLIENT_RELEASE_PROFILE: &str = "client";

/// How a key leaves, or comes, that is wrapped under a key of the client's with its encoding around it: it was opened in
/// the server's locked memory on the way. For the record.
pub const ENCODED_RELEASE_PROFILE: &str = "client-ttlv";

/// A backend, for a status page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BackendDescription {
    /// Its name in the configuration.
    pub name: String,
    /// What it is: `pkcs11` or `key-protect`.
    pub kind: &'static str,
    /// The label of its token.
    pub token_label: String,
    /// The serial number of its token.
    pub token_serial: String,
    /// Who made the device.
    pub manufacturer: String,
    /// The device's model.
    pub model: String,
    /// The firmware's version.
    pub firmware: String,
    /// How new keys are wrapped, as `aes-kw`.
    pub wrap_profile: String,
    /// How keys leave it, as `transport`.
    pub release_profile: &'static str,
    /// The process numbers of what drives it.
    pub worker_pids: Vec<u32>,
    /// Each member of a mirror; none for a single device.
    pub members: Vec<MemberDescription>,
}

/// A member of a mirror, for a status page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MemberDescription {
    /// Its name in the configuration.
    pub name: String,
    /// The serial number of its token; empty where it does not answer.
    pub token_serial: String,
    /// Why the others serve in its place; none where it serves.
    pub trouble: Option<String>,
}

impl MemberDescription {
    /// A member that gave this answer when it was asked to describe itself, and what is known against it otherwise.
    pub(super) fn of(
        name: &str,
        answer: &Result<BackendDescription, Error>,
        trouble: Option<String>,
    ) -> Self {
        let (token_serial, silence) = match answer {
            Ok(answer) => (answer.token_serial.clone(), None),
            Err(error) => (String::new(), Some(error.to_string())),
        };
        Self {
            name: name.to_owned(),
            token_serial,
            trouble: silence.or(trouble),
        }
    }
}

/// Something that holds root keys.
///
/// Each method may be called from any number of tasks at once; each may be given up by dropping its future; and each
/// but [`create`](Self::create) may be repeated without harm.
#[async_trait]
pub trait RootKeyBackend: Send + Sync {
    /// What kind of thing it is. Asks nobody.
    fn kind(&self) -> BackendKind {
        BackendKind::Pkcs11
    }

    /// Makes the root key: an AES-256 key that can wrap and unwrap and nothing else, that can't be read or changed. Only
    /// `id`, `label` and `version` of the facts are looked at; the rest is what this returns.
    ///
    /// Fails where the label or the identifier is taken.
    async fn create(&self, root_key: &RootKey) -> Result<CreatedRootKey, Error>;

    /// Makes the next version of a root key, under which new keys go from then on. Of the facts of `next` those are looked at
    /// that [`create`](Self::create) looks at.
    async fn rotate(&self, present: &RootKey, next: &RootKey) -> Result<CreatedRootKey, Error> {
        let _ = present;
        self.create(next).await
    }

    /// Takes up a root key that is in the backend already, by the name or identifier that it has there, at its present
    /// version. Of the root key's facts those are looked at that [`create`](Self::create) looks at.
    ///
    /// Fails with [`Error::Unsupported`] where the backend can't tell that nobody else has the key.
    async fn adopt(&self, root_key: &RootKey, existing: &str) -> Result<CreatedRootKey, Error> {
        let _ = (root_key, existing);
        Err(Error::unsupported("taking up a root key that is there already"))
    }

    /// The check value of the version that wraps now, where root keys may be rotated by somebody else; none where nobody else
    /// can.
    async fn present_version(&self, root_key: &RootKey) -> Result<Option<Vec<u8>>, Error> {
        let _ = root_key;
        Ok(None)
    }

    /// A number that changes whenever the backend wrapped under another version of a root key than it was asked to, see
    /// [`present_version`](Self::present_version); none where that can't happen. Asks nobody.
    fn other_versions(&self) -> Option<watch::Receiver<u64>> {
        None
    }

    /// Whether the root key is there, fit, and the one whose check value was recorded. It is never made here.
    async fn verify(&self, root_key: &RootKey) -> Result<(), Error>;

    /// Makes a key and wraps it under the root key.
    async fn generate(&self, root_key: &RootKey, specification: KeySpecification) -> Result<MadeKey, Error>;

    /// Takes a key in and wraps it under the root key.
    async fn import(
        &self,
        root_key: &RootKey,
        specification: KeySpecification,
        material: &[u8],
    ) -> Result<MadeKey, Error>;

    /// Releases a key that was wrapped under the root key. It stays closed until [`Material::open_into`].
    async fn release(
        &self,
        root_key: &RootKey,
        specification: KeySpecification,
        wrapped: &WrappedKek,
    ) -> Result<Material, Error>;

    /// Releases a key wrapped under another: both are opened in the backend, none here. The profile of such a release is
    /// [`CLIENT_RELEASE_PROFILE`].
    async fn release_under(
        &self,
        key: KeptKey<'_>,
        wrapping_key: KeptKey<'_>,
        key_wrap: KeyWrap,
    ) -> Result<Vec<u8>, Error>;

    /// Wraps a key that is wrapped under one root key under another one, or under another version of the same, of the same
    /// token. The key does not leave the backend.
    async fn rewrap(
        &self,
        from: &RootKey,
        to: &RootKey,
        specification: KeySpecification,
        wrapped: &WrappedKek,
    ) -> Result<WrappedKek, Error>;

    /// Forgets what is kept open of a key, or of all keys under a root key: after the key was revoked, destroyed or wrapped
    /// anew, or the root key disabled. A backend that keeps nothing open has nothing to forget.
    async fn forget(&self, _root_key: &RootKey, _wrapped: Option<&WrappedKek>) {}

    /// Destroys this version of the root key, and looks for it afterwards; that it is not there any more is success. What is
    /// wrapped under it can't be opened again. A key with another check value is another key, and is left alone.
    async fn destroy(&self, root_key: &RootKey) -> Result<(), Error>;

    /// Destroys one earlier version of a root key that stays, see [`destroy`](Self::destroy).
    ///
    /// Fails with [`Error::Unsupported`] where [`keeps_versions`](Self::keeps_versions).
    async fn destroy_version(&self, root_key: &RootKey) -> Result<(), Error> {
        self.destroy(root_key).await
    }

    /// Whether the versions of a root key can only be destroyed together.
    fn keeps_versions(&self) -> bool {
        false
    }

    /// Brings back a root key that was destroyed, all its versions, where the backend can. It is enabled then.
    async fn restore(&self, root_key: &RootKey) -> Result<(), Error> {
        let _ = root_key;
        Err(Error::unsupported("bringing back a root key that was destroyed"))
    }

    /// Disables the root key in the backend as well, where that has such a state; that it is disabled already is success.
    async fn disable(&self, _root_key: &RootKey) -> Result<(), Error> {
        Ok(())
    }

    /// Enables the root key in the backend as well, where that has such a state; that it is enabled already is success.
    async fn enable(&self, _root_key: &RootKey) -> Result<(), Error> {
        Ok(())
    }

    /// What a row is to keep of a key that came wrapped anew with a release, see [`Material::rewrapped`]: itself, unless the
    /// backend keeps wrapped keys itself.
    async fn keep(
        &self,
        _root_key: &RootKey,
        _specification: KeySpecification,
        wrapped: &WrappedKek,
    ) -> Result<WrappedKek, Error> {
        Ok(wrapped.clone())
    }

    /// Gives up a wrapped key that no row names any more: after its key was destroyed or wrapped anew, or was never kept. For
    /// backends that keep wrapped keys themselves.
    async fn discard(&self, _root_key: &RootKey, _wrapped: &WrappedKek) -> Result<(), Error> {
        Ok(())
    }

    /// The wrapped keys that lie in the backend itself, of everybody who uses it so; none where it keeps none.
    async fn inventory(&self) -> Result<Option<Vec<KeptThere>>, Error> {
        Ok(None)
    }

    /// Whether a wrapped key that lies in the backend itself is there still, and is what was put there.
    ///
    /// Fails with [`Error::WrappedKeyDeleted`] where somebody has deleted it, and with nothing like that where the backend
    /// does not know.
    async fn verify_kept(
        &self,
        _root_key: &RootKey,
        _specification: KeySpecification,
        _wrapped: &WrappedKek,
    ) -> Result<(), Error> {
        Ok(())
    }

    /// What the backend calls this wrapped key by, where it lies in the backend itself. Asks nobody.
    fn kept_there(&self, _wrapped: &WrappedKek) -> Option<String> {
        None
    }

    /// Makes an RSA pair, under which a root key can be brought here once, and gives out the public key. One of an earlier time
    /// under this label is destroyed.
    async fn offer_take_in(&self, label: &str) -> Result<RsaPublicKey, Error>;

    /// Takes in a root key that came under the RSA pair of this label, by RSA-OAEP. Of the root key's facts those are looked
    /// at that [`create`](Self::create) looks at. The RSA pair is destroyed.
    async fn take_in(
        &self,
        label: &str,
        wrapped: &WrappedRootKey,
        root_key: &RootKey,
    ) -> Result<CreatedRootKey, Error>;

    /// The device, for what two devices do between them. Fails where it is not up, with [`Error::NotOneDevice`] for a mirror,
    /// and with [`Error::Unsupported`] for what is no device at all, as a key manager.
    fn device(&self) -> Result<Device, Error>;

    /// The backends that this one is made of, those first that serve the root key best; none for one that is not made of
    /// others. Asks nobody.
    fn members(&self, _root_key: &RootKey) -> Vec<Arc<dyn RootKeyBackend>> {
        Vec::new()
    }

    /// Whether keys can be made and released under the root key now; does it with a key that is thrown away.
    async fn check(&self, root_key: &RootKey) -> Result<(), Error>;

    /// The shortest rest between two [`check`](Self::check)s of a root key, of which the last went well or not. Asks nobody.
    fn rest_between_checks(&self, _well: bool) -> Duration {
        Duration::from_millis(400)
    }

    /// How long a [`check`](Self::check) may take before the root key is said not to be ready. Asks nobody.
    fn patience_of_checks(&self) -> Duration {
        Duration::from_millis(400)
    }

    /// Encrypts with a kept AES key, in the backend. A tag stands behind the ciphertext, [`Cipher::tag_bytes`] long.
    ///
    /// This and what follows fail with [`Error::Unsupported`] where the backend can't do it, or not with this key; then the
    /// same may be done in the server, where the operator allowed it. See [`Error::is_unusable_data`] for data of a length that
    /// does not fit.
    async fn encrypt(&self, _key: KeptKey<'_>, cipher: &Cipher, _data: &[u8]) -> Result<Vec<u8>, Error> {
        Err(Error::unsupported(cipher.mode()))
    }

    /// Decrypts what [`encrypt`](Self::encrypt) gave, in the backend. See [`Error::is_refusal_of_the_data`].
    async fn decrypt(&self, _key: KeptKey<'_>, cipher: &Cipher, _data: &[u8]) -> Result<Vec<u8>, Error> {
        Err(Error::unsupported(cipher.mode()))
    }

    /// Makes a message authentication code of its whole length, in the backend.
    async fn mac(&self, _key: KeptKey<'_>, algorithm: MacAlgorithm, _data: &[u8]) -> Result<Vec<u8>, Error> {
        Err(Error::unsupported(algorithm))
    }

    /// Whether a message authentication code of its whole length is right.
    async fn verify_mac(
        &self,
        _key: KeptKey<'_>,
        algorithm: MacAlgorithm,
        _data: &[u8],
        _code: &[u8],
    ) -> Result<bool, Error> {
        Err(Error::unsupported(algorithm))
    }

    /// Unwraps a key that came wrapped under a kept one, in the backend, and wraps it under the root key. For a key whose
    /// length is no multiple of eight bytes, or less than sixteen, and where another length comes out, see
    /// [`Error::length_of_the_key`]; where it does not open, [`Error::is_refusal_of_a_foreign_key`]; where the backend does not
    /// unwrap like that, [`Error::is_unknown_wrapping`] or [`Error::Unsupported`].
    async fn unwrap_under(
        &self,
        _root_key: &RootKey,
        _specification: KeySpecification,
        _wrapping_key: KeptKey<'_>,
        key_wrap: KeyWrap,
        _wrapped: &[u8],
    ) -> Result<MadeKey, Error> {
        Err(Error::unsupported(format_args!("unwrapping by {key_wrap:?}")))
    }

    /// Derives a key in the backend, and wraps it under the root key: its value is the leading bytes of the ciphertext of
    /// `data` under a kept AES key. `data` is whole blocks, at least as long as the key rounded up to eight bytes.
    async fn derive_by_encryption(
        &self,
        _root_key: &RootKey,
        _specification: KeySpecification,
        _base: KeptKey<'_>,
        cipher: DerivingCipher,
        _data: &[u8],
    ) -> Result<MadeKey, Error> {
        Err(Error::unsupported(cipher))
    }

    /// Random bytes from the backend, at most 65,535; for nonces and for clients, not for keys.
    async fn random(&self, _length: u16) -> Result<Vec<u8>, Error> {
        Err(Error::unsupported("random numbers"))
    }

    /// Gives the backend's generator of random numbers bytes to mix in. Whether it takes any.
    async fn seed_random(&self, _seed: &[u8]) -> Result<bool, Error> {
        Ok(false)
    }

    /// What the backend can do with kept keys, tried now with keys that are thrown away.
    async fn capabilities(&self) -> Result<Capabilities, Error> {
        Ok(Capabilities::default())
    }

    /// How many requests are under way at the backend, of everybody; 0 where it does not keep count. Asks nobody.
    fn under_way(&self) -> usize {
        0
    }

    /// When a request under the root key last succeeded; none where none did, or where the backend does not keep that. Asks
    /// nobody.
    fn last_worked(&self, root_key: &RootKey) -> Option<Instant> {
        let _ = root_key;
        None
    }

    /// What was done since the start so that the backend serves again; none where there is nothing that can be done. Asks
    /// nobody.
    fn healing(&self) -> Option<Healing> {
        None
    }

    /// What the backend is, as it says itself now.
    async fn describe(&self) -> Result<BackendDescription, Error>;
}
