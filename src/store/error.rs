//! What can go wrong with a store.

use std::path::PathBuf;

use uuid::Uuid;

use super::SettingKind;
use crate::adapter::{AdapterId, RootKeyId, RootKeyState};
use crate::kmip::attribute::Name;

/// A store's errors.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A row is not as this server wrote it. Nothing of it was used.
    #[error("the row {id} of {table} was changed by another hand: {what}")]
    Tampered {
        /// The table.
        table: &'static str,
        /// The row's identifier as it stands there now.
        id: String,
        /// What does not fit.
        what: String,
    },
    /// A row cannot be judged, or sealed: the seal key of its root key is not open.
    #[error("the seal key of root key {root_key} is not open; is the backend that holds it reachable?")]
    SealKeyMissing {
        /// The root key.
        root_key: RootKeyId,
    },
    /// The row was written by somebody else since it was read. Read it again.
    #[error("key {id} is at revision {found}, and the change was made from revision {expected}")]
    Conflict {
        /// The key.
        id: Uuid,
        /// The revision that the change expected; 0 where it expected none.
        expected: u64,
        /// The revision that stands there; 0 where there is none.
        found: u64,
    },
    /// Nothing is made, released or wrapped anew under a root key in this state.
    #[error("root key {root_key} is {}", .state.name())]
    RootKeyUnusable {
        /// The root key.
        root_key: RootKeyId,
        /// Its state.
        state: Box<RootKeyState>,
    },
    /// No key can be under this version of a root key: it is destroyed, or being destroyed, or never was. Wrap the key anew.
    #[error("root key {root_key} has no version {version} any more")]
    VersionGone {
        /// The root key.
        root_key: RootKeyId,
        /// The version.
        version: u32,
    },
    /// The adapter has as many keys as its quota allows.
    #[error("adapter {adapter} may have {keys} keys, and has them")]
    QuotaReached {
        /// The adapter.
        adapter: AdapterId,
        /// How many keys it may have.
        keys: u64,
    },
    /// A root key was changed by somebody else since it was read. Read it again.
    #[error("root key {root_key} was changed meanwhile")]
    RootKeyMoved {
        /// The root key.
        root_key: RootKeyId,
    },
    /// What is set for an adapter was changed by somebody else since it was read. Read it again.
    #[error("the {} of adapter {adapter} were changed meanwhile", .kind.name())]
    SettingMoved {
        /// The adapter.
        adapter: AdapterId,
        /// What is set.
        kind: SettingKind,
    },
    /// The identifier or name is taken.
    #[error("there is a {what} {name} already")]
    Exists {
        /// The kind of thing.
        what: &'static str,
        /// Its identifier or name.
        name: String,
    },
    /// Another object of the adapter has the name.
    #[error("the name {:?} is in use", name.value)]
    NameTaken {
        /// The name.
        name: Name,
    },
    /// What should be changed, or what the change refers to, is not there.
    #[error("there is no {what} {id}")]
    NotFound {
        /// The kind of thing.
        what: &'static str,
        /// Its identifier.
        id: String,
    },
    /// What should be deleted is still needed.
    #[error("the {what} {id} is in use by {by}")]
    InUse {
        /// The kind of thing.
        what: &'static str,
        /// Its identifier.
        id: String,
        /// What needs it.
        by: String,
    },
    /// The value does not fit the database, as a number beyond its range.
    #[error("{what} cannot be stored: {why}")]
    Unfit {
        /// The value.
        what: &'static str,
        /// Why it does not fit.
        why: String,
    },
    /// The head of the custody log is not the one that the writer knows: another server writes to this store.
    #[error("the custody log was advanced by another writer; does another server use this database?")]
    HeadMoved,
    /// So much of the custody log can't be pruned.
    #[error(
        "the custody log can't be pruned below record {below}: it has to be a multiple of 256, {pruned} at least, for so far it \
         was pruned, and {most} at most, for a start reads from there on"
    )]
    NotPrunable {
        /// The number of the first record that was to stay.
        below: u64,
        /// How far it was pruned already.
        pruned: u64,
        /// How far it may be.
        most: u64,
    },
    /// The head of the custody log contradicts itself.
    #[error("the head of the custody log does not fit itself: {what}")]
    BrokenHead {
        /// What does not fit.
        what: String,
    },
    /// The database was changed by a newer version of this program, so that this one can't work with it.
    #[error(
        "the database {database} has schema {found}, for programs that know schema {oldest} at least, and this one knows {known}: \
         use the version that wrote it, or a newer one"
    )]
    NewerSchema {
        /// The database.
        database: String,
        /// Its schema.
        found: i64,
        /// The oldest schema whose programs can work with it.
        oldest: i64,
        /// The newest schema that this program knows.
        known: i64,
    },
    /// The database's schema cannot be brought up to date.
    #[error("the schema of the database {database} cannot be brought up to date: {why}")]
    Schema {
        /// The database.
        database: String,
        /// The reason.
        why: String,
    },
    /// What should be filled has something in it.
    #[error("the database has something in it already: bring the other to an empty one")]
    NotEmpty,
    /// What was brought over is not what it was; nothing of it was kept.
    #[error("the two databases are not alike: {what}")]
    Unlike {
        /// What differs.
        what: String,
    },
    /// A file or folder of the database cannot be used.
    #[error("cannot {doing} {path}: {source}")]
    File {
        /// What was tried.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The database itself failed.
    #[error("the database failed to {doing}: {source}")]
    Database {
        /// What was tried.
        doing: &'static str,
        /// The database's error.
        source: sqlx::Error,
    },
}

impl Error {
    /// Whether one change alone is at fault: the database is well, and other changes can go on.
    pub fn is_of_one_change(&self) -> bool {
        match self {
            Self::Tampered { .. }
            | Self::SealKeyMissing { .. }
            | Self::Conflict { .. }
            | Self::RootKeyUnusable { .. }
            | Self::VersionGone { .. }
            | Self::QuotaReached { .. }
            | Self::RootKeyMoved { .. }
            | Self::SettingMoved { .. }
            | Self::Exists { .. }
            | Self::NameTaken { .. }
            | Self::NotFound { .. }
            | Self::InUse { .. }
            | Self::NotPrunable { .. }
            | Self::Unfit { .. } => true,
            Self::Database {
                source: sqlx::Error::Database(error),
                ..
            } => {
                error.is_foreign_key_violation()
                    || error.is_check_violation()
                    || error.is_unique_violation()
                    // A text that the database does not take, by PostgreSQL's code.
                    || error.code().as_deref() == Some("22021")
            }
            _ => false,
        }
    }

    /// Whether the same would go well if it were tried again from the beginning of its transaction, of which nothing was
    /// made: another writer came in between.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::HeadMoved => true,
            // Serialization failure and deadlock, by the codes of the SQL standard and of PostgreSQL.
            Self::Database {
                source: sqlx::Error::Database(error),
                ..
            } => matches!(error.code().as_deref(), Some("40001" | "40P01")),
            _ => false,
        }
    }

    /// Makes [`Error::Database`] of the database's error, for `map_err`.
    pub(super) fn database(doing: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |source| Self::Database { doing, source }
    }
}
