//! Root keys in a key manager: taken up, disabled on both sides, destroyed and brought back.

use time::OffsetDateTime;

use super::key_manager::Is;
use super::*;

const CRK: &str = "/v1/root-keys/crk";
const V1: &str = "claviger.crk.v1";

impl Fixture {
    /// One whose first root key is in a key manager.
    async fn in_key_manager() -> Self {
        let fixture = Self::over(true).await;
        fixture
            .make("/v1/root-keys", json!({ "name": "crk", "backend": "ibm" }))
            .await;
        let adapter = json!({ "name": "vcenter", "root_key": "crk" });
        fixture.make("/v1/adapters", adapter).await;
        fixture
    }

    async fn ask_of_crk(&self, what: &str) -> (StatusCode, Value) {
        self.post(&format!("{CRK}/{what}"), json!({})).await
    }

    async fn done_with_crk(&self, what: &str) -> Value {
        let (status, body) = self.ask_of_crk(what).await;
        assert_eq!(status, StatusCode::OK, "{what}: {body}");
        body
    }

    /// Destroys it, as two administrators who have waited.
    async fn destroy_crk(&self) {
        self.done_with_crk("schedule-destruction").await;
        let second = Peer {
            uid: 4712,
            user: "otto".into(),
        };
        let path = format!("{CRK}/approve-destruction");
        let (status, body) = self.ask_as(second, Method::POST, &path, "{}").await;
        assert_eq!(status, StatusCode::OK, "{body}");
        self.look().await;
    }

    async fn look(&self) {
        let later = OffsetDateTime::now_utc() + WAITING_TIME;
        self.administration.jobs().destroyer.work(later).await.unwrap();
    }

    async fn crk_is(&self) -> String {
        self.get(CRK).await["state"].as_str().unwrap().to_owned()
    }

    async fn recorded(&self, event: EventName, outcome: Outcome) -> usize {
        let records = self.records().await.into_iter();
        records
            .filter(|record| record.event == event && record.outcome == outcome)
            .count()
    }
}

fn states(expected: &[(&str, Is)]) -> Vec<(String, Is)> {
    expected
        .iter()
        .map(|(name, is)| ((*name).to_owned(), *is))
        .collect()
}

#[tokio::test]
async fn a_root_key_that_is_there_already_is_taken_up_once_and_shown_as_that() {
    let fixture = Fixture::over(true).await;
    let id = fixture.key_manager.with_key("vmware");
    let new = |name: &str| json!({ "name": name, "backend": "ibm", "existing": id.to_string() });
    let made = fixture.make("/v1/root-keys", new("crk")).await;
    assert_eq!(
        (&made["origin"], &made["label"], &made["token_serial"]),
        (&json!("adopted"), &json!("vmware"), &json!("instance"))
    );
    let record = fixture.last_record().await;
    assert_eq!(record.event, EventName::RootKeyAdopt);
    assert_eq!(record.details["existing"], id.to_string());

    // A second root key with the same key would be destroyed with the first.
    let (status, body) = fixture.post("/v1/root-keys", new("other")).await;
    assert_eq!((status, code(&body)), (StatusCode::CONFLICT, "taken"), "{body}");
    assert!(message(&body).contains("\"crk\""), "{body}");
    assert_eq!(fixture.key_manager.states(), states(&[("vmware", Is::Active)]));
}

#[tokio::test]
async fn a_key_that_stands_on_a_device_is_not_taken_up_for_want_of_proof() {
    let fixture = Fixture::over(true).await;
    let new = json!({ "name": "crk", "backend": "hsm", "existing": "claviger.crk.v1" });
    let (status, body) = fixture.post("/v1/root-keys", new).await;
    assert_eq!(
        (status, code(&body)),
        (StatusCode::BAD_REQUEST, "invalid"),
        "{body}"
    );
    assert!(remedy(&body).contains("import"), "{body}");
}

#[tokio::test]
async fn a_root_key_that_is_disabled_here_is_disabled_there_as_well() {
    let fixture = Fixture::in_key_manager().await;
    fixture.done_with_crk("disable").await;
    assert_eq!(fixture.key_manager.states(), states(&[(V1, Is::Suspended)]));
    // Disabled on purpose is no fault.
    assert_eq!(fixture.status_when(true).await["healthy"], json!(true));
    fixture.done_with_crk("enable").await;
    assert_eq!(fixture.key_manager.states(), states(&[(V1, Is::Active)]));
    assert_eq!(fixture.crk_is().await, "enabled");
}

#[tokio::test]
async fn a_disabling_that_the_key_manager_does_not_do_is_in_force_here_and_can_be_repeated() {
    let fixture = Fixture::in_key_manager().await;
    fixture.key_manager.refuse(Some("disable"));
    let (status, body) = fixture.ask_of_crk("disable").await;
    assert_eq!(status, StatusCode::BAD_GATEWAY, "{body}");
    assert!(message(&body).contains("is disabled here"), "{body}");
    assert!(remedy(&body).contains("root-key disable crk"), "{body}");
    assert_eq!(fixture.crk_is().await, "disabled");
    assert_eq!(
        fixture
            .recorded(EventName::RootKeyDisable, Outcome::Success)
            .await,
        1
    );
    assert_eq!(
        fixture.recorded(EventName::RootKeyDisable, Outcome::Failed).await,
        1
    );

    fixture.key_manager.refuse(None);
    fixture.done_with_crk("disable").await;
    assert_eq!(fixture.key_manager.states(), states(&[(V1, Is::Suspended)]));
}

#[tokio::test]
async fn a_root_key_that_the_key_manager_does_not_enable_stays_disabled_here() {
    let fixture = Fixture::in_key_manager().await;
    fixture.done_with_crk("disable").await;
    fixture.key_manager.refuse(Some("enable"));
    let (status, _) = fixture.ask_of_crk("enable").await;
    assert_eq!(status, StatusCode::BAD_GATEWAY);
    assert_eq!(fixture.crk_is().await, "disabled");
}

/// After a start nothing is known of it but what its row claims: its seal key can't be opened.
#[tokio::test]
async fn a_root_key_that_was_disabled_before_the_start_can_be_enabled_from_here() {
    let fixture = Fixture::in_key_manager().await;
    let id = fixture.get(CRK).await["id"].as_str().unwrap().parse().unwrap();
    fixture.done_with_crk("disable").await;
    fixture.administration.seal_keys().remove(id);
    let (status, _) = fixture.ask(Method::GET, CRK, "").await;
    assert_eq!(status, StatusCode::BAD_GATEWAY, "its row can't be judged");
    let enabled = fixture.done_with_crk("enable").await;
    assert_eq!(enabled["state"], "enabled");
    assert_eq!(fixture.key_manager.states(), states(&[(V1, Is::Active)]));
    assert!(
        fixture.reloads.0.load(Ordering::SeqCst) > 0,
        "its clients are let in"
    );
}

#[tokio::test]
async fn one_version_of_a_root_key_in_a_key_manager_is_not_destroyed_and_what_to_do_is_said() {
    let fixture = Fixture::in_key_manager().await;
    let rotated = fixture.done_with_crk("rotate").await;
    assert_eq!((&rotated["version"], &rotated["label"]), (&json!(2), &json!(V1)));
    let (status, body) = fixture.ask_of_crk("versions/1/destroy").await;
    assert_eq!(
        (status, code(&body)),
        (StatusCode::BAD_REQUEST, "invalid"),
        "{body}"
    );
    assert!(remedy(&body).contains("adapter move"), "{body}");
}

#[tokio::test]
async fn a_rotation_that_was_not_recorded_is_taken_up_by_the_next_and_makes_no_second_version() {
    let fixture = Fixture::in_key_manager().await;
    fixture.key_manager.refuse(Some("rewrap"));
    let (status, body) = fixture.ask_of_crk("rotate").await;
    assert_eq!(status, StatusCode::BAD_GATEWAY, "{body}");
    assert!(remedy(&body).contains("takes that version up"), "{body}");
    fixture.key_manager.refuse(None);
    assert_eq!(fixture.done_with_crk("rotate").await["version"], 2);
}

#[tokio::test]
async fn a_destroyed_root_key_leaves_its_seal_key_under_one_of_its_own_and_comes_back_disabled() {
    let fixture = Fixture::in_key_manager().await;
    fixture.done_with_crk("rotate").await;
    // Also one that was disabled on both sides.
    fixture.done_with_crk("disable").await;
    fixture.destroy_crk().await;
    assert_eq!(fixture.crk_is().await, "destroyed");
    assert_eq!(
        fixture.key_manager.states(),
        states(&[(V1, Is::Deleted), ("claviger.crk.v3", Is::Active)])
    );

    let restored = fixture.done_with_crk("restore").await;
    assert_eq!(
        (&restored["state"], &restored["version"], &restored["label"]),
        (&json!("disabled"), &json!(4), &json!(V1)),
        "{restored}"
    );
    let versions = restored["versions"].as_array().unwrap();
    let of_versions: Vec<_> = versions
        .iter()
        .map(|version| version["state"].as_str().unwrap())
        .collect();
    assert_eq!(of_versions, ["kept", "kept", "destroyed", "present"]);
    assert_eq!(versions[1]["check_value"], restored["check_value"]);
    assert_eq!(
        fixture.key_manager.states(),
        states(&[(V1, Is::Active), ("claviger.crk.v3", Is::Deleted)])
    );
    assert_eq!(
        fixture
            .recorded(EventName::RootKeyRestore, Outcome::Success)
            .await,
        1
    );
    fixture.done_with_crk("enable").await;

    // And once more.
    fixture.destroy_crk().await;
    assert_eq!(fixture.crk_is().await, "destroyed");
    assert_eq!(fixture.done_with_crk("restore").await["version"], 6);
    assert_eq!(fixture.done_with_crk("enable").await["state"], "enabled");
}

#[tokio::test]
async fn a_deletion_that_waits_for_a_second_identity_is_told_and_carried_on() {
    let fixture = Fixture::in_key_manager().await;
    fixture.done_with_crk("schedule-destruction").await;
    fixture.key_manager.refuse(Some("destroy"));
    let second = Peer {
        uid: 4712,
        user: "otto".into(),
    };
    let path = format!("{CRK}/approve-destruction");
    fixture.ask_as(second, Method::POST, &path, "{}").await;
    fixture.look().await;
    assert_eq!(fixture.get("/v1/status").await["healthy"], json!(false));
    assert_eq!(fixture.crk_is().await, "destroying");
    let (status, body) = fixture.ask_of_crk("restore").await;
    assert_eq!(
        (status, code(&body)),
        (StatusCode::CONFLICT, "wrong_state"),
        "{body}"
    );
    fixture.key_manager.refuse(None);
    fixture.look().await;
    assert_eq!(fixture.crk_is().await, "destroyed");
}

#[tokio::test]
async fn a_root_key_that_was_deleted_in_the_key_manager_is_brought_back_as_it_was() {
    let fixture = Fixture::in_key_manager().await;
    fixture.key_manager.set(V1, Is::Deleted);
    fixture.status_when(false).await;
    let restored = fixture.done_with_crk("restore").await;
    assert_eq!(
        (&restored["state"], &restored["version"]),
        (&json!("enabled"), &json!(1))
    );
    assert_eq!(
        fixture
            .recorded(EventName::RootKeyRestore, Outcome::Success)
            .await,
        1
    );
    fixture.status_when(true).await;
}

#[tokio::test]
async fn a_restoration_that_is_not_recorded_says_what_is_and_can_be_repeated() {
    let fixture = Fixture::in_key_manager().await;
    fixture.destroy_crk().await;
    fixture.key_manager.refuse(Some("rewrap"));
    let (status, body) = fixture.ask_of_crk("restore").await;
    assert_eq!(status, StatusCode::BAD_GATEWAY, "{body}");
    assert!(remedy(&body).contains("root-key restore crk"), "{body}");
    assert_eq!(fixture.crk_is().await, "destroyed");
    fixture.key_manager.refuse(None);
    assert_eq!(fixture.done_with_crk("restore").await["state"], "disabled");
}

#[tokio::test]
async fn what_a_device_has_destroyed_is_not_promised_back() {
    let fixture = Fixture::over(true).await;
    fixture
        .make("/v1/root-keys", json!({ "name": "crk", "backend": "hsm" }))
        .await;
    fixture.destroy_crk().await;
    let (status, body) = fixture.ask_of_crk("restore").await;
    assert_eq!(
        (status, code(&body)),
        (StatusCode::BAD_REQUEST, "invalid"),
        "{body}"
    );
    assert!(remedy(&body).contains("backup"), "{body}");
    assert_eq!(fixture.crk_is().await, "destroyed");
}
