//! How far a feed is, in a file or in the store: the number of the record that is delivered next, and which one was delivered last.

use std::fmt::Display;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Trouble;
use crate::custody::{Hash, Record, StoredRecord};
use crate::store::Store;

/// How far a feed is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Delivered {
    /// The number of the record that is delivered next.
    pub(super) next: u64,
    /// The leaf of the one before it, and its time; none where that is not known.
    pub(super) last: Option<(Hash, OffsetDateTime)>,
}

impl Delivered {
    /// Once this record is delivered.
    pub(super) fn after(record: &StoredRecord) -> Self {
        let written = Record::time_of(&record.bytes).ok();
        Self {
            next: record.sequence + 1,
            last: written.map(|time| (record.leaf, time)),
        }
    }

    /// None of text that is no position.
    fn read(text: &str) -> Option<Self> {
        let mut words = text.split_ascii_whitespace();
        let next = words.next()?.parse().ok()?;
        let last = match (words.next(), words.next(), words.next()) {
            // As it was written before there was more to it.
            (None, ..) => None,
            (Some(leaf), Some(time), None) => {
                Some((leaf.parse().ok()?, OffsetDateTime::parse(time, &Rfc3339).ok()?))
            }
            _ => return None,
        };
        Some(Self { next, last })
    }

    fn text(&self) -> String {
        let last = self
            .last
            .and_then(|(leaf, time)| Some(format!(" {leaf} {}", time.format(&Rfc3339).ok()?)));
        format!("{}{}\n", self.next, last.unwrap_or_default())
    }
}

/// Where a feed keeps how far it is.
pub(super) enum Position {
    /// In a file.
    File(PositionFile),
    /// In the store that several servers share, under the name of the feed.
    Store {
        store: Arc<dyn Store>,
        name: String,
        /// Where it was kept before.
        file: PositionFile,
    },
}

impl Position {
    /// What was kept; the log's beginning where nothing was.
    pub(super) async fn read(&self) -> Result<Delivered, Trouble> {
        match self {
            Self::File(file) => file.read().await,
            Self::Store { store, name, file } => {
                let failed =
                    |why: &dyn Display| Trouble(format!("its position can't be read in the store: {why}"));
                match store.feed_position(name).await.map_err(|error| failed(&error))? {
                    Some(text) => {
                        Delivered::read(&text).ok_or_else(|| failed(&"it is not the number of a record"))
                    }
                    None => file.read().await,
                }
            }
        }
    }

    /// Keeps it, durably: afterwards it is there, or, after an error, the one before.
    pub(super) async fn keep(&self, delivered: Delivered) -> Result<(), Trouble> {
        match self {
            Self::File(file) => file.keep(delivered).await,
            Self::Store { store, name, .. } => store
                .keep_feed_position(name, &delivered.text())
                .await
                .map_err(|error| Trouble(format!("its position can't be kept in the store: {error}"))),
        }
    }

    /// What is to be done to have the feed begin with the first record.
    pub(super) fn anew(&self) -> String {
        match self {
            Self::File(PositionFile(file)) => format!("remove {} to begin anew", file.display()),
            Self::Store { .. } => "give the feed another name to begin anew".to_owned(),
        }
    }
}

#[derive(Clone)]
pub(super) struct PositionFile(PathBuf);

impl PositionFile {
    pub(super) const fn new(path: PathBuf) -> Self {
        Self(path)
    }

    async fn read(&self) -> Result<Delivered, Trouble> {
        let position = self.clone();
        off_the_runtime(move || position.read_file()).await
    }

    async fn keep(&self, delivered: Delivered) -> Result<(), Trouble> {
        let position = self.clone();
        off_the_runtime(move || {
            let why = |error| format!("its position can't be kept, {}: {error}", position.0.display());
            position
                .write_file(&delivered)
                .map_err(|error| Trouble(why(error)))
        })
        .await
    }

    fn read_file(&self) -> Result<Delivered, Trouble> {
        let failed = |why: String| {
            Trouble(format!(
                "its position can't be read, {}: {why}; remove the file to begin anew with the first record",
                self.0.display()
            ))
        };
        match fs::read_to_string(&self.0) {
            Ok(text) => {
                Delivered::read(&text).ok_or_else(|| failed("it is not the number of a record".into()))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Delivered::default()),
            Err(error) => Err(failed(error.to_string())),
        }
    }

    fn write_file(&self, delivered: &Delivered) -> io::Result<()> {
        let folder = self.0.parent().unwrap_or(Path::new("."));
        if !folder.exists() {
            DirBuilder::new().mode(0o700).create(folder)?;
        }
        let beside = self.0.with_added_extension("new");
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&beside)?;
        file.write_all(delivered.text().as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, &self.0)?;
        File::open(folder)?.sync_all()
    }
}

/// Files are read and flushed where nobody else waits for it.
async fn off_the_runtime<T: Send + 'static>(
    step: impl FnOnce() -> Result<T, Trouble> + Send + 'static,
) -> Result<T, Trouble> {
    let done = tokio::task::spawn_blocking(step).await;
    done.unwrap_or_else(|error| Err(Trouble(error.to_string())))
}
