//! What is refused, in the form of Key Protect's errors.

use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderName, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::super::refusal::{Kind, Refusal};

const CORRELATION: HeaderName = HeaderName::from_static("correlation-id");

/// Has every answer to a request of this API say what is refused in its form, and repeat what a client tells its requests
/// apart by.
pub(in crate::admin) async fn in_its_form(request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let correlation = request.headers().get(CORRELATION).cloned();
    let mut answer = in_form(&path, next.run(request).await);
    if path.starts_with("/api/v2/")
        && let Some(correlation) = correlation
    {
        answer.headers_mut().insert(CORRELATION, correlation);
    }
    answer
}

/// The answer to a request for this path: in the form of this API, where it is one of this API's.
pub(in crate::admin) fn in_form(path: &str, answer: Response) -> Response {
    if !path.starts_with("/api/v2/") {
        return answer;
    }
    let Some(refusal) = answer.extensions().get::<Refusal>().cloned() else {
        return answer;
    };
    let status = answer.status();
    let code = refusal.key_protect_code().unwrap_or_else(|| code(refusal.kind()));
    let title = status.canonical_reason().unwrap_or("Error");
    let message = match refusal.remedy_text() {
        Some(remedy) => format!("{}: {remedy}", refusal.message()),
        None => refusal.message().to_owned(),
    };
    let body = json!({
        "metadata": { "collectionType": "application/vnd.ibm.kms.error+json", "collectionTotal": 1 },
        "resources": [{
            "errorMsg": format!("{title}: {}: Please see `reasons` for more details ({code})", refusal.message()),
            "reasons": [{ "code": code, "message": message, "status": status.as_u16() }],
        }],
    });
    let mut said = (status, Json(body)).into_response();
    if status == StatusCode::UNAUTHORIZED
        && let Some(challenge) = answer.headers().get("www-authenticate")
    {
        said.headers_mut().insert("www-authenticate", challenge.clone());
    }
    said
}

/// The general code for a kind.
fn code(kind: Kind) -> &'static str {
    match kind {
        Kind::BadRequest | Kind::TooLarge | Kind::UnsupportedMediaType => "BAD_BODY_ERR",
        Kind::Invalid => "INVALID_FIELD_ERR",
        Kind::NotAdmitted | Kind::Unauthorized | Kind::SecondAdministrator => "UNAUTHORIZED_ERR",
        Kind::NotFound => "NOT_FOUND_ERR",
        Kind::MethodNotAllowed => "METHOD_NOT_ALLOWED_ERR",
        Kind::Taken => "DUPLICATE_ERR",
        Kind::InUse => "PROTECTED_RESOURCE_ERR",
        Kind::WrongState | Kind::Conflict => "KEY_ACTION_INVALID_STATE_ERR",
        Kind::Unavailable | Kind::Deadline => "SERVICE_UNAVAILABLE_ERR",
        Kind::Tampered | Kind::Internal | Kind::BackendFailed => "INTERNAL_SERVER_ERR",
    }
}
