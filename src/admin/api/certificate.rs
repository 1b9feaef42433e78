//! Client certificates.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

/// A client certificate that an adapter admits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Certificate {
    /// SHA-256 of its DER.
    pub fingerprint: String,
    /// What the administrator calls it.
    pub name: String,
    /// The name of the adapter that it belongs to.
    pub adapter: String,
    /// Its subject.
    pub subject: String,
    /// Its issuer.
    pub issuer: String,
    /// Its serial number.
    pub serial: String,
    /// It is valid from then on.
    #[serde(with = "time::serde::rfc3339")]
    pub not_before: OffsetDateTime,
    /// It is valid until then.
    #[serde(with = "time::serde::rfc3339")]
    pub not_after: OffsetDateTime,
    /// When it was added.
    #[serde(with = "time::serde::rfc3339")]
    pub added_at: OffsetDateTime,
}

/// `POST /v1/adapters/{adapter}/certificates`: admits a client certificate at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCertificate {
    /// What to call it; the subject's common name, or else the fingerprint's beginning, where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Exactly one certificate as PEM; anything that is not one is refused, a private key above all.
    pub pem: String,
}
