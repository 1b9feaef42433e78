//! The configuration of a witness: `witness.toml` in its directory. A witness has no other one.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::reader::{Document, Section};
use super::sections::{addresses, log, require_version};
use super::{Log, Problem, Problems, Severity};

/// The port that `claviger witness init` proposes. None is registered for witnesses.
pub const WITNESS_PORT: u16 = 8446;

/// What a witness is told; paths start at the folder of its file.
#[derive(Debug, Clone)]
pub struct Witness {
    /// The name of its key, as policies have it.
    pub name: String,
    /// The addresses to listen on, one at least.
    pub listen: Vec<SocketAddr>,
    /// The certificate for HTTPS and its private key, PEM; without them, HTTP is spoken.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// The key that it signs with.
    pub signing_key: PathBuf,
    /// What it remembers.
    pub memory: PathBuf,
    /// The logs whose checkpoints it signs.
    pub logs: Vec<WitnessedLog>,
    /// What it says on stderr.
    pub log: Log,
}

/// `[[witnessed]]`: one key of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessedLog {
    /// The key, `NAME+HASH+KEY`, as `claviger custody key show` prints it.
    pub key: String,
    /// The first line of the log's checkpoints; the name of the key where it is not said.
    pub origin: Option<String>,
}

impl Witness {
    /// Reads a file.
    ///
    /// # Errors
    /// Everything that is wrong with its text.
    pub fn load(file: &Path) -> Result<Self, Problems> {
        match std::fs::read_to_string(file) {
            Ok(text) => Self::parse(file, &text),
            Err(error) => Err(Problems::from(Problem {
                file: file.to_owned(),
                line: None,
                severity: Severity::Error,
                what: format!("it can't be read: {error}"),
                remedy: "make a witness with `claviger witness init`, or name its folder with --directory"
                    .into(),
            })),
        }
    }

    /// Reads a text as if it stood in `file`.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(file: &Path, text: &str) -> Result<Self, Problems> {
        let document = Document::new(file, text);
        let read = document.top().map(witness);
        let (problems, _) = document.into_found();
        Problems::none_of(problems)?;
        Ok(read.expect("a text without a table at its top has at least one problem"))
    }
}

fn witness(mut top: Section<'_>) -> Witness {
    require_version(&mut top);
    let name = top.string("name").unwrap_or_default();
    if !top.was_given("name") {
        top.missing(
            "name",
            "write the name of the witness's key, such as \"witness.example.com/w1\"",
        );
    }
    let texts = top.strings("listen").unwrap_or_default();
    let says_nothing = texts.is_empty();
    let listen = addresses(&mut top, texts, WITNESS_PORT);
    if says_nothing {
        top.missing(
            "listen",
            format!("write an address, such as [\"[::]:{WITNESS_PORT}\"]"),
        );
    }
    let tls = match (top.path("certificate"), top.path("key")) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) => None,
        (Some(_), None) => {
            top.missing("key", "name the private key of `certificate`, PEM");
            None
        }
        (None, Some(_)) => {
            top.missing("certificate", "name the certificate of `key`, PEM");
            None
        }
    };
    let mut file = |key, usual: &str| match top.path(key) {
        Some(path) => path,
        None => top.beside(usual),
    };
    let signing_key = file("signing_key", "witness.pem");
    let memory = file("memory", "witness.db");
    let logs = top
        .sections("witnessed")
        .into_iter()
        .filter_map(witnessed)
        .collect();
    let log = log(top.section("log"));
    top.finish();
    Witness {
        name,
        listen,
        tls,
        signing_key,
        memory,
        logs,
        log,
    }
}

fn witnessed(mut section: Section<'_>) -> Option<WitnessedLog> {
    let key = section.string("key");
    if key.is_none() {
        section.missing(
            "key",
            "write the log's key, as `claviger custody key show` prints it: NAME+HASH+KEY",
        );
    }
    let origin = section.string("origin");
    section.finish();
    Some(WitnessedLog { key: key?, origin })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"version = "v1"
name = "witness.example.com/w1"
listen = ["127.0.0.1:8446"]
[[witnessed]]
key = "node-1/claviger+00000000+AQ=="
"#;

    #[test]
    fn a_short_file_is_enough_and_its_paths_start_at_its_folder() {
        let read = Witness::parse(Path::new("/var/lib/w/witness.toml"), TEXT).unwrap();
        assert_eq!(read.memory, Path::new("/var/lib/w/witness.db"));
        assert_eq!(read.signing_key, Path::new("/var/lib/w/witness.pem"));
        assert_eq!(read.logs.len(), 1);
        assert!(read.tls.is_none());
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let text = TEXT
            .replace("version = \"v1\"\n", "")
            .replace(
                "listen = [\"127.0.0.1:8446\"]",
                "listen = []\ncertificate = \"a.pem\"",
            )
            .replace("key = \"node", "kee = \"node");
        let problems = Witness::parse(Path::new("witness.toml"), &text)
            .unwrap_err()
            .to_string();
        for what in [
            "`version` is missing",
            "`listen`",
            "`key` is missing",
            "did you mean `key`?",
        ] {
            assert!(problems.contains(what), "{what} in {problems}");
        }
    }
}
