//! Client certificates: one parsed from what an administrator gives, known by its fingerprint.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use x509_parser::pem::Pem;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::{AdapterId, Error, name};

/// The SHA-256 of a certificate's DER. Written in lower-case hexadecimal, read with or without colons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    /// The fingerprint of these bytes, which are taken for a certificate's DER.
    pub fn of_der(der: &[u8]) -> Self {
        Self(Sha256::digest(der).into())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl FromStr for Fingerprint {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut bytes = [0; 32];
        match hex::decode_to_slice(text.replace(':', ""), &mut bytes) {
            Ok(()) => Ok(Self(bytes)),
            Err(_) => Err(Error::NotAFingerprint {
                text: text.chars().take(128).collect(),
            }),
        }
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

/// A client certificate that is let in, and the adapter that it opens.
///
/// Self-signed, version 1, `CA:TRUE` and expired certificates are all facts here, no errors: VMware's products
/// make such ones, and whether one is let in is the endpoint's to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// What the endpoint knows it by.
    pub fingerprint: Fingerprint,
    /// The one adapter that it belongs to.
    pub adapter: AdapterId,
    /// How an administrator calls it; unique in its adapter.
    pub name: String,
    /// The certificate itself.
    pub der: Vec<u8>,
    /// Its subject, as RFC 4514 writes it.
    pub subject: String,
    /// Its issuer.
    pub issuer: String,
    /// Its serial number: hexadecimal, bytes parted by colons.
    pub serial: String,
    /// The first moment of its validity.
    pub not_before: OffsetDateTime,
    /// The last moment of its validity.
    pub not_after: OffsetDateTime,
    /// When it was admitted; a store keeps it to the microsecond.
    pub added_at: OffsetDateTime,
}

impl ClientCertificate {
    /// Reads exactly one certificate from PEM.
    ///
    /// Refuses none, more than one, a private key in the same text, and what X.509 cannot read.
    pub fn from_pem(
        adapter: AdapterId,
        name: &str,
        pem: &[u8],
        added_at: OffsetDateTime,
    ) -> Result<Self, Error> {
        let mut certificates = Vec::new();
        let mut others = Vec::new();
        for block in Pem::iter_from_buffer(pem) {
            let block = block.map_err(|error| Error::NotACertificate {
                form: "PEM",
                why: format!("the PEM cannot be read: {error}"),
            })?;
            if block.label.ends_with("PRIVATE KEY") {
                return Err(Error::PrivateKey { label: block.label });
            }
            match block.label.as_str() {
                "CERTIFICATE" | "X509 CERTIFICATE" => certificates.push(block.contents),
                _ => others.push(block.label),
            }
        }
        match (certificates.as_slice(), others.as_slice()) {
            ([der], _) => Self::from_der(adapter, name, der, added_at),
            ([], []) => Err(Error::NotACertificate {
                form: "PEM",
                why: "there is no PEM block in it".into(),
            }),
            ([], [label, ..]) => Err(Error::NotACertificate {
                form: "PEM",
                why: format!("a {label} came"),
            }),
            (several, _) => Err(Error::CertificateCount { count: several.len() }),
        }
    }

    /// Reads a certificate from DER. Bytes after its end are refused.
    pub fn from_der(
        adapter: AdapterId,
        name: &str,
        der: &[u8],
        added_at: OffsetDateTime,
    ) -> Result<Self, Error> {
        let wrong = |why: String| Error::NotACertificate { form: "DER", why };
        let (rest, parsed) =
            X509Certificate::from_der(der).map_err(|error| wrong(format!("it cannot be read: {error}")))?;
        if !rest.is_empty() {
            return Err(wrong(format!("{} bytes follow the certificate", rest.len())));
        }
        Ok(Self {
            fingerprint: Fingerprint::of_der(der),
            adapter,
            name: name::certificate_name(name)?,
            der: der.to_vec(),
            subject: parsed.subject().to_string(),
            issuer: parsed.issuer().to_string(),
            serial: parsed.raw_serial_as_string(),
            not_before: parsed.validity().not_before.to_datetime(),
            not_after: parsed.validity().not_after.to_datetime(),
            added_at,
        })
    }

    /// Where `now` lies in the certificate's validity.
    pub fn expiry(&self, now: OffsetDateTime) -> Expiry {
        if now < self.not_before {
            Expiry::NotYet {
                begins_in: self.not_before - now,
            }
        } else if now > self.not_after {
            Expiry::Expired {
                since: now - self.not_after,
            }
        } else {
            Expiry::Valid {
                remaining: self.not_after - now,
            }
        }
    }
}

/// Where a moment lies in a certificate's validity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// Before it.
    NotYet {
        /// How long until it begins.
        begins_in: time::Duration,
    },
    /// In it.
    Valid {
        /// How long until it ends.
        remaining: time::Duration,
    },
    /// After it.
    Expired {
        /// How long ago it ended.
        since: time::Duration,
    },
}
