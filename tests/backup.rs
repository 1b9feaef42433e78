//! The drill: a machine is lost, or a token, and a backup and what is left of the other give every key back.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Instant;

use claviger_hsm::testkit::SoftHsm;
use claviger_key_protect_stand_in::Form;
use serde_json::Value;
use support::client::Client;
use support::key_protect::KeyProtect;
use support::keys::material;
use support::message::{self, about, create};
use support::postgres::PostgresServer;
use support::server::{ADAPTER, Server, device};
use support::slot;

/// A server with some keys, and the backup that was made of it.
struct House {
    token: SoftHsm,
    server: Server,
    client: Client,
    keys: Vec<String>,
    folder: tempfile::TempDir,
}

impl House {
    /// On this token, with these sections in its configuration.
    fn start(sections: &str) -> Self {
        let token = SoftHsm::new();
        let mut server = Server::start_node("lost", Vec::new(), &on(&token, sections));
        server.must(&["custody", "key", "create"]);
        server.must(&["backup", "key", "create"]);
        server.restart();
        server.must(&["root-key", "create", "root"]);
        server.adapter(ADAPTER);
        let client = server.client("client");
        let mut connection = client.connect();
        let mut keys: Vec<_> = (0..20)
            .map(|_| message::identifier(&connection.exchange(&create())))
            .collect();
        let destroyed = connection.exchange(&about(message::DESTROY, &keys.remove(3)));
        message::outcome(&destroyed).expect("it is destroyed");
        // One of a version that another has taken the place of may be among them.
        server.must(&["root-key", "rotate", "root"]);
        keys.push(message::identifier(&connection.exchange(&create())));
        Self {
            token,
            server,
            client,
            keys,
            folder: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    fn place(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn back_up(&self, name: &str) -> PathBuf {
        let place = self.place(name);
        let made = self.server.json(&["backup", "create", text(&place)]);
        assert_eq!(made["bytes"], fs::metadata(&place).expect("the backup").len());
        place
    }

    /// Another machine, with the same device in its configuration.
    fn another(&self, sections: &str) -> Server {
        Server::prepare_node("new", Vec::new(), &on(&self.token, sections))
    }

    /// The server gives the same client the same keys, and says that it was restored.
    fn is_back_on(&self, server: &mut Server) {
        let before = material(&self.client, &self.keys);
        self.is_back(server, &before);
    }

    fn is_back(&self, server: &mut Server, before: &std::collections::BTreeMap<String, Vec<u8>>) {
        server.start_again();
        let client = server.seen_by(&self.client);
        assert_eq!(&material(&client, &self.keys), before);
        message::identifier(&client.connect().exchange(&create()));
        server.verify_custody_log();
        let restored = number_of(server, "backup.restore");
        assert_eq!(restored, 1, "it is recorded");
        server.restart();
        assert_eq!(number_of(server, "backup.restore"), 1, "and once");
    }
}

/// A configuration on the only device.
fn on(token: &SoftHsm, sections: &str) -> String {
    format!("{sections}\n{}", device("hsm", &token.device_config("hsm"), 2, 2))
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path")
}

fn number_of(server: &Server, event: &str) -> usize {
    let records = server.custody_records();
    records.iter().filter(|record| record["event"] == event).count()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_machine_is_lost_and_another_serves_every_key_with_the_same_token() {
    let mut house = House::start("");
    let backup = house.back_up("backup");
    let verified = house
        .server
        .json(&["backup", "verify", text(&backup), "--keys", "all"]);
    assert_eq!(verified["whole"], true, "{verified}");
    assert_eq!(verified["keys_unwrapped"], house.keys.len());
    assert!(verified["checkpoints"].as_u64().expect("a number") > 0);

    // What is recorded is the very file, and the status knows of it.
    let records = house.server.custody_records();
    let made = records.iter().find(|record| record["event"] == "backup.create");
    let made = made.expect("the backup is recorded");
    assert_eq!(made["outcome"], "success");
    assert_eq!(made["actor"]["kind"], "administrator");
    let status = house.server.json(&["status"]);
    assert_eq!(status["last_backup"]["sha256"], made["details"]["backup_sha256"]);
    let shown = house.server.json(&["backup", "show", text(&backup)]);
    assert_eq!(
        shown["records"].to_string(),
        made["details"]["backup_records"].as_str().expect("a number")
    );

    let before = material(&house.client, &house.keys);
    house.server.kill();
    let mut new = house.another("");
    let files = house.place("files");
    let restored = new.must(&["restore", text(&backup), "--verify", "--files", text(&files)]);
    assert!(restored.contains("whole"), "{restored}");
    let old = fs::read(house.server.config()).expect("the configuration");
    let kept = files.join(text(&house.server.config()).trim_start_matches('/'));
    assert_eq!(fs::read(kept).expect("it is in the backup"), old);
    let secret = fs::read(house.server.server_key()).expect("the private key");
    let is_secret = |file: &PathBuf| fs::read(file).is_ok_and(|content| content == secret);
    assert!(
        !walk(&files).iter().any(is_secret),
        "no private key is in the backup"
    );
    house.is_back(&mut new, &before);
    // The next one goes under the same key.
    for _ in 0..2 {
        new.must(&[
            "backup",
            "create",
            "--directory",
            text(house.folder.path()),
            "--keep",
            "1",
        ]);
    }
    let left = walk(house.folder.path())
        .into_iter()
        .filter(|file| text(file).contains("claviger-new-"));
    assert_eq!(left.count(), 1, "one is kept");
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(walk(&path));
        } else {
            files.push(path);
        }
    }
    files
}

#[test]
fn a_token_is_lost_and_its_clone_opens_the_backup_and_every_key() {
    let mut house = House::start("");
    let clone = SoftHsm::new();
    slot::copy(&house.token, &clone);
    let backup = house.back_up("backup");
    let before = material(&house.client, &house.keys);
    assert!(house.server.stop().success());
    let lost = std::mem::replace(&mut house.token, clone);
    drop(lost);
    let section = on(&house.token, "");
    // The clone has the label of the token that it is a clone of.
    let mut new = Server::prepare_node("new", Vec::new(), &section);
    new.must(&["restore", text(&backup), "--verify", "--keys", "all"]);
    house.is_back(&mut new, &before);
}

#[test]
fn a_backup_of_either_database_comes_back_into_either() {
    let postgres = PostgresServer::start();
    let section = |url: &str| format!("[store]\nurl = \"{url}\"\n");
    let house = House::start("");
    let from_sqlite = house.back_up("from-sqlite");
    let mut second = house.another(&section(&postgres.new_database()));
    second.must(&["restore", text(&from_sqlite), "--verify"]);
    house.is_back_on(&mut second);

    let from_postgres = house.place("from-postgres");
    second.must(&["backup", "create", text(&from_postgres)]);
    for sections in [section(&postgres.new_database()), String::new()] {
        let third = Server::prepare_node("third", Vec::new(), &on(&house.token, &sections));
        let printed = third.must(&["restore", text(&from_postgres), "--verify"]);
        assert!(printed.contains("whole"), "{printed}");
    }
}

#[test]
fn a_backup_that_is_not_what_was_written_leaves_nothing_behind() {
    let house = House::start("");
    let whole = fs::read(house.back_up("backup")).expect("the backup");
    let new = house.another("");
    let (middle, end) = (whole.len() / 2, whole.len());
    let cut = |length: usize| whole[..length].to_vec();
    let changed = |place: usize| {
        let mut changed = whole.clone();
        changed[place] ^= 1;
        changed
    };
    for (name, content, words) in [
        ("empty", Vec::new(), "cut short"),
        ("cut in its header", cut(100), "cut short"),
        ("cut at its middle", cut(middle), "changed"),
        ("cut by a byte", cut(end - 1), "changed"),
        ("changed at its middle", changed(middle), "changed"),
        ("changed at its end", changed(end - 1), "changed"),
        ("no backup", b"claviger backup\n".repeat(100), "no backup"),
    ] {
        let place = house.place("broken");
        fs::write(&place, content).expect("a file");
        for command in [&["restore"][..], &["backup", "verify"]] {
            let refused = new.claviger(&[command, &[text(&place)]].concat());
            assert!(!refused.status.success(), "{name}");
            assert!(stderr(&refused).contains(words), "{name}: {}", stderr(&refused));
        }
    }
    // Every byte of the header is authenticated too.
    let word = whole
        .windows(4)
        .position(|word| word == b"lost")
        .expect("the node");
    let mut forged = whole.clone();
    forged[word..word + 4].copy_from_slice(b"mine");
    let place = house.place("forged");
    fs::write(&place, forged).expect("a file");
    let refused = new.claviger(&["restore", text(&place)]);
    assert!(stderr(&refused).contains("changed"), "{}", stderr(&refused));

    // Of another device.
    let other = SoftHsm::new();
    let elsewhere = Server::prepare_node("elsewhere", Vec::new(), &on(&other, ""));
    let refused = elsewhere.claviger(&["restore", text(&house.place("backup"))]);
    assert!(
        stderr(&refused).contains("key of the backup"),
        "{}",
        stderr(&refused)
    );

    // Into a log of another name.
    let other = Server::prepare_node(
        "other",
        Vec::new(),
        &on(&house.token, "[custody]\norigin = \"other/log\"\n"),
    );
    let refused = other.claviger(&["restore", text(&house.place("backup"))]);
    assert!(stderr(&refused).contains("lost/claviger"), "{}", stderr(&refused));

    // Nothing is left of all that: the backup comes into the same place.
    new.must(&["restore", text(&house.place("backup"))]);
    let again = new.claviger(&["restore", text(&house.place("backup"))]);
    assert!(
        stderr(&again).contains("has something in it"),
        "{}",
        stderr(&again)
    );
    let taken = house
        .server
        .claviger(&["backup", "create", text(&house.place("backup"))]);
    assert!(stderr(&taken).contains("there already"), "{}", stderr(&taken));
}

#[test]
fn a_kill_in_the_midst_leaves_a_whole_backup_and_a_whole_database_or_none() {
    let mut house = House::start("");
    let mut connection = house.client.connect();
    for _ in 0..300 {
        connection.exchange(&create());
    }
    drop(connection);
    let backup = house.back_up("backup");
    let place = house.place("killed");
    let waiting = house.place(".killed.unfinished");
    killed_once(
        &house.server,
        &["backup", "create", text(&place)],
        &[&waiting, &place],
    );
    if place.exists() {
        house.server.must(&["backup", "verify", text(&place)]);
        fs::remove_file(&place).expect("it is there");
    }
    house.server.must(&["backup", "create", text(&place)]);
    assert!(!waiting.exists(), "what was left behind was written over");
    house.server.must(&["backup", "verify", text(&place)]);

    let before = material(&house.client, &house.keys);
    house.server.kill();
    let mut new = house.another("");
    let marker = new.state_directory().join("restored.json");
    killed_once(&new, &["restore", text(&backup)], &[&marker]);
    let again = new.claviger(&["restore", text(&backup)]);
    let is_done = stderr(&again).contains("has something in it");
    assert!(again.status.success() || is_done, "{}", stderr(&again));
    house.is_back(&mut new, &before);
}

/// Runs a command, and kills it as soon as one of these files is there.
fn killed_once(server: &Server, arguments: &[&str], files: &[&Path]) {
    let mut process = Command::new(env!("CARGO_BIN_EXE_claviger"))
        .arg("--config")
        .arg(server.config())
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the built binary starts");
    while !files.iter().any(|file| file.exists()) {
        let ended = process.try_wait().expect("it is a child");
        assert!(ended.is_none(), "it ended before: {ended:?}");
        std::thread::yield_now();
    }
    process.kill().expect("it is a child");
    process.wait().expect("it ends");
}

#[test]
fn a_restoration_that_did_not_take_place_is_not_recorded() {
    let mut house = House::start("");
    let backup = house.back_up("backup");
    house.server.kill();
    let mut new = house.another("");
    new.must(&["restore", text(&backup)]);
    // As after a kill before anything was committed.
    fs::remove_file(new.database()).expect("the database");
    for suffix in ["-wal", "-shm"] {
        let _ = fs::remove_file(new.state_directory().join(format!("claviger.db{suffix}")));
    }
    new.start_again();
    new.wait_for_log("it did not take place");
    assert_eq!(number_of(&new, "backup.restore"), 0);
    assert!(!new.state_directory().join("restored.json").exists());
}

#[test]
fn an_older_backup_on_the_same_machine_is_held_until_an_epoch_is_opened() {
    let mut house = House::start("");
    let backup = house.back_up("backup");
    material(&house.client, &house.keys);
    assert!(house.server.stop().success());
    let database = house.server.database();
    fs::rename(&database, database.with_extension("old")).expect("the database is put away");
    for suffix in ["-wal", "-shm"] {
        let _ = fs::remove_file(
            house
                .server
                .state_directory()
                .join(format!("claviger.db{suffix}")),
        );
    }
    let restored = house.server.claviger(&["restore", text(&backup)]);
    assert!(restored.status.success(), "{}", stderr(&restored));
    assert!(
        stderr(&restored).contains("custody epoch open"),
        "{}",
        stderr(&restored)
    );
    house.server.start_again();
    house.server.wait_for_log("taken back to an older state");
    let answer = house
        .client
        .connect()
        .exchange(&about(message::GET, &house.keys[0]));
    assert!(message::outcome(&answer).is_err(), "no key is served");
    let refused = house
        .server
        .claviger(&["backup", "create", text(&house.place("held"))]);
    assert!(!refused.status.success(), "nothing leaves that can't be recorded");
    assert!(!house.place("held").exists());
}

#[test]
fn a_server_that_is_stopped_is_backed_up_and_recorded_too() {
    let mut house = House::start("[backup]\nprivate_keys = true\n");
    let refused = house
        .server
        .claviger(&["backup", "create", "--offline", text(&house.place("early"))]);
    assert!(
        stderr(&refused).contains("another server"),
        "{}",
        stderr(&refused)
    );
    assert!(house.server.stop().success());
    let backup = house.place("backup");
    house
        .server
        .must(&["backup", "create", "--offline", text(&backup)]);
    house.server.start_again();
    house.server.verify_custody_log();
    let records = house.server.custody_records();
    let made: Vec<&Value> = records
        .iter()
        .filter(|record| record["event"] == "backup.create")
        .collect();
    assert_eq!(made.len(), 1);
    assert_eq!(made[0]["details"]["offline"], "true");
    let files = house.place("files");
    let new = house.another("");
    new.must(&["restore", text(&backup), "--files", text(&files)]);
    let secret = fs::read(house.server.server_key()).expect("the private key");
    let is_secret = |file: &PathBuf| fs::read(file).is_ok_and(|content| content == secret);
    assert!(walk(&files).iter().any(is_secret), "it was asked for");
}

#[test]
fn a_backup_is_under_a_root_key_of_key_protect_where_that_holds_the_keys() {
    let key_protect = KeyProtect::start(Form::KeyProtect);
    // Wrapped keys lie there too; the data key of a backup does not.
    let section = key_protect.section("wrapped_keys = \"key-manager\"");
    let mut server = Server::start_node("lost", Vec::new(), &section);
    server.must(&["backup", "key", "create"]);
    server.must(&["root-key", "create", "root"]);
    server.adapter(ADAPTER);
    let client = server.client("client");
    let mut connection = client.connect();
    let keys: Vec<_> = (0..3)
        .map(|_| message::identifier(&connection.exchange(&create())))
        .collect();
    let before = material(&client, &keys);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let backup = folder.path().join("backup");
    server.must(&["backup", "create", text(&backup)]);
    server.kill();
    let mut new = Server::prepare_node("new", Vec::new(), &section);
    let restored = new.must(&["restore", text(&backup), "--verify"]);
    assert!(restored.contains("whole"), "{restored}");
    new.start_again();
    assert_eq!(material(&new.seen_by(&client), &keys), before);
}

/// Prints how long it takes with so many keys: `CLAVIGER_TEST_KEYS=10000 cargo nextest run --test backup --run-ignored only
/// --no-capture`.
#[test]
#[ignore = "a measurement"]
fn how_long_a_backup_and_its_way_back_take() {
    let keys = std::env::var("CLAVIGER_TEST_KEYS").map_or(1000, |keys| keys.parse().expect("a number"));
    let mut house = House::start("");
    let clients = 16;
    std::thread::scope(|scope| {
        for _ in 0..clients {
            scope.spawn(|| {
                let mut connection = house.client.connect();
                for _ in 0..keys / clients {
                    message::identifier(&connection.exchange(&create()));
                }
            });
        }
    });
    let timed = |what: &str, work: &mut dyn FnMut()| {
        let begun = Instant::now();
        work();
        println!("{what}: {:.1} s", begun.elapsed().as_secs_f64());
    };
    let backup = house.place("backup");
    timed("backup", &mut || {
        drop(house.server.must(&["backup", "create", text(&backup)]));
    });
    println!(
        "{keys} keys, {} bytes",
        fs::metadata(&backup).expect("the backup").len()
    );
    timed("verify", &mut || {
        house.server.must(&["backup", "verify", text(&backup)]);
    });
    house.server.kill();
    let sqlite = house.another("");
    timed("restore to SQLite", &mut || {
        drop(sqlite.must(&["restore", text(&backup)]));
    });
    let postgres = PostgresServer::start();
    let section = format!("[store]\nurl = \"{}\"\n", postgres.new_database());
    let other = house.another(&section);
    timed("restore to PostgreSQL", &mut || {
        drop(other.must(&["restore", text(&backup)]));
    });
}
