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
    /// Who added it; none where that was not kept.
    pub added_by: Option<String>,
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
            added_by: None,
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

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const THEN: OffsetDateTime = datetime!(2026-11-24 08:00 UTC);

    fn made(change: impl FnOnce(&mut rcgen::CertificateParams)) -> (String, rcgen::KeyPair) {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
        parameters
            .distinguished_name
            .push(rcgen::DnType::CommonName, "kmipClient20261124080000");
        change(&mut parameters);
        (parameters.self_signed(&key).unwrap().pem(), key)
    }

    fn read(pem: &str) -> Result<ClientCertificate, Error> {
        ClientCertificate::from_pem(AdapterId::new(), "vcenter", pem.as_bytes(), THEN)
    }

    /// A certificate of X.509 version 1 that has expired, as old tools left them behind.
    fn version_1() -> Vec<u8> {
        use openssl::asn1::{Asn1Integer, Asn1Time};
        use openssl::bn::BigNum;
        use openssl::hash::MessageDigest;
        use openssl::pkey::PKey;
        use openssl::rsa::Rsa;
        use openssl::x509::{X509Builder, X509NameBuilder};
        let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
        let mut name = X509NameBuilder::new().unwrap();
        name.append_entry_by_text("CN", "old").unwrap();
        let name = name.build();
        let mut builder = X509Builder::new().unwrap();
        builder.set_version(0).unwrap();
        builder.set_subject_name(&name).unwrap();
        builder.set_issuer_name(&name).unwrap();
        let serial = Asn1Integer::from_bn(&BigNum::from_u32(0x1234).unwrap()).unwrap();
        builder.set_serial_number(&serial).unwrap();
        builder.set_not_before(&Asn1Time::from_unix(0).unwrap()).unwrap();
        builder
            .set_not_after(&Asn1Time::from_unix(86_400).unwrap())
            .unwrap();
        builder.set_pubkey(&key).unwrap();
        builder.sign(&key, MessageDigest::sha256()).unwrap();
        builder.build().to_der().unwrap()
    }

    #[test]
    fn the_certificate_that_vcenter_makes_is_read() {
        let (pem, _) = made(|parameters| {
            parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        });
        let certificate = read(&pem).unwrap();
        assert_eq!(certificate.subject, "CN=kmipClient20261124080000");
        assert_eq!(certificate.issuer, certificate.subject);
        assert_eq!(certificate.fingerprint, Fingerprint::of_der(&certificate.der));
        let from_der =
            ClientCertificate::from_der(certificate.adapter, "vcenter", &certificate.der, THEN).unwrap();
        assert_eq!(from_der, certificate);
    }

    #[test]
    fn version_1_and_expired_are_facts_and_no_errors() {
        let certificate = ClientCertificate::from_der(AdapterId::new(), "old", &version_1(), THEN).unwrap();
        assert_eq!(certificate.serial, "12:34");
        assert_eq!(
            certificate.expiry(THEN),
            Expiry::Expired {
                since: THEN - datetime!(1970-01-02 0:00 UTC)
            }
        );
    }

    #[test]
    fn expiry_is_told_to_the_second() {
        let (pem, _) = made(|parameters| {
            parameters.not_before = datetime!(2026-01-01 0:00 UTC);
            parameters.not_after = datetime!(2036-01-01 0:00 UTC);
        });
        let certificate = read(&pem).unwrap();
        let second = time::Duration::SECOND;
        let (begin, end) = (certificate.not_before, certificate.not_after);
        assert_eq!(
            certificate.expiry(begin - second),
            Expiry::NotYet { begins_in: second }
        );
        assert_eq!(
            certificate.expiry(begin),
            Expiry::Valid {
                remaining: end - begin
            }
        );
        assert_eq!(
            certificate.expiry(end),
            Expiry::Valid {
                remaining: time::Duration::ZERO
            }
        );
        assert_eq!(
            certificate.expiry(end + second),
            Expiry::Expired { since: second }
        );
    }

    #[test]
    fn a_private_key_is_refused_with_a_word_about_it() {
        let (pem, key) = made(|_| {});
        for text in [
            format!("{pem}{}", key.serialize_pem()),
            format!("{}{pem}", key.serialize_pem()),
        ] {
            let error = read(&text).unwrap_err();
            assert_eq!(
                error,
                Error::PrivateKey {
                    label: "PRIVATE KEY".into()
                }
            );
            assert!(
                error.to_string().contains("give the certificate alone"),
                "{error}"
            );
        }
    }

    #[test]
    fn anything_but_one_certificate_is_refused_with_what_came() {
        let (pem, _) = made(|_| {});
        let said = |text: &str| read(text).unwrap_err().to_string();
        assert!(said(&format!("{pem}{pem}")).contains("the PEM has 2"));
        assert!(said("").contains("there is no PEM block in it"));
        assert!(said("vcenter.pem").contains("there is no PEM block in it"));
        let request = pem.replace("CERTIFICATE", "CERTIFICATE REQUEST");
        assert!(
            said(&request).contains("a CERTIFICATE REQUEST came"),
            "{}",
            said(&request)
        );
        let cut: String = pem.lines().take(4).collect::<Vec<_>>().join("\n");
        assert!(said(&cut).contains("cannot be read"), "{}", said(&cut));
        let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(said(garbage).contains("DER"), "{}", said(garbage));
    }

    #[test]
    fn bytes_after_the_certificate_are_refused() {
        let mut der = version_1();
        der.push(0);
        let error = ClientCertificate::from_der(AdapterId::new(), "old", &der, THEN).unwrap_err();
        assert!(error.to_string().contains("1 bytes follow"), "{error}");
    }

    #[test]
    fn a_fingerprint_is_read_as_openssl_prints_it() {
        let fingerprint = Fingerprint([0xab; 32]);
        let colons = vec!["AB"; 32].join(":");
        assert_eq!(colons.parse(), Ok(fingerprint));
        assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
        assert!("ab:cd".parse::<Fingerprint>().is_err());
    }
}
