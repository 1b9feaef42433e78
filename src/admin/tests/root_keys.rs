//! Root keys: what is left behind where their making does not reach its end.

use super::*;

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
    let (ready, body) = fixture.ask(Method::GET, "/v1/readiness", "").await;
    assert_eq!((ready, &body["ready"]), (StatusCode::OK, &json!(true)), "{body}");

    fixture.backend.fail_checks(true);
    let unhealthy = fixture.status_when(false).await;
    assert!(
        unhealthy["problems"][0].as_str().unwrap().contains("crk"),
        "{unhealthy}"
    );
    let (ready, body) = fixture.ask(Method::GET, "/v1/readiness", "").await;
    assert_eq!(
        (ready, &body["ready"]),
        (StatusCode::SERVICE_UNAVAILABLE, &json!(false)),
        "{body}"
    );

    fixture.backend.fail_checks(false);
    fixture.status_when(true).await;
}
