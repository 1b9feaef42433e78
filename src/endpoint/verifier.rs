//! Client certificates in the handshake: pinned by the SHA-256 of their DER, or issued by an authority that an adapter trusts.
//!
//! The list of admitted certificates is the trust. vCenter makes its own certificate, which may be of version 1,
//! `CA:TRUE`, signed with SHA-1 or without an extended key usage; none of that matters for a certificate that an
//! operator has admitted by itself, so no chain is built and no extension is asked for: that is done only for certificates that
//! are not on the list, see [`issuer`](super::issuer). What is asked for is the proof
//! that the client has the private key, and the dates.

use std::fmt;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use time::OffsetDateTime;

use super::identity::Identities;
use super::refusal::{Reason, Refusal};
use super::signature;

/// Lets in the certificates of a list, which may change at any time.
///
/// A refusal is a [`Refusal`] in the error, so that the endpoint can say whom it refused; the client reads the alert
/// `certificate_unknown`, whatever the reason.
pub(super) struct PinnedCertificates {
    identities: Identities,
    allow_expired: bool,
    algorithms: WebPkiSupportedAlgorithms,
}

impl PinnedCertificates {
    pub(super) fn new(
        identities: Identities,
        allow_expired: bool,
        algorithms: WebPkiSupportedAlgorithms,
    ) -> Self {
        Self {
            identities,
            allow_expired,
            algorithms,
        }
    }
}

impl ClientCertVerifier for PinnedCertificates {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        // A hint would tell whom the server knows, and make clients hold back certificates that it would take.
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let now = i64::try_from(now.as_secs())
            .ok()
            .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
            .ok_or(Error::FailedToGetCurrentTime)?;
        match self
            .identities
            .is_admitted((end_entity, intermediates), now, self.allow_expired)
        {
            Ok(()) => Ok(ClientCertVerified::assertion()),
            Err(reason) => Err(Refusal::of_certificate(reason, end_entity).into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        signature::verify_tls12(message, certificate, signed, &self.algorithms)
            .map_err(|_| Refusal::of_certificate(Reason::NoProof, certificate).into())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        signature::verify_tls13(message, certificate, signed, &self.algorithms)
            .map_err(|_| Refusal::of_certificate(Reason::NoProof, certificate).into())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl fmt::Debug for PinnedCertificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PinnedCertificates").finish_non_exhaustive()
    }
}
