//! Checkpoints: the head of the log, signed, so that nobody can tell of another log later.
//!
//! One task signs: at once after a group of records, at most once an interval, and a last time at a stop. When nothing
//! happens it writes a heartbeat, so that silence is told from a log that was cut. Another task asks the witnesses, so that
//! one of them that is slow holds up no checkpoint.
//!
//! Requests don't wait for a signature. While the signer is away the log goes on, and [`CheckpointStatus`] says how far the
//! last checkpoint lags.
//!
//! Before each signature the checkpoint that the store has is compared with the log: that it is its beginning is made out
//! from the hashes. Where it is not, nothing is signed, [`Recorder::broken`](super::Recorder::broken) tells why, and nothing
//! more is written.

mod cosigning;
mod signing;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use time::OffsetDateTime;

use crate::custody::{Checkpoint, Hash, Head, NoteSignature, SignedNote, VerifierKey};
use crate::store::{self, Store, StoredCheckpoint};

pub(super) use cosigning::Cosigning;
pub(super) use signing::Signing;

/// What signs the log: a key that does nothing else.
#[async_trait]
pub trait Signer: Send + Sync {
    /// What its signatures are verified with; its name is the one that they bear.
    fn key(&self) -> VerifierKey;

    /// Signs the text of a checkpoint, as [`VerifierKey::signature`] takes it. May be asked again for the same text.
    async fn sign(&self, text: &str) -> Result<Vec<u8>, SignError>;
}

/// Why a checkpoint was not signed, for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SignError(pub String);

/// Who is asked after each checkpoint whether they cosign it: the witnesses.
#[async_trait]
pub trait Cosigner: Send + Sync {
    /// Asks all of them for cosignatures of a checkpoint, and returns within a bound of its own.
    async fn cosign(&self, checkpoint: &Checkpoint, note: &SignedNote, log: &dyn Consistency) -> Cosigned;
}

/// What a witness wants to see before it cosigns.
#[async_trait]
pub trait Consistency: Send + Sync {
    /// What proves that the log at `from` records is the beginning of the log at `size`.
    async fn proof(&self, from: u64, size: u64) -> Result<Vec<Hash>, store::Error>;
}

/// What came of asking the witnesses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cosigned {
    /// The cosignatures that came, each verified by whoever asked.
    pub signatures: Vec<NoteSignature>,
    /// Whether they are enough by the policy.
    pub quorum: bool,
    /// How each witness did.
    pub witnesses: Vec<WitnessStatus>,
}

/// How one witness did when it was asked last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessStatus {
    /// The name of its key.
    pub name: String,
    /// Why it did not cosign; none where it did.
    pub trouble: Option<String>,
    /// How many records of this log it has cosigned, by its word, where that is more than there are.
    pub ahead: Option<u64>,
}

/// How the log is signed.
#[derive(Clone)]
pub struct Checkpoints {
    /// Which log it is: the first line of each checkpoint.
    pub origin: String,
    /// Who signs.
    pub signer: Arc<dyn Signer>,
    /// Who is asked to cosign.
    pub cosigner: Option<Arc<dyn Cosigner>>,
    /// How far apart checkpoints are at least, and how soon one is tried again.
    pub interval: Duration,
    /// After so long without a record, one is written.
    pub heartbeat: Duration,
}

/// How far the log is signed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckpointStatus {
    /// What checkpoints are verified with; none where nothing signs.
    pub key: Option<VerifierKey>,
    /// The checkpoint over the most records.
    pub latest: Option<StoredCheckpoint>,
    /// Why the last attempt made none; none where it did.
    pub failure: Option<CheckpointFailure>,
    /// The most records that enough witnesses have cosigned.
    pub cosigned: Option<u64>,
    /// How each witness did when it was asked last.
    pub witnesses: Vec<WitnessStatus>,
}

/// Why there is no newer checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointFailure {
    /// Since when.
    pub since: OffsetDateTime,
    /// Why, the last time.
    pub why: String,
}

impl CheckpointStatus {
    /// How many records of a log of this size are under no checkpoint yet.
    pub fn lag(&self, size: u64) -> u64 {
        size.saturating_sub(self.latest.as_ref().map_or(0, |latest| latest.size))
    }
}

/// A checkpoint of the store that is none, or is not one of this log.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    /// The store can't be asked; what it has is not known.
    #[error("{0}")]
    Unreadable(#[from] store::Error),
    /// What is there contradicts itself.
    #[error("{0}")]
    Contradiction(String),
}

/// The head that a stored checkpoint is of.
pub(super) fn head_of(stored: &StoredCheckpoint) -> Result<Head, Broken> {
    let broken = |why: String| {
        Broken::Contradiction(format!(
            "the checkpoint over {} records is none: {why}",
            stored.size
        ))
    };
    let note: SignedNote = stored
        .note
        .parse()
        .map_err(|error: crate::custody::NoteError| broken(error.to_string()))?;
    let checkpoint: Checkpoint = note
        .text
        .parse()
        .map_err(|error: crate::custody::CheckpointError| broken(error.to_string()))?;
    if checkpoint.head.size != stored.size {
        return Err(broken(format!("it is over {}", checkpoint.head.size)));
    }
    Ok(checkpoint.head)
}

/// That the log in the store has this head, and that the latest checkpoint, which is given back, is its beginning.
pub(super) async fn latest_of(
    store: &dyn Store,
    head: Head,
) -> Result<Option<(StoredCheckpoint, Head)>, Broken> {
    let latest = match store.custody_checkpoint().await? {
        None => None,
        Some(stored) => {
            let signed = head_of(&stored)?;
            // Another server may have written, and signed, since this head was read.
            let size = if signed.size > head.size {
                store.custody_head().await?.tree.size()
            } else {
                head.size
            };
            if signed.size > size {
                return Err(Broken::Contradiction(format!(
                    "a checkpoint over {} records was signed, and the log has {size}: records were taken away",
                    signed.size
                )));
            }
            require(store, signed, "was signed").await?;
            Some((stored, signed))
        }
    };
    require(store, head, "is its head").await?;
    Ok(latest)
}

async fn require(store: &dyn Store, head: Head, what: &str) -> Result<(), Broken> {
    let root = match store::custody_root(store, head.size).await {
        Ok(root) => root,
        Err(error @ store::Error::Tampered { .. }) => return Err(Broken::Contradiction(error.to_string())),
        Err(error) => return Err(error.into()),
    };
    if root == head.root {
        return Ok(());
    }
    Err(Broken::Contradiction(format!(
        "over {} records the root {} {what}, and the hashes of the log give {root}",
        head.size, head.root
    )))
}
