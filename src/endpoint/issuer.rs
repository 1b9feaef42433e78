//! Client certificates of authorities that adapters trust: the chain, the dates, the purpose and the names.
//!
//! An authority is known by its certificate, which need not come with the client's; those between the two have to. What is
//! asked of a chain is what webpki asks (RFC 5280): signatures, dates, `CA:TRUE` and path lengths, name constraints, and an
//! extended key usage that is for clients, where there is one.

use std::fmt;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{CertificateError, RootCertStore};
use time::OffsetDateTime;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::refusal::Reason;
use crate::adapter::{AdapterId, Authority, ClientCertificate};

/// An authority that an adapter trusts, with what verifies its certificates.
pub(super) struct Issuer {
    pub(super) adapter: AdapterId,
    pub(super) adapter_name: String,
    pub(super) authority: Authority,
    certificate: ClientCertificate,
    verifier: Arc<dyn ClientCertVerifier>,
}

impl Issuer {
    /// Makes ready to verify.
    ///
    /// # Errors
    /// A certificate that can't be an authority's, in words.
    pub(super) fn new(
        adapter: AdapterId,
        adapter_name: String,
        authority: Authority,
    ) -> Result<Self, String> {
        let certificate = authority.read(adapter).map_err(|error| error.to_string())?;
        let mut anchors = RootCertStore::empty();
        anchors
            .add(CertificateDer::from(certificate.der.clone()))
            .map_err(|error| error.to_string())?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(anchors), provider)
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self {
            adapter,
            adapter_name,
            authority,
            certificate,
            verifier,
        })
    }

    /// Whether it stands for the same as another.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.adapter == other.adapter
            && self.adapter_name == other.adapter_name
            && self.authority == other.authority
    }

    /// Whether a chain, the client's certificate first, is let in by it.
    ///
    /// # Errors
    /// Why it is not; [`Reason::Unknown`] where another issued it.
    pub(super) fn judge(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: OffsetDateTime,
    ) -> Result<(), Reason> {
        let seconds = u64::try_from(now.unix_timestamp()).unwrap_or_default();
        let moment = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
        self.verifier
            .verify_client_cert(end_entity, intermediates, moment)
            .map_err(|error| reason(&error, end_entity, now))?;
        // A trust anchor's own dates are not webpki's to look at.
        if now < self.certificate.not_before || now > self.certificate.not_after {
            return Err(Reason::Untrusted);
        }
        match X509Certificate::from_der(end_entity) {
            Ok((_, parsed)) if self.authority.only.includes(&parsed) => Ok(()),
            Ok(_) => Err(Reason::NotIncluded),
            Err(_) => Err(Reason::Untrusted),
        }
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer")
            .field("adapter", &self.adapter_name)
            .field("authority", &self.authority.name)
            .finish_non_exhaustive()
    }
}

fn reason(error: &rustls::Error, end_entity: &CertificateDer<'_>, now: OffsetDateTime) -> Reason {
    let rustls::Error::InvalidCertificate(error) = error else {
        return Reason::Untrusted;
    };
    match error {
        CertificateError::UnknownIssuer => Reason::Unknown,
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => Reason::Purpose,
        // Of the client's own certificate the date is told; of one above it there is nothing that the client could do.
        _ => match X509Certificate::from_der(end_entity) {
            Ok((_, parsed)) => {
                let validity = parsed.validity();
                let (from, until) = (
                    validity.not_before.to_datetime(),
                    validity.not_after.to_datetime(),
                );
                if now > until {
                    Reason::Expired { since: until }
                } else if now < from {
                    Reason::NotYetValid { from }
                } else {
                    Reason::Untrusted
                }
            }
            Err(_) => Reason::Untrusted,
        },
    }
}
