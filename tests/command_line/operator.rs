//! An operator's whole day, from `init` to the proof of the custody log.

use serde_json::Value;

use crate::server::{Server, Site};
use crate::support::{FAILURE, SUCCESS, UNHEALTHY, stderr, stdout, text};

/// A virtual machine's name as an administrator may give it.
const ODD_NAME: &str = "Büro 7 – \"東京\" = x\u{1b}[2J";

#[test]
fn from_nothing_to_a_key_that_was_used_destroyed_and_accounted_for() {
    let site = Site::new();
    site.done(&["config", "check"]);
    let server = site.serve();

    who_may_come(&site, &server);
    let id = what_a_client_does(&site, &server);
    what_the_administrator_sees(&site, &id);
    the_end(&site, &server, &id);
    the_account(&site, &id);
    server.stop();
    assert!(site.fails(UNHEALTHY, &["status"]).contains("claviger serve"));
}

/// Who may come, and to what.
fn who_may_come(site: &Site, server: &Server<'_>) {
    let root_key = site.json(&["root-key", "create", "crk"]);
    assert_eq!(root_key["name"], "crk");
    assert_eq!(
        site.json(&["adapter", "create", "vcenter", "--description", "Büro"])["root_key"]["name"],
        "crk"
    );
    let refused = server.kmip_as("client", &["query"]);
    assert_eq!(
        refused.status.code(),
        Some(FAILURE),
        "nobody has admitted this certificate yet"
    );
    let pem = site.path("client.pem");
    let added = site.json(&["certificate", "add", "vcenter", text(&pem)]);
    let fingerprint = added["fingerprint"].as_str().unwrap();
    assert!(
        site.server_log().contains(fingerprint),
        "the log names the certificate that was refused"
    );
    assert_eq!(site.json(&["certificate", "list"])[0]["fingerprint"], fingerprint);
}

/// What a client does, of a server that it can be sure of.
fn what_a_client_does(site: &Site, server: &Server<'_>) -> String {
    let pem = site.path("client.pem");
    for (option, value) in [("--server-name", "kms.example.org"), ("--ca", text(&pem))] {
        let refused = server.kmip_as("client", &["query", option, value]);
        assert_eq!(refused.status.code(), Some(FAILURE));
        assert!(stderr(&refused).contains("not trusted"), "{}", stderr(&refused));
    }
    for version in ["1.0", "1.1", "1.2", "1.3", "1.4"] {
        assert!(
            server
                .kmip(&["query", "--protocol", version])
                .contains("Symmetric Key"),
            "{version}"
        );
    }
    assert!(server.kmip(&["discover-versions"]).contains("1.4"));
    assert!(server.kmip(&["query"]).contains("Get Attributes"));
    let attribute = format!("x-Name={ODD_NAME}");
    let id = server
        .kmip(&["create", "--name", "disk-1", "--attribute", &attribute])
        .trim()
        .to_owned();
    server.kmip(&["activate", &id]);
    let shown = server.kmip(&["attributes", &id]);
    assert!(shown.contains("Active") && shown.contains("東京"), "{shown}");
    assert!(!shown.contains('\u{1b}'), "a name must not drive the terminal");
    let exact: Value =
        serde_json::from_str(&server.kmip(&["attributes", &id, "x-Name", "--output", "json"])).unwrap();
    assert_eq!(exact["attributes"][0]["value"], ODD_NAME);
    for filter in [
        vec!["--name", "disk-1"],
        vec!["--state", "active"],
        vec!["--attribute", &attribute],
    ] {
        let arguments: Vec<_> = ["locate"].into_iter().chain(filter).collect();
        assert!(server.kmip(&arguments).contains(&id), "{arguments:?}");
    }
    id
}

/// What the administrator sees of it.
fn what_the_administrator_sees(site: &Site, id: &str) {
    let keys = site.json(&["key", "list", "vcenter", "--state", "active"]);
    assert_eq!(
        (&keys[0]["id"], &keys[0]["state"]),
        (&Value::from(id), &Value::from("Active"))
    );
    assert!(
        site.done(&["key", "show", "vcenter", id])
            .contains("wrap profile")
    );
    let said = site.fails(FAILURE, &["adapter", "delete", "vcenter"]);
    assert!(said.contains("not destroyed"), "{said}");
}

/// The end of it.
fn the_end(site: &Site, server: &Server<'_>, id: &str) {
    server.kmip(&["revoke", id, "--message", "disk is gone"]);
    server.kmip(&["destroy", id]);
    assert_eq!(site.json(&["key", "show", "vcenter", id])["state"], "Destroyed");
    let list = site.json(&["certificate", "list"]);
    let fingerprint = list[0]["fingerprint"].as_str().unwrap();
    site.done(&["certificate", "remove", "vcenter", &fingerprint[..12]]);
    assert_eq!(
        server.kmip_as("client", &["query"]).status.code(),
        Some(FAILURE),
        "it was shut out at once"
    );
    site.done(&["adapter", "delete", "vcenter"]);
}

/// The account of it.
fn the_account(site: &Site, id: &str) {
    let events = site.json(&["custody", "list", "--key", id]);
    let events: Vec<_> = events
        .as_array()
        .unwrap()
        .iter()
        .map(|record| record["event"].as_str().unwrap())
        .collect();
    assert_eq!(
        (events.first(), events.last()),
        (Some(&"kmip.create"), Some(&"kmip.destroy"))
    );
    let removal = site.json(&["custody", "list", "--event", "certificate.remove"]);
    assert_eq!(removal[0]["actor"]["kind"], "administrator");
    let configuration = std::fs::read(site.config()).unwrap();
    assert_eq!(
        removal[0]["configuration_sha256"],
        hex::encode(openssl::sha::sha256(&configuration))
    );
    assert!(removal[0]["clock"]["state"].is_string());
    assert_eq!(
        site.json(&["custody", "list", "--limit", "1"])
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let proof = site.done(&["custody", "verify"]);
    assert!(
        proof.starts_with("custody log verified: ") && proof.contains(" records, root "),
        "{proof}"
    );
    let head = site.json(&["custody", "verify"]);
    let kept = format!("{}:{}", head["size"], head["root"].as_str().unwrap());
    site.done(&["custody", "verify", "--kept", &kept]);
    let other = format!("{}:{}", head["size"], "00".repeat(32));
    assert!(
        site.fails(UNHEALTHY, &["custody", "verify", "--kept", &other])
            .contains("NOT whole")
    );
}

#[test]
fn the_value_of_a_key_is_printed_for_reveal_alone_and_stored_nowhere() {
    let site = Site::new();
    let server = site.serve();
    site.done(&["root-key", "create", "crk"]);
    site.done(&["adapter", "create", "vcenter"]);
    site.done(&["certificate", "add", "vcenter", text(&site.path("client.pem"))]);
    let id = server.kmip(&["create"]).trim().to_owned();
    server.kmip(&["activate", &id]);

    let revealed: Value =
        serde_json::from_str(&server.kmip(&["get", &id, "--reveal", "--output", "json"])).unwrap();
    let value = revealed["value"]
        .as_str()
        .expect("the value is revealed")
        .to_owned();
    assert_eq!(value.len(), 64);
    for arguments in [
        vec!["get", &id],
        vec!["get", &id, "--output", "json"],
        vec!["get", &id, "--raw"],
        vec!["get", &id, "--raw", "--protocol", "1.0"],
        vec!["attributes", &id],
    ] {
        let output = server.kmip_as("client", &arguments);
        assert_eq!(output.status.code(), Some(SUCCESS), "{}", stderr(&output));
        let said = (stdout(&output) + &stderr(&output)).to_lowercase();
        assert!(!said.contains(&value), "{arguments:?} prints the key");
    }
    let raw = server.kmip(&["get", &id, "--raw"]);
    assert!(raw.contains("Key Material: <32 bytes>"), "{raw}");
    server.stop();

    let bytes = hex::decode(&value).unwrap();
    for file in site.files() {
        let content = std::fs::read(&file).unwrap();
        let there = content.windows(32).any(|window| window == bytes)
            || String::from_utf8_lossy(&content).to_lowercase().contains(&value);
        assert!(!there, "{} has the key in it", file.display());
    }
}

#[test]
fn two_servers_never_share_a_state_directory() {
    let site = Site::new();
    let _server = site.serve();
    let said = site.fails(FAILURE, &["serve"]);
    assert!(said.contains("another"), "{said}");
}

#[test]
fn the_doctor_finds_a_wrong_pin_and_says_what_to_do() {
    let site = Site::new();
    let report = site.json(&["doctor"]);
    let checks = report["findings"].as_array().unwrap();
    assert!(
        checks.iter().all(|check| check["verdict"] != "failure"),
        "{report}"
    );
    site.token().write_pin("wrong");
    let output = site.run(&["doctor", "--output", "json"]);
    assert_eq!(output.status.code(), Some(UNHEALTHY));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let login = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|check| check["name"] == "login")
        .unwrap();
    assert_eq!(login["verdict"], "failure");
    assert!(login["remedy"].as_str().unwrap().contains("PIN"), "{login}");
    assert!(!stdout(&output).contains(claviger_hsm::testkit::SoftHsm::PIN));
}

/// The headings and the first words of each check, without what differs from run to run.
const DOCTOR: &str = include_str!("doctor.txt");

#[test]
fn the_doctor_is_read_in_a_terminal_and_compares_the_root_keys_beside_a_running_server() {
    let site = Site::new();
    let server = site.serve();
    site.done(&["root-key", "create", "crk"]);
    let beside = outline(&site.done(&["doctor"]));
    assert_eq!(beside, DOCTOR);
    server.stop();
    let before = site.files();
    let alone = site.done(&["doctor"]);
    assert_eq!(site.files(), before, "the doctor leaves no file behind");
    assert!(alone.contains("as it is recorded"), "{alone}");
    for line in alone.lines().filter(|line| line.chars().count() > 80) {
        let words = line.trim_start().split(' ').count();
        assert!(words < 4, "a line that only a path makes longer than 80: {line}");
    }
}

/// Each heading as it is, and each check up to its name.
fn outline(text: &str) -> String {
    let mut outline = String::new();
    for line in text.lines() {
        let is_more = line.starts_with("             ");
        if line.is_empty() || is_more || line.contains(" checks: ") {
            continue;
        }
        outline += if line.starts_with("    ") {
            line.split_once(": ").map_or(line, |(name, _)| name)
        } else {
            line
        };
        outline.push('\n');
    }
    outline
}

#[test]
fn a_root_key_that_the_token_has_lost_is_found_before_the_server_is_started() {
    let site = Site::new();
    let server = site.serve();
    site.done(&["root-key", "create", "crk"]);
    server.stop();
    let database = site.path("state/claviger.db");
    let kept = std::fs::read(&database).unwrap();
    let other = Site::new();
    other.serve().stop();
    std::fs::write(other.path("state/claviger.db"), kept).unwrap();
    let output = other.run(&["doctor", "--output", "json"]);
    assert_eq!(output.status.code(), Some(UNHEALTHY), "{}", stderr(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let lost = findings
        .iter()
        .find(|check| check["verdict"] == "failure")
        .unwrap();
    assert_eq!(lost["group"], "root-keys", "{lost}");
    assert_eq!(lost["name"], "claviger.crk.v1", "{lost}");
    assert!(lost["remedy"].as_str().unwrap().contains("restore"), "{lost}");
}

#[test]
fn a_custody_record_that_was_changed_by_hand_is_named_without_a_server_or_a_device() {
    let site = Site::new();
    let server = site.serve();
    site.done(&["root-key", "create", "crk"]);
    let proof = site.done(&["custody", "verify"]);
    server.stop();
    let database = site.path("state/claviger.db");
    let verify = ["custody", "verify", "--database", text(&database)];
    assert_ne!(
        site.done(&verify),
        proof,
        "the server has recorded that it stopped"
    );
    assert!(
        site.done(&["custody", "list", "--database", text(&database)])
            .contains("root-key.create")
    );

    change_record(&database);
    let said = site.fails(UNHEALTHY, &verify);
    assert!(said.contains("NOT whole") && said.contains("record 1 "), "{said}");
    let missing = site.path("other.db");
    site.fails(FAILURE, &["custody", "verify", "--database", text(&missing)]);
    assert!(!missing.exists(), "a database is not made by looking for it");
}

/// Writes another word into the record of the root key, and leaves the hash of its leaf.
fn change_record(database: &std::path::Path) {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(database);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut database = sqlx::ConnectOptions::connect(&options).await.unwrap();
        let (bytes,): (Vec<u8>,) = sqlx::query_as("SELECT record FROM custody_record WHERE sequence = 1")
            .fetch_one(&mut database)
            .await
            .unwrap();
        let changed = String::from_utf8(bytes)
            .unwrap()
            .replace("administrator", "administrateur");
        sqlx::query("UPDATE custody_record SET record = ? WHERE sequence = 1")
            .bind(changed.into_bytes())
            .execute(&mut database)
            .await
            .unwrap();
    });
}
