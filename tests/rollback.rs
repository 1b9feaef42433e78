//! A database that is restored from a backup serves no key before two administrators have agreed to it.

mod support;

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output};

use serde_json::Value;
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use support::client::Client;
use support::message::{self, about, create};
use support::server::{HEALTHY, Server, UNHEALTHY};

/// A user of every machine who is nobody there.
const SECOND_ADMINISTRATOR: u32 = 65_534;

/// A server whose second administrator is [`SECOND_ADMINISTRATOR`], and the folder of its socket.
fn server_of_two() -> (Server, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let all = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(folder.path(), all).expect("the folder is ours");
    let sections = format!(
        "[admin]\nsocket = \"{}\"\nadministrators = [\"{SECOND_ADMINISTRATOR}\"]\n",
        folder.path().join("admin.sock").display()
    );
    (Server::start_with_sections(&sections), folder)
}

fn as_the_second(folder: &tempfile::TempDir, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_claviger"))
        .arg("--admin-socket")
        .arg(folder.path().join("admin.sock"))
        .args(arguments)
        .uid(SECOND_ADMINISTRATOR)
        .current_dir("/")
        .output()
        .expect("the built binary starts")
}

fn outcome(client: &Client, identifier: &str) -> Result<(), String> {
    let answer = client.connect().exchange(&about(message::GET, identifier));
    message::outcome(&answer)
        .map(drop)
        .map_err(|(_, message)| message)
}

fn events(server: &Server) -> Vec<Value> {
    server.custody_records()
}

/// Stops the server, and puts the database as it was in the place of what it is.
fn restore(server: &mut Server, backup: &std::path::Path) {
    assert!(server.stop().success());
    for suffix in ["-wal", "-shm"] {
        let mut beside = server.database().into_os_string();
        beside.push(suffix);
        let _ = std::fs::remove_file(beside);
    }
    std::fs::copy(backup, server.database()).expect("the backup is put back");
    server.start_again();
}

/// Takes a run as root, as in a container: nobody else can be two users.
#[test]
fn a_restored_backup_serves_no_key_until_two_administrators_open_a_new_epoch() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let (mut server, folder) = server_of_two();
    let client = server.client("client");
    let kept = message::identifier(&client.connect().exchange(&create()));
    assert!(server.stop().success());
    let backup = folder.path().join("backup.db");
    std::fs::copy(server.database(), &backup).expect("a backup");
    server.start_again();
    let lost = message::identifier(&client.connect().exchange(&create()));
    outcome(&client, &lost).expect("it is released");

    restore(&mut server, &backup);
    server.wait_for_log("taken back to an older state");
    for _ in 0..2 {
        let why = outcome(&client, &kept).expect_err("no key is served");
        assert!(why.contains("custody log"), "{why}");
        assert!(message::outcome(&client.connect().exchange(&create())).is_err());
        let status = server.wait_for_status(UNHEALTHY);
        assert!(status["problems"].to_string().contains("epoch"), "{status}");
        let refused = server.claviger(&["root-key", "create", "other"]);
        assert_eq!(refused.status.code(), Some(1));
        let shown = server.claviger(&["--output", "json", "custody", "epoch", "show"]);
        assert_eq!(shown.status.code(), Some(2), "it is held");
        // Held is held, also after another start.
        server.restart();
    }

    let early = as_the_second(&folder, &["custody", "epoch", "approve"]);
    assert_eq!(early.status.code(), Some(1), "nobody has asked for it");
    server.must(&[
        "custody",
        "epoch",
        "open",
        "--reason",
        "the disk of the database broke",
    ]);
    let alone = server.claviger(&["custody", "epoch", "approve"]);
    assert_eq!(alone.status.code(), Some(1), "root does not stand in for both");
    outcome(&client, &kept).expect_err("no key is served yet");
    let size = events(&server).len();
    let approved = as_the_second(&folder, &["custody", "epoch", "approve"]);
    assert!(
        approved.status.success(),
        "{}",
        String::from_utf8_lossy(&approved.stderr)
    );

    for restarted in [false, true] {
        if restarted {
            server.restart();
        }
        outcome(&client, &kept).expect("it is served again");
        let lost = outcome(&client, &lost).expect_err("it is not in the backup");
        assert!(!lost.contains("custody log"), "{lost}");
        server.wait_for_status(HEALTHY);
        server.verify_custody_log();
    }
    let records = events(&server);
    let first = &records[size];
    assert_eq!(first["event"], "custody.epoch");
    assert_eq!(first["actor"]["uid"], 0);
    assert_eq!(first["approvers"][0]["uid"], SECOND_ADMINISTRATOR);
    let details = &first["details"];
    assert_eq!(details["reason"], "the disk of the database broke");
    assert_eq!(details["found_size"], size.to_string());
    let known: usize = details["known_size"]
        .as_str()
        .expect("a number")
        .parse()
        .expect("a number");
    assert!(known > size, "{details}");
    assert_eq!(details["known_root"].as_str().expect("a root").len(), 64);
    // What a start records is behind it.
    assert_eq!(records[size + 1]["event"], "server.start");
}

#[test]
fn a_log_that_was_written_anew_from_its_middle_is_not_gone_on_with() {
    let mut server = Server::start();
    let client = server.client("client");
    let identifier = message::identifier(&client.connect().exchange(&create()));
    assert!(server.stop().success());
    let backup = server.state_directory().join("backup.db");
    std::fs::copy(server.database(), &backup).expect("a backup");
    server.start_again();
    outcome(&client, &identifier).expect("it is released");
    assert!(server.stop().success());
    let known =
        std::fs::read_to_string(server.state_directory().join("custody-head.json")).expect("it is known");
    // Another history, as long as the one that is known: a server wrote it that did not know better.
    let file = server.state_directory().join("custody-head.json");
    std::fs::remove_file(&file).expect("it is there");
    std::fs::copy(&backup, server.database()).expect("the backup is put back");
    server.start_again();
    for _ in 0..8 {
        outcome(&client, &identifier).expect("it is released");
    }
    assert!(server.stop().success());
    std::fs::write(&file, known).expect("it is known again");
    server.start_again();
    server.wait_for_log("it is another log");
    outcome(&client, &identifier).expect_err("no key is served");
}

/// A writer of the database who has no seal key, and an older row.
#[test]
fn a_key_that_was_revoked_and_whose_older_row_was_put_back_is_found() {
    let server = Server::start();
    let client = server.client("client");
    let identifier = message::identifier(&client.connect().exchange(&create()));
    let by_hand = |statement: &'static str| {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async {
            let options = SqliteConnectOptions::new()
                .filename(server.database())
                .foreign_keys(false);
            let mut database = options.connect().await.expect("the database opens");
            sqlx::query(statement)
                .execute(&mut database)
                .await
                .expect("it is done");
        });
    };
    by_hand("CREATE TABLE kept AS SELECT * FROM managed_object");
    let destroyed = client.connect().exchange(&about(message::DESTROY, &identifier));
    message::outcome(&destroyed).expect("it is destroyed");
    assert_eq!(server.json(&["custody", "compare"])["wrong"], 0);
    by_hand("INSERT OR REPLACE INTO managed_object SELECT * FROM kept");
    by_hand("DROP TABLE kept");
    let compared = server.claviger(&["--output", "json", "custody", "compare"]);
    assert_eq!(compared.status.code(), Some(2));
    let compared: Value = serde_json::from_slice(&compared.stdout).expect("JSON");
    assert_eq!(compared["findings"][0]["key"], identifier);
    let what = compared["findings"][0]["what"].as_str().expect("words");
    assert!(what.contains("an older row was put back"), "{what}");
    let status = server.wait_for_status(UNHEALTHY);
    assert!(status["problems"].to_string().contains(&identifier), "{status}");
    server.wait_for_event("store.tampered");
}
