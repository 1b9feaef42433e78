//! Opening the file: its modes, its settings, its schema.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, SqlitePool};

use super::Error;
use super::sql::schema;

/// Connections that read. SQLite reads in parallel, one thread a connection.
const READERS: u32 = 4;
/// After how many pages, 16 MiB, the write-ahead log is written into the file: a page that many commits change is written there once.
const CHECKPOINT: &str = "4096";
/// How long a statement waits for another process that has the file locked.
pub(super) const BUSY: Duration = Duration::from_secs(5);
/// How long a caller waits for a connection.
const ACQUIRE: Duration = Duration::from_secs(10);

/// The pool of the one writer and the pool of the readers, on a database whose schema is up to date.
pub(super) async fn pools(path: &Path) -> Result<(SqlitePool, SqlitePool), Error> {
    make_file(path)?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY)
        .foreign_keys(true)
        .pragma("trusted_schema", "OFF")
        .pragma("cell_size_check", "ON")
        .disable_statement_logging();
    let writer = options
        .clone()
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("wal_autocheckpoint", CHECKPOINT)
        .pragma("secure_delete", "ON");
    let pool = || {
        SqlitePoolOptions::new()
            .acquire_timeout(ACQUIRE)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
    };
    let writer = pool()
        .max_connections(1)
        .connect_with(writer)
        .await
        .map_err(Error::database("open"))?;
    schema::bring_up_to_date(&writer, migrations(), &path.display().to_string()).await?;
    let readers = pool()
        .max_connections(READERS)
        .connect_with(options.read_only(true))
        .await
        .map_err(Error::database("open for reading"))?;
    Ok((writer, readers))
}

/// Makes folder and file where they are missing, for the owner alone. SQLite gives the modes of the file to the files
/// that it puts beside it.
fn make_file(path: &Path) -> Result<(), Error> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    make_folder(folder)?;
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
        .map_err(|source| Error::File {
            doing: "open",
            path: path.to_owned(),
            source,
        })?;
    for file in [path.to_owned(), beside(path, "-wal"), beside(path, "-shm")] {
        if file.exists() {
            std::fs::set_permissions(&file, Permissions::from_mode(0o600)).map_err(|source| Error::File {
                doing: "set the mode of",
                path: file,
                source,
            })?;
        }
    }
    Ok(())
}

/// Makes a folder that is missing, and sees to it that it is still there after a power cut.
fn make_folder(folder: &Path) -> Result<(), Error> {
    let failed = |doing, path: &Path| {
        let path = path.to_owned();
        move |source| Error::File { doing, path, source }
    };
    let missing: Vec<&Path> = folder
        .ancestors()
        .take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists())
        .collect();
    for folder in missing.into_iter().rev() {
        DirBuilder::new()
            .mode(0o700)
            .create(folder)
            .map_err(failed("make the folder", folder))?;
        let parent = match folder.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        File::open(parent)
            .and_then(|parent| parent.sync_all())
            .map_err(failed("flush the folder", parent))?;
    }
    Ok(())
}

pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// The schemas that this program knows.
pub(super) fn migrations() -> Migrator {
    sqlx::migrate!("src/store/sqlite/migrations")
}
