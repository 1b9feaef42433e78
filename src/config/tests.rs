//! What an operator is told about a configuration that is wrong.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use super::*;

const GOOD: &str = r#"version = "v1"
state_directory = "state"
[kmip]
certificate = "server.pem"
key = "server.key"
[[device]]
name = "hsm"
module = "module.so"
token_label = "token"
pin_file = "pin"
"#;

fn parse(text: &str) -> Result<Config, Problems> {
    Config::parse(Path::new("/etc/claviger/claviger.toml"), text)
}

/// The problems of a text, each as line, text and remedy.
fn problems(text: &str) -> Vec<(Option<usize>, String, String)> {
    let problems = parse(text).expect_err("it is wrong");
    problems
        .iter()
        .map(|p| (p.line, p.what.clone(), p.remedy.clone()))
        .collect()
}

#[test]
fn the_shortest_configuration_has_every_default() {
    let config = parse(GOOD).expect("it parses");
    assert_eq!(config.kmip.listen.len(), 2);
    assert!(!config.kmip.listen_is_given && !config.kmip.allow_expired_client_certificates);
    assert_eq!(config.kmip.limits.idle, Duration::from_mins(15));
    assert_eq!(config.admin.socket, Path::new("/etc/claviger/state/admin.sock"));
    assert_eq!(config.devices[0].token, TokenSelector::Label("token".into()));
    assert_eq!(config.line_of("kmip.key"), Some(5));
    assert_eq!(config.line_of("device[0].pin_file"), Some(10));
    assert_eq!(config.line_of("kmip.listen"), None);
}

#[test]
fn a_mistyped_key_is_refused_with_its_line_and_what_was_meant() {
    let found = problems(&GOOD.replace("key = ", "kye = "));
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found
            .iter()
            .any(|(line, what, _)| *line == Some(3) && what.contains("`kmip.key` is missing"))
    );
    assert!(found.iter().any(|(line, what, remedy)| *line == Some(5)
        && what.contains("`kye` in [kmip]")
        && remedy.contains("`key`")));
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let text = "version = \"v2\"\nnode = 3\n[kmip]\nlisten = [\"5696\"]\ncertificate = \"c\"\nkey = \"\"\n\
        [kmip.limits]\nidle = \"15\"\nconnections = 0\n[log]\nlevel = \"loud\"\n[[device]]\nname = \"a b\"\n";
    let lines: Vec<_> = problems(text)
        .into_iter()
        .map(|(line, what, _)| (line, what))
        .collect();
    for (line, what) in [
        (1, "`version` is \"v2\""),
        (2, "`node` is of the type integer"),
        (4, "`kmip.listen` has \"5696\""),
        (6, "`kmip.key` is empty"),
        (8, "`kmip.limits.idle` is \"15\""),
        (9, "`kmip.limits.connections` is 0"),
        (11, "`log.level` is \"loud\""),
        (12, "`device[0].module` is missing"),
        (12, "`device[0].token_label` is missing"),
        (12, "`device[0].pin_file` is missing"),
        (13, "`device[0].name` is \"a b\""),
    ] {
        assert!(
            lines
                .iter()
                .any(|found| found.0 == Some(line) && found.1.contains(what)),
            "{line} {what}: {lines:#?}"
        );
    }
    assert_eq!(lines.len(), 11, "{lines:#?}");
}

#[test]
fn a_text_that_is_no_toml_is_refused_with_its_line() {
    let found = problems("version = \"v1\"\n[kmip\nlisten = 3\n");
    assert!(found.iter().any(|(line, ..)| *line == Some(2)), "{found:?}");
    assert_eq!(problems("")[0].1, "`version` is missing");
}

#[test]
fn two_choices_of_a_token_or_a_name_twice_are_refused() {
    let both = GOOD.replace("token_label", "slot_id = 3\ntoken_label");
    assert!(problems(&both)[0].2.contains("keep one of"));
    let device = GOOD.split("[[device]]").nth(1).expect("a device");
    let twice = format!("{GOOD}[[device]]{device}");
    let found = problems(&twice);
    assert_eq!((found.len(), found[0].0), (1, Some(12)), "{found:?}");
}

#[test]
fn a_problem_is_shown_with_file_line_and_remedy() {
    let shown = parse(&GOOD.replace("v1", "v9"))
        .expect_err("a version of the future")
        .to_string();
    assert_eq!(
        shown,
        "/etc/claviger/claviger.toml:1: `version` is \"v9\"\n  remedy: this program reads \"v1\""
    );
    let absent = Config::load(Path::new("/nowhere/claviger.toml")).expect_err("there is no such file");
    assert!(absent.to_string().contains("claviger init"));
}

/// A folder with a configuration and all that it names, in order.
fn folder() -> (tempfile::TempDir, Config) {
    let folder = tempfile::tempdir().expect("a folder");
    let pair = rcgen::generate_simple_self_signed(["kms".to_owned()]).expect("a certificate");
    let file = |name: &str, text: &str, mode| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        std::fs::set_permissions(&path, Permissions::from_mode(mode)).expect("a mode");
    };
    file("server.pem", &pair.cert.pem(), 0o644);
    file("server.key", &pair.signing_key.serialize_pem(), 0o600);
    file("module.so", "", 0o755);
    file("pin", "1234", 0o400);
    let path = folder.path().join("claviger.toml");
    std::fs::write(&path, GOOD).expect("a file");
    let config = Config::load(&path).expect("it parses");
    (folder, config)
}

#[test]
fn a_configuration_whose_files_are_in_order_has_no_problem() {
    let (_folder, config) = folder();
    assert_eq!(check(&config), []);
}

#[test]
fn missing_files_open_secrets_and_a_foreign_key_are_told_together() {
    let (folder, config) = folder();
    let at = |name| folder.path().join(name);
    let foreign = rcgen::KeyPair::generate().expect("a key").serialize_pem();
    std::fs::write(at("server.key"), foreign).expect("a file");
    std::fs::remove_file(at("module.so")).expect("it was there");
    std::fs::set_permissions(at("pin"), Permissions::from_mode(0o644)).expect("a mode");
    let problems = check(&config);
    let find = |line, what: &str| {
        assert!(
            problems
                .iter()
                .any(|p| p.line == Some(line) && p.what.contains(what)),
            "{what}: {problems:#?}"
        );
    };
    find(5, "is not the key of");
    find(8, "`device[0].module`");
    find(10, "is open to others (mode 0644)");
    assert_eq!(problems.len(), 3, "{problems:#?}");
}

#[test]
fn an_encrypted_key_is_refused_without_asking_for_its_passphrase() {
    let (folder, config) = folder();
    let key = openssl::pkey::PKey::ec_gen("prime256v1").expect("a key");
    let encrypted = key
        .private_key_to_pem_pkcs8_passphrase(openssl::symm::Cipher::aes_256_cbc(), b"secret")
        .expect("it encrypts");
    std::fs::write(folder.path().join("server.key"), encrypted).expect("a file");
    let problems = check(&config);
    assert_eq!(problems.len(), 1);
    assert!(problems[0].remedy.contains("without a passphrase"));
}

#[test]
fn a_server_certificate_that_expires_is_a_warning_that_stops_no_start() {
    let (folder, config) = folder();
    let key = rcgen::KeyPair::generate().expect("a key");
    let mut parameters = rcgen::CertificateParams::new(["kms".to_owned()]).expect("a name");
    parameters.not_after = rcgen::date_time_ymd(2020, 1, 1);
    let expired = parameters.self_signed(&key).expect("a certificate");
    std::fs::write(folder.path().join("server.pem"), expired.pem()).expect("a file");
    std::fs::write(folder.path().join("server.key"), key.serialize_pem()).expect("a file");
    let problems = check(&config);
    assert_eq!(problems.len(), 1, "{problems:#?}");
    assert_eq!(
        (problems[0].severity, problems[0].line),
        (Severity::Warning, Some(4))
    );
}

#[test]
fn keys_stay_on_their_device_unless_the_operator_says_otherwise() {
    let config = parse(GOOD).expect("it parses");
    assert!(!config.kmip.cryptography_in_server);
    assert_eq!(config.kmip.rng_seed, RngSeed::All);
    let with = |line: &str| parse(&GOOD.replace("[kmip]\n", &format!("[kmip]\n{line}\n")));
    let config = with("cryptography_in_server = true").expect("it parses");
    assert!(config.kmip.cryptography_in_server);
}

#[test]
fn a_seed_is_bounded_or_refused_as_the_operator_says() {
    let seed = |value: &str| {
        let text = GOOD.replace("[kmip]\n", &format!("[kmip]\nrng_seed = {value}\n"));
        parse(&text).map(|config| config.kmip.rng_seed)
    };
    assert_eq!(seed("16").expect("it parses"), RngSeed::AtMost(16));
    assert_eq!(seed("0").expect("it parses"), RngSeed::AtMost(0));
    assert_eq!(seed("\"refuse\"").expect("it parses"), RngSeed::Refuse);
    for wrong in ["-1", "\"all\"", "true", "1048577"] {
        assert!(seed(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn another_certificate_has_addresses_of_its_own_and_a_renewal_has_a_program() {
    let kmip = |lines: &str| {
        let text = format!("{GOOD}\n{lines}\n");
        parse(&text).map(|config| config.kmip)
    };
    let previous = "[kmip.previous]\ncertificate = \"old.pem\"\nkey = \"old.key\"\n";
    let found = kmip(&format!("{previous}listen = [\"0.0.0.0:5697\"]")).expect("it parses");
    assert_eq!(found.previous.expect("it is there").listen.len(), 1);
    for wrong in [
        previous,
        "[kmip.previous]\nlisten = [\"0.0.0.0:5697\"]",
        &format!("{previous}listen = [\"0.0.0.0:5696\"]"),
    ] {
        assert!(kmip(wrong).is_err(), "{wrong}");
    }
    let renewal = kmip("[kmip.renewal]\ncommand = [\"/bin/renew\", \"now\"]").expect("it parses");
    let renewal = renewal.renewal.expect("it is there");
    assert_eq!(
        (renewal.command.len(), renewal.before.as_secs()),
        (2, 30 * 86_400)
    );
    for wrong in ["command = [\"renew\"]", "command = []", "before = \"30d\""] {
        assert!(kmip(&format!("[kmip.renewal]\n{wrong}")).is_err(), "{wrong}");
    }
    let none = kmip("").expect("it parses");
    assert!(none.previous.is_none() && none.renewal.is_none());
}

#[test]
fn an_api_key_that_others_read_and_authorities_that_are_none_are_told() {
    let (folder, _) = folder();
    let text = std::fs::read_to_string(folder.path().join("claviger.toml")).expect("the file");
    let instance = "[[key_protect]]\nname = \"ibm\"\nurl = \"https://eu-de.kms.cloud.ibm.com\"\n\
        instance_id = \"c0ffee00-0000-4000-8000-000000000001\"\napi_key_file = \"ibm.apikey\"\nca_file = \"ca.pem\"\n";
    let path = folder.path().join("claviger.toml");
    std::fs::write(&path, text + instance).expect("a file");
    let key = folder.path().join("ibm.apikey");
    std::fs::write(&key, "").expect("a file");
    std::fs::set_permissions(&key, Permissions::from_mode(0o400)).expect("a mode");
    std::fs::write(folder.path().join("ca.pem"), "none").expect("a file");
    let config = Config::load(&path).expect("it parses");
    let found = |config: &Config| -> Vec<_> { check(config).iter().map(ToString::to_string).collect() };
    let problems = found(&config);
    assert_eq!(problems.len(), 2, "{problems:#?}");
    assert!(
        problems[0].contains("claviger.toml:15:") && problems[0].contains("is empty"),
        "{problems:#?}"
    );
    assert!(
        problems[1].contains("claviger.toml:16:") && problems[1].contains("no certificate"),
        "{problems:#?}"
    );

    std::fs::set_permissions(&key, Permissions::from_mode(0o644)).expect("a mode");
    std::fs::copy(folder.path().join("server.pem"), folder.path().join("ca.pem")).expect("a file");
    let problems = found(&config);
    assert_eq!(problems.len(), 1, "{problems:#?}");
    assert!(
        problems[0].contains("is open to others (mode 0644)"),
        "{problems:#?}"
    );
}

#[test]
fn a_database_on_the_network_is_named_by_an_address_without_a_password() {
    let with = |lines: &str| format!("{GOOD}[store]\n{lines}\n");
    let config = parse(&with(
        "url = \"postgres://claviger@db.example.org/claviger\"\npassword_file = \"database-password\"",
    ));
    let expected = PostgresStore {
        url: "postgres://claviger@db.example.org/claviger".into(),
        password_file: Some("/etc/claviger/database-password".into()),
        connections: 16,
    };
    assert_eq!(config.expect("it parses").store, Store::Postgres(expected));
    for (lines, wrong) in [
        (
            "url = \"postgres://claviger:secret@db/claviger\"",
            "has a password in it",
        ),
        (
            "url = \"postgres://db/claviger?user=claviger&password=secret\"",
            "has a password in it",
        ),
        ("url = \"db.example.org\"", "is no address of PostgreSQL"),
        (
            "url = \"postgres://db/claviger\"\npath = \"claviger.db\"",
            "stands beside url",
        ),
    ] {
        let found = problems(&with(lines));
        assert!(
            found.iter().any(|(_, what, _)| what.contains(wrong)),
            "{lines}: {found:?}"
        );
        assert!(
            found.iter().all(|(_, what, _)| !what.contains("secret")),
            "{found:?}"
        );
    }
}
