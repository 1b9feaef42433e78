//! What the two ends of the boundary say to each other.
//!
//! The starting process sends one [`Begin`] and gets one [`Begun`]; then [`Request`]s go one way and [`Message`]s the
//! other, in any order. Both ends are the same build of the same program, so the form has no version.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::cryptography::Cryptography;
use super::healing::Step;
use crate::Error;
use crate::configuration::{KeptKeys, ReleaseProfile, SlotSelector, TransportRenewal};
use crate::cryptography::{Capabilities, Data};
use crate::doctor::Report;
use crate::key::{
    KeptKey, KeyKind, KeyWrap, RootKeyFacts, RootKeyLocator, RsaPublicKey, TokenFacts, WrappedRootKey,
};
use crate::signing_key::SigningKey;
use crate::wrapped::{WrapProfile, Wrapped};

/// The first message to a worker.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Begin {
    /// Serve requests until the socket closes.
    Serve(Start),
    /// Examine the device, send a [`Report`] in [`Begun::Examined`] and end.
    Examine(Examination),
    /// Initialise a token of the label that the slot is found by, send [`Begun::TokenMade`] and end.
    MakeToken(Start),
}

/// A device that is examined.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Examination {
    pub(crate) start: Start,
    /// The root keys that should be there.
    pub(crate) recorded: Vec<RootKeyLocator>,
}

/// What a worker needs in order to serve.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Start {
    pub(crate) module: PathBuf,
    pub(crate) slot: SlotSelector,
    pub(crate) pin_file: PathBuf,
    pub(crate) sessions: usize,
    pub(crate) queue: usize,
    /// A call into the module that takes longer than this ends the worker.
    pub(crate) deadline: Duration,
    pub(crate) renewal: TransportRenewal,
    pub(crate) wrap_profile: Option<WrapProfile>,
    pub(crate) release_profile: ReleaseProfile,
    pub(crate) kept_keys: Option<KeptKeys>,
    pub(crate) transport_recipient: TransportRecipient,
}

/// The RSA public key under which transport keys are handed over: big-endian integers without leading zeros.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TransportRecipient {
    pub(crate) modulus: Vec<u8>,
    pub(crate) exponent: Vec<u8>,
}

/// The answer to [`Begin`].
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Begun {
    /// The worker is logged in and serves.
    Serving(Box<Ready>),
    /// The device can't be served. The worker ends.
    Failed(Error),
    /// What the examination found. The worker ends.
    Examined(Report),
    /// The token is there. The worker ends.
    TokenMade,
}

/// How the device is driven, and a key for the receiver to test that with.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Ready {
    pub(crate) token: TokenFacts,
    /// How new keys are wrapped.
    pub(crate) wrap_profile: WrapProfile,
    pub(crate) transport_key: HandedOver,
    /// A key that was made for this test only.
    pub(crate) trial: Trial,
}

/// A key of 32 bytes, destroyed again, under the transport key; and its SHA-256 where the device could say it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Trial {
    pub(crate) key: Transported,
    pub(crate) sha256: Option<[u8; 32]>,
}

/// A transport key under the recipient's RSA key.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct HandedOver {
    pub(crate) epoch: u64,
    pub(crate) hash: OaepHash,
    pub(crate) bytes: Vec<u8>,
}

/// The hash of RSA-OAEP and of its mask generation function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum OaepHash {
    Sha256,
    Sha1,
}

/// A key under the transport key of an epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Transported {
    pub(crate) epoch: u64,
    pub(crate) wrapped: Wrapped,
}

impl fmt::Debug for HandedOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HandedOver(epoch {}, {:?})", self.epoch, self.hash)
    }
}

/// What the device is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Request {
    pub(crate) id: u64,
    /// The request is answered [`Error::Deadline`] without being tried where it has waited longer.
    pub(crate) patience: Duration,
    pub(crate) operation: Operation,
}

/// The operations. Each can be repeated without harm; [`Operation::CreateRootKey`] and [`Operation::MakeSigningKey`] only by
/// who knows that it was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Operation {
    CreateRootKey(RootKeyLocator),
    FindRootKey(RootKeyLocator),
    ListRootKeys,
    Change(TokenChange),
    Cryptography(Cryptography),
    /// Make a key; with `digest` the device says its SHA-256, without it the key comes back transported as well.
    Generate {
        root: RootKeyLocator,
        kind: KeyKind,
        digest: bool,
    },
    Import {
        root: RootKeyLocator,
        kind: KeyKind,
        material: Transported,
    },
    Release {
        root: RootKeyLocator,
        kind: KeyKind,
        wrapped: Wrapped,
    },
    /// Unwrap two keys and wrap the first under the second.
    ReleaseUnder {
        key: KeptKey,
        wrapping_key: KeptKey,
        key_wrap: KeyWrap,
    },
    /// Unwrap a key under one root key and wrap it under another of the same token.
    Rewrap {
        root: RootKeyLocator,
        to: RootKeyLocator,
        kind: KeyKind,
        wrapped: Wrapped,
    },
    /// Destroy what is kept unwrapped of a key, or of all keys under the root key. For each worker.
    Forget {
        root: RootKeyLocator,
        wrapped: Option<Wrapped>,
    },
    /// Make, wrap, unwrap and destroy a key under the root key.
    Check(RootKeyLocator),
    /// Make a key pair of this label that signs; as [`Operation::CreateRootKey`].
    MakeSigningKey(String),
    FindSigningKey(String),
    Sign {
        key: SigningKey,
        message: Vec<u8>,
    },
    Random(u16),
    TokenFacts,
    /// Finish what is under way, finalise the module and end.
    Shutdown,
}

impl Operation {
    /// What it is called where it is measured.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::CreateRootKey(_) => "create_root_key",
            Self::FindRootKey(_) => "find_root_key",
            Self::ListRootKeys => "list_root_keys",
            Self::Change(_) => "change_token",
            Self::Cryptography(_) => "cryptography",
            Self::Generate { .. } => "generate",
            Self::Import { .. } => "import",
            Self::Release { .. } => "release",
            Self::ReleaseUnder { .. } => "release_under",
            Self::Rewrap { .. } => "rewrap",
            Self::Forget { .. } => "forget",
            Self::Check(_) => "check",
            Self::MakeSigningKey(_) => "make_signing_key",
            Self::FindSigningKey(_) => "find_signing_key",
            Self::Sign { .. } => "sign",
            Self::Random(_) => "random",
            Self::TokenFacts => "token_facts",
            Self::Shutdown => "shutdown",
        }
    }

    /// The root key that the operation needs to be there already.
    pub(crate) fn root_key(&self) -> Option<&RootKeyLocator> {
        match self {
            Self::FindRootKey(root)
            | Self::Generate { root, .. }
            | Self::Import { root, .. }
            | Self::Release { root, .. }
            | Self::ReleaseUnder {
                key: KeptKey { root, .. },
                ..
            }
            | Self::Rewrap { root, .. }
            | Self::Check(root) => Some(root),
            Self::Cryptography(asked) => asked.root_key(),
            _ => None,
        }
    }

    /// A root key of the operation that was recorded, so that a token that does not have it is not the one that it was.
    pub(crate) fn recorded_root_key(&self) -> Option<&RootKeyLocator> {
        let second = match self {
            Self::ReleaseUnder { wrapping_key, .. } => Some(&wrapping_key.root),
            Self::Rewrap { to, .. } => Some(to),
            Self::Cryptography(asked) => asked.second_root_key(),
            _ => None,
        };
        let all = self.root_key().into_iter().chain(second);
        all.into_iter().find(|root| root.check_value.is_some())
    }
}

/// What changes the objects of the token, other than [`Operation::CreateRootKey`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum TokenChange {
    /// That the key is not there is success.
    DestroyRootKey(RootKeyLocator),
    /// Make an RSA pair of this label to take a root key in with.
    OfferTakeIn(String),
    /// Destroy it, where it is there.
    WithdrawTakeIn(String),
    /// Unwrap a root key that came under it, and destroy it.
    TakeIn {
        label: String,
        wrapped: WrappedRootKey,
        root: RootKeyLocator,
        /// By which profile keys come under it, where that is not the device's own.
        profile: Option<WrapProfile>,
    },
    /// Make a key to transfer others with, and give it out.
    GiveOut {
        root: RootKeyLocator,
        recipient: RsaPublicKey,
        hash: OaepHash,
    },
}

/// What a worker says.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Message {
    /// The answer to the request of this id.
    Answer { id: u64, outcome: Result<Reply, Error> },
    /// From now on this transport key is used. It comes before any answer that uses it.
    TransportKey(HandedOver),
    /// No answer after this one uses the transport key of this epoch.
    TransportRetired(u64),
    /// What the worker did so that the device serves again.
    Healing(Step),
    /// The worker gives up for this reason and ends.
    LastWords(Error),
}

/// The outcomes of the operations.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Reply {
    RootKey(RootKeyFacts),
    RootKeys(Vec<RootKeyFacts>),
    PublicKey(RsaPublicKey),
    GivenOut {
        facts: RootKeyFacts,
        wrapped: WrappedRootKey,
        /// By which keys are wrapped under it here.
        profile: WrapProfile,
    },
    /// A key was made: with its digest, or with itself for the digest to be made from.
    Made {
        wrapped: Wrapped,
        digest: Digest,
    },
    Imported(Wrapped),
    Released(Transported),
    /// A key under a key of the client's.
    ReleasedUnder(Vec<u8>),
    Rewrapped(Wrapped),
    SigningKey(SigningKey),
    Signature(Vec<u8>),
    Random(Vec<u8>),
    Data(Data),
    Answer(bool),
    Capabilities(Capabilities),
    Token(TokenFacts),
    Done,
}

/// The SHA-256 of a key, or the key under the transport key for the receiver to compute it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Digest {
    Sha256([u8; 32]),
    Key(Transported),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_wrapped_byte_reaches_a_log() {
        let root = RootKeyLocator {
            label: "root".into(),
            id: Vec::new(),
            check_value: None,
        };
        let kind = KeyKind::Aes { bytes: 32 };
        let bytes = vec![0xAB; 40];
        let wrapped = Wrapped {
            profile: WrapProfile::AesKw,
            bytes: bytes.clone(),
        };
        let material = Transported {
            epoch: 0,
            wrapped: wrapped.clone(),
        };
        let handed = HandedOver {
            epoch: 0,
            hash: OaepHash::Sha256,
            bytes,
        };
        let shown = [
            format!(
                "{:?}",
                Operation::Release {
                    root: root.clone(),
                    kind,
                    wrapped: wrapped.clone()
                }
            ),
            format!(
                "{:?}",
                Operation::Import {
                    root,
                    kind,
                    material: material.clone()
                }
            ),
            format!(
                "{:?}",
                Reply::Made {
                    wrapped,
                    digest: Digest::Key(material)
                }
            ),
            format!("{:?}", Message::TransportKey(handed)),
        ];
        for shown in shown {
            assert!(
                !shown.contains("171") && !shown.to_lowercase().contains("ab, ab"),
                "{shown}"
            );
        }
    }
}
