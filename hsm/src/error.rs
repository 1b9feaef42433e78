//! The one error type of the crate. It crosses the boundary between the processes as it is.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a device did not do what it was asked.
///
/// No variant ever holds a PIN, a key or a wrapped key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A PKCS#11 function failed.
    #[error("{function}: {name} (0x{code:x})")]
    Function {
        /// The function's name, such as `C_WrapKey`.
        function: String,
        /// The value that it returned (`CK_RV`).
        code: u64,
        /// The name of that value, such as `CKR_DEVICE_ERROR`.
        name: String,
    },
    /// The PKCS#11 module can't be loaded or used.
    #[error("the PKCS#11 module {path} can't be used: {reason}")]
    Module {
        /// The module's file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No token matches the selector, or more than one does.
    #[error("no single token matches {selector}; the module has {found}")]
    SlotNotFound {
        /// What was looked for.
        selector: String,
        /// The tokens that are there.
        found: TokenList,
    },
    /// The file with the PIN can't be used.
    #[error("the PIN file {path} can't be used: {reason}")]
    PinFile {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The device refused the PIN. It is not tried again: a few wrong PINs lock a token.
    #[error("the device refused the PIN ({name}); it is not tried again")]
    PinIncorrect {
        /// The name of what `C_Login` returned.
        name: String,
    },
    /// The PIN was not tried, since the token says that a wrong one would do harm.
    #[error("the PIN was not tried: {reason}")]
    PinNotTried {
        /// What the token says, and the remedy.
        reason: String,
    },
    /// No key on the token has this label and identifier. It is never made anew.
    #[error("the token has no root key {locator}")]
    RootKeyNotFound {
        /// The key's label and identifier.
        locator: String,
    },
    /// Another key has the root key's label and identifier.
    #[error(
        "the token has another key in the place of the root key {locator}: its check value is {found}, not {expected}"
    )]
    RootKeyMismatch {
        /// The key's label and identifier.
        locator: String,
        /// The check value that was recorded, in hexadecimal.
        expected: String,
        /// The check value of the key that is there, in hexadecimal.
        found: String,
    },
    /// A key with this label or this identifier exists already.
    #[error("the token already has a key with the label or the identifier of {locator}")]
    RootKeyExists {
        /// The label and identifier that were to be used.
        locator: String,
    },
    /// The key on the token can't serve as a root key.
    #[error("the key {locator} can't serve as a root key: {reason}")]
    RootKeyUnfit {
        /// The key's label and identifier.
        locator: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No key pair that signs has this label on the token. It is never made anew.
    #[error("the token has no key \"{label}\" that signs")]
    SigningKeyNotFound {
        /// Its label.
        label: String,
    },
    /// A key with this label exists already.
    #[error("the token already has a key pair \"{label}\"")]
    SigningKeyExists {
        /// Its label.
        label: String,
    },
    /// The key pair on the token can't serve to sign.
    #[error("the key \"{label}\" can't sign here: {reason}")]
    SigningKeyUnfit {
        /// Its label.
        label: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Another key has the label of the one that is to sign.
    #[error(
        "the token has another key in the place of \"{label}\": it does not sign for the public key that is known"
    )]
    SigningKeyMismatch {
        /// Its label.
        label: String,
    },
    /// The device refused a wrapped key, though it works otherwise: the bytes were changed, or another root key wrapped
    /// them.
    #[error("the device refused the wrapped key: it was changed, or another root key wrapped it")]
    WrappedKeyRefused,
    /// No key of this length is made.
    #[error("a key of {bytes} bytes is not possible here")]
    KeyLength {
        /// The length that was asked for.
        bytes: usize,
    },
    /// The device can't do this with a key, or not with this key.
    #[error("the device can't do this: {what}")]
    Unsupported {
        /// The mechanism that it lacks, or what keeps it from using the key.
        what: String,
    },
    /// The data has a length that the mode does not take, or is longer than a request may be.
    #[error("data of {bytes} bytes can't be used like that")]
    DataLength {
        /// The length of the data.
        bytes: usize,
    },
    /// What was to be decrypted is not what was encrypted with this key and these parameters: its tag or its padding is wrong.
    #[error("the device refused the data: its tag or its padding is wrong")]
    DataRefused,
    /// A key that came wrapped under another does not open under that one: it was changed, or is of another key.
    #[error("the device refused the key that came wrapped: it was changed, or another key wrapped it")]
    ForeignKeyRefused,
    /// This wrap profile is not known, or this device is not driven with it.
    #[error("the wrap profile {profile} can't be used")]
    WrapProfile {
        /// The profile.
        profile: String,
    },
    /// What the device wrapped by this profile is not what the profile's standard makes of a key.
    #[error("the device wraps by {profile} otherwise than the standard says")]
    UnlikeProfile {
        /// The profile.
        profile: String,
    },
    /// No wrap profile passed its trial on the device.
    #[error(
        "the device wraps AES keys by no profile that Claviger can use ({outcomes}); have one of the mechanisms enabled \
         on the device"
    )]
    NoWrapProfile {
        /// What came of each profile.
        outcomes: String,
    },
    /// The transport key could not be made, carried or used.
    #[error("the transport key: {reason}")]
    Transport {
        /// What went wrong.
        reason: String,
    },
    /// The request names a transport key that the worker no longer has.
    #[error("the transport key was renewed meanwhile")]
    TransportExpired,
    /// No worker can serve at the moment.
    #[error("the device is not available: {reason}")]
    Unavailable {
        /// Why.
        reason: String,
    },
    /// Too many requests are under way.
    #[error("too many requests are under way at the device")]
    Busy,
    /// The request took longer than the configured deadline.
    #[error("the device did not answer in time")]
    Deadline,
    /// The two ends of the boundary do not understand each other.
    #[error("the device worker's protocol: {reason}")]
    Protocol {
        /// What was wrong.
        reason: String,
    },
    /// The worker process can't be started.
    #[error("the device worker can't be started: {reason}")]
    Launch {
        /// Why.
        reason: String,
    },
    /// Memory can't be locked.
    #[error("memory for secrets can't be locked: {reason}")]
    Memory {
        /// Why, with the remedy.
        reason: String,
    },
    /// The buffer for a released key has not its length.
    #[error("a key of {key} bytes does not go into a buffer of {buffer}")]
    BufferLength {
        /// The key's length.
        key: usize,
        /// The buffer's length.
        buffer: usize,
    },
}

impl Error {
    /// Whether the same request may succeed later without an operator's doing.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unavailable { .. } | Self::Busy | Self::Deadline | Self::TransportExpired => true,
            Self::Function { .. } => crate::device::Fault::of(self) != crate::device::Fault::Request,
            _ => false,
        }
    }

    /// Whether no login succeeds before an operator has acted.
    pub fn is_about_the_pin(&self) -> bool {
        matches!(self, Self::PinIncorrect { .. } | Self::PinNotTried { .. })
    }

    /// The code of the PKCS#11 function that failed, where one did.
    pub(crate) fn code(&self) -> Option<u64> {
        match self {
            Self::Function { code, .. } => Some(*code),
            _ => None,
        }
    }

    pub(crate) fn unavailable(reason: impl fmt::Display) -> Self {
        Self::Unavailable {
            reason: reason.to_string(),
        }
    }

    pub(crate) fn protocol(reason: impl fmt::Display) -> Self {
        Self::Protocol {
            reason: reason.to_string(),
        }
    }

    pub(crate) fn transport(reason: impl fmt::Display) -> Self {
        Self::Transport {
            reason: reason.to_string(),
        }
    }
}

/// The tokens that a module has, for a person to choose from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenList(pub Vec<String>);

impl fmt::Display for TokenList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            f.write_str("no token at all")
        } else {
            f.write_str(&self.0.join("; "))
        }
    }
}
