//! Adapters, and what is on record of each change.

use super::*;

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
async fn a_quota_is_shown_and_on_record() {
    let fixture = Fixture::new().await.with_adapter("vcenter").await;
    let path = "/v1/adapters/vcenter/quota";
    let body = json!({ "keys": 0, "connections": 20 });
    let (status, set) = fixture.ask(Method::PUT, path, &body.to_string()).await;
    assert_eq!(status, StatusCode::OK, "{set}");
    assert_eq!(set["quota"], body);
    assert_eq!(fixture.get("/v1/adapters/vcenter").await["quota"], body);
    let record = fixture.last_record().await;
    assert_eq!(record.event, EventName::AdapterSetQuota);
    assert_eq!(record.adapter.as_ref().unwrap().name, "vcenter");
    let told = ["keys", "requests_per_second", "connections"].map(|name| record.details[name].as_str());
    assert_eq!(told, ["0", "none", "20"]);
    let status = fixture.get("/v1/status").await;
    assert_eq!(status.get("near_quota"), None, "that no key is made is meant so");

    let none = json!({ "requests_per_second": 0 });
    let (status, refused) = fixture.ask(Method::PUT, path, &none.to_string()).await;
    assert_eq!((status, code(&refused)), (StatusCode::BAD_REQUEST, "invalid"));
    assert_eq!(fixture.last_record().await.outcome, Outcome::Refused);

    let (_, unbounded) = fixture.ask(Method::PUT, path, "{}").await;
    assert_eq!(unbounded.get("quota"), None);
}
