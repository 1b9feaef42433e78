//! What is done around each call: which one it is, who asks, what is to go wrong.

use std::time::Duration;

use bytes::Bytes;
use hyper::header::{HeaderValue, RETRY_AFTER};
use hyper::http::request::Parts;
use hyper::{HeaderMap, StatusCode};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::call::{Call, classify};
use crate::calls::{self, Reply, Request};
use crate::control::Control;
use crate::faults::FaultKind;
use crate::iam::{self, Identity};
use crate::refusal::Refusal;
use crate::service::Service;

/// What the client gets.
pub(crate) enum Outcome {
    Reply(Reply),
    /// Something that is no JSON.
    Garbage,
    /// A connection that ends without a word.
    Cut,
}

/// Carries out one request, with what is to go wrong with it.
pub(crate) async fn exchange(control: &Control, service: &Service, head: Parts, body: Bytes) -> Outcome {
    let query = head.uri.query().unwrap_or_default();
    let query: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let action = query.iter().find(|(name, _)| name == "action");
    let action = action.map(|(_, action)| action.as_str());
    let (call, target) = classify(&head.method, head.uri.path(), action);
    let _under_way = control.counting().request(call);
    let delay = control.delay();
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let mut after = None;
    for fault in control.active_faults().with(call) {
        match fault {
            FaultKind::Status { status, retry_after } => {
                let reply = of_status(call, status, retry_after);
                control.counting().response(reply.status.as_u16());
                return Outcome::Reply(reply);
            }
            FaultKind::CutBefore => return Outcome::Cut,
            FaultKind::CutAfter => after = Some(Outcome::Cut),
            FaultKind::Garbage => after = Some(Outcome::Garbage),
            FaultKind::Delay { milliseconds } => {
                tokio::time::sleep(Duration::from_millis(milliseconds)).await;
            }
            FaultKind::ExpireTokens => service.iam.invalidate_tokens(),
            FaultKind::Meanwhile(event) => {
                // A key that is not there has nothing done to it; the request will say so.
                let _ = control.happens(service, &target.id, event).await;
            }
        }
    }
    let now = control.now();
    let reply = if call == Call::Token {
        let (status, body) = service.iam.token(&body, now);
        Ok(Reply::new(status, body))
    } else {
        match identify(service, call, &head.headers, now) {
            Ok(identity) => {
                let request = Request {
                    call,
                    target,
                    query,
                    headers: head.headers,
                    body,
                    identity,
                    now,
                };
                calls::answer(service, &request).await
            }
            Err(refusal) => Err(refusal),
        }
    };
    let reply = reply.unwrap_or_else(|refusal| Reply::new(refusal.status, refusal.body(call.could_not())));
    control.counting().response(reply.status.as_u16());
    after.unwrap_or(Outcome::Reply(reply))
}

/// The error of a fault, in the form of the one who would say it.
fn of_status(call: Call, status: u16, retry_after: Option<u64>) -> Reply {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = if call == Call::Token {
        iam::error("BXNIM0129E", "The stand-in was told to answer so")
    } else {
        Refusal::of_a_fault(status).body(call.could_not())
    };
    let mut reply = Reply::new(status, body);
    if let Some(seconds) = retry_after {
        reply.headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    reply
}

/// Who asks, where it may ask this.
fn identify(
    service: &Service,
    call: Call,
    headers: &HeaderMap,
    now: OffsetDateTime,
) -> Result<Identity, Refusal> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let authorization = header("authorization").unwrap_or_default();
    let identity = service.iam.identity(authorization, now);
    let identity = identity.ok_or_else(Refusal::unauthorized)?;
    let instance = header("bluemix-instance").and_then(|instance| Uuid::parse_str(instance).ok());
    if instance != Some(service.instance) || identity.role < call.least_role() {
        return Err(Refusal::forbidden());
    }
    Ok(identity)
}
