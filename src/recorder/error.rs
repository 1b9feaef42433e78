//! Why something was not written.

use std::sync::Arc;
use std::time::Duration;

use super::Rollback;
use crate::store;

/// The recorder's errors.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A key was written by somebody else since it was read. Nothing was changed; read it again and decide anew.
    #[error("{0}")]
    Conflict(Arc<store::Error>),
    /// The store refused the change; nothing was changed or recorded.
    #[error("{0}")]
    Change(Arc<store::Error>),
    /// The log could not be written, so nothing was changed.
    #[error("the custody log cannot be written, and nothing is done without it: {0}")]
    Refused(Arc<store::Error>),
    /// The commit failed and the store cannot be read to see what became of it. Nothing more is written until it can.
    #[error("it is not known whether the change and its record were written: {0}")]
    OutcomeUnknown(Arc<store::Error>),
    /// The log does not fit its head.
    #[error(
        "the custody log does not fit its head, and nothing is added to it: {why}; run `claviger custody verify`"
    )]
    BrokenLog {
        /// What does not fit.
        why: String,
    },
    /// The log is not the one that was written last; nothing was changed, and nothing is until a new epoch is opened.
    #[error(
        "the custody log is not the one that was written last, and nothing is done without it: {0}; `claviger custody \
         epoch show` tells more"
    )]
    Held(Arc<Rollback>),
    /// A new epoch was to be opened, and the log goes on from what was written last.
    #[error("the custody log goes on from what was written last, so there is no new epoch to be opened")]
    NotHeld,
    /// The writer ended before it answered, as when the program is being torn down.
    #[error(
        "the custody log's writer ended, and it is not known whether the change and its record were written"
    )]
    WriterEnded,
    /// Change and record are there, and too few witnesses have seen the record to answer the client.
    #[error(
        "record {sequence} is written, and not enough witnesses have cosigned it within {wait:?}, which \
         `custody.witness.when_absent` asks for: {why}"
    )]
    Unwitnessed {
        /// The number of the record.
        sequence: u64,
        /// How long was waited for them.
        wait: Duration,
        /// What is known of them.
        why: String,
    },
    /// The recorder was stopped; nothing was changed.
    #[error("the server is stopping")]
    Stopped,
}

impl Error {
    /// The store's error behind it, where there is one.
    pub fn store(&self) -> Option<&store::Error> {
        match self {
            Self::Conflict(error)
            | Self::Change(error)
            | Self::Refused(error)
            | Self::OutcomeUnknown(error) => Some(error),
            Self::BrokenLog { .. }
            | Self::Held(_)
            | Self::NotHeld
            | Self::WriterEnded
            | Self::Unwitnessed { .. }
            | Self::Stopped => None,
        }
    }

    /// Whether change and record may be there: nobody knows, or they are, and are too little to answer the client.
    pub const fn is_outcome_unknown(&self) -> bool {
        matches!(
            self,
            Self::OutcomeUnknown(_) | Self::WriterEnded | Self::Unwitnessed { .. }
        )
    }

    /// The error of a change that the store refused while the log is well.
    pub(super) fn of_change(error: store::Error) -> Self {
        let error = Arc::new(error);
        if matches!(*error, store::Error::Conflict { .. }) {
            Self::Conflict(error)
        } else {
            Self::Change(error)
        }
    }
}
