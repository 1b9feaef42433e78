//! A real witness: the built binary, with a folder of its own.

#![allow(
    clippy::unwrap_used,
    reason = "what a helper of a test cannot do fails the test"
)]

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::log::Log;
use super::server::signal;

/// The name of its key.
pub const NAME: &str = "w.example/1";

/// A witness of one log; ends when it is dropped.
pub struct Witness {
    folder: TempDir,
    pub address: String,
    process: Option<Child>,
    said: Log,
}

impl Witness {
    /// One that witnesses the log of this key.
    pub fn start(log_key: &str) -> Self {
        Self::start_named(NAME, log_key)
    }

    /// The same, whose key has this name.
    pub fn start_named(name: &str, log_key: &str) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap().to_string();
        drop(free);
        let mut witness = Self {
            folder: tempfile::tempdir().unwrap(),
            address,
            process: None,
            said: Log::default(),
        };
        let made = witness.claviger(&["init", name, "--listen", &witness.address, "--log", log_key]);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        witness.start_again();
        witness
    }

    pub fn directory(&self) -> PathBuf {
        self.folder.path().join("witness")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_claviger"));
        command.arg("witness").arg("--directory").arg(self.directory());
        command.args(arguments).stdin(Stdio::null());
        command
    }

    pub fn claviger(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    pub fn start_again(&mut self) {
        let position = self.said.position();
        let mut process = self.command(&["run"]).stderr(Stdio::piped()).spawn().unwrap();
        self.said.follow(process.stderr.take().unwrap());
        self.process = Some(process);
        self.said.wait_for(position, "the witness is ready");
    }

    pub fn kill(&mut self) {
        let mut process = self.process.take().unwrap();
        process.kill().unwrap();
        process.wait().unwrap();
    }

    pub fn show(&self) -> Value {
        let shown = self.claviger(&["--output", "json", "show"]);
        assert!(
            shown.status.success(),
            "{}",
            String::from_utf8_lossy(&shown.stderr)
        );
        serde_json::from_slice(&shown.stdout).unwrap()
    }

    /// Its key, as policies have it.
    pub fn key(&self) -> String {
        self.show()["key"].as_str().unwrap().to_owned()
    }

    /// A policy that asks for its cosignature.
    pub fn policy(&self, log_key: &str) -> String {
        format!("log {log_key}\n{}quorum w\n", self.policy_line("w"))
    }

    /// The line of a policy that calls it so.
    pub fn policy_line(&self, name: &str) -> String {
        format!("witness {name} {} http://{}\n", self.key(), self.address)
    }

    pub fn pid(&self) -> u32 {
        self.process.as_ref().unwrap().id()
    }

    /// Asks it to stop, and waits until it has.
    pub fn stop(&mut self) -> ExitStatus {
        signal(self.pid(), "TERM");
        self.process.take().unwrap().wait().unwrap()
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        if self.process.is_some() {
            self.kill();
        }
    }
}
