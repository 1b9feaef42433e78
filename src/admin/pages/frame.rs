//! What all pages have around them, and small things that they show alike.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use time::OffsetDateTime;
use time::macros::format_description;

use super::use_record::Visitor;
use crate::custody::common_name;

/// What is around a page.
pub(super) struct Frame {
    /// Its heading.
    pub(super) title: String,
    /// The link of the navigation that leads here; empty where none does.
    pub(super) here: &'static str,
    /// The auditor.
    pub(super) visitor: String,
    /// When it was made.
    pub(super) made_at: String,
}

impl Frame {
    pub(super) fn new(title: impl Into<String>, here: &'static str, visitor: &Visitor) -> Self {
        Self {
            title: title.into(),
            here,
            visitor: common_name(&visitor.name()).to_owned(),
            made_at: moment(OffsetDateTime::now_utc()),
        }
    }
}

/// The page of a template.
pub(super) fn page(template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => Html(text).into_response(),
        Err(error) => {
            tracing::error!(%error, "an auditor's page can't be made");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// A time to the second, in UTC.
pub(super) fn moment(time: OffsetDateTime) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second] UTC");
    time.to_offset(time::UtcOffset::UTC)
        .format(&format)
        .unwrap_or_default()
}

/// A number with its thousands apart.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            // A thin space that does not break.
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_people_write_them() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_234_567), "1\u{202f}234\u{202f}567");
    }
}
