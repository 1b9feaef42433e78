//! What stands against bringing a schema up to date.

use sqlx::migrate::{MigrateError, Migrator};

use super::Error;

/// The error of a migration of this database.
pub(super) fn unfit(migrations: &Migrator, database: &str, error: &MigrateError) -> Error {
    let known = migrations.iter().map(|migration| migration.version).max();
    let known = known.unwrap_or(0);
    match error {
        MigrateError::VersionMissing(found) if *found > known => Error::NewerSchema {
            database: database.to_owned(),
            found: *found,
            known,
        },
        error => Error::Schema {
            database: database.to_owned(),
            why: error.to_string(),
        },
    }
}
