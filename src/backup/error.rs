//! What can go wrong with a backup.

use std::io;
use std::path::PathBuf;

use crate::{job, root_key, store};

/// A backup's errors.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file is no backup, or of a form that this version does not know.
    #[error("this is no backup that this version can read: {why}")]
    Form {
        /// What does not fit.
        why: String,
    },
    /// The file ends before the backup does.
    #[error("the backup was cut short: it ends after {at} bytes, and the backup does not")]
    Short {
        /// The file's length in bytes.
        at: u64,
    },
    /// Some bytes are not those that were written.
    #[error("the backup was changed, or is not of this key: nothing fits from byte {at} on")]
    Changed {
        /// Where the first chunk begins that does not fit.
        at: u64,
    },
    /// A part of a backup is not what it should be, though its chunk is whole.
    #[error("the backup contradicts itself: {what}")]
    Contradiction {
        /// What does not fit.
        what: String,
    },
    /// The key under which the backup is can't be had, or does not open it.
    #[error(
        "the key of the backup, {label:?} on the token {token:?} (serial {serial}) of {backend:?}: {source}"
    )]
    Key {
        /// What the token calls the key.
        label: String,
        /// The token's label.
        token: String,
        /// The token's serial number.
        serial: String,
        /// What holds it, by its name in the configuration.
        backend: String,
        /// What its holder said.
        source: Box<root_key::Error>,
    },
    /// No key for backups was made yet, or its facts can't be read.
    #[error("the key for backups, {}: {why}", path.display())]
    NoKey {
        /// The file with the facts of the key.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A file that belongs into the backup, or comes out of it, can't be used.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The backup itself can't be read or written.
    #[error("the backup can't be {doing}: {source}")]
    Io {
        /// `read` or `written`.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The custody log is not whole.
    #[error(transparent)]
    Log(#[from] job::LedgerError),
    /// A part of this process ended before its work did.
    #[error("the work on the backup broke off: {why}")]
    BrokenOff {
        /// Why.
        why: String,
    },
}

impl Error {
    pub(super) fn reading(source: io::Error) -> Self {
        Self::Io {
            doing: "read",
            source,
        }
    }

    pub(super) fn writing(source: io::Error) -> Self {
        Self::Io {
            doing: "written",
            source,
        }
    }

    pub(super) fn contradiction(what: impl Into<String>) -> Self {
        Self::Contradiction { what: what.into() }
    }
}
