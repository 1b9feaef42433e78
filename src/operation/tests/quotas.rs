//! What goes beyond the quota of an adapter is refused, with the reason that the client's version has for it.

use std::sync::atomic::Ordering;

use super::server::{Server, create, get};
use crate::adapter::Quota;
use crate::custody::{Actor, Event, EventName, Outcome};
use crate::kmip::attribute::RevocationReason;
use crate::kmip::enumeration::{ResultReason, ResultStatus, RevocationReasonCode};
use crate::kmip::payload::{ActivateRequest, DestroyRequest, RequestPayload, RevokeRequest};
use crate::kmip::version::{V1_4, V2_1};
use crate::store::Change;

impl Server {
    async fn set_quota(&self, quota: Quota) {
        let change = Change::SetQuota {
            adapter: self.east.adapter,
            quota,
        };
        let event = Event::new(EventName::AdapterSetQuota, Actor::Server);
        self.recorder.commit(vec![change], event).await.unwrap();
    }
}

#[tokio::test]
async fn a_client_has_no_more_keys_than_its_adapter_may_and_the_device_makes_none() {
    let server = Server::start().await;
    server.set_quota(Quota::new(Some(2), None, None).unwrap()).await;
    let key = server.create(Vec::new()).await;
    server.create(Vec::new()).await;
    let made = server.backend.made.load(Ordering::SeqCst);
    for (version, reason) in [
        (V1_4, ResultReason::PermissionDenied),
        (V2_1, ResultReason::ServerLimitExceeded),
    ] {
        let refused = server.ask_in(version, &server.east, create(Vec::new())).await;
        assert_eq!(refused.result_status, ResultStatus::OperationFailed);
        assert_eq!(refused.result_reason, Some(reason), "{version}");
    }
    assert_eq!(server.backend.made.load(Ordering::SeqCst), made);
    let record = server.records().await.pop().unwrap();
    assert_eq!(
        (record.event, record.outcome),
        (EventName::KmipCreate, Outcome::Refused)
    );
    server.create_for(&server.west, Vec::new()).await;
    server.get(&key).await;

    // What is destroyed makes room.
    let id = || Some(key.as_str().into());
    let reason = RevocationReason {
        code: RevocationReasonCode::CessationOfOperation,
        message: None,
    };
    server
        .done(RequestPayload::Activate(ActivateRequest {
            unique_identifier: id(),
        }))
        .await;
    server
        .done(RequestPayload::Revoke(RevokeRequest {
            unique_identifier: id(),
            revocation_reason: reason,
            compromise_occurrence_date: None,
        }))
        .await;
    server
        .done(RequestPayload::Destroy(DestroyRequest {
            unique_identifier: id(),
        }))
        .await;
    server.create(Vec::new()).await;
}

#[tokio::test]
async fn of_keys_that_are_made_at_once_no_more_are_there_than_the_quota() {
    let server = Server::start().await;
    server.set_quota(Quota::new(Some(5), None, None).unwrap()).await;
    let asked = (0..20).map(|_| server.ask(create(Vec::new())));
    let answers = futures_util::future::join_all(asked).await;
    let made = answers
        .iter()
        .filter(|answer| answer.result_status == ResultStatus::Success);
    assert_eq!(made.count(), 5);
    let counts = crate::store::Store::key_counts(&*server.store).await.unwrap();
    assert_eq!(counts[&server.east.adapter].with_key, 5);
}

#[tokio::test]
async fn a_flood_of_requests_is_refused_in_part_and_one_record_tells_of_it() {
    let server = Server::start().await;
    let key = server.create(Vec::new()).await;
    server.set_quota(Quota::new(None, Some(1), None).unwrap()).await;
    let asked = (0..40).map(|_| server.ask(get(&key)));
    let answers = futures_util::future::join_all(asked).await;
    let (done, refused): (Vec<_>, Vec<_>) = answers
        .iter()
        .partition(|answer| answer.result_status == ResultStatus::Success);
    assert!(!done.is_empty());
    assert!(refused.len() > 20, "{} refused", refused.len());
    for refused in &refused {
        assert_eq!(refused.result_reason, Some(ResultReason::PermissionDenied));
    }
    let records = server.records().await;
    let released = records
        .iter()
        .filter(|record| record.event == EventName::KmipGet)
        .count();
    assert_eq!(released, done.len(), "what was refused is no release");
    let told: Vec<_> = records
        .iter()
        .filter(|record| record.event == EventName::KmipMessageRefused)
        .collect();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].details["refused"], "1");
    // Another adapter does not hear of it, and what is bounded no more is served at once.
    server.create_for(&server.west, Vec::new()).await;
    server.set_quota(Quota::default()).await;
    for _ in 0..5 {
        server.get(&key).await;
    }
}
