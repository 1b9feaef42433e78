//! Whether a witness may sign: the checks of `add-checkpoint`, in their order, over what is known and what came. Pure.

use super::{AddCheckpoint, NotARequest};
use crate::custody::{
    Checkpoint, CheckpointError, CompactRange, Head, NoteError, ProofError, VerifierKey, verify_consistency,
};

/// A log that is witnessed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessedLog {
    /// The first line of its checkpoints.
    pub origin: String,
    /// The keys that may sign them, one at least.
    pub keys: Vec<VerifierKey>,
}

/// Why a checkpoint is not cosigned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// It is no request.
    #[error(transparent)]
    Request(#[from] NotARequest),
    /// What is signed is no checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The log is not one that is witnessed here.
    #[error("the log {0:?} is not witnessed here: its administrator has to add its key to the witness")]
    UnknownLog(String),
    /// No known key of the log signed it, or such a signature does not hold.
    #[error(transparent)]
    Signature(NoteError),
    /// It says that it continues a log that is larger than it.
    #[error("the checkpoint is of {size} records, and is said to continue a log of {old}")]
    OldIsLarger {
        /// The size that it is said to continue.
        old: u64,
        /// Its own.
        size: u64,
    },
    /// It does not continue what was cosigned last.
    #[error(
        "the checkpoint is said to continue a log of {old} records, and the one cosigned last is of {latest}"
    )]
    NotTheLatest {
        /// The size that it is said to continue.
        old: u64,
        /// The size that was cosigned last; 0 where there is none.
        latest: u64,
    },
    /// It is of no record, and its root is not that of an empty tree.
    #[error("the checkpoint is of no record, and its root is not the one of an empty tree")]
    EmptyRoot,
    /// It has the size that was cosigned last, and another root: there are two logs of one name.
    #[error(
        "two logs have the name {origin:?}: of {size} records, the root was {cosigned} when it was cosigned, and is {found} now"
    )]
    Fork {
        /// The log.
        origin: String,
        /// The size of both.
        size: u64,
        /// The root that was cosigned.
        cosigned: crate::custody::Hash,
        /// The root that came.
        found: crate::custody::Hash,
    },
    /// The proof does not hold.
    #[error("the checkpoint is not proved to continue the one cosigned last: {0}")]
    Inconsistent(#[from] ProofError),
}

impl Refusal {
    /// The status of HTTP that says so (C2SP tlog-witness).
    pub const fn status(&self) -> u16 {
        match self {
            Self::Request(_) | Self::Checkpoint(_) | Self::OldIsLarger { .. } => 400,
            Self::Signature(_) => 403,
            Self::UnknownLog(_) => 404,
            Self::NotTheLatest { .. } => 409,
            Self::EmptyRoot | Self::Fork { .. } | Self::Inconsistent(_) => 422,
        }
    }
}

/// A checkpoint that one of its log's keys signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Authentic<'l> {
    pub(super) checkpoint: Checkpoint,
    /// Those of the keys that signed it.
    pub(super) signers: Vec<&'l VerifierKey>,
}

/// Whether one of the log's keys signed the checkpoint.
pub(super) fn authenticate<'l>(
    request: &AddCheckpoint,
    logs: &'l [WitnessedLog],
) -> Result<Authentic<'l>, Refusal> {
    let checkpoint: Checkpoint = request.note.text.parse()?;
    let log = logs.iter().find(|log| log.origin == checkpoint.origin);
    let log = log.ok_or_else(|| Refusal::UnknownLog(checkpoint.origin.clone()))?;
    let signed = request.note.verified_by(&log.keys).map_err(Refusal::Signature)?;
    Ok(Authentic {
        checkpoint,
        signers: signed.into_iter().map(|(key, _)| key).collect(),
    })
}

/// Whether the checkpoint continues what was cosigned last.
pub(super) fn consistent(
    request: &AddCheckpoint,
    checkpoint: &Checkpoint,
    latest: Option<Head>,
) -> Result<(), Refusal> {
    let Head { size, root } = checkpoint.head;
    let old = request.old;
    if old > size {
        return Err(Refusal::OldIsLarger { old, size });
    }
    let empty = Head {
        size: 0,
        root: CompactRange::new().root(),
    };
    let latest = latest.unwrap_or(empty);
    if old != latest.size {
        return Err(Refusal::NotTheLatest {
            old,
            latest: latest.size,
        });
    }
    if size == 0 && root != empty.root {
        return Err(Refusal::EmptyRoot);
    }
    if old == size && root != latest.root {
        return Err(Refusal::Fork {
            origin: checkpoint.origin.clone(),
            size,
            cosigned: latest.root,
            found: root,
        });
    }
    verify_consistency((old, latest.root), (size, root), &request.proof)?;
    Ok(())
}

/// Whether a witness of these logs, which cosigned `latest` of the checkpoint's, may sign it.
pub fn judge(
    request: &AddCheckpoint,
    logs: &[WitnessedLog],
    latest: impl FnOnce(&str) -> Option<Head>,
) -> Result<Checkpoint, Refusal> {
    let Authentic { checkpoint, .. } = authenticate(request, logs)?;
    consistent(request, &checkpoint, latest(&checkpoint.origin))?;
    Ok(checkpoint)
}
