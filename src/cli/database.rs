//! The database that the configuration names.

use std::path::PathBuf;

use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::config::{self, Config};
use crate::store::{self, Database, PostgresOptions, SealKeys};

/// Why the database can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address is none that can be understood.
    #[error("store.url: {0}")]
    Address(String),
    /// The file with the password can't be read.
    #[error("the password of the database, {}: {source}", path.display())]
    Password {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The database itself.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Opens the database, and makes it where it is an SQLite file that is not there.
pub(super) async fn open(config: &Config, keys: SealKeys) -> Result<Database, Error> {
    Ok(match &config.store {
        config::Store::Sqlite(file) => Database::sqlite(file, keys).await?,
        config::Store::Postgres(postgres) => Database::postgres(&options(postgres)?, keys).await?,
    })
}

/// How PostgreSQL is spoken to. One newline at the end of the file with the password does not belong to it.
pub(super) fn options(postgres: &config::PostgresStore) -> Result<PostgresOptions, Error> {
    let password = match &postgres.password_file {
        None => None,
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|source| Error::Password {
                path: path.clone(),
                source,
            })?;
            let text = Zeroizing::new(text);
            Some(SecretString::from(text.trim_end_matches(['\r', '\n'])))
        }
    };
    PostgresOptions::new(&postgres.url, password.as_ref(), postgres.connections).map_err(Error::Address)
}
