//! Who asks: what a verified client certificate and its connection say.

use std::net::IpAddr;

use super::{AdapterId, Fingerprint};

/// The client of one connection, known by its certificate. It may use its own adapter and no other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The adapter that the certificate belongs to.
    pub adapter: AdapterId,
    /// That adapter's name, for logs and records.
    pub adapter_name: String,
    /// The certificate.
    pub certificate: Fingerprint,
    /// Its subject, as RFC 4514 writes it.
    pub subject: String,
    /// Its issuer.
    pub issuer: String,
    /// Its serial number, in hexadecimal.
    pub serial: String,
    /// Where the connection comes from.
    pub origin: Origin,
}

/// The connection that a request came over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The peer's address.
    pub address: IpAddr,
    /// The peer's port.
    pub port: u16,
    /// The version of TLS, as `TLSv1.3`.
    pub tls_version: String,
}
