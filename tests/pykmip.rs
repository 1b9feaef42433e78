//! PyKMIP, a client that others wrote, in each version of the protocol that it shares with the server.

mod support;

use std::ffi::OsString;
use std::io::Write as _;
use std::process::Command;

use support::server::{ADAPTER, Server};

/// A Python with PyKMIP; none where this machine has none, and a run without it is allowed.
fn python() -> Option<OsString> {
    let python = std::env::var_os("CLAVIGER_TEST_PYTHON");
    if python.is_none() {
        assert!(
            std::env::var_os("CLAVIGER_TEST_NO_SKIP").is_none(),
            "CLAVIGER_TEST_PYTHON names no Python"
        );
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: CLAVIGER_TEST_PYTHON names no Python with PyKMIP; scripts/test makes one."
        );
    }
    python
}

/// What a script prints, which is to end well.
fn printed(python: &OsString, script: &str, environment: &[(&str, String)]) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pykmip/");
    let output = Command::new(python)
        .arg(format!("{folder}{script}"))
        .envs(environment.iter().cloned())
        .output()
        .expect("the Python starts");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{printed}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    printed
}

#[test]
fn pykmips_client_takes_a_key_through_its_life_in_every_version() {
    let Some(python) = python() else { return };
    let server = Server::start();
    let client = server.client("pykmip");
    let printed = printed(&python, "life_of_a_key.py", &Server::environment(&client));
    for version in ["1.0", "1.1", "1.2", "1.3", "1.4", "2.0"] {
        assert!(printed.contains(&format!("{version} ok")), "{printed}");
    }
    server.verify_custody_log();
}

#[test]
fn pykmips_client_is_let_in_by_its_password_and_not_without() {
    let Some(python) = python() else { return };
    let server = Server::start();
    let client = server.client("pykmip");
    let user = ["adapter", "credential", "add", ADAPTER, "vcenter user"];
    let added = server.json(&user);
    let password = added["password"].as_str().expect("it is told once");
    server.must(&["adapter", "credential", "policy", ADAPTER, "required"]);
    let mut environment = Server::environment(&client);
    environment.push(("CLAVIGER_USERNAME", "vcenter user".into()));
    environment.push(("CLAVIGER_PASSWORD", password.to_owned()));
    let printed = printed(&python, "password.py", &environment);
    assert_eq!(printed.lines().count(), 3, "{printed}");
    let records = server.custody_records();
    let proved = records
        .iter()
        .filter(|record| record["details"]["authenticated"] == "password")
        .count();
    assert_eq!(proved, 6, "a Create and a Get in each version");
    server.verify_custody_log();
}
