//! The server's own certificate, as `claviger init` makes it: self-signed, for vCenter to trust as it is.

use std::net::IpAddr;

use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::extension::{ExtendedKeyUsage, SubjectAlternativeName, SubjectKeyIdentifier};
use zeroize::Zeroizing;

use crate::cli::x509;

/// The key of a server certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    /// What every client in the field can use, and fast.
    EcdsaP256,
    /// For a client that knows no elliptic curves.
    Rsa3072,
}

/// A certificate with its private key.
pub(super) struct ServerCertificate {
    pub(super) certificate_pem: Vec<u8>,
    /// PKCS#8.
    pub(super) key_pem: Zeroizing<Vec<u8>>,
    /// SHA-256 of the DER, as vCenter shows it.
    pub(super) fingerprint: String,
}

/// Makes a key and a certificate for `names` (DNS names or IP addresses; the first is also the common name).
///
/// `names` must not be empty. It is version 3, not a CA, for server authentication alone.
pub(super) fn make(
    names: &[String],
    days: u32,
    algorithm: Algorithm,
) -> Result<ServerCertificate, ErrorStack> {
    let key = make_key(algorithm)?;
    let subject = x509::common_name(common_name(names))?;
    let mut builder = x509::begun(&subject, &subject, &key, days)?;
    builder.append_extension(ExtendedKeyUsage::new().server_auth().build()?)?;
    let identifier = SubjectKeyIdentifier::new().build(&builder.x509v3_context(None, None))?;
    builder.append_extension(identifier)?;
    let mut alternative = SubjectAlternativeName::new();
    for name in names {
        if name.parse::<IpAddr>().is_ok() {
            alternative.ip(name)
        } else {
            alternative.dns(name)
        };
    }
    let alternative = alternative.build(&builder.x509v3_context(None, None))?;
    builder.append_extension(alternative)?;

    builder.sign(&key, MessageDigest::sha256())?;
    let certificate = builder.build();
    let digest = certificate.digest(MessageDigest::sha256())?;
    let fingerprint: Vec<_> = digest.iter().map(|byte| format!("{byte:02X}")).collect();
    Ok(ServerCertificate {
        certificate_pem: certificate.to_pem()?,
        key_pem: Zeroizing::new(key.private_key_to_pem_pkcs8()?),
        fingerprint: fingerprint.join(":"),
    })
}

/// Whether `name` can stand in a certificate: an IP address, or a host name of the usual characters.
///
/// Anything else could bring syntax of OpenSSL's extension language with it.
pub(super) fn is_server_name(name: &str) -> bool {
    if name.parse::<IpAddr>().is_ok() {
        return true;
    }
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253 && name.strip_prefix("*.").unwrap_or(name).split('.').all(label)
}

/// A common name has 64 characters at most.
fn common_name(names: &[String]) -> &str {
    names
        .iter()
        .map(String::as_str)
        .find(|name| name.len() <= 64)
        .unwrap_or("claviger")
}

fn make_key(algorithm: Algorithm) -> Result<PKey<Private>, ErrorStack> {
    match algorithm {
        Algorithm::EcdsaP256 => x509::p256(),
        Algorithm::Rsa3072 => PKey::from_rsa(Rsa::generate(3072)?),
    }
}

#[cfg(test)]
mod tests {
    use openssl::x509::X509;

    use super::*;

    #[test]
    fn a_client_finds_each_name_in_the_certificate() {
        let names = [
            "kms.example.org".to_owned(),
            "10.1.2.3".to_owned(),
            "fd00::5".to_owned(),
        ];
        for algorithm in [Algorithm::EcdsaP256, Algorithm::Rsa3072] {
            let made = make(&names, 30, algorithm).unwrap();
            let certificate = X509::from_pem(&made.certificate_pem).unwrap();
            let found = certificate.subject_alt_names().unwrap();
            assert_eq!(found[0].dnsname(), Some("kms.example.org"));
            assert_eq!(found[1].ipaddress(), Some(&[10, 1, 2, 3][..]));
            assert_eq!(found[2].ipaddress().map(<[u8]>::len), Some(16));
            let key = PKey::private_key_from_pem(&made.key_pem).unwrap();
            assert!(certificate.public_key().unwrap().public_eq(&key));
            assert!(certificate.verify(&key).unwrap());
        }
    }

    #[test]
    fn a_name_cannot_smuggle_extension_syntax() {
        for good in ["kms", "kms-1.example.org", "*.example.org", "127.0.0.1", "::1"] {
            assert!(is_server_name(good), "{good}");
        }
        for bad in [
            "",
            "a,DNS:b",
            "a b",
            "-a",
            "a..b",
            "kms.",
            "ä.example",
            "a\n",
            "IP:1",
        ] {
            assert!(!is_server_name(bad), "{bad}");
        }
    }
}
