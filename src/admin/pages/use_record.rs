//! Who looks, and that it is on record before the answer.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use super::super::permission::bounded;
use super::Pages;
use super::failure::Failure;
use crate::custody::EventName;

/// Who looks.
pub(super) use super::super::Caller as Visitor;

/// Records what is asked for, and only then has it answered.
///
/// What comes of a proof that is sent in is part of its record, so that one writes its own.
pub(super) async fn before_the_answer(
    State(pages): State<Arc<Pages>>,
    request: Request,
    next: Next,
) -> Response {
    let Some(visitor) = request.extensions().get::<Visitor>().cloned() else {
        // The server puts one into each request; without, there is nobody to answer.
        return Response::new(axum::body::Body::empty());
    };
    if request.method() == Method::POST && request.uri().path() == "/verify" {
        return next.run(request).await;
    }
    let mut event = visitor
        .event(event_of(request.uri().path()))
        .detail("path", bounded(request.uri().path()));
    if let Some(query) = request.uri().query().filter(|query| !query.is_empty()) {
        event = event.detail("query", bounded(query));
    }
    match pages.administration.commit(Vec::new(), event).await {
        Ok(()) => next.run(request).await,
        Err(refusal) => not_recorded(refusal.message()).answer(&visitor),
    }
}

/// Why there is no answer.
pub(super) fn not_recorded(why: &str) -> Failure {
    Failure::new(
        StatusCode::SERVICE_UNAVAILABLE,
        format!("That you look at this can't be recorded, so it is not shown: {why}."),
    )
    .remedy("While the custody log can't be written no key is released either. Tell the operator, and try again later.")
}

fn event_of(path: &str) -> EventName {
    let is_taken = matches!(path, "/checkpoint" | "/bundle")
        || path.ends_with("/record.json")
        || path.ends_with("/proof");
    if is_taken {
        EventName::AuditorDownload
    } else {
        EventName::AuditorView
    }
}
