//! The administration interface over HTTPS: a real server, real TLS, certificates and tokens; and IBM's client.

#[path = "../support/mod.rs"]
mod support;

mod certificates;

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use reqwest::{Certificate, Identity, Method, StatusCode};
use serde_json::{Value, json};
use support::identity;
use support::message;
use support::server::{ADAPTER, Server};
use support::ttlv::Item;

/// A server, and who may come in over HTTPS.
struct House {
    server: Server,
    folder: tempfile::TempDir,
    address: String,
}

impl House {
    /// With these names as holders of certificates of each role, and tokens where that is said.
    fn start(auditors: &[&str], operators: &[&str], administrators: &[&str], tokens: bool) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let roles = [
            ("auditors", auditors),
            ("operators", operators),
            ("administrators", administrators),
        ];
        let mut section = format!("[admin.web]\nlisten = [\"127.0.0.1:0\"]\ntokens = {tokens}\n");
        for (role, names) in roles {
            let role_folder = folder.path().join(role);
            std::fs::create_dir(&role_folder).expect("the folder can be written to");
            for name in names {
                identity::write(&identity::client(name), folder.path(), name);
                let file = format!("{name}.pem");
                std::fs::copy(folder.path().join(&file), role_folder.join(&file)).expect("it is there");
            }
            let _ = writeln!(section, "{role} = [{:?}]", role_folder.display().to_string());
        }
        let server = Server::start_with_sections(&section);
        let line = server.wait_for_log("the auditor's pages are served");
        let (_, port) = line.rsplit_once("127.0.0.1:").expect("the line has the address");
        let port: String = port.chars().take_while(char::is_ascii_digit).collect();
        Self {
            server,
            folder,
            address: format!("https://localhost:{port}"),
        }
    }

    /// Somebody with the certificate of this name; nobody's, where none is given.
    fn visitor(&self, name: Option<&str>) -> Visitor {
        let authority = std::fs::read(self.server.server_certificate()).expect("it is there");
        let authority = Certificate::from_pem(&authority).expect("a certificate");
        let mut client = reqwest::Client::builder().no_proxy().tls_certs_only([authority]);
        if let Some(name) = name {
            let read = |kind: &str| {
                std::fs::read(self.folder.path().join(format!("{name}.{kind}"))).expect("it is there")
            };
            let pem = [read("pem"), read("key")].concat();
            client = client.identity(Identity::from_pem(&pem).expect("a certificate and its key"));
        }
        Visitor {
            client: client.build().expect("a client"),
            address: self.address.clone(),
            token: None,
        }
    }

    fn bearer(&self, secret: &str) -> Visitor {
        Visitor {
            token: Some(secret.to_owned()),
            ..self.visitor(None)
        }
    }

    /// Makes a token; returns its secret.
    fn token(&self, arguments: &[&str]) -> String {
        let made = self.server.json(&[&["token", "create"], arguments].concat());
        made["secret"].as_str().expect("it has a secret").to_owned()
    }

    fn last(&self, event: &str) -> Value {
        let records = self.server.custody_records();
        let found = records.into_iter().rev().find(|record| record["event"] == event);
        found.unwrap_or_else(|| panic!("no {event}"))
    }
}

struct Visitor {
    client: reqwest::Client,
    address: String,
    token: Option<String>,
}

impl Visitor {
    async fn try_ask(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<(StatusCode, Value), reqwest::Error> {
        let mut request = self.client.request(method, format!("{}{path}", self.address));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        self.try_ask(method, path, body).await.expect("an answer")
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.ask(Method::GET, path, None).await
    }

    async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        self.ask(Method::POST, path, Some(body)).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_does_what_is_its_own_and_no_more() {
    let house = House::start(&["Ada"], &["Otto"], &["Olivia"], false);
    let [ada, otto, olivia] = ["Ada", "Otto", "Olivia"].map(|name| house.visitor(Some(name)));
    for visitor in [&ada, &otto, &olivia] {
        let (status, shown) = visitor.get("/v1/adapters").await;
        assert_eq!(status, StatusCode::OK, "{shown}");
        assert_eq!(shown["items"][0]["name"], ADAPTER);
    }
    let read = house.last("administrator.read");
    assert_eq!(
        (&read["actor"]["kind"], &read["details"]["path"]),
        (&json!("auditor"), &json!("/v1/adapters"))
    );

    let adapter = json!({ "name": "east", "root_key": "root" });
    let root_key = json!({ "name": "second" });
    for (visitor, path, body, expected) in [
        (&ada, "/v1/adapters", &adapter, StatusCode::FORBIDDEN),
        (&otto, "/v1/root-keys", &root_key, StatusCode::FORBIDDEN),
        (&otto, "/v1/adapters", &adapter, StatusCode::CREATED),
        (&olivia, "/v1/root-keys", &root_key, StatusCode::CREATED),
    ] {
        let (status, said) = visitor.post(path, body.clone()).await;
        assert_eq!(status, expected, "{path}: {said}");
    }
    let made = house.last("adapter.create");
    assert_eq!(made["actor"]["kind"], "remote-administrator");
    assert_eq!(made["actor"]["role"], "operator");
    assert_eq!(made["actor"]["subject"], "CN=Otto");
    assert_eq!(made["origin"]["address"], "127.0.0.1");
    let refused = house.last("administrator.refused");
    assert_eq!(
        (&refused["details"]["path"], &refused["outcome"]),
        (&json!("/v1/root-keys"), &json!("refused"))
    );

    identity::write(&identity::client("Mallory"), house.folder.path(), "Mallory");
    let mallory = house.visitor(Some("Mallory"));
    assert!(mallory.try_ask(Method::GET, "/v1/status", None).await.is_err());
    let nobody = house.visitor(None);
    assert!(nobody.try_ask(Method::GET, "/v1/status", None).await.is_err());

    // A certificate that is taken out is shut out on a connection that is open, too.
    std::fs::remove_file(house.folder.path().join("operators/Otto.pem")).expect("it is there");
    loop {
        match otto.try_ask(Method::GET, "/v1/status", None).await {
            Ok((StatusCode::OK, _)) => {}
            Ok((StatusCode::FORBIDDEN, _)) | Err(_) => break,
            Ok((status, said)) => panic!("{status}: {said}"),
        }
    }
    house.server.verify_custody_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_of_a_browser_asks_in_its_users_name() {
    let house = House::start(&[], &[], &["Olivia"], false);
    let olivia = house.visitor(Some("Olivia"));
    let request = olivia
        .client
        .post(format!("{}/v1/root-keys/root/disable", house.address))
        .header("origin", "https://elsewhere.example");
    assert_eq!(
        request.send().await.expect("an answer").status(),
        StatusCode::FORBIDDEN
    );
    let (_, shown) = olivia.get("/v1/root-keys/root").await;
    assert_eq!(shown["state"], "enabled");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_root_key_is_destroyed_by_two_people_and_no_token_is_one() {
    let house = House::start(&[], &[], &["Olivia", "Otto"], true);
    let [olivia, otto] = ["Olivia", "Otto"].map(|name| house.visitor(Some(name)));
    // Her next certificate, of the same subject: the same person.
    identity::write(&identity::client("Olivia"), house.folder.path(), "Olivia-2");
    std::fs::copy(
        house.folder.path().join("Olivia-2.pem"),
        house.folder.path().join("administrators/Olivia-2.pem"),
    )
    .expect("the folder can be written to");
    let again = house.visitor(Some("Olivia-2"));
    loop {
        if let Ok((StatusCode::OK, _)) = again.try_ask(Method::GET, "/v1/status", None).await {
            break;
        }
    }
    let token = house.bearer(&house.token(&["robot", "--role", "administrator"]));

    let schedule = "/v1/root-keys/root/schedule-destruction";
    let approve = "/v1/root-keys/root/approve-destruction";
    let ask = async |visitor: &Visitor, path: &str| {
        let (status, said) = visitor.post(path, json!({})).await;
        (
            status,
            said["error"]["code"].as_str().unwrap_or_default().to_owned(),
        )
    };
    let refused = (StatusCode::FORBIDDEN, "not_admitted".to_owned());
    assert_eq!(ask(&token, schedule).await, refused);
    assert_eq!(ask(&olivia, schedule).await.0, StatusCode::OK);
    assert_eq!(ask(&token, approve).await, refused);
    for same in [&olivia, &again] {
        let (status, code) = ask(same, approve).await;
        assert_eq!(
            (status, code.as_str()),
            (StatusCode::FORBIDDEN, "second_administrator")
        );
    }
    let (status, shown) = otto.post(approve, json!({})).await;
    assert_eq!(status, StatusCode::OK, "{shown}");
    assert_eq!(shown["destruction"]["requested_by"], "CN=Olivia");
    assert_eq!(shown["destruction"]["approved_by"], "CN=Otto");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_lets_in_to_its_adapters_until_it_is_revoked_and_is_kept_as_a_hash() {
    let house = House::start(&[], &[], &[], true);
    house.server.adapter("east");
    let scoped = house.token(&["scoped", "--role", "operator", "--adapter", "east"]);
    let visitor = house.bearer(&scoped);
    let (status, said) = visitor.get("/v1/adapters/east").await;
    assert_eq!(status, StatusCode::OK, "{said}");
    for path in [
        "/v1/adapters/vcenter",
        "/v1/adapters/nowhere",
        "/v1/adapters",
        "/v1/root-keys",
        "/v1/custody/records",
        "/v1/tokens",
        "/api/v2/kmip_adapters/vcenter",
    ] {
        let (status, said) = visitor.get(path).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{path}: {said}");
    }
    let (status, listed) = visitor.get("/api/v2/kmip_adapters").await;
    assert_eq!(status, StatusCode::OK, "{listed}");
    assert_eq!(listed["resources"].as_array().expect("a list").len(), 1);
    assert_eq!(listed["resources"][0]["name"], "east");
    let (status, _) = visitor
        .post("/v1/adapters", json!({ "name": "third", "root_key": "root" }))
        .await;
    assert_eq!(status, StatusCode::FORBIDDEN);

    let pem = identity::client("esxi").cert.pem();
    let certificates = "/v1/adapters/east/certificates";
    let (status, said) = visitor.post(certificates, json!({ "pem": pem })).await;
    assert_eq!(status, StatusCode::CREATED, "{said}");
    let added = house.last("certificate.add");
    assert_eq!(
        (&added["actor"]["kind"], &added["actor"]["name"]),
        (&json!("token"), &json!("scoped"))
    );

    // A token makes no other, and its secret lies nowhere.
    let administrator = house.bearer(&house.token(&["robot", "--role", "administrator"]));
    let another = json!({ "name": "other", "role": "administrator", "valid_for_seconds": 60 });
    let (status, _) = administrator.post("/v1/tokens", another).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    for file in files_below(&house.server.state_directory()) {
        let bytes = std::fs::read(&file).unwrap_or_default();
        let found = bytes
            .windows(scoped.len())
            .any(|window| window == scoped.as_bytes());
        assert!(!found, "{} has the secret", file.display());
    }

    house.server.must(&["token", "revoke", "scoped"]);
    let (status, said) = visitor.get("/v1/adapters/east").await;
    assert_eq!(
        (status, &said["error"]["code"]),
        (StatusCode::UNAUTHORIZED, &json!("unauthorized"))
    );
    assert_eq!(house.last("token.revoke")["details"]["name"], "scoped");

    let brief = house.bearer(&house.token(&["brief", "--role", "auditor", "--valid-for", "1s"]));
    while brief.get("/v1/status").await.0 == StatusCode::OK {}
    assert_eq!(brief.get("/v1/status").await.0, StatusCode::UNAUTHORIZED);
    house.server.wait_for_event("administrator.refused");
    house.server.verify_custody_log();
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files
}

#[test]
fn ibms_client_manages_adapters_certificates_and_objects_with_an_api_key() {
    drive("iam");
}

#[test]
fn ibms_client_manages_adapters_certificates_and_objects_with_a_bearer_token() {
    drive("bearer");
}

#[allow(clippy::print_stderr)] // As a test says that it was skipped.
fn drive(authenticator: &str) {
    let Some(python) = std::env::var_os("CLAVIGER_TEST_PYTHON") else {
        assert!(
            std::env::var_os("CLAVIGER_TEST_NO_SKIP").is_none(),
            "CLAVIGER_TEST_PYTHON names no Python"
        );
        eprintln!("SKIPPED: CLAVIGER_TEST_PYTHON names no Python with keyprotect; scripts/test makes one.");
        return;
    };
    let house = House::start(&[], &[], &[], true);
    let root_key = house.server.json(&["root-key", "show", "root"]);
    let client = house.server.unknown_client("vcenter-1");
    let facts = json!({
        "url": house.address,
        "instance": "00000000-0000-4000-8000-000000000000",
        "token": house.token(&["ibm", "--role", "operator"]),
        "crk_id": root_key["id"],
        "certificate": client.certificate,
        "authenticator": authenticator,
    });
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/administration/key_protect.py");
    let mut running = Command::new(python)
        .args([script, &facts.to_string()])
        .env("REQUESTS_CA_BUNDLE", house.server.server_certificate())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the Python starts");
    let mut printed = BufReader::new(running.stdout.take().expect("its output"));
    let mut line = String::new();
    printed.read_line(&mut line).expect("it can be read");
    if line.trim() == "adapter is ready" {
        let mut connection = client.connect();
        let mut make = || message::identifier(&connection.exchange(&message::create()));
        let keys = [make(), make()];
        let done = |answer: Item| drop(message::outcome(&answer).expect("it is done").clone());
        done(connection.exchange(&message::about(message::ACTIVATE, &keys[0])));
        writeln!(running.stdin.take().expect("its input"), "{}", json!(keys)).expect("it can be written to");
    }
    let output = running.wait_with_output().expect("it ends");
    let mut rest = String::new();
    std::io::Read::read_to_string(&mut printed, &mut rest).expect("it can be read");
    assert!(
        output.status.success() && rest.contains("all calls driven"),
        "{line}{rest}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let records = house.server.custody_records();
    let deleted: Vec<_> = records
        .iter()
        .filter(|record| record["event"] == "key.delete" && record["outcome"] == "success")
        .collect();
    assert_eq!(deleted.len(), 2);
    for record in deleted {
        assert_eq!(record["actor"]["name"], "ibm");
        assert_eq!(record["object"]["state_after"], "Destroyed");
    }
    house.server.verify_custody_log();
}
