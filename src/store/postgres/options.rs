//! Where the database is, and how it is spoken to.

use std::fmt;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::time::timeout;

/// How long a server is waited for that may be there or not.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where the database is, and how it is spoken to.
#[derive(Clone)]
pub struct PostgresOptions {
    /// One for each address where it may be; not empty.
    pub(super) addresses: Vec<PgConnectOptions>,
    /// The most connections at a time.
    pub(super) connections: u32,
}

impl PostgresOptions {
    /// The database of this address, `postgres://USER@HOST:PORT/DATABASE?sslmode=…`. Of several hosts, `HOST:PORT,HOST:PORT`,
    /// it is at the one that can be written to.
    ///
    /// A server on the network is spoken to by TLS alone, and its certificate and name are verified, unless the address has an
    /// `sslmode` that says otherwise. The error says what is wrong with the address, for people.
    pub fn new(url: &str, password: Option<&SecretString>, connections: u32) -> Result<Self, String> {
        let wrong = |error: sqlx::Error| match error {
            sqlx::Error::Configuration(error) => error.to_string(),
            error => error.to_string(),
        };
        let one = |url: &String| Self::address(url, password).map_err(wrong);
        Ok(Self {
            addresses: hosts(url).iter().map(one).collect::<Result<_, _>>()?,
            connections,
        })
    }

    fn address(url: &str, password: Option<&SecretString>) -> sqlx::Result<PgConnectOptions> {
        let mut options: PgConnectOptions = url.parse()?;
        if !url.contains("sslmode=") && options.get_socket().is_none() && !options.get_host().starts_with('/')
        {
            options = options.ssl_mode(PgSslMode::VerifyFull);
        }
        if let Some(password) = password {
            options = options.password(password.expose_secret());
        }
        Ok(options.application_name("claviger").disable_statement_logging())
    }

    /// How the database is reached now: at the first address whose server takes what is written. Where it is but one, nobody
    /// is asked.
    pub(super) async fn writable(&self) -> sqlx::Result<PgConnectOptions> {
        let (last, others) = self.addresses.split_last().expect("there is an address");
        for options in others {
            if takes_writes(options).await.is_ok_and(|takes| takes) {
                return Ok(options.clone());
            }
        }
        Ok(last.clone())
    }

    /// Whether it may be at one of several addresses.
    pub(super) const fn may_move(&self) -> bool {
        self.addresses.len() > 1
    }
}

/// Whether the server at this address is no standby.
async fn takes_writes(options: &PgConnectOptions) -> sqlx::Result<bool> {
    let asking = async {
        let mut connection = options.connect().await?;
        let takes = sqlx::query_scalar("SELECT NOT pg_is_in_recovery()")
            .fetch_one(&mut connection)
            .await?;
        connection.close().await?;
        Ok(takes)
    };
    timeout(PATIENCE, asking)
        .await
        .unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

/// The address with each of its hosts alone: those of the network, or the folders of Unix sockets.
fn hosts(url: &str) -> Vec<String> {
    let start = url.find("://").map_or(0, |at| at + "://".len());
    let authority = url[start..].find(['/', '?']).map_or(url.len(), |end| start + end);
    let user = url[start..authority].find('@').map_or(start, |at| start + at + 1);
    let folders = url.find("host=").map(|at| at + "host=".len());
    let (from, to) = match folders {
        Some(from) => (from, url[from..].find('&').map_or(url.len(), |end| from + end)),
        None => (user, authority),
    };
    let each = url[from..to].split(',');
    each.map(|host| format!("{}{host}{}", &url[..from], &url[to..]))
        .collect()
}

impl fmt::Display for PostgresOptions {
    /// The address, without a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let options = &self.addresses[0];
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
