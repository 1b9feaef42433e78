//! Records by syslog over TLS: RFC 5424 messages in the frames of RFC 5425.
//!
//! Syslog has no acknowledgement: what was written to a connection may be lost with it. But a receiver that closes its side
//! after it was told of the end of a session has read all of it (RFC 5425, section 4.4). So what was sent is confirmed by
//! the end of its session, and the next record opens another; a session that breaks is sent again.

mod message;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{Sink, Trouble};
use crate::custody::StoredRecord;

/// What is written at once, in bytes.
const WRITE: usize = 64 * 1024;

/// A receiver of syslog over TLS.
#[derive(Clone, Debug)]
pub struct SyslogConfig {
    /// Its host and port.
    pub address: String,
    /// The name that its certificate is for, or its IP address.
    pub server_name: String,
    /// PEM certificates of the authorities that it is trusted by.
    pub ca_file: PathBuf,
    /// The certificate to show to it, its chain after it, and the private key, both PEM.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// How long a connection with its handshake may take, how long a write may stand still, and how long the receiver may
    /// take to read what it was sent.
    pub deadline: Duration,
    /// How long what was sent may stay unconfirmed; also how long a session is, where there is always something to send.
    pub session: Duration,
}

impl SyslogConfig {
    /// The usual `deadline`.
    pub const USUAL_DEADLINE: Duration = Duration::from_secs(10);
    /// The usual `session`.
    pub const USUAL_SESSION: Duration = Duration::from_secs(15);
}

/// What a receiver can't be spoken to with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SyslogError {
    /// A file can't be read, or does not hold what it should.
    #[error("{} can't be used for syslog over TLS: {why}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The name is none of a server.
    #[error(
        "{0:?} is no name of a server: write the host name or the address that the receiver's certificate is for"
    )]
    ServerName(String),
    /// TLS can't be spoken so.
    #[error("TLS to the receiver of syslog: {0}")]
    Tls(#[from] rustls::Error),
}

pub(super) struct Syslog {
    address: String,
    server_name: ServerName<'static>,
    connector: TlsConnector,
    deadline: Duration,
    patience: Duration,
    session: Option<TlsStream<TcpStream>>,
}

impl Syslog {
    /// Connects to nobody yet.
    pub(super) fn new(config: SyslogConfig) -> Result<Self, SyslogError> {
        let mut authorities = RootCertStore::empty();
        for certificate in certificates(&config.ca_file)? {
            authorities.add(certificate)?;
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[&TLS13, &TLS12])?
            .with_root_certificates(authorities);
        let tls = match &config.identity {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let private = PrivateKeyDer::from_pem_file(key).map_err(|error| unusable(key, &error))?;
                builder.with_client_auth_cert(certificates(certificate)?, private)?
            }
        };
        let server_name = ServerName::try_from(config.server_name.clone())
            .map_err(|_| SyslogError::ServerName(config.server_name))?;
        Ok(Self {
            address: config.address,
            server_name,
            connector: TlsConnector::from(Arc::new(tls)),
            deadline: config.deadline,
            patience: config.session,
            session: None,
        })
    }

    async fn connect(&self) -> std::io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(&self.address).await?;
        self.connector.connect(self.server_name.clone(), stream).await
    }

    async fn send(&mut self, frames: &[u8]) -> std::io::Result<()> {
        if self.session.is_none() {
            self.session = Some(in_time(self.deadline, self.connect()).await?);
        }
        let session = self.session.as_mut().expect("it was opened");
        for part in frames.chunks(WRITE) {
            in_time(self.deadline, session.write_all(part)).await?;
        }
        in_time(self.deadline, session.flush()).await
    }

    /// Ends the session, and waits for the receiver to end it too.
    async fn end(mut session: TlsStream<TcpStream>) -> std::io::Result<()> {
        session.shutdown().await?;
        let mut rest = [0; 256];
        loop {
            match session.read(&mut rest).await {
                Ok(0) => return Ok(()),
                // A receiver has nothing to say; whatever it is, the end comes after it.
                Ok(_) => {}
                // Closed without the end of TLS, as many receivers do. A connection that breaks off with something unread
                // is reset, which is another error.
                Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    fn trouble(&self, what: &str, error: &std::io::Error) -> Trouble {
        Trouble(format!("{} {what}: {error}", self.address))
    }
}

#[async_trait]
impl Sink for Syslog {
    async fn deliver(&mut self, records: &[StoredRecord]) -> Result<(), Trouble> {
        let mut frames = Vec::new();
        for record in records {
            message::frame(record, &mut frames);
        }
        let sent = self.send(&frames).await;
        sent.map_err(|error| {
            self.session = None;
            self.trouble("can't be sent records", &error)
        })
    }

    async fn confirm(&mut self) -> Result<(), Trouble> {
        let Some(session) = self.session.take() else {
            return Ok(());
        };
        let ended = in_time(self.deadline, Self::end(session)).await;
        ended.map_err(|error| self.trouble("does not confirm what it was sent, which is sent again", &error))
    }

    fn patience(&self) -> Duration {
        self.patience
    }
}

async fn in_time<T>(
    deadline: Duration,
    step: impl Future<Output = std::io::Result<T>>,
) -> std::io::Result<T> {
    tokio::time::timeout(deadline, step).await.unwrap_or_else(|_| {
        let why = format!("nothing happened for {deadline:?}");
        Err(std::io::Error::new(std::io::ErrorKind::TimedOut, why))
    })
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, SyslogError> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let read = read.map_err(|error| unusable(file, &error))?;
    if read.is_empty() {
        return Err(unusable(file, &"it holds no certificate in PEM"));
    }
    Ok(read)
}

fn unusable(file: &Path, why: &dyn std::fmt::Display) -> SyslogError {
    SyslogError::File {
        file: file.to_owned(),
        why: why.to_string(),
    }
}
