//! Records go only as the configuration allows and two administrators agree, and the log says who they were.

use super::*;
use crate::custody::Event;

const ROUTE: &str = "/v1/custody/pruning";
const APPROVE: &str = "/v1/custody/pruning/approve";

impl Fixture {
    /// A signed log of more records than a start reads, which may go by this policy.
    async fn with_old_records(policy: RetentionPolicy) -> Self {
        let fixture = Self::with_policy(Some(policy)).await;
        let events = std::iter::repeat_with(|| Event::new(EventName::KmipQuery, Actor::Server));
        fixture
            .recorder
            .commit_together(Vec::new(), events.take(1100).collect())
            .await
            .unwrap();
        fixture.sign().await;
        fixture
    }

    async fn approve(&self, uid: u32) -> (StatusCode, Value) {
        let peer = Peer {
            uid,
            user: format!("user {uid}"),
        };
        self.ask_as(peer, Method::POST, APPROVE, "{}").await
    }

    /// The pruning as it is once nothing is under way.
    async fn done(&self) -> Value {
        loop {
            let shown = self.get(ROUTE).await;
            if shown["under_way"] == json!(false) {
                return shown;
            }
            tokio::task::yield_now().await;
        }
    }
}

const ANYTHING: RetentionPolicy = RetentionPolicy {
    keep: Duration::ZERO,
    without_archive: true,
};

#[tokio::test]
async fn records_are_let_go_by_two_administrators_and_the_record_names_both() {
    let fixture = Fixture::with_old_records(ANYTHING).await;
    let (status, body) = fixture.approve(1).await;
    assert_eq!((status, code(&body)), (StatusCode::CONFLICT, "wrong_state"));
    let (status, asked) = fixture.post(ROUTE, json!({ "archives": [] })).await;
    assert_eq!(status, StatusCode::OK, "{asked}");
    assert_eq!(
        (&asked["below"], &asked["asked"]["by"]),
        (&json!(1024), &json!("olivia"))
    );
    let (status, body) = fixture.approve(4711).await;
    assert_eq!(
        (status, code(&body)),
        (StatusCode::FORBIDDEN, "second_administrator")
    );
    let (status, body) = fixture.approve(4712).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let shown = fixture.done().await;
    assert_eq!(shown["failure"], Value::Null, "{shown}");
    fixture.recorder.prune().await.unwrap();
    let record = fixture.last_record().await;
    assert_eq!(
        (record.event, record.outcome),
        (EventName::CustodyPrune, Outcome::Success)
    );
    assert_eq!(record.actor.name(), "olivia");
    assert_eq!(record.approvers[0].uid, Some(4712));
    assert_eq!(
        (record.details["from"].as_str(), record.details["below"].as_str()),
        ("0", "1024")
    );
    let (status, _) = fixture.approve(4712).await;
    assert_eq!(status, StatusCode::CONFLICT, "what was done is not done again");
    let head = fixture.get("/v1/custody/head").await;
    assert_eq!(head["kept_from"], json!(1024));
}

#[tokio::test]
async fn nobody_lets_records_go_against_the_configuration() {
    let without = Fixture::with_policy(None).await;
    let (status, body) = without.post(ROUTE, json!({ "archives": [] })).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(remedy(&body).contains("[custody.retention]"), "{body}");
    let fixture = Fixture::with_old_records(RetentionPolicy {
        without_archive: false,
        ..ANYTHING
    })
    .await;
    let (status, body) = fixture.post(ROUTE, json!({ "archives": [] })).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(remedy(&body).contains("--archive"), "{body}");
    let zeros = "0".repeat(64);
    let archive = json!({ "sha256": zeros, "from": 0, "size": 600, "root": zeros });
    let (status, body) = fixture.post(ROUTE, json!({ "archives": [archive] })).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
    assert!(message(&body).contains("not of this log"), "{body}");
}
