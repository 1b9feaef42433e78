//! The operations that came with KMIP 2.0 and 2.1.

use super::server::{Server, create};
use crate::kmip::attribute::{Attribute, AttributeKind, AttributeName, AttributeValue, Attributes, Name};
use crate::kmip::enumeration::{
    AdjustmentType, CryptographicAlgorithm, InteropFunction, NameType, ObjectType, Operation,
    ProtectionLevel, QueryFunction, ResultReason, ResultStatus,
};
use crate::kmip::mask::ProtectionStorageMask;
use crate::kmip::message::ResponseItem;
use crate::kmip::payload::{
    AdjustAttributeRequest, Constraint, Constraints, CreateRequest, DefaultsInformation, EmptyPayload,
    InteropRequest, LogRequest, ObjectDefaults, ObjectGroups, ObjectTypes, ProtectionStorageMasks,
    QueryRequest, RequestPayload, ResponsePayload, SetAttributeRequest, SetConstraintsRequest,
    SetDefaultsRequest,
};
use crate::kmip::ttlv::Value;
use crate::kmip::version::{V1_4, V2_0, V2_1};

impl Server {
    async fn ask_2_1(&self, payload: RequestPayload<'_>) -> ResponseItem<'static> {
        self.ask_in(V2_1, &self.east, payload).await
    }

    async fn refused_2_1(&self, payload: RequestPayload<'_>) -> ResultReason {
        let item = self.ask_2_1(payload).await;
        assert_eq!(item.result_status, ResultStatus::OperationFailed, "{item:?}");
        item.result_reason.unwrap()
    }

    async fn done_2_1(&self, payload: RequestPayload<'_>) -> ResponsePayload<'static> {
        let item = self.ask_2_1(payload).await;
        assert_eq!(item.result_status, ResultStatus::Success, "{item:?}");
        item.payload.unwrap()
    }
}

fn set(id: &str, value: AttributeValue) -> RequestPayload<'_> {
    RequestPayload::SetAttribute(SetAttributeRequest {
        unique_identifier: Some(id.into()),
        attribute: value.into(),
    })
}

fn adjust<'a>(id: &'a str, name: &str, adjustment_type: AdjustmentType) -> RequestPayload<'a> {
    RequestPayload::AdjustAttribute(AdjustAttributeRequest {
        unique_identifier: Some(id.into()),
        attribute_name: AttributeName::from_text(name),
        adjustment_type,
        adjustment_value: None,
    })
}

fn count(number: i32) -> AttributeValue {
    AttributeValue::Other {
        name: "x-Count".into(),
        value: Value::Integer(number),
    }
}

fn named(name: &str) -> AttributeValue {
    AttributeValue::Name(Name {
        value: name.into(),
        name_type: NameType::UninterpretedTextString,
    })
}

/// Create with no more than these attributes.
fn bare(values: Vec<AttributeValue>) -> RequestPayload<'static> {
    let attributes: Vec<_> = values.into_iter().map(Attribute::new).collect();
    RequestPayload::Create(CreateRequest {
        object_type: ObjectType::SymmetricKey,
        template_attribute: attributes.into(),
        protection_storage_masks: None,
    })
}

fn aes(bits: i32, more: Vec<AttributeValue>) -> RequestPayload<'static> {
    let mut values = vec![
        AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::AES),
        AttributeValue::CryptographicLength(bits),
        AttributeValue::CryptographicUsageMask(crate::kmip::mask::CryptographicUsageMask::ENCRYPT),
    ];
    values.extend(more);
    bare(values)
}

fn for_keys_of_length(bits: i32, group: Option<&str>) -> Constraint {
    Constraint {
        object_types: Some(ObjectTypes {
            object_types: vec![ObjectType::SymmetricKey],
        }),
        object_groups: group.map(|group| ObjectGroups {
            object_groups: vec![group.into()],
        }),
        attributes: Some(Attributes(vec![AttributeValue::CryptographicLength(bits).into()])),
    }
}

fn constrain(constraints: Vec<Constraint>) -> RequestPayload<'static> {
    RequestPayload::SetConstraints(SetConstraintsRequest {
        constraints: Some(Constraints { constraints }),
    })
}

fn default_to(values: Vec<AttributeValue>) -> RequestPayload<'static> {
    let attributes = values.into_iter().map(Attribute::new).collect();
    RequestPayload::SetDefaults(SetDefaultsRequest {
        defaults_information: Some(DefaultsInformation {
            object_defaults: vec![ObjectDefaults {
                object_types: ObjectTypes {
                    object_types: vec![ObjectType::SymmetricKey],
                },
                attributes: Attributes(attributes),
                object_groups: None,
            }],
        }),
    })
}

#[tokio::test]
async fn an_attribute_is_set_whether_it_was_there_or_not() {
    let server = Server::start().await;
    let id = server.create(vec![]).await;
    for text in ["first", "second"] {
        server
            .done_2_1(set(&id, AttributeValue::Comment(text.into())))
            .await;
        let comment = server.attribute(&id, AttributeKind::Comment).await;
        assert_eq!(comment, [AttributeValue::Comment(text.into())]);
    }
}

#[tokio::test]
async fn an_attribute_with_several_instances_is_not_set_over() {
    let server = Server::start().await;
    let groups = ["a", "b"].map(|group| AttributeValue::ObjectGroup(group.into()).into());
    let id = server.create(groups.to_vec()).await;
    let asked = set(&id, AttributeValue::ObjectGroup("c".into()));
    assert_eq!(
        server.refused_2_1(asked).await,
        ResultReason::MultiValuedAttribute
    );
    assert_eq!(server.attribute(&id, AttributeKind::ObjectGroup).await.len(), 2);
}

#[tokio::test]
async fn what_the_server_alone_sets_is_not_set_by_a_client() {
    let server = Server::start().await;
    let id = server.create(vec![]).await;
    let asked = set(&id, AttributeValue::CryptographicLength(128));
    assert_eq!(server.refused_2_1(asked).await, ResultReason::ReadOnlyAttribute);
    let asked = adjust(&id, "Cryptographic Length", AdjustmentType::Increment);
    assert_eq!(server.refused_2_1(asked).await, ResultReason::ReadOnlyAttribute);
}

#[tokio::test]
async fn a_name_is_not_set_twice_in_an_adapter() {
    let server = Server::start().await;
    server.create(vec![named("vm").into()]).await;
    let id = server.create(vec![named("other").into()]).await;
    assert_eq!(
        server.refused_2_1(set(&id, named("vm"))).await,
        ResultReason::NonUniqueNameAttribute
    );
}

#[tokio::test]
async fn a_counter_of_a_clients_is_counted_and_recorded() {
    let server = Server::start().await;
    let id = server.create(vec![]).await;
    for _ in 0..3 {
        server
            .done_2_1(adjust(&id, "x-Count", AdjustmentType::Increment))
            .await;
    }
    server
        .done_2_1(adjust(&id, "x-Count", AdjustmentType::Negate))
        .await;
    // It has the value -3, so that this finds nothing to do with a moment or a text.
    server.done_2_1(set(&id, count(i32::MIN))).await;
    assert_eq!(
        server
            .refused_2_1(adjust(&id, "x-Count", AdjustmentType::Decrement))
            .await,
        ResultReason::NumericRange
    );
    assert_eq!(
        server
            .refused_2_1(adjust(&id, "Comment", AdjustmentType::Increment))
            .await,
        ResultReason::InvalidDataType
    );
    let adjusted = server.records().await;
    let adjusted = adjusted
        .iter()
        .filter(|record| record.event.as_str() == "kmip.adjust-attribute");
    assert_eq!(adjusted.count(), 6);
}

#[tokio::test]
async fn a_date_is_moved_only_as_it_could_be_set() {
    let server = Server::start().await;
    let id = server.create(vec![]).await;
    let now = server.wait(0);
    let later = crate::kmip::ttlv::DateTime(now.0 + 60);
    server
        .done_2_1(set(&id, AttributeValue::DeactivationDate(later)))
        .await;
    server
        .done_2_1(adjust(&id, "Deactivation Date", AdjustmentType::Increment))
        .await;
    let moved = server.attribute(&id, AttributeKind::DeactivationDate).await;
    let expected = crate::kmip::ttlv::DateTime(later.0 + 1);
    assert_eq!(moved, [AttributeValue::DeactivationDate(expected)]);
}

#[tokio::test]
async fn a_clients_message_is_in_the_custody_log_whole_or_not_at_all() {
    let server = Server::start().await;
    let log = |message| RequestPayload::Log(LogRequest { log_message: message });
    server.done_2_1(log("the array was opened")).await;
    let too_much = "x".repeat(super::super::notice::MESSAGE_AT_MOST + 1);
    assert_eq!(
        server.refused_2_1(log(&too_much)).await,
        ResultReason::InvalidField
    );
    let records = server.records().await;
    let messages: Vec<_> = records
        .iter()
        .filter_map(|record| record.details.get("message"))
        .collect();
    assert_eq!(messages, ["the array was opened"]);
}

#[tokio::test]
async fn a_test_that_is_marked_changes_nothing() {
    let server = Server::start().await;
    let id = server.create(vec![]).await;
    for interop_function in [
        InteropFunction::Begin,
        InteropFunction::Reset,
        InteropFunction::End,
    ] {
        let marked = server.done_2_1(RequestPayload::Interop(InteropRequest {
            interop_function,
            interop_identifier: "TC-1",
        }));
        assert!(matches!(marked.await, ResponsePayload::Interop(EmptyPayload)));
    }
    assert_eq!(server.get(&id).await.len(), 32);
}

#[tokio::test]
async fn a_ping_is_answered_and_leaves_no_record() {
    let server = Server::start().await;
    let before = server.records().await.len();
    server.done_2_1(RequestPayload::Ping(EmptyPayload)).await;
    assert_eq!(server.records().await.len(), before);
}

#[tokio::test]
async fn an_operation_is_not_there_before_the_version_that_it_came_with() {
    let server = Server::start().await;
    for version in [V1_4, V2_0] {
        let item = server
            .ask_in(version, &server.east, RequestPayload::Ping(EmptyPayload))
            .await;
        assert_eq!(item.result_reason, Some(ResultReason::OperationNotSupported));
    }
}

#[tokio::test]
async fn a_key_against_the_constraints_is_not_made() {
    let server = Server::start().await;
    let constraints = vec![
        for_keys_of_length(256, Some("Group1")),
        for_keys_of_length(192, None),
    ];
    server.done_2_1(constrain(constraints.clone())).await;
    let ResponsePayload::GetConstraints(got) = server
        .done_2_1(RequestPayload::GetConstraints(EmptyPayload))
        .await
    else {
        panic!("another payload");
    };
    assert_eq!(got.constraints.constraints, constraints);
    let group = || vec![AttributeValue::ObjectGroup("Group1".into())];
    for (bits, more, allowed) in [
        (192, vec![], true),
        (256, vec![], false),
        (256, group(), true),
        (192, group(), false),
    ] {
        let item = server.ask_2_1(aes(bits, more)).await;
        let reason = (!allowed).then_some(ResultReason::ConstraintViolation);
        assert_eq!(item.result_reason, reason, "{bits}");
    }
    // Another adapter has its own, and a client of 1.x meets them too.
    let elsewhere = server.ask_in(V2_1, &server.west, aes(128, vec![])).await;
    assert_eq!(elsewhere.result_status, ResultStatus::Success);
    assert_eq!(
        server.refused(create(vec![])).await,
        ResultReason::PermissionDenied
    );
    server
        .done_2_1(RequestPayload::SetConstraints(SetConstraintsRequest::default()))
        .await;
    server.done_2_1(aes(128, vec![])).await;
}

#[tokio::test]
async fn what_a_maker_leaves_out_the_defaults_give() {
    let server = Server::start().await;
    server
        .done_2_1(default_to(vec![
            AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::AES),
            AttributeValue::CryptographicLength(256),
            AttributeValue::CryptographicUsageMask(crate::kmip::mask::CryptographicUsageMask::ENCRYPT),
        ]))
        .await;
    let ResponsePayload::Create(made) = server
        .done_2_1(bare(vec![AttributeValue::CryptographicLength(128)]))
        .await
    else {
        panic!("another payload");
    };
    let id = made.unique_identifier;
    assert_eq!(
        server.attribute(&id, AttributeKind::CryptographicAlgorithm).await,
        [AttributeValue::CryptographicAlgorithm(
            CryptographicAlgorithm::AES
        )]
    );
    assert_eq!(
        server.attribute(&id, AttributeKind::CryptographicLength).await,
        [AttributeValue::CryptographicLength(128)]
    );
    let ResponsePayload::Query(told) = server
        .done_2_1(RequestPayload::Query(QueryRequest {
            query_functions: vec![QueryFunction::QueryDefaultsInformation],
            object_groups: None,
        }))
        .await
    else {
        panic!("another payload");
    };
    assert_eq!(told.defaults_information.unwrap().object_defaults.len(), 1);
    server
        .done_2_1(RequestPayload::SetDefaults(SetDefaultsRequest::default()))
        .await;
    let item = server.ask_2_1(bare(vec![])).await;
    assert_eq!(item.result_status, ResultStatus::OperationFailed);
}

#[tokio::test]
async fn defaults_that_no_client_could_give_are_refused() {
    let server = Server::start().await;
    let moment = server.wait(0);
    let asked = default_to(vec![AttributeValue::InitialDate(moment)]);
    assert_eq!(server.refused_2_1(asked).await, ResultReason::AttributeReadOnly);
}

#[tokio::test]
async fn an_adapter_keeps_no_more_constraints_than_it_may() {
    let server = Server::start().await;
    let constraints = vec![for_keys_of_length(256, None); 2_000];
    assert_eq!(
        server.refused_2_1(constrain(constraints)).await,
        ResultReason::InvalidField
    );
}

#[tokio::test]
async fn a_key_that_is_to_be_quantum_safe_is_long_enough() {
    let server = Server::start().await;
    let safe = || {
        vec![
            AttributeValue::ProtectionLevel(ProtectionLevel::High),
            AttributeValue::QuantumSafe(true),
        ]
    };
    assert_eq!(
        server.refused_2_1(aes(128, safe())).await,
        ResultReason::GeneralFailure
    );
    server.done_2_1(aes(256, safe())).await;
}

#[tokio::test]
async fn a_key_is_kept_as_its_maker_allows_or_not_made() {
    let server = Server::start().await;
    let kept = |masks: &[ProtectionStorageMask]| {
        let RequestPayload::Create(request) = aes(256, vec![]) else {
            unreachable!()
        };
        RequestPayload::Create(CreateRequest {
            protection_storage_masks: Some(ProtectionStorageMasks {
                masks: masks.to_vec(),
            }),
            ..request
        })
    };
    let (software, hardware) = (ProtectionStorageMask::SOFTWARE, ProtectionStorageMask::HARDWARE);
    server.done_2_1(kept(&[software, hardware])).await;
    for masks in [&[software][..], &[software | hardware]] {
        assert_eq!(
            server.refused_2_1(kept(masks)).await,
            ResultReason::ProtectionStorageUnavailable
        );
    }
}

#[tokio::test]
async fn a_client_is_told_of_no_operation_that_its_version_does_not_have() {
    let server = Server::start().await;
    let mut told = Vec::new();
    for version in [V1_4, V2_0, V2_1] {
        let request = RequestPayload::Query(QueryRequest {
            query_functions: vec![QueryFunction::QueryOperations],
            object_groups: None,
        });
        match server.ask_in(version, &server.east, request).await.payload {
            Some(ResponsePayload::Query(answer)) => told.push(answer.operations),
            other => panic!("{other:?}"),
        }
    }
    let has = |operation| {
        told.iter()
            .map(|told| told.contains(&operation))
            .collect::<Vec<_>>()
    };
    assert_eq!(has(Operation::Get), [true, true, true]);
    assert_eq!(has(Operation::SetAttribute), [false, true, true]);
    assert_eq!(has(Operation::Ping), [false, false, true]);
}
