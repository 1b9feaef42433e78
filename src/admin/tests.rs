//! The interface over a real store and recorder, with a backend that can be told to fail.

mod authorities;
mod backend;
mod certificates;
mod changes;
mod credentials;
mod key_manager;
mod key_protect;
mod pages;
mod peers;
mod pruning;
mod root_key_life;
mod root_keys;

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
use tokio::sync::Semaphore;

use self::backend::TestBackend;
use self::key_manager::TestKeyManager;
use super::*;
use crate::custody::{Actor, EventName, Outcome, Record};
use crate::job::{Jobs, RetentionPolicy};
use crate::recorder::tests::faulty::{Faulty, Plan};
use crate::recorder::{NodeFacts, Recorder};
use crate::root_key::{RootKeyBackend, RootKeys};
use crate::store::{SealKeys, SqliteStore, Store};

const WAITING_TIME: Duration = Duration::from_hours(7 * 24);

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
    /// What the recorder's store is to fail at.
    plan: Arc<Plan>,
    backend: Arc<TestBackend>,
    key_manager: Arc<TestKeyManager>,
    reloads: Arc<Reloads>,
    administration: Arc<Administration>,
}

impl Fixture {
    async fn new() -> Self {
        Self::over(false).await
    }

    /// With a key manager beside the device, or the device alone.
    async fn over(with_key_manager: bool) -> Self {
        Self::made(with_key_manager, None).await
    }

    /// With this policy for old records of the custody log.
    async fn with_policy(policy: Option<RetentionPolicy>) -> Self {
        Self::made(false, policy).await
    }

    async fn made(with_key_manager: bool, retention: Option<RetentionPolicy>) -> Self {
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
            configuration_sha256: None,
        };
        let plan = Arc::new(Plan::default());
        let faulty = Faulty {
            inner: store.clone(),
            plan: Arc::clone(&plan),
            gate: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)),
        };
        let recorder = Recorder::start(Arc::new(faulty), node).await.unwrap();
        let backend = Arc::new(TestBackend::default());
        let reloads = Arc::new(Reloads::default());
        let key_manager = Arc::new(TestKeyManager::default());
        let mut backends: Vec<(String, Arc<dyn RootKeyBackend>)> = vec![("hsm".to_owned(), backend.clone())];
        if with_key_manager {
            backends.push(("ibm".to_owned(), key_manager.clone()));
        }
        let root_keys = RootKeys::new(backends);
        let mut jobs = Jobs::new(store.clone(), recorder.clone(), root_keys.clone());
        jobs.retention.policy = retention;
        let administration = Arc::new(Administration::new(
            store.clone(),
            recorder.clone(),
            root_keys,
            seal_keys,
            reloads.clone(),
            jobs,
            ServerFacts {
                version: "0".into(),
                started_at: time::OffsetDateTime::now_utc(),
                kmip_addresses: vec!["127.0.0.1:5696".into()],
                destruction_waiting_time: WAITING_TIME,
                witnesses: None,
                bundle_directory: folder.path().to_owned(),
                backups: Backups {
                    key: folder.path().join("backup-key.json"),
                    source: crate::backup::Source {
                        node: "test".into(),
                        server_version: "0".into(),
                        log: "test/claviger".into(),
                        files: Vec::new(),
                    },
                    state_directory: folder.path().to_owned(),
                },
                certificates: Vec::new(),
                renewal: crate::tls::RenewalTrouble::default(),
                needs_restart: NeedsRestart::default(),
                warn_before_expiry: Duration::from_hours(30 * 24),
            },
        ));
        Self {
            folder,
            store,
            recorder,
            plan,
            backend,
            key_manager,
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
        self.ask_as(peer, method, path, body).await
    }

    /// Asks as another one.
    async fn ask_as(&self, peer: Peer, method: Method, path: &str, body: &str) -> (StatusCode, Value) {
        let caller = Caller::user(peer);
        let routes = server::guarded(routes(Arc::clone(&self.administration))).layer(axum::Extension(caller));
        ask(routes, method, path, body).await
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask(Method::GET, path, "").await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }

    /// The status, as soon as it says that all is well, or that it is not.
    async fn status_when(&self, healthy: bool) -> Value {
        loop {
            let status = self.get("/v1/status").await;
            if status["healthy"] == json!(healthy) {
                return status;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
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
