//! `[admin.web]`: the administration interface and the auditor's pages over HTTPS.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::Kmip;
use super::reader::Section;
use super::sections::addresses;

/// The usual port of the pages.
const PORT: u16 = 8443;

/// The administration interface and the auditor's pages over HTTPS, for client certificates and access tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Web {
    /// The addresses to listen on.
    pub listen: Vec<SocketAddr>,
    /// The server's certificate, PEM, its chain after it; that of `[kmip]` where the file names none.
    pub certificate: PathBuf,
    /// The private key of that certificate.
    pub key: PathBuf,
    /// Files with the certificates of auditors, PEM, and folders of such files.
    pub auditors: Vec<PathBuf>,
    /// The same of operators.
    pub operators: Vec<PathBuf>,
    /// The same of administrators.
    pub administrators: Vec<PathBuf>,
    /// Whether access tokens are let in, without a certificate.
    pub tokens: bool,
}

/// The section, where the file has it.
pub(super) fn web(admin: &mut Section<'_>, file: &Path, kmip: &Kmip) -> Option<Web> {
    let mut section = admin.section("web");
    let given = admin.was_given("web");
    let texts = section.strings("listen").unwrap_or_default();
    if given && texts.is_empty() {
        section.missing(
            "listen",
            format!("name the addresses of the pages, such as [\"192.0.2.10:{PORT}\"]"),
        );
    }
    let listen = addresses(&mut section, texts, PORT);
    if let Some(taken) = listen
        .iter()
        .find(|address| address.port() != 0 && kmip.listen.contains(address))
    {
        section.wrong(
            "listen",
            format!("has {taken}, which `kmip.listen` has too"),
            "give the pages a port of their own",
        );
    }
    let (certificate, key) = match (section.path("certificate"), section.path("key")) {
        (Some(certificate), Some(key)) => (certificate, key),
        (None, None) => (kmip.certificate.clone(), kmip.key.clone()),
        (certificate, key) => {
            let missing = if certificate.is_none() {
                "certificate"
            } else {
                "key"
            };
            section.missing(missing, "name both, or neither to use those of [kmip]");
            (certificate.unwrap_or_default(), key.unwrap_or_default())
        }
    };
    let folder = file.parent().unwrap_or(Path::new(""));
    let mut of = |role: &'static str| {
        let paths = section.strings(role).unwrap_or_default();
        paths
            .into_iter()
            .map(|path| folder.join(path))
            .collect::<Vec<_>>()
    };
    let [auditors, operators, administrators] = ["auditors", "operators", "administrators"].map(&mut of);
    let tokens = section.boolean("tokens").unwrap_or_default();
    if given && !tokens && auditors.is_empty() && operators.is_empty() && administrators.is_empty() {
        section.missing(
            "auditors",
            "name the files with the auditors' certificates, or a folder of them, such as [\"auditors\"]; or `operators`, \
             `administrators`, or `tokens = true`",
        );
    }
    section.finish();
    given.then_some(Web {
        listen,
        certificate,
        key,
        auditors,
        operators,
        administrators,
        tokens,
    })
}
