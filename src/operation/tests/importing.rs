//! Objects that leave with all that is known of them, and come with it.

use super::batches::batch;
use super::server::{START, Server, get, material};
use crate::adapter::Caller;
use crate::custody::{EventName, Outcome};
use crate::key::testing::named;
use crate::kmip::ProtocolVersion;
use crate::kmip::attribute::{
    Attribute, AttributeKind, AttributeValue, Digest, RevocationReason, UsageLimits,
};
use crate::kmip::enumeration::{
    BatchErrorContinuationOption, HashingAlgorithm, KeyWrapType, ObjectType, OpaqueDataType, ResultReason,
    ResultStatus, RevocationReasonCode, State, UsageLimitsUnit,
};
use crate::kmip::message::{Credential, RequestHeader, RequestItem, RequestMessage, ResponseItem};
use crate::kmip::object::{Object, OpaqueObject};
use crate::kmip::payload::{
    ActivateRequest, DestroyRequest, ExportRequest, ExportResponse, GetUsageAllocationRequest, ImportRequest,
    RequestPayload, ResponsePayload, RevokeRequest,
};
use crate::kmip::ttlv::DateTime;
use crate::kmip::version::{V1_4, V2_1};

const NEW: &str = "01234567-89ab-7def-8123-456789abcdef";

fn export(id: &str) -> RequestPayload<'_> {
    RequestPayload::Export(ExportRequest {
        unique_identifier: Some(id.into()),
        ..ExportRequest::default()
    })
}

async fn exported(
    server: &Server,
    version: ProtocolVersion,
    caller: &Caller,
    id: &str,
) -> ExportResponse<'static> {
    match server.ask_in(version, caller, export(id)).await.payload {
        Some(ResponsePayload::Export(exported)) => exported,
        other => panic!("{other:?}"),
    }
}

/// A wish to import what was exported, under its own identifier or another.
fn import(
    exported: ExportResponse<'static>,
    id: &'static str,
    replace: Option<bool>,
) -> RequestPayload<'static> {
    let mut attributes = exported.attributes;
    attributes.0.retain(|attribute| {
        !matches!(
            attribute.value,
            AttributeValue::UniqueIdentifier(_) | AttributeValue::ShortUniqueIdentifier(_)
        )
    });
    RequestPayload::Import(ImportRequest {
        unique_identifier: id.into(),
        object_type: None,
        replace_existing: replace,
        key_wrap_type: None,
        attributes,
        object: exported.object,
    })
}

/// An object of a few bytes with these attributes.
fn opaque(attributes: Vec<Attribute>) -> ExportResponse<'static> {
    ExportResponse {
        unique_identifier: NEW.to_owned(),
        attributes: attributes.into(),
        object: Object::OpaqueObject(OpaqueObject {
            data_type: OpaqueDataType::from(0x8000_0001),
            value: b"few"[..].into(),
        }),
    }
}

fn reason(item: &ResponseItem<'_>) -> Option<ResultReason> {
    assert_eq!(item.result_status, ResultStatus::OperationFailed, "{item:?}");
    item.result_reason
}

fn compromised(id: &str) -> RequestPayload<'_> {
    RequestPayload::Revoke(RevokeRequest {
        unique_identifier: Some(id.into()),
        revocation_reason: RevocationReason {
            code: RevocationReasonCode::KeyCompromise,
            message: Some("a laptop was stolen".into()),
        },
        compromise_occurrence_date: Some(DateTime(START.0 - 60)),
    })
}

/// A key with a past: limits of which some were used, a state, a date of each kind.
async fn key_with_a_past(server: &Server) -> String {
    let limits = UsageLimits {
        total: 1000,
        count: None,
        unit: UsageLimitsUnit::Byte,
    };
    let id = server
        .create(vec![
            named("disk 1"),
            named("disk 2"),
            Attribute::custom_text("x-Product", "vSphere"),
            AttributeValue::UsageLimits(limits).into(),
            AttributeValue::Sensitive(false).into(),
        ])
        .await;
    server.wait(5);
    let unique_identifier = Some(id.as_str().into());
    server
        .done(RequestPayload::Activate(ActivateRequest { unique_identifier }))
        .await;
    server
        .done(RequestPayload::GetUsageAllocation(GetUsageAllocationRequest {
            unique_identifier,
            usage_limits_count: 400,
        }))
        .await;
    server.wait(5);
    server.done(compromised(&id)).await;
    server.wait(5);
    id
}

#[tokio::test]
async fn a_key_is_the_same_in_another_server_with_all_that_was_known_of_it() {
    for version in [V1_4, V2_1] {
        let (here, there) = (Server::start().await, Server::start().await);
        let id: &'static str = key_with_a_past(&here).await.leak();
        there.wait(3600);
        let sent = exported(&here, version, &here.east, id).await;
        let (attributes, value) = (sent.attributes.clone(), material(&sent.object));
        let request = RequestPayload::Import(ImportRequest {
            unique_identifier: id.into(),
            object_type: version.tags_attributes().then_some(ObjectType::SymmetricKey),
            replace_existing: None,
            key_wrap_type: None,
            attributes: sent.attributes,
            object: sent.object,
        });
        let imported = there.ask_in(version, &there.west, request).await;
        assert_eq!(imported.result_status, ResultStatus::Success, "{imported:?}");
        let came = exported(&there, version, &there.west, id).await;
        assert_eq!(material(&came.object), value);
        assert_eq!(came.attributes, attributes);
        let has = |value: AttributeValue| attributes.iter().any(|attribute| attribute.value == value);
        assert!(has(AttributeValue::State(State::Compromised)) && has(AttributeValue::InitialDate(START)));
    }
}

#[tokio::test]
async fn an_import_takes_no_place_that_it_was_not_told_to_take() {
    let server = Server::start().await;
    let id: &'static str = server.create(vec![named("disk")]).await.leak();
    let before = server.get(id).await;
    for replace in [None, Some(false)] {
        let sent = exported(&server, V1_4, &server.east, id).await;
        let reason = server.refused(import(sent, id, replace)).await;
        assert_eq!(reason, ResultReason::ObjectAlreadyExists);
    }
    assert_eq!(server.get(id).await, before);

    server
        .done(import(opaque(vec![named("disk")]), id, Some(true)))
        .await;
    assert_eq!(server.get(id).await, b"few");
    let record = server.records().await;
    let imported = record
        .iter()
        .rfind(|record| record.event == EventName::KmipImport);
    assert!(imported.is_some_and(|record| record.details.contains_key("replaces")));
}

#[tokio::test]
async fn an_identifier_of_another_adapter_tells_nothing_and_takes_nothing() {
    let server = Server::start().await;
    let theirs: &'static str = server.create_for(&server.west, vec![]).await.leak();
    let mine: &'static str = server.create(vec![]).await.leak();
    let before = exported(&server, V1_4, &server.west, theirs).await;
    let mut answers = Vec::new();
    for (id, replace) in [(mine, None), (theirs, None), (theirs, Some(true))] {
        let request = RequestMessage {
            header: RequestHeader::new(V1_4),
            items: vec![RequestItem::new(import(opaque(vec![]), id, replace))].into(),
        };
        let (answer, _) = server
            .bytes(&server.east, &super::server::encoded(&request))
            .await;
        answers.push(answer);
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    let after = exported(&server, V1_4, &server.west, theirs).await;
    assert_eq!(material(&after.object), material(&before.object));
    // What is somebody else's cannot be exported either.
    let refused = server.refused(export(theirs)).await;
    assert_eq!(refused, ResultReason::ItemNotFound);
    // Under an identifier of its own, an object goes from one adapter to another.
    server.done(import(before, NEW, None)).await;
    assert_eq!(server.get(NEW).await, material(&after.object));
}

#[tokio::test]
async fn an_identifier_of_another_form_is_refused() {
    let server = Server::start().await;
    for id in [
        "disk-1",
        "",
        "0123456789ab7def8123456789abcdef",
        "01234567-89AB-7DEF-8123-456789ABCDEF",
    ] {
        let reason = server.refused(import(opaque(vec![]), id, None)).await;
        assert_eq!(reason, ResultReason::InvalidField, "{id}");
    }
}

#[tokio::test]
async fn an_import_that_contradicts_itself_is_refused() {
    let server = Server::start().await;
    let contradictions = [
        AttributeValue::State(State::Active),
        AttributeValue::ObjectType(ObjectType::SymmetricKey),
        AttributeValue::UniqueIdentifier("another".into()),
        AttributeValue::InitialDate(DateTime(START.0 + 86_400)),
        AttributeValue::CompromiseOccurrenceDate(START),
        AttributeValue::AlwaysSensitive(true),
        AttributeValue::DestroyDate(START),
        AttributeValue::CertificateLength(12),
        AttributeValue::RotateAutomatic(true),
    ];
    for value in contradictions {
        let mut request = import(opaque(vec![]), NEW, None);
        if let RequestPayload::Import(request) = &mut request {
            request.attributes = vec![value.clone().into()].into();
        }
        let item = server.ask_in(V2_1, &server.east, request).await;
        assert_eq!(item.result_status, ResultStatus::OperationFailed, "{value:?}");
    }
    // A digest of other bytes.
    let id = server.create(vec![]).await;
    let mut sent = exported(&server, V1_4, &server.east, &id).await;
    sent.attributes
        .0
        .retain(|attribute| attribute.name() != AttributeKind::Digest.into());
    sent.attributes.0.push(
        AttributeValue::Digest(Digest {
            hashing_algorithm: HashingAlgorithm::SHA_256,
            digest_value: Some(vec![0; 32]),
            key_format_type: None,
        })
        .into(),
    );
    server.refused(import(sent, NEW, None)).await;
    let nothing = server.ask(get(NEW)).await;
    assert_eq!(reason(&nothing), Some(ResultReason::ItemNotFound));
}

#[tokio::test]
async fn of_a_destroyed_key_the_attributes_leave_and_come_alone() {
    let (here, there) = (Server::start().await, Server::start().await);
    let id: &'static str = here.create(vec![named("disk")]).await.leak();
    here.done(RequestPayload::Destroy(DestroyRequest {
        unique_identifier: Some(id.into()),
    }))
    .await;
    let sent = exported(&here, V1_4, &here.east, id).await;
    assert!(matches!(&sent.object, Object::SymmetricKey(block) if block.key_value.is_none()));
    let attributes = sent.attributes.clone();
    there.done(import(sent, id, None)).await;
    assert_eq!(there.state(id).await, State::Destroyed);
    assert_eq!(
        exported(&there, V1_4, &there.east, id).await.attributes,
        attributes
    );
}

#[tokio::test]
async fn what_may_not_leave_is_not_exported() {
    let server = Server::start().await;
    for (attribute, refusal) in [
        (AttributeValue::Sensitive(true), ResultReason::Sensitive),
        (AttributeValue::Extractable(false), ResultReason::NotExtractable),
    ] {
        let id = server.create(vec![attribute.into()]).await;
        assert_eq!(server.refused(export(&id)).await, refusal);
    }
    let id = server.create(vec![]).await;
    server.done(export(&id)).await;
    let records = server.records().await;
    let outcomes: Vec<_> = records
        .iter()
        .filter(|record| record.event == EventName::KmipExport)
        .map(|record| record.outcome)
        .collect();
    assert_eq!(outcomes, [Outcome::Refused, Outcome::Refused, Outcome::Success]);
}

#[tokio::test]
async fn a_clear_key_need_not_be_unwrapped() {
    let server = Server::start().await;
    let mut request = import(opaque(vec![]), NEW, None);
    if let RequestPayload::Import(request) = &mut request {
        request.key_wrap_type = Some(KeyWrapType::NotWrapped);
    }
    server.done(request).await;
    assert_eq!(server.get(NEW).await, b"few");
}

#[tokio::test]
async fn an_import_is_undone_with_its_batch() {
    let server = Server::start().await;
    let kept: &'static str = server.create(vec![]).await.leak();
    let before = server.get(kept).await;
    let mut request = batch(vec![
        import(opaque(vec![]), NEW, None),
        import(opaque(vec![]), kept, Some(true)),
        get("nobody's"),
    ]);
    request.header.batch_error_continuation_option = Some(BatchErrorContinuationOption::Undo);
    let response = server.message(&server.east, &request).await;
    assert_eq!(response.items[0].result_status, ResultStatus::OperationUndone);
    assert_eq!(server.refused(get(NEW)).await, ResultReason::ItemNotFound);
    assert_eq!(server.get(kept).await, before);
}

#[tokio::test]
async fn one_user_replaces_nothing_of_another() {
    let server = Server::start().await;
    let by = |username, payload| {
        let mut request = batch(vec![payload]);
        request.header.credentials = vec![Credential::UsernameAndPassword {
            username,
            password: None,
        }];
        request
    };
    let of_owner = || opaque(vec![AttributeValue::OperationPolicyName("default".into()).into()]);
    let fred = by("Fred", import(of_owner(), NEW, None));
    let made = server.message(&server.east, &fred).await;
    assert_eq!(made.items[0].result_status, ResultStatus::Success, "{made:?}");
    for payload in [import(of_owner(), NEW, Some(true)), export(NEW)] {
        let refused = server.message(&server.east, &by("Barney", payload)).await;
        assert_eq!(refused.items[0].result_status, ResultStatus::OperationFailed);
    }
    let fred = by("Fred", import(of_owner(), NEW, Some(true)));
    let replaced = server.message(&server.east, &fred).await;
    assert_eq!(
        replaced.items[0].result_status,
        ResultStatus::Success,
        "{replaced:?}"
    );
}
