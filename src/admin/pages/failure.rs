//! What an auditor reads where there is nothing to show.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::super::refusal::Refusal;
use super::frame::{Frame, page};
use super::use_record::Visitor;

/// Why a page is not shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    status: StatusCode,
    what: String,
    remedy: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "pages/failure.html")]
struct FailurePage<'f> {
    frame: Frame,
    what: &'f str,
    remedy: Option<&'static str>,
}

impl Failure {
    pub(super) fn new(status: StatusCode, what: impl Into<String>) -> Self {
        Self {
            status,
            what: what.into(),
            remedy: None,
        }
    }

    pub(super) fn not_found(what: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, what)
    }

    pub(super) fn bad_request(what: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, what)
    }

    pub(super) fn remedy(self, remedy: &'static str) -> Self {
        Self {
            remedy: Some(remedy),
            ..self
        }
    }

    /// The page that says so.
    pub(super) fn answer(&self, visitor: &Visitor) -> Response {
        if self.status.is_server_error() {
            tracing::error!(status = self.status.as_u16(), what = %self.what, "an auditor's page failed");
        }
        let title = match self.status {
            StatusCode::NOT_FOUND => "Not found",
            StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE => "This can’t be read",
            StatusCode::METHOD_NOT_ALLOWED => "Not possible here",
            StatusCode::SERVICE_UNAVAILABLE => "Not available now",
            _ => "Something is wrong",
        };
        let shown = FailurePage {
            frame: Frame::new(title, "", visitor),
            what: &self.what,
            remedy: self.remedy,
        };
        (self.status, page(&shown)).into_response()
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let (status, _) = refusal.kind().status_and_code();
        Self::new(status, sentence(refusal.message()))
    }
}

impl From<crate::store::Error> for Failure {
    fn from(error: crate::store::Error) -> Self {
        Refusal::from(error).into()
    }
}

fn sentence(message: &str) -> String {
    let mut letters = message.chars();
    letters.next().map_or_else(String::new, |first| {
        let end = if message.ends_with('.') { "" } else { "." };
        format!("{}{}{end}", first.to_uppercase(), letters.as_str())
    })
}
