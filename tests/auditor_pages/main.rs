//! The auditor's pages in Chromium: a real server, a real browser, a real client certificate.

#[path = "../support/mod.rs"]
mod support;

mod browser;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use browser::{Browser, Identity};
use serde_json::Value;
use support::identity;
use support::message;
use support::server::Server;
use support::ttlv::Item;

/// `WebDriver`'s keys.
const TAB: char = '\u{e004}';
const ENTER: char = '\u{e007}';

/// The widths that pages are looked at in: of a desk and of a telephone.
const WIDTHS: [(u32, &str); 2] = [(1280, "wide"), (500, "narrow")];

/// The key of the example in the documentation of Go's package `note`.
const SOMEBODYS_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

struct Audited {
    server: Server,
    folder: tempfile::TempDir,
    address: String,
    /// A key that was made, released, revoked and destroyed.
    key: String,
}

impl Audited {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let auditors = folder.path().join("auditors");
        std::fs::create_dir(&auditors).expect("the folder can be written to");
        for name in ["Ada Auditor", "Mallory"] {
            identity::write(&identity::client(name), folder.path(), name);
        }
        std::fs::copy(folder.path().join("Ada Auditor.pem"), auditors.join("ada.pem")).expect("it is there");
        let section = format!(
            "[admin.web]\nlisten = [\"127.0.0.1:0\"]\nauditors = [\"{}\"]\n",
            auditors.display()
        );
        let mut server = Server::start();
        server.must(&["custody", "key", "create"]);
        server.add_sections(&section);
        let line = server.wait_for_log("the auditor's pages are served");
        let (_, port) = line.rsplit_once("127.0.0.1:").expect("the line has the address");
        let port: String = port.chars().take_while(char::is_ascii_digit).collect();
        let key = lived(&server);
        Self {
            server,
            folder,
            address: format!("https://localhost:{port}"),
            key,
        }
    }

    async fn browser(&self, name: &str) -> Browser {
        let identity = Identity {
            certificate: &self.folder.path().join(format!("{name}.pem")),
            key: &self.folder.path().join(format!("{name}.key")),
            server: &self.server.server_certificate(),
        };
        Browser::start(&identity).await
    }

    /// The number of the last record of this event.
    fn last(&self, event: &str) -> u64 {
        let records = self.server.custody_records();
        let record = records.iter().rev().find(|record| record["event"] == event);
        record.unwrap_or_else(|| panic!("no {event}"))["sequence"]
            .as_u64()
            .expect("a number")
    }
}

/// Has clients use keys; returns the one that went through all of its life.
fn lived(server: &Server) -> String {
    let client = server.client("vcenter-1");
    let environment = Server::environment(&client);
    let kmip = |arguments: &[&str]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_claviger"))
            .args(["--output", "json", "kmip"])
            .args(arguments)
            .envs(environment.iter().map(|(name, value)| (*name, value)))
            .output()
            .expect("the built binary starts");
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    kmip(&[
        "create",
        "--attribute",
        "x-Name=vm-archive-7",
        "--attribute",
        "x-Product=vSphere",
    ]);
    kmip(&["create", "--attribute", "x-Name=vm-billing-1"]);
    let records = server.custody_records();
    let created = records
        .iter()
        .find(|record| record["event"] == "kmip.create")
        .expect("a key was made");
    let key = created["object"]["identifier"]
        .as_str()
        .expect("an identifier")
        .to_owned();
    let other = server.client("esxi-9");
    let mut connection = client.connect();
    let done = |answer: Item| drop(message::outcome(&answer).expect("it is done").clone());
    done(connection.exchange(&message::about(message::ACTIVATE, &key)));
    for _ in 0..3 {
        done(connection.exchange(&message::about(message::GET, &key)));
    }
    let mut elsewhere = other.connect();
    done(elsewhere.exchange(&message::about(message::GET, &key)));
    done(connection.exchange(&message::revoke(&key, 2)));
    done(connection.exchange(&message::about(message::DESTROY, &key)));
    assert!(message::outcome(&elsewhere.exchange(&message::about(message::GET, &key))).is_err());
    key
}

/// Where the pictures go: where they are asked for, or where Cargo keeps what tests write.
fn pictures() -> PathBuf {
    let folder = std::env::var_os("CLAVIGER_TEST_PICTURES").map_or_else(
        || Path::new(env!("CARGO_TARGET_TMPDIR")).join("auditor"),
        PathBuf::from,
    );
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    folder
}

/// What axe-core finds wrong with the page, by the rules of WCAG 2.2 AA and its own best practices.
async fn inaccessible(browser: &Browser) -> Vec<Value> {
    let Some(axe) = std::env::var_os("CLAVIGER_TEST_AXE") else {
        assert!(
            std::env::var_os("CLAVIGER_TEST_NO_SKIP").is_none(),
            "CLAVIGER_TEST_AXE names no axe.min.js"
        );
        let said = "SKIPPED: CLAVIGER_TEST_AXE names no axe.min.js; scripts/test fetches it.";
        writeln!(std::io::stderr(), "{said}").expect("it can be said");
        return Vec::new();
    };
    let axe = std::fs::read_to_string(axe).expect("axe.min.js can be read");
    browser.run(&axe).await;
    let found = browser
        .run_async(
            "const done = arguments[arguments.length - 1];\
             axe.run().then(r => done(r.violations.map(v => v.id + ': ' + v.help + ' ' + \
             v.nodes.map(n => n.target + ' ' + n.failureSummary).join('; '))))",
        )
        .await;
    found.as_array().expect("a list").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_readable_at_each_width_and_on_paper_and_for_whoever_can_not_see_it() {
    let audited = Audited::start();
    let browser = audited.browser("Ada Auditor").await;
    let pictures = pictures();
    let get = audited.last("kmip.get");
    let mut wrong = Vec::new();
    for (name, path) in [
        ("overview", "/".to_owned()),
        ("records", "/records".to_owned()),
        ("search", format!("/records?key={}&outcome=success", audited.key)),
        ("record", format!("/records/{get}")),
        ("keys", "/keys".to_owned()),
        ("key", format!("/keys/{}", audited.key)),
        ("verify", "/verify".to_owned()),
        ("missing", "/elsewhere".to_owned()),
    ] {
        browser.open(&format!("{}{path}", audited.address)).await;
        let source = browser.source().await;
        assert!(!source.contains("<script"), "{path} has a script");
        for (width, kind) in WIDTHS {
            browser
                .picture(width, &pictures.join(format!("{name}-{kind}.png")))
                .await;
            let overflow = browser
                .run("return document.documentElement.scrollWidth - document.documentElement.clientWidth")
                .await;
            if overflow != 0 {
                wrong.push(format!("{path} is wider than a window of {width}"));
            }
            let found = inaccessible(&browser).await;
            wrong.extend(found.iter().map(|what| format!("{path} at {width}: {what}")));
        }
        browser.print(&pictures.join(format!("{name}.pdf"))).await;
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    audited.server.verify_custody_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_on_a_key_is_a_page_that_is_read_and_printed_without_the_server() {
    let audited = Audited::start();
    let file = audited.folder.path().join("report.html");
    let path = file.to_str().expect("a path");
    audited
        .server
        .must(&["custody", "report", "--key", &audited.key, "--file", path]);
    let browser = audited.browser("Ada Auditor").await;
    browser.open(&format!("file://{path}")).await;
    let said = browser.text().await;
    for words in [&audited.key[..], "vcenter-1", "esxi-9"] {
        assert!(said.contains(words), "{words:?} is not in:\n{said}");
    }
    for (width, kind) in WIDTHS {
        browser
            .picture(width, &pictures().join(format!("report-{kind}.png")))
            .await;
    }
    browser.print(&pictures().join("report.pdf")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keyboard_leads_everywhere_and_a_search_finds_a_keys_life() {
    let audited = Audited::start();
    let browser = audited.browser("Ada Auditor").await;
    browser.open(&format!("{}/", audited.address)).await;
    browser.press(&[TAB]).await;
    let focused = "return document.activeElement.textContent";
    assert_eq!(browser.run(focused).await, "Skip to the content");
    // The name, the overview, the records.
    browser.press(&[TAB, TAB, TAB]).await;
    assert_eq!(browser.run(focused).await, "Records");
    browser.press(&[ENTER]).await;
    assert!(
        browser.title().await.starts_with("Records"),
        "{}",
        browser.title().await
    );
    browser.fill("#key", &audited.key).await;
    browser.press(&[ENTER]).await;
    assert!(browser.url().await.contains(&audited.key));
    let found = browser.text().await;
    assert!(found.contains("Client vcenter-1 created the key"), "{found}");
    assert!(!found.contains("vm-billing"), "{found}");
    browser.click("td.said a.key").await;
    let life = browser.text().await;
    for words in [
        "Key vm-archive-7",
        "created the key",
        "activated the key",
        "obtained the key, re-wrapped on the device. 3 times.",
        "revoked the key",
        "destroyed the key",
        "Refused: Client esxi-9 would have obtained the key",
        "Who has had this key",
        "is the one that record",
    ] {
        assert!(life.contains(words), "{words:?} is not in:\n{life}");
    }
    let refused = life.find("Refused: Client esxi-9").expect("it is there");
    assert!(
        life.find("destroyed the key")
            .is_some_and(|destroyed| destroyed < refused)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_that_is_taken_along_is_verified_without_the_server() {
    let audited = Audited::start();
    let browser = audited.browser("Ada Auditor").await;
    browser.open(&format!("{}/", audited.address)).await;
    browser.click("form[action='/bundle'] button").await;
    let bundle = browser.downloaded(".tar").await;
    audited.server.wait_for_event("auditor.download");
    let taken = audited.server.custody_records();
    let taken = taken
        .iter()
        .rev()
        .find(|record| record["event"] == "auditor.download");
    let taken = taken.expect("it is recorded");
    assert_eq!(taken["details"]["path"], "/bundle");

    let shown = audited.server.json(&["custody", "key", "show"]);
    let policy = audited.folder.path().join("policy");
    let text = format!("{}\nquorum none\n", shown["policy"].as_str().expect("a line"));
    std::fs::write(&policy, text).expect("the folder can be written to");
    let verified = std::process::Command::new(env!("CARGO_BIN_EXE_claviger-verify"))
        .arg(&bundle)
        .arg("--policy")
        .arg(&policy)
        .args(["--form", "json"])
        .output()
        .expect("the built binary starts");
    assert!(verified.status.success(), "{verified:?}");
    let report: Value = serde_json::from_slice(&verified.stdout).expect("JSON");
    assert_eq!(report["rows"], 2, "{report}");
    assert!(report["size"].as_u64() > taken["sequence"].as_u64(), "{report}");

    browser
        .open(&format!("{}/bundle?since=yesterday", audited.address))
        .await;
    let said = browser.text().await;
    assert!(said.contains("“yesterday” is no time"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_proves_nothing_is_refused_with_the_reason() {
    let audited = Audited::start();
    let browser = audited.browser("Ada Auditor").await;
    browser.open(&format!("{}/verify", audited.address)).await;
    let file = browser.file("record.tlog-proof", b"c2sp.org/tlog-proof@v1\nindex 1\n");
    browser.fill("#proof", file.to_str().expect("a path")).await;
    browser.fill("#key", SOMEBODYS_KEY).await;
    browser.click("main button").await;
    let said = browser.text().await;
    assert!(said.contains("The proof does not hold"), "{said}");
    assert!(
        said.contains("no empty line stands before its checkpoint"),
        "{said}"
    );
    assert_eq!(inaccessible(&browser).await, Vec::<Value>::new());
    browser
        .picture(WIDTHS[0].0, &pictures().join("refused-wide.png"))
        .await;
    audited.server.wait_for_event("auditor.verify");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_none_of_an_auditors_sees_nothing_and_is_on_record() {
    let audited = Audited::start();
    let stranger = audited.browser("Mallory").await;
    // Whether Chromium's own page of an error counts as a failure depends on the error.
    let _ = stranger.try_open(&format!("{}/", audited.address)).await;
    let seen = stranger.text().await;
    assert!(!seen.contains("Claviger") && !seen.contains("custody"), "{seen}");
    audited.server.wait_for_event("auditor.refused");

    let browser = audited.browser("Ada Auditor").await;
    browser.open(&format!("{}/keys", audited.address)).await;
    std::fs::remove_file(audited.folder.path().join("auditors/ada.pem")).expect("it is there");
    for _ in 0..200 {
        let _ = browser.try_open(&format!("{}/keys", audited.address)).await;
        if !browser.source().await.contains("vm-billing") {
            return;
        }
    }
    panic!("a certificate that was taken out still opens the pages");
}
