//! Why the key manager did not do what it was asked, and what an operator can do about it.

use std::fmt;

use super::refusal::{Kind, Refusal};

/// Why the key manager, or the way to it, failed.
///
/// No variant ever holds a token, an API key, a key or a ciphertext.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What the configuration says can't be used.
    #[error("{what}: {reason}")]
    Configuration {
        /// The setting.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The file with the API key can't be used.
    #[error("the API key's file {path} can't be used: {reason}")]
    ApiKeyFile {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// IAM refused the API key.
    #[error(
        "IAM refused the API key ({code}, request {request}): put a valid API key of the service ID into its file; it is \
         read again by itself"
    )]
    ApiKeyRefused {
        /// IAM's code for it, such as `BXNIM0415E`.
        code: String,
        /// IAM's number for the request.
        request: String,
    },
    /// The service refused the request.
    #[error("{0}")]
    Refused(Refusal),
    /// The service, or IAM, can't be reached or fails.
    #[error("{service} is not available: {reason}{}", Behind(correlation_id))]
    Unavailable {
        /// Which of the two.
        service: &'static str,
        /// What happened.
        reason: String,
        /// The identifier of the request; empty where none was made.
        correlation_id: String,
    },
    /// The service, or IAM, answered something that can't be understood.
    #[error(
        "the answer of {service} to {request} can't be understood: see whether the address is right and whether a proxy \
         answers in its place{}",
        Behind(correlation_id)
    )]
    Unreadable {
        /// Which of the two.
        service: &'static str,
        /// What was asked, such as `wrap`.
        request: &'static str,
        /// The identifier of the request.
        correlation_id: String,
    },
    /// No answer came in time.
    #[error("{service} did not answer in time{}", Behind(correlation_id))]
    Deadline {
        /// The service, or IAM.
        service: &'static str,
        /// The identifier of the request.
        correlation_id: String,
    },
    /// Too many requests are under way.
    #[error("too many requests to the key manager are under way")]
    Busy,
    /// The key in the key manager is not what it should be.
    #[error("the key {key} {reason}")]
    Unfit {
        /// Its identifier or alias.
        key: String,
        /// What is wrong with it, and the remedy.
        reason: String,
    },
    /// The key is in a state in which it can't be used.
    #[error("the key {key}: {}", kind.remedy())]
    State {
        /// Its identifier or alias.
        key: String,
        /// What keeps it from being used.
        kind: Kind,
    },
    /// The root key has not the version that was recorded.
    #[error(
        "the key {key} has no version {version} in the key manager: it is another key than the recorded one"
    )]
    VersionUnknown {
        /// The key's identifier.
        key: String,
        /// The version's identifier.
        version: String,
    },
    /// The facts of a root key do not say which key of the key manager it is.
    #[error("the root key {name} is none of the key manager's: its check value has {bytes} bytes, not 32")]
    NotOfKeyManager {
        /// The root key's name.
        name: String,
        /// The length of its check value.
        bytes: usize,
    },
    /// The root key is of another instance than the configured one.
    #[error(
        "the root key {name} is of the instance {expected}, and the configuration names the instance {found}: see \
         instance_id"
    )]
    OtherInstance {
        /// The root key's name.
        name: String,
        /// Its instance.
        expected: String,
        /// The instance that is configured.
        found: String,
    },
    /// A wrapped key is refused before the key manager sees it, or what it opened to is no such key: its bytes were changed.
    #[error("the wrapped key is refused: it was changed, or another root key wrapped it")]
    WrappedKeyRefused,
    /// A key that came wrapped under another does not open under that one.
    #[error("the key that came wrapped is refused: it was changed, or another key wrapped it")]
    ForeignKeyRefused,
    /// No key of this length is made, or one came out of another length than was said.
    #[error("a key of {bytes} bytes is not possible here")]
    KeyLength {
        /// The length.
        bytes: usize,
    },
    /// A key is wrapped by a profile that is none of the key manager's.
    #[error("the wrap profile {profile} is none of the key manager's")]
    WrapProfile {
        /// The profile.
        profile: String,
    },
    /// What the key manager wrapped does not unwrap to the same.
    #[error("what the key manager wraps under {key} does not unwrap to the same value")]
    NotTheSame {
        /// The root key's identifier.
        key: String,
    },
    /// OpenSSL failed in this process.
    #[error("the cryptography of this process failed: {reason}")]
    Cryptography {
        /// What it said.
        reason: String,
    },
}

/// What stands behind a message for whoever looks for the request in IBM's logs.
struct Behind<'a>(&'a str);

impl fmt::Display for Behind<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        write!(f, " (correlation-id {})", self.0)
    }
}

impl Error {
    /// Whether the same may succeed later, without a change to the request.
    ///
    /// A root key that is disabled, deleted, out of its time, or that the service ID has lost its rights to, is among that:
    /// whoever did that in the key manager can undo it there, and it is to be noticed here without a restart.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unavailable { .. }
            | Self::Unreadable { .. }
            | Self::Deadline { .. }
            | Self::Busy
            | Self::ApiKeyFile { .. }
            | Self::ApiKeyRefused { .. } => true,
            Self::Refused(Refusal { kind, .. }) | Self::State { kind, .. } => kind.may_pass(),
            _ => false,
        }
    }

    /// Whether too much was asked at once.
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Busy) || self.kind() == Some(Kind::RateLimited)
    }

    /// The kind of the refusal, where the service refused.
    pub fn kind(&self) -> Option<Kind> {
        match self {
            Self::Refused(refusal) => Some(refusal.kind),
            Self::State { kind, .. } => Some(*kind),
            _ => None,
        }
    }

    /// What keeps the root key from being used, in words that a client may read; none where it is something else.
    pub fn root_key_trouble(&self) -> Option<&'static str> {
        Some(match self.kind()? {
            Kind::KeyDisabled => "the root key is disabled in the key manager",
            Kind::KeyDeleted => "the root key is deleted in the key manager",
            Kind::KeyNotFound => "the root key is not in the key manager",
            Kind::Expired => "the root key is expired in the key manager",
            Kind::Forbidden | Kind::Unauthorized => "the key manager does not grant access to the root key",
            _ => return None,
        })
    }

    pub(super) fn cryptography(error: &openssl::error::ErrorStack) -> Self {
        let reason = error.errors().first().and_then(openssl::error::Error::reason);
        Self::Cryptography {
            reason: reason.unwrap_or("no reason was given").to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, code: &str) -> Error {
        Error::Refused(Refusal {
            kind: Kind::of(status, code),
            request: "wrap",
            status,
            code: code.to_owned(),
            correlation_id: "6f3c".to_owned(),
        })
    }

    #[test]
    fn an_operator_reads_what_was_refused_and_how_to_find_it_at_ibm() {
        assert_eq!(
            refused(410, "KEY_DELETED_ERR").to_string(),
            "the key manager refused wrap: the key was deleted there: restore it within 30 days with `claviger root-key \
             restore`, or in IBM's console (410 KEY_DELETED_ERR, correlation-id 6f3c)"
        );
        let error = Error::Unavailable {
            service: "Key Protect",
            reason: "Connection refused".into(),
            correlation_id: String::new(),
        };
        assert_eq!(
            error.to_string(),
            "Key Protect is not available: Connection refused"
        );
    }

    #[test]
    fn what_was_undone_in_the_key_manager_heals_and_a_changed_wrapped_key_does_not() {
        for (status, code) in [
            (401, "UNAUTHORIZED_ERR"),
            (403, ""),
            (404, "KEY_NOT_FOUND_ERR"),
            (410, "KEY_DELETED_ERR"),
            (409, "KEY_ACTION_INVALID_STATE_ERR"),
            (400, "KEY_EXPIRED_ERR"),
            (429, ""),
        ] {
            assert!(refused(status, code).is_retryable(), "{status} {code}");
        }
        for (status, code) in [
            (422, "UNPROCESSABLE_CIPHERTEXT_ERR"),
            (400, "BAD_BODY_ERR"),
            (409, "AUTHORIZATIONS_NOT_MET"),
        ] {
            assert!(!refused(status, code).is_retryable(), "{status} {code}");
        }
    }
}
