//! What a server knows of its backups: two small files in its state directory.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Error, Header, Made};
use crate::custody::{Actor, Event, EventName, Hash};
use crate::store::{self, Store};

/// The last backup that this server made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LastBackup {
    /// When it was begun.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// How many records of the custody log it has.
    pub records: u64,
    /// Its length in bytes.
    pub bytes: u64,
    /// SHA-256 of the file.
    pub sha256: Hash,
}

impl From<&Made> for LastBackup {
    fn from(made: &Made) -> Self {
        Self {
            at: made.header.created_at,
            records: made.header.records,
            bytes: made.bytes,
            sha256: made.sha256,
        }
    }
}

impl LastBackup {
    const FILE: &str = "last-backup.json";

    /// What is known; none where no backup was made.
    pub fn within(state_directory: &Path) -> Result<Option<Self>, Error> {
        read(&state_directory.join(Self::FILE))
    }

    /// Keeps it in the place of the one before.
    pub fn keep(&self, state_directory: &Path) -> Result<(), Error> {
        keep(&state_directory.join(Self::FILE), self)
    }
}

/// That the database was restored, until a server has recorded it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restored {
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
    /// The user who did it.
    uid: u32,
    /// SHA-256 of the backup's file.
    sha256: Hash,
    /// What the backup says of itself.
    header: Header,
}

impl Restored {
    const FILE: &str = "restored.json";

    /// A restoration now, by this user.
    pub fn now(uid: u32, sha256: Hash, header: Header) -> Self {
        Self {
            at: OffsetDateTime::now_utc(),
            uid,
            sha256,
            header,
        }
    }

    /// What waits to be recorded.
    pub fn within(state_directory: &Path) -> Result<Option<Self>, Error> {
        read(&state_directory.join(Self::FILE))
    }

    /// Keeps it: to be called before the database is filled, so that it is known however this ends.
    pub fn keep(&self, state_directory: &Path) -> Result<(), Error> {
        keep(&state_directory.join(Self::FILE), self)
    }

    /// Forgets it: it was recorded, or nothing was restored.
    pub fn forget(state_directory: &Path) -> Result<(), Error> {
        let path = state_directory.join(Self::FILE);
        match fs::remove_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed.map_err(|source| Error::File { path, source }),
        }
    }

    /// The record of it; none where the store does not go on from the backup: then it was not restored after all.
    pub async fn event(&self, store: &dyn Store) -> Result<Option<Event>, store::Error> {
        let head = store.custody_head().await?.head();
        let backup = self.header.head();
        if head.size < backup.size || store::custody_root(store, backup.size).await? != backup.root {
            return Ok(None);
        }
        let event = Event::new(EventName::BackupRestore, Actor::Server)
            .detail("backup", self.header.id.to_string())
            .detail("backup_of", self.header.node.clone())
            .detail("backup_records", backup.size.to_string())
            .detail("backup_root", backup.root.to_string())
            .detail("backup_sha256", self.sha256.to_string())
            .detail("made_at", rfc3339(self.header.created_at))
            .detail("restored_at", rfc3339(self.at))
            .detail("restored_by_uid", self.uid.to_string());
        Ok(Some(event))
    }
}

fn rfc3339(time: OffsetDateTime) -> String {
    time.format(&Rfc3339).unwrap_or_else(|_| time.to_string())
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Error> {
    let failed = |source: io::Error| Error::File {
        path: path.to_owned(),
        source,
    };
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(error)),
        Ok(text) => serde_json::from_slice(&text)
            .map(Some)
            .map_err(|error| failed(error.into())),
    }
}

/// Puts the value into the file: when this returns it is on the disk, and after a power cut there is the one or the other.
fn keep(path: &Path, value: &impl Serialize) -> Result<(), Error> {
    let new: PathBuf = path.with_extension("new");
    let kept = (|| {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&new)?;
        file.write_all(&serde_json::to_vec(value)?)?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        match path.parent() {
            Some(folder) => File::open(folder)?.sync_all(),
            None => Ok(()),
        }
    })();
    kept.map_err(|source| Error::File {
        path: path.to_owned(),
        source,
    })
}
