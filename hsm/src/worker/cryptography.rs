//! What a [`Device`] does with kept keys, and both ends of asking it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::handle::{Device, made, unexpected};
use super::protocol::{Digest, Operation, Reply};
use crate::Error;
use crate::cryptography::{Capabilities, Cipher, Data, DerivingCipher, MacAlgorithm, check_data};
use crate::device::{self, RootKey, Session, Transport, TransportKey};
use crate::key::{KeptKey, KeyKind, KeyWrap, MadeKey, RootKeyLocator};

/// What is asked. Each can be repeated without harm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Cryptography {
    Encrypt {
        key: KeptKey,
        cipher: Cipher,
        data: Data,
    },
    Decrypt {
        key: KeptKey,
        cipher: Cipher,
        data: Data,
    },
    Mac {
        key: KeptKey,
        algorithm: MacAlgorithm,
        data: Data,
    },
    VerifyMac {
        key: KeptKey,
        algorithm: MacAlgorithm,
        data: Data,
        code: Data,
    },
    /// Unwrap a key that came under a kept one, and wrap it under the root key; `digest` as for a key that is made.
    UnwrapUnder {
        wrapping_key: KeptKey,
        key_wrap: KeyWrap,
        wrapped: Data,
        root: RootKeyLocator,
        kind: KeyKind,
        digest: bool,
    },
    /// Derive a key by encrypting data, and wrap it under the root key.
    Derive {
        base: KeptKey,
        cipher: DerivingCipher,
        data: Data,
        root: RootKeyLocator,
        kind: KeyKind,
        digest: bool,
    },
    Seed(Data),
    Capabilities,
}

impl Cryptography {
    /// The root key of the key that is used.
    pub(super) fn root_key(&self) -> Option<&RootKeyLocator> {
        match self {
            Self::Encrypt { key, .. }
            | Self::Decrypt { key, .. }
            | Self::Mac { key, .. }
            | Self::VerifyMac { key, .. } => Some(&key.root),
            Self::UnwrapUnder { wrapping_key, .. } => Some(&wrapping_key.root),
            Self::Derive { base, .. } => Some(&base.root),
            Self::Seed(_) | Self::Capabilities => None,
        }
    }

    /// The root key that a new key is wrapped under.
    pub(super) fn second_root_key(&self) -> Option<&RootKeyLocator> {
        match self {
            Self::UnwrapUnder { root, .. } | Self::Derive { root, .. } => Some(root),
            _ => None,
        }
    }

    /// What an error means that the device gives again and again while it works otherwise.
    pub(super) fn own(&self, error: Error) -> Error {
        let Error::Function { function, .. } = &error else {
            return error;
        };
        match (self, &**function) {
            (Self::UnwrapUnder { .. }, "C_UnwrapKey") => Error::ForeignKeyRefused,
            (_, "C_UnwrapKey") => Error::WrappedKeyRefused,
            (Self::Decrypt { .. }, "C_Decrypt") => Error::DataRefused,
            _ => error,
        }
    }
}

/// Does what is asked, in the worker. `root_key` finds a root key on the token.
pub(super) fn carry_out(
    session: &Session,
    transport: &Transport,
    root_key: impl Fn(&RootKeyLocator) -> Result<RootKey, Error>,
    asked: &Cryptography,
) -> Result<(Reply, Option<Arc<TransportKey>>), Error> {
    let kept = |key: &KeptKey| root_key(&key.root);
    let reply = match asked {
        Cryptography::Encrypt { key, cipher, data } => {
            let encrypted = device::encrypt(session, (kept(key)?, key), cipher, data.as_slice())?;
            Reply::Data(Data::new(encrypted))
        }
        Cryptography::Decrypt { key, cipher, data } => {
            let decrypted = device::decrypt(session, (kept(key)?, key), cipher, data.as_slice())?;
            Reply::Data(Data::new(decrypted))
        }
        Cryptography::Mac { key, algorithm, data } => {
            let code = device::mac(session, (kept(key)?, key), *algorithm, data.as_slice())?;
            Reply::Data(Data::new(code))
        }
        Cryptography::VerifyMac {
            key,
            algorithm,
            data,
            code,
        } => {
            let (data, code) = (data.as_slice(), code.as_slice());
            let key = (kept(key)?, key);
            Reply::Answer(device::verify_mac(session, key, *algorithm, data, code)?)
        }
        Cryptography::UnwrapUnder {
            wrapping_key,
            key_wrap,
            wrapped,
            root,
            kind,
            digest,
        } => {
            let under = (kept(wrapping_key)?, wrapping_key);
            let root = root_key(root)?;
            let keep = device::Keeping::new(transport, *kind, *digest);
            let key = device::unwrap_under(
                session,
                under,
                *key_wrap,
                wrapped.as_slice(),
                *kind,
                keep.template(),
            )?;
            return keep.keep(session, root, &key).map(reply_of);
        }
        Cryptography::Derive {
            base,
            cipher,
            data,
            root,
            kind,
            digest,
        } => {
            let base = (kept(base)?, base);
            let root = root_key(root)?;
            let keep = device::Keeping::new(transport, *kind, *digest);
            let key = device::derive(session, base, *cipher, data.as_slice(), *kind, keep.template())?;
            return keep.keep(session, root, &key).map(reply_of);
        }
        Cryptography::Seed(seed) => Reply::Answer(session.seed(seed.as_slice())?),
        Cryptography::Capabilities => Reply::Capabilities(device::capabilities(session)?),
    };
    Ok((reply, None))
}

fn reply_of(
    (wrapped, digest, held): (crate::wrapped::Wrapped, Digest, Option<Arc<TransportKey>>),
) -> (Reply, Option<Arc<TransportKey>>) {
    (Reply::Made { wrapped, digest }, held)
}

impl Device {
    /// Encrypts on the device with a kept AES key, which is there as a session object for as long as that takes. A tag stands
    /// behind the ciphertext, [`Cipher::tag_bytes`] long.
    ///
    /// Fails with [`Error::Unsupported`] where the device does not have the mode, or not with this key or these parameters,
    /// with [`Error::DataLength`] where the mode does not take so many bytes or they are more than
    /// [`LONGEST_DATA`](crate::LONGEST_DATA), and with [`Error::WrappedKeyRefused`] as [`release`](Self::release) does.
    pub async fn encrypt(&self, key: &KeptKey, cipher: &Cipher, data: &[u8]) -> Result<Vec<u8>, Error> {
        key.kind.check()?;
        check_data(data.len())?;
        cipher.check_plaintext(data.len())?;
        self.ask_for_data(Cryptography::Encrypt {
            key: key.clone(),
            cipher: cipher.clone(),
            data: Data::new(data.to_vec()),
        })
        .await
    }

    /// Decrypts what [`encrypt`](Self::encrypt) gave. Fails as that does, and with [`Error::DataRefused`] where a tag or a
    /// padding is wrong.
    pub async fn decrypt(&self, key: &KeptKey, cipher: &Cipher, data: &[u8]) -> Result<Vec<u8>, Error> {
        key.kind.check()?;
        cipher.check_ciphertext(data.len())?;
        self.ask_for_data(Cryptography::Decrypt {
            key: key.clone(),
            cipher: cipher.clone(),
            data: Data::new(data.to_vec()),
        })
        .await
    }

    /// Makes a message authentication code of its whole length. Fails as [`encrypt`](Self::encrypt) does; a key whose length is
    /// no multiple of eight, or less than sixteen, is [`Error::Unsupported`].
    pub async fn mac(&self, key: &KeptKey, algorithm: MacAlgorithm, data: &[u8]) -> Result<Vec<u8>, Error> {
        key.kind.check()?;
        check_data(data.len())?;
        self.ask_for_data(Cryptography::Mac {
            key: key.clone(),
            algorithm,
            data: Data::new(data.to_vec()),
        })
        .await
    }

    /// Whether a message authentication code is right; the device compares. A code that is shortened is not. Fails as
    /// [`mac`](Self::mac) does.
    pub async fn verify_mac(
        &self,
        key: &KeptKey,
        algorithm: MacAlgorithm,
        data: &[u8],
        code: &[u8],
    ) -> Result<bool, Error> {
        key.kind.check()?;
        check_data(data.len())?;
        if code.len() != algorithm.bytes() {
            return Ok(false);
        }
        self.ask_whether(Cryptography::VerifyMac {
            key: key.clone(),
            algorithm,
            data: Data::new(data.to_vec()),
            code: Data::new(code.to_vec()),
        })
        .await
    }

    /// Has the device unwrap a key that came wrapped under a kept one, and wrap it under the root key. None of it is in the
    /// clear outside the device, but that its SHA-256 may be made here, in locked memory, where the device makes none.
    ///
    /// Fails with [`Error::ForeignKeyRefused`] where it does not open, with [`Error::KeyLength`], which names the length that
    /// the wrapped bytes have room for or that came out, where that is not the kind's or the kind's is no multiple of eight or
    /// less than sixteen, and with [`Error::WrapProfile`] where the device does not unwrap like that.
    pub async fn unwrap_under(
        &self,
        wrapping_key: &KeptKey,
        key_wrap: KeyWrap,
        wrapped: &[u8],
        root: &RootKeyLocator,
        kind: KeyKind,
    ) -> Result<MadeKey, Error> {
        kind.check()?;
        wrapping_key.kind.check()?;
        check_data(wrapped.len())?;
        let answer = self
            .call(|link| {
                Ok(Operation::Cryptography(Cryptography::UnwrapUnder {
                    wrapping_key: wrapping_key.clone(),
                    key_wrap,
                    wrapped: Data::new(wrapped.to_vec()),
                    root: root.clone(),
                    kind,
                    digest: link.digests_of(kind),
                }))
            })
            .await?;
        made(answer, kind)
    }

    /// Derives a key on the device: the leading bytes of the ciphertext of `data` under a kept AES key. It is wrapped under the
    /// root key.
    ///
    /// Fails with [`Error::Unsupported`] where the device does not derive like that, and with [`Error::DataLength`] where
    /// `data` is no multiple of sixteen bytes, or shorter than the key rounded up to eight bytes.
    pub async fn derive_by_encryption(
        &self,
        base: &KeptKey,
        cipher: DerivingCipher,
        data: &[u8],
        root: &RootKeyLocator,
        kind: KeyKind,
    ) -> Result<MadeKey, Error> {
        kind.check()?;
        base.kind.check()?;
        check_data(data.len())?;
        let answer = self
            .call(|link| {
                Ok(Operation::Cryptography(Cryptography::Derive {
                    base: base.clone(),
                    cipher,
                    data: Data::new(data.to_vec()),
                    root: root.clone(),
                    kind,
                    digest: link.digests_of(kind),
                }))
            })
            .await?;
        made(answer, kind)
    }

    /// Gives the device's generator of random numbers bytes to mix in. Whether it takes any: `false` where it does not.
    pub async fn seed_random(&self, seed: &[u8]) -> Result<bool, Error> {
        check_data(seed.len())?;
        self.ask_whether(Cryptography::Seed(Data::new(seed.to_vec())))
            .await
    }

    /// What the device can do with kept keys, tried now.
    pub async fn capabilities(&self) -> Result<Capabilities, Error> {
        match self
            .ask(Operation::Cryptography(Cryptography::Capabilities))
            .await?
        {
            Reply::Capabilities(capabilities) => Ok(capabilities),
            _ => Err(unexpected()),
        }
    }

    async fn ask_for_data(&self, asked: Cryptography) -> Result<Vec<u8>, Error> {
        match self.ask(Operation::Cryptography(asked)).await? {
            Reply::Data(data) => Ok(data.into_bytes()),
            _ => Err(unexpected()),
        }
    }

    async fn ask_whether(&self, asked: Cryptography) -> Result<bool, Error> {
        match self.ask(Operation::Cryptography(asked)).await? {
            Reply::Answer(answer) => Ok(answer),
            _ => Err(unexpected()),
        }
    }
}
