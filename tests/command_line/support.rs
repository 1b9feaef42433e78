//! Runs the binary and reads what it says.

use std::path::Path;
use std::process::{Command, Output, Stdio};

pub(crate) const SUCCESS: i32 = 0;
pub(crate) const FAILURE: i32 = 1;
pub(crate) const UNHEALTHY: i32 = 2;
pub(crate) const USAGE: i32 = 64;

/// The binary, with nothing of this test's own environment that it would read.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_claviger"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CLAVIGER_") {
            command.env_remove(name);
        }
    }
    command
}

/// Runs the binary with these arguments and an empty stdin.
pub(crate) fn claviger(arguments: &[&str]) -> Output {
    command()
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("the binary runs")
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("stdout is UTF-8")
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("stderr is UTF-8")
}

/// Runs a command that must fail with `code`; returns what it said.
pub(crate) fn refused(code: i32, arguments: &[&str]) -> String {
    let output = claviger(arguments);
    assert_eq!(
        output.status.code(),
        Some(code),
        "{arguments:?}: {}",
        stderr(&output)
    );
    assert_eq!(stdout(&output), "", "{arguments:?} failed and has data on stdout");
    stderr(&output)
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("a temporary path is UTF-8")
}
