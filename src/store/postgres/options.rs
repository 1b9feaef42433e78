//! Where the database is, and how it is spoken to.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

/// Where the database is, and how it is spoken to.
#[derive(Clone)]
pub struct PostgresOptions {
    options: PgConnectOptions,
    /// The most connections at a time.
    pub(super) connections: u32,
}

impl PostgresOptions {
    /// The database of this address, `postgres://USER@HOST:PORT/DATABASE?sslmode=…`.
    ///
    /// A server on the network is spoken to by TLS alone, and its certificate and name are verified, unless the address has an
    /// `sslmode` that says otherwise. The error says what is wrong with the address, for people.
    pub fn new(url: &str, password: Option<&SecretString>, connections: u32) -> Result<Self, String> {
        let wrong = |error: sqlx::Error| match error {
            sqlx::Error::Configuration(error) => error.to_string(),
            error => error.to_string(),
        };
        let mut options: PgConnectOptions = url.parse().map_err(wrong)?;
        if !url.contains("sslmode=") && options.get_socket().is_none() && !options.get_host().starts_with('/')
        {
            options = options.ssl_mode(PgSslMode::VerifyFull);
        }
        if let Some(password) = password {
            options = options.password(password.expose_secret());
        }
        Ok(Self {
            options: options.application_name("claviger").disable_statement_logging(),
            connections,
        })
    }

    pub(super) fn connect_options(&self) -> PgConnectOptions {
        self.options.clone()
    }
}

impl fmt::Display for PostgresOptions {
    /// The address, without a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let options = &self.options;
        let host = options.get_socket().map_or_else(
            || options.get_host().to_owned(),
            |socket| socket.display().to_string(),
        );
        write!(
            f,
            "{} at {host}, port {}",
            options.get_database().unwrap_or_else(|| options.get_username()),
            options.get_port()
        )
    }
}

impl fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresOptions({self})")
    }
}
