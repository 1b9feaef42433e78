//! What an operator does about keys that nobody fetches any more, from the inventory to their destruction.

mod support;

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;
use support::backend::Backend;
use support::client::Client;
use support::message::{self, about, create};
use support::server::{ADAPTER, Server};

const LIMIT: Duration = Duration::from_mins(2);
/// A user of every machine who is nobody there.
const SECOND_ADMINISTRATOR: u32 = 65_534;

/// A server whose second administrator is [`SECOND_ADMINISTRATOR`], and the folder of its socket, which both can read.
fn server_of_two() -> (Server, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let all = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(folder.path(), all).expect("the folder is ours");
    let more = format!(
        "[admin]\nsocket = \"{}\"\nadministrators = [\"{SECOND_ADMINISTRATOR}\"]\n",
        folder.path().join("admin.sock").display()
    );
    (Backend::SoftHsm.server_with(&more), folder)
}

fn as_the_second(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_claviger"))
        .arg("--admin-socket")
        .arg(folder.join("admin.sock"))
        .args(arguments)
        .uid(SECOND_ADMINISTRATOR)
        .current_dir("/")
        .output()
        .expect("the built binary starts")
}

/// A key that is in use.
fn active_key(client: &Client) -> String {
    let key = message::identifier(&client.connect().exchange(&create()));
    let answer = client.connect().exchange(&about(message::ACTIVATE, &key));
    message::outcome(&answer).expect("it is active");
    key
}

fn get(client: &Client, key: &str) -> Result<(), (u32, String)> {
    let answer = client.connect().exchange(&about(message::GET, key));
    message::outcome(&answer).map(drop)
}

/// What became of each key, by the result file.
fn results(file: &Path) -> Vec<(String, String, String)> {
    let text = std::fs::read_to_string(file).expect("it is written");
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("adapter,key,result,why"));
    lines
        .map(|line| {
            let mut cells = line.splitn(4, ',').skip(1).map(str::to_owned);
            let mut cell = || cells.next().expect("four cells");
            (cell(), cell(), cell())
        })
        .collect()
}

/// Takes a run as root, as in a container: nobody else can be two users.
#[test]
fn keys_that_nobody_fetches_are_found_revoked_and_destroyed_by_two_administrators() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let (mut server, folder) = server_of_two();
    let client = server.client("client");
    let (fetched, never, woken) = (active_key(&client), active_key(&client), active_key(&client));
    get(&client, &fetched).expect("it is released");

    let young = server.json(&["key", "unused", "--for", "1h"]);
    assert_eq!(young, Value::Array(Vec::new()), "no key is as old as that");
    let start = Instant::now();
    // By the second in which the keys were made.
    let unused = loop {
        let unused = server.json(&["key", "unused", "--for", "0s", "--adapter", ADAPTER]);
        if unused.as_array().is_some_and(|unused| unused.len() == 3) {
            break unused;
        }
        assert!(start.elapsed() < LIMIT, "{unused}");
    };
    let shown = |key: &str| {
        let unused = unused.as_array().expect("a list");
        unused
            .iter()
            .find(|shown| shown["key"] == key)
            .expect("it is there")
    };
    assert!(shown(&fetched)["fetched_at"].is_string());
    assert!(
        shown(&fetched)["fetched_by"]
            .as_str()
            .is_some_and(|by| by.contains("client"))
    );
    assert_eq!(shown(&never).get("fetched_at"), None);
    let list = folder.path().join("unused.csv");
    std::fs::write(&list, server.must(&["key", "unused", "--for", "0s", "--csv"])).expect("a list");
    let (list, result) = (list.to_str().expect("UTF-8"), folder.path().join("result.csv"));

    // One is powered on again before the list is used.
    get(&client, &woken).expect("it is released");
    let result_file = result.to_str().expect("UTF-8");
    let by_list = |more: &[&'static str]| {
        let mut arguments = vec!["key", more[0], "--from", list, "--result", result_file];
        arguments.extend(&more[1..]);
        server.must(&arguments);
        results(&result)
    };
    let of = |results: &[(String, String, String)], key: &str| {
        let found = results.iter().find(|(id, _, _)| id == key).expect("it is there");
        (found.1.clone(), found.2.clone())
    };
    let told = by_list(&["revoke", "--dry-run"]);
    assert_eq!(of(&told, &never).0, "would");
    let (refused, why) = of(&told, &woken);
    assert_eq!(refused, "refused");
    assert!(why.contains("had it since the list was made"), "{why}");
    let done = by_list(&["revoke"]);
    assert_eq!(of(&done, &never).0, "done");
    assert_eq!(of(&done, &woken).0, "refused");
    get(&client, &woken).expect("it is as it was");

    let alone = server.claviger(&["key", "destroy", "--from", list, "--approve"]);
    assert_eq!(alone.status.code(), Some(1), "nobody has asked");
    server.must(&["key", "destroy", "--from", list]);
    let alone = server.claviger(&["key", "destroy", "--from", list, "--approve"]);
    let said = String::from_utf8_lossy(&alone.stderr).into_owned();
    assert_eq!(alone.status.code(), Some(1), "root does not stand in for both");
    assert!(said.contains("can't approve of it as well"), "{said}");
    // What waits for approval is that list and no other.
    let other = folder.path().join("other.csv");
    std::fs::write(&other, format!("adapter,key,as_of\n{ADAPTER},{woken},\n")).expect("a list");
    let other = other.to_str().expect("UTF-8");
    let approved = as_the_second(folder.path(), &["key", "destroy", "--from", other, "--approve"]);
    assert_eq!(approved.status.code(), Some(1), "it is another list");
    let approved = as_the_second(folder.path(), &["key", "destroy", "--from", list, "--approve"]);
    let printed = String::from_utf8_lossy(&approved.stdout).into_owned();
    assert!(
        approved.status.success(),
        "{}",
        String::from_utf8_lossy(&approved.stderr)
    );
    assert!(printed.contains(&format!("{never},done,")), "{printed}");
    for key in [&never, &fetched] {
        get(&client, key).expect_err("it is gone");
    }
    get(&client, &woken).expect("it is as it was");
    let deleted: Vec<_> = server
        .custody_records()
        .into_iter()
        .filter(|record| record["event"] == "key.delete")
        .collect();
    assert_eq!(deleted.len(), 2);
    for record in &deleted {
        assert_eq!(record["actor"]["uid"], 0);
        assert_eq!(record["approvers"][0]["uid"], SECOND_ADMINISTRATOR);
    }
    server.verify_custody_log();

    server.restart();
    let approved = as_the_second(folder.path(), &["key", "destroy", "--from", list, "--approve"]);
    assert_eq!(
        approved.status.code(),
        Some(1),
        "an order does not outlive its server"
    );
}
