//! The certificates of auditors: read from files and folders, pinned by fingerprint.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use time::OffsetDateTime;
use x509_parser::pem::Pem;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::adapter::Fingerprint;

/// For how long what was read is taken for what is there.
const FRESH: Duration = Duration::from_millis(500);

/// The most bytes of a file of certificates.
const LONGEST_FILE: u64 = 1 << 20;

/// One auditor's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Auditor {
    pub(super) fingerprint: Fingerprint,
    pub(super) subject: String,
    pub(super) issuer: String,
    pub(super) serial: String,
    pub(super) not_before: OffsetDateTime,
    pub(super) not_after: OffsetDateTime,
}

impl Auditor {
    /// What a certificate says; why not, where it can't be read.
    pub(super) fn of_der(der: &[u8]) -> Result<Self, String> {
        let (_, parsed) = X509Certificate::from_der(der).map_err(|error| error.to_string())?;
        Ok(Self {
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
    #[error("the certificate is none of an auditor")]
    Unknown,
    #[error("the certificate is not valid yet")]
    NotYetValid,
    #[error("the certificate has expired")]
    Expired,
}

/// All of them, as they are in the files.
#[derive(Clone)]
pub(super) struct Auditors(Arc<Files>);

struct Files {
    paths: Vec<PathBuf>,
    read: Mutex<Read>,
}

struct Read {
    at: Instant,
    auditors: HashMap<Fingerprint, Arc<Auditor>>,
    /// What was told of already, so that it is told once.
    told: Vec<String>,
}

impl Auditors {
    /// Reads the files for the first time.
    pub(super) fn read(paths: Vec<PathBuf>) -> Self {
        let read = Read {
            at: Instant::now(),
            auditors: HashMap::new(),
            told: Vec::new(),
        };
        let auditors = Self(Arc::new(Files {
            paths,
            read: Mutex::new(read),
        }));
        auditors.read_again();
        auditors
    }

    /// How many certificates are let in.
    pub(super) fn len(&self) -> usize {
        self.lock().auditors.len()
    }

    /// Reads the files again where that was not done a moment ago. Before each judgement.
    pub(super) async fn refresh(&self) {
        if self.lock().at.elapsed() < FRESH {
            return;
        }
        let auditors = self.clone();
        // Where the task is gone the server stops.
        let _ = tokio::task::spawn_blocking(move || auditors.read_again()).await;
    }

    /// The auditor of a certificate, or why there is none.
    pub(super) fn admit(
        &self,
        fingerprint: &Fingerprint,
        now: OffsetDateTime,
    ) -> Result<Arc<Auditor>, Refused> {
        let read = self.lock();
        let auditor = read.auditors.get(fingerprint).ok_or(Refused::Unknown)?;
        if now < auditor.not_before {
            return Err(Refused::NotYetValid);
        }
        if now > auditor.not_after {
            return Err(Refused::Expired);
        }
        Ok(Arc::clone(auditor))
    }

    fn read_again(&self) {
        let mut problems = Vec::new();
        let mut auditors = HashMap::new();
        for path in &self.0.paths {
            match files_of(path) {
                Ok(files) => {
                    for file in files {
                        match certificates(&file) {
                            Ok(found) => auditors.extend(
                                found
                                    .into_iter()
                                    .map(|auditor| (auditor.fingerprint, Arc::new(auditor))),
                            ),
                            Err(why) => problems.push(format!("{}: {why}", file.display())),
                        }
                    }
                }
                Err(error) => problems.push(format!("{}: {error}", path.display())),
            }
        }
        let mut read = self.lock();
        for problem in problems.iter().filter(|problem| !read.told.contains(problem)) {
            tracing::warn!("an auditor's certificate can't be read, and nobody is let in by it: {problem}");
        }
        *read = Read {
            at: Instant::now(),
            auditors,
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

fn certificates(file: &Path) -> Result<Vec<Auditor>, String> {
    let length = std::fs::metadata(file).map_err(|error| error.to_string())?.len();
    if length > LONGEST_FILE {
        return Err(format!(
            "it has {length} bytes, and {LONGEST_FILE} are read at most"
        ));
    }
    let text = std::fs::read(file).map_err(|error| error.to_string())?;
    let mut auditors = Vec::new();
    for block in Pem::iter_from_buffer(&text) {
        let block = block.map_err(|error| format!("the PEM cannot be read: {error}"))?;
        if block.label == "CERTIFICATE" {
            auditors.push(Auditor::of_der(&block.contents)?);
        }
    }
    if auditors.is_empty() {
        return Err("it holds no certificate in PEM".into());
    }
    Ok(auditors)
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
        let auditors = Auditors::read(vec![folder.path().to_owned(), folder.path().join("missing")]);
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
        let auditors = Auditors::read(vec![file]);
        let at = |year: i64| OffsetDateTime::from_unix_timestamp((year - 1970) * 31_556_952).unwrap();
        assert_eq!(auditors.admit(&fingerprint, at(1971)), Err(Refused::NotYetValid));
        assert_eq!(auditors.admit(&fingerprint, at(5000)), Err(Refused::Expired));
    }
}
