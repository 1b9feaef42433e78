//! PyKMIP, a client that others wrote, in each version of the protocol that it shares with the server.

mod support;

use std::process::Command;

use support::server::Server;

#[test]
fn pykmips_client_takes_a_key_through_its_life_in_every_version() {
    let Some(python) = std::env::var_os("CLAVIGER_TEST_PYTHON") else {
        assert!(
            std::env::var_os("CLAVIGER_TEST_NO_SKIP").is_none(),
            "CLAVIGER_TEST_PYTHON names no Python"
        );
        eprintln!("SKIPPED: CLAVIGER_TEST_PYTHON names no Python with PyKMIP; scripts/test makes one.");
        return;
    };
    let server = Server::start();
    let client = server.client("pykmip");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pykmip/life_of_a_key.py");
    let output = Command::new(python)
        .arg(script)
        .envs(Server::environment(&client))
        .output()
        .expect("the Python starts");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{printed}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    for version in ["1.0", "1.1", "1.2", "1.3", "1.4", "2.0"] {
        assert!(printed.contains(&format!("{version} ok")), "{printed}");
    }
    server.verify_custody_log();
}
