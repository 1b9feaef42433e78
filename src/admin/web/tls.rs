//! TLS of the listener: version 1.3 alone, no resumption, and a client certificate, unless tokens are let in too.

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::NoServerSessionStorage;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::version::TLS13;
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, OtherError, ServerConfig, SignatureScheme,
};
use time::OffsetDateTime;

use super::super::Error;
use super::holders::{Holder, Holders, Refused};
use crate::adapter::{Fingerprint, Role};
use crate::config::Web;
use crate::tls::ServedCertificate;

/// A certificate that was not let in, as an error of a handshake carries it.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{reason}")]
pub(super) struct RefusedCertificate {
    pub(super) reason: Refused,
    /// What it says of itself, of which nothing is proven; none where it can't be read.
    pub(super) claimed: Option<Holder>,
}

impl RefusedCertificate {
    /// The refusal behind an error of a handshake, where one is.
    pub(super) fn of(error: &std::io::Error) -> Option<Self> {
        match error.get_ref()?.downcast_ref::<rustls::Error>()? {
            rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(inner))) => {
                inner.downcast_ref::<Self>().cloned()
            }
            _ => None,
        }
    }
}

/// The configuration of the listener.
///
/// With it comes the certificate that it shows, for whoever looks after its files.
pub(super) fn server_config(
    web: &Web,
    holders: Holders,
) -> Result<(Arc<ServerConfig>, Arc<ServedCertificate>), Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = PinnedHolders {
        holders,
        mandatory: !web.tokens,
        algorithms: provider.signature_verification_algorithms,
    };
    let served = ServedCertificate::read(&web.certificate, &web.key, Arc::clone(&provider))?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])?
        .with_client_cert_verifier(Arc::new(verifier))
        .with_cert_resolver(served.clone());
    // A browser's handshake is cheap, and a session that can't be resumed needs no judgement of its own.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((Arc::new(config), served))
}

/// Lets in the holders of the files, as they were read last.
struct PinnedHolders {
    holders: Holders,
    mandatory: bool,
    algorithms: WebPkiSupportedAlgorithms,
}

impl fmt::Debug for PinnedHolders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PinnedHolders").finish_non_exhaustive()
    }
}

impl ClientCertVerifier for PinnedHolders {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        // A hint would tell a stranger who is let in.
        &[]
    }

    fn client_auth_mandatory(&self) -> bool {
        self.mandatory
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        let now = i64::try_from(now.as_secs())
            .ok()
            .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
            .ok_or(rustls::Error::FailedToGetCurrentTime)?;
        match self.holders.admit(&Fingerprint::of_der(end_entity), now) {
            Ok(_) => Ok(ClientCertVerified::assertion()),
            Err(reason) => {
                let refused = RefusedCertificate {
                    reason,
                    claimed: Holder::of_der(Role::Auditor, end_entity).ok(),
                };
                let other = OtherError(Arc::new(refused));
                Err(rustls::Error::InvalidCertificate(CertificateError::Other(other)))
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
