//! A log that is signed, and what an auditor makes of it with the verifier alone.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::server::Server;

/// How long signing may take before a test gives up.
const LIMIT: Duration = Duration::from_mins(1);

/// How far the log is signed, also of a server that is not healthy.
pub fn signing(server: &Server) -> Value {
    let output = server.claviger(&["--output", "json", "status"]);
    let status: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    status["signing"].clone()
}

/// Waits until the log is signed to its last record; gives the key that signs.
pub fn wait_until_signed(server: &Server) -> String {
    let start = Instant::now();
    loop {
        let signing = signing(server);
        if signing["lag"] == 0 && signing["size"].as_u64() > Some(0) {
            return signing["key"].as_str().expect("somebody signs").to_owned();
        }
        assert!(start.elapsed() < LIMIT, "it is not signed: {signing}");
    }
}

/// The policy of an auditor who believes the log's key and asks for no witness.
pub fn policy(server: &Server) -> PathBuf {
    let file = server.config().with_file_name("auditors-policy");
    let shown = server.json(&["custody", "key", "show"]);
    let line = shown["policy"].as_str().expect("a line");
    std::fs::write(&file, format!("{line}\nquorum none\n")).expect("it can be written");
    file
}

/// A bundle of the whole log, beside the server's configuration.
pub fn bundle(server: &Server, name: &str) -> PathBuf {
    let file = server.config().with_file_name(name);
    server.must(&["custody", "bundle", file.to_str().expect("a path")]);
    file
}

/// What `claviger-verify` says of a file.
pub fn verified(file: &Path, policy: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_claviger-verify"))
        .arg(file)
        .arg("--policy")
        .arg(policy)
        .output()
        .expect("the built binary starts")
}
