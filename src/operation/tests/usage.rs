//! Obtain Lease, Get Usage Allocation and Check: what a client is allowed, and that it is not allowed twice.

use std::sync::Arc;

use proptest::prelude::*;

use super::server::{START, Server};
use crate::key::testing::key_with;
use crate::kmip::attribute::{Attribute, AttributeKind, AttributeValue, RevocationReason, UsageLimits};
use crate::kmip::enumeration::{ResultReason, ResultStatus, RevocationReasonCode, UsageLimitsUnit};
use crate::kmip::payload::{
    CheckRequest, GetUsageAllocationRequest, ModifyAttributeRequest, ObtainLeaseRequest, RequestPayload,
    ResponsePayload, RevokeRequest,
};
use crate::kmip::ttlv::DateTime;
use crate::kmip::version::{V1_4, V2_1};

fn limits(total: i64) -> Attribute {
    limits_left(total, None).into()
}

fn limits_left(total: i64, count: Option<i64>) -> AttributeValue {
    AttributeValue::UsageLimits(UsageLimits {
        total,
        count,
        unit: UsageLimitsUnit::Byte,
    })
}

fn active() -> Attribute {
    AttributeValue::ActivationDate(START).into()
}

fn allocate(id: &str, count: i64) -> RequestPayload<'_> {
    RequestPayload::GetUsageAllocation(GetUsageAllocationRequest {
        unique_identifier: Some(id.into()),
        usage_limits_count: count,
    })
}

fn lease(id: &str) -> RequestPayload<'_> {
    RequestPayload::ObtainLease(ObtainLeaseRequest {
        unique_identifier: Some(id.into()),
    })
}

async fn revoke(server: &Server, id: &str, code: RevocationReasonCode) {
    let request = RequestPayload::Revoke(RevokeRequest {
        unique_identifier: Some(id.into()),
        revocation_reason: RevocationReason { code, message: None },
        compromise_occurrence_date: None,
    });
    server.done(request).await;
}

#[tokio::test]
async fn no_more_is_allocated_than_the_limits_have() {
    let server = Server::start().await;
    let id = server.create(vec![active(), limits(1000)]).await;
    server.done(allocate(&id, 500)).await;
    let check = |count| {
        RequestPayload::Check(CheckRequest {
            unique_identifier: Some(id.as_str().into()),
            usage_limits_count: Some(count),
            ..CheckRequest::default()
        })
    };
    server.done(check(500)).await;
    assert_eq!(server.refused(check(501)).await, ResultReason::PermissionDenied);
    assert_eq!(
        server.refused(allocate(&id, 501)).await,
        ResultReason::PermissionDenied
    );
    server.done(allocate(&id, 500)).await;
    let item = server.ask_in(V2_1, &server.east, allocate(&id, 1)).await;
    assert_eq!(item.result_reason, Some(ResultReason::UsageLimitExceeded));
    assert_eq!(
        server.attribute(&id, AttributeKind::UsageLimits).await,
        [limits_left(1000, Some(0))]
    );
}

#[tokio::test]
async fn limits_stay_as_they_are_once_some_of_them_were_allocated() {
    let server = Server::start().await;
    let id = server.create(vec![active(), limits(10)]).await;
    let raise = |total| {
        RequestPayload::ModifyAttribute(ModifyAttributeRequest {
            unique_identifier: Some(id.as_str().into()),
            current_attribute: None,
            attribute: limits(total),
        })
    };
    server.done(raise(20)).await;
    server.done(allocate(&id, 1)).await;
    assert_eq!(server.refused(raise(1000)).await, ResultReason::PermissionDenied);
}

#[tokio::test]
async fn nothing_is_allocated_of_a_key_that_may_not_protect() {
    let server = Server::start().await;
    let unlimited = server.create(vec![active()]).await;
    let not_active = server.create(vec![limits(10)]).await;
    let stop = AttributeValue::ProtectStopDate(DateTime(START.0 + 10)).into();
    let stopped = server.create(vec![active(), limits(10), stop]).await;
    server.done(allocate(&stopped, 1)).await;
    server.wait(10);
    for (id, reason, in_2_1) in [
        (
            &unlimited,
            ResultReason::IllegalOperation,
            ResultReason::AttributeNotFound,
        ),
        (
            &not_active,
            ResultReason::PermissionDenied,
            ResultReason::PermissionDenied,
        ),
        (
            &stopped,
            ResultReason::PermissionDenied,
            ResultReason::PermissionDenied,
        ),
    ] {
        assert_eq!(server.refused(allocate(id, 1)).await, reason);
        let item = server.ask_in(V2_1, &server.east, allocate(id, 1)).await;
        assert_eq!(item.result_reason, Some(in_2_1));
    }
    assert_eq!(
        server.refused(allocate(&stopped, -5)).await,
        ResultReason::PermissionDenied
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn clients_that_ask_at_once_are_never_given_more_than_there_is() {
    let server = Arc::new(Server::start().await);
    let id = server.create(vec![active(), limits(100)]).await;
    let asking: Vec<_> = (0..24)
        .map(|_| {
            let (server, id) = (server.clone(), id.clone());
            tokio::spawn(async move {
                server
                    .ask_in(V1_4, &server.east, allocate(&id, 7))
                    .await
                    .result_status
            })
        })
        .collect();
    let mut given = 0;
    for each in asking {
        if each.await.unwrap() == ResultStatus::Success {
            given += 7;
        }
    }
    let left = match server.attribute(&id, AttributeKind::UsageLimits).await.as_slice() {
        [AttributeValue::UsageLimits(limits)] => limits.count.unwrap(),
        other => panic!("{other:?}"),
    };
    assert!(left >= 0 && given > 0);
    assert_eq!(given + left, 100, "each unit is given once or is left");
}

proptest! {
    #[test]
    fn a_count_only_falls_and_never_below_zero(total in 0_i64..=i64::MAX, asked in prop::collection::vec(any::<i64>(), 0..20)) {
        let mut key = key_with(vec![active(), limits(total)], START);
        let mut left = total;
        for count in asked {
            match key.allocate(count, START) {
                Ok(()) => {
                    prop_assert!(count >= 0 && count <= left);
                    left -= count;
                }
                Err(_) => prop_assert!(count < 0 || count > left),
            }
            prop_assert_eq!(key.usage_left(), Some(left));
        }
    }
}

#[tokio::test]
async fn a_lease_is_given_for_what_may_be_used_and_for_nothing_else() {
    let server = Server::start().await;
    let id = server.create(vec![active()]).await;
    server.wait(5);
    let ResponsePayload::ObtainLease(given) = server.done(lease(&id)).await else {
        panic!("another payload");
    };
    assert_eq!(given.unique_identifier, id);
    assert_eq!(given.last_change_date, START);
    assert_eq!(given.lease_time, 0, "no interval is effective");
    for code in [
        RevocationReasonCode::KeyCompromise,
        RevocationReasonCode::CessationOfOperation,
    ] {
        let id = server.create(vec![active()]).await;
        revoke(&server, &id, code).await;
        assert_eq!(server.refused(lease(&id)).await, ResultReason::PermissionDenied);
    }
    let item = server.ask_in(V1_4, &server.west, lease(&id)).await;
    assert_eq!(item.result_reason, Some(ResultReason::ItemNotFound));
}
