//! Poll, Cancel, Process and Query Asynchronous Requests (KMIP 2.1, sections 6.1.38, 6.1.5, 6.1.39 and 6.1.41).

use std::time::Duration;

use super::asynchronous::{Canceled, Owner};
use super::item::Item;
use super::refusal::Refusal;
use crate::kmip::enumeration::CancellationResult;
use crate::kmip::message::ResponseItem;
use crate::kmip::payload::{
    CancelRequest, CancelResponse, EmptyPayload, PollRequest, ProcessRequest,
    QueryAsynchronousRequestsRequest, QueryAsynchronousRequestsResponse,
};

/// How long a Poll waits for an answer that is not there yet.
const PATIENCE: Duration = Duration::from_secs(2);

impl Item<'_> {
    fn owner(&self) -> Owner {
        Owner::of(self.caller, self.user)
    }

    fn names_request(&mut self, correlation: &[u8]) {
        let shown = hex::encode(&correlation[..correlation.len().min(16)]);
        self.event.details.insert("asynchronous".into(), shown);
    }
}

/// The answer to an earlier request, as it would have been; or that it is not there yet. Has the request carried out now.
pub(super) async fn poll(
    item: &mut Item<'_>,
    request: &PollRequest<'_>,
) -> Result<ResponseItem<'static>, Refusal> {
    let correlation = request.asynchronous_correlation_value;
    item.names_request(correlation);
    let (owner, requests) = (item.owner(), &item.services.asynchronous);
    let (operation, job) = requests.find(&owner, correlation, item.now())?;
    item.event.details.insert("polled".into(), operation.to_string());
    job.begin();
    if tokio::time::timeout(PATIENCE, job.completed()).await.is_err() {
        return Ok(ResponseItem::pending(operation, correlation.to_vec()));
    }
    item.record().await?;
    requests.take(&owner, correlation, item.now())
}

/// Has an earlier request not carried out.
pub(super) async fn cancel(
    item: &mut Item<'_>,
    request: &CancelRequest<'_>,
) -> Result<CancelResponse, Refusal> {
    let correlation = request.asynchronous_correlation_value;
    item.names_request(correlation);
    let now = item.now();
    let canceled = item
        .services
        .asynchronous
        .cancel(&item.owner(), correlation, now)?;
    let cancellation_result = match canceled {
        Canceled::Done => CancellationResult::Canceled,
        Canceled::InProcess => CancellationResult::UnableToCancel,
        Canceled::Completed => CancellationResult::Completed,
    };
    item.event
        .details
        .insert("result".into(), cancellation_result.to_string());
    item.record().await?;
    Ok(CancelResponse {
        asynchronous_correlation_value: correlation.to_vec(),
        cancellation_result,
    })
}

/// Has an earlier request carried out now, and waits for it.
pub(super) async fn process(
    item: &mut Item<'_>,
    request: &ProcessRequest<'_>,
) -> Result<EmptyPayload, Refusal> {
    let correlation = request.asynchronous_correlation_value;
    item.names_request(correlation);
    let (_, job) = item
        .services
        .asynchronous
        .find(&item.owner(), correlation, item.now())?;
    if job.is_completed() {
        return Err(Refusal::processed_already());
    }
    item.record().await?;
    job.begin();
    job.completed().await;
    Ok(EmptyPayload)
}

/// Tells of the client's requests whose answers were not fetched.
pub(super) async fn query(
    item: &Item<'_>,
    request: &QueryAsynchronousRequestsRequest,
) -> Result<QueryAsynchronousRequestsResponse, Refusal> {
    let mut asynchronous_requests = item.services.asynchronous.list(&item.owner(), item.now());
    if let Some(asked) = &request.asynchronous_correlation_values {
        asynchronous_requests.retain(|there| asked.values.contains(&there.asynchronous_correlation_value));
    }
    if let Some(asked) = &request.operations {
        asynchronous_requests.retain(|there| asked.operations.contains(&there.operation));
    }
    item.record().await?;
    Ok(QueryAsynchronousRequestsResponse {
        asynchronous_requests,
    })
}
