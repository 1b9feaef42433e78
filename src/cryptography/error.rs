//! Why something could not be computed. No text holds a key or data.

use openssl::error::ErrorStack;

/// Why something could not be computed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// This combination of algorithm, mode, padding or hash is not known here.
    #[error("{what} is not supported")]
    Unsupported {
        /// What it is.
        what: String,
    },
    /// A key, a vector, a tag or a salt has a length that the algorithm does not take.
    #[error("{what} can't have {bytes} bytes here")]
    Length {
        /// What has it: `the key`.
        what: &'static str,
        /// The length.
        bytes: usize,
    },
    /// The tag, the padding or the check value of what was to be opened is wrong.
    #[error("the data is not what was sealed with this key")]
    Refused,
    /// The library failed.
    #[error("OpenSSL: {reason}")]
    Library {
        /// What it says.
        reason: String,
    },
}

impl Error {
    pub(super) fn unsupported(what: impl Into<String>) -> Self {
        Self::Unsupported { what: what.into() }
    }
}

impl From<ErrorStack> for Error {
    fn from(error: ErrorStack) -> Self {
        Self::Library {
            reason: error.to_string(),
        }
    }
}
