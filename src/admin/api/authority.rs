//! Authorities that an adapter trusts.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

/// An authority whose certificates an adapter lets in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Authority {
    /// Its name, which no other authority of the adapter has.
    pub name: String,
    /// The name of the adapter.
    pub adapter: String,
    /// The SHA-256 of its certificate.
    pub fingerprint: String,
    /// Its subject.
    pub subject: String,
    /// The first moment of its validity.
    #[serde(with = "time::serde::rfc3339")]
    pub not_before: OffsetDateTime,
    /// The last moment of its validity: nobody comes in by it from then on.
    #[serde(with = "time::serde::rfc3339")]
    pub not_after: OffsetDateTime,
    /// The parts that a client's subject must have, all of them.
    pub subject_parts: Vec<String>,
    /// The DNS names of which a client's certificate must have one; none where any will do.
    pub dns_names: Vec<String>,
    /// When it was added.
    #[serde(with = "time::serde::rfc3339")]
    pub added_at: OffsetDateTime,
    /// Who added it.
    pub added_by: String,
}

/// `POST /v1/adapters/{adapter}/authorities`: trusts an authority.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAuthority {
    /// 2 to 40 letters, digits, `-` and `_`; not taken.
    pub name: String,
    /// Its certificate, PEM.
    pub pem: String,
    /// Parts that a client's subject must have, such as `O=Example`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subject_parts: Vec<String>,
    /// DNS names of which a client's certificate must have one; `*.example.com` is any name below that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dns_names: Vec<String>,
}
