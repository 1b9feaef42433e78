//! Re-key: what the replacement takes over, what the key that it replaces keeps, what becomes of their dates.

use super::server::{START, Server, get};
use crate::custody::EventName;
use crate::kmip::attribute::{Attribute, AttributeKind, AttributeValue, Link, Name, UsageLimits};
use crate::kmip::enumeration::{LinkType, ResultReason, RevocationReasonCode, State, UsageLimitsUnit};
use crate::kmip::payload::{
    CreateRequest, DestroyRequest, ReKeyRequest, RequestPayload, ResponsePayload, RevokeRequest,
};
use crate::kmip::ttlv::DateTime;
use crate::kmip::version::{V1_0, V1_4, V2_1};

fn re_key(id: &str, offset: Option<u32>, wanted: Vec<Attribute>) -> RequestPayload<'_> {
    RequestPayload::ReKey(ReKeyRequest {
        unique_identifier: Some(id.into()),
        offset,
        template_attribute: (!wanted.is_empty()).then(|| wanted.into()),
        protection_storage_masks: None,
    })
}

async fn replacement(server: &Server, id: &str, offset: Option<u32>, wanted: Vec<Attribute>) -> String {
    match server.done(re_key(id, offset, wanted)).await {
        ResponsePayload::ReKey(made) => made.unique_identifier,
        other => panic!("{other:?}"),
    }
}

fn name(text: &str) -> AttributeValue {
    AttributeValue::Name(Name::text(text))
}

fn link(link_type: LinkType, to: &str) -> AttributeValue {
    AttributeValue::Link(Link {
        link_type,
        linked_object_identifier: to.to_owned(),
    })
}

#[tokio::test]
async fn the_replacement_is_another_key_of_the_same_kind_and_has_the_names() {
    let server = Server::start().await;
    let old = server
        .create(vec![name("disk").into(), Attribute::custom_text("x-Array", "7")])
        .await;
    let bytes = server.get(&old).await;
    let new = replacement(&server, &old, None, vec![name("second").into()]).await;
    let replaced = server.get(&new).await;
    assert_eq!(replaced.len(), bytes.len());
    assert_ne!(replaced, bytes);
    assert_eq!(
        server.get(&old).await,
        bytes,
        "what it protected can still be read"
    );

    assert_eq!(server.attribute(&old, AttributeKind::Name).await, []);
    assert_eq!(
        server.attribute(&new, AttributeKind::Name).await,
        [name("disk"), name("second")]
    );
    assert_eq!(
        server.attribute(&old, AttributeKind::Link).await,
        [link(LinkType::ReplacementObjectLink, &new)]
    );
    assert_eq!(
        server.attribute(&new, AttributeKind::Link).await,
        [link(LinkType::ReplacedObjectLink, &old)]
    );
    for kind in [
        AttributeKind::CryptographicAlgorithm,
        AttributeKind::CryptographicLength,
        AttributeKind::CryptographicUsageMask,
    ] {
        assert_eq!(
            server.attribute(&old, kind).await,
            server.attribute(&new, kind).await
        );
    }
    assert_ne!(
        server.attribute(&old, AttributeKind::Digest).await,
        server.attribute(&new, AttributeKind::Digest).await
    );
}

#[tokio::test]
async fn an_offset_moves_every_date_by_the_activation() {
    let server = Server::start().await;
    let at = |seconds: i64| DateTime(START.0 + seconds);
    let old = server
        .create(vec![
            AttributeValue::ActivationDate(at(0)).into(),
            AttributeValue::ProcessStartDate(at(10)).into(),
            AttributeValue::ProtectStopDate(at(50)).into(),
            AttributeValue::DeactivationDate(at(100)).into(),
        ])
        .await;
    server.wait(200);
    assert_eq!(server.state(&old).await, State::Deactivated);
    let new = replacement(&server, &old, Some(30), Vec::new()).await;
    for (kind, moment) in [
        (AttributeKind::InitialDate, AttributeValue::InitialDate(at(200))),
        (
            AttributeKind::ActivationDate,
            AttributeValue::ActivationDate(at(230)),
        ),
        (
            AttributeKind::ProcessStartDate,
            AttributeValue::ProcessStartDate(at(240)),
        ),
        (
            AttributeKind::ProtectStopDate,
            AttributeValue::ProtectStopDate(at(280)),
        ),
        (
            AttributeKind::DeactivationDate,
            AttributeValue::DeactivationDate(at(330)),
        ),
    ] {
        assert_eq!(server.attribute(&new, kind).await, [moment], "{kind}");
    }
    assert_eq!(server.state(&new).await, State::PreActive);
    server.wait(30);
    assert_eq!(server.state(&new).await, State::Active);
}

#[tokio::test]
async fn a_compromised_key_is_replaced_by_one_that_is_not() {
    let server = Server::start().await;
    let old = server
        .create(vec![AttributeValue::ActivationDate(START).into()])
        .await;
    let revoke = RequestPayload::Revoke(RevokeRequest {
        unique_identifier: Some(old.as_str().into()),
        revocation_reason: crate::kmip::attribute::RevocationReason {
            code: RevocationReasonCode::KeyCompromise,
            message: None,
        },
        compromise_occurrence_date: None,
    });
    server.done(revoke).await;
    let new = replacement(&server, &old, None, Vec::new()).await;
    assert_eq!(server.state(&old).await, State::Compromised);
    assert_eq!(server.state(&new).await, State::Active);
    for kind in [
        AttributeKind::CompromiseDate,
        AttributeKind::CompromiseOccurrenceDate,
        AttributeKind::RevocationReason,
    ] {
        assert_eq!(server.attribute(&new, kind).await, [], "{kind}");
    }
}

#[tokio::test]
async fn the_dates_of_a_replacement_come_from_one_place() {
    let server = Server::start().await;
    let activation: Attribute = AttributeValue::ActivationDate(START).into();
    let old = server.create(Vec::new()).await;
    assert_eq!(
        server
            .refused(re_key(&old, Some(0), vec![activation.clone()]))
            .await,
        ResultReason::InvalidMessage
    );
    let new = replacement(&server, &old, None, vec![activation]).await;
    assert_eq!(server.state(&new).await, State::Active);

    let stopped = server
        .create(vec![
            AttributeValue::ProtectStopDate(DateTime(START.0 + 10)).into(),
        ])
        .await;
    assert_eq!(
        server.refused(re_key(&stopped, Some(0), Vec::new())).await,
        ResultReason::IllegalOperation
    );
    let in_2_1 = server
        .ask_in(V2_1, &server.east, re_key(&stopped, Some(0), Vec::new()))
        .await;
    assert_eq!(in_2_1.result_reason, Some(ResultReason::PermissionDenied));
}

#[tokio::test]
async fn a_replacement_may_be_used_as_often_as_the_key_once_could() {
    let server = Server::start().await;
    let limits = |count| {
        AttributeValue::UsageLimits(UsageLimits {
            total: 100,
            count: Some(count),
            unit: UsageLimitsUnit::Byte,
        })
    };
    let old = server.create(vec![limits(5).into()]).await;
    let new = replacement(&server, &old, None, Vec::new()).await;
    assert_eq!(
        server.attribute(&new, AttributeKind::UsageLimits).await,
        [limits(100)]
    );
}

#[tokio::test]
async fn generations_are_counted_and_the_latest_is_known() {
    let server = Server::start().await;
    let first = server.create(Vec::new()).await;
    server.wait(5);
    let second = replacement(&server, &first, None, Vec::new()).await;
    server.wait(5);
    let third = replacement(&server, &second, None, Vec::new()).await;
    for (id, generation, latest, rotated) in [
        (&first, 0, false, Some(START.0 + 5)),
        (&second, 1, false, Some(START.0 + 10)),
        (&third, 2, true, None),
    ] {
        let of = |kind| {
            server.ask_in(
                V2_1,
                &server.east,
                RequestPayload::GetAttributes(crate::kmip::payload::GetAttributesRequest {
                    unique_identifier: Some(id.as_str().into()),
                    attribute_names: vec![kind],
                }),
            )
        };
        let mut told = Vec::new();
        for kind in [
            AttributeKind::RotateGeneration,
            AttributeKind::RotateLatest,
            AttributeKind::RotateDate,
        ] {
            match of(kind.into()).await.payload {
                Some(ResponsePayload::GetAttributes(got)) => {
                    told.extend(got.attributes.0.into_iter().map(|attribute| attribute.value));
                }
                other => panic!("{other:?}"),
            }
        }
        let mut expected = vec![
            AttributeValue::RotateGeneration(generation),
            AttributeValue::RotateLatest(latest),
        ];
        expected.extend(rotated.map(|moment| AttributeValue::RotateDate(DateTime(moment))));
        assert_eq!(told, expected);
    }
}

#[tokio::test]
async fn rotation_that_nobody_would_do_is_not_promised() {
    let server = Server::start().await;
    for value in [
        AttributeValue::RotateAutomatic(true),
        AttributeValue::RotateInterval(3600),
        AttributeValue::RotateOffset(0),
    ] {
        let request = RequestPayload::Create(CreateRequest {
            object_type: crate::kmip::enumeration::ObjectType::SymmetricKey,
            template_attribute: crate::key::testing::template_of_vcenter()
                .into_iter()
                .chain([value.into()])
                .collect::<Vec<_>>()
                .into(),
            protection_storage_masks: None,
        });
        let item = server.ask_in(V2_1, &server.east, request).await;
        assert_eq!(item.result_reason, Some(ResultReason::InvalidField), "{item:?}");
    }
}

#[tokio::test]
async fn nothing_is_left_of_a_destroyed_key_to_be_replaced() {
    let server = Server::start().await;
    let old = server.create(vec![name("gone").into()]).await;
    let destroy = RequestPayload::Destroy(DestroyRequest {
        unique_identifier: Some(old.as_str().into()),
    });
    server.done(destroy).await;
    for (version, reason) in [
        (V1_0, ResultReason::PermissionDenied),
        (V1_4, ResultReason::PermissionDenied),
        (V2_1, ResultReason::ObjectDestroyed),
    ] {
        let item = server
            .ask_in(version, &server.east, re_key(&old, None, Vec::new()))
            .await;
        assert_eq!(item.result_reason, Some(reason), "{version}");
    }
}

#[tokio::test]
async fn both_keys_and_the_record_are_written_together() {
    let server = Server::start().await;
    let old = server.create(vec![name("one").into()]).await;
    let before = server.records().await.len();
    let new = replacement(&server, &old, None, Vec::new()).await;
    let records = server.records().await;
    let [record] = &records[before..] else {
        panic!("{} records", records.len() - before);
    };
    assert_eq!(record.event, EventName::KmipReKey);
    assert_eq!(record.object.as_ref().unwrap().identifier, new);
    assert_eq!(record.details["replaces"], old);
    assert!(record.root_key.is_some());
}

#[tokio::test]
async fn another_adapters_key_is_not_replaced() {
    let server = Server::start().await;
    let old = server.create(Vec::new()).await;
    let item = server
        .ask_in(V1_4, &server.west, re_key(&old, None, Vec::new()))
        .await;
    assert_eq!(item.result_reason, Some(ResultReason::ItemNotFound));
    server.done(get(&old)).await;
}
