//! A client certificate that is not let in, and why.

use std::fmt;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::{CertificateError, OtherError};
use time::OffsetDateTime;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::adapter::Fingerprint;

/// Why a client certificate is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// It is not admitted to any adapter.
    #[error("the certificate is not known")]
    Unknown,
    /// It was admitted once, or its adapter is gone; a session of then was resumed or is still open.
    #[error("the certificate is no longer admitted")]
    Removed,
    /// Its validity begins later.
    #[error("the certificate is not valid before {}", day(*from))]
    NotYetValid {
        /// When it begins.
        from: OffsetDateTime,
    },
    /// Its validity is over.
    #[error("the certificate expired on {}", day(*since))]
    Expired {
        /// When it ended.
        since: OffsetDateTime,
    },
    /// An authority that is trusted issued it, and not for clients.
    #[error("a trusted authority issued the certificate, and not for TLS clients (extended key usage)")]
    Purpose,
    /// An authority that is trusted issued it, and is trusted for other names.
    #[error("a trusted authority issued the certificate, and is not trusted for its subject or its names")]
    NotIncluded,
    /// Authorities of several adapters issued it.
    #[error("authorities of several adapters vouch for the certificate: which one it is of can't be told")]
    Ambiguous,
    /// An authority that is trusted seems to have issued it, and the chain does not hold.
    #[error("the chain from the certificate to a trusted authority does not hold")]
    Untrusted,
    /// The client did not show that it has the private key.
    #[error("the client did not prove that it has the certificate's private key")]
    NoProof,
    /// No certificate came.
    #[error("the client sent no certificate")]
    NoCertificate,
}

/// The day, as people in any country read it.
fn day(moment: OffsetDateTime) -> time::Date {
    moment.to_offset(time::UtcOffset::UTC).date()
}

impl Reason {
    /// The name of the reason in records, which stays.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Removed => "removed",
            Self::NotYetValid { .. } => "not-yet-valid",
            Self::Expired { .. } => "expired",
            Self::Purpose => "not-for-clients",
            Self::NotIncluded => "not-included",
            Self::Ambiguous => "ambiguous",
            Self::Untrusted => "untrusted-chain",
            Self::NoProof => "no-proof-of-possession",
            Self::NoCertificate => "no-certificate",
        }
    }
}

/// A certificate that was not let in, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub reason: Reason,
    /// What came; none where nothing came.
    pub certificate: Option<ShownCertificate>,
}

/// What a certificate says of itself. None of it is proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownCertificate {
    /// The SHA-256 of its DER.
    pub fingerprint: Fingerprint,
    /// Its subject, as RFC 4514 writes it.
    pub subject: String,
    /// Its issuer.
    pub issuer: String,
    /// Its serial number, in hexadecimal.
    pub serial: String,
    /// The certificate.
    pub der: Vec<u8>,
}

impl ShownCertificate {
    /// What the bytes say, which are taken for a certificate's DER.
    pub(super) fn of_der(der: &[u8]) -> Self {
        let (subject, issuer, serial) = match X509Certificate::from_der(der) {
            Ok((_, parsed)) => (
                bounded(&parsed.subject().to_string()),
                bounded(&parsed.issuer().to_string()),
                bounded(&parsed.raw_serial_as_string()),
            ),
            Err(_) => ("(no X.509 certificate)".to_owned(), String::new(), String::new()),
        };
        Self {
            fingerprint: Fingerprint::of_der(der),
            subject,
            issuer,
            serial,
            der: der.to_vec(),
        }
    }
}

impl Refusal {
    pub(super) fn of_certificate(reason: Reason, der: &CertificateDer<'_>) -> Self {
        Self {
            reason,
            certificate: Some(ShownCertificate::of_der(der)),
        }
    }

    /// The refusal behind an error of a handshake; none where it failed for another reason.
    pub(super) fn from_error(error: &rustls::Error) -> Option<Self> {
        match error {
            rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(inner))) => {
                inner.downcast_ref::<Self>().cloned()
            }
            rustls::Error::NoCertificatesPresented => Some(Self {
                reason: Reason::NoCertificate,
                certificate: None,
            }),
            _ => None,
        }
    }
}

/// The text without control characters, and not longer than a line of a log should be.
fn bounded(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{FFFD}' } else { c })
        .take(400)
        .collect()
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

impl std::error::Error for Refusal {}

impl From<Refusal> for rustls::Error {
    fn from(refusal: Refusal) -> Self {
        Self::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(refusal))))
    }
}
