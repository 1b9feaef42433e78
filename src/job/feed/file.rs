//! Records to the end of a file, one line of JSON each. The file may be renamed or removed at any time, as by logrotate:
//! what comes next goes to a new one.

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use tokio::fs::{self, File, OpenOptions};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _};

use super::{Sink, Trouble};
use crate::custody::StoredRecord;

pub(super) struct RecordFile {
    path: PathBuf,
    /// The open file, with its device and inode.
    open: Option<(File, (u64, u64))>,
}

impl RecordFile {
    pub(super) const fn new(path: PathBuf) -> Self {
        Self { path, open: None }
    }

    /// The file at the path, opened anew where it is another one than before.
    async fn file(&mut self) -> std::io::Result<&mut File> {
        let at_path = match fs::metadata(&self.path).await {
            Ok(metadata) => Some((metadata.dev(), metadata.ino())),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        if let Some((file, _)) = self.open.take_if(|(_, inode)| Some(*inode) != at_path) {
            // What was written to the file that was rotated is as durable as the rest.
            file.sync_data().await?;
        }
        if self.open.is_none() {
            self.open = Some(self.opened().await?);
        }
        let (file, _) = self.open.as_mut().expect("it was opened");
        Ok(file)
    }

    async fn opened(&self) -> std::io::Result<(File, (u64, u64))> {
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o640)
            .open(&self.path)
            .await?;
        let metadata = file.metadata().await?;
        // What broke off in the middle of a line is ended as a line of its own: the record comes again, whole.
        if metadata.len() > 0 {
            file.seek(std::io::SeekFrom::End(-1)).await?;
            if file.read_u8().await? != b'\n' {
                file.write_all(b"\n").await?;
            }
        }
        Ok((file, (metadata.dev(), metadata.ino())))
    }

    fn failed(&mut self, error: &std::io::Error) -> Trouble {
        self.open = None;
        Trouble(format!("{} can't be written: {error}", self.path.display()))
    }
}

#[async_trait]
impl Sink for RecordFile {
    async fn deliver(&mut self, records: &[StoredRecord]) -> Result<(), Trouble> {
        let mut lines = Vec::new();
        for record in records {
            lines.extend_from_slice(&record.bytes);
            lines.push(b'\n');
        }
        let written = async {
            let file = self.file().await?;
            file.write_all(&lines).await?;
            file.flush().await
        };
        let written = written.await;
        written.map_err(|error| self.failed(&error))
    }

    async fn confirm(&mut self) -> Result<(), Trouble> {
        let Some((file, _)) = &self.open else {
            return Ok(());
        };
        let synced = file.sync_data().await;
        synced.map_err(|error| self.failed(&error))
    }

    fn patience(&self) -> Duration {
        Duration::ZERO
    }
}
