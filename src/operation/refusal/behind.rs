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
            Some(store::Error::NameTaken { name }) => return Self::name_of_new_taken(name),
            Some(store::Error::QuotaReached { keys, .. }) => return Self::key_quota(*keys),
            Some(store::Error::VersionGone { .. }) => {
                return Self::failed(
                    ResultReason::GeneralFailure,
                    "The root key was rotated meanwhile; try again",
                    error.to_string(),
                );
            }
            _ => {}
        }
        if let recorder::Error::Held(_) = error {
            return Self::failed(
                ResultReason::GeneralFailure,
                "The server does not serve: its custody log is not the one that was written last",
                error.to_string(),
            );
        }
        let is_unknown = error.is_outcome_unknown();
        let message = if matches!(error, recorder::Error::Unwitnessed { .. }) {
            "The request is recorded, and not enough witnesses have seen its record; try again"
        } else if is_unknown {
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

    /// What holds the root key did not make or wrap a key (section 11.2).
    pub(in crate::operation) fn not_made(error: &root_key::Error) -> Self {
        Self::of_backend("The key could not be made", error)
    }

    /// What holds the root key did not release a key.
    pub(in crate::operation) fn not_released(error: &root_key::Error) -> Self {
        Self::of_backend("The key could not be read", error)
    }

    /// A client that tries again later, or at the next server of its list, must be able to tell that from the reason: what
    /// may work in a moment is a General Failure, what somebody has to allow again Permission Denied, and what will not work a
    /// Cryptographic Failure.
    pub(super) fn of_backend(message: &'static str, error: &root_key::Error) -> Self {
        let cause = error.to_string();
        if let Some(deletion) = Deletion::of(error) {
            let mut refusal = Self::failed(ResultReason::CryptographicFailure, message, cause);
            refusal.more.deletion = Some(deletion);
            return refusal;
        }
        if let Some(trouble) = error.root_key_trouble() {
            let message = format!("{message}: {trouble}");
            return Self::failed(ResultReason::PermissionDenied, message, cause);
        }
        let mut refusal = if error.is_retryable() {
            let why = if error.is_busy() {
                "has too much to do now"
            } else {
                "does not answer now"
            };
            let noun = error.backend_kind().noun();
            let message = format!("{message}: the {noun} {why}; try again");
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::root_key::key_protect::{self, Kind};

    fn told(source: key_protect::Error) -> (ResultReason, String) {
        let backend = "ibm".to_owned();
        let refusal = Refusal::not_released(&root_key::Error::KeyProtect { backend, source });
        (refusal.reason, refusal.message.into_owned())
    }

    /// Whatever a client reads, nothing of the key manager is in it.
    fn names_nothing(message: &str) {
        for detail in ["ibm", "0b9c", "https", "correlation", "KEY_"] {
            assert!(!message.contains(detail), "{message}");
        }
    }

    #[test]
    fn a_client_reads_what_became_of_the_root_key_and_nothing_of_what_holds_it() {
        for (kind, what) in [
            (Kind::KeyDisabled, "the root key is disabled in the key manager"),
            (Kind::KeyDeleted, "the root key is deleted in the key manager"),
        ] {
            let key = "0b9c7c3e-0000-4000-8000-000000000001".to_owned();
            let (reason, message) = told(key_protect::Error::State { key, kind });
            assert_eq!(reason, ResultReason::PermissionDenied);
            assert!(message.contains(what), "{message}");
            names_nothing(&message);
        }
    }

    #[test]
    fn a_client_tries_again_where_the_key_manager_is_out_of_reach() {
        let (reason, message) = told(key_protect::Error::Unavailable {
            service: "Key Protect",
            reason: "https://eu-de.kms.cloud.ibm.com refuses".into(),
            correlation_id: "0b9c".into(),
        });
        assert_eq!(reason, ResultReason::GeneralFailure);
        assert!(
            message.ends_with("the key manager does not answer now; try again"),
            "{message}"
        );
        names_nothing(&message);
        let (reason, message) = told(key_protect::Error::Busy);
        assert_eq!(reason, ResultReason::GeneralFailure);
        assert!(
            message.contains("the key manager has too much to do now"),
            "{message}"
        );
    }
}
