//! Batches that are carried out as a whole or not at all.

use super::batches::{NOBODY, batch, statuses};
use super::server::{Server, create, get};
use crate::custody::{EventName, Outcome};
use crate::kmip::attribute::{Attribute, AttributeKind, AttributeValue, Name};
use crate::kmip::enumeration::{BatchErrorContinuationOption, ResultReason, ResultStatus, State};
use crate::kmip::message::RequestMessage;
use crate::kmip::payload::{
    ActivateRequest, AddAttributeRequest, GetRequest, LocateRequest, RequestPayload, ResponsePayload,
};

const DONE: ResultStatus = ResultStatus::Success;
const UNDONE: ResultStatus = ResultStatus::OperationUndone;
const FAILED: ResultStatus = ResultStatus::OperationFailed;

fn whole(payloads: Vec<RequestPayload<'_>>) -> RequestMessage<'_> {
    let mut request = batch(payloads);
    request.header.batch_error_continuation_option = Some(BatchErrorContinuationOption::Undo);
    request
}

fn disk() -> Attribute {
    AttributeValue::Name(Name::text("disk")).into()
}

fn activate<'a>() -> RequestPayload<'a> {
    RequestPayload::Activate(ActivateRequest::default())
}

async fn number_of_objects(server: &Server) -> usize {
    match server
        .done(RequestPayload::Locate(LocateRequest::default()))
        .await
    {
        ResponsePayload::Locate(located) => located.unique_identifiers.len(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_batch_that_goes_well_is_there_as_a_whole() {
    let server = Server::start().await;
    let add = RequestPayload::AddAttribute(AddAttributeRequest {
        unique_identifier: None,
        attribute: Attribute::custom_text("x-Rack", "4"),
    });
    let get_it = RequestPayload::Get(GetRequest::default());
    let before = server.records().await.len();
    let request = whole(vec![create(vec![disk()]), activate(), add, get_it]);
    let response = server.message(&server.east, &request).await;
    assert_eq!(statuses(&response), [DONE; 4]);
    let Some(ResponsePayload::Create(made)) = &response.items[0].payload else {
        panic!("{response:?}");
    };
    let id = &made.unique_identifier;
    assert_eq!(
        server.attribute(id, AttributeKind::State).await,
        [AttributeValue::State(State::Active)]
    );
    assert_eq!(server.get(id).await.len(), 32);
    let records = server.records().await;
    let names: Vec<_> = records[before..before + 4]
        .iter()
        .map(|record| record.event)
        .collect();
    assert_eq!(
        names,
        [
            EventName::KmipCreate,
            EventName::KmipActivate,
            EventName::KmipAddAttribute,
            EventName::KmipGet
        ]
    );
}

#[tokio::test]
async fn nothing_is_left_of_a_batch_whose_last_item_fails() {
    let server = Server::start().await;
    let old = server.create(vec![]).await;
    let unchanged = server.attribute(&old, AttributeKind::LastChangeDate).await;
    server.wait(10);
    let activate_old = RequestPayload::Activate(ActivateRequest {
        unique_identifier: Some(old.as_str().into()),
    });
    let request = whole(vec![create(vec![disk()]), activate_old, get(NOBODY), activate()]);
    let response = server.message(&server.east, &request).await;
    assert_eq!(statuses(&response), [UNDONE, UNDONE, FAILED]);
    assert_eq!(response.items[2].result_reason, Some(ResultReason::ItemNotFound));
    assert_eq!(number_of_objects(&server).await, 1);
    assert_eq!(
        server.attribute(&old, AttributeKind::LastChangeDate).await,
        unchanged
    );
    // The name is free, and the log says of each item that it did not happen.
    server.create(vec![disk()]).await;
    let records = server.records().await;
    let creations = records
        .iter()
        .filter(|record| record.event == EventName::KmipCreate);
    let outcomes: Vec<_> = creations.map(|record| record.outcome).collect();
    assert_eq!(outcomes, [Outcome::Success, Outcome::Refused, Outcome::Success]);
}

#[tokio::test]
async fn a_key_is_not_handed_out_by_a_batch_that_is_undone() {
    let server = Server::start().await;
    let request = whole(vec![
        create(vec![]),
        RequestPayload::Get(GetRequest::default()),
        get(NOBODY),
    ]);
    let response = server.message(&server.east, &request).await;
    assert_eq!(statuses(&response), [UNDONE, UNDONE, FAILED]);
    assert!(response.items[1].payload.is_none());
}

#[tokio::test]
async fn a_name_is_given_once_in_a_batch_too() {
    let server = Server::start().await;
    let request = whole(vec![create(vec![disk()]), create(vec![disk()])]);
    let response = server.message(&server.east, &request).await;
    assert_eq!(statuses(&response), [UNDONE, FAILED]);
    assert_eq!(number_of_objects(&server).await, 0);
}

#[tokio::test]
async fn an_item_finds_what_the_ones_before_it_made() {
    let server = Server::start().await;
    let locate = RequestPayload::Locate(LocateRequest::default());
    let request = whole(vec![create(vec![]), create(vec![]), locate]);
    let response = server.message(&server.east, &request).await;
    assert_eq!(statuses(&response), [DONE; 3]);
    let Some(ResponsePayload::Locate(located)) = &response.items[2].payload else {
        panic!("{response:?}");
    };
    assert_eq!(located.unique_identifiers.len(), 2);
}
