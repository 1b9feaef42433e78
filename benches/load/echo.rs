//! The mark for TLS: a server that does the handshake, asks for a client certificate, and sends each message
//! back. What Claviger is slower than this is what Claviger adds.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, ServerConfig, SignatureScheme};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

const CERTIFICATE: &str = "CLAVIGER_BENCH_ECHO_CERTIFICATE";
const KEY: &str = "CLAVIGER_BENCH_ECHO_KEY";

/// The server in a process of its own, so that its time can be told from the load's.
pub struct Echo {
    process: Child,
    pub address: SocketAddr,
}

impl Echo {
    pub fn start(certificate: &Path, key: &Path) -> Self {
        let mut process = Command::new(std::env::current_exe().expect("this program's path"))
            .env(CERTIFICATE, certificate)
            .env(KEY, key)
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program starts again");
        let mut line = String::new();
        let mut output = std::io::BufReader::new(process.stdout.take().expect("a pipe"));
        std::io::BufRead::read_line(&mut output, &mut line).expect("the echo server says its address");
        Self {
            process,
            address: line.trim().parse().expect("an address"),
        }
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// Where the environment asks for it, is the echo server and never returns.
pub fn run_if_asked() {
    let (Some(certificate), Some(key)) = (std::env::var_os(CERTIFICATE), std::env::var_os(KEY)) else {
        return;
    };
    tokio::runtime::Runtime::new()
        .expect("a runtime")
        .block_on(serve(certificate.into(), key.into()));
    std::process::exit(0);
}

async fn serve(certificate: PathBuf, key: PathBuf) {
    let chain = vec![CertificateDer::from_pem_file(certificate).expect("a certificate")];
    let key = PrivateKeyDer::from_pem_file(key).expect("a key");
    let mut config = ServerConfig::builder()
        .with_client_cert_verifier(Arc::new(AnyClient(
            aws_lc_rs::default_provider().signature_verification_algorithms,
        )))
        .with_single_cert(chain, key)
        .expect("a pair that belongs together");
    config.ticketer = aws_lc_rs::Ticketer::new().expect("a ticketer");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    println!("{}", listener.local_addr().expect("an address"));
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        stream.set_nodelay(true).expect("a socket option");
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                return;
            };
            let mut message = vec![0; 8];
            loop {
                message.truncate(8);
                if stream.read_exact(&mut message).await.is_err() {
                    return;
                }
                let length = u32::from_be_bytes(message[4..8].try_into().expect("four bytes")) as usize;
                message.resize(8 + length, 0);
                if stream.read_exact(&mut message[8..]).await.is_err()
                    || stream.write_all(&message).await.is_err()
                    || stream.flush().await.is_err()
                {
                    return;
                }
            }
        });
    }
}

/// Asks for a certificate and checks that the client has its key, and nothing else.
#[derive(Debug)]
struct AnyClient(WebPkiSupportedAlgorithms);

impl ClientCertVerifier for AnyClient {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signature, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
