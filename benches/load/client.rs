//! A client that costs little: TTLV made once, TLS by rustls, one request under way on each connection.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, HandshakeKind, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Opens connections to one server as one client.
#[derive(Clone)]
pub struct Connector {
    address: SocketAddr,
    tls: TlsConnector,
}

impl Connector {
    pub fn new(address: SocketAddr, certificate: &Path, key: &Path, ca: &Path, resumption: bool) -> Self {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(ca).expect("the server's certificate") {
            roots
                .add(certificate.expect("a certificate"))
                .expect("a usable certificate");
        }
        let chain = vec![CertificateDer::from_pem_file(certificate).expect("the client's certificate")];
        let key = PrivateKeyDer::from_pem_file(key).expect("the client's key");
        let mut config = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)
            .expect("a pair that belongs together");
        if !resumption {
            config.resumption = rustls::client::Resumption::disabled();
        }
        Self {
            address,
            tls: TlsConnector::from(Arc::new(config)),
        }
    }

    pub async fn connect(&self) -> Connection {
        let stream = TcpStream::connect(self.address)
            .await
            .expect("the server listens");
        stream.set_nodelay(true).expect("a socket option");
        let name = ServerName::try_from("localhost").expect("a name");
        Connection {
            stream: self.tls.connect(name, stream).await.expect("a handshake"),
        }
    }
}

/// One connection.
pub struct Connection {
    stream: TlsStream<TcpStream>,
}

impl Connection {
    /// Whether the handshake went on from an earlier one.
    // Not each bench asks.
    #[allow(dead_code)]
    pub fn is_resumed(&self) -> bool {
        self.stream.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed)
    }

    /// Sends a message and reads the whole answer into `answer`.
    pub async fn exchange(&mut self, request: &[u8], answer: &mut Vec<u8>) {
        self.stream.write_all(request).await.expect("the server reads");
        self.stream.flush().await.expect("the server reads");
        answer.resize(8, 0);
        self.stream.read_exact(answer).await.expect("the server answers");
        let length = u32::from_be_bytes(answer[4..8].try_into().expect("four bytes")) as usize;
        answer.resize(8 + length, 0);
        self.stream
            .read_exact(&mut answer[8..])
            .await
            .expect("the server answers");
    }
}
