//! Messages: versions, batches, sizes, extensions, and what cannot be read.

use super::server::{Server, create, decoded, encoded, get};
use crate::custody::{Actor, EventName};
use crate::kmip::ProtocolVersion;
use crate::kmip::attribute::{
    AttributeKind, AttributePattern, AttributeValue, CryptographicDomainParameters, Name,
};
use crate::kmip::enumeration::{
    BatchErrorContinuationOption, CredentialType, Operation, QueryFunction, ResultReason, ResultStatus,
};
use crate::kmip::message::{
    Credential, MessageExtension, Password, RequestHeader, RequestItem, RequestMessage, ResponseMessage,
};
use crate::kmip::payload::{
    ActivateRequest, DestroyRequest, DiscoverVersionsRequest, GetAttributesRequest, GetRequest,
    LocateRequest, QueryRequest, RequestPayload, ResponsePayload,
};
use crate::kmip::version::{V1_0, V1_1, V1_4, V2_1};
use crate::operation::Disposition;

/// A batch whose items are named 1, 2, 3 and so on.
pub(super) fn batch(payloads: Vec<RequestPayload<'_>>) -> RequestMessage<'_> {
    const IDS: [[u8; 1]; 8] = [[1], [2], [3], [4], [5], [6], [7], [8]];
    let items = payloads.into_iter().zip(&IDS).map(|(payload, id)| RequestItem {
        unique_batch_item_id: Some(id),
        ..RequestItem::new(payload)
    });
    RequestMessage {
        header: RequestHeader::new(V1_4),
        items: items.collect(),
    }
}

pub(super) fn statuses(response: &ResponseMessage<'_>) -> Vec<ResultStatus> {
    response.items.iter().map(|item| item.result_status).collect()
}

pub(super) const NOBODY: &str = "01234567-89ab-7def-8123-456789abcdef";
const SUCCESS: ResultStatus = ResultStatus::Success;
const FAILED: ResultStatus = ResultStatus::OperationFailed;

#[tokio::test]
async fn a_batch_stops_at_the_first_item_that_fails() {
    let server = Server::start().await;
    let request = batch(vec![create(vec![]), get(NOBODY), create(vec![])]);
    let response = server.message(&server.east, &request).await;
    assert_eq!(statuses(&response), [SUCCESS, FAILED]);
}

#[tokio::test]
async fn a_batch_goes_on_where_the_client_wants_it_to() {
    let server = Server::start().await;
    let mut request = batch(vec![create(vec![]), get(NOBODY), create(vec![])]);
    request.header.batch_error_continuation_option = Some(BatchErrorContinuationOption::Continue);
    let response = server.message(&server.east, &request).await;
    assert_eq!(statuses(&response), [SUCCESS, FAILED, SUCCESS]);
    assert_eq!(response.items[2].unique_batch_item_id.as_deref(), Some(&[3][..]));
}

#[tokio::test]
async fn the_items_of_a_batch_have_names() {
    let server = Server::start().await;
    let mut request = batch(vec![create(vec![]), create(vec![])]);
    request.items[1].unique_batch_item_id = None;
    let response = server.message(&server.east, &request).await;
    assert_eq!(statuses(&response), [FAILED, FAILED]);
    assert_eq!(
        response.items[0].result_reason,
        Some(ResultReason::InvalidMessage)
    );
}

#[tokio::test]
async fn a_batch_longer_than_any_that_is_worked_on_is_refused() {
    let server = Server::start().await;
    let items = (0..1_001).map(|_| RequestItem {
        unique_batch_item_id: Some(b"same"),
        ..RequestItem::new(RequestPayload::DiscoverVersions(
            DiscoverVersionsRequest::default(),
        ))
    });
    let request = RequestMessage {
        header: RequestHeader::new(V1_4),
        items: items.collect(),
    };
    let response = server.message(&server.east, &request).await;
    assert!(response.items.iter().all(|item| item.result_status == FAILED));
}

#[tokio::test]
async fn what_a_batch_makes_or_finds_is_meant_by_what_follows() {
    let server = Server::start().await;
    let activate = || RequestPayload::Activate(ActivateRequest::default());
    let name = AttributeValue::Name(Name::text("disk"));
    let request = batch(vec![
        create(vec![name.clone().into()]),
        activate(),
        RequestPayload::GetAttributes(GetAttributesRequest {
            unique_identifier: None,
            attribute_names: vec![AttributeKind::State.into()],
        }),
    ]);
    let response = server.message(&server.east, &request).await;
    assert_eq!(statuses(&response), [SUCCESS; 3]);

    let locate = RequestPayload::Locate(LocateRequest {
        attributes: [AttributePattern::equal_to(&name)].into_iter().collect(),
        ..LocateRequest::default()
    });
    let request = batch(vec![locate, RequestPayload::Get(GetRequest::default())]);
    let response = server.message(&server.east, &request).await;
    assert_eq!(statuses(&response), [SUCCESS; 2]);

    // It is forgotten with the batch.
    assert_eq!(server.refused(activate()).await, ResultReason::ItemNotFound);
}

#[tokio::test]
async fn a_locate_of_several_leaves_nothing_to_build_upon() {
    let server = Server::start().await;
    server.create(vec![]).await;
    server.create(vec![]).await;
    let all = |maximum_items| {
        RequestPayload::Locate(LocateRequest {
            maximum_items,
            ..LocateRequest::default()
        })
    };
    let destroy = || RequestPayload::Destroy(DestroyRequest::default());
    let several = batch(vec![create(vec![]), all(None), destroy()]);
    let response = server.message(&server.east, &several).await;
    assert_eq!(statuses(&response), [SUCCESS, SUCCESS, FAILED]);
    let one = batch(vec![all(Some(1)), destroy()]);
    let response = server.message(&server.east, &one).await;
    assert_eq!(statuses(&response), [SUCCESS; 2]);
}

#[tokio::test]
async fn a_batch_that_goes_on_does_not_destroy_what_an_item_before_the_failed_one_made() {
    let server = Server::start().await;
    let mut request = batch(vec![
        create(vec![]),
        create(vec![
            AttributeValue::CryptographicDomainParameters(CryptographicDomainParameters::default()).into(),
        ]),
        RequestPayload::Destroy(DestroyRequest::default()),
    ]);
    request.header.batch_error_continuation_option = Some(BatchErrorContinuationOption::Continue);
    let response = server.message(&server.east, &request).await;
    assert_eq!(statuses(&response), [SUCCESS, FAILED, FAILED]);
}

#[tokio::test]
async fn an_answer_that_the_client_cannot_take_is_not_sent() {
    let server = Server::start().await;
    let query = RequestPayload::Query(QueryRequest {
        query_functions: vec![QueryFunction::QueryOperations, QueryFunction::QueryObjects],
        object_groups: None,
    });
    let mut request = batch(vec![query]);
    request.header.maximum_response_size = Some(256);
    let response = server.message(&server.east, &request).await;
    assert_eq!(
        response.items[0].result_reason,
        Some(ResultReason::ResponseTooLarge)
    );
    assert_eq!(response.items[0].operation, Some(Operation::Query));
    assert_eq!(response.items[0].unique_batch_item_id.as_deref(), Some(&[1][..]));
    request.header.maximum_response_size = Some(2048);
    let response = server.message(&server.east, &request).await;
    assert_eq!(statuses(&response), [SUCCESS]);
}

#[tokio::test]
async fn a_key_that_does_not_fit_the_answer_is_not_in_it() {
    let server = Server::start().await;
    let id = server.create(vec![]).await;
    let key = server.get(&id).await;
    let mut request = batch(vec![get(&id)]);
    request.header.maximum_response_size = Some(200);
    let (bytes, _) = server.bytes(&server.east, &encoded(&request)).await;
    assert!(!bytes.windows(key.len()).any(|window| window == key));
    let last = server.records().await.pop().unwrap();
    assert_eq!(last.event, EventName::KmipGet);
    assert!(last.reason.unwrap().starts_with("Response Too Large"));
}

#[tokio::test]
async fn an_extension_is_passed_over_unless_it_is_critical() {
    let server = Server::start().await;
    for (criticality_indicator, expected) in [(false, SUCCESS), (true, FAILED)] {
        let mut request = batch(vec![create(vec![])]);
        request.items[0].message_extensions = vec![MessageExtension {
            vendor_identification: "Acme",
            criticality_indicator,
            vendor_extension: &[],
        }];
        let response = server.message(&server.east, &request).await;
        assert_eq!(statuses(&response), [expected]);
        assert_eq!(response.items[0].operation, Some(Operation::Create));
        let reason = criticality_indicator.then_some(ResultReason::FeatureNotSupported);
        assert_eq!(response.items[0].result_reason, reason);
    }
}

#[tokio::test]
async fn a_client_with_a_user_name_is_known_by_its_certificate() {
    let server = Server::start().await;
    let mut request = batch(vec![create(vec![])]);
    request.header.credentials = vec![Credential::UsernameAndPassword {
        username: "vcenter",
        password: Some(Password::new("correct horse")),
    }];
    let response = server.message(&server.east, &request).await;
    assert_eq!(statuses(&response), [SUCCESS]);
    let record = server.records().await.pop().unwrap();
    assert_eq!(
        record.details["credentials-not-used"],
        CredentialType::UsernameAndPassword.to_string()
    );
    assert!(!serde_json::to_string(&record).unwrap().contains("horse"));
    assert!(matches!(record.actor, Actor::Client { user: Some(user), .. } if user == "user vcenter"));
}

#[tokio::test]
async fn a_request_with_a_word_of_the_client_s_gets_one_of_the_server_s_and_both_are_recorded() {
    let server = Server::start().await;
    let mut request = batch(vec![create(vec![])]);
    request.header.client_correlation_value = Some("backup job 7");
    let response = server.message(&server.east, &request).await;
    let word = response.header.server_correlation_value.unwrap();
    let record = server.records().await.pop().unwrap();
    let request = record.request.unwrap();
    assert_eq!(request.server_correlation, Some(word));
    assert_eq!(request.client_correlation.as_deref(), Some("backup job 7"));
}

#[tokio::test]
async fn each_version_is_answered_in_kind() {
    let server = Server::start().await;
    for version in ProtocolVersion::SUPPORTED {
        let item = server
            .ask_in(
                version,
                &server.east,
                RequestPayload::DiscoverVersions(DiscoverVersionsRequest::default()),
            )
            .await;
        assert_eq!(item.result_status, SUCCESS);
    }
}

#[tokio::test]
async fn versions_that_are_not_spoken_are_refused_in_one_that_any_client_reads() {
    let server = Server::start().await;
    let mut request = batch(vec![RequestPayload::DiscoverVersions(
        DiscoverVersionsRequest::default(),
    )]);
    request.header.protocol_version = ProtocolVersion::new(3, 0);
    let response = server.message(&server.east, &request).await;
    assert_eq!(response.header.protocol_version, V1_0);
    assert_eq!(response.items[0].operation, None);
    assert_eq!(
        response.items[0].result_reason,
        Some(ResultReason::InvalidMessage)
    );
    // A later minor version is worked on.
    request.header.protocol_version = ProtocolVersion::new(1, 9);
    let response = server.message(&server.east, &request).await;
    assert_eq!(response.header.protocol_version, V1_4);
    assert_eq!(statuses(&response), [SUCCESS]);
    request.header.protocol_version = ProtocolVersion::new(2, 9);
    let response = server.message(&server.east, &request).await;
    assert_eq!(response.header.protocol_version, V2_1);
    assert_eq!(statuses(&response), [SUCCESS]);
}

#[tokio::test]
async fn what_cannot_be_read_is_answered_once_in_the_client_s_version_and_the_connection_ends() {
    let server = Server::start().await;
    let mut request = batch(vec![create(vec![])]);
    request.header.protocol_version = V1_1;
    let bytes = encoded(&request);
    // A Batch Count of two, one item.
    let mut miscounted = bytes.clone();
    let count = [0x42, 0x00, 0x0D, 0x02, 0, 0, 0, 4, 0, 0, 0, 1];
    let at = miscounted.windows(12).position(|window| window == count).unwrap();
    miscounted[at + 11] = 2;
    let mut cut = bytes.clone();
    cut.truncate(cut.len() - 8);
    for (bytes, version) in [
        (miscounted, V1_1),
        (cut, V1_1),
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), V1_0),
        (Vec::new(), V1_0),
    ] {
        let (response, disposition) = server.bytes(&server.east, &bytes).await;
        assert_eq!(disposition, Disposition::Close);
        let response = decoded(response);
        assert_eq!(response.header.protocol_version, version);
        assert_eq!(response.items.len(), 1);
        assert_eq!(response.items[0].operation, None);
        assert_eq!(
            response.items[0].result_reason,
            Some(ResultReason::InvalidMessage)
        );
    }
}

#[tokio::test]
async fn an_item_that_cannot_be_read_does_not_spoil_the_others() {
    let server = Server::start().await;
    let mut request = batch(vec![create(vec![]), create(vec![])]);
    request.header.batch_error_continuation_option = Some(BatchErrorContinuationOption::Continue);
    let mut bytes = encoded(&request);
    // The first Object Type becomes an Integer.
    let at = bytes
        .windows(4)
        .position(|window| window == [0x42, 0x00, 0x57, 0x05])
        .unwrap();
    bytes[at + 3] = 0x02;
    let (response, disposition) = server.bytes(&server.east, &bytes).await;
    assert_eq!(disposition, Disposition::KeepOpen);
    let response = decoded(response);
    assert_eq!(statuses(&response), [FAILED, SUCCESS]);
    assert_eq!(
        response.items[0].result_reason,
        Some(ResultReason::InvalidMessage)
    );
    assert!(matches!(
        response.items[1].payload,
        Some(ResponsePayload::Create(_))
    ));
}

#[tokio::test]
async fn an_operation_that_is_not_there_is_named() {
    let server = Server::start().await;
    // Certify with an empty payload, written by hand: the product has no such payload.
    let mut bytes = encoded(&batch(vec![RequestPayload::Activate(ActivateRequest::default())]));
    let operation = [0x42, 0x00, 0x5C, 0x05, 0, 0, 0, 4, 0, 0, 0, 0x12];
    let at = bytes.windows(12).position(|window| window == operation).unwrap();
    bytes[at + 11] = 0x06;
    let (response, _) = server.bytes(&server.east, &bytes).await;
    let response = decoded(response);
    let item = &response.items[0];
    assert_eq!(item.operation, Some(Operation::Certify));
    assert_eq!(item.result_reason, Some(ResultReason::OperationNotSupported));
    assert_eq!(item.result_message.as_deref(), Some("Certify is not supported"));
    assert_eq!(
        server.records().await.pop().unwrap().event,
        EventName::KmipUnsupported
    );
}
