//! Requests whose answers are fetched later.

use super::super::asynchronous::{KEPT, OF_A_CLIENT};
use super::batches::batch;
use super::server::{Server, create, get, material};
use crate::adapter::Caller;
use crate::kmip::ProtocolVersion;
use crate::kmip::attribute::Attribute;
use crate::kmip::enumeration::{
    AsynchronousIndicator, CancellationResult, Operation, ProcessingStage, ResultReason, ResultStatus,
};
use crate::kmip::message::{RequestHeader, RequestItem, RequestMessage, ResponseItem};
use crate::kmip::payload::{
    CancelRequest, GetRequest, LocateRequest, PollRequest, ProcessRequest, QueryAsynchronousRequestsRequest,
    RequestPayload, ResponsePayload,
};
use crate::kmip::version::{V1_1, V2_1};

const MANDATORY: AsynchronousIndicator = AsynchronousIndicator::Mandatory;

impl Server {
    /// Asks for something to be carried out later.
    async fn ask_later(
        &self,
        version: ProtocolVersion,
        caller: &Caller,
        indicator: AsynchronousIndicator,
        payload: RequestPayload<'_>,
    ) -> ResponseItem<'static> {
        let mut header = RequestHeader::new(version);
        header.asynchronous_indicator = Some(indicator);
        let request = RequestMessage {
            header,
            items: vec![RequestItem::new(payload)].into(),
        };
        self.message(caller, &request).await.items.pop().unwrap()
    }

    /// Has a key made later, and returns what the request is called by.
    async fn create_later(&self) -> Vec<u8> {
        pending(&self.ask_later(V2_1, &self.east, MANDATORY, create(vec![])).await)
    }

    async fn poll(&self, caller: &Caller, correlation: &[u8]) -> ResponseItem<'static> {
        let request = RequestPayload::Poll(PollRequest {
            asynchronous_correlation_value: correlation,
        });
        self.ask_in(V2_1, caller, request).await
    }

    async fn cancel(&self, caller: &Caller, correlation: &[u8]) -> Result<CancellationResult, ResultReason> {
        let request = RequestPayload::Cancel(CancelRequest {
            asynchronous_correlation_value: correlation,
        });
        let item = self.ask_in(V2_1, caller, request).await;
        match item.payload {
            Some(ResponsePayload::Cancel(answer)) => Ok(answer.cancellation_result),
            _ => Err(item.result_reason.unwrap()),
        }
    }

    async fn process(&self, correlation: &[u8]) -> Option<ResultReason> {
        let request = RequestPayload::Process(ProcessRequest {
            asynchronous_correlation_value: correlation,
        });
        self.ask_in(V2_1, &self.east, request).await.result_reason
    }

    async fn outstanding(&self, caller: &Caller) -> Vec<(Vec<u8>, Operation, ProcessingStage)> {
        let request = RequestPayload::QueryAsynchronousRequests(QueryAsynchronousRequestsRequest::default());
        match self.ask_in(V2_1, caller, request).await.payload {
            Some(ResponsePayload::QueryAsynchronousRequests(answer)) => answer
                .asynchronous_requests
                .into_iter()
                .map(|there| {
                    (
                        there.asynchronous_correlation_value,
                        there.operation,
                        there.processing_stage,
                    )
                })
                .collect(),
            other => panic!("{other:?}"),
        }
    }

    async fn number_of_keys(&self) -> usize {
        match self.done(RequestPayload::Locate(LocateRequest::default())).await {
            ResponsePayload::Locate(answer) => answer.unique_identifiers.len(),
            other => panic!("{other:?}"),
        }
    }
}

fn pending(item: &ResponseItem<'_>) -> Vec<u8> {
    assert_eq!(item.result_status, ResultStatus::OperationPending, "{item:?}");
    assert!(item.payload.is_none());
    item.asynchronous_correlation_value.clone().unwrap()
}

#[tokio::test]
async fn a_client_that_can_wait_fetches_what_it_would_have_been_answered() {
    let server = Server::start().await;
    let id = server.create(vec![]).await;
    let locate = RequestPayload::Locate(LocateRequest::default());
    let item = server
        .ask_later(V1_1, &server.east, AsynchronousIndicator::Optional, locate)
        .await;
    assert_eq!(item.operation, Some(Operation::Locate));
    let correlation = pending(&item);
    let item = server.poll(&server.east, &correlation).await;
    assert_eq!(item.operation, Some(Operation::Locate));
    match item.payload {
        Some(ResponsePayload::Locate(answer)) => {
            assert_eq!(answer.unique_identifiers, std::slice::from_ref(&id));
        }
        other => panic!("{other:?}"),
    }
    // An answer is given once.
    let again = server.poll(&server.east, &correlation).await;
    assert_eq!(
        again.result_reason,
        Some(ResultReason::InvalidAsynchronousCorrelationValue)
    );
    // What is done in a moment is not put off for a client that only could wait.
    let item = server
        .ask_later(V1_1, &server.east, AsynchronousIndicator::Optional, get(&id))
        .await;
    assert_eq!(item.result_status, ResultStatus::Success);
}

#[tokio::test]
async fn what_is_canceled_in_time_is_not_carried_out() {
    let server = Server::start().await;
    let correlation = server.create_later().await;
    assert_eq!(
        server.cancel(&server.east, &correlation).await,
        Ok(CancellationResult::Canceled)
    );
    server.services.close().await;
    assert_eq!(server.number_of_keys().await, 0);
    assert!(
        server
            .records()
            .await
            .iter()
            .any(|record| record.event.as_str() == "kmip.cancel")
    );
}

#[tokio::test]
async fn what_was_carried_out_is_not_said_to_be_canceled() {
    let server = Server::start().await;
    let correlation = server.create_later().await;
    assert_eq!(server.process(&correlation).await, None);
    assert_eq!(
        server.cancel(&server.east, &correlation).await,
        Ok(CancellationResult::Completed)
    );
    assert_eq!(
        server.process(&correlation).await,
        Some(ResultReason::DuplicateProcessRequest)
    );
    let item = server.poll(&server.east, &correlation).await;
    assert_eq!(item.result_status, ResultStatus::Success);
    assert_eq!(server.number_of_keys().await, 1);
}

#[tokio::test]
async fn nobody_else_reaches_a_request() {
    let server = Server::start().await;
    let correlation = server.create_later().await;
    let unknown = ResultReason::InvalidAsynchronousCorrelationValue;
    let item = server.poll(&server.west, &correlation).await;
    assert_eq!(item.result_reason, Some(unknown));
    assert_eq!(server.cancel(&server.west, &correlation).await, Err(unknown));
    assert_eq!(server.outstanding(&server.west).await, []);
    assert_eq!(
        server.outstanding(&server.east).await,
        [(correlation.clone(), Operation::Create, ProcessingStage::Submitted)]
    );
    let item = server.poll(&server.east, &correlation).await;
    assert_eq!(item.result_status, ResultStatus::Success);
    assert_eq!(server.outstanding(&server.east).await, []);
}

#[tokio::test]
async fn what_was_taken_on_is_carried_out_before_the_server_stops() {
    let server = Server::start().await;
    server.create_later().await;
    assert_eq!(server.number_of_keys().await, 0);
    server.services.close().await;
    assert_eq!(server.number_of_keys().await, 1);
    let item = server
        .ask_later(V2_1, &server.east, MANDATORY, create(vec![]))
        .await;
    assert_eq!(item.result_reason, Some(ResultReason::ServerLimitExceeded));
}

#[tokio::test]
async fn a_client_cannot_fill_the_server_with_requests() {
    let server = Server::start().await;
    let mut correlations = Vec::new();
    for _ in 0..OF_A_CLIENT {
        correlations.push(server.create_later().await);
    }
    let item = server
        .ask_later(V2_1, &server.east, MANDATORY, create(vec![]))
        .await;
    assert_eq!(item.result_reason, Some(ResultReason::ServerLimitExceeded));
    pending(
        &server
            .ask_later(V2_1, &server.west, MANDATORY, create(vec![]))
            .await,
    );
    server.poll(&server.east, &correlations[0]).await;
    server.create_later().await;
}

#[tokio::test]
async fn a_client_cannot_fill_the_server_with_long_requests() {
    let server = Server::start().await;
    let long = || create(vec![Attribute::custom_text("x-Long", "x".repeat(100 * 1024))]);
    let mut statuses = Vec::new();
    for _ in 0..3 {
        let item = server.ask_later(V2_1, &server.east, MANDATORY, long()).await;
        statuses.push(item.result_status);
    }
    let (pending, failed) = (ResultStatus::OperationPending, ResultStatus::OperationFailed);
    assert_eq!(statuses, [pending, pending, failed]);
}

#[tokio::test]
async fn an_answer_is_not_kept_for_ever() {
    let server = Server::start().await;
    let correlation = server.create_later().await;
    assert_eq!(server.process(&correlation).await, None);
    server.wait(KEPT);
    let item = server.poll(&server.east, &correlation).await;
    assert_eq!(
        item.result_reason,
        Some(ResultReason::InvalidAsynchronousCorrelationValue)
    );
}

#[tokio::test]
async fn a_batch_that_is_put_off_is_carried_out_in_its_order() {
    let server = Server::start().await;
    let mut request = batch(vec![create(vec![]), RequestPayload::Get(GetRequest::default())]);
    request.header = RequestHeader::new(V2_1);
    request.header.asynchronous_indicator = Some(MANDATORY);
    let response = server.message(&server.east, &request).await;
    let [first, second] = response.items.as_slice() else {
        panic!("{response:?}");
    };
    let got = server.poll(&server.east, &pending(second)).await;
    let made = server.poll(&server.east, &pending(first)).await;
    let (Some(ResponsePayload::Get(got)), Some(ResponsePayload::Create(made))) = (got.payload, made.payload)
    else {
        panic!("other payloads");
    };
    assert_eq!(got.unique_identifier, made.unique_identifier);
    assert_eq!(material(&got.object), server.get(&made.unique_identifier).await);
}

#[tokio::test]
async fn an_item_after_one_that_is_canceled_is_not_carried_out_on_something_else() {
    let server = Server::start().await;
    let mut request = batch(vec![create(vec![]), RequestPayload::Get(GetRequest::default())]);
    request.header = RequestHeader::new(V2_1);
    request.header.asynchronous_indicator = Some(MANDATORY);
    let response = server.message(&server.east, &request).await;
    let (first, second) = (pending(&response.items[0]), pending(&response.items[1]));
    assert_eq!(
        server.cancel(&server.east, &first).await,
        Ok(CancellationResult::Canceled)
    );
    let item = server.poll(&server.east, &second).await;
    assert_eq!(item.result_status, ResultStatus::OperationFailed);
    assert_eq!(server.number_of_keys().await, 0);
}

#[tokio::test]
async fn a_poll_is_answered_at_once() {
    let server = Server::start().await;
    let correlation = server.create_later().await;
    let poll = RequestPayload::Poll(PollRequest {
        asynchronous_correlation_value: &correlation,
    });
    let item = server.ask_later(V2_1, &server.east, MANDATORY, poll).await;
    assert_eq!(item.result_reason, Some(ResultReason::FeatureNotSupported));
}
