//! Why a root key did not do its work.

use claviger_hsm::Error as DeviceError;

use super::key_protect::{self, Kind};
use super::{BackendKind, Binding};

/// Why a root key, or what holds it, did not do what it was asked. The texts are for operators and for the log: what a
/// client reads is said elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The configuration names no such backend.
    #[error("the configuration has neither a device nor a key manager that is called {backend}")]
    BackendUnknown {
        /// The name that was looked for.
        backend: String,
    },
    /// It is not one device: a mirror, of which no member is up to stand for it.
    #[error("{backend} is a mirror, and none of its members is up")]
    NotOneDevice {
        /// Its name.
        backend: String,
    },
    /// The device failed.
    #[error("the device {backend}: {source}")]
    Device {
        /// The device's name.
        backend: String,
        /// What it said.
        source: DeviceError,
    },
    /// The key manager failed, or refused.
    #[error("the key manager {backend}: {source}")]
    KeyProtect {
        /// Its name in the configuration.
        backend: String,
        /// What it said, or why it said nothing.
        source: key_protect::Error,
    },
    /// What holds the key can't do this with it. The same may be done in the server with the key released, where the operator
    /// allowed that.
    #[error("what holds the key can't do this: {what}")]
    Unsupported {
        /// What it lacks, such as `CKM_AES_CCM`.
        what: String,
    },
    /// The wrapped key lay in the key manager itself, and somebody deleted it there.
    #[error("the wrapped key {id} was deleted in the key manager {backend}")]
    WrappedKeyDeleted {
        /// The backend's name.
        backend: String,
        /// What the key manager called it by.
        id: String,
        /// Which value it was.
        binding: Binding,
    },
    /// The wrapped key lies in the key manager itself, and is not what was put there.
    #[error("the wrapped key {id} in the key manager {backend} is not the one that was put there")]
    WrappedKeyChanged {
        /// The backend's name.
        backend: String,
        /// What the key manager calls it by.
        id: String,
    },
    /// No root key is made on a mirror, or brought to it, while one of its members is away.
    #[error(
        "the mirror {backend} gets a root key only while all its members serve, and {member} does not: {reason}"
    )]
    MemberAway {
        /// The mirror's name.
        backend: String,
        /// The member.
        member: String,
        /// Why it does not serve.
        reason: String,
    },
    /// A root key that was made on, or brought to, one member of a mirror did not appear on another in time.
    #[error(
        "the key {label} is new on {made_on} and is not on {missing_on} ({reason}): the mirror {backend} does not use it"
    )]
    NotReplicated {
        /// The mirror's name.
        backend: String,
        /// The member that has the key.
        made_on: String,
        /// The member that does not.
        missing_on: String,
        /// `CKA_LABEL` of the key.
        label: String,
        /// What that member said last.
        reason: String,
    },
}

impl Error {
    /// Whether the same may succeed later without an operator's doing.
    ///
    /// A root key of the records that its token does not have is among that: modules find nothing on a token that is away, and
    /// the key itself is never made anew. So is one that somebody disabled or deleted in its key manager: it is usable as soon
    /// as that is undone there.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Device { source, .. } => {
                source.is_retryable() || matches!(source, DeviceError::RootKeyNotFound { .. })
            }
            Self::KeyProtect { source, .. } => source.is_retryable(),
            _ => false,
        }
    }

    pub(crate) fn unsupported(what: impl std::fmt::Display) -> Self {
        Self::Unsupported {
            what: what.to_string(),
        }
    }

    /// What the backend lacks for what was asked; none where it failed otherwise.
    pub fn unsupported_what(&self) -> Option<&str> {
        match self {
            Self::Unsupported { what } => Some(what),
            _ => None,
        }
    }

    /// Whether data to be decrypted was refused: its tag or its padding is wrong.
    pub fn is_refusal_of_the_data(&self) -> bool {
        matches!(self.of_device(), Some(DeviceError::DataRefused))
    }

    /// Whether data has a length that the mode does not take, or more than a request may have.
    pub fn is_unusable_data(&self) -> bool {
        matches!(self.of_device(), Some(DeviceError::DataLength { .. }))
    }

    /// Whether a key that came wrapped under another did not open under it.
    pub fn is_refusal_of_a_foreign_key(&self) -> bool {
        matches!(self.of_device(), Some(DeviceError::ForeignKeyRefused))
            || matches!(self.of_key_protect(), Some(key_protect::Error::ForeignKeyRefused))
    }

    /// The length in bytes of a key that was refused for it, or that came out where another was expected.
    pub fn length_of_the_key(&self) -> Option<usize> {
        match self {
            Self::Device {
                source: DeviceError::KeyLength { bytes },
                ..
            }
            | Self::KeyProtect {
                source: key_protect::Error::KeyLength { bytes },
                ..
            } => Some(*bytes),
            _ => None,
        }
    }

    fn of_device(&self) -> Option<&DeviceError> {
        match self {
            Self::Device { source, .. } => Some(source),
            _ => None,
        }
    }

    fn of_key_protect(&self) -> Option<&key_protect::Error> {
        match self {
            Self::KeyProtect { source, .. } => Some(source),
            _ => None,
        }
    }

    /// What keeps the root key from being used, in words that a client may read; none where it is something else, or where the
    /// backend does not tell.
    pub fn root_key_trouble(&self) -> Option<&'static str> {
        self.of_key_protect()?.root_key_trouble()
    }

    /// What kind of thing holds what this is about.
    pub fn backend_kind(&self) -> BackendKind {
        match self {
            Self::KeyProtect { .. } | Self::WrappedKeyDeleted { .. } | Self::WrappedKeyChanged { .. } => {
                BackendKind::KeyProtect
            }
            _ => BackendKind::Pkcs11,
        }
    }

    /// Whether the wrapped key was refused: its bytes were changed, or another root key wrapped them.
    pub fn is_refusal_of_the_wrapped_key(&self) -> bool {
        match self {
            Self::Device { source, .. } => *source == DeviceError::WrappedKeyRefused,
            Self::KeyProtect { source, .. } => {
                *source == key_protect::Error::WrappedKeyRefused
                    || source.kind() == Some(Kind::UnprocessableCiphertext)
            }
            Self::WrappedKeyChanged { .. } => true,
            _ => false,
        }
    }

    /// Which wrapped key is gone for good, what the key manager called it by, and in which backend it lay.
    pub fn deleted_wrapped_key(&self) -> Option<(&str, &str, Binding)> {
        match self {
            Self::WrappedKeyDeleted { backend, id, binding } => Some((backend, id, *binding)),
            _ => None,
        }
    }

    /// Whether the backend does not wrap or unwrap in the way that was asked for.
    pub fn is_unknown_wrapping(&self) -> bool {
        matches!(self.of_device(), Some(DeviceError::WrapProfile { .. }))
            || matches!(
                self.of_key_protect(),
                Some(key_protect::Error::WrapProfile { .. })
            )
    }

    /// Whether too much was asked at once.
    pub fn is_busy(&self) -> bool {
        match self {
            Self::Device { source, .. } => *source == DeviceError::Busy,
            Self::KeyProtect { source, .. } => source.is_busy(),
            _ => false,
        }
    }

    /// The PKCS#11 function that failed, what it returned, and the name of that, where one did.
    pub fn function(&self) -> Option<(&str, u64, &str)> {
        match self {
            Self::Device {
                source: DeviceError::Function { function, code, name },
                ..
            } => Some((function, *code, name)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operator_reads_which_device_and_what_it_said() {
        let source = DeviceError::Function {
            function: "C_WrapKey".into(),
            code: 0x30,
            name: "CKR_DEVICE_ERROR".into(),
        };
        let error = Error::Device {
            backend: "hsm-1".into(),
            source,
        };
        assert_eq!(
            error.to_string(),
            "the device hsm-1: C_WrapKey: CKR_DEVICE_ERROR (0x30)"
        );
        assert_eq!(error.function(), Some(("C_WrapKey", 0x30, "CKR_DEVICE_ERROR")));
        assert!(error.is_retryable());
    }
}
