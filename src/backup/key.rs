//! The key under which backups are: made as a root key is, by a device or a key manager, and never seen outside of it.
//!
//! What is known of it is kept in a file beside the configuration, and in the header of each backup: where it is, and the check
//! value by which it is told from any other key. None of that is secret.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use claviger_hsm::memory::LockedBuffer;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use super::Error;
use crate::adapter::{RootKey, RootKeyId, RootKeyOrigin, RootKeyState, WrappedBytes};
use crate::key::WrappedKek;
use crate::root_key::{self, Binding, KeyKind, KeySpecification, Material, RootKeys};

/// `CKA_LABEL` of the key, in a key manager its name. No root key has it: theirs end in their version.
const LABEL: &str = "claviger.backup";

/// What is known of the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupKey {
    /// Its identifier, which its token has too.
    pub id: Uuid,
    /// What holds it, by its name in the configuration.
    pub backend: String,
    /// The label of its token; in Key Protect the key ring.
    pub token_label: String,
    /// The serial number of its token; in Key Protect the instance.
    pub token_serial: String,
    /// What its token calls it.
    pub label: String,
    /// What tells it from another key of this label, in hexadecimal.
    #[serde(with = "super::hexadecimal")]
    pub check_value: Vec<u8>,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
}

impl BackupKey {
    /// Makes the key in this backend.
    ///
    /// Fails where the token has one already.
    pub async fn make(root_keys: &RootKeys, backend: &str) -> Result<Self, Error> {
        let mut key = Self {
            id: Uuid::new_v4(),
            backend: backend.to_owned(),
            token_label: String::new(),
            token_serial: String::new(),
            label: LABEL.to_owned(),
            check_value: Vec::new(),
            created_at: OffsetDateTime::now_utc(),
        };
        let made = async { root_keys.backend(backend)?.create(&key.root_key()).await };
        let made = made.await.map_err(|error| key.failed(error))?;
        key.label = made.label;
        key.token_label = made.token_label;
        key.token_serial = made.token_serial;
        key.check_value = made.check_value;
        Ok(key)
    }

    /// What the file says; none where there is no file.
    pub fn read(path: &Path) -> Result<Option<Self>, Error> {
        let no_key = |why: String| Error::NoKey {
            path: path.to_owned(),
            why,
        };
        match std::fs::read(path) {
            Ok(text) => match serde_json::from_slice(&text) {
                Ok(key) => Ok(Some(key)),
                Err(error) => Err(no_key(error.to_string())),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(no_key(error.to_string())),
        }
    }

    /// Writes the file, which must not be there: when this returns it is on the disk.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        let written = (|| {
            let mut text = serde_json::to_vec_pretty(self)?;
            text.push(b'\n');
            let mut file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o644)
                .open(path)?;
            file.write_all(&text)?;
            file.sync_all()?;
            match path.parent() {
                Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
                _ => Ok(()),
            }
        })();
        written.map_err(|source| Error::File {
            path: path.to_owned(),
            source,
        })
    }

    /// Makes a data key for this backup: wrapped, and open.
    pub(super) async fn make_data_key(
        &self,
        root_keys: &RootKeys,
        backup: Uuid,
    ) -> Result<(WrappedKek, LockedBuffer), Error> {
        let made = async {
            let backend = root_keys.backend(&self.backend)?;
            let root_key = self.root_key();
            let made = backend.generate(&root_key, specification(backup)).await?;
            let released = backend
                .release(&root_key, specification(backup), &made.wrapped)
                .await?;
            Ok((made.wrapped, opened(&released)?))
        };
        made.await.map_err(|error| self.failed(error))
    }

    /// Opens the data key of a backup.
    pub(super) async fn open_data_key(
        &self,
        root_keys: &RootKeys,
        backup: Uuid,
        wrapped: &WrappedKek,
    ) -> Result<LockedBuffer, Error> {
        let opening = async {
            let backend = root_keys.backend(&self.backend)?;
            let root_key = self.root_key();
            backend.verify(&root_key).await?;
            let released = backend.release(&root_key, specification(backup), wrapped).await?;
            opened(&released)
        };
        opening.await.map_err(|error| self.failed(error))
    }

    /// The key as what holds it takes it.
    fn root_key(&self) -> RootKey {
        RootKey {
            id: RootKeyId::from(self.id),
            name: LABEL.to_owned(),
            backend: self.backend.clone(),
            token_label: self.token_label.clone(),
            token_serial: self.token_serial.clone(),
            label: self.label.clone(),
            version: 1,
            check_value: self.check_value.clone(),
            seal_key: WrappedBytes {
                profile: String::new(),
                bytes: Vec::new(),
            },
            created_at: self.created_at,
            state: RootKeyState::default(),
            origin: RootKeyOrigin::default(),
        }
    }

    fn failed(&self, source: root_key::Error) -> Error {
        Error::Key {
            label: self.label.clone(),
            token: self.token_label.clone(),
            serial: self.token_serial.clone(),
            backend: self.backend.clone(),
            source: Box::new(source),
        }
    }
}

/// The data key of a backup, bound to it; bound as a seal key is, so that it never is kept anywhere but in the backup.
const fn specification(backup: Uuid) -> KeySpecification {
    KeySpecification {
        kind: KeyKind::Generic { bytes: 32 },
        binding: Binding {
            adapter: backup,
            object: backup,
            part: 0,
        },
    }
}

fn opened(released: &Material) -> Result<LockedBuffer, root_key::Error> {
    let mut key = LockedBuffer::zeroed(released.len());
    released.open_into(key.as_mut_slice())?;
    Ok(key)
}
