//! Client certificates that were not let in: what the operator and the auditor hear of them.
//!
//! A refusal is told at once with the command that would admit the certificate, which is kept for that purpose; further
//! ones of the same certificate within a minute are counted and told as one. However many come, of however many
//! certificates, the log, the custody log and the folder grow by a bounded amount.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rustls::pki_types::CertificateDer;
use rustls::{CertificateError, OtherError};
use time::OffsetDateTime;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::adapter::Fingerprint;

/// For how long refusals of one certificate are told as one.
const WINDOW: Duration = Duration::from_mins(1);

/// How many different certificates are told of by name in a window; the rest is a number.
const NAMED_IN_A_WINDOW: usize = 32;

/// How many refused certificates are kept; the oldest makes room.
const KEPT: usize = 64;

/// How many refusals may wait to be told of; more are counted.
const WAITING: usize = 256;

/// Why a client certificate is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// It is not admitted to any adapter.
    #[error("the certificate is not known")]
    Unknown,
    /// It was admitted once, or its adapter is gone; a session of then was resumed or is still open.
    #[error("the certificate is no longer admitted")]
    Removed,
    /// Its validity begins later.
    #[error("the certificate is not valid before {from}")]
    NotYetValid {
        /// When it begins.
        from: OffsetDateTime,
    },
    /// Its validity is over.
    #[error("the certificate expired on {since}")]
    Expired {
        /// When it ended.
        since: OffsetDateTime,
    },
    /// The client did not show that it has the private key.
    #[error("the client did not prove that it has the certificate's private key")]
    NoProof,
    /// No certificate came.
    #[error("the client sent no certificate")]
    NoCertificate,
}

impl Reason {
    /// The name of the reason in records, which stays.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Removed => "removed",
            Self::NotYetValid { .. } => "not-yet-valid",
            Self::Expired { .. } => "expired",
            Self::NoProof => "no-proof-of-possession",
            Self::NoCertificate => "no-certificate",
        }
    }
}

/// A certificate that was not let in, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub reason: Reason,
    /// What came; none where nothing came.
    pub certificate: Option<RefusedCertificate>,
}

/// What a refused certificate says of itself. None of it is proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedCertificate {
    /// The SHA-256 of its DER.
    pub fingerprint: Fingerprint,
    /// Its subject, as RFC 4514 writes it.
    pub subject: String,
    /// Its issuer.
    pub issuer: String,
    /// Its serial number, in hexadecimal.
    pub serial: String,
    /// The certificate.
    pub der: Vec<u8>,
}

impl Refusal {
    pub(super) fn of_certificate(reason: Reason, der: &CertificateDer<'_>) -> Self {
        let (subject, issuer, serial) = match X509Certificate::from_der(der) {
            Ok((_, parsed)) => (
                bounded(&parsed.subject().to_string()),
                bounded(&parsed.issuer().to_string()),
                bounded(&parsed.raw_serial_as_string()),
            ),
            Err(_) => ("(no X.509 certificate)".to_owned(), String::new(), String::new()),
        };
        let fingerprint = Fingerprint::of_der(der);
        let certificate = RefusedCertificate {
            fingerprint,
            subject,
            issuer,
            serial,
            der: der.to_vec(),
        };
        Self {
            reason,
            certificate: Some(certificate),
        }
    }

    /// The refusal behind an error of a handshake; none where it failed for another reason.
    pub(super) fn from_error(error: &rustls::Error) -> Option<Self> {
        match error {
            rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(inner))) => {
                inner.downcast_ref::<Self>().cloned()
            }
            rustls::Error::NoCertificatesPresented => Some(Self {
                reason: Reason::NoCertificate,
                certificate: None,
            }),
            _ => None,
        }
    }
}

/// The text without control characters, and not longer than a line of a log should be.
fn bounded(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{FFFD}' } else { c })
        .take(400)
        .collect()
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

impl std::error::Error for Refusal {}

impl From<Refusal> for rustls::Error {
    fn from(refusal: Refusal) -> Self {
        Self::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(refusal))))
    }
}

/// What is told of one or several refusals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The certificate and the reason of the first of them; none where it stands for many certificates.
    pub refusal: Option<Refusal>,
    /// Where the last of them came from.
    pub peer: SocketAddr,
    /// How many it stands for.
    pub count: u64,
}

/// Where refusals are recorded for the auditor.
#[async_trait]
pub trait RefusalRecorder: Send + Sync {
    /// Makes the record durable. It says what failed itself: a refusal is refused whether it is recorded or not.
    async fn record(&self, told: &Told);
}

/// Takes refusals from the connections and tells of them, in a task of its own.
#[derive(Clone)]
pub(super) struct Refusals(mpsc::Sender<(Refusal, SocketAddr)>);

impl Refusals {
    /// Certificates are kept in `folder`, which is made when the first one comes. The task ends, and has told
    /// everything, when the last clone is gone.
    pub(super) fn start(folder: PathBuf, recorder: Arc<dyn RefusalRecorder>) -> (Self, JoinHandle<()>) {
        let (sender, reports) = mpsc::channel(WAITING);
        let teller = Teller {
            folder,
            recorder,
            window: Window::default(),
        };
        (Self(sender), tokio::spawn(teller.run(reports)))
    }

    /// Never waits: a flood that is faster than the telling loses some of its count.
    pub(super) fn report(&self, refusal: Refusal, peer: SocketAddr) {
        if self.0.try_send((refusal, peer)).is_err() {
            tracing::debug!(%peer, "a refusal is not told of: too many wait");
        }
    }
}

/// What came since the window was opened and is not told yet.
#[derive(Default)]
struct Window {
    ends: Option<Instant>,
    named: HashMap<(Option<Fingerprint>, &'static str), Told>,
    others: Option<Told>,
}

struct Teller {
    folder: PathBuf,
    recorder: Arc<dyn RefusalRecorder>,
    window: Window,
}

impl Teller {
    async fn run(mut self, mut reports: mpsc::Receiver<(Refusal, SocketAddr)>) {
        loop {
            let ends = self.window.ends;
            let window = async {
                match ends {
                    Some(ends) => tokio::time::sleep_until(ends).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                report = reports.recv() => match report {
                    Some((refusal, peer)) => self.take(refusal, peer).await,
                    None => break,
                },
                () = window => self.close_window().await,
            }
        }
        self.close_window().await;
    }

    async fn take(&mut self, refusal: Refusal, peer: SocketAddr) {
        self.window.ends.get_or_insert_with(|| Instant::now() + WINDOW);
        let key = (
            refusal.certificate.as_ref().map(|c| c.fingerprint),
            refusal.reason.code(),
        );
        if let Some(told) = self.window.named.get_mut(&key) {
            told.peer = peer;
            told.count += 1;
        } else if self.window.named.len() < NAMED_IN_A_WINDOW {
            let first = Told {
                refusal: Some(refusal),
                peer,
                count: 1,
            };
            self.tell(&first).await;
            self.window.named.insert(key, Told { count: 0, ..first });
        } else {
            let others = self.window.others.get_or_insert(Told {
                refusal: None,
                peer,
                count: 0,
            });
            others.peer = peer;
            others.count += 1;
        }
    }

    async fn close_window(&mut self) {
        let window = std::mem::take(&mut self.window);
        for told in window
            .named
            .values()
            .chain(&window.others)
            .filter(|told| told.count > 0)
        {
            self.tell(told).await;
        }
    }

    async fn tell(&self, told: &Told) {
        let Told { refusal, peer, count } = told;
        match refusal {
            Some(Refusal {
                reason,
                certificate: Some(certificate),
            }) => {
                let RefusedCertificate {
                    fingerprint, subject, ..
                } = certificate;
                let remedy = match reason {
                    Reason::Unknown | Reason::Removed => match keep(&self.folder, certificate) {
                        Ok(file) => format!("claviger certificate add ADAPTER {}", file.display()),
                        Err(error) => format!("(it could not be kept in {}: {error})", self.folder.display()),
                    },
                    Reason::NotYetValid { .. } => "check the clocks of client and server".to_owned(),
                    Reason::Expired { .. } => {
                        "renew it; or set kmip.allow_expired_client_certificates for a while".to_owned()
                    }
                    Reason::NoProof | Reason::NoCertificate => "none: check the client".to_owned(),
                };
                tracing::warn!(
                    %peer, %fingerprint, %subject, count, %reason,
                    "a client certificate is refused. To admit it: {remedy}"
                );
            }
            Some(Refusal { reason, .. }) => {
                tracing::warn!(%peer, count, %reason, "a client is refused");
            }
            None => tracing::warn!(%peer, count, "more client certificates are refused than can be named"),
        }
        self.recorder.record(told).await;
    }
}

/// Keeps a certificate as PEM under its fingerprint, and no more than [`KEPT`] of them.
fn keep(folder: &Path, certificate: &RefusedCertificate) -> io::Result<PathBuf> {
    let file = folder.join(format!("{}.pem", certificate.fingerprint));
    if file.exists() {
        return Ok(file);
    }
    std::fs::create_dir_all(folder)?;
    let mut kept = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry
            .path()
            .extension()
            .is_some_and(|extension| extension == "pem")
        {
            kept.push((entry.metadata()?.modified()?, entry.path()));
        }
    }
    kept.sort();
    for (_, oldest) in kept.iter().take((kept.len() + 1).saturating_sub(KEPT)) {
        std::fs::remove_file(oldest)?;
    }
    std::fs::write(&file, pem(&certificate.der))?;
    Ok(file)
}

/// RFC 7468: 64 characters a line.
fn pem(der: &[u8]) -> String {
    use base64::Engine as _;
    let encoded = base64::engine::general_purpose::STANDARD.encode(der);
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in encoded.as_bytes().chunks(64) {
        pem.extend(line.iter().map(|byte| char::from(*byte)));
        pem.push('\n');
    }
    pem.push_str("-----END CERTIFICATE-----\n");
    pem
}
