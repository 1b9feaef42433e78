//! A TLS connection to a KMIP server: the server verified by its certificate and name, the client by its own.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{AlertDescription, ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use zeroize::Zeroizing;

use crate::cli::exit::Failure;
use crate::config::KMIP_PORT;

/// How long to wait for the connection, and for an answer.
const DEADLINE: Duration = Duration::from_mins(1);

/// Tag, type and length of a TTLV item.
const HEADER: usize = 8;

/// A longer answer is not read.
pub(super) const ANSWER_LIMIT: usize = 16 << 20;

/// Where the server is and who asks.
#[derive(Debug, clap::Args)]
#[group(skip)]
#[command(next_help_heading = "Connection")]
pub(crate) struct Arguments {
    /// The KMIP server
    #[arg(
        long,
        global = true,
        env = "CLAVIGER_KMIP",
        value_name = "HOST[:PORT]",
        hide_env_values = true
    )]
    server: Option<String>,
    /// The client certificate, PEM
    #[arg(
        long,
        global = true,
        env = "CLAVIGER_CLIENT_CERT",
        value_name = "FILE",
        hide_env_values = true
    )]
    cert: Option<PathBuf>,
    /// The private key of the client certificate, PEM
    #[arg(
        long,
        global = true,
        env = "CLAVIGER_CLIENT_KEY",
        value_name = "FILE",
        hide_env_values = true
    )]
    key: Option<PathBuf>,
    /// The certificate, or that of its authority, that the server has to show, PEM
    #[arg(
        long,
        global = true,
        env = "CLAVIGER_CA",
        value_name = "FILE",
        hide_env_values = true
    )]
    ca: Option<PathBuf>,
    /// The name that the server's certificate has to have [default: the host of --server]
    #[arg(long, global = true, value_name = "NAME")]
    server_name: Option<String>,
}

/// An open connection.
pub(crate) struct Connection {
    stream: TlsStream<TcpStream>,
    server: String,
}

impl Connection {
    /// Connects and makes the handshake.
    ///
    /// With TLS 1.3 a server refuses a client certificate only afterwards: the first exchange fails then.
    pub(crate) async fn open(arguments: &Arguments) -> Result<Self, Failure> {
        let server = given(arguments.server.as_ref(), "--server", "CLAVIGER_KMIP")?;
        let certificate = given(arguments.cert.as_ref(), "--cert", "CLAVIGER_CLIENT_CERT")?;
        let key = given(arguments.key.as_ref(), "--key", "CLAVIGER_CLIENT_KEY")?;
        let ca = given(arguments.ca.as_ref(), "--ca", "CLAVIGER_CA")?;
        let (host, port) = host_and_port(server)?;
        let name = arguments.server_name.as_deref().unwrap_or(host);
        let name = ServerName::try_from(name.to_owned())
            .map_err(|_| Failure::usage(format!("{name:?} is neither a host name nor an address")))?;
        let connector = TlsConnector::from(Arc::new(client_config(certificate, key, ca)?));

        let connect = async {
            let tcp = TcpStream::connect((host, port)).await.map_err(|error| {
                Failure::new(format!("cannot connect to {host} port {port}: {error}"))
                    .remedy("see whether the server runs, and --server (CLAVIGER_KMIP) is its address")
            })?;
            // A request is one small write that waits for its answer.
            let _ = tcp.set_nodelay(true);
            connector
                .connect(name, tcp)
                .await
                .map_err(|error| explain(&error, server))
        };
        let stream = tokio::time::timeout(DEADLINE, connect)
            .await
            .unwrap_or_else(|_| Err(late(server)))?;
        Ok(Self {
            stream,
            server: server.to_owned(),
        })
    }

    /// Sends a request and returns the whole answer, in memory that is zeroised in the end.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let answer = tokio::time::timeout(DEADLINE, send_and_receive(&mut self.stream, request)).await;
        match answer {
            Ok(answer) => answer.map_err(|error| explain(&error, &self.server)),
            Err(_) => Err(late(&self.server)),
        }
    }
}

async fn send_and_receive(
    stream: &mut TlsStream<TcpStream>,
    request: &[u8],
) -> io::Result<Zeroizing<Vec<u8>>> {
    stream.write_all(request).await?;
    stream.flush().await?;
    let mut header = [0; HEADER];
    stream.read_exact(&mut header).await?;
    let length = u32::from_be_bytes([header[4], header[5], header[6], header[7]]) as usize;
    if header[..4] != [0x42, 0x00, 0x7b, 0x01] || length > ANSWER_LIMIT {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "what came is not a KMIP response",
        ));
    }
    let mut answer = Zeroizing::new(vec![0; HEADER + length]);
    answer[..HEADER].copy_from_slice(&header);
    stream.read_exact(&mut answer[HEADER..]).await?;
    Ok(answer)
}

/// The value of an option. An empty variable counts as none.
fn given<'a, T: AsRef<OsStr>>(value: Option<&'a T>, option: &str, variable: &str) -> Result<&'a T, Failure> {
    value.filter(|value| !value.as_ref().is_empty()).ok_or_else(|| {
        Failure::usage(format!(
            "neither the option {option} nor the variable {variable} is given"
        ))
        .remedy("`claviger kmip --help` tells what each is for")
    })
}

/// A host with its port, or 5696: `kms`, `kms:5696`, `10.0.0.1:5696`, `[::1]:5696`, `::1`.
fn host_and_port(server: &str) -> Result<(&str, u16), Failure> {
    let wrong = || {
        Failure::usage(format!(
            "expected HOST or HOST:PORT as the server, and {server:?} came"
        ))
    };
    if server.parse::<std::net::Ipv6Addr>().is_ok() {
        return Ok((server, KMIP_PORT));
    }
    let (host, port) = match server.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']').ok_or_else(wrong)?;
            if port.is_empty() {
                (host, None)
            } else {
                (host, Some(port.strip_prefix(':').ok_or_else(wrong)?))
            }
        }
        None => match server.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (server, None),
        },
    };
    let port = port.map_or(Ok(KMIP_PORT), str::parse).map_err(|_| wrong())?;
    if host.is_empty() {
        Err(wrong())
    } else {
        Ok((host, port))
    }
}

fn client_config(certificate: &Path, key: &Path, ca: &Path) -> Result<ClientConfig, Failure> {
    let mut roots = RootCertStore::empty();
    for root in certificates(ca)? {
        roots.add(root).map_err(|error| {
            Failure::new(format!(
                "{} cannot be trusted as a certificate: {error}",
                ca.display()
            ))
        })?;
    }
    let chain = certificates(certificate)?;
    let private =
        PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable(key, "private key", &error))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder
                .with_root_certificates(roots)
                .with_client_auth_cert(chain, private)
        })
        .map_err(|error| {
            Failure::new(format!(
                "{} and {} do not serve as a client's certificate and key: {error}",
                certificate.display(),
                key.display()
            ))
        })
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read {
        Ok(found) if found.is_empty() => Err(Failure::new(format!(
            "there is no certificate as PEM in {}",
            file.display()
        ))),
        Ok(found) => Ok(found),
        Err(error) => Err(unreadable(file, "certificate", &error)),
    }
}

fn unreadable(file: &Path, what: &str, error: &rustls::pki_types::pem::Error) -> Failure {
    let why = match error {
        rustls::pki_types::pem::Error::Io(error) => error.to_string(),
        rustls::pki_types::pem::Error::NoItemsFound => "there is none as PEM in it".to_owned(),
        _ => "it is not well-formed PEM".to_owned(),
    };
    Failure::new(format!("cannot read the {what} in {}: {why}", file.display()))
}

fn late(server: &str) -> Failure {
    Failure::new(format!(
        "{server} did not answer within {} seconds",
        DEADLINE.as_secs()
    ))
}

/// What a broken conversation means to the operator.
fn explain(error: &io::Error, server: &str) -> Failure {
    let tls = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match tls {
        Some(rustls::Error::InvalidCertificate(why)) => {
            Failure::new(format!("the certificate of {server} is not trusted: {why:?}"))
                .remedy("give the server's certificate with --ca, and a name that it has with --server-name")
        }
        Some(rustls::Error::AlertReceived(alert)) if refuses_certificate(*alert) => Failure::new(format!(
            "{server} does not admit this client certificate ({alert:?})"
        ))
        .remedy("on the server: `claviger certificate add ADAPTER FILE`; its log names the certificate"),
        Some(error) => Failure::new(format!("TLS with {server} failed: {error}")),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            Failure::new(format!("{server} closed the connection without a whole answer"))
                .remedy("look at the server's log")
        }
        None => Failure::new(format!("the conversation with {server} broke off: {error}")),
    }
}

fn refuses_certificate(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
            | AlertDescription::CertificateRequired
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_named_as_people_write_it() {
        assert_eq!(host_and_port("kms").unwrap(), ("kms", 5696));
        assert_eq!(host_and_port("kms:5697").unwrap(), ("kms", 5697));
        assert_eq!(host_and_port("[::1]:5697").unwrap(), ("::1", 5697));
        assert_eq!(host_and_port("[::1]").unwrap(), ("::1", 5696));
        assert_eq!(host_and_port("::1").unwrap(), ("::1", 5696));
        for wrong in ["", ":5696", "kms:", "kms:x", "kms:70000", "[::1", "[::1]5696"] {
            assert!(host_and_port(wrong).is_err(), "{wrong}");
        }
    }
}
