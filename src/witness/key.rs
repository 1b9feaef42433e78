//! The key that a witness signs with: Ed25519, in a file that only its owner reads.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use openssl::pkey::{Id, PKey, Private};
use openssl::sign::Signer;
use zeroize::Zeroizing;

use crate::custody::{NoteError, NoteSignature, SignatureType, VerifierKey, cosigned};

/// The longest file that is read for a key.
const LONGEST: u64 = 64 * 1024;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The file can't be made or read.
    #[error("the witness's key {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Others can read the file.
    #[error("the witness's key {} can be read by others (mode {mode:o}): chmod 600 it", path.display())]
    Mode {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The file has no Ed25519 key in it.
    #[error("{} has no private key of Ed25519 in PEM, as `claviger witness init` writes it", path.display())]
    NotAKey {
        /// The file.
        path: PathBuf,
    },
    /// OpenSSL fails.
    #[error("OpenSSL: {0}")]
    OpenSsl(#[from] openssl::error::ErrorStack),
    /// The name can't be one of a key.
    #[error(transparent)]
    Name(#[from] NoteError),
}

/// A witness's name and private key.
pub struct WitnessKey {
    key: PKey<Private>,
    public: VerifierKey,
}

impl WitnessKey {
    /// Makes a key and keeps it in a new file that only its owner reads. A file that is there is left as it is, and refused.
    pub fn make(name: &str, path: &Path) -> Result<Self, KeyError> {
        let key = PKey::generate_ed25519()?;
        let made = Self::new(name, key)?;
        let pem = Zeroizing::new(made.key.private_key_to_pem_pkcs8()?);
        let failed = |source| KeyError::File {
            path: path.to_owned(),
            source,
        };
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(failed)?;
        file.write_all(&pem)
            .and_then(|()| file.sync_all())
            .map_err(failed)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))
            .and_then(|folder| folder.sync_all())
            .map_err(failed)?;
        Ok(made)
    }

    /// Reads the key from its file.
    pub fn load(name: &str, path: &Path) -> Result<Self, KeyError> {
        let failed = |source| KeyError::File {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(failed)?;
        let mode = file.metadata().map_err(failed)?.mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyError::Mode {
                path: path.to_owned(),
                mode,
            });
        }
        let mut pem = Zeroizing::new(Vec::new());
        file.take(LONGEST).read_to_end(&mut pem).map_err(failed)?;
        let key = PKey::private_key_from_pem(&pem).ok();
        let key = key.filter(|key| key.id() == Id::ED25519);
        let key = key.ok_or_else(|| KeyError::NotAKey {
            path: path.to_owned(),
        })?;
        Self::new(name, key)
    }

    fn new(name: &str, key: PKey<Private>) -> Result<Self, KeyError> {
        let public = VerifierKey::new(name, SignatureType::Cosignature, &key.raw_public_key()?)?;
        Ok(Self { key, public })
    }

    /// What its cosignatures are verified with.
    pub const fn public(&self) -> &VerifierKey {
        &self.public
    }

    /// Signs the text of a checkpoint at this time, in seconds since 1970.
    pub fn cosign(&self, text: &str, time: u64) -> Result<NoteSignature, KeyError> {
        let mut signer = Signer::new_without_digest(&self.key)?;
        let signature = signer.sign_oneshot_to_vec(cosigned(text, time).as_bytes())?;
        let timestamped = [&time.to_be_bytes(), &signature[..]].concat();
        Ok(self.public.signature(timestamped))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_signs_the_same_after_a_restart_and_nobody_else_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("witness.pem");
        let made = WitnessKey::make("witness.example/w1", &path).unwrap();
        let read = WitnessKey::load("witness.example/w1", &path).unwrap();
        assert_eq!(made.public(), read.public());
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        let text = "origin\n0\nAAAA\n";
        let signature = read.cosign(text, 1_679_315_147).unwrap();
        let signed = made.public().verify(text, &signature.signature).unwrap();
        assert_eq!(signed.time, Some(1_679_315_147));
        assert!(
            made.public()
                .verify("origin\n1\nAAAA\n", &signature.signature)
                .is_none()
        );
    }

    #[test]
    fn a_key_is_never_written_over_and_one_that_others_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("witness.pem");
        WitnessKey::make("w", &path).unwrap();
        assert!(matches!(WitnessKey::make("w", &path), Err(KeyError::File { .. })));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(
            WitnessKey::load("w", &path),
            Err(KeyError::Mode { mode: 0o640, .. })
        ));
        let other = folder.path().join("rsa.pem");
        std::fs::write(&other, "no key").unwrap();
        std::fs::set_permissions(&other, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(
            WitnessKey::load("w", &other),
            Err(KeyError::NotAKey { .. })
        ));
    }
}
