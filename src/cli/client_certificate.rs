//! `claviger certificate make` and `sign`: certificates for clients, which are admitted as they are made.
//!
//! A client is known by the SHA-256 of its certificate, and no authority vouches for it. So what signs a client's request is a key
//! that is made for that one signature and gone after it: there is no authority that could be misused.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkcs12::Pkcs12;
use openssl::x509::extension::ExtendedKeyUsage;
use openssl::x509::{X509, X509Req};
use zeroize::Zeroizing;

use super::exit::Failure;
use super::x509::{begun, common_name, p256};

/// A certificate for a client, and its key where that was made here.
pub(super) struct Made {
    pub(super) certificate_pem: String,
    /// PKCS#8.
    key_pem: Option<Zeroizing<Vec<u8>>>,
    pkcs12: Option<Zeroizing<Vec<u8>>>,
}

/// How a pair is made.
#[derive(Debug, clap::Args)]
pub(crate) struct Make {
    /// The adapter whose keys the client may reach
    adapter: String,
    /// The client's name: the certificate's common name, and what the files are called
    name: String,
    /// Where NAME.pem and NAME.key are written, and with a password NAME.p12
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    folder: PathBuf,
    /// For how many days the certificate is valid
    #[arg(long, default_value_t = 730, value_parser = clap::value_parser!(u32).range(1..=3650))]
    days: u32,
    /// A file whose first line is the password of NAME.p12 (PKCS#12), which is written then
    #[arg(long, value_name = "FILE")]
    pkcs12_password_file: Option<PathBuf>,
}

/// How a request is signed.
#[derive(Debug, clap::Args)]
pub(crate) struct Sign {
    /// The adapter whose keys the client may reach
    adapter: String,
    /// The certificate signing request as PEM, such as vCenter gives it (New Certificate Signing Request)
    request: PathBuf,
    /// Where the certificate is written; upload it where the request came from
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
    /// What to call it [default: its common name]
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// For how many days the certificate is valid
    #[arg(long, default_value_t = 730, value_parser = clap::value_parser!(u32).range(1..=3650))]
    days: u32,
}

/// What is to be admitted, and how.
pub(super) struct Admission {
    pub(super) adapter: String,
    pub(super) name: Option<String>,
    pub(super) certificate_pem: String,
}

impl Make {
    /// Makes the pair and writes its files, none of which may be there. They are written before the client is admitted, so that
    /// nobody is admitted whose key is lost.
    pub(super) fn carry_out(self) -> Result<(Admission, Vec<PathBuf>), Failure> {
        let name =
            crate::adapter::certificate_name(&self.name).map_err(|error| Failure::new(error.to_string()))?;
        let password = self.pkcs12_password_file.as_deref().map(first_line).transpose()?;
        let made = pair(
            &name,
            self.days,
            password.as_ref().map(|password| password.as_str()),
        )
        .map_err(|error| Failure::new(format!("the certificate can't be made: {error}")))?;
        let mut written = Vec::new();
        let contents = [
            ("pem", Some(made.certificate_pem.as_bytes())),
            ("key", made.key_pem.as_ref().map(|key| key.as_slice())),
            ("p12", made.pkcs12.as_ref().map(|pkcs12| pkcs12.as_slice())),
        ];
        for (kind, bytes) in contents {
            let Some(bytes) = bytes else { continue };
            let file = self.folder.join(format!("{name}.{kind}"));
            write_new(&file, bytes)?;
            written.push(file);
        }
        let admission = Admission {
            adapter: self.adapter,
            name: Some(name),
            certificate_pem: made.certificate_pem,
        };
        Ok((admission, written))
    }
}

impl Sign {
    /// Signs the request and writes the certificate, to a file that may not be there.
    pub(super) fn carry_out(self) -> Result<(Admission, Vec<PathBuf>), Failure> {
        let cannot = |why: String| {
            Failure::new(format!("the request {}: {why}", self.request.display()))
                .remedy("give a certificate signing request (PKCS#10) as PEM")
        };
        let pem = std::fs::read(&self.request).map_err(|error| cannot(error.to_string()))?;
        let request = X509Req::from_pem(&pem).map_err(|error| cannot(error.to_string()))?;
        let made = signed(&request, self.days)
            .map_err(|error| cannot(error.to_string()))?
            .ok_or_else(|| cannot("its signature is not by its own key".into()))?;
        write_new(&self.file, made.certificate_pem.as_bytes())?;
        let admission = Admission {
            adapter: self.adapter,
            name: self.name,
            certificate_pem: made.certificate_pem,
        };
        Ok((admission, vec![self.file]))
    }
}

/// A key, and a certificate that it signed itself.
fn pair(name: &str, days: u32, password: Option<&str>) -> Result<Made, ErrorStack> {
    let key = p256()?;
    let subject = common_name(name)?;
    let mut builder = begun(&subject, &subject, &key, days)?;
    builder.append_extension(ExtendedKeyUsage::new().client_auth().build()?)?;
    builder.sign(&key, MessageDigest::sha256())?;
    let certificate = builder.build();
    let pkcs12 = match password {
        None => None,
        Some(password) => {
            let mut pkcs12 = Pkcs12::builder();
            pkcs12.name(name).pkey(&key).cert(&certificate);
            Some(Zeroizing::new(pkcs12.build2(password)?.to_der()?))
        }
    };
    Ok(Made {
        certificate_pem: text(&certificate)?,
        key_pem: Some(Zeroizing::new(key.private_key_to_pem_pkcs8()?)),
        pkcs12,
    })
}

/// A certificate for the key and the subject of a request; none where the request is not signed by its key.
fn signed(request: &X509Req, days: u32) -> Result<Option<Made>, ErrorStack> {
    let requested = request.public_key()?;
    if !request.verify(&requested)? {
        return Ok(None);
    }
    let issuer_key = p256()?;
    let issuer = common_name("Claviger, one signature")?;
    let mut builder = begun(request.subject_name(), &issuer, &requested, days)?;
    builder.append_extension(ExtendedKeyUsage::new().client_auth().build()?)?;
    builder.sign(&issuer_key, MessageDigest::sha256())?;
    Ok(Some(Made {
        certificate_pem: text(&builder.build())?,
        key_pem: None,
        pkcs12: None,
    }))
}

fn text(certificate: &X509) -> Result<String, ErrorStack> {
    Ok(String::from_utf8_lossy(&certificate.to_pem()?).into_owned())
}

fn first_line(file: &Path) -> Result<Zeroizing<String>, Failure> {
    let text = std::fs::read_to_string(file)
        .map(Zeroizing::new)
        .map_err(|error| {
            Failure::new(format!(
                "cannot read the password file {}: {error}",
                file.display()
            ))
        })?;
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        return Err(Failure::new(format!(
            "the password file {} has nothing in its first line",
            file.display()
        )));
    }
    Ok(Zeroizing::new(line.to_owned()))
}

/// Writes a file that must not be there, for its owner alone.
fn write_new(file: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .and_then(|mut open| open.write_all(bytes).and_then(|()| open.sync_all()));
    written.map_err(|error| {
        Failure::new(format!("cannot write {}: {error}", file.display()))
            .remedy("name a folder or a file that can be written and is not there yet")
    })
}

#[cfg(test)]
mod tests {
    use openssl::pkey::PKey;
    use openssl::x509::X509ReqBuilder;

    use super::*;

    #[test]
    fn a_client_gets_its_pair_in_pem_and_in_pkcs12() {
        let made = pair("vcenter", 30, Some("secret")).unwrap();
        let certificate = X509::from_pem(made.certificate_pem.as_bytes()).unwrap();
        let key = PKey::private_key_from_pem(&made.key_pem.unwrap()).unwrap();
        assert!(certificate.public_key().unwrap().public_eq(&key));
        assert!(certificate.verify(&key).unwrap());
        let opened = Pkcs12::from_der(&made.pkcs12.unwrap()).unwrap();
        assert!(opened.parse2("wrong").is_err());
        let opened = opened.parse2("secret").unwrap();
        assert!(opened.pkey.unwrap().public_eq(&key));
        assert!(pair("vcenter", 30, None).unwrap().pkcs12.is_none());
    }

    #[test]
    fn a_request_is_signed_for_its_own_key_and_no_other() {
        let key = p256().unwrap();
        let request = |signing: &PKey<openssl::pkey::Private>| {
            let mut request = X509ReqBuilder::new().unwrap();
            request.set_pubkey(&key).unwrap();
            request
                .set_subject_name(&common_name("vcenter.example").unwrap())
                .unwrap();
            request.sign(signing, MessageDigest::sha256()).unwrap();
            request.build()
        };
        let made = signed(&request(&key), 30).unwrap().unwrap();
        let certificate = X509::from_pem(made.certificate_pem.as_bytes()).unwrap();
        assert!(certificate.public_key().unwrap().public_eq(&key));
        let subject = certificate.subject_name().entries().next().unwrap();
        assert_eq!(subject.data().as_slice(), b"vcenter.example");
        assert!(!certificate.verify(&key).unwrap());
        assert!(signed(&request(&p256().unwrap()), 30).unwrap().is_none());
    }
}
