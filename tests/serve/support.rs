//! A server on a token of its own, in this process or as a program, and the commands that speak to it.

use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::Duration;

use claviger::cli::serve::{self, Running};
use claviger::config::{Config, DeviceAnswers, InitAnswers, InitBackend, TokenSelector, template};
use claviger_hsm::WorkerCommand;
use claviger_hsm::testkit::SoftHsm;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStderr, Command};

const BINARY: &str = env!("CARGO_BIN_EXE_claviger");

/// A folder with everything that a server needs.
pub struct Installation {
    folder: TempDir,
    token: SoftHsm,
}

impl Installation {
    pub fn new() -> Self {
        let (folder, token) = (tempfile::tempdir().unwrap(), SoftHsm::new());
        let installation = Self { folder, token };
        let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(installation.path("server.pem"), pair.cert.pem()).unwrap();
        installation.write_secret("server.key", &pair.signing_key.serialize_pem());
        installation.write_secret("pin", SoftHsm::PIN);
        let answers = InitAnswers {
            node: Some("node-1".into()),
            state_directory: installation.path("state"),
            listen: vec!["127.0.0.1:0".into()],
            certificate: "server.pem".into(),
            key: "server.key".into(),
            custody_software: None,
            backend: InitBackend::Device(DeviceAnswers {
                name: "hsm".into(),
                module: installation.token.module().to_owned(),
                token: TokenSelector::Label(SoftHsm::LABEL.into()),
                pin_file: "pin".into(),
                environment: installation.token.environment(),
            }),
        };
        std::fs::write(installation.path("claviger.toml"), template(&answers)).unwrap();
        installation
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write_secret(&self, name: &str, text: &str) {
        use std::os::unix::fs::PermissionsExt;
        std::fs::write(self.path(name), text).unwrap();
        std::fs::set_permissions(self.path(name), std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    pub fn config(&self) -> Config {
        Config::load(&self.path("claviger.toml")).unwrap()
    }

    pub async fn start(&self) -> Running {
        serve::start(self.config(), worker())
            .await
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// The token is gone from its slot, until it is brought back.
    pub fn take_token_away(&self) {
        std::fs::rename(self.token.token_directory(), self.path("away")).unwrap();
        std::fs::create_dir(self.token.token_directory()).unwrap();
    }

    pub fn bring_token_back(&self) {
        std::fs::remove_dir_all(self.token.token_directory()).unwrap();
        std::fs::rename(self.path("away"), self.token.token_directory()).unwrap();
    }

    /// A client's certificate and key; returns the certificate's file.
    pub fn make_client(&self, name: &str) -> String {
        let pair = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        self.write_secret("client.key", &pair.signing_key.serialize_pem());
        let file = self.path("client.pem");
        std::fs::write(&file, pair.cert.pem()).unwrap();
        file.to_str().unwrap().to_owned()
    }

    fn command(&self) -> Command {
        let mut command = Command::new(BINARY);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("CLAVIGER_") {
                command.env_remove(name);
            }
        }
        command
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .arg("--config")
            .arg(self.path("claviger.toml"));
        command
    }

    pub async fn run(&self, arguments: &[&str]) -> Output {
        self.command().args(arguments).output().await.unwrap()
    }

    pub async fn done(&self, arguments: &[&str]) -> Vec<u8> {
        let output = self.run(arguments).await;
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        output.stdout
    }

    pub async fn json(&self, arguments: &[&str]) -> Value {
        let out = self.done(&[&["--output", "json"], arguments].concat()).await;
        serde_json::from_slice(&out).unwrap()
    }

    /// A command of the KMIP client, as the client of [`Installation::make_client`].
    pub async fn try_kmip(&self, running: &Running, arguments: &[&str]) -> Output {
        let port = running.kmip_addresses()[0].port();
        let mut command = self.command();
        command.args([
            "--output",
            "json",
            "kmip",
            "--server",
            &format!("localhost:{port}"),
            "--cert",
        ]);
        command
            .arg(self.path("client.pem"))
            .arg("--key")
            .arg(self.path("client.key"));
        command.arg("--ca").arg(self.path("server.pem"));
        command.args(arguments).output().await.unwrap()
    }

    pub async fn kmip(&self, running: &Running, arguments: &[&str]) -> Value {
        let output = self.try_kmip(running, arguments).await;
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// `claviger serve` as a program of its own.
    pub fn program(&self) -> Program {
        let mut child = self
            .command()
            .arg("serve")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        Program { child, log }
    }
}

/// A server that is a program of its own.
pub struct Program {
    child: Child,
    log: BufReader<ChildStderr>,
}

impl Program {
    /// Reads its log until it says that it is ready.
    pub async fn ready(&mut self) {
        let mut line = String::new();
        while !line.contains("the server is ready") {
            line.clear();
            let read = within(self.log.read_line(&mut line)).await.unwrap();
            assert!(read > 0, "the server ended before it was ready");
        }
    }

    pub fn id(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_raw(self.child.id().unwrap().try_into().unwrap()).unwrap()
    }

    pub async fn exit_code(&mut self) -> Option<i32> {
        let mut rest = Vec::new();
        within(tokio::io::AsyncReadExt::read_to_end(&mut self.log, &mut rest))
            .await
            .unwrap();
        within(self.child.wait()).await.unwrap().code()
    }
}

/// Asks again until it is so; each asking takes its own time.
pub async fn eventually(mut so: impl AsyncFnMut() -> bool) {
    within(async {
        while !so().await {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// Fails a test that would hang.
async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_mins(2), future)
        .await
        .expect("it came in time")
}

/// The program that hosts a device.
pub fn worker() -> WorkerCommand {
    WorkerCommand {
        program: BINARY.into(),
        arguments: vec!["device-worker".into()],
    }
}
