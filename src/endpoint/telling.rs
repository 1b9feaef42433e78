//! Refusals told to the operator and the auditor.
//!
//! A refusal is told at once with the command that would admit the certificate, which is kept for that purpose; further
//! ones of the same certificate within a minute are counted and told as one. However many come, of however many
//! certificates, the log, the custody log and the folder grow by a bounded amount.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::refusal::{Reason, Refusal, ShownCertificate};
use crate::adapter::Fingerprint;
use crate::custody::{Actor, CertificateFacts, Event, EventName, Origin};
use crate::recorder::Recorder;

/// For how long refusals of one certificate are told as one.
const WINDOW: Duration = Duration::from_mins(1);

/// How many different certificates are told of by name in a window; the rest is a number.
const NAMED_IN_A_WINDOW: usize = 32;

/// How many refused certificates are kept; the oldest makes room.
const KEPT: usize = 64;

/// How many refusals may wait to be told of; more are counted with those that are not named.
const WAITING: usize = 256;

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

    /// Makes the record of a certificate that the server shows from now on durable. False where it could not be recorded.
    async fn certificate_shown(&self, certificate: &ShownCertificate) -> bool;
}

#[async_trait]
impl RefusalRecorder for Recorder {
    async fn record(&self, told: &Told) {
        let Told { refusal, peer, count } = told;
        let reason = match refusal {
            Some(refusal) => refusal.reason.to_string(),
            None => "more client certificates than can be named were refused".to_owned(),
        };
        let mut event = Event::new(EventName::CertificateRefused, Actor::Unknown).refused(reason);
        event.origin = Some(Origin {
            address: peer.ip().to_canonical(),
            port: peer.port(),
            tls_version: None,
        });
        event.certificate = refusal
            .as_ref()
            .and_then(|refusal| refusal.certificate.as_ref())
            .map(facts);
        if let Some(refusal) = refusal {
            event = event.detail("code", refusal.reason.code());
        }
        event = event.detail("count", count.to_string());
        if let Err(error) = self.commit(Vec::new(), event).await {
            tracing::error!(%peer, %error, "that a client was refused could not be recorded");
        }
    }

    async fn certificate_shown(&self, certificate: &ShownCertificate) -> bool {
        let mut event = Event::new(EventName::ServerCertificate, Actor::Server);
        event.certificate = Some(facts(certificate));
        let recorded = self.commit(Vec::new(), event).await;
        if let Err(error) = &recorded {
            tracing::error!(%error, "that the server shows another certificate could not be recorded");
        }
        recorded.is_ok()
    }
}

fn facts(certificate: &ShownCertificate) -> CertificateFacts {
    CertificateFacts {
        fingerprint: certificate.fingerprint.to_string(),
        name: None,
        subject: certificate.subject.clone(),
        issuer: certificate.issuer.clone(),
        serial: certificate.serial.clone(),
    }
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
                let ShownCertificate {
                    fingerprint, subject, ..
                } = certificate;
                let remedy = match reason {
                    Reason::Unknown | Reason::Removed => match keep(&self.folder, certificate) {
                        Ok(file) => format!("claviger certificate add ADAPTER {}", file.display()),
                        Err(error) => format!("(it could not be kept in {}: {error})", self.folder.display()),
                    },
                    Reason::Purpose | Reason::Untrusted => {
                        "none: have its authority issue one for clients, and the client send the whole chain"
                            .to_owned()
                    }
                    Reason::NotIncluded | Reason::Ambiguous => {
                        "claviger adapter trust list ADAPTER shows for which names an authority is trusted"
                            .to_owned()
                    }
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
fn keep(folder: &Path, certificate: &ShownCertificate) -> io::Result<PathBuf> {
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
    let encoded = STANDARD.encode(der);
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in encoded.as_bytes().chunks(64) {
        pem.extend(line.iter().map(|byte| char::from(*byte)));
        pem.push('\n');
    }
    pem.push_str("-----END CERTIFICATE-----\n");
    pem
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use rustls::pki_types::CertificateDer;

    use super::*;

    #[derive(Default)]
    struct Records(Mutex<Vec<(Option<Fingerprint>, u64)>>);

    #[async_trait]
    impl RefusalRecorder for Records {
        async fn record(&self, told: &Told) {
            let certificate = told
                .refusal
                .as_ref()
                .and_then(|refusal| refusal.certificate.as_ref());
            let record = (certificate.map(|certificate| certificate.fingerprint), told.count);
            self.0.lock().expect("no test panics with it").push(record);
        }

        async fn certificate_shown(&self, _: &ShownCertificate) -> bool {
            true
        }
    }

    fn teller(folder: &Path) -> (Teller, Arc<Records>) {
        let records = Arc::new(Records::default());
        let folder = folder.join("refused");
        (
            Teller {
                folder,
                recorder: records.clone(),
                window: Window::default(),
            },
            records,
        )
    }

    fn refusal(number: u16) -> Refusal {
        let der = CertificateDer::from(number.to_be_bytes().to_vec());
        Refusal::of_certificate(Reason::Unknown, &der)
    }

    fn peer() -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], 40_000))
    }

    #[tokio::test]
    async fn the_same_certificate_is_recorded_once_and_then_counted() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut teller, records) = teller(folder.path());
        for _ in 0..1000 {
            teller.take(refusal(7), peer()).await;
        }
        teller.close_window().await;
        teller.close_window().await;
        let fingerprint = Some(Fingerprint::of_der(&7_u16.to_be_bytes()));
        assert_eq!(
            *records.0.lock().expect("whole"),
            [(fingerprint, 1), (fingerprint, 999)]
        );
    }

    #[tokio::test]
    async fn a_flood_of_certificates_fills_neither_log_nor_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut teller, records) = teller(folder.path());
        for window in 0..4_u16 {
            for number in 0..500 {
                teller.take(refusal(window * 500 + number), peer()).await;
            }
            teller.close_window().await;
        }
        let records = records.0.lock().expect("whole");
        assert_eq!(records.len(), 4 * (NAMED_IN_A_WINDOW + 1));
        assert_eq!(records.iter().map(|(_, count)| count).sum::<u64>(), 2000);
        let kept = std::fs::read_dir(folder.path().join("refused"))
            .expect("it was made")
            .count();
        assert_eq!(kept, KEPT);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_counted_is_told_when_its_minute_is_over_and_at_the_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let records = Arc::new(Records::default());
        let (refusals, telling) = Refusals::start(folder.path().join("refused"), records.clone());
        for _ in 0..3 {
            refusals.report(refusal(1), peer());
        }
        tokio::time::sleep(WINDOW * 2).await;
        let counts = |records: &Records| -> Vec<u64> {
            records
                .0
                .lock()
                .expect("whole")
                .iter()
                .map(|(_, count)| *count)
                .collect()
        };
        assert_eq!(counts(&records), [1, 2]);
        refusals.report(refusal(1), peer());
        refusals.report(refusal(1), peer());
        drop(refusals);
        telling.await.expect("it ends by itself");
        assert_eq!(counts(&records), [1, 2, 1, 1]);
    }

    #[tokio::test]
    async fn a_folder_that_can_not_be_written_stops_no_record() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("refused"), "a file").expect("it is written");
        let (mut teller, records) = teller(folder.path());
        teller.take(refusal(1), peer()).await;
        assert_eq!(records.0.lock().expect("whole").len(), 1);
    }
}
