//! The certificates that are let in over HTTPS, each with a role: read from files and folders, pinned by fingerprint.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use time::OffsetDateTime;
use x509_parser::pem::Pem;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::adapter::{Fingerprint, Role};
use crate::custody::Actor;

/// For how long what was read is taken for what is there.
const FRESH: Duration = Duration::from_millis(500);

/// The most bytes of a file of certificates.
const LONGEST_FILE: u64 = 1 << 20;

/// Whoever has a certificate that is let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::admin) struct Holder {
    pub(in crate::admin) role: Role,
    pub(in crate::admin) fingerprint: Fingerprint,
    pub(in crate::admin) subject: String,
    pub(in crate::admin) issuer: String,
    pub(in crate::admin) serial: String,
    pub(in crate::admin) not_before: OffsetDateTime,
    pub(in crate::admin) not_after: OffsetDateTime,
}

impl Holder {
    /// The actor of their events.
    pub(in crate::admin) fn actor(&self) -> Actor {
        let (certificate, subject) = (self.fingerprint.to_string(), self.subject.clone());
        let (issuer, serial) = (self.issuer.clone(), self.serial.clone());
        match self.role {
            Role::Auditor => Actor::Auditor {
                certificate,
                subject,
                issuer,
                serial,
            },
            Role::Operator | Role::Administrator => Actor::RemoteAdministrator {
                role: self.role.name().to_owned(),
                certificate,
                subject,
                issuer,
                serial,
            },
        }
    }

    /// What a certificate says of whoever has this role; why not, where it can't be read.
    pub(super) fn of_der(role: Role, der: &[u8]) -> Result<Self, String> {
        let (_, parsed) = X509Certificate::from_der(der).map_err(|error| error.to_string())?;
        Ok(Self {
            role,
            fingerprint: Fingerprint::of_der(der),
            subject: parsed.subject().to_string(),
            issuer: parsed.issuer().to_string(),
            serial: parsed.raw_serial_as_string(),
            not_before: parsed.validity().not_before.to_datetime(),
            not_after: parsed.validity().not_after.to_datetime(),
        })
    }
}

/// Why a certificate is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    #[error("the certificate is none that is let in")]
    Unknown,
    #[error("the certificate is not valid yet")]
    NotYetValid,
    #[error("the certificate has expired")]
    Expired,
}

/// All of them, as they are in the files.
#[derive(Clone)]
pub(super) struct Holders(Arc<Files>);

struct Files {
    /// The role that comes first counts for a certificate that is in the files of several.
    paths: Vec<(Role, PathBuf)>,
    read: Mutex<Read>,
}

struct Read {
    at: Instant,
    holders: HashMap<Fingerprint, Arc<Holder>>,
    /// What was told of already, so that it is told once.
    told: Vec<String>,
}

impl Holders {
    /// Reads the files for the first time.
    pub(super) fn read(mut paths: Vec<(Role, PathBuf)>) -> Self {
        paths.sort_by_key(|(role, _)| std::cmp::Reverse(*role));
        let read = Read {
            at: Instant::now(),
            holders: HashMap::new(),
            told: Vec::new(),
        };
        let holders = Self(Arc::new(Files {
            paths,
            read: Mutex::new(read),
        }));
        holders.read_again();
        holders
    }

    /// How many certificates are let in.
    pub(super) fn len(&self) -> usize {
        self.lock().holders.len()
    }

    /// Reads the files again where that was not done a moment ago. Before each judgement.
    pub(super) async fn refresh(&self) {
        if self.lock().at.elapsed() < FRESH {
            return;
        }
        let holders = self.clone();
        // Where the task is gone the server stops.
        let _ = tokio::task::spawn_blocking(move || holders.read_again()).await;
    }

    /// The holder of a certificate, or why there is none.
    pub(super) fn admit(
        &self,
        fingerprint: &Fingerprint,
        now: OffsetDateTime,
    ) -> Result<Arc<Holder>, Refused> {
        let read = self.lock();
        let holder = read.holders.get(fingerprint).ok_or(Refused::Unknown)?;
        if now < holder.not_before {
            return Err(Refused::NotYetValid);
        }
        if now > holder.not_after {
            return Err(Refused::Expired);
        }
        Ok(Arc::clone(holder))
    }

    fn read_again(&self) {
        let mut problems = Vec::new();
        let mut holders: HashMap<_, Arc<Holder>> = HashMap::new();
        for (role, path) in &self.0.paths {
            match files_of(path) {
                Ok(files) => {
                    for file in files {
                        match certificates(*role, &file) {
                            Ok(found) => {
                                for holder in found {
                                    holders
                                        .entry(holder.fingerprint)
                                        .or_insert_with(|| Arc::new(holder));
                                }
                            }
                            Err(why) => problems.push(format!("{}: {why}", file.display())),
                        }
                    }
                }
                Err(error) => problems.push(format!("{}: {error}", path.display())),
            }
        }
        let mut read = self.lock();
        for problem in problems.iter().filter(|problem| !read.told.contains(problem)) {
            tracing::warn!(
                "a certificate of `admin.web` can't be read, and nobody is let in by it: {problem}"
            );
        }
        *read = Read {
            at: Instant::now(),
            holders,
            told: problems,
        };
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Read> {
        self.0.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The file itself, or the files of a folder that have a certificate by their name.
fn files_of(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !std::fs::metadata(path)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let file = entry?.path();
        let kind = file.extension().and_then(|extension| extension.to_str());
        if matches!(kind, Some("pem" | "crt" | "cer")) {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

fn certificates(role: Role, file: &Path) -> Result<Vec<Holder>, String> {
    let length = std::fs::metadata(file).map_err(|error| error.to_string())?.len();
    if length > LONGEST_FILE {
        return Err(format!(
            "it has {length} bytes, and {LONGEST_FILE} are read at most"
        ));
    }
    let text = std::fs::read(file).map_err(|error| error.to_string())?;
    let mut holders = Vec::new();
    for block in Pem::iter_from_buffer(&text) {
        let block = block.map_err(|error| format!("the PEM cannot be read: {error}"))?;
        if block.label == "CERTIFICATE" {
            holders.push(Holder::of_der(role, &block.contents)?);
        }
    }
    if holders.is_empty() {
        return Err("it holds no certificate in PEM".into());
    }
    Ok(holders)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(name: &str) -> (String, Fingerprint) {
        let mut parameters = rcgen::CertificateParams::default();
        parameters
            .distinguished_name
            .push(rcgen::DnType::CommonName, name);
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = parameters.self_signed(&key).unwrap();
        (certificate.pem(), Fingerprint::of_der(certificate.der()))
    }

    #[test]
    fn a_certificate_that_was_taken_out_lets_nobody_in_and_a_broken_file_shuts_out_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let (ada, ada_is) = certificate("Ada");
        let (bea, bea_is) = certificate("Bea");
        std::fs::write(folder.path().join("ada.pem"), ada).unwrap();
        std::fs::write(folder.path().join("bea.crt"), bea).unwrap();
        std::fs::write(folder.path().join("broken.pem"), "-----BEGIN").unwrap();
        std::fs::write(folder.path().join("notes.txt"), "no certificate").unwrap();
        let paths = [folder.path().to_owned(), folder.path().join("missing")];
        let auditors = Holders::read(paths.map(|path| (Role::Auditor, path)).to_vec());
        let now = OffsetDateTime::now_utc();
        assert_eq!(auditors.len(), 2);
        assert_eq!(auditors.admit(&ada_is, now).unwrap().subject, "CN=Ada");
        assert!(auditors.admit(&bea_is, now).is_ok());

        std::fs::remove_file(folder.path().join("ada.pem")).unwrap();
        auditors.read_again();
        assert_eq!(auditors.admit(&ada_is, now), Err(Refused::Unknown));
        assert!(auditors.admit(&bea_is, now).is_ok());
    }

    #[test]
    fn a_certificate_outside_of_its_time_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (pem, fingerprint) = certificate("Ada");
        let file = folder.path().join("ada.pem");
        std::fs::write(&file, pem).unwrap();
        let auditors = Holders::read(vec![(Role::Auditor, file)]);
        let at = |year: i64| OffsetDateTime::from_unix_timestamp((year - 1970) * 31_556_952).unwrap();
        assert_eq!(auditors.admit(&fingerprint, at(1971)), Err(Refused::NotYetValid));
        assert_eq!(auditors.admit(&fingerprint, at(5000)), Err(Refused::Expired));
    }

    #[test]
    fn of_several_roles_the_one_that_may_more_counts() {
        let folder = tempfile::tempdir().unwrap();
        let (pem, fingerprint) = certificate("Ada");
        let file = folder.path().join("ada.pem");
        std::fs::write(&file, pem).unwrap();
        let roles = [Role::Auditor, Role::Administrator, Role::Operator];
        let holders = Holders::read(roles.map(|role| (role, file.clone())).to_vec());
        let holder = holders.admit(&fingerprint, OffsetDateTime::now_utc()).unwrap();
        assert_eq!(holder.role, Role::Administrator);
        assert!(matches!(holder.actor(), Actor::RemoteAdministrator { role, .. } if role == "administrator"));
    }
}
