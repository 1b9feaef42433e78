//! A look at the world that a configuration names: files, their modes, the server's certificate and its key.

use std::fs::Metadata;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use openssl::pkey::PKey;
use openssl::x509::X509;

use super::{Config, CustodySigner, FeedReceiver, PostgresStore, Problem, Severity, Store};

/// Everything that is wrong outside the file, without opening a socket or a device.
///
/// The server may be another user than the one who asks: a file that only the asker can't read is told of too.
pub fn check(config: &Config) -> Vec<Problem> {
    let mut checker = Checker {
        config,
        problems: Vec::new(),
    };
    checker.state_directory();
    checker.server_certificate();
    checker.web();
    checker.waiting_time();
    if let Store::Postgres(PostgresStore {
        password_file: Some(file),
        ..
    }) = &config.store
    {
        checker.secret_text(
            "store.password_file",
            file,
            "write the password of the database's user into it, nothing else",
        );
    }
    for (index, device) in config.devices.iter().enumerate() {
        let module = format!("device[{index}].module");
        checker.file(
            &module,
            &device.module,
            "install the vendor's client software, or correct the path",
        );
        checker.secret_text(
            &format!("device[{index}].pin_file"),
            &device.pin_file,
            "write the user PIN of the token into it, nothing else",
        );
    }
    for (index, instance) in config.key_protect.iter().enumerate() {
        checker.secret_text(
            &format!("key_protect[{index}].api_key_file"),
            &instance.api_key_file,
            "write the API key of the service ID into it, nothing else",
        );
        if let Some(file) = &instance.ca_file {
            checker.authorities(&format!("key_protect[{index}].ca_file"), file);
        }
    }
    if let Some(file) = config
        .tracing
        .as_ref()
        .and_then(|tracing| tracing.ca_file.as_ref())
    {
        checker.authorities("tracing.ca_file", file);
    }
    checker.custody();
    checker.witnesses_and_feeds();
    checker.problems
}

struct Checker<'c> {
    config: &'c Config,
    problems: Vec<Problem>,
}

impl Checker<'_> {
    fn wrong(&mut self, key: &str, what: impl Into<String>, remedy: impl Into<String>) {
        self.tell(Severity::Error, key, &what.into(), remedy.into());
    }

    fn warn(&mut self, key: &str, what: impl Into<String>, remedy: impl Into<String>) {
        self.tell(Severity::Warning, key, &what.into(), remedy.into());
    }

    fn tell(&mut self, severity: Severity, key: &str, what: &str, remedy: String) {
        self.problems.push(Problem {
            file: self.config.file.clone(),
            line: self.config.line_of(key),
            severity,
            what: format!("`{key}`: {what}"),
            remedy,
        });
    }

    fn state_directory(&mut self) {
        let folder = &self.config.state_directory;
        let shown = folder.display();
        match std::fs::metadata(folder) {
            Ok(metadata) if !metadata.is_dir() => {
                self.wrong(
                    "state_directory",
                    format!("{shown} is no folder"),
                    "name a folder, or move the file away",
                );
            }
            Ok(metadata) if metadata.mode() & 0o022 != 0 => self.wrong(
                "state_directory",
                format!(
                    "others may write to {shown} (mode {:04o})",
                    metadata.mode() & 0o7777
                ),
                format!("chmod 0700 {shown}"),
            ),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {
                // The server makes the folder itself, not the ones above it.
                if !folder.parent().is_some_and(Path::is_dir) {
                    let remedy = format!("mkdir -p -m 0700 {shown}");
                    self.wrong(
                        "state_directory",
                        format!("the folder above {shown} does not exist"),
                        remedy,
                    );
                }
            }
            Err(error) => {
                self.wrong(
                    "state_directory",
                    format!("{shown}: {error}"),
                    "run as the user of the server",
                );
            }
        }
    }

    fn server_certificate(&mut self) {
        let kmip = &self.config.kmip;
        self.pair("kmip", &kmip.certificate, &kmip.key);
        if let Some(previous) = &kmip.previous {
            self.pair("kmip.previous", &previous.certificate, &previous.key);
        }
        if let Some(renewal) = &kmip.renewal {
            let program = Path::new(renewal.command.first().map_or("", String::as_str));
            if !program.is_file() {
                self.warn(
                    "kmip.renewal.command",
                    format!("there is no program {}", program.display()),
                    "name the program that has the certificate renewed",
                );
            }
        }
    }

    fn web(&mut self) {
        let Some(web) = &self.config.admin.web else {
            return;
        };
        if web.certificate != self.config.kmip.certificate {
            self.pair("admin.web", &web.certificate, &web.key);
        }
        for (key, paths) in [
            ("admin.web.auditors", &web.auditors),
            ("admin.web.operators", &web.operators),
            ("admin.web.administrators", &web.administrators),
        ] {
            for path in paths.iter().filter(|path| !path.is_dir()) {
                self.authorities(key, path);
            }
        }
    }

    /// The certificate and the key of a section.
    fn pair(&mut self, section: &str, certificate: &Path, key_file: &Path) {
        let (certificate_key, key_key) = (format!("{section}.certificate"), format!("{section}.key"));
        let chain = self
            .read(&certificate_key, certificate, "`claviger init` makes one")
            .and_then(|pem| match X509::stack_from_pem(&pem) {
                Ok(chain) if !chain.is_empty() => Some(chain),
                _ => {
                    self.wrong(
                        &certificate_key,
                        format!("{} holds no certificate in PEM", certificate.display()),
                        "write the certificate as PEM: openssl x509 -in CERTIFICATE -inform DER",
                    );
                    None
                }
            });
        let key = self
            .secret(&key_key, key_file, 0o037, "0600")
            .and_then(|()| self.read(&key_key, key_file, "name the key of the certificate"))
            // The empty passphrase stops OpenSSL from asking at the terminal.
            .and_then(|pem| {
                let key = PKey::private_key_from_pem_passphrase(&pem, b"").ok();
                if key.is_none() {
                    self.wrong(
                        &key_key,
                        format!(
                            "{} holds no private key in PEM that can be read",
                            key_file.display()
                        ),
                        "write the key without a passphrase: openssl pkey -in KEY -out KEY.pem",
                    );
                }
                key
            });
        let (Some(chain), Some(key)) = (chain, key) else {
            return;
        };
        if !chain[0].public_key().is_ok_and(|public| public.public_eq(&key)) {
            self.wrong(
                &key_key,
                format!(
                    "{} is not the key of {}",
                    key_file.display(),
                    certificate.display()
                ),
                "name the pair that was made together; the server's own certificate comes first in its file",
            );
        }
        // No reason not to start: a client that still trusts it shall have its keys.
        let warn_before = self.config.kmip.warn_before_expiry;
        let soon = u32::try_from(warn_before.as_secs() / 86_400).unwrap_or(u32::MAX);
        let soon = openssl::asn1::Asn1Time::days_from_now(soon);
        if soon.is_ok_and(|soon| chain[0].not_after() < soon) {
            self.warn(
                &certificate_key,
                format!(
                    "{} is valid until {}",
                    certificate.display(),
                    chain[0].not_after()
                ),
                "make or order a new one, and let its clients trust it in time",
            );
        }
    }

    /// Where the custody log is signed. Unsigned it is no reason not to start: keys were served before there were checkpoints.
    fn custody(&mut self) {
        let how = "name the device that signs: device = \"NAME\" in [custody]; without a device, see [custody.software] in \
                   docs/custody-log.md";
        match &self.config.custody.signer {
            CustodySigner::Devices(_) => {}
            CustodySigner::Nowhere => self.warn(
                "custody.device",
                "no checkpoint of the custody log is signed",
                how,
            ),
            CustodySigner::Software(token) => {
                self.file(
                    "custody.software.module",
                    &token.module,
                    "install SoftHSM (Debian: softhsm2), or correct the path",
                );
                self.secret_text(
                    "custody.software.pin_file",
                    &token.pin_file,
                    "`claviger custody key create` makes the token and writes its PIN",
                );
                self.warn(
                    "custody.software",
                    "the custody log is signed by software: whoever has this host can sign another log",
                    "sign on a device where there is one; without, have the log witnessed by another host",
                );
            }
        }
    }

    fn waiting_time(&mut self) {
        if self.config.admin.destruction_waiting_time < Duration::from_hours(24) {
            self.warn(
                "admin.destruction_waiting_time",
                "a root key can be destroyed within a day of the request",
                "wait 24h at least wherever a key is worth anything; less is for trials",
            );
        }
    }

    /// A secret that stands in a file alone, which its owner alone may read.
    fn secret_text(&mut self, key: &str, path: &Path, remedy: &str) {
        if self.secret(key, path, 0o077, "0400").is_some()
            && std::fs::metadata(path).is_ok_and(|metadata| metadata.len() == 0)
        {
            self.wrong(key, format!("{} is empty", path.display()), remedy);
        }
    }

    /// What witnesses and feeds of the custody log are spoken to with.
    fn witnesses_and_feeds(&mut self) {
        let custody = &self.config.custody;
        if let Some(witness) = &custody.witness {
            self.file(
                "custody.witness.policy",
                &witness.policy,
                "write the witnesses and the quorum into it: docs/witness.md has an example",
            );
            if let Some(file) = &witness.ca_file {
                self.authorities("custody.witness.ca_file", file);
            }
        }
        for (index, feed) in custody.feeds.iter().enumerate() {
            let FeedReceiver::Syslog(receiver) = &feed.receiver else {
                continue;
            };
            self.authorities(&format!("custody.feed[{index}].ca_file"), &receiver.ca_file);
            if let Some((certificate, private)) = &receiver.identity {
                for (key, file) in [("certificate", certificate), ("key", private)] {
                    let key = format!("custody.feed[{index}].{key}");
                    self.file(&key, file, "write the file, or correct the path");
                }
            }
        }
    }

    fn authorities(&mut self, key: &str, path: &Path) {
        let Some(pem) = self.read(key, path, "write the file, or remove the line") else {
            return;
        };
        if X509::stack_from_pem(&pem).map_or(true, |found| found.is_empty()) {
            self.wrong(
                key,
                format!("{} holds no certificate in PEM", path.display()),
                "write the certificates as PEM: openssl x509 -in CERTIFICATE -inform DER",
            );
        }
    }

    /// A file whose mode has none of the bits of `forbidden`.
    fn secret(&mut self, key: &str, path: &Path, forbidden: u32, wanted: &str) -> Option<()> {
        let metadata = self.file(key, path, "write the file, or correct the path")?;
        if metadata.mode() & forbidden == 0 {
            return Some(());
        }
        let mode = metadata.mode() & 0o7777;
        self.wrong(
            key,
            format!("{} is open to others (mode {mode:04o})", path.display()),
            format!("chmod {wanted} {}", path.display()),
        );
        None
    }

    fn file(&mut self, key: &str, path: &Path, remedy: &str) -> Option<Metadata> {
        match std::fs::metadata(path) {
            Ok(metadata) if metadata.is_file() => return Some(metadata),
            Ok(_) => self.wrong(key, format!("{} is no file", path.display()), remedy),
            Err(error) => self.wrong(key, format!("{}: {error}", path.display()), remedy),
        }
        None
    }

    fn read(&mut self, key: &str, path: &Path, remedy: &str) -> Option<zeroize::Zeroizing<Vec<u8>>> {
        match std::fs::read(path) {
            Ok(bytes) => Some(bytes.into()),
            Err(error) => {
                self.wrong(key, format!("{}: {error}", path.display()), remedy);
                None
            }
        }
    }
}
