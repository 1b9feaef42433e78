//! The stand-in as a process and as a thread: what it keeps, and what goes wrong on demand.

mod support;

use std::time::Duration;

use claviger_key_protect_stand_in::{
    Aad, Call, Control, Fault, FaultKind, KeyEvent, Options, StandIn, Waits, When,
};
use serde_json::{Value, json};
use support::{Client, Process, options};

#[tokio::test]
async fn what_was_answered_is_there_after_a_kill() {
    let directory = tempfile::tempdir().expect("a temporary folder");
    let mut process = Process::start(directory.path());
    let client = Client::new(&process.facts).await;
    let key = client.create_root_key("kept").await;
    let wrapped = client.wrap(&key, &json!({"aad": ["one"]})).await;
    client.act(&key, "rotate", &json!({})).await.expect("it rotates");
    process.kill();

    let process = Process::start(directory.path());
    let client = Client::new(&process.facts).await;
    let body = json!({"ciphertext": wrapped["ciphertext"], "aad": ["one"]});
    let opened = client.act(&key, "unwrap", &body).await.expect("it unwraps");
    assert_eq!(opened["plaintext"], wrapped["plaintext"]);
    assert_ne!(opened["rewrappedKeyVersion"], opened["keyVersion"]);
    assert_eq!(process.end(), Some(0));
}

#[tokio::test]
async fn a_stop_closes_every_connection_and_a_start_goes_on_on_the_same_port() {
    let directory = tempfile::tempdir().expect("a temporary folder");
    let mut stand_in = StandIn::start(options(directory.path())).expect("it starts");
    let client = Client::of(&stand_in).await;
    let key = client.create_root_key("kept").await;
    let wrapped = client.wrap(&key, &json!({})).await;
    let url = stand_in.facts().url.clone();
    stand_in.stop();
    let body = json!({"ciphertext": wrapped["ciphertext"]});
    client
        .act(&key, "unwrap", &body)
        .await
        .expect_err("nobody answers");
    stand_in.start_again().expect("it starts again");
    assert_eq!(stand_in.facts().url, url);
    let opened = client
        .act(&key, "unwrap", &body)
        .await
        .expect("the token is still good");
    assert_eq!(opened["plaintext"], wrapped["plaintext"]);
}

/// A running stand-in with a root key, and its client.
struct Scene {
    stand_in: StandIn,
    client: Client,
    key: String,
    _directory: tempfile::TempDir,
}

impl Scene {
    async fn new(change: impl FnOnce(Options) -> Options) -> Self {
        let directory = tempfile::tempdir().expect("a temporary folder");
        let stand_in = StandIn::start(change(options(directory.path()))).expect("it starts");
        let client = Client::of(&stand_in).await;
        let key = client.create_root_key("root").await;
        stand_in.control().reset_counters();
        Self {
            stand_in,
            client,
            key,
            _directory: directory,
        }
    }

    fn control(&self) -> &Control {
        self.stand_in.control()
    }

    fn fail(&self, kind: FaultKind) {
        self.control().fail(Fault {
            calls: vec![Call::Wrap, Call::CreateKey],
            kind,
            when: When::Next(1),
        });
    }

    async fn wrap(&self) -> Result<Value, String> {
        self.client.act(&self.key, "wrap", &json!({})).await
    }

    async fn keys(&self) -> usize {
        let list = self.client.get("/keys").await.expect("keys are listed");
        list["resources"].as_array().expect("a list").len()
    }
}

#[tokio::test]
async fn a_fault_comes_as_often_as_it_was_asked_for_and_is_counted() {
    let scene = Scene::new(|options| options).await;
    let retry_after = Some(7);
    let status = 429;
    scene.fail(FaultKind::Status { status, retry_after });
    let refused = scene.wrap().await.expect_err("it is refused");
    assert!(
        refused.starts_with("429 retry-after 7 SERVICE_FAULT_ERR"),
        "{refused}"
    );
    scene.wrap().await.expect("it was for one request");
    scene.fail(FaultKind::Garbage);
    let garbage = scene.wrap().await.expect_err("it is no JSON");
    assert!(garbage.contains("no JSON"), "{garbage}");
    scene.fail(FaultKind::ExpireTokens);
    let refused = scene.wrap().await.expect_err("the token is no longer good");
    assert!(refused.starts_with("401"), "{refused}");
    let counters = scene.control().counters();
    assert_eq!(counters.of(Call::Wrap), 4);
    assert_eq!(counters.statuses.get(&429), Some(&1));
    assert_eq!(counters.statuses.get(&401), Some(&1));
    assert_eq!(counters.under_way, 0);
    let counts = scene.control().faults();
    assert!(counts.iter().all(|count| count.came == 1), "{counts:?}");
}

#[tokio::test]
async fn a_connection_is_cut_before_or_after_the_request_is_carried_out() {
    let scene = Scene::new(|options| options).await;
    for (kind, keys) in [(FaultKind::CutBefore, 1), (FaultKind::CutAfter, 2)] {
        scene.fail(kind);
        let cut = scene.client.try_to_create("cut").await;
        let cut = cut.expect_err("the connection ends without an answer");
        assert!(cut.starts_with("connection"), "{cut}");
        assert_eq!(scene.keys().await, keys);
    }
}

#[tokio::test]
async fn what_others_do_to_a_key_is_done_when_the_request_is_looked_at() {
    let scene = Scene::new(|options| options).await;
    let wrapped = scene.wrap().await.expect("it wraps");
    scene.fail(FaultKind::Meanwhile(KeyEvent::Rotate));
    let later = scene.wrap().await.expect("a rotated key wraps");
    assert_ne!(wrapped["keyVersion"], later["keyVersion"]);
    for (event, code) in [
        (KeyEvent::Disable, "KEY_ACTION_INVALID_STATE_ERR"),
        (KeyEvent::Delete, "KEY_DELETED_ERR"),
    ] {
        scene.fail(FaultKind::Meanwhile(event));
        let refused = scene.wrap().await.expect_err("it is no longer active");
        assert!(refused.contains(code), "{refused}");
        scene
            .control()
            .key_event(&scene.key, KeyEvent::Restore)
            .expect("the key is there");
    }
    scene.fail(FaultKind::Meanwhile(KeyEvent::Purge));
    let refused = scene.wrap().await.expect_err("it is gone");
    assert!(refused.contains("KEY_NOT_FOUND_ERR"), "{refused}");
}

#[tokio::test]
async fn the_services_waits_pass_with_the_clock() {
    let scene = Scene::new(|options| Options {
        waits: Waits::of_the_service(),
        ..options
    })
    .await;
    let rotate = async || scene.client.act(&scene.key, "rotate", &json!({})).await;
    rotate().await.expect("the first rotation");
    let refused = rotate().await.expect_err("the second comes too early");
    assert!(refused.contains("KEY_ROTATION_NOT_PERMITTED"), "{refused}");
    let disabled = scene.client.act(&scene.key, "disable", &json!({})).await;
    disabled.expect("its state has not changed yet");
    let refused = scene.client.act(&scene.key, "enable", &json!({})).await;
    assert!(refused.expect_err("too early").contains("REQ_TOO_EARLY_ERR"));
    scene
        .control()
        .set_token_lifetime(Duration::from_hours(24))
        .expect("it runs");
    let client = Client::of(&scene.stand_in).await;
    scene.control().set_clock_ahead(3600);
    for action in ["enable", "rotate"] {
        let done = client.act(&scene.key, action, &json!({})).await;
        done.expect("an hour has passed");
    }
    scene.control().set_clock_ahead(24 * 3600);
    let expired = client.act(&scene.key, "wrap", &json!({})).await;
    assert!(expired.expect_err("the token has expired").starts_with("401"));
}

#[tokio::test]
async fn the_control_is_to_be_had_over_http_without_a_token() {
    let scene = Scene::new(|options| options).await;
    let fault = json!({"calls": ["wrap"], "kind": "cut_before", "when": {"every": 2}});
    assert_eq!(scene.client.control("POST", "faults", &fault).await.0, 204);
    let outcomes = [
        scene.wrap().await.is_ok(),
        scene.wrap().await.is_ok(),
        scene.wrap().await.is_ok(),
    ];
    assert_eq!(outcomes, [true, false, true]);
    let event = format!("keys/{}/disable", scene.key);
    assert_eq!(scene.client.control("POST", &event, &Value::Null).await.0, 204);
    let refused = scene.client.act(&scene.key, "enable", &json!({})).await;
    refused.expect("it was disabled");
    let (status, counters) = scene.client.control("GET", "counters", &Value::Null).await;
    assert_eq!((status, &counters["requests"]["wrap"]), (200, &json!(3)));
    assert_eq!(
        scene
            .client
            .control("POST", "keys/none/rotate", &Value::Null)
            .await
            .0,
        404
    );
    assert_eq!(
        scene
            .client
            .control("POST", "faults", &json!({"kind": "odd"}))
            .await
            .0,
        400
    );
}

#[tokio::test]
async fn additional_data_is_bound_or_ignored_or_refused_as_was_asked() {
    for (aad, with, without) in [
        (Aad::Bound, true, false),
        (Aad::Ignored, true, true),
        (Aad::Refused, false, false),
    ] {
        let scene = Scene::new(|options| Options { aad, ..options }).await;
        let wrapped = scene
            .client
            .act(&scene.key, "wrap", &json!({"aad": ["one"]}))
            .await;
        assert_eq!(wrapped.is_ok(), with, "{aad:?}");
        let Ok(wrapped) = wrapped else { continue };
        let body = json!({"ciphertext": wrapped["ciphertext"]});
        let opened = scene.client.act(&scene.key, "unwrap", &body).await;
        assert_eq!(opened.is_ok(), without, "{aad:?}");
    }
}

#[tokio::test]
async fn iam_refuses_in_its_own_form_and_has_an_older_path_too() {
    let scene = Scene::new(|options| options).await;
    let (status, refused) = scene.client.token("/identity/token", "no such key").await;
    assert_eq!((status, &refused["errorCode"]), (400, &json!("BXNIM0415E")));
    assert!(refused["context"]["requestId"].is_string(), "{refused}");
    let key = scene.stand_in.api_key().expect("it has one");
    let (status, token) = scene.client.token("/oidc/token", &key).await;
    assert_eq!(
        (status, &token["expires_in"], &token["token_type"]),
        (200, &json!(3600), &json!("Bearer"))
    );
    assert_eq!(scene.control().counters().of(Call::Token), 2);
}
