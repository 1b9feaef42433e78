//! Why something behind the server did not work: the store, the recorder, the device.

use super::{Refusal, Tampered};
use crate::adapter::RootKeyState;
use crate::custody::DeviceFault;
use crate::kmip::enumeration::ResultReason;
use crate::recorder::{self, Deletion};
use crate::{root_key, store};

impl Refusal {
    /// The store did not give what was asked of it.
    pub(in crate::operation) fn of_store(error: &store::Error) -> Self {
        let mut refusal = Self::failed(
            ResultReason::GeneralFailure,
            "The request could not be carried out",
            error.to_string(),
        );
        refusal.more.tampered = Tampered::of(error);
        refusal
    }

    /// The root key of the object, or of the adapter, may not be used.
    pub(in crate::operation) fn root_key_unusable(state: &RootKeyState) -> Self {
        let message = if state.is_beyond_recall() {
            "The root key has been destroyed: its keys cannot be read any more"
        } else {
            "The root key is disabled by an administrator"
        };
        Self::new(ResultReason::PermissionDenied, message)
    }

    /// The recorder did not write.
    pub(in crate::operation) fn of_recorder(error: &recorder::Error) -> Self {
        match error.store() {
            Some(store::Error::RootKeyUnusable { state, .. }) => return Self::root_key_unusable(state),
            Some(store::Error::VersionGone { .. }) => {
                return Self::failed(
                    ResultReason::GeneralFailure,
                    "The root key was rotated meanwhile; try again",
                    error.to_string(),
                );
            }
            _ => {}
        }
        let is_unknown = matches!(
            error,
            recorder::Error::OutcomeUnknown(_) | recorder::Error::WriterEnded
        );
        let message = if is_unknown {
            "It is not known whether the request was carried out"
        } else {
            "The request was not carried out, since it could not be recorded"
        };
        let mut refusal = Self::failed(ResultReason::GeneralFailure, message, error.to_string());
        refusal.more.is_unknown = is_unknown;
        refusal.more.tampered = error.store().and_then(Tampered::of);
        refusal
    }

    /// Others changed the object again and again.
    pub(in crate::operation) fn busy() -> Self {
        Self::failed(
            ResultReason::GeneralFailure,
            "The object is being changed by others; try again",
            "the revision moved each time".into(),
        )
    }

    /// The adapter's own rows do not fit together.
    pub(in crate::operation) fn incomplete(what: &'static str) -> Self {
        Self::failed(
            ResultReason::GeneralFailure,
            "The request could not be carried out",
            what.into(),
        )
    }

    /// The device did not make or wrap a key (section 11.2).
    pub(in crate::operation) fn not_made(error: &root_key::Error) -> Self {
        Self::of_device("The key could not be made", error)
    }

    /// The device did not release a key.
    pub(in crate::operation) fn not_released(error: &root_key::Error) -> Self {
        Self::of_device("The key could not be read", error)
    }

    /// A client that tries again later, or at the next server of its list, must be able to tell that from the reason: what
    /// may work in a moment is a General Failure, and what will not a Cryptographic Failure.
    pub(super) fn of_device(message: &'static str, error: &root_key::Error) -> Self {
        let cause = error.to_string();
        if let Some((backend, id, binding)) = error.deleted_wrapped_key() {
            let mut refusal = Self::failed(ResultReason::CryptographicFailure, message, cause);
            refusal.more.deletion = Some(Deletion {
                backend: backend.to_owned(),
                id: id.to_owned(),
                binding,
            });
            return refusal;
        }
        let mut refusal = if error.is_retryable() {
            let why = if error.is_busy() {
                "the device has too much to do now"
            } else {
                "the device does not answer now"
            };
            let message = format!("{message}: {why}; try again");
            Self::failed(ResultReason::GeneralFailure, message, cause)
        } else {
            Self::failed(ResultReason::CryptographicFailure, message, cause)
        };
        refusal.more.device = error.function().map(|(function, code, name)| DeviceFault {
            function: function.to_owned(),
            code,
            name: name.to_owned(),
        });
        refusal
    }

    /// The answer could not be written.
    pub(in crate::operation) fn not_written(cause: &str) -> Self {
        Self::failed(
            ResultReason::CryptographicFailure,
            "The key could not be read",
            cause.to_owned(),
        )
    }
}
