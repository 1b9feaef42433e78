//! Authorities whose certificates an adapter lets in, where not each certificate is admitted by itself.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use x509_parser::extensions::GeneralName;
use x509_parser::objects::{oid_registry, oid2abbrev};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::{AdapterId, ClientCertificate, Error};

/// The most authorities that an adapter trusts.
pub const AUTHORITIES_AT_MOST: usize = 16;

/// The authorities that an adapter trusts. One document, so that its seal holds them together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trust {
    /// The authorities, in the order in which they were added.
    pub authorities: Vec<Authority>,
}

/// An authority: a client certificate that it, or one below it, issued is let in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authority {
    /// How an administrator calls it; unique in its adapter.
    pub name: String,
    /// Its certificate's DER, in Base64.
    pub certificate: String,
    /// Which of the certificates that it issued are let in.
    pub only: Only,
    /// When it was added.
    #[serde(with = "time::serde::rfc3339")]
    pub added_at: OffsetDateTime,
    /// Who added it.
    pub added_by: String,
}

/// Which certificates of an authority are let in: those that have all of these parts in their subjects, and one of these DNS
/// names. All of them, where nothing is named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Only {
    /// Parts of the subject, such as `O=Example` and `CN=vcenter-1`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subject: Vec<String>,
    /// DNS names among the subject's alternative names; `*.example.com` is any name below that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dns_names: Vec<String>,
}

impl Trust {
    /// Reads it as it is kept; nobody, where nothing is kept.
    ///
    /// # Errors
    /// A document that is not one of these.
    pub fn from_document(document: Option<&[u8]>) -> Result<Self, serde_json::Error> {
        document.map_or_else(|| Ok(Self::default()), serde_json::from_slice)
    }

    /// As it is kept; nothing, where there is no authority.
    ///
    /// # Errors
    /// A time beyond the year 9999.
    pub fn to_document(&self) -> Result<Option<Vec<u8>>, serde_json::Error> {
        if self.authorities.is_empty() {
            return Ok(None);
        }
        serde_json::to_vec(self).map(Some)
    }
}

impl Authority {
    /// Reads an authority's certificate from PEM. Gives what the certificate says, too.
    ///
    /// # Errors
    /// No certificate, several, or one that is not an authority's; a restriction that no certificate can meet.
    pub fn from_pem(
        adapter: AdapterId,
        name: &str,
        pem: &[u8],
        only: Only,
        added_at: OffsetDateTime,
        added_by: String,
    ) -> Result<(Self, ClientCertificate), Error> {
        let certificate = ClientCertificate::from_pem(adapter, name, pem, added_at)?;
        let is_authority = X509Certificate::from_der(&certificate.der)
            .is_ok_and(|(_, parsed)| parsed.tbs_certificate.is_ca());
        if !is_authority {
            return Err(Error::NotAnAuthority {
                subject: certificate.subject,
            });
        }
        only.check()?;
        let authority = Self {
            name: certificate.name.clone(),
            certificate: STANDARD.encode(&certificate.der),
            only,
            added_at,
            added_by,
        };
        Ok((authority, certificate))
    }

    /// Its certificate.
    ///
    /// # Errors
    /// A document that was not written by [`from_pem`](Self::from_pem).
    pub fn read(&self, adapter: AdapterId) -> Result<ClientCertificate, Error> {
        let der = STANDARD
            .decode(&self.certificate)
            .map_err(|error| Error::NotACertificate {
                form: "Base64",
                why: error.to_string(),
            })?;
        ClientCertificate::from_der(adapter, &self.name, &der, self.added_at)
    }
}

impl Only {
    /// Whether nothing is named, so that every certificate is let in.
    pub fn is_anything(&self) -> bool {
        self.subject.is_empty() && self.dns_names.is_empty()
    }

    fn check(&self) -> Result<(), Error> {
        let is_part = |part: &&String| {
            part.split_once('=')
                .is_some_and(|(kind, value)| !kind.is_empty() && !value.is_empty())
        };
        let wrong_part = self.subject.iter().find(|part| !is_part(part));
        let is_name = |name: &&String| {
            let name = name.strip_prefix("*.").unwrap_or(name);
            !name.is_empty() && !name.contains(['*', ' '])
        };
        let wrong_name = self.dns_names.iter().find(|name| !is_name(name));
        match (wrong_part, wrong_name) {
            (Some(part), _) => Err(Error::NotARestriction {
                expected: "a part of a subject is written as CN=vcenter-1",
                text: part.chars().take(128).collect(),
            }),
            (None, Some(name)) => Err(Error::NotARestriction {
                expected: "a DNS name is written as vcenter.example.com or *.example.com",
                text: name.chars().take(128).collect(),
            }),
            (None, None) => Ok(()),
        }
    }

    /// Whether a certificate is one of those.
    pub fn includes(&self, certificate: &X509Certificate<'_>) -> bool {
        self.has_subject(certificate) && self.has_dns_name(certificate)
    }

    fn has_subject(&self, certificate: &X509Certificate<'_>) -> bool {
        let has = |wanted: &String| {
            let Some((kind, value)) = wanted.split_once('=') else {
                return false;
            };
            certificate.subject().iter_attributes().any(|attribute| {
                oid2abbrev(attribute.attr_type(), oid_registry())
                    .is_ok_and(|abbreviation| abbreviation.eq_ignore_ascii_case(kind))
                    && attribute.as_str().is_ok_and(|found| found == value)
            })
        };
        self.subject.iter().all(has)
    }

    fn has_dns_name(&self, certificate: &X509Certificate<'_>) -> bool {
        if self.dns_names.is_empty() {
            return true;
        }
        let Ok(Some(names)) = certificate.subject_alternative_name() else {
            return false;
        };
        names.value.general_names.iter().any(|name| match name {
            GeneralName::DNSName(name) => self.dns_names.iter().any(|wanted| is_covered(name, wanted)),
            _ => false,
        })
    }
}

/// Whether a DNS name is the one that is wanted, or below it.
fn is_covered(name: &str, wanted: &str) -> bool {
    let (name, wanted) = (name.to_ascii_lowercase(), wanted.to_ascii_lowercase());
    match wanted.strip_prefix("*.") {
        None => name == wanted,
        Some(parent) => name
            .strip_suffix(parent)
            .and_then(|labels| labels.strip_suffix('.'))
            .is_some_and(|labels| !labels.is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair};

    use super::*;

    fn certificate(subject: &[(DnType, &str)], names: &[&str], is_authority: bool) -> rcgen::Certificate {
        let names: Vec<_> = names.iter().map(ToString::to_string).collect();
        let mut parameters = CertificateParams::new(names).unwrap();
        parameters.distinguished_name = rcgen::DistinguishedName::new();
        for (kind, value) in subject {
            parameters.distinguished_name.push(kind.clone(), *value);
        }
        if is_authority {
            parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        parameters.self_signed(&KeyPair::generate().unwrap()).unwrap()
    }

    fn only(subject: &[&str], dns_names: &[&str]) -> Only {
        let owned = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
        Only {
            subject: owned(subject),
            dns_names: owned(dns_names),
        }
    }

    #[test]
    fn a_restriction_lets_in_whom_it_names_and_nobody_who_resembles_them() {
        let subject = [
            (DnType::CommonName, "vcenter-1"),
            (DnType::OrganizationName, "Example, O=Other"),
        ];
        let made = certificate(&subject, &["a.vc.example.com"], false);
        let (_, parsed) = X509Certificate::from_der(made.der()).unwrap();
        let check = |subject: &[&str], names: &[&str], expected: bool| {
            let only = only(subject, names);
            assert_eq!(only.includes(&parsed), expected, "{only:?}");
        };
        check(&[], &[], true);
        check(&["CN=vcenter-1"], &[], true);
        check(&["cn=vcenter-1", "O=Example, O=Other"], &["*.example.com"], true);
        check(&["CN=vcenter"], &[], false);
        check(&["CN=vcenter-11"], &[], false);
        check(&["O=Other"], &[], false);
        check(&["CN=vcenter-1", "OU=any"], &[], false);
        check(&[], &["A.vc.example.com"], true);
        check(&[], &["b.example.com", "*.vc.example.com"], true);
        check(&[], &["*.a.vc.example.com"], false);
        check(&[], &["vc.example.com"], false);
        check(&[], &["*.ample.com"], false);
        check(&["CN=vcenter-1"], &["other.example.com"], false);
    }

    #[test]
    fn what_is_no_authority_or_no_restriction_is_refused() {
        let read = |made: rcgen::Certificate, only: Only| {
            let pem = made.pem();
            let now = OffsetDateTime::UNIX_EPOCH;
            Authority::from_pem(
                AdapterId::new(),
                "internal",
                pem.as_bytes(),
                only,
                now,
                String::new(),
            )
        };
        let subject = [(DnType::CommonName, "internal")];
        let (authority, facts) = read(certificate(&subject, &[], true), Only::default()).unwrap();
        assert_eq!(
            authority.read(facts.adapter).unwrap().fingerprint,
            facts.fingerprint
        );
        let leaf = read(certificate(&subject, &[], false), Only::default());
        assert!(matches!(leaf, Err(Error::NotAnAuthority { .. })), "{leaf:?}");
        for only in [
            only(&["vcenter"], &[]),
            only(&[], &["v*.example.com"]),
            only(&[], &["*."]),
        ] {
            let refused = read(certificate(&subject, &[], true), only);
            assert!(
                matches!(refused, Err(Error::NotARestriction { .. })),
                "{refused:?}"
            );
        }
    }
}
