//! What a witness remembers: of each log, the checkpoint that it cosigned last. SQLite in a file, durable before an answer.
//!
//! A witness without its memory would sign anything, so it starts on none that it did not make at `init`.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Row, SqlitePool};

use crate::custody::{Checkpoint, Hash, Head};

/// The version of the schema, in `user_version`.
const SCHEMA: i64 = 1;
/// How long a statement waits for another process that has the file locked.
const BUSY: Duration = Duration::from_secs(5);
/// Proofs that a log has two forms are kept of each log up to this number.
const FORKS: i64 = 100;

/// Why the memory can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MemoryError {
    /// The file can't be made.
    #[error("the witness's memory {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// There is none.
    #[error(
        "the witness's memory {} is missing: without it, it would cosign a log that was cut short. Bring the file back, or \
         make a witness anew, with another key", path.display()
    )]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// It is no memory of a witness, or one of another version.
    #[error("the witness's memory {} has version {found}, and version {SCHEMA} is known", path.display())]
    Schema {
        /// The file.
        path: PathBuf,
        /// What the file says.
        found: i64,
    },
    /// A row is not as it was written.
    #[error("what the witness remembers of the log {0:?} is damaged")]
    Damaged(String),
    /// SQLite fails.
    #[error("the witness's memory: {0}")]
    Database(#[from] sqlx::Error),
}

/// What was cosigned last of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosigned {
    /// The log's name and its head.
    pub checkpoint: Checkpoint,
    /// The checkpoint with the log's signatures and this witness's.
    pub note: String,
    /// When, in seconds since 1970.
    pub time: u64,
}

/// Two checkpoints of one size that both have the log's signature: the proof that it has two forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fork {
    /// The log.
    pub origin: String,
    /// The one that was cosigned, as a signed note.
    pub cosigned: String,
    /// The one that was not, as a signed note.
    pub refused: String,
    /// When it came, in seconds since 1970.
    pub time: u64,
}

/// What a witness remembers.
#[derive(Clone, Debug)]
pub struct Memory(SqlitePool);

impl Memory {
    /// Makes an empty one, in a new file that only its owner reads.
    pub async fn make(path: &Path) -> Result<Self, MemoryError> {
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(|source| MemoryError::File {
                path: path.to_owned(),
                source,
            })?;
        let pool = connect(path).await?;
        let mut transaction = pool.begin().await?;
        for statement in [
            "CREATE TABLE log (origin TEXT PRIMARY KEY, size BLOB NOT NULL, root BLOB NOT NULL, note TEXT NOT NULL, \
             time INTEGER NOT NULL) STRICT",
            "CREATE TABLE fork (origin TEXT NOT NULL, refused TEXT NOT NULL, cosigned TEXT NOT NULL, \
             time INTEGER NOT NULL, PRIMARY KEY (origin, refused)) STRICT",
            "PRAGMA user_version = 1",
        ] {
            sqlx::query(statement).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(Self(pool))
    }

    /// Opens one that was made.
    pub async fn open(path: &Path) -> Result<Self, MemoryError> {
        if !path.exists() {
            return Err(MemoryError::Missing {
                path: path.to_owned(),
            });
        }
        let pool = connect(path).await?;
        let found: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&pool).await?;
        if found == SCHEMA {
            Ok(Self(pool))
        } else {
            Err(MemoryError::Schema {
                path: path.to_owned(),
                found,
            })
        }
    }

    /// What was cosigned last of this log; none where nothing was.
    pub async fn latest(&self, origin: &str) -> Result<Option<Cosigned>, MemoryError> {
        let row = sqlx::query("SELECT origin, size, root, note, time FROM log WHERE origin = ?")
            .bind(origin)
            .fetch_optional(&self.0)
            .await?;
        row.as_ref().map(cosigned).transpose()
    }

    /// What was cosigned last, of every log.
    pub async fn all(&self) -> Result<Vec<Cosigned>, MemoryError> {
        let rows = sqlx::query("SELECT origin, size, root, note, time FROM log ORDER BY origin")
            .fetch_all(&self.0)
            .await?;
        rows.iter().map(cosigned).collect()
    }

    /// Puts what is to be cosigned in the place of what was cosigned `before`, durably. False, and nothing was changed, where
    /// something else is there meanwhile.
    pub async fn keep(&self, before: Option<&Cosigned>, next: &Cosigned) -> Result<bool, MemoryError> {
        let Head { size, root } = next.checkpoint.head;
        let written = if let Some(before) = before {
            sqlx::query("UPDATE log SET size = ?, root = ?, note = ?, time = ? WHERE origin = ? AND note = ?")
                .bind(size.to_be_bytes().to_vec())
                .bind(root.0.to_vec())
                .bind(&next.note)
                .bind(seconds(next.time))
                .bind(&next.checkpoint.origin)
                .bind(&before.note)
                .execute(&self.0)
                .await?
        } else {
            sqlx::query("INSERT INTO log (size, root, note, time, origin) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING")
                .bind(size.to_be_bytes().to_vec())
                .bind(root.0.to_vec())
                .bind(&next.note)
                .bind(seconds(next.time))
                .bind(&next.checkpoint.origin)
                .execute(&self.0)
                .await?
        };
        Ok(written.rows_affected() == 1)
    }

    /// Keeps the proof that a log has two forms, once. Of each log so many are kept that nobody fills the disk with them.
    pub async fn keep_fork(&self, fork: &Fork) -> Result<(), MemoryError> {
        sqlx::query(
            "INSERT INTO fork (origin, refused, cosigned, time) SELECT ?1, ?2, ?3, ?4 \
             WHERE (SELECT count(*) FROM fork WHERE origin = ?1) < ?5 ON CONFLICT DO NOTHING",
        )
        .bind(&fork.origin)
        .bind(&fork.refused)
        .bind(&fork.cosigned)
        .bind(seconds(fork.time))
        .bind(FORKS)
        .execute(&self.0)
        .await?;
        Ok(())
    }

    /// The proofs that logs have two forms, of the latest time last.
    pub async fn forks(&self) -> Result<Vec<Fork>, MemoryError> {
        let rows =
            sqlx::query("SELECT origin, refused, cosigned, time FROM fork ORDER BY time, origin, refused")
                .fetch_all(&self.0)
                .await?;
        let fork = |row: &sqlx::sqlite::SqliteRow| {
            Ok(Fork {
                origin: row.try_get("origin")?,
                cosigned: row.try_get("cosigned")?,
                refused: row.try_get("refused")?,
                time: u64::try_from(row.try_get::<i64, _>("time")?).unwrap_or(0),
            })
        };
        rows.iter().map(fork).collect()
    }

    /// Closes the file.
    pub async fn close(&self) {
        self.0.close().await;
    }
}

async fn connect(path: &Path) -> Result<SqlitePool, MemoryError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("trusted_schema", "OFF")
        .pragma("cell_size_check", "ON")
        .disable_statement_logging();
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(options)
        .await?;
    Ok(pool)
}

fn cosigned(row: &sqlx::sqlite::SqliteRow) -> Result<Cosigned, MemoryError> {
    let origin: String = row.try_get("origin")?;
    let (size, root): (Vec<u8>, Vec<u8>) = (row.try_get("size")?, row.try_get("root")?);
    let (Ok(size), Ok(root)) = (size.try_into(), root.try_into()) else {
        return Err(MemoryError::Damaged(origin));
    };
    let head = Head {
        size: u64::from_be_bytes(size),
        root: Hash(root),
    };
    Ok(Cosigned {
        checkpoint: Checkpoint { origin, head },
        note: row.try_get("note")?,
        time: u64::try_from(row.try_get::<i64, _>("time")?).unwrap_or(0),
    })
}

fn seconds(time: u64) -> i64 {
    i64::try_from(time).unwrap_or(i64::MAX)
}
