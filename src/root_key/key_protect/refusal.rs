//! What the service refuses, and what an operator can do about it.

use std::fmt;

/// A request that the service refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What kind of refusal it is.
    pub kind: Kind,
    /// What was asked, such as `wrap`.
    pub request: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// The service's reason code, such as `KEY_NOT_FOUND_ERR`; empty where it gave none.
    pub code: String,
    /// The identifier of the request, by which IBM finds it.
    pub correlation_id: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the key manager refused {}: ", self.request)?;
        f.write_str(self.kind.remedy())?;
        write!(f, " ({}", self.status)?;
        if !self.code.is_empty() {
            write!(f, " {}", self.code)?;
        }
        write!(f, ", correlation-id {})", self.correlation_id)
    }
}

/// Why the service refuses a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// The token is not accepted, a new one neither.
    Unauthorized,
    /// The service ID may not do this.
    Forbidden,
    /// There is no such key.
    KeyNotFound,
    /// The key was deleted.
    KeyDeleted,
    /// The key is disabled: state 2, Suspended.
    KeyDisabled,
    /// The key's expiration date is over: state 3, Deactivated.
    Expired,
    /// The key is not in a state in which this can be done.
    InvalidState,
    /// The key was rotated less than an hour ago.
    RotationTooEarly,
    /// Something of the same kind was done moments ago.
    TooEarly,
    /// The key was brought there, and so is each version of it.
    PayloadRequired,
    /// A second identity must agree to the deletion.
    AuthorizationsNotMet,
    /// An earlier key of the same name is not purged yet.
    PreviousKeyDeleted,
    /// The key protects resources of the cloud.
    Protected,
    /// The key, or its alias, exists already.
    Exists,
    /// The ciphertext was changed, or another key or other additional data wrapped it.
    UnprocessableCiphertext,
    /// Too many requests in a time.
    RateLimited,
    /// Whatever else.
    Other,
}

impl Kind {
    /// The kind of a refusal, by its reason code where that says it, and by its status otherwise.
    pub(super) fn of(status: u16, code: &str) -> Self {
        match (status, code) {
            (_, "KEY_NOT_FOUND_ERR" | "KEY_ALIAS_NOT_FOUND_ERR") => Self::KeyNotFound,
            (_, "KEY_DELETED_ERR") => Self::KeyDeleted,
            (_, "KEY_EXPIRED_ERR") => Self::Expired,
            (_, "KEY_ROTATION_NOT_PERMITTED") => Self::RotationTooEarly,
            (_, "REQ_TOO_EARLY_ERR") => Self::TooEarly,
            (_, "KEY_PAYLOAD_REQ_ERR") => Self::PayloadRequired,
            (_, "AUTHORIZATIONS_NOT_MET") => Self::AuthorizationsNotMet,
            (_, "PREV_KEY_DEL_ERR") => Self::PreviousKeyDeleted,
            (_, "PROTECTED_RESOURCE_ERR") => Self::Protected,
            (_, "KEY_ALIAS_NOT_UNIQUE_ERR") => Self::Exists,
            (_, "UNPROCESSABLE_CIPHERTEXT_ERR") => Self::UnprocessableCiphertext,
            (_, "KEY_ACTION_INVALID_STATE_ERR" | "KEY_INVALID_STATE_ERR") => Self::InvalidState,
            (401, _) => Self::Unauthorized,
            (403, _) => Self::Forbidden,
            (404, _) => Self::KeyNotFound,
            (410, _) => Self::KeyDeleted,
            (429, _) => Self::RateLimited,
            _ => Self::Other,
        }
    }

    /// What it means, and what an operator can do.
    pub fn remedy(self) -> &'static str {
        match self {
            Self::Unauthorized => {
                "it does not accept the token of IAM: see whether the API key is of the account that has the instance"
            }
            Self::Forbidden => {
                "the service ID has no right to it: give it the platform role Viewer and the service role Manager on the \
                 instance, see `claviger doctor`"
            }
            Self::KeyNotFound => {
                "it has no such key: see instance_id, key_ring and the service ID's rights to the key"
            }
            Self::KeyDeleted => {
                "the key was deleted there: restore it within 30 days with `claviger root-key restore`, or in IBM's console"
            }
            Self::KeyDisabled => {
                "the key is disabled there: enable it with `claviger root-key enable`, or in IBM's console"
            }
            Self::Expired => {
                "the key's expiration date is over: rotate it, or move its adapters to another root key"
            }
            Self::InvalidState => "the key is not in a state for it: see its state in IBM's console",
            Self::RotationTooEarly => "the key was rotated less than an hour ago: try again later",
            Self::TooEarly => "the key's state was changed moments ago: try again in half a minute",
            Self::PayloadRequired => {
                "the key was imported, and a new version must be as well: rotate it in IBM's console with new key material; it \
                 is noticed here"
            }
            Self::AuthorizationsNotMet => {
                "the key has a dual authorization policy: it is set for deletion now, and a second identity must delete it \
                 within seven days, in IBM's console or with `ibmcloud kp key delete`"
            }
            Self::PreviousKeyDeleted => "a version of the key was deleted there: it can't be done any more",
            Self::Protected => {
                "the key protects resources of the cloud: remove its registrations in IBM's console before"
            }
            Self::Exists => "a key with this alias is there already: give the root key another name",
            Self::UnprocessableCiphertext => {
                "the wrapped key does not open: it was changed, or another root key wrapped it"
            }
            Self::RateLimited => "too many requests come in a time",
            Self::Other => "it can't be done",
        }
    }
}

impl Kind {
    /// Whether it may be over later, by itself or by somebody's doing in the key manager.
    pub(super) fn may_pass(self) -> bool {
        matches!(
            self,
            Self::Unauthorized
                | Self::Forbidden
                | Self::KeyNotFound
                | Self::KeyDeleted
                | Self::KeyDisabled
                | Self::Expired
                | Self::InvalidState
                | Self::RotationTooEarly
                | Self::TooEarly
                | Self::RateLimited
        )
    }
}
