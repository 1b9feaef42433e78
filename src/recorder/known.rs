//! The last head of the log that is known outside of the store, and what it says of a store that was taken back.
//!
//! A database that is restored from a backup, or that was forged as a whole, has a log that fits its own head. That it is not
//! the log that was written last is told by a file in the state directory, which has the head as it was a moment ago. A server
//! whose log is shorter than that, or not the same at its beginning, writes nothing ([`Recorder::hold`]), and so releases no
//! key, until two administrators open a new epoch ([`Recorder::open_epoch`]). The first record of an epoch says which head was
//! known, and what was found in its place.
//!
//! Whoever restores the state directory with the database takes the file back too: for that there are witnesses. One that has
//! cosigned more records than the log has makes the server hold it as well, with its first answer.
//!
//! [`Recorder::hold`]: super::Recorder::hold
//! [`Recorder::open_epoch`]: super::Recorder::open_epoch

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Recorder;
use crate::custody::{Hash, Head};
use crate::store::{self, Store};

/// Between two writings of the file while records come.
const INTERVAL: Duration = Duration::from_secs(1);

/// A head that is known, with the checkpoint that was signed last, where there is one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// The number of records.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
    /// The signed note of the last checkpoint; it is over as many records, or fewer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<String>,
    /// The number of records of which it was accepted, by a new epoch, that some are gone: a witness that has cosigned no more
    /// than that tells nothing new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<u64>,
}

/// The log of the store is not the one that was written last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollback {
    /// How many records the log is known to have had.
    pub known_size: u64,
    /// The root over them, where that is known.
    pub known_root: Option<Hash>,
    /// The last checkpoint that is known.
    pub known_checkpoint: Option<String>,
    /// The head that the store has.
    pub found: Head,
    /// The root over as many records as are known; none where the store has fewer.
    pub root_there: Option<Hash>,
    /// The witness by whose word the log had more; none where it was the file's.
    pub witness: Option<String>,
}

impl fmt::Display for Rollback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (known, found) = (self.known_size, self.found.size);
        match (&self.witness, self.root_there) {
            (Some(witness), _) => write!(
                f,
                "it has {found} records, and the witness {witness} has cosigned {known}: it was taken back to an older state"
            ),
            (None, None) => write!(
                f,
                "it has {found} records, and had {known} when it was written last: it was taken back to an older state"
            ),
            (None, Some(root)) => write!(
                f,
                "its first {known} records have the root {root}, which is not the one that they had when they were written: \
                 it is another log"
            ),
        }
    }
}

/// What is known of the log can't be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum KnownError {
    /// The file can't be used.
    #[error("the last known head of the custody log, {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not one that this server wrote.
    #[error("{} does not hold the last known head of the custody log: {why}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The log can't be compared with it.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// The file in which the last known head is kept.
#[derive(Clone, Debug)]
pub struct KnownHead {
    path: PathBuf,
}

impl KnownHead {
    /// The name of the file in the state directory.
    pub const FILE: &str = "custody-head.json";

    /// The file in this state directory.
    pub fn within(state_directory: &Path) -> Self {
        Self {
            path: state_directory.join(Self::FILE),
        }
    }

    /// What is known; none where nothing was ever kept.
    pub fn read(&self) -> Result<Option<Known>, KnownError> {
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(self.failed(source)),
        };
        let known = serde_json::from_slice(&text).map_err(|error| KnownError::Unreadable {
            path: self.path.clone(),
            why: error.to_string(),
        })?;
        Ok(Some(known))
    }

    /// Puts another head in its place: when this returns it is on the disk, and after a power cut there is the one or the
    /// other.
    pub fn keep(&self, known: &Known) -> Result<(), KnownError> {
        self.replace(known).map_err(|source| self.failed(source))
    }

    fn replace(&self, known: &Known) -> io::Result<()> {
        let new = self.path.with_extension("new");
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&new)?;
        file.write_all(&serde_json::to_vec(known)?)?;
        file.sync_all()?;
        fs::rename(&new, &self.path)?;
        match self.path.parent() {
            Some(folder) => File::open(folder)?.sync_all(),
            None => Ok(()),
        }
    }

    fn failed(&self, source: io::Error) -> KnownError {
        KnownError::File {
            path: self.path.clone(),
            source,
        }
    }

    /// Compares the log of the store with what is known; none where it continues it, or nothing is known.
    pub async fn compare(&self, store: &dyn Store) -> Result<Option<Rollback>, KnownError> {
        let found = store.custody_head().await?.head();
        let Some(known) = self.read()? else {
            if found.size > 0 {
                tracing::warn!(
                    "{} is not there: whether the custody log is the one that was written last can't be told this time",
                    self.path.display()
                );
            }
            return Ok(None);
        };
        let root_there = if found.size < known.size {
            None
        } else {
            let root = store::custody_root(store, known.size).await?;
            if root == known.root {
                return Ok(None);
            }
            Some(root)
        };
        Ok(Some(Rollback {
            known_size: known.size,
            known_root: Some(known.root),
            known_checkpoint: known.checkpoint,
            found,
            root_there,
            witness: None,
        }))
    }

    /// Keeps what the recorder has written, at most once a second, until the recorder has ended; then a last time.
    pub async fn follow(self, recorder: Recorder) {
        let (mut log, mut stopping) = (recorder.status.clone(), recorder.stop.subscribe());
        let (checkpoints, hold) = (recorder.checkpoints(), recorder.hold.subscribe());
        let accepted = Arc::clone(&recorder.accepted);
        // Its writer ends when nobody is left who could send.
        drop(recorder);
        let mut kept = None;
        let mut said = false;
        loop {
            let ended = log.changed().await.is_err();
            let head = log.borrow_and_update().head;
            let checkpoint = checkpoints
                .borrow()
                .latest
                .as_ref()
                .map(|latest| latest.note.clone());
            let known = Known {
                size: head.size,
                root: head.root,
                checkpoint,
                accepted: Some(accepted.load(Ordering::Relaxed)).filter(|size| *size > 0),
            };
            // What a log that is held has is not to be known in the place of what is.
            if hold.borrow().is_none() && kept.as_ref() != Some(&known) {
                let (file, told) = (self.clone(), known.clone());
                let done = tokio::task::spawn_blocking(move || file.keep(&told)).await;
                match done {
                    Ok(Ok(())) => (kept, said) = (Some(known), false),
                    Ok(Err(error)) if !said => {
                        tracing::error!(%error, "a rollback of the database would not be noticed");
                        said = true;
                    }
                    _ => {}
                }
            }
            if ended {
                return;
            }
            // A stop is not held up: what is written last is known at once.
            let _ = tokio::time::timeout(INTERVAL, stopping.wait_for(|stop| *stop)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_there_after_a_writing_that_broke_off() {
        let folder = tempfile::tempdir().unwrap();
        let file = KnownHead::within(folder.path());
        assert_eq!(file.read().unwrap(), None);
        let known = Known {
            size: 7,
            root: Hash([3; 32]),
            checkpoint: Some("a note\n".to_owned()),
            accepted: None,
        };
        file.keep(&known).unwrap();
        fs::write(folder.path().join("custody-head.new"), "{\"siz").unwrap();
        assert_eq!(file.read().unwrap(), Some(known.clone()));
        file.keep(&Known {
            size: 8,
            ..known.clone()
        })
        .unwrap();
        assert_eq!(file.read().unwrap().unwrap().size, 8);
    }

    #[test]
    fn a_file_that_says_nothing_of_the_log_is_not_taken_for_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = KnownHead::within(folder.path());
        fs::write(folder.path().join(KnownHead::FILE), "").unwrap();
        assert!(matches!(file.read(), Err(KnownError::Unreadable { .. })));
    }
}
