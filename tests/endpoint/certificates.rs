//! Certificates as VMware's products make them, and some that nobody should.

use std::path::Path;

use openssl::asn1::{Asn1Integer, Asn1Time};
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::extension::{BasicConstraints, ExtendedKeyUsage, SubjectAlternativeName};
use openssl::x509::{X509, X509NameBuilder};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A key pair's kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Rsa2048,
    Rsa4096,
    P256,
    P384,
    Ed25519,
}

/// What a certificate is to be; the default is what vCenter makes.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub kind: Kind,
    /// As in X.509: 1 or 3.
    pub version: i32,
    pub ca: bool,
    pub sha1: bool,
    /// Validity in seconds from now.
    pub from: i64,
    pub until: i64,
}

impl Default for Wanted {
    fn default() -> Self {
        let year = 365 * 86_400;
        Self {
            kind: Kind::Rsa2048,
            version: 3,
            ca: false,
            sha1: false,
            from: -3600,
            until: 10 * year,
        }
    }
}

/// A self-signed certificate and its private key.
pub struct Pair {
    pub certificate: X509,
    pub key: PKey<Private>,
}

/// What an issued certificate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Any,
    Client,
    Server,
}

impl Pair {
    /// A self-signed certificate.
    pub fn new(name: &str, wanted: &Wanted) -> Self {
        Self::made(name, wanted, None)
    }

    /// A certificate that another issued.
    pub fn issued(name: &str, wanted: &Wanted, issuer: &Self, purpose: Purpose) -> Self {
        Self::made(name, wanted, Some((issuer, purpose)))
    }

    fn made(name: &str, wanted: &Wanted, issued: Option<(&Self, Purpose)>) -> Self {
        let key = key(wanted.kind);
        let mut subject = X509NameBuilder::new().unwrap();
        subject.append_entry_by_text("O", "VMware").unwrap();
        subject.append_entry_by_text("CN", name).unwrap();
        let subject = subject.build();
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap();
        let now = i64::try_from(now.as_secs()).unwrap();

        let mut builder = X509::builder().unwrap();
        builder.set_version(wanted.version - 1).unwrap();
        let mut serial = BigNum::new().unwrap();
        serial
            .rand(127, openssl::bn::MsbOption::MAYBE_ZERO, false)
            .unwrap();
        builder
            .set_serial_number(&Asn1Integer::from_bn(&serial).unwrap())
            .unwrap();
        builder.set_subject_name(&subject).unwrap();
        let signer = issued.map_or(&*subject, |(issuer, _)| issuer.certificate.subject_name());
        builder.set_issuer_name(signer).unwrap();
        builder.set_pubkey(&key).unwrap();
        builder
            .set_not_before(&Asn1Time::from_unix(now + wanted.from).unwrap())
            .unwrap();
        builder
            .set_not_after(&Asn1Time::from_unix(now + wanted.until).unwrap())
            .unwrap();
        if wanted.version == 3 {
            let mut constraints = BasicConstraints::new();
            if wanted.ca {
                constraints.critical().ca();
            }
            builder.append_extension(constraints.build().unwrap()).unwrap();
            let names = SubjectAlternativeName::new()
                .dns(name)
                .build(&builder.x509v3_context(None, None));
            builder.append_extension(names.unwrap()).unwrap();
            let mut usage = ExtendedKeyUsage::new();
            match issued.map(|(_, purpose)| purpose) {
                Some(Purpose::Client) => builder
                    .append_extension(usage.client_auth().build().unwrap())
                    .unwrap(),
                Some(Purpose::Server) => builder
                    .append_extension(usage.server_auth().build().unwrap())
                    .unwrap(),
                Some(Purpose::Any) | None => {}
            }
        }
        let digest = match (wanted.kind, wanted.sha1) {
            (Kind::Ed25519, _) => MessageDigest::null(),
            (_, true) => MessageDigest::sha1(),
            (_, false) => MessageDigest::sha256(),
        };
        builder
            .sign(issued.map_or(&key, |(issuer, _)| &issuer.key), digest)
            .unwrap();
        Self {
            certificate: builder.build(),
            key,
        }
    }

    /// Writes `name.key` and `name.pem`, each as a whole.
    pub fn write(&self, folder: &Path, name: &str) {
        for (ending, text) in [
            ("key", self.key.private_key_to_pem_pkcs8().unwrap()),
            ("pem", self.certificate.to_pem().unwrap()),
        ] {
            let new = folder.join(format!("{name}.{ending}.writing"));
            std::fs::write(&new, text).unwrap();
            std::fs::rename(&new, folder.join(format!("{name}.{ending}"))).unwrap();
        }
    }

    pub fn der(&self) -> CertificateDer<'static> {
        self.certificate.to_der().unwrap().into()
    }

    pub fn private_key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::Pkcs8(self.key.private_key_to_pkcs8().unwrap().into())
    }
}

fn key(kind: Kind) -> PKey<Private> {
    let curve = |nid| {
        let group = EcGroup::from_curve_name(nid).unwrap();
        PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
    };
    match kind {
        Kind::Rsa2048 => PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap(),
        Kind::Rsa4096 => PKey::from_rsa(Rsa::generate(4096).unwrap()).unwrap(),
        Kind::P256 => curve(Nid::X9_62_PRIME256V1),
        Kind::P384 => curve(Nid::SECP384R1),
        Kind::Ed25519 => PKey::generate_ed25519().unwrap(),
    }
}
