//! How far a feed is, in a file: the number of the record that is delivered next.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::Trouble;

#[derive(Clone)]
pub(super) struct Position(PathBuf);

impl Position {
    pub(super) const fn new(path: PathBuf) -> Self {
        Self(path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// The number that was kept; 0 where none was.
    pub(super) async fn read(&self) -> Result<u64, Trouble> {
        let position = self.clone();
        off_the_runtime(move || position.read_file()).await
    }

    /// Keeps a number, durably: afterwards the file has it, or, after an error, the one before.
    pub(super) async fn keep(&self, next: u64) -> Result<(), Trouble> {
        let position = self.clone();
        off_the_runtime(move || {
            let why = |error| format!("its position can't be kept, {}: {error}", position.0.display());
            position.write_file(next).map_err(|error| Trouble(why(error)))
        })
        .await
    }

    fn read_file(&self) -> Result<u64, Trouble> {
        let failed = |why: String| {
            Trouble(format!(
                "its position can't be read, {}: {why}; remove the file to begin anew with the first record",
                self.0.display()
            ))
        };
        match fs::read_to_string(&self.0) {
            Ok(text) => text
                .trim_end()
                .parse()
                .map_err(|_| failed("it is not the number of a record".into())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(0),
            Err(error) => Err(failed(error.to_string())),
        }
    }

    fn write_file(&self, next: u64) -> io::Result<()> {
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
        writeln!(file, "{next}")?;
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
