//! A server with a token of its own, made and used by commands alone, as an operator does it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use claviger_hsm::testkit::SoftHsm;
use serde_json::Value;

use crate::support::{SUCCESS, command, stderr, stdout, text};

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_mins(1);

/// A folder with a token, a configuration that `init` wrote, and a client's certificate and key.
pub(crate) struct Site {
    folder: tempfile::TempDir,
    token: SoftHsm,
}

/// A running `claviger serve`; killed where a test drops it.
pub(crate) struct Server<'s> {
    site: &'s Site,
    process: Child,
    /// Where it speaks KMIP.
    pub(crate) address: String,
}

impl Site {
    /// Runs `init`.
    pub(crate) fn new() -> Self {
        let site = Self {
            folder: tempfile::tempdir().unwrap(),
            token: SoftHsm::new(),
        };
        let (module, pin_file) = (site.token.module().to_owned(), site.token.pin_file());
        let mut arguments: Vec<String> = ["init", "--module", text(&module), "--token-label", SoftHsm::LABEL]
            .into_iter()
            .chain([
                "--pin-file",
                text(&pin_file),
                "--listen",
                "127.0.0.1:0",
                "--node",
                "node-1",
            ])
            .chain([
                "--state-directory",
                text(&site.path("state")),
                "--server-name",
                "127.0.0.1",
            ])
            .map(str::to_owned)
            .collect();
        for (name, value) in site.token.environment() {
            arguments.extend(["--environment".to_owned(), format!("{name}={value}")]);
        }
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        site.done(&arguments);
        site.make_client("client", "kmipClient20261124080000");
        site
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.path("claviger.toml")
    }

    pub(crate) fn token(&self) -> &SoftHsm {
        &self.token
    }

    /// A self-signed client certificate `NAME.pem` with its key `NAME.key`.
    pub(crate) fn make_client(&self, name: &str, common_name: &str) {
        let mut parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
        parameters
            .distinguished_name
            .push(rcgen::DnType::CommonName, common_name);
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = parameters.self_signed(&key).unwrap();
        fs::write(self.path(&format!("{name}.pem")), certificate.pem()).unwrap();
        fs::write(self.path(&format!("{name}.key")), key.serialize_pem()).unwrap();
    }

    /// Runs a command with the site's configuration.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        command()
            .arg("--config")
            .arg(self.config())
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .expect("the binary runs")
    }

    /// Runs a command that must succeed, and returns its data.
    pub(crate) fn done(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(
            output.status.code(),
            Some(SUCCESS),
            "{arguments:?}: {}",
            stderr(&output)
        );
        stdout(&output)
    }

    /// The same, with the data as JSON.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let arguments: Vec<_> = arguments.iter().copied().chain(["--output", "json"]).collect();
        let data = self.done(&arguments);
        serde_json::from_str(&data).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {data}"))
    }

    /// Runs a command that must end with `code`, and returns what it said.
    pub(crate) fn fails(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{arguments:?}: {}",
            stderr(&output)
        );
        stderr(&output)
    }

    /// Starts the server, and waits until it says itself that it is well.
    pub(crate) fn serve(&self) -> Server<'_> {
        let log = fs::File::create(self.path("server.log")).unwrap();
        let process = command()
            .arg("--config")
            .arg(self.config())
            .arg("serve")
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .expect("the server starts");
        let mut server = Server {
            site: self,
            process,
            address: String::new(),
        };
        let begun = Instant::now();
        let status = loop {
            let output = self.run(&["status", "--output", "json"]);
            if output.status.code() == Some(SUCCESS) {
                break serde_json::from_slice::<Value>(&output.stdout).unwrap();
            }
            let ended = server.process.try_wait().unwrap();
            assert!(
                ended.is_none(),
                "the server ended ({ended:?}):\n{}",
                self.server_log()
            );
            assert!(
                begun.elapsed() < PATIENCE,
                "{}\n{}",
                stderr(&output),
                self.server_log()
            );
        };
        let address = status["kmip_addresses"][0].as_str().expect("it has an address");
        address.clone_into(&mut server.address);
        server
    }

    pub(crate) fn server_log(&self) -> String {
        fs::read_to_string(self.path("server.log")).unwrap_or_default()
    }

    /// Every file of the site but the token's own.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        collect(self.folder.path(), &mut files);
        files
    }
}

impl Server<'_> {
    /// Runs a `kmip` command as the client `name`.
    pub(crate) fn kmip_as(&self, name: &str, arguments: &[&str]) -> Output {
        command()
            .arg("kmip")
            .args(arguments)
            .env("CLAVIGER_KMIP", &self.address)
            .env("CLAVIGER_CLIENT_CERT", self.site.path(&format!("{name}.pem")))
            .env("CLAVIGER_CLIENT_KEY", self.site.path(&format!("{name}.key")))
            .env("CLAVIGER_CA", self.site.path("server.pem"))
            .stdin(Stdio::null())
            .output()
            .expect("the binary runs")
    }

    /// Runs a `kmip` command that must succeed, and returns its data.
    pub(crate) fn kmip(&self, arguments: &[&str]) -> String {
        let output = self.kmip_as("client", arguments);
        assert_eq!(
            output.status.code(),
            Some(SUCCESS),
            "{arguments:?}: {}\n{}",
            stderr(&output),
            self.site.server_log()
        );
        stdout(&output)
    }

    /// Tells it to stop, and waits until it did, in good order.
    pub(crate) fn stop(mut self) {
        let stopped = Command::new("kill")
            .arg(self.process.id().to_string())
            .status()
            .unwrap();
        assert!(stopped.success());
        let ended = self.process.wait().unwrap();
        assert!(ended.success(), "{ended}:\n{}", self.site.server_log());
    }
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        // It has ended already where the test stopped it.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            collect(&entry.path(), files);
        } else if entry.file_type().unwrap().is_file() {
            files.push(entry.path());
        }
    }
}
