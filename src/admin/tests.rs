//! The interface over a real store and recorder, with a backend that can be told to fail.

mod backend;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};

use self::backend::TestBackend;
use super::*;
use crate::custody::{Actor, EventName, Outcome, Record};
use crate::recorder::{NodeFacts, Recorder};
use crate::root_key::RootKeys;
use crate::store::{SealKeys, SqliteStore, Store};

/// How often the endpoint was told to judge anew.
#[derive(Default)]
struct Reloads(AtomicUsize);

#[async_trait]
impl ReloadIdentities for Reloads {
    async fn reload(&self) -> Result<(), String> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

struct Fixture {
    folder: tempfile::TempDir,
    store: Arc<SqliteStore>,
    recorder: Recorder,
    backend: Arc<TestBackend>,
    reloads: Arc<Reloads>,
    administration: Arc<Administration>,
}

impl Fixture {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let seal_keys = SealKeys::new();
        let store = Arc::new(
            SqliteStore::open(&folder.path().join("claviger.db"), seal_keys.clone())
                .await
                .unwrap(),
        );
        let node = NodeFacts {
            name: "test".into(),
            server_version: "0".into(),
        };
        let recorder = Recorder::start(store.clone(), node).await.unwrap();
        let backend = Arc::new(TestBackend::default());
        let reloads = Arc::new(Reloads::default());
        let administration = Arc::new(Administration::new(
            store.clone(),
            recorder.clone(),
            RootKeys::new(vec![("hsm".to_owned(), backend.clone())]),
            seal_keys,
            reloads.clone(),
            ServerFacts {
                version: "0".into(),
                started_at: time::OffsetDateTime::now_utc(),
                kmip_addresses: vec!["127.0.0.1:5696".into()],
            },
        ));
        Self {
            folder,
            store,
            recorder,
            backend,
            reloads,
            administration,
        }
    }

    /// Asks as an administrator that is let in.
    async fn ask(&self, method: Method, path: &str, body: &str) -> (StatusCode, Value) {
        let peer = Peer {
            uid: 4711,
            user: "olivia".into(),
        };
        let routes = routes(Arc::clone(&self.administration)).layer(axum::Extension(peer));
        ask(routes, method, path, body).await
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask(Method::GET, path, "").await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }

    async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        self.ask(Method::POST, path, &body.to_string()).await
    }

    /// Makes something that can be made.
    async fn make(&self, path: &str, body: Value) -> Value {
        let (status, body) = self.post(path, body).await;
        assert_eq!(status, StatusCode::CREATED, "{path}: {body}");
        body
    }

    async fn with_adapter(self, name: &str) -> Self {
        self.make("/v1/root-keys", json!({ "name": "crk" })).await;
        self.make("/v1/adapters", json!({ "name": name })).await;
        self
    }

    async fn records(&self) -> Vec<Record> {
        let stored = self.store.custody_records(0, 1000).await.unwrap();
        stored
            .iter()
            .map(|record| Record::from_bytes(&record.bytes).unwrap())
            .collect()
    }

    async fn last_record(&self) -> Record {
        self.records().await.pop().expect("there is a record")
    }
}

async fn ask(routes: Router, method: Method, path: &str, body: &str) -> (StatusCode, Value) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", "application/json")
        .body(Body::from(body.to_owned()))
        .unwrap();
    let reply = TowerToHyperService::new(routes).call(request).await.unwrap();
    let status = reply.status();
    let body = reply.into_body().collect().await.unwrap().to_bytes();
    let body = if body.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(&body).unwrap()
    };
    (status, body)
}

fn code(body: &Value) -> &str {
    body["error"]["code"].as_str().expect("an error has a code")
}

fn message(body: &Value) -> &str {
    body["error"]["message"].as_str().expect("an error has a message")
}

fn remedy(body: &Value) -> &str {
    body["error"]["remedy"].as_str().expect("an error has a remedy")
}

fn certificate_pem(name: &str) -> String {
    let mut parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
    parameters
        .distinguished_name
        .push(rcgen::DnType::CommonName, name);
    let key = rcgen::KeyPair::generate().unwrap();
    parameters.self_signed(&key).unwrap().pem()
}

#[tokio::test]
async fn each_change_is_on_record_with_who_made_it() {
    let fixture = Fixture::new().await.with_adapter("vcenter").await;
    let pem = certificate_pem("kmipClient20261124080000");
    let path = "/v1/adapters/vcenter/certificates";
    let added = fixture.make(path, json!({ "pem": pem })).await;
    assert_eq!(added["name"], "kmipClient20261124080000");
    let fingerprint = added["fingerprint"].as_str().unwrap();
    for path in [format!("{path}/{fingerprint}"), "/v1/adapters/vcenter".to_owned()] {
        let (status, body) = fixture.ask(Method::DELETE, &path, "").await;
        assert_eq!(status, StatusCode::NO_CONTENT, "{body}");
    }
    let records = fixture.records().await;
    let events: Vec<_> = records.iter().map(|record| record.event).collect();
    assert_eq!(
        events,
        [
            EventName::RootKeyCreate,
            EventName::AdapterCreate,
            EventName::CertificateAdd,
            EventName::CertificateRemove,
            EventName::AdapterDelete,
        ]
    );
    for record in &records {
        assert_eq!(
            record.actor,
            Actor::Administrator {
                uid: 4711,
                user: "olivia".into()
            }
        );
        assert_eq!(record.outcome, Outcome::Success);
    }
    assert_eq!(records[2].certificate.as_ref().unwrap().fingerprint, fingerprint);
    assert_eq!(records[1].adapter.as_ref().unwrap().name, "vcenter");
    assert_eq!(
        fixture.reloads.0.load(Ordering::SeqCst),
        4,
        "each change of who is let in works at once"
    );
}

#[tokio::test]
async fn a_refused_change_is_on_record_with_the_reason() {
    let fixture = Fixture::new().await.with_adapter("vcenter").await;
    let (status, body) = fixture.post("/v1/adapters", json!({ "name": "a b" })).await;
    assert_eq!((status, code(&body)), (StatusCode::BAD_REQUEST, "invalid"));
    let record = fixture.last_record().await;
    assert_eq!(
        (record.event, record.outcome),
        (EventName::AdapterCreate, Outcome::Refused)
    );
    assert_eq!(record.reason.as_deref(), Some(message(&body)));
    fixture
        .post("/v1/adapters/vcenter/certificates", json!({ "pem": "" }))
        .await;
    let record = fixture.last_record().await;
    assert_eq!(
        (record.event, record.outcome),
        (EventName::CertificateAdd, Outcome::Refused)
    );
    assert_eq!(record.adapter.expect("it is of the adapter").name, "vcenter");
    let (_, body) = fixture.post("/v1/adapters", json!({ "name": "a b" })).await;
    let record = fixture.last_record().await;
    assert_eq!(record.reason.as_deref(), Some(message(&body)));
    assert_eq!(record.details["name"], "a b");
}

#[tokio::test]
async fn names_that_a_command_could_misread_are_refused() {
    let fixture = Fixture::new().await.with_adapter("vcenter").await;
    let too_long = "x".repeat(41);
    let odd = [
        "",
        "a",
        "a/b",
        "..",
        "a\nb",
        "ä",
        "0190aaaa-bbbb-7ccc-8ddd-eeeeffff0000",
        &too_long,
        "a\u{202e}b",
    ];
    for name in odd {
        for path in ["/v1/adapters", "/v1/root-keys"] {
            let (status, body) = fixture.post(path, json!({ "name": name })).await;
            assert_eq!(
                (status, code(&body)),
                (StatusCode::BAD_REQUEST, "invalid"),
                "{path} {name:?}: {body}"
            );
        }
    }
    assert_eq!(
        fixture.backend.labels(),
        ["claviger.crk.v1"],
        "nothing was made on the device"
    );
}

#[tokio::test]
async fn a_name_is_taken_once() {
    let fixture = Fixture::new().await.with_adapter("vcenter").await;
    for (path, name) in [("/v1/adapters", "vcenter"), ("/v1/root-keys", "crk")] {
        let (status, body) = fixture.post(path, json!({ "name": name })).await;
        assert_eq!((status, code(&body)), (StatusCode::CONFLICT, "taken"), "{body}");
    }
    assert_eq!(fixture.backend.labels().len(), 1);
}

#[tokio::test]
async fn a_certificate_belongs_to_one_adapter_and_the_administrator_is_told_which() {
    let fixture = Fixture::new().await.with_adapter("first").await;
    fixture.make("/v1/adapters", json!({ "name": "second" })).await;
    let pem = certificate_pem("vc");
    let added = fixture
        .make(
            "/v1/adapters/first/certificates",
            json!({ "pem": pem, "name": "mine" }),
        )
        .await;
    for adapter in ["first", "second"] {
        let path = format!("/v1/adapters/{adapter}/certificates");
        let (status, body) = fixture.post(&path, json!({ "pem": pem })).await;
        assert_eq!((status, code(&body)), (StatusCode::CONFLICT, "taken"));
        assert!(message(&body).contains("first"), "{body}");
        assert!(
            message(&body).contains(added["fingerprint"].as_str().unwrap()),
            "{body}"
        );
    }
    let path = format!(
        "/v1/adapters/second/certificates/{}",
        added["fingerprint"].as_str().unwrap()
    );
    let (status, _) = fixture.ask(Method::DELETE, &path, "").await;
    assert_eq!(
        status,
        StatusCode::NOT_FOUND,
        "it is not the second adapter's to take out"
    );
    assert_eq!(
        fixture.get("/v1/certificates").await["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn what_is_not_one_certificate_is_refused_and_a_private_key_is_called_one() {
    let fixture = Fixture::new().await.with_adapter("vcenter").await;
    let path = "/v1/adapters/vcenter/certificates";
    let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
    let two = certificate_pem("a") + &certificate_pem("b");
    for pem in ["", "rubbish", &two, &key] {
        let (status, body) = fixture.post(path, json!({ "pem": pem })).await;
        assert_eq!(
            (status, code(&body)),
            (StatusCode::BAD_REQUEST, "invalid"),
            "{body}"
        );
        let recorded = String::from_utf8(fixture.last_record().await.to_bytes()).unwrap();
        assert!(
            !key.lines().skip(1).any(|line| recorded.contains(line)),
            "a private key is in the log"
        );
    }
    let (_, body) = fixture.post(path, json!({ "pem": key })).await;
    assert!(message(&body).contains("private key"), "{body}");
}

#[tokio::test]
async fn a_common_name_that_cannot_be_a_name_is_replaced_by_the_fingerprint() {
    let fixture = Fixture::new().await.with_adapter("vcenter").await;
    for common_name in ["Büro 7", "x", "a/../b"] {
        let pem = certificate_pem(common_name);
        let added = fixture
            .make("/v1/adapters/vcenter/certificates", json!({ "pem": pem }))
            .await;
        let fingerprint = added["fingerprint"].as_str().unwrap();
        assert_eq!(added["name"], format!("cert-{}", &fingerprint[..16]));
    }
}

#[tokio::test]
async fn a_row_changed_by_hand_is_left_out_and_recorded_and_the_others_are_shown() {
    let fixture = Fixture::new().await.with_adapter("vcenter").await;
    fixture.make("/v1/adapters", json!({ "name": "other" })).await;
    let path = fixture.folder.path().join("claviger.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let mut database = sqlx::ConnectOptions::connect(&options).await.unwrap();
    sqlx::query("UPDATE adapter SET description = 'mine' WHERE name = 'vcenter'")
        .execute(&mut database)
        .await
        .unwrap();

    let list = fixture.get("/v1/adapters").await;
    assert_eq!(list["items"].as_array().unwrap().len(), 1, "{list}");
    assert_eq!(list["items"][0]["name"], "other");
    assert_eq!(list["tampered"].as_array().unwrap().len(), 1, "{list}");
    assert_eq!(fixture.last_record().await.event, EventName::StoreTampered);
    let (status, body) = fixture.ask(Method::GET, "/v1/adapters/vcenter", "").await;
    assert_eq!(
        (status, code(&body)),
        (StatusCode::INTERNAL_SERVER_ERROR, "tampered")
    );
    assert_eq!(fixture.get("/v1/status").await["healthy"], false);
}

#[tokio::test]
async fn a_root_key_that_was_made_and_not_entered_is_named_with_the_way_to_remove_it() {
    let fixture = Fixture::new().await;
    // The device makes the key, and the log cannot be written any more.
    fixture.recorder.stop().await;
    let (status, body) = fixture.post("/v1/root-keys", json!({ "name": "crk" })).await;
    assert_eq!(
        (status, code(&body)),
        (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        "{body}"
    );
    assert!(message(&body).contains("claviger.crk.v1"), "{body}");
    assert!(remedy(&body).contains("--label claviger.crk.v1"), "{body}");
    assert!(fixture.store.root_keys().await.unwrap().rows.is_empty());
}

#[tokio::test]
async fn a_key_that_stands_where_a_root_key_should_be_made_is_never_taken_up() {
    let fixture = Fixture::new().await;
    fixture.backend.leave("claviger.crk.v1");
    let (status, body) = fixture.post("/v1/root-keys", json!({ "name": "crk" })).await;
    assert_eq!((status, code(&body)), (StatusCode::CONFLICT, "taken"), "{body}");
    assert!(remedy(&body).contains("--label claviger.crk.v1"), "{body}");
    assert!(fixture.store.root_keys().await.unwrap().rows.is_empty());
    fixture.backend.remove("claviger.crk.v1");
    fixture.make("/v1/root-keys", json!({ "name": "crk" })).await;
}

#[tokio::test]
async fn a_device_that_fails_leaves_no_half_made_root_key() {
    let fixture = Fixture::new().await;
    fixture.backend.fail_sealing(true);
    let (status, body) = fixture.post("/v1/root-keys", json!({ "name": "crk" })).await;
    assert_eq!(
        (status, code(&body)),
        (StatusCode::BAD_GATEWAY, "backend_failed"),
        "{body}"
    );
    assert!(message(&body).contains("claviger.crk.v1"), "{body}");
    assert_eq!(fixture.last_record().await.outcome, Outcome::Failed);
    assert!(fixture.store.root_keys().await.unwrap().rows.is_empty());
}

#[tokio::test]
async fn an_unhealthy_device_makes_the_status_unhealthy() {
    let fixture = Fixture::new().await.with_adapter("vcenter").await;
    let status = fixture.get("/v1/status").await;
    assert_eq!(
        (&status["healthy"], &status["adapters"]),
        (&json!(true), &json!(1)),
        "{status}"
    );
    fixture.backend.fail_checks(true);
    let status = fixture.get("/v1/status").await;
    assert_eq!(status["healthy"], json!(false));
    assert!(
        status["problems"][0].as_str().unwrap().contains("crk"),
        "{status}"
    );
}

#[tokio::test]
async fn a_request_of_another_version_is_refused_not_half_read() {
    let fixture = Fixture::new().await.with_adapter("vcenter").await;
    let (status, body) = fixture
        .post("/v1/adapters", json!({ "name": "other", "quota": 3 }))
        .await;
    assert_eq!(
        (status, code(&body)),
        (StatusCode::BAD_REQUEST, "bad_request"),
        "{body}"
    );
    assert!(message(&body).contains("quota"), "{body}");
    let (status, body) = fixture.ask(Method::GET, "/v1/custody/records?form=3", "").await;
    assert_eq!(
        (status, code(&body)),
        (StatusCode::BAD_REQUEST, "bad_request"),
        "{body}"
    );
    assert!(message(&body).contains("form"), "{body}");
}

#[tokio::test]
async fn another_user_is_refused_whatever_they_ask_and_it_is_on_record() {
    let fixture = Fixture::new().await.with_adapter("vcenter").await;
    let server = server::Server::new(Arc::clone(&fixture.administration), Admitted::own_user());
    let stranger = Peer {
        uid: 65_533,
        user: "mallory".into(),
    };
    let routes = server.routes_for(stranger).await;
    for (method, path) in [
        (Method::GET, "/v1/status"),
        (Method::DELETE, "/v1/adapters/vcenter"),
        (Method::GET, "/x"),
    ] {
        let (status, body) = ask(routes.clone(), method, path, "").await;
        assert_eq!((status, code(&body)), (StatusCode::FORBIDDEN, "not_admitted"));
    }
    let record = fixture.last_record().await;
    assert_eq!(
        (record.event, record.outcome),
        (EventName::AdministratorRefused, Outcome::Refused)
    );
    assert_eq!(
        record.actor,
        Actor::Administrator {
            uid: 65_533,
            user: "mallory".into()
        }
    );
}

#[tokio::test]
async fn over_the_socket_every_refusal_has_the_same_form_and_the_socket_goes_at_the_end() {
    let fixture = Fixture::new().await.with_adapter("vcenter").await;
    let path = fixture.folder.path().join("admin.sock");
    let socket = Socket::bind(&path).unwrap();
    let shutdown = tokio_util::sync::CancellationToken::new();
    let administration = Arc::clone(&fixture.administration);
    let server = tokio::spawn(serve(
        socket,
        administration,
        Admitted::own_user(),
        shutdown.clone(),
    ));

    let huge = "x".repeat(BODY_LIMIT + 1);
    for (method, target, body, status, code_expected) in [
        ("GET", "/v1/status", "", 200, ""),
        ("GET", "/v1/nothing", "", 404, "not_found"),
        ("PUT", "/v1/adapters", "", 405, "method_not_allowed"),
        ("GET", "/v1/adapters/%ff", "", 400, "bad_request"),
        ("POST", "/v1/adapters", "{", 400, "bad_request"),
        ("POST", "/v1/adapters", huge.as_str(), 413, "too_large"),
    ] {
        let (found, reply) = over_socket(&path, method, target, body).await;
        assert_eq!(found, status, "{method} {target}: {reply}");
        if status != 200 {
            assert_eq!(code(&reply), code_expected, "{method} {target}");
        }
    }
    shutdown.cancel();
    server.await.unwrap();
    assert!(!path.exists());
}

async fn over_socket(path: &PathBuf, method: &str, target: &str, body: &str) -> (u16, Value) {
    let stream = tokio::net::UnixStream::connect(path).await.unwrap();
    let io = hyper_util::rt::TokioIo::new(stream);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
    tokio::spawn(connection);
    let request = Request::builder()
        .method(method)
        .uri(target)
        .header("host", "claviger")
        .header("content-type", "application/json")
        .body(http_body_util::Full::new(bytes::Bytes::from(body.to_owned())))
        .unwrap();
    let reply = sender.send_request(request).await.unwrap();
    let status = reply.status().as_u16();
    let body = reply.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap())
}
