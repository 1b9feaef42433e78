//! An endpoint on a port of its own with an answer that tests can hold back, and clients of it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use claviger::adapter::{AdapterId, Caller, ClientCertificate};
use claviger::config::Config;
use claviger::endpoint::{
    Answer, Endpoint, Identities, Listeners, RefusalRecorder, Services, ShownCertificate, Told, listen,
    listen_https, listen_previous,
};
use claviger::kmip::output::Output;
use claviger::kmip::ttlv::DecodeError;
use claviger::operation::Disposition;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientSessionMemoryCache, Resumption};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme, SupportedProtocolVersion};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::certificates::{Kind, Pair, Wanted};

/// Answers each request with its own bytes, once it is let.
pub struct Echo {
    /// Each request, with the name of its caller's adapter.
    pub requests: Mutex<Vec<(String, Vec<u8>)>>,
    /// While set, answers wait for [`Echo::release`].
    pub held: AtomicBool,
    pub release: Notify,
    pub arrived: watch::Sender<usize>,
}

impl Default for Echo {
    fn default() -> Self {
        Self {
            requests: Mutex::default(),
            held: AtomicBool::new(false),
            release: Notify::new(),
            arrived: watch::Sender::new(0),
        }
    }
}

impl Echo {
    /// Waits until this many requests have arrived in all.
    pub async fn arrivals(&self, count: usize) {
        self.arrived
            .subscribe()
            .wait_for(|arrived| *arrived >= count)
            .await
            .unwrap();
    }
}

#[async_trait]
impl Answer for Echo {
    async fn answer(&self, caller: &Caller, request: &[u8], out: &mut (dyn Output + Send)) -> Disposition {
        self.requests
            .lock()
            .unwrap()
            .push((caller.adapter_name.clone(), request.to_vec()));
        self.arrived.send_modify(|arrived| *arrived += 1);
        if self.held.load(Ordering::SeqCst) {
            self.release.notified().await;
        }
        out.append(request);
        Disposition::KeepOpen
    }

    async fn refuse(&self, _: &Caller, begun: &[u8], _: &DecodeError, out: &mut (dyn Output + Send)) {
        out.append(begun);
    }
}

/// Keeps what is told of refusals.
#[derive(Default)]
pub struct Refused {
    pub told: watch::Sender<Vec<Told>>,
    /// The certificates that were put in the place of others.
    pub shown: watch::Sender<Vec<ShownCertificate>>,
}

impl Refused {
    /// The first that is told of.
    pub async fn first(&self) -> Told {
        let mut told = self.told.subscribe();
        within(told.wait_for(|told| !told.is_empty())).await.unwrap()[0].clone()
    }
}

#[async_trait]
impl RefusalRecorder for Refused {
    async fn record(&self, told: &Told) {
        self.told.send_modify(|all| all.push(told.clone()));
    }

    async fn certificate_shown(&self, certificate: &ShownCertificate) -> bool {
        self.shown.send_modify(|all| all.push(certificate.clone()));
        true
    }
}

pub struct Server {
    pub endpoint: Endpoint,
    pub address: SocketAddr,
    pub identities: Identities,
    pub echo: Arc<Echo>,
    pub refused: Arc<Refused>,
    pub folder: TempDir,
}

impl Server {
    /// With limits that no test reaches by itself.
    pub fn start() -> Self {
        Self::with("", Kind::P256)
    }

    /// With lines of `[kmip]` and what follows it, and a server certificate of a kind.
    pub fn with(settings: &str, kind: Kind) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let pair = Pair::new(
            "kms.example",
            &Wanted {
                kind,
                ..Wanted::default()
            },
        );
        pair.write(folder.path(), "server");
        Self::within(folder, settings)
    }

    /// With the files of a folder that has the server's `server.pem` and `server.key`.
    pub fn within(folder: TempDir, settings: &str) -> Self {
        let text = format!(
            "version = \"v1\"\nstate_directory = \"state\"\n[[device]]\nname = \"d\"\nmodule = \"m\"\n\
             slot_id = 0\npin_file = \"p\"\n[kmip]\nlisten = [\"127.0.0.1:0\"]\n\
             certificate = \"server.pem\"\nkey = \"server.key\"\n{settings}\n"
        );
        let config = Config::parse(&folder.path().join("claviger.toml"), &text).unwrap();
        let identities = Identities::default();
        let (echo, refused) = (Arc::new(Echo::default()), Arc::new(Refused::default()));
        let services = Services {
            answer: echo.clone(),
            identities: identities.clone(),
            refusals: refused.clone(),
            refused_certificates: config.state_directory.join("refused"),
        };
        let endpoint = Endpoint::start(
            &config.kmip,
            Listeners {
                kmip: listen(&config.kmip).unwrap(),
                previous: listen_previous(&config.kmip).unwrap(),
                https: listen_https(&config.https).unwrap(),
            },
            services,
        )
        .unwrap();
        let address = endpoint.addresses()[0];
        Self {
            endpoint,
            address,
            identities,
            echo,
            refused,
            folder,
        }
    }

    /// Admits exactly these certificates, the first to the adapter `adapter-0` and so on.
    pub fn admit(&self, pairs: &[&Pair]) {
        self.identities
            .replace(pairs.iter().enumerate().map(|(index, pair)| {
                let der = pair.der();
                let now = time::OffsetDateTime::now_utc();
                let certificate =
                    ClientCertificate::from_der(AdapterId::new(), &format!("client-{index}"), &der, now)
                        .unwrap();
                (certificate, format!("adapter-{index}"))
            }));
    }

    /// Waits until this many connections are open.
    pub async fn connections(&self, count: usize) {
        let all = async {
            while self.endpoint.connections() != count {
                tokio::task::yield_now().await;
            }
        };
        within(all).await;
    }
}

/// Fails a test that would hang.
pub async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_mins(1), future)
        .await
        .expect("it came in time")
}

/// A client with a certificate.
#[derive(Clone)]
pub struct Client(TlsConnector);

impl Client {
    pub fn new(pair: &Pair, versions: &[&'static SupportedProtocolVersion]) -> Self {
        Self::with_key_of(pair, pair, versions)
    }

    /// A client that presents one certificate and signs with the key of another.
    pub fn with_key_of(pair: &Pair, signer: &Pair, versions: &[&'static SupportedProtocolVersion]) -> Self {
        Self::showing(vec![pair.der()], signer, versions)
    }

    /// A client that presents its certificate and those of the authorities between it and one that is trusted.
    pub fn with_chain(pair: &Pair, above: &[&Pair], versions: &[&'static SupportedProtocolVersion]) -> Self {
        let chain = [pair].into_iter().chain(above.iter().copied());
        Self::showing(chain.map(Pair::der).collect(), pair, versions)
    }

    fn showing(
        chain: Vec<CertificateDer<'static>>,
        signer: &Pair,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Self {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let key = provider
            .key_provider
            .load_private_key(signer.private_key())
            .unwrap();
        // Not `with_client_auth_cert`, which reads the certificate and takes none of version 1.
        let certified = CertifiedKey::new(chain, key);
        let mut config = ClientConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(versions)
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyServer(provider)))
            .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
        config.resumption = Resumption::store(Arc::new(ClientSessionMemoryCache::new(8)));
        Self(TlsConnector::from(Arc::new(config)))
    }

    pub fn without_certificate() -> Self {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyServer(provider)))
            .with_no_client_auth();
        Self(TlsConnector::from(Arc::new(config)))
    }

    /// Connects. In TLS 1.3 a client is done before the server has judged it.
    pub async fn connect(&self, server: &Server) -> std::io::Result<TlsStream<TcpStream>> {
        self.connect_to(server.address).await
    }

    pub async fn connect_to(&self, address: SocketAddr) -> std::io::Result<TlsStream<TcpStream>> {
        let socket = TcpStream::connect(address).await?;
        within(
            self.0
                .connect(ServerName::try_from("kms.example").unwrap(), socket),
        )
        .await
    }

    /// Connects, and has one request answered.
    pub async fn converse(&self, server: &Server) -> std::io::Result<TlsStream<TcpStream>> {
        let mut stream = self.connect(server).await?;
        ask(&mut stream, &message(24)).await?;
        Ok(stream)
    }
}

/// A request with this many bytes of value.
pub fn message(length: u32) -> Vec<u8> {
    let mut message = vec![0x42, 0x00, 0x78, 0x01];
    message.extend_from_slice(&length.to_be_bytes());
    message.extend((0..length).map(|byte| (byte % 251) as u8));
    message
}

/// Sends a request and compares its echo.
pub async fn ask(stream: &mut TlsStream<TcpStream>, request: &[u8]) -> std::io::Result<()> {
    within(async {
        stream.write_all(request).await?;
        stream.flush().await?;
        expect(stream, request).await
    })
    .await
}

/// Reads an answer and compares it.
pub async fn expect(stream: &mut TlsStream<TcpStream>, answer: &[u8]) -> std::io::Result<()> {
    let mut read = vec![0; answer.len()];
    within(stream.read_exact(&mut read)).await?;
    assert!(read == answer, "another answer came");
    Ok(())
}

/// Reads until the server closes with a `close_notify`, and returns what came before.
pub async fn closed(stream: &mut TlsStream<TcpStream>) -> Vec<u8> {
    let mut rest = Vec::new();
    within(stream.read_to_end(&mut rest))
        .await
        .expect("the server says close_notify");
    rest
}

/// Takes any server, as long as it has the key of its certificate.
#[derive(Debug)]
struct AnyServer(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
