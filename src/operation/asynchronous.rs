//! Requests that are carried out later, and whose answers are fetched (KMIP 1.4, section 6.7; KMIP 2.1, sections 9.1 and
//! 9.2): which there are, whose they are, and how far they are.
//!
//! # When an item is put off
//! From 2.0 on where the client makes that Mandatory. In 1.x, where it can only say that it would wait, what may take long
//! by the specification (Archive, Recover) or by the size of what is searched (Locate), alone in its message.
//!
//! # What becomes of it
//! A request waits a moment, in which it can be canceled, unless somebody asks for its answer sooner. Then it is carried out
//! as any other would be, with its custody record. Its answer is kept, in memory alone, until it is fetched or too old; a key
//! in it is still under the transport key. Values and answers are for the client that asked, and its user, alone. A server
//! that stops carries out first what it has taken on; answers that nobody fetched are lost with it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use claviger_hsm::memory::LockedBuffer;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument as _, Span};
use uuid::Uuid;

use super::authentication::Authentication;
use super::batch::{Answered, Message, answered_in};
use super::refusal::Refusal;
use super::services::Services;
use crate::adapter::{AdapterId, Caller, Fingerprint};
use crate::kmip::enumeration::{AsynchronousIndicator, Operation, ProcessingStage};
use crate::kmip::message::{RequestItem, RequestMessage, ResponseItem};
use crate::kmip::payload::AsynchronousRequest;
use crate::kmip::ttlv::DateTime;
use crate::kmip::version::ProtocolVersion;

/// How long a request waits for a Cancel. In unit tests, until somebody asks for its answer: they depend on no timing.
const GRACE: Duration = Duration::from_secs(if cfg!(test) { 86_400 } else { 2 });
/// How long an answer is kept, in seconds.
pub(super) const KEPT: i64 = 600;
/// The most requests of a client whose answers were not fetched.
pub(super) const OF_A_CLIENT: usize = 16;
/// The most such requests of all clients.
const OF_ALL: usize = 512;
/// The most bytes that such requests of a client have.
pub(super) const BYTES_OF_A_CLIENT: usize = 256 * 1024;
/// The most bytes that they have together.
const BYTES_OF_ALL: usize = 4 * 1024 * 1024;

/// What a client calls a request by.
pub(super) type Correlation = [u8; 16];

/// Whose a request is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    adapter: AdapterId,
    certificate: Fingerprint,
    user: Option<String>,
}

/// The requests whose answers were not fetched.
#[derive(Default)]
pub(super) struct Asynchronous {
    requests: Mutex<HashMap<Correlation, Request>>,
    tasks: TaskTracker,
    closing: CancellationToken,
}

/// An item that was put off.
struct Request {
    owner: Owner,
    operation: Operation,
    submitted: DateTime,
    job: Arc<Job>,
    /// The item's place in its message.
    place: usize,
    /// The answer, and when it was there.
    answer: Option<(ResponseItem<'static>, DateTime)>,
}

/// A message that was put off.
pub(super) struct Job {
    stage: watch::Sender<ProcessingStage>,
    /// Nobody waits for a Cancel any more.
    begin: CancellationToken,
    /// Every answer was fetched.
    over: CancellationToken,
    bytes: usize,
    canceled: Mutex<Vec<bool>>,
}

/// What a Cancel finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Canceled {
    Done,
    InProcess,
    Completed,
}

impl Owner {
    pub(super) fn of(caller: &Caller, user: Option<&str>) -> Self {
        Self {
            adapter: caller.adapter,
            certificate: caller.certificate,
            user: user.map(str::to_owned),
        }
    }
}

impl Job {
    /// Waits no longer for a Cancel.
    pub(super) fn begin(&self) {
        self.begin.cancel();
    }

    pub(super) fn is_completed(&self) -> bool {
        *self.stage.borrow() == ProcessingStage::Completed
    }

    /// Waits until the answers are there.
    pub(super) async fn completed(&self) {
        let mut stage = self.stage.subscribe();
        // The sender is in `self`.
        let _ = stage.wait_for(|stage| *stage == ProcessingStage::Completed).await;
    }

    fn canceled(&self) -> MutexGuard<'_, Vec<bool>> {
        self.canceled.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the items of a message are to be carried out later. Refused where the client insists on it for one whose answer
/// cannot be fetched.
fn is_wanted(
    indicator: Option<AsynchronousIndicator>,
    version: ProtocolVersion,
    operations: &[Operation],
) -> Result<bool, Refusal> {
    use Operation::{Archive, Cancel, Locate, Poll, Process, QueryAsynchronousRequests, Recover};
    match indicator {
        Some(AsynchronousIndicator::Mandatory) => {
            let always_at_once = operations
                .iter()
                .find(|operation| matches!(operation, Poll | Cancel | Process | QueryAsynchronousRequests));
            always_at_once.map_or(Ok(true), |operation| Err(Refusal::not_asynchronous(*operation)))
        }
        Some(AsynchronousIndicator::Optional) if !version.tags_attributes() => {
            Ok(matches!(operations, [Archive | Locate | Recover]))
        }
        _ => Ok(false),
    }
}

/// Has the message carried out later, where that is what the client wants. Returns that its answers are to be fetched.
pub(super) fn put_off(
    message: &Message<'_>,
    items: &[RequestItem<'_>],
    request: &[u8],
) -> Result<Option<Vec<Answered>>, Refusal> {
    let operations: Vec<_> = items.iter().map(|item| item.operation).collect();
    if !is_wanted(
        message.header.asynchronous_indicator,
        message.version,
        &operations,
    )? {
        return Ok(None);
    }
    let names = submit(message, &operations, request)?;
    let pending = items
        .iter()
        .zip(names)
        .enumerate()
        .map(|(position, (item, name))| {
            let response = ResponseItem::pending(item.operation, name.to_vec());
            Answered {
                response: response.with_id(item.unique_batch_item_id.map(<[u8]>::to_vec)),
                event: message.event(item.operation, item.unique_batch_item_id, position, items.len()),
            }
        });
    Ok(Some(pending.collect()))
}

/// Puts a message off. Returns what each of its items is called by.
fn submit(
    message: &Message<'_>,
    operations: &[Operation],
    request: &[u8],
) -> Result<Vec<Correlation>, Refusal> {
    let (services, caller) = (message.services, message.caller);
    let owner = Owner::of(caller, message.user.as_deref());
    let now = services.clock.now();
    let (job, correlations) = services
        .asynchronous
        .admit(&owner, operations, request.len(), now)?;
    let mut kept = LockedBuffer::with_capacity(request.len());
    kept.extend_from_slice(request);
    let shown = message.authentication;
    let task = run(
        Arc::clone(services),
        caller.clone(),
        shown,
        kept,
        job,
        Span::current(),
    );
    services.asynchronous.tasks.spawn(task);
    Ok(correlations)
}

/// Carries a message out and keeps its answers for a while.
///
/// `asking` is the request that brought it, which it is part of until it is carried out.
async fn run(
    services: Arc<Services>,
    caller: Caller,
    shown: Authentication,
    request: LockedBuffer,
    job: Arc<Job>,
    asking: Span,
) {
    let requests = &services.asynchronous;
    tokio::select! {
        () = job.begin.cancelled() => {}
        () = requests.closing.cancelled() => {}
        () = tokio::time::sleep(GRACE) => {}
    }
    let canceled = requests.take_up(&job);
    let answers = carry_out_later(&services, &caller, shown, request.as_slice(), &canceled)
        .instrument(asking)
        .await;
    drop(request);
    requests.deliver(&job, answers, services.clock.now());
    let kept = Duration::from_secs(KEPT.unsigned_abs());
    tokio::select! {
        () = job.over.cancelled() => {}
        () = requests.closing.cancelled() => {}
        () = tokio::time::sleep(kept) => {}
    }
    requests
        .lock()
        .retain(|_, request| !Arc::ptr_eq(&request.job, &job));
}

/// Carries out a message that was put off, but for the items that were canceled, and returns what is answered to each item.
async fn carry_out_later(
    services: &Arc<Services>,
    caller: &Caller,
    shown: Authentication,
    request: &[u8],
    canceled: &[bool],
) -> Vec<ResponseItem<'static>> {
    let Ok(message) = RequestMessage::decode(request, &services.limits.message) else {
        tracing::error!("a message that was read when it came cannot be read any more");
        return Vec::new();
    };
    let version = answered_in(message.header.protocol_version);
    let asked: Vec<_> = message
        .items
        .iter()
        .map(|item| (item.operation, item.unique_batch_item_id))
        .collect();
    let work = Message::new(services, caller, version, &message.header, Uuid::now_v7()).authenticated(shown);
    let answered = work.work_on(message.items, canceled).await;
    let not_reached = asked.into_iter().skip(answered.len());
    let not_reached: Vec<_> = not_reached
        .map(|(operation, id)| work.failure(operation, id, &Refusal::not_reached()))
        .collect();
    answered
        .into_iter()
        .map(|item| item.response)
        .chain(not_reached)
        .collect()
}

impl Asynchronous {
    fn lock(&self) -> MutexGuard<'_, HashMap<Correlation, Request>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The requests, without those whose answers are too old.
    fn current(&self, now: DateTime) -> MutexGuard<'_, HashMap<Correlation, Request>> {
        let mut requests = self.lock();
        requests.retain(|_, request| match &request.answer {
            Some((_, since)) => now.0 < since.0.saturating_add(KEPT),
            None => true,
        });
        requests
    }

    fn admit(
        &self,
        owner: &Owner,
        operations: &[Operation],
        bytes: usize,
        now: DateTime,
    ) -> Result<(Arc<Job>, Vec<Correlation>), Refusal> {
        let mut requests = self.current(now);
        let count = operations.len();
        let of_client = requests.values().filter(|request| request.owner.is_of(owner));
        let (items, of_client) = of_client.fold((0, 0), |(items, bytes), request| {
            (items + 1, bytes + request.bytes())
        });
        let of_all: usize = requests.values().map(Request::bytes).sum();
        if items + count > OF_A_CLIENT
            || requests.len() + count > OF_ALL
            || of_client + bytes > BYTES_OF_A_CLIENT
            || of_all + bytes > BYTES_OF_ALL
            || self.closing.is_cancelled()
        {
            return Err(Refusal::too_many_asynchronous());
        }
        let job = Arc::new(Job {
            stage: watch::Sender::new(ProcessingStage::Submitted),
            begin: CancellationToken::new(),
            over: CancellationToken::new(),
            bytes,
            canceled: Mutex::new(vec![false; count]),
        });
        let correlations: Vec<_> = operations
            .iter()
            .enumerate()
            .map(|(place, operation)| {
                let correlation = Uuid::new_v4().into_bytes();
                let request = Request {
                    owner: owner.clone(),
                    operation: *operation,
                    submitted: now,
                    job: Arc::clone(&job),
                    place,
                    answer: None,
                };
                requests.insert(correlation, request);
                correlation
            })
            .collect();
        Ok((job, correlations))
    }

    /// The message is being carried out from now on, but for the items that were canceled.
    fn take_up(&self, job: &Job) -> Vec<bool> {
        let _requests = self.lock();
        job.stage.send_replace(ProcessingStage::InProcess);
        job.canceled().clone()
    }

    fn deliver(&self, job: &Arc<Job>, answers: Vec<ResponseItem<'static>>, now: DateTime) {
        let mut requests = self.lock();
        let mut answers: Vec<_> = answers.into_iter().map(Some).collect();
        for request in requests
            .values_mut()
            .filter(|request| Arc::ptr_eq(&request.job, job))
        {
            let answer = answers.get_mut(request.place).and_then(Option::take);
            request.answer = answer.map(|answer| (answer, now));
        }
        if !requests.values().any(|request| Arc::ptr_eq(&request.job, job)) {
            job.over.cancel();
        }
        job.stage.send_replace(ProcessingStage::Completed);
    }

    /// The operation of a request and the message that it came in.
    pub(super) fn find(
        &self,
        owner: &Owner,
        correlation: &[u8],
        now: DateTime,
    ) -> Result<(Operation, Arc<Job>), Refusal> {
        let requests = self.current(now);
        let request = of_owner(&requests, owner, correlation)?;
        Ok((request.operation, Arc::clone(&request.job)))
    }

    /// The answer to a request, which is given once.
    pub(super) fn take(
        &self,
        owner: &Owner,
        correlation: &[u8],
        now: DateTime,
    ) -> Result<ResponseItem<'static>, Refusal> {
        let mut requests = self.current(now);
        of_owner(&requests, owner, correlation)?;
        let request = requests
            .remove(correlation)
            .ok_or_else(Refusal::no_asynchronous)?;
        close(&requests, &request.job);
        let (answer, _) = request.answer.ok_or_else(Refusal::no_asynchronous)?;
        Ok(answer)
    }

    /// Has a request not carried out, if it is not being carried out yet.
    pub(super) fn cancel(
        &self,
        owner: &Owner,
        correlation: &[u8],
        now: DateTime,
    ) -> Result<Canceled, Refusal> {
        let mut requests = self.current(now);
        let request = of_owner(&requests, owner, correlation)?;
        let stage = *request.job.stage.borrow();
        match stage {
            ProcessingStage::Submitted => {
                let (job, place) = (Arc::clone(&request.job), request.place);
                if let Some(canceled) = job.canceled().get_mut(place) {
                    *canceled = true;
                }
                requests.remove(correlation);
                close(&requests, &job);
                Ok(Canceled::Done)
            }
            ProcessingStage::Completed => Ok(Canceled::Completed),
            _ => Ok(Canceled::InProcess),
        }
    }

    /// The requests of a client, in the order in which they came.
    pub(super) fn list(&self, owner: &Owner, now: DateTime) -> Vec<AsynchronousRequest> {
        let requests = self.current(now);
        let mut all: Vec<_> = requests
            .iter()
            .filter(|(_, request)| request.owner == *owner)
            .collect();
        all.sort_by_key(|(_, request)| (request.submitted.0, request.place));
        all.into_iter()
            .map(|(correlation, request)| AsynchronousRequest {
                asynchronous_correlation_value: correlation.to_vec(),
                operation: request.operation,
                submission_date: request.submitted.0.saturating_mul(1_000_000),
                processing_stage: *request.job.stage.borrow(),
            })
            .collect()
    }

    /// Takes on nothing more, and returns when all that was taken on has been carried out.
    pub(super) async fn close(&self) {
        self.closing.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Owner {
    /// Whether it is the same client, whatever the user: limits are a client's.
    fn is_of(&self, other: &Self) -> bool {
        (self.adapter, self.certificate) == (other.adapter, other.certificate)
    }
}

impl Request {
    /// Its share of what is kept of its message: all of it, with the first item.
    fn bytes(&self) -> usize {
        if self.place == 0 && self.answer.is_none() {
            self.job.bytes
        } else {
            0
        }
    }
}

/// A request of this client. Whose else it may be is not told.
fn of_owner<'r>(
    requests: &'r HashMap<Correlation, Request>,
    owner: &Owner,
    correlation: &[u8],
) -> Result<&'r Request, Refusal> {
    requests
        .get(correlation)
        .filter(|request| request.owner == *owner)
        .ok_or_else(Refusal::no_asynchronous)
}

/// Ends a message of which nothing is left to be fetched.
fn close(requests: &HashMap<Correlation, Request>, job: &Arc<Job>) {
    if !requests.values().any(|request| Arc::ptr_eq(&request.job, job)) {
        job.begin();
        job.over.cancel();
    }
}
