//! Batches of 2.x: an item means the object of an item before it, by the operation or by its place.

use super::batches::{batch, statuses};
use super::server::{Server, create};
use crate::kmip::attribute::{Attribute, AttributeKind, AttributeValue};
use crate::kmip::enumeration::{ResultReason, ResultStatus, UniqueIdentifierReference as Reference};
use crate::kmip::message::{RequestHeader, ResponseMessage};
use crate::kmip::payload::{
    ActivateRequest, GetRequest, RequestPayload, ResponsePayload, SetAttributeRequest, UniqueIdentifier,
};
use crate::kmip::version::V2_1;

async fn ask(server: &Server, payloads: Vec<RequestPayload<'_>>) -> ResponseMessage<'static> {
    let mut request = batch(payloads);
    request.header = RequestHeader::new(V2_1);
    server.message(&server.east, &request).await
}

fn get(meant: UniqueIdentifier<'_>) -> RequestPayload<'_> {
    RequestPayload::Get(GetRequest {
        unique_identifier: Some(meant),
        ..GetRequest::default()
    })
}

fn ids(response: &ResponseMessage<'_>) -> Vec<String> {
    let payloads = response.items.iter().filter_map(|item| item.payload.as_ref());
    payloads
        .flat_map(ResponsePayload::unique_identifiers)
        .map(str::to_owned)
        .collect()
}

#[tokio::test]
async fn an_item_means_the_object_that_one_before_it_made() {
    let server = Server::start().await;
    let response = ask(
        &server,
        vec![
            create(vec![]),
            create(vec![]),
            get(UniqueIdentifier::Reference(Reference::Create)),
            get(UniqueIdentifier::Position(0)),
            get(UniqueIdentifier::Reference(Reference::IDPlaceholder)),
            get(UniqueIdentifier::Position(-1)),
        ],
    )
    .await;
    assert_eq!(
        statuses(&response),
        [ResultStatus::Success; 6],
        "{:?}",
        response.items
    );
    let ids = ids(&response);
    let (first, second) = (&ids[0], &ids[1]);
    assert_ne!(first, second);
    assert_eq!(&ids[2], second, "the last Create");
    assert_eq!(&ids[3], first, "the first answer");
    assert_eq!(
        &ids[4], second,
        "the ID Placeholder is what was made or found, not what was got"
    );
    assert_eq!(&ids[5], second, "the answer before");
}

#[tokio::test]
async fn a_key_is_made_named_and_activated_in_one_batch() {
    let server = Server::start().await;
    let made = || Some(UniqueIdentifier::Reference(Reference::Create));
    let response = ask(
        &server,
        vec![
            create(vec![]),
            RequestPayload::SetAttribute(SetAttributeRequest {
                unique_identifier: made(),
                attribute: Attribute::new(AttributeValue::Comment("for the array".into())),
            }),
            RequestPayload::Activate(ActivateRequest {
                unique_identifier: made(),
            }),
        ],
    )
    .await;
    assert_eq!(statuses(&response), [ResultStatus::Success; 3]);
    let id = &ids(&response)[0];
    let comment = server.attribute(id, AttributeKind::Comment).await;
    assert_eq!(comment, [AttributeValue::Comment("for the array".into())]);
}

#[tokio::test]
async fn what_no_item_made_is_not_found() {
    let server = Server::start().await;
    for meant in [
        UniqueIdentifier::Reference(Reference::Register),
        UniqueIdentifier::Position(7),
        UniqueIdentifier::Position(-2),
    ] {
        let response = ask(&server, vec![create(vec![]), get(meant)]).await;
        let [made, refused] = response.items.as_slice() else {
            panic!("{response:?}");
        };
        assert_eq!(made.result_status, ResultStatus::Success);
        assert_eq!(refused.result_reason, Some(ResultReason::ObjectNotFound));
    }
}
