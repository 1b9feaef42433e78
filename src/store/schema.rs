//! What stands against bringing a schema up to date.

use sqlx::migrate::{MigrateError, Migrator};

use super::Error;

/// The newest schema that this program knows.
pub(super) fn known(migrations: &Migrator) -> i64 {
    let versions = migrations.iter().map(|migration| migration.version);
    versions.max().unwrap_or(0)
}

/// The error of a migration of this database.
pub(super) fn unfit(database: &str, error: &MigrateError) -> Error {
    Error::Schema {
        database: database.to_owned(),
        why: error.to_string(),
    }
}
