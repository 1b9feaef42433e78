//! The stand-in for Key Protect before its judge: IBM's own client, which others wrote.

use std::process::Command;

use claviger_hsm::WorkerCommand;
use claviger_key_protect_stand_in::{Form, Options, StandIn};

#[test]
fn ibms_client_finds_every_call_of_key_protect_as_it_knows_it() {
    drive(Form::KeyProtect);
}

#[test]
fn ibms_client_finds_every_call_of_hpcs_as_it_knows_it() {
    drive(Form::Hpcs);
}

#[allow(clippy::print_stderr)] // As a test says that it was skipped.
fn drive(form: Form) {
    let Some(python) = std::env::var_os("CLAVIGER_TEST_PYTHON") else {
        assert!(
            std::env::var_os("CLAVIGER_TEST_NO_SKIP").is_none(),
            "CLAVIGER_TEST_PYTHON names no Python"
        );
        eprintln!("SKIPPED: CLAVIGER_TEST_PYTHON names no Python with keyprotect; scripts/test makes one.");
        return;
    };
    let directory = tempfile::tempdir().expect("a temporary folder");
    let worker = WorkerCommand {
        program: env!("CARGO_BIN_EXE_claviger").into(),
        arguments: vec!["device-worker".into()],
    };
    let options = Options {
        form,
        ..Options::new(directory.path(), worker)
    };
    let stand_in = StandIn::start(options).expect("the stand-in starts");
    let facts = serde_json::to_string(stand_in.facts()).expect("facts are JSON");
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/key_protect_client/every_call.py"
    );
    let output = Command::new(python)
        .args([script, &facts])
        .env("REQUESTS_CA_BUNDLE", &stand_in.facts().ca_file)
        .output()
        .expect("the Python starts");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{printed}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(printed.contains("calls driven"), "{printed}");
}
