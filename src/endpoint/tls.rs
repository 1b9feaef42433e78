//! The server's side of TLS: its certificate, its versions, the resumption of sessions.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::server::ServerSessionMemoryCache;
use rustls::version::{TLS12, TLS13};
use rustls::{ProtocolVersion, ServerConfig};

use super::Error;
use super::identity::Identities;
use super::verifier::PinnedCertificates;
use crate::config::Kmip;
use crate::tls::ServedCertificate;

/// Sessions of TLS 1.2 clients that take no tickets. One is about as large as its client's certificate.
const CACHED_SESSIONS: usize = 4096;

/// The TLS configuration of the endpoint: TLS 1.3 and 1.2, a client certificate asked for and required.
///
/// Sessions can be resumed, which spares a client that connects for each task the signatures and the key exchange of
/// TLS 1.2. A resumed session carries its client's certificate, and the endpoint judges it anew: see
/// [`session`](super::session).
///
/// With it comes the certificate that it shows, for whoever looks after its files.
pub(super) fn server_config(
    kmip: &Kmip,
    (certificate, key): (&Path, &Path),
    identities: &Identities,
) -> Result<(Arc<ServerConfig>, Arc<ServedCertificate>), Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = PinnedCertificates::new(
        identities.clone(),
        kmip.allow_expired_client_certificates,
        provider.signature_verification_algorithms,
    );
    let served = ServedCertificate::read(certificate, key, Arc::clone(&provider))?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13, &TLS12])?
        .with_client_cert_verifier(Arc::new(verifier))
        .with_cert_resolver(served.clone());
    config.session_storage = ServerSessionMemoryCache::new(CACHED_SESSIONS);
    config.ticketer = aws_lc_rs::Ticketer::new()?;
    Ok((Arc::new(config), served))
}

/// The same for HTTPS, which is all that a client may ask for there: bytes that were meant for one port are not taken
/// on the other.
pub(super) fn https_config(config: &ServerConfig) -> Arc<ServerConfig> {
    let mut config = config.clone();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Arc::new(config)
}

/// The name of a version, as records and logs have it.
pub(super) fn version_name(version: Option<ProtocolVersion>) -> &'static str {
    match version {
        Some(ProtocolVersion::TLSv1_3) => "TLSv1.3",
        Some(ProtocolVersion::TLSv1_2) => "TLSv1.2",
        _ => "unknown",
    }
}
