//! The HSM of the z class, as IBM's module for GREP11 gives it: the whole server on openCryptoki's soft token that is kept
//! from every mechanism and function that the module lacks, with the configuration that docs/hsm.md has.

mod support;

use std::path::Path;

use claviger_hsm::testkit::{TestToken, TokenKind};
use claviger_hsm::{DeviceConfig, SlotSelector};
use serde_json::Value;
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use support::keys::material;
use support::message::{self, about, create, key_material, outcome};
use support::server::{ADAPTER, HEALTHY, Server};

/// The section for GREP11 in docs/hsm.md, with this token in the place of IBM's.
fn documented(config: &DeviceConfig) -> String {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/hsm.md");
    let text = std::fs::read_to_string(file).expect("docs/hsm.md is there");
    let (_, rest) = text
        .split_once("```toml\n[[device]]\nname = \"grep11\"\n")
        .expect("docs/hsm.md has a section for GREP11");
    let (section, _) = rest.split_once("```").expect("the section ends");
    let SlotSelector::TokenLabel(label) = &config.slot else {
        panic!("the token is found by its label");
    };
    let environment: Vec<_> = (config.environment.iter())
        .map(|(name, value)| format!("{name} = {value:?}"))
        .collect();
    let mut lines = vec!["[[device]]".to_owned(), "name = \"grep11\"".to_owned()];
    for line in section.lines() {
        lines.push(match line.split_once(" = ") {
            Some(("module", _)) => format!("module = \"{}\"", config.module.display()),
            Some(("token_label", _)) => format!("token_label = {label:?}"),
            Some(("pin_file", _)) => format!("pin_file = \"{}\"", config.pin_file.display()),
            Some(("environment", _)) => format!("environment = {{ {} }}", environment.join(", ")),
            _ => line.to_owned(),
        });
    }
    lines.join("\n") + "\n"
}

/// A server with one root key and an adapter on such a token; none where openCryptoki is not there.
fn server() -> Option<(TestToken, Server)> {
    let token = TokenKind::Grep11.token()?;
    let section = documented(&token.device_config("grep11"));
    let server = Server::start_configured(vec![], &section);
    server.must(&["root-key", "create", "root"]);
    server.adapter(ADAPTER);
    Some((token, server))
}

#[test]
fn keys_are_made_given_out_rotated_and_found_again_with_the_mechanisms_of_grep11_alone() {
    let Some((_token, mut server)) = server() else {
        return;
    };
    server.wait_for_status(HEALTHY);
    let client = server.client("client");
    let mut connection = client.connect();
    let identifiers: Vec<String> = (0..20)
        .map(|_| message::identifier(&connection.exchange(&create())))
        .collect();
    let before = material(&client, &identifiers);
    assert!(before.values().all(|key| key.len() == 32));

    server.must(&["root-key", "rotate", "root"]);
    let under_the_first = |server: &Server| {
        let shown = server.json(&["root-key", "show", "root"]);
        let versions = shown["versions"].as_array().expect("versions").clone();
        let first = versions.iter().find(|version| version["version"] == 1);
        first.expect("it is kept")["keys"].as_u64().expect("a number")
    };
    while under_the_first(&server) > 0 {}
    server.must(&["root-key", "destroy-version", "root", "1"]);
    assert_eq!(material(&client, &identifiers), before);
    server.restart();
    assert_eq!(material(&client, &identifiers), before);
    server.verify_custody_log();
    for record in server.custody_records() {
        let profile = &record["root_key"]["wrap_profile"];
        assert!(profile.is_null() || profile == "aes-cbc-pad", "{record}");
        let released = &record["root_key"]["release_profile"];
        assert!(released.is_null() || released == "transport", "{record}");
    }
}

#[test]
fn a_wrapped_key_that_was_changed_is_refused_though_the_device_would_take_it() {
    let Some((_token, server)) = server() else { return };
    let client = server.client("client");
    let mut connection = client.connect();
    let [victim, other] = [(); 2].map(|()| message::identifier(&connection.exchange(&create())));
    let before = key_material(&connection.exchange(&about(message::GET, &other)));
    change_wrapped_bytes(&server.database(), &victim);
    let refused = outcome(&connection.exchange(&about(message::GET, &victim))).map(|_| ());
    refused.expect_err("a key whose wrapped bytes were changed is not given out");
    assert_eq!(
        key_material(&connection.exchange(&about(message::GET, &other))),
        before
    );
    server.wait_for_event("store.tampered");
    server.verify_custody_log();
}

/// Changes a byte of the second block, which the padding is not in.
fn change_wrapped_bytes(database: &Path, identifier: &str) {
    let sql = format!(
        "UPDATE managed_object SET wrapped = CAST(substr(wrapped, 1, 20) \
         || CASE substr(wrapped, 21, 1) WHEN X'00' THEN X'01' ELSE X'00' END || substr(wrapped, 22) AS BLOB) \
         WHERE id = X'{}'",
        identifier.replace('-', "")
    );
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let mut database = SqliteConnectOptions::new()
            .filename(database)
            .connect()
            .await
            .expect("the database opens");
        let done = sqlx::query(sqlx::AssertSqlSafe(sql))
            .execute(&mut database)
            .await
            .expect("the row changes");
        assert_eq!(done.rows_affected(), 1);
    });
}

#[test]
fn the_doctor_says_what_such_a_device_does_and_does_not() {
    let Some((_token, server)) = server() else { return };
    let examined = server.claviger(&["--output", "json", "doctor"]);
    let report: Value = serde_json::from_slice(&examined.stdout).expect("JSON");
    let findings = report["findings"].as_array().expect("findings");
    let of_the_device: Vec<_> = findings
        .iter()
        .filter(|finding| finding["subject"] == "device grep11")
        .collect();
    assert!(
        of_the_device
            .iter()
            .all(|finding| finding["verdict"] != "failure"),
        "{of_the_device:#?}"
    );
    for (name, said) in [
        ("aes-kw", "not to be had on this device"),
        ("aes-gcm", "not to be had on this device"),
        ("aes-cbc-pad", "which the seal of Claviger's rows finds before"),
        ("wrap profile", "new keys are wrapped by aes-cbc-pad"),
        (
            "release profile",
            "transport: a key was handed over under RSA-OAEP",
        ),
        (
            "digest",
            "the device does not digest a sensitive key; Claviger computes it",
        ),
        ("claviger.root.v1", "as it is recorded"),
    ] {
        let finding = of_the_device.iter().find(|finding| finding["name"] == name);
        let finding = finding.unwrap_or_else(|| panic!("nothing is said of {name}: {of_the_device:#?}"));
        let text = finding["finding"].as_str().expect("words");
        assert!(text.contains(said), "{name}: {text}");
    }
}
