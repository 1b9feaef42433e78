//! Help, wrong arguments, and what needs no server.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::{FAILURE, SUCCESS, UNHEALTHY, USAGE, claviger, refused, stderr, stdout, text};

#[test]
fn every_command_is_in_the_help_and_explains_itself() {
    let help = claviger(&["--help"]);
    assert_eq!(help.status.code(), Some(SUCCESS));
    let help = stdout(&help);
    let commands = [
        "init",
        "serve",
        "config",
        "doctor",
        "status",
        "root-key",
        "adapter",
        "certificate",
        "key",
        "custody",
        "witness",
        "kmip",
    ];
    for command in commands {
        assert!(
            help.lines().any(|line| line.trim_start().starts_with(command)),
            "{command} in:\n{help}"
        );
        let own = claviger(&[command, "--help"]);
        assert_eq!(own.status.code(), Some(SUCCESS), "{command} --help");
        assert!(stdout(&own).contains("Usage: claviger"), "{command} --help");
    }
    assert!(!help.contains("device-worker"), "the hidden command is hidden");
}

#[test]
fn a_script_can_tell_the_exit_codes_from_the_help() {
    let help = stdout(&claviger(&["--help"]));
    assert!(help.contains("Exit codes:"));
    for code in [SUCCESS, FAILURE, UNHEALTHY, USAGE] {
        let prefix = format!("{code:>4}  ");
        assert!(
            help.lines().any(|line| line.starts_with(&prefix)),
            "{code} in:\n{help}"
        );
    }
}

#[test]
fn a_mistyped_command_or_option_is_a_usage_error_with_what_was_meant() {
    assert!(refused(USAGE, &["statsu"]).contains("status"));
    assert!(refused(USAGE, &["status", "--ouptut", "json"]).contains("--output"));
    assert!(refused(USAGE, &["status", "--output", "xml"]).contains("xml"));
    assert!(refused(USAGE, &["certificate", "add", "one"]).contains("<FILE>"));
    refused(USAGE, &[]);
    refused(USAGE, &["adapter"]);
}

#[test]
fn a_missing_configuration_is_told_with_its_path_and_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("none.toml");
    let said = refused(FAILURE, &["--config", text(&missing), "adapter", "list"]);
    assert!(said.contains(text(&missing)), "{said}");
    assert!(said.contains("claviger init"), "{said}");
}

#[test]
fn a_server_that_is_not_running_is_told_with_its_socket_and_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("admin.sock");
    for (code, command) in [
        (UNHEALTHY, &["status"][..]),
        (FAILURE, &["adapter", "list"]),
        (FAILURE, &["custody", "verify"]),
    ] {
        let mut arguments = vec!["--admin-socket", text(&socket)];
        arguments.extend(command);
        let said = refused(code, &arguments);
        assert!(said.contains(text(&socket)), "{said}");
        assert!(said.contains("claviger serve"), "{said}");
    }
}

#[test]
fn the_kmip_client_says_which_of_its_files_is_missing() {
    let said = refused(USAGE, &["kmip", "query"]);
    assert!(
        said.contains("--server") && said.contains("CLAVIGER_KMIP"),
        "{said}"
    );
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("client.pem");
    let missing = text(&missing);
    let said = refused(
        FAILURE,
        &[
            "kmip",
            "query",
            "--server",
            "localhost",
            "--cert",
            missing,
            "--key",
            missing,
            "--ca",
            missing,
        ],
    );
    assert!(said.contains(missing), "{said}");
}

/// The options of an `init` that asks nothing.
fn init<'a>(config: &'a str, pin: &'a str) -> Vec<&'a str> {
    vec![
        "--config",
        config,
        "init",
        "--module",
        "/usr/lib/softhsm/libsofthsm2.so",
        "--token-label",
        "Büro \"7\"",
        "--pin-file",
        pin,
        "--server-name",
        "kms.example.org",
        "--server-name",
        "10.0.0.7",
    ]
}

#[test]
fn init_writes_a_configuration_and_a_key_that_others_cannot_read() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("etc/claviger.toml");
    let pin = folder.path().join("pin");
    let made = claviger(&init(text(&config), text(&pin)));
    assert_eq!(made.status.code(), Some(SUCCESS), "{}", stderr(&made));
    assert!(stderr(&made).contains("write the PIN"), "{}", stderr(&made));
    let configuration = fs::read_to_string(&config).unwrap();
    assert!(
        configuration.contains("Büro") && configuration.contains("# "),
        "{configuration}"
    );
    let key = folder.path().join("etc/server.key");
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(
        stdout(&made).contains("SHA-256"),
        "vCenter's administrator compares it"
    );
}

#[test]
fn init_never_overwrites_what_is_there_unless_told() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("claviger.toml");
    let pin = folder.path().join("pin");
    let arguments = init(text(&config), text(&pin));
    assert_eq!(claviger(&arguments).status.code(), Some(SUCCESS));
    let key = fs::read(folder.path().join("server.key")).unwrap();
    fs::write(&config, "mine").unwrap();

    assert!(refused(FAILURE, &arguments).contains("--overwrite"));
    assert_eq!(fs::read(&config).unwrap(), b"mine");

    let with = |option| arguments.iter().copied().chain([option]).collect::<Vec<_>>();
    assert_eq!(claviger(&with("--overwrite")).status.code(), Some(SUCCESS));
    assert_ne!(fs::read(&config).unwrap(), b"mine");
    assert_eq!(
        fs::read(folder.path().join("server.key")).unwrap(),
        key,
        "a new key would break vCenter's trust"
    );
}

#[test]
fn init_without_answers_and_without_a_terminal_names_the_options() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("claviger.toml");
    let said = refused(USAGE, &["--config", text(&config), "init"]);
    for option in ["--module", "--token-label", "--pin-file"] {
        assert!(said.contains(option), "{said}");
    }
    assert!(!config.exists());
}

#[test]
fn init_on_key_protect_has_the_custody_log_signed_by_software_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("claviger.toml");
    let state = folder.path().join("state");
    let api_key = folder.path().join("apikey");
    let token = claviger_hsm::testkit::SoftHsm::new();
    let module = token.device_config("any").module;
    let arguments = [
        "--config",
        text(&config),
        "init",
        "--key-protect-url",
        "https://eu-de.kms.cloud.ibm.com",
        "--instance-id",
        "c0ffee00-0000-4000-8000-000000000001",
        "--api-key-file",
        text(&api_key),
        "--custody-software",
        text(&module),
        "--node",
        "kms-1",
        "--state-directory",
        text(&state),
    ];
    let made = claviger(&arguments);
    assert_eq!(made.status.code(), Some(SUCCESS), "{}", stderr(&made));
    assert!(stderr(&made).contains("BY SOFTWARE"), "{}", stderr(&made));
    let key = fs::read_to_string(folder.path().join("custody.vkey")).unwrap();
    assert!(key.starts_with("kms-1/claviger/software+"), "{key}");
    let pin = fs::metadata(state.join("custody-token/pin")).unwrap();
    assert_eq!(pin.permissions().mode() & 0o777, 0o400);
    let checked = claviger(&["--config", text(&config), "config", "check"]);
    assert!(
        stdout(&checked).contains("signed by software"),
        "{}",
        stdout(&checked)
    );
    // Again, as the quickstart does: the key stays.
    let again = claviger(&[&arguments[..], &["--overwrite"]].concat());
    assert_eq!(again.status.code(), Some(SUCCESS), "{}", stderr(&again));
    assert_eq!(
        fs::read_to_string(folder.path().join("custody.vkey")).unwrap(),
        key
    );
    let shown = claviger(&["--config", text(&config), "custody", "key", "show"]);
    assert!(stdout(&shown).contains(key.trim_end()), "{}", stdout(&shown));
}
