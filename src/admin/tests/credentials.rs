//! Users of an adapter.

use super::*;

const PATH: &str = "/v1/adapters/vcenter/credentials";
const POLICY: &str = "/v1/adapters/vcenter/credential-policy";

#[tokio::test]
async fn a_password_is_told_once_and_is_in_no_record() {
    let fixture = Fixture::new().await.with_adapter("vcenter").await;
    let made = fixture.make(PATH, json!({ "username": "vc" })).await;
    let password = made["password"].as_str().expect("it was made here").to_owned();
    assert!(password.len() >= 32, "{password}");
    let brought = "correct horse battery staple";
    let added = fixture
        .make(PATH, json!({ "username": "brought", "password": brought }))
        .await;
    assert!(added.get("password").is_none(), "{added}");
    let (status, listed) = fixture.ask(Method::GET, PATH, "").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(listed["users"].as_array().expect("a list").len(), 2);
    let records = serde_json::to_string(&fixture.records().await).unwrap();
    for text in [listed.to_string(), records] {
        assert!(!text.contains(&password) && !text.contains(brought), "{text}");
    }
    let events: Vec<_> = fixture
        .records()
        .await
        .iter()
        .map(|record| record.event)
        .collect();
    assert_eq!(events[2..], [EventName::CredentialAdd, EventName::CredentialAdd]);
}

#[tokio::test]
async fn a_user_is_added_once_and_a_bad_password_not_at_all() {
    let fixture = Fixture::new().await.with_adapter("vcenter").await;
    fixture.make(PATH, json!({ "username": "vc" })).await;
    for (new, expected) in [
        (json!({ "username": "vc" }), "taken"),
        (json!({ "username": "" }), "invalid"),
        (json!({ "username": "other", "password": "short" }), "invalid"),
    ] {
        let (_, body) = fixture.post(PATH, new.clone()).await;
        assert_eq!(code(&body), expected, "{new}: {body}");
    }
}

#[tokio::test]
async fn nobody_is_shut_out_by_a_policy_that_no_user_can_meet() {
    let fixture = Fixture::new().await.with_adapter("vcenter").await;
    let required = json!({ "required": true });
    let (_, body) = fixture.post(POLICY, required.clone()).await;
    assert_eq!(code(&body), "wrong_state", "{body}");
    fixture.make(PATH, json!({ "username": "v c/1" })).await;
    let (status, body) = fixture.post(POLICY, required).await;
    assert_eq!((status, &body["required"]), (StatusCode::OK, &json!(true)));
    let user = format!("{PATH}/v%20c%2F1");
    let (_, body) = fixture.ask(Method::DELETE, &user, "").await;
    assert_eq!(code(&body), "in_use", "{body}");
    let (status, body) = fixture.post(POLICY, json!({ "required": false })).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let (status, body) = fixture.ask(Method::DELETE, &user, "").await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{body}");
}
