//! A server's certificate and its key, from files; read again when the files change, so that a new certificate needs no restart
//! and no connection is dropped: the connections that are open go on, and each new one is shown the new certificate.

mod renewal;
mod trouble;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub use renewal::{Renewal, RenewalError, finish_renewal};
pub use trouble::RenewalTrouble;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Why a certificate can't be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file can't be read, or has not in it what it should.
    #[error("{}: {why}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// TLS refuses the certificate, the key or both together.
    #[error("the certificate and the key can't be used: {0}")]
    Pair(#[from] rustls::Error),
}

/// A certificate and key that are served as they are in their files.
pub struct ServedCertificate {
    certificate: PathBuf,
    key: PathBuf,
    provider: Arc<CryptoProvider>,
    served: RwLock<Arc<CertifiedKey>>,
    /// The DER of the certificate that is served.
    shown: watch::Sender<Vec<u8>>,
}

/// What a file is known by: one that was written over, or put in the place of another, differs.
type Mark = Option<(SystemTime, u64)>;

impl ServedCertificate {
    /// Reads them for the first time.
    ///
    /// # Errors
    /// A file that can't be read, a key that is none of the certificate's.
    pub fn read(certificate: &Path, key: &Path, provider: Arc<CryptoProvider>) -> Result<Arc<Self>, Error> {
        let served = pair(certificate, key, &provider)?;
        Ok(Arc::new(Self {
            shown: watch::Sender::new(leaf(&served)),
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            provider,
            served: RwLock::new(Arc::new(served)),
        }))
    }

    /// The DER of the certificate that is served, and of each that takes its place.
    pub fn shown(&self) -> watch::Receiver<Vec<u8>> {
        self.shown.subscribe()
    }

    /// Looks after the files until `stop`. Where they hold a pair that can't be used, as between the writing of one and of the
    /// other, the one before is served, and it is said once.
    pub async fn follow(self: Arc<Self>, stop: CancellationToken) {
        let mut known = self.marks();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
            let this = Arc::clone(&self);
            let looked = tokio::task::spawn_blocking(move || {
                let marks = this.marks();
                (marks != known).then(|| this.read_again(marks))
            });
            if let Ok(Some(marks)) = looked.await {
                known = marks;
            }
        }
    }

    /// Reads the files again; returns what they are known by.
    fn read_again(&self, marks: [Mark; 2]) -> [Mark; 2] {
        let file = self.certificate.display();
        match pair(&self.certificate, &self.key, &self.provider) {
            Ok(pair) => {
                tracing::info!(%file, "the server's certificate was read again: new connections are shown it");
                let shown = leaf(&pair);
                *self.served.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(pair);
                self.shown.send_if_modified(|before| {
                    let is_new = *before != shown;
                    *before = shown;
                    is_new
                });
            }
            Err(error) => {
                tracing::warn!(%file, %error, "the server's certificate has changed and can't be used: the one before is served");
            }
        }
        marks
    }

    fn marks(&self) -> [Mark; 2] {
        [&self.certificate, &self.key].map(|file| {
            let metadata = std::fs::metadata(file).ok()?;
            Some((metadata.modified().ok()?, metadata.len()))
        })
    }
}

impl fmt::Debug for ServedCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServedCertificate")
            .field("certificate", &self.certificate)
            .finish_non_exhaustive()
    }
}

impl ResolvesServerCert for ServedCertificate {
    fn resolve(&self, _client: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let served = self.served.read().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(&served))
    }
}

/// The DER of the server's own certificate, which is the first of its chain.
fn leaf(pair: &CertifiedKey) -> Vec<u8> {
    pair.cert.first().map(|der| der.to_vec()).unwrap_or_default()
}

fn pair(certificate: &Path, key: &Path, provider: &CryptoProvider) -> Result<CertifiedKey, Error> {
    let wrong = |file: &Path, why: String| Error::File {
        file: file.to_owned(),
        why,
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| wrong(certificate, error.to_string()))?;
    if chain.is_empty() {
        return Err(wrong(certificate, "it holds no certificate in PEM".into()));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| wrong(key, error.to_string()))?;
    Ok(CertifiedKey::from_der(chain, private, provider)?)
}

#[cfg(test)]
mod tests {
    use rustls::crypto::aws_lc_rs;

    use super::*;

    struct Files(tempfile::TempDir);

    impl Files {
        fn paths(&self) -> (PathBuf, PathBuf) {
            (self.0.path().join("server.pem"), self.0.path().join("server.key"))
        }

        /// Writes a new certificate with its key, or with the key that is there; returns its DER.
        fn write(&self, with_key: bool) -> Vec<u8> {
            let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
            let (certificate, key) = self.paths();
            std::fs::write(certificate, made.cert.pem()).unwrap();
            if with_key {
                std::fs::write(key, made.signing_key.serialize_pem()).unwrap();
            }
            made.cert.der().to_vec()
        }
    }

    fn shown(served: &ServedCertificate) -> Vec<u8> {
        served.served.read().unwrap().cert[0].to_vec()
    }

    #[test]
    fn a_new_certificate_is_shown_and_one_without_its_key_is_not() {
        let files = Files(tempfile::tempdir().unwrap());
        let first = files.write(true);
        let (certificate, key) = files.paths();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let served = ServedCertificate::read(&certificate, &key, provider).unwrap();
        assert_eq!(shown(&served), first);

        let second = files.write(true);
        served.read_again(served.marks());
        assert_eq!(shown(&served), second);

        files.write(false);
        served.read_again(served.marks());
        assert_eq!(shown(&served), second);
        std::fs::remove_file(&key).unwrap();
        served.read_again(served.marks());
        assert_eq!(shown(&served), second);
    }
}
