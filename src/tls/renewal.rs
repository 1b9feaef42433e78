//! A server's certificate from an internal authority, by a command: it is given a request for a certificate and prints the chain.
//!
//! The key is made here, of the kind that the present certificate has, and leaves by no way but into its file. What the command
//! prints is looked at before anything is written: it has to be for the new key, valid now and for longer than the present
//! certificate, and for every name of that. The two files are then put in the place of the old ones, the key first; where that
//! breaks off between them, the next start finishes it. [`ServedCertificate`](super::ServedCertificate) finds the new pair.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use openssl::ec::{EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Private};
use openssl::rsa::Rsa;
use openssl::stack::Stack;
use openssl::x509::extension::SubjectAlternativeName;
use openssl::x509::{X509, X509Req, X509ReqBuilder};
use rustls::crypto::aws_lc_rs;
use time::OffsetDateTime;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::pair;

/// How long the command may take.
const PATIENCE: Duration = Duration::from_mins(2);
/// The most that it may print. A chain is a few thousand bytes long.
const PRINTED: u64 = 256 << 10;
/// The most of its errors that are told.
const TOLD: usize = 400;
/// The bits of an RSA key.
const RSA: u32 = 3072;

/// How a certificate is renewed.
#[derive(Clone, Debug)]
pub struct Renewal {
    /// The program, by its path, and its arguments.
    pub command: Vec<String>,
    /// How long before the present certificate expires.
    pub before: Duration,
    /// The file of the certificate.
    pub certificate: PathBuf,
    /// The file of its key.
    pub key: PathBuf,
}

/// Why a certificate was not renewed. The one before stays.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RenewalError {
    /// The present certificate can't be read.
    #[error("the present certificate {}: {why}", file.display())]
    Present {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The command could not be run to its good end.
    #[error("the command {program}: {why}")]
    Command {
        /// The program.
        program: String,
        /// What happened.
        why: String,
    },
    /// What the command printed is not what was asked for.
    #[error("what the command printed is not taken: {0}")]
    Printed(String),
    /// A file can't be written.
    #[error("{}: {source}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The library failed.
    #[error("OpenSSL: {0}")]
    Library(#[from] ErrorStack),
}

impl Renewal {
    /// When it is to be renewed.
    ///
    /// # Errors
    /// A certificate that can't be read.
    pub fn due(&self) -> Result<OffsetDateTime, RenewalError> {
        let present = self.present()?;
        let before = time::Duration::try_from(self.before).unwrap_or(time::Duration::MAX);
        Ok(end(&present)?.saturating_sub(before))
    }

    /// Has a new certificate made and puts it, with its key, in the place of the present one. Gives when it expires.
    ///
    /// # Errors
    /// What stood against it; nothing was changed then, unless a file could not be put in its place.
    pub async fn renew(&self) -> Result<OffsetDateTime, RenewalError> {
        let present = self.present()?;
        let key = new_key(&present)?;
        let request = request(&present, &key)?.to_pem()?;
        let printed = self.printed(&request).await?;
        let chain = X509::stack_from_pem(&printed)
            .map_err(|error| RenewalError::Printed(format!("no chain in PEM: {error}")))?;
        let Some(certificate) = chain.first() else {
            return Err(RenewalError::Printed("there is no certificate in it".into()));
        };
        // Of after the command, which may have had a certificate issued that begins this second.
        let until = check(certificate, &key, &present, OffsetDateTime::now_utc())?;
        let mut text = Vec::new();
        for certificate in &chain {
            text.extend(certificate.to_pem()?);
        }
        let private = Zeroizing::new(key.private_key_to_pem_pkcs8()?);
        self.put(&text, &private)?;
        Ok(until)
    }

    fn present(&self) -> Result<X509, RenewalError> {
        let wrong = |why: String| RenewalError::Present {
            file: self.certificate.clone(),
            why,
        };
        let text = std::fs::read(&self.certificate).map_err(|error| wrong(error.to_string()))?;
        X509::from_pem(&text).map_err(|error| wrong(format!("it holds no certificate in PEM: {error}")))
    }

    /// What the command prints when it is given the request.
    async fn printed(&self, request: &[u8]) -> Result<Vec<u8>, RenewalError> {
        let program = self.command.first().cloned().unwrap_or_default();
        let failed = |why: String| RenewalError::Command {
            program: program.clone(),
            why,
        };
        let mut child = Command::new(&program)
            .args(self.command.iter().skip(1))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| failed(format!("can't be started: {error}")))?;
        let (input, output, errors) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(mut input), Some(output), Some(errors)) = (input, output, errors) else {
            return Err(failed("has no standard input or output".into()));
        };
        let (mut printed, mut told) = (Vec::new(), Vec::new());
        let run = async {
            let give = async move {
                // A command that does not read it to its end is judged by what it prints.
                let _ = input.write_all(request).await;
            };
            // Each end is closed where enough was read of it, so that nobody writes on for ever.
            let ((), read, _) = tokio::join!(
                give,
                read_at_most(output, PRINTED + 1, &mut printed),
                read_at_most(errors, PRINTED, &mut told)
            );
            read?;
            child.wait().await
        };
        let status = match timeout(PATIENCE, run).await {
            Ok(status) => status.map_err(|error| failed(error.to_string()))?,
            Err(_) => {
                return Err(failed(format!("was not done within {} s", PATIENCE.as_secs())));
            }
        };
        if printed.len() as u64 > PRINTED {
            return Err(RenewalError::Printed(format!("more than {PRINTED} bytes came")));
        }
        if !status.success() {
            let told: String = String::from_utf8_lossy(&told)
                .chars()
                .map(|c| if c.is_control() { ' ' } else { c })
                .take(TOLD)
                .collect();
            return Err(failed(format!("ended with {status}: {}", told.trim())));
        }
        Ok(printed)
    }

    /// Writes both files beside the present ones, tries them, and puts them in their places.
    fn put(&self, certificate: &[u8], key: &[u8]) -> Result<(), RenewalError> {
        let (new_certificate, new_key) = (beside(&self.certificate), beside(&self.key));
        write(&new_key, key, 0o600)?;
        write(&new_certificate, certificate, 0o644)?;
        let provider = aws_lc_rs::default_provider();
        if let Err(error) = pair(&new_certificate, &new_key, &provider) {
            for file in [&new_certificate, &new_key] {
                let _ = std::fs::remove_file(file);
            }
            return Err(RenewalError::Printed(error.to_string()));
        }
        rename(&new_key, &self.key)?;
        rename(&new_certificate, &self.certificate)
    }
}

async fn read_at_most(from: impl AsyncRead + Unpin, limit: u64, into: &mut Vec<u8>) -> io::Result<usize> {
    from.take(limit).read_to_end(into).await
}

/// Where a renewal broke off between its two files, puts the certificate in its place. Tells whether it did.
///
/// # Errors
/// The file can't be moved.
pub fn finish_renewal(certificate: &Path, key: &Path) -> Result<bool, RenewalError> {
    let new = beside(certificate);
    let provider = aws_lc_rs::default_provider();
    if !new.exists() || pair(certificate, key, &provider).is_ok() || pair(&new, key, &provider).is_err() {
        return Ok(false);
    }
    rename(&new, certificate).map(|()| true)
}

fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(OsString::from(".new"));
    name.into()
}

fn write(file: &Path, bytes: &[u8], mode: u32) -> Result<(), RenewalError> {
    let wrong = |source| RenewalError::File {
        file: file.to_owned(),
        source,
    };
    // What is left of an earlier try may have another mode.
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(wrong(error)),
        _ => {}
    }
    let mut open = OpenOptions::new();
    let mut opened = open
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(file)
        .map_err(wrong)?;
    opened.write_all(bytes).map_err(wrong)?;
    opened.sync_all().map_err(wrong)
}

fn rename(from: &Path, to: &Path) -> Result<(), RenewalError> {
    std::fs::rename(from, to).map_err(|source| RenewalError::File {
        file: to.to_owned(),
        source,
    })
}

/// A new key of the kind that a certificate has.
fn new_key(present: &X509) -> Result<PKey<Private>, ErrorStack> {
    if present.public_key()?.id() == Id::RSA {
        return PKey::from_rsa(Rsa::generate(RSA)?);
    }
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    PKey::from_ec_key(EcKey::generate(&group)?)
}

/// A request for a certificate with the subject and the names of another.
fn request(present: &X509, key: &PKey<Private>) -> Result<X509Req, ErrorStack> {
    let mut builder = X509ReqBuilder::new()?;
    builder.set_version(0)?;
    builder.set_subject_name(present.subject_name())?;
    builder.set_pubkey(key)?;
    let mut names = SubjectAlternativeName::new();
    let wanted = names_of(present);
    for name in &wanted {
        match name {
            Name::Dns(name) => names.dns(name),
            Name::Address(address) => names.ip(address),
        };
    }
    if !wanted.is_empty() {
        let mut extensions = Stack::new()?;
        extensions.push(names.build(&builder.x509v3_context(None))?)?;
        builder.add_extensions(&extensions)?;
    }
    builder.sign(key, MessageDigest::sha256())?;
    Ok(builder.build())
}

/// A name that a server is reached by.
#[derive(Debug, PartialEq, Eq)]
enum Name {
    Dns(String),
    Address(String),
}

fn names_of(certificate: &X509) -> Vec<Name> {
    let names = certificate.subject_alt_names();
    let address = |bytes: &[u8]| {
        let four = <[u8; 4]>::try_from(bytes).map(|bytes| std::net::Ipv4Addr::from(bytes).to_string());
        let sixteen = <[u8; 16]>::try_from(bytes).map(|bytes| std::net::Ipv6Addr::from(bytes).to_string());
        four.or(sixteen).ok()
    };
    let mut found = Vec::new();
    for name in names.iter().flatten() {
        if let Some(dns) = name.dnsname() {
            found.push(Name::Dns(dns.to_ascii_lowercase()));
        } else if let Some(address) = name.ipaddress().and_then(address) {
            found.push(Name::Address(address));
        }
    }
    found
}

/// Whether a certificate can take the place of another; gives when it expires.
fn check(
    new: &X509,
    key: &PKey<Private>,
    present: &X509,
    now: OffsetDateTime,
) -> Result<OffsetDateTime, RenewalError> {
    let wrong = |why: String| Err(RenewalError::Printed(why));
    if !new.public_key()?.public_eq(key) {
        return wrong("the first certificate is not for the key of the request".into());
    }
    let until = end(new)?;
    if moment(new.not_before())? > now || until <= now {
        return wrong("the certificate is not valid now".into());
    }
    if until <= end(present)? {
        return wrong(format!(
            "the certificate expires on {}, no later than the present one",
            until.date()
        ));
    }
    let has = names_of(new);
    match names_of(present).into_iter().find(|name| !has.contains(name)) {
        Some(Name::Dns(name) | Name::Address(name)) => wrong(format!(
            "the certificate is not for {name}, and the present one is"
        )),
        None => Ok(until),
    }
}

fn end(certificate: &X509) -> Result<OffsetDateTime, RenewalError> {
    moment(certificate.not_after())
}

fn moment(at: &openssl::asn1::Asn1TimeRef) -> Result<OffsetDateTime, RenewalError> {
    let since = openssl::asn1::Asn1Time::from_unix(0)?.diff(at)?;
    let seconds = i64::from(since.days) * 86_400 + i64::from(since.secs);
    OffsetDateTime::from_unix_timestamp(seconds)
        .map_err(|error| RenewalError::Printed(format!("a time that there is not: {error}")))
}

#[cfg(test)]
#[path = "renewal_tests.rs"]
mod tests;
