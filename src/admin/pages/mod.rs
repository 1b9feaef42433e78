//! The auditor's pages: what is kept here, who had it and when, for a browser with an auditor's certificate.
//!
//! They show and never change. They are made on the server, work without scripts, and hold nothing that is loaded from
//! elsewhere: the content security policy forbids it.
//!
//! Who is let in to see them is in [`web`](super::web).
//!
//! # What is recorded
//!
//! Each page that is asked for (`auditor.view`), each record, proof, checkpoint or bundle that is taken along (`auditor.download`),
//! each proof that is verified (`auditor.verify`), and whoever is not let in (`auditor.refused`). The record is on the disk
//! before the answer leaves; where it can't be written there is no answer but that.
//!
//! # What the pages prove
//!
//! Nothing. They are made by the server that is judged. What an auditor takes along is what proves: a record's exact bytes, its
//! proof, a checkpoint, a bundle.

mod census;
mod download;
mod failure;
mod fields;
mod frame;
mod key;
mod keys;
mod life;
mod overview;
mod record;
mod search;
mod use_record;
mod verification;

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};

use super::Administration;
use census::Census;
use failure::Failure;
use use_record::Visitor;

/// The longest upload, in bytes: a proof and a record.
const UPLOAD_LIMIT: usize = 1 << 20;

/// No script, no frame, nothing from elsewhere.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
                                       base-uri 'none'; frame-ancestors 'none'";

/// What the pages are made from.
struct Pages {
    administration: Arc<Administration>,
    census: Census,
}

/// Every page. Each expects a [`Visitor`] among the request's extensions.
pub(super) fn routes(administration: Arc<Administration>) -> Router {
    let pages = Arc::new(Pages {
        administration,
        census: Census::default(),
    });
    let recorded = Router::new()
        .route("/", get(overview::show))
        .route("/records", get(search::show))
        .route("/records/{sequence}", get(record::show))
        .route("/records/{sequence}/record.json", get(download::record))
        .route("/records/{sequence}/proof", get(download::proof))
        .route("/keys", get(keys::show))
        .route("/keys/{identifier}", get(key::show))
        .route("/checkpoint", get(download::checkpoint))
        .route("/bundle", get(download::bundle))
        .route("/verify", get(verification::form).post(verification::verify))
        .fallback(no_such_page)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(
            Arc::clone(&pages),
            use_record::before_the_answer,
        ))
        .layer(DefaultBodyLimit::max(UPLOAD_LIMIT));
    Router::new()
        .route("/style.css", get(style))
        .route("/icon.svg", get(icon))
        .merge(recorded)
        .layer(middleware::from_fn(guarded))
        .with_state(pages)
}

async fn no_such_page(Extension(visitor): Extension<Visitor>, request: Request) -> Response {
    let what = format!("There is no page {}.", request.uri().path());
    Failure::new(StatusCode::NOT_FOUND, what)
        .remedy("Start from the overview.")
        .answer(&visitor)
}

async fn wrong_method(Extension(visitor): Extension<Visitor>, request: Request) -> Response {
    let what = format!("{} does not take {}.", request.uri().path(), request.method());
    Failure::new(StatusCode::METHOD_NOT_ALLOWED, what).answer(&visitor)
}

async fn style() -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, "text/css; charset=utf-8")],
        include_str!("style.css"),
    )
}

async fn icon() -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, "image/svg+xml")],
        include_str!("icon.svg"),
    )
}

/// What holds for each answer; and that no page of another site has its visitors' browsers ask here, but for links.
async fn guarded(request: Request, next: Next) -> Response {
    let is_foreign = is_foreign(&request);
    let mut answer = if is_foreign {
        StatusCode::FORBIDDEN.into_response()
    } else {
        next.run(request).await
    };
    let headers = answer.headers_mut();
    for (name, value) in [
        ("content-security-policy", CONTENT_SECURITY_POLICY),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        (
            "permissions-policy",
            "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        ),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("cache-control", "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    answer
}

/// Whether a page of another site had the browser ask, other than by a link that was followed.
fn is_foreign(request: &Request) -> bool {
    let told = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let is_foreign = told("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none"));
    let is_link = told("sec-fetch-mode") == Some("navigate") && request.method() == Method::GET;
    is_foreign && !is_link
}

/// The pages as an auditor of this name has them.
#[cfg(test)]
pub(super) fn routes_of(administration: Arc<Administration>, name: &str) -> Router {
    let auditor = super::web::Holder {
        role: crate::adapter::Role::Auditor,
        fingerprint: crate::adapter::Fingerprint([0xad; 32]),
        subject: format!("O=Example, CN={name}"),
        issuer: format!("O=Example, CN={name}"),
        serial: "01".into(),
        not_before: time::OffsetDateTime::UNIX_EPOCH,
        not_after: time::OffsetDateTime::UNIX_EPOCH,
    };
    let visitor = Visitor::holder(Arc::new(auditor), ([192, 0, 2, 1], 40_000).into());
    routes(administration).layer(Extension(visitor))
}
