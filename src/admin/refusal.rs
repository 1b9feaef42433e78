//! The reply to a request that is refused or fails. The one place where statuses and codes are chosen.

use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};

use super::api::{ErrorBody, ErrorReply};
use crate::root_key::key_protect;

/// What kind of refusal it is; the table in [`super`] says when each is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    BadRequest,
    UnsupportedMediaType,
    Invalid,
    NotAdmitted,
    Unauthorized,
    NotFound,
    MethodNotAllowed,
    Taken,
    InUse,
    WrongState,
    SecondAdministrator,
    Conflict,
    TooLarge,
    Tampered,
    Internal,
    BackendFailed,
    Unavailable,
    Deadline,
}

impl Kind {
    pub(super) fn status_and_code(self) -> (StatusCode, &'static str) {
        match self {
            Self::BadRequest => (StatusCode::BAD_REQUEST, "bad_request"),
            Self::UnsupportedMediaType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "bad_request"),
            Self::Invalid => (StatusCode::BAD_REQUEST, "invalid"),
            Self::NotAdmitted => (StatusCode::FORBIDDEN, "not_admitted"),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::Taken => (StatusCode::CONFLICT, "taken"),
            Self::InUse => (StatusCode::CONFLICT, "in_use"),
            Self::WrongState => (StatusCode::CONFLICT, "wrong_state"),
            Self::SecondAdministrator => (StatusCode::FORBIDDEN, "second_administrator"),
            Self::Conflict => (StatusCode::CONFLICT, "conflict"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            Self::Tampered => (StatusCode::INTERNAL_SERVER_ERROR, "tampered"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
            Self::BackendFailed => (StatusCode::BAD_GATEWAY, "backend_failed"),
            Self::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
            Self::Deadline => (StatusCode::GATEWAY_TIMEOUT, "deadline"),
        }
    }
}

/// What is to be done where whoever asked for something may not approve of it.
pub(super) const ANOTHER: &str = "another administrator must approve of it: another user of the server's machine, or another's certificate";

/// Why a request is not answered with a success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    kind: Kind,
    message: String,
    remedy: Option<String>,
    /// What Key Protect calls it, where the kind alone does not say.
    key_protect: Option<&'static str>,
}

impl Refusal {
    pub(super) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            remedy: None,
            key_protect: None,
        }
    }

    /// The same refusal, by the code that Key Protect has for it.
    pub(super) fn key_protect(self, code: &'static str) -> Self {
        Self {
            key_protect: Some(code),
            ..self
        }
    }

    /// The same, where it is of this kind.
    pub(super) fn key_protect_if(self, kind: Kind, code: &'static str) -> Self {
        if self.kind == kind {
            self.key_protect(code)
        } else {
            self
        }
    }

    pub(super) const fn key_protect_code(&self) -> Option<&'static str> {
        self.key_protect
    }

    pub(super) fn remedy_text(&self) -> Option<&str> {
        self.remedy.as_deref()
    }

    pub(super) fn remedy(self, remedy: impl Into<String>) -> Self {
        Self {
            remedy: Some(remedy.into()),
            ..self
        }
    }

    /// The same refusal with more to say.
    pub(super) fn and(self, more: &str) -> Self {
        Self {
            message: format!("{}; {more}", self.message),
            ..self
        }
    }

    /// There is no `what` that is called `name`.
    pub(super) fn not_found(what: &str, name: &str) -> Self {
        Self::new(Kind::NotFound, format!("there is no {what} {name:?}"))
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    pub(super) fn message(&self) -> &str {
        &self.message
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, code) = self.kind.status_and_code();
        if status.is_server_error() {
            tracing::error!(code, message = %self.message, "an administration request failed");
        }
        let error = ErrorBody {
            code: code.to_owned(),
            message: self.message.clone(),
            remedy: self.remedy.clone(),
        };
        // For whoever has to say it in another form.
        (status, Extension(self), Json(ErrorReply { error })).into_response()
    }
}

impl From<JsonRejection> for Refusal {
    fn from(rejection: JsonRejection) -> Self {
        let kind = match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Kind::TooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Kind::UnsupportedMediaType,
            _ => Kind::BadRequest,
        };
        Self::new(kind, rejection.body_text())
    }
}

impl From<QueryRejection> for Refusal {
    fn from(rejection: QueryRejection) -> Self {
        Self::new(Kind::BadRequest, rejection.body_text())
    }
}

impl From<PathRejection> for Refusal {
    fn from(rejection: PathRejection) -> Self {
        Self::new(Kind::BadRequest, rejection.body_text())
    }
}

impl From<crate::adapter::Error> for Refusal {
    fn from(error: crate::adapter::Error) -> Self {
        Self::new(Kind::Invalid, error.to_string())
    }
}

impl From<crate::store::Error> for Refusal {
    fn from(error: crate::store::Error) -> Self {
        let refusal = Self::new(kind_of_store_error(&error), error.to_string());
        match error {
            crate::store::Error::SealKeyMissing { .. } => refusal.remedy(
                "`claviger status` says why; where it is disabled or deleted in its key manager, `claviger root-key enable` \
                 or `claviger root-key restore` works all the same",
            ),
            _ => refusal,
        }
    }
}

impl From<crate::recorder::Error> for Refusal {
    fn from(error: crate::recorder::Error) -> Self {
        use crate::recorder::Error;
        let kind = match &error {
            Error::Conflict(_) => Kind::Conflict,
            Error::Change(error) => kind_of_store_error(error),
            Error::Refused(_) | Error::BrokenLog { .. } | Error::Held(_) | Error::Stopped => {
                Kind::Unavailable
            }
            Error::NotHeld => Kind::WrongState,
            Error::OutcomeUnknown(_) | Error::WriterEnded | Error::Unwitnessed { .. } => Kind::Internal,
        };
        let refusal = Self::new(kind, error.to_string());
        match error {
            Error::OutcomeUnknown(_) | Error::WriterEnded | Error::Unwitnessed { .. } => {
                refusal.remedy("read the resource before repeating the change")
            }
            Error::Held(_) => refusal.remedy(
                "put the right database back; or have two administrators agree to go on from this one: `claviger custody \
                 epoch open` and `claviger custody epoch approve`",
            ),
            Error::Refused(_) => {
                refusal.remedy("nothing was changed; see whether the store's disk is full or gone")
            }
            _ => refusal,
        }
    }
}

fn kind_of_store_error(error: &crate::store::Error) -> Kind {
    use crate::store::Error;
    match error {
        Error::Tampered { .. } => Kind::Tampered,
        Error::SealKeyMissing { .. } => Kind::BackendFailed,
        Error::Conflict { .. }
        | Error::RootKeyMoved { .. }
        | Error::SettingMoved { .. }
        | Error::VersionGone { .. } => Kind::Conflict,
        Error::RootKeyUnusable { .. } | Error::NotPrunable { .. } | Error::QuotaReached { .. } => {
            Kind::WrongState
        }
        Error::Exists { .. } => Kind::Taken,
        Error::NotFound { .. } => Kind::NotFound,
        Error::InUse { .. } => Kind::InUse,
        Error::Unfit { .. } => Kind::Invalid,
        _ => Kind::Unavailable,
    }
}

impl From<crate::root_key::Error> for Refusal {
    fn from(error: crate::root_key::Error) -> Self {
        let remedy = match &error {
            crate::root_key::Error::NotReplicated {
                made_on,
                missing_on,
                label,
                ..
            } => format!(
                "have the HSM copy keys from {made_on} to {missing_on}, or clone the key by hand while the next one is \
                 made (`replication` of the mirror says how long that may take); then remove {label} from {made_on} and \
                 make it again, or bring it again"
            ),
            // It says itself what is to be done.
            crate::root_key::Error::KeyProtect { source, .. } if source.kind().is_some_and(has_remedy) => {
                return Self::new(kind_of_key_manager_error(source), error.to_string());
            }
            _ => format!(
                "`claviger doctor` tries the {} by itself and says what is wrong with it",
                error.backend_kind().noun()
            ),
        };
        Self::new(Kind::BackendFailed, error.to_string()).remedy(remedy)
    }
}

/// Whether the refusal of the key manager is one whose text has the remedy.
fn has_remedy(kind: key_protect::Kind) -> bool {
    use key_protect::Kind;
    !matches!(kind, Kind::Unauthorized | Kind::Forbidden | Kind::Other)
}

fn kind_of_key_manager_error(error: &key_protect::Error) -> Kind {
    use key_protect::Kind as Their;
    match error.kind() {
        Some(Their::Exists) => Kind::Taken,
        Some(
            Their::KeyDeleted
            | Their::KeyDisabled
            | Their::Expired
            | Their::InvalidState
            | Their::RotationTooEarly
            | Their::TooEarly
            | Their::PayloadRequired
            | Their::AuthorizationsNotMet
            | Their::PreviousKeyDeleted
            | Their::Protected,
        ) => Kind::WrongState,
        _ => Kind::BackendFailed,
    }
}
