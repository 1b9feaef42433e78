//! Root keys that are disabled, scheduled for destruction and destroyed, with each step broken twice: it failed, and it
//! failed after it was done.

use time::OffsetDateTime;

use super::*;
use crate::recorder::tests::faulty::{How, Step};

const CRK: &str = "/v1/root-keys/crk";

fn second() -> Peer {
    Peer {
        uid: 4712,
        user: "otto".into(),
    }
}

impl Fixture {
    async fn step(&self, what: &str) -> (StatusCode, Value) {
        self.post(&format!("{CRK}/{what}"), json!({})).await
    }

    /// The step, which must succeed.
    async fn stepped(&self, what: &str) -> Value {
        let (status, body) = self.step(what).await;
        assert_eq!(status, StatusCode::OK, "{what}: {body}");
        body
    }

    async fn second_approves(&self) {
        let path = format!("{CRK}/approve-destruction");
        let (status, body) = self.ask_as(second(), Method::POST, &path, "{}").await;
        assert_eq!(status, StatusCode::OK, "{body}");
    }

    /// Has the job look, so much time from now on.
    async fn later(&self, time: Duration) {
        let now = OffsetDateTime::now_utc() + time;
        self.administration.jobs().destroyer.work(now).await.unwrap();
    }

    async fn state(&self) -> String {
        self.get(CRK).await["state"].as_str().unwrap().to_owned()
    }

    async fn count(&self, event: EventName) -> usize {
        let records = self.records().await;
        records
            .iter()
            .filter(|record| record.event == event && record.outcome == Outcome::Success)
            .count()
    }

    async fn due(&self) {
        self.stepped("schedule-destruction").await;
        self.second_approves().await;
    }
}

#[tokio::test]
async fn one_administrator_alone_destroys_no_root_key() {
    let fixture = Fixture::new().await.with_adapter("vcenter").await;
    fixture.stepped("schedule-destruction").await;
    let (status, body) = fixture.step("approve-destruction").await;
    assert_eq!(
        (status, code(&body)),
        (StatusCode::FORBIDDEN, "second_administrator")
    );
    fixture.later(WAITING_TIME * 100).await;
    assert_eq!(fixture.state().await, "scheduled");
    assert_eq!(fixture.backend.labels(), ["claviger.crk.v1"]);
}

#[tokio::test]
async fn a_root_key_is_not_destroyed_before_its_time_and_can_be_kept_until_then() {
    let fixture = Fixture::new().await.with_adapter("vcenter").await;
    let hasty = json!({ "after_seconds": 3600 });
    let (status, body) = fixture.post(&format!("{CRK}/schedule-destruction"), hasty).await;
    assert_eq!(
        (status, code(&body)),
        (StatusCode::BAD_REQUEST, "invalid"),
        "{body}"
    );
    fixture.due().await;
    // A little less: the request was made a moment ago.
    fixture.later(WAITING_TIME.mul_f32(0.99)).await;
    assert_eq!(fixture.state().await, "scheduled");
    fixture.stepped("cancel-destruction").await;
    fixture.later(WAITING_TIME * 2).await;
    assert_eq!(fixture.state().await, "disabled");
    fixture.stepped("enable").await;
    assert_eq!(fixture.backend.labels(), ["claviger.crk.v1"]);
}

#[tokio::test]
async fn a_root_key_that_is_due_is_gone_from_the_token_and_says_so_for_good() {
    let fixture = Fixture::new().await.with_adapter("vcenter").await;
    fixture.stepped("rotate").await;
    fixture.due().await;
    fixture.later(WAITING_TIME).await;
    let shown = fixture.get(CRK).await;
    assert_eq!(shown["state"], "destroyed", "{shown}");
    assert_eq!(shown["versions"][0]["state"], "destroyed");
    // What is left holds the seal key, so that the rows can still be told from forged ones.
    assert_eq!(fixture.backend.labels(), ["claviger.crk.v3"]);
    for what in [
        "enable",
        "disable",
        "rotate",
        "schedule-destruction",
        "cancel-destruction",
    ] {
        let (status, body) = fixture.step(what).await;
        assert_eq!(
            (status, code(&body)),
            (StatusCode::CONFLICT, "wrong_state"),
            "{what}"
        );
    }
    let (status, _) = fixture.post("/v1/adapters", json!({ "name": "late" })).await;
    assert_eq!(status, StatusCode::CONFLICT, "nothing is made under it");
    let record = fixture
        .records()
        .await
        .into_iter()
        .find(|record| record.event == EventName::RootKeyDestroy)
        .unwrap();
    assert_eq!(
        (
            record.details["requested_by"].as_str(),
            record.approvers[0].user.as_str()
        ),
        ("olivia", "otto")
    );
}

#[tokio::test]
async fn a_destruction_that_fails_at_the_device_is_carried_on_until_nothing_is_left() {
    let fixture = Fixture::new().await.with_adapter("vcenter").await;
    fixture.due().await;
    // Before the point of no return: nothing has happened.
    fixture.backend.protect("claviger.crk.v2");
    fixture.later(WAITING_TIME).await;
    assert_eq!(fixture.state().await, "scheduled");
    assert!(fixture.get(CRK).await["problem"].is_string());
    fixture.backend.protect_nothing();
    // Something is left of a try that broke off; and after the point of no return the device fails again.
    fixture.backend.leave("claviger.crk.v2");
    fixture.backend.protect("claviger.crk.v1");
    fixture.later(WAITING_TIME).await;
    assert_eq!(fixture.state().await, "destroying");
    assert_eq!(fixture.count(EventName::RootKeyDestroy).await, 1);
    let (status, _) = fixture.step("cancel-destruction").await;
    assert_eq!(status, StatusCode::CONFLICT, "it can't be stopped any more");
    assert_eq!(fixture.get("/v1/status").await["healthy"], json!(false));
    fixture.backend.protect_nothing();
    fixture.backend.lose_answer();
    fixture.later(Duration::ZERO).await;
    assert_eq!(fixture.state().await, "destroying");
    fixture.later(Duration::ZERO).await;
    assert_eq!(fixture.state().await, "destroyed");
    assert_eq!(fixture.count(EventName::RootKeyDestroy).await, 1);
    assert_eq!(fixture.count(EventName::RootKeyDestroyed).await, 1);
    assert_eq!(fixture.backend.labels(), ["claviger.crk.v2"]);
    assert_eq!(fixture.get(CRK).await["problem"], Value::Null);
}

#[tokio::test]
async fn a_version_whose_destruction_was_done_and_reported_as_failed_is_recorded_once() {
    let fixture = Fixture::new().await.with_adapter("vcenter").await;
    fixture.stepped("rotate").await;
    fixture.backend.lose_answer();
    let shown = fixture.stepped("versions/1/destroy").await;
    assert_eq!(shown["versions"][0]["state"], "destroying", "{shown}");
    assert_eq!(fixture.backend.labels(), ["claviger.crk.v2"]);
    fixture.later(Duration::ZERO).await;
    fixture.later(Duration::ZERO).await;
    let shown = fixture.get(CRK).await;
    assert_eq!(shown["versions"][0]["state"], "destroyed", "{shown}");
    assert_eq!(fixture.count(EventName::RootKeyDestroyVersion).await, 1);
    assert_eq!(fixture.count(EventName::RootKeyVersionDestroyed).await, 1);
    let (status, _) = fixture.step("versions/1/destroy").await;
    assert_eq!(status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn the_present_version_and_one_that_never_was_are_not_destroyed() {
    let fixture = Fixture::new().await.with_adapter("vcenter").await;
    let (status, body) = fixture.step("versions/1/destroy").await;
    assert_eq!((status, code(&body)), (StatusCode::CONFLICT, "in_use"), "{body}");
    let (status, _) = fixture.step("versions/7/destroy").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(fixture.backend.labels(), ["claviger.crk.v1"]);
}

/// The commits of a destruction, each broken in each way: nothing is destroyed twice, recorded twice or left half way.
#[tokio::test]
async fn a_commit_that_breaks_in_a_destruction_leaves_it_undone_or_done_and_never_between() {
    for how in [How::Failed, How::FailedButDone] {
        for unreadable in [false, true] {
            for broken in 0..2 {
                let fixture = Fixture::new().await.with_adapter("vcenter").await;
                fixture.due().await;
                if broken == 1 {
                    fixture.backend.protect("claviger.crk.v1");
                    fixture.later(WAITING_TIME).await;
                    assert_eq!(fixture.state().await, "destroying");
                    fixture.backend.protect_nothing();
                }
                fixture.plan.fail(Step::Commit, how);
                if unreadable {
                    fixture.plan.fail(Step::ReadTail, How::Failed);
                }
                for _ in 0..3 {
                    fixture.later(WAITING_TIME).await;
                }
                let case = format!("{how:?}, unreadable: {unreadable}, commit {broken}");
                assert!(fixture.plan.is_used_up(), "{case}");
                assert_eq!(fixture.state().await, "destroyed", "{case}");
                assert_eq!(fixture.backend.labels(), ["claviger.crk.v2"], "{case}");
                assert_eq!(fixture.count(EventName::RootKeyDestroy).await, 1, "{case}");
                assert_eq!(fixture.count(EventName::RootKeyDestroyed).await, 1, "{case}");
            }
        }
    }
}

#[tokio::test]
async fn nothing_is_destroyed_while_it_can_not_be_recorded() {
    let fixture = Fixture::new().await.with_adapter("vcenter").await;
    fixture.stepped("rotate").await;
    fixture.due().await;
    fixture.recorder.stop().await;
    fixture.later(WAITING_TIME).await;
    assert_eq!(fixture.backend.labels(), ["claviger.crk.v1", "claviger.crk.v2"]);
    assert_eq!(fixture.state().await, "scheduled");
}
