//! Why the stand-in does not start.

use std::path::{Path, PathBuf};

/// Why the stand-in does not start. What a client is refused is another matter, and goes out as the service says it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file of the directory can't be made, read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// What lies in a file is not what the stand-in wrote there.
    #[error("{path} is not what was written there: {reason}")]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The token that holds the root keys can't be made or used.
    #[error("the token of the root keys: {0}")]
    Token(String),
    /// The device of the root keys.
    #[error("the device of the root keys: {0}")]
    Device(#[from] claviger_hsm::Error),
    /// A certificate or a TLS configuration can't be made.
    #[error("the server's certificate: {0}")]
    Certificate(String),
    /// The socket can't be had.
    #[error("the socket: {0}")]
    Socket(std::io::Error),
    /// The thread or the runtime of the server can't be made, or ended without a word.
    #[error("the server's thread: {0}")]
    Thread(String),
}

impl Error {
    pub(crate) fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }

    #[allow(clippy::needless_pass_by_value)] // As an error is mapped.
    pub(crate) fn content(path: &Path, reason: impl std::fmt::Display) -> Self {
        Self::Content {
            path: path.to_owned(),
            reason: reason.to_string(),
        }
    }
}
