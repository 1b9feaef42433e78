//! A message: its header, its items in turn, and the size of the answer (KMIP 1.4, sections 6, 7 and 11.43).

use std::sync::Arc;
use std::time::Instant;

use tracing::Instrument as _;
use uuid::Uuid;

use super::authentication::Authentication;
use super::earlier::{Earlier, Placeholder};
use super::item::{Ids, Item, request_facts, shortened};
use super::loose::Loose;
use super::refusal::Refusal;
use super::services::Services;
use super::undo::{self, Staged};
use super::{asynchronous, dispatch, measure, poll, tickets, user};
use crate::adapter::Caller;
use crate::custody::{Actor, Event, EventName, Outcome};
use crate::kmip::ProtocolVersion;
use crate::kmip::enumeration::{BatchErrorContinuationOption, Operation, ResultStatus};
use crate::kmip::message::{
    Credential, RequestHeader, RequestItem, RequestItems, RequestMessage, ResponseHeader, ResponseItem,
    ResponseMessage,
};
use crate::kmip::output::Output;
use crate::kmip::payload::{RequestPayload, ResponsePayload};
use crate::kmip::ttlv::DecodeError;
use crate::kmip::version::V1_0;
use crate::recorder;

/// What becomes of the connection once the answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Disposition {
    /// The next request can come.
    KeepOpen,
    /// What came cannot be read, and so perhaps neither can what follows.
    Close,
}

/// Carries out one request of a client and appends the response to `out`.
///
/// A response that holds a key is in the clear in `out` alone.
pub async fn answer(
    services: &Arc<Services>,
    caller: &Caller,
    request: &[u8],
    out: &mut (dyn Output + Send),
) -> Disposition {
    let id = Uuid::now_v7();
    let read = read(services, request);
    let items = read.as_ref().ok().map(|message| &message.items[..]);
    let span = measure::request(caller, &id, items);
    let answering = async {
        match read {
            Ok(message) => {
                let version = answered_in(message.header.protocol_version);
                Message::new(services, caller, version, &message.header, id)
                    .answer(message.items, request, out)
                    .await;
                Disposition::KeepOpen
            }
            Err((version, refusal, disposition)) => {
                refuse_message(services, caller, version, &refusal, out).await;
                disposition
            }
        }
    };
    answering.instrument(span).await
}

/// The message, or in which version it is refused, why, and what becomes of the connection.
fn read<'a>(
    services: &Services,
    request: &'a [u8],
) -> Result<RequestMessage<'a>, (ProtocolVersion, Refusal, Disposition)> {
    let claimed = RequestMessage::sniff_version(request);
    if let Some(claimed) = claimed.filter(|claimed| !matches!(claimed.major, 1 | 2)) {
        // Its messages are written otherwise, so that no more of it is read.
        return Err((V1_0, Refusal::version(claimed), Disposition::KeepOpen));
    }
    RequestMessage::decode(request, &services.limits.message).map_err(|error| {
        let version = claimed.map_or(V1_0, answered_in);
        (version, Refusal::unreadable(&error), Disposition::Close)
    })
}

/// Answers a request that came in another encoding and could not be turned into the binary form, of which `begun` is as
/// much as could be: in the version that it claims, where that much is there.
pub async fn refuse_unreadable(
    services: &Services,
    caller: &Caller,
    begun: &[u8],
    error: &DecodeError,
    out: &mut (dyn Output + Send),
) {
    let (version, refusal) = match RequestMessage::sniff_version(begun) {
        Some(claimed) if !matches!(claimed.major, 1 | 2) => (V1_0, Refusal::version(claimed)),
        claimed => (claimed.map_or(V1_0, answered_in), Refusal::unreadable(error)),
    };
    let span = measure::request(caller, &Uuid::now_v7(), None);
    refuse_message(services, caller, version, &refusal, out)
        .instrument(span)
        .await;
}

/// The version that a message is answered in: its own, or the last that is known of its major version.
pub(super) fn answered_in(claimed: ProtocolVersion) -> ProtocolVersion {
    let known = ProtocolVersion::SUPPORTED.iter().copied();
    if claimed.is_supported() {
        return claimed;
    }
    known
        .filter(|known| known.major == claimed.major)
        .max()
        .unwrap_or(V1_0)
}

/// Answers a message that is refused before its items are known: one item without an operation (section 11.1).
async fn refuse_message(
    services: &Services,
    caller: &Caller,
    version: ProtocolVersion,
    refusal: &Refusal,
    out: &mut (dyn Output + Send),
) {
    record_message_refusal(services, caller, None, refusal).await;
    measure::refused(refusal.reason(version));
    let response = ResponseMessage {
        header: ResponseHeader::new(version, services.clock.now()),
        items: vec![ResponseItem::failure(
            None,
            refusal.reason(version),
            refusal.message(),
        )],
    };
    if let Err(error) = response.encode(out) {
        tracing::error!(%error, "a refusal could not be written");
    }
}

async fn record_message_refusal(
    services: &Services,
    caller: &Caller,
    shown: Option<&str>,
    refusal: &Refusal,
) {
    if let Some(tampered) = refusal.tampered() {
        services.report_tampered(caller, tampered).await;
    }
    let mut event =
        recorder::by_client(EventName::KmipMessageRefused, caller).refused(refusal.for_the_record());
    if let Actor::Client { user, .. } = &mut event.actor {
        *user = shown.map(shortened);
    }
    if let Err(error) = services.recorder.commit(Vec::new(), event).await {
        tracing::error!(%error, "that a message was refused could not be recorded");
    }
}

/// A message that could be read.
pub(super) struct Message<'a> {
    pub(super) services: &'a Arc<Services>,
    pub(super) caller: &'a Caller,
    pub(super) version: ProtocolVersion,
    pub(super) header: &'a RequestHeader<'a>,
    /// The server's name of the request, for clients that give it one of their own.
    server_correlation: Option<String>,
    /// The user that the request shows.
    pub(super) user: Option<String>,
    /// What of it is proved.
    pub(super) authentication: Authentication,
}

/// An item's answer, with what the record says of it.
pub(super) struct Answered {
    pub(super) response: ResponseItem<'static>,
    pub(super) event: Event,
}

impl<'a> Message<'a> {
    pub(super) fn new(
        services: &'a Arc<Services>,
        caller: &'a Caller,
        version: ProtocolVersion,
        header: &'a RequestHeader<'a>,
        id: Uuid,
    ) -> Self {
        let server_correlation = header
            .client_correlation_value
            .map(|_| id.hyphenated().to_string());
        Self {
            services,
            caller,
            version,
            header,
            server_correlation,
            user: user::shown(&header.credentials),
            authentication: Authentication::default(),
        }
    }

    /// The same, with what was found of its credentials before.
    pub(super) fn authenticated(self, authentication: Authentication) -> Self {
        Self {
            authentication,
            ..self
        }
    }

    async fn answer(mut self, items: RequestItems<'_>, request: &[u8], out: &mut (dyn Output + Send)) {
        if let Err(refusal) = self.in_turn(items.len()).await {
            let refused = self.refuse_all(&items, &refusal);
            return self.write(refused, out).await;
        }
        let authenticated = if let Some(refusal) = self.refused_whole(&items) {
            Err(refusal)
        } else {
            let operations: Vec<_> = items.iter().map(|item| item.operation).collect();
            self.authenticate(&operations).await
        };
        let put_off = authenticated.and_then(|authentication| {
            self.authentication = authentication;
            asynchronous::put_off(&self, &items, request)
        });
        let answered = match put_off {
            Err(refusal) => {
                record_message_refusal(self.services, self.caller, self.user.as_deref(), &refusal).await;
                self.refuse_all(&items, &refusal)
            }
            Ok(Some(pending)) => pending,
            Ok(None) => self.work_on(items, &[]).await,
        };
        self.write(answered, out).await;
    }

    fn refuse_all(&self, items: &[RequestItem<'_>], refusal: &Refusal) -> Vec<Answered> {
        let count = items.len();
        let refused = items.iter().enumerate().map(|(position, item)| Answered {
            response: self.failure(item.operation, item.unique_batch_item_id, refusal),
            event: self.event(item.operation, item.unique_batch_item_id, position, count),
        });
        refused.collect()
    }

    /// Returns when it is the adapter's turn to send so many items. What is refused here is recorded now and then.
    async fn in_turn(&self, items: usize) -> Result<(), Refusal> {
        let adapter = self.caller.adapter;
        let quota = match self.services.quota(adapter).await {
            Ok(quota) => quota,
            Err(refusal) => {
                record_message_refusal(self.services, self.caller, self.user.as_deref(), &refusal).await;
                return Err(refusal);
            }
        };
        let Some(per_second) = quota.requests_per_second else {
            return Ok(());
        };
        let Err(too_many) = self.services.throttle.wait(adapter, per_second, items).await else {
            return Ok(());
        };
        measure::throttled();
        let refusal = Refusal::request_quota(per_second.get());
        if let Some(refused) = too_many.to_tell {
            tracing::warn!(
                adapter = %self.caller.adapter_name, refused, per_second,
                "requests are refused: the adapter sends more than its quota"
            );
            let event = recorder::by_client(EventName::KmipMessageRefused, self.caller)
                .refused(refusal.for_the_record())
                .detail("refused", refused.to_string());
            if let Err(error) = self.services.recorder.commit(Vec::new(), event).await {
                tracing::error!(%error, "that requests were refused could not be recorded");
            }
        }
        Err(refusal)
    }

    /// Why no item of the message is to be looked at, if that is so.
    fn refused_whole(&self, items: &[RequestItem<'_>]) -> Option<Refusal> {
        if let Some(rollback) = self.services.recorder.held() {
            return Some(Refusal::of_recorder(&recorder::Error::Held(rollback)));
        }
        let limit = self.services.limits.batch_items;
        if items.len() > limit {
            return Some(Refusal::batch_too_long(limit));
        }
        if self.undoes() && items.len() > undo::LONGEST_BATCH {
            return Some(Refusal::batch_too_long(undo::LONGEST_BATCH));
        }
        if items.len() > 1 && items.iter().any(|item| item.unique_batch_item_id.is_none()) {
            return Some(Refusal::batch_item_id());
        }
        let critical = items
            .iter()
            .flat_map(|item| &item.message_extensions)
            .find(|extension| extension.criticality_indicator);
        critical.map(|extension| Refusal::critical_extension(extension.vendor_identification))
    }

    /// The secrets of the tickets that came.
    pub(super) fn tickets(&self) -> impl Iterator<Item = &[u8]> {
        self.header
            .credentials
            .iter()
            .filter_map(|credential| match credential {
                Credential::Ticket(ticket) => Some(ticket.ticket_value.expose()),
                _ => None,
            })
    }

    /// Works on the items in their order, up to the first that fails unless the client wants the batch to go on.
    pub(super) async fn work_on(&self, items: RequestItems<'_>, canceled: &[bool]) -> Vec<Answered> {
        let count = items.len();
        let goes_on =
            self.header.batch_error_continuation_option == Some(BatchErrorContinuationOption::Continue);
        let mut placeholder = if goes_on {
            Placeholder::Unusable
        } else {
            Placeholder::Empty
        };
        let mut earlier = Earlier::default();
        let staged = if self.undoes() {
            Some(Staged::begin(&self.services.names).await)
        } else {
            None
        };
        let mut answered = Vec::with_capacity(count);
        for (position, request) in items.into_iter().enumerate() {
            let (operation, id) = (request.operation, request.unique_batch_item_id);
            let begun = Instant::now();
            let mut item = Item {
                services: self.services,
                caller: self.caller,
                placeholder: &mut placeholder,
                earlier: &earlier,
                staged: staged.as_ref(),
                user: self.user.as_deref(),
                authentication: self.authentication,
                version: self.version,
                loose: Loose::default(),
                renewal: None,
                event: self.event(operation, id, position, count),
            };
            let result = match request.payload {
                _ if canceled.get(position) == Some(&true) => Err(Refusal::canceled()),
                _ if dispatch::is_later(operation, self.version) => Err(Refusal::operation(operation)),
                Ok(RequestPayload::Poll(request)) => poll::poll(&mut item, &request).await,
                Ok(payload) => Box::pin(dispatch::perform(&mut item, payload))
                    .await
                    .map(ResponseItem::success),
                Err(error) => Err(Refusal::unreadable(&error)),
            };
            let result = item.settle(result).await;
            let event = item.event.clone();
            let response = match result {
                Ok(response) => {
                    let told = response.payload.as_ref();
                    earlier.add(
                        operation,
                        told.map_or_else(Vec::new, ResponsePayload::unique_identifiers),
                    );
                    let data = told.and_then(ResponsePayload::data);
                    if let Some(data) = data.filter(|_| position + 1 < count) {
                        earlier.add_data(operation, data);
                    }
                    response.with_id(id.map(<[u8]>::to_vec))
                }
                Err(refusal) => {
                    item.record_refusal(&refusal).await;
                    let mut response = self.failure(operation, id, &refusal);
                    // From 2.0 on the reason says what stands against it.
                    response.payload = refusal
                        .into_check()
                        .filter(|_| !self.version.tags_attributes())
                        .map(ResponsePayload::Check);
                    response
                }
            };
            measure::took(operation, begun);
            let failed = response.result_status == ResultStatus::OperationFailed;
            answered.push(Answered { response, event });
            if failed && !goes_on {
                break;
            }
        }
        if let Some(staged) = staged {
            self.settle(staged, &mut answered).await;
        }
        answered
    }

    /// Whether the batch is to be carried out as a whole or not at all.
    fn undoes(&self) -> bool {
        self.header.batch_error_continuation_option == Some(BatchErrorContinuationOption::Undo)
    }

    /// Writes the response. An item that no longer fits what the client takes, or whose key cannot be opened, is replaced
    /// by one that says so.
    async fn write(&self, answered: Vec<Answered>, out: &mut (dyn Output + Send)) {
        let mut header = ResponseHeader::new(self.version, self.services.clock.now());
        header
            .server_correlation_value
            .clone_from(&self.server_correlation);
        let limit = self
            .header
            .maximum_response_size
            .map_or(usize::MAX, |size| usize::try_from(size).unwrap_or(usize::MAX));
        let message = match ResponseMessage::encode_header(&header, answered.len(), out) {
            Ok(message) => message,
            Err(error) => return tracing::error!(%error, "a response header could not be written"),
        };
        let mut results = measure::Results::none_yet();
        for Answered { response, event } in answered {
            let before = out.len();
            let refusal = match response.encode(self.version, out) {
                Ok(()) if message.len(out) <= limit => {
                    results.add(&response);
                    continue;
                }
                Ok(()) => Refusal::response_too_large(message.len(out), limit),
                Err(error) => Refusal::not_written(&error.to_string()),
            };
            out.truncate(before);
            // The operation has been carried out and recorded; that its answer did not go out is recorded beside it.
            if response.result_status == ResultStatus::Success {
                self.record_unanswered(event, &refusal).await;
            }
            let failure = ResponseItem::failure(
                response.operation,
                refusal.reason(self.version),
                refusal.message(),
            )
            .with_id(response.unique_batch_item_id);
            results.add(&failure);
            if let Err(error) = failure.encode(self.version, out) {
                tracing::error!(%error, "a refusal could not be written");
            }
        }
        results.tell();
        message.close(out);
    }

    async fn record_unanswered(&self, mut event: Event, refusal: &Refusal) {
        event.outcome = Outcome::Failed;
        event.reason = Some(refusal.for_the_record());
        event.details.insert("answer".into(), "not written".into());
        if let Err(error) = self.services.recorder.commit(Vec::new(), event).await {
            tracing::error!(%error, "that an answer was not written could not be recorded");
        }
    }

    pub(super) fn failure(
        &self,
        operation: Operation,
        id: Option<&[u8]>,
        refusal: &Refusal,
    ) -> ResponseItem<'static> {
        ResponseItem::failure(Some(operation), refusal.reason(self.version), refusal.message())
            .with_id(id.map(<[u8]>::to_vec))
    }

    /// What the record will say of an item, before the operation adds what it learns.
    pub(super) fn event(
        &self,
        operation: Operation,
        id: Option<&[u8]>,
        position: usize,
        count: usize,
    ) -> Event {
        let mut event = recorder::by_client(dispatch::event_name(operation), self.caller);
        event.request = Some(request_facts(
            operation,
            self.version,
            position,
            count,
            Ids {
                batch_item: id,
                client_correlation: self.header.client_correlation_value,
                server_correlation: self.server_correlation.as_deref(),
            },
        ));
        if let Actor::Client { user, .. } = &mut event.actor {
            *user = self.user.as_deref().map(shortened);
        }
        if let Some(secret) = self.tickets().next() {
            event.details.insert("ticket".into(), tickets::shown(secret));
        }
        if let Some(how) = self.authentication.shown() {
            event.details.insert("authenticated".into(), how.into());
        }
        let by_password = self.authentication.by_password;
        let unused = |credential: &&Credential<'_>| match credential {
            Credential::Ticket(_) => false,
            Credential::UsernameAndPassword { .. } => !by_password,
            _ => true,
        };
        if self
            .header
            .credentials
            .iter()
            .any(|credential| unused(&credential))
        {
            let types: Vec<_> = self
                .header
                .credentials
                .iter()
                .filter(unused)
                .map(|credential| credential.credential_type().to_string())
                .collect();
            event
                .details
                .insert("credentials-not-used".into(), types.join(", "));
        }
        event
    }
}
