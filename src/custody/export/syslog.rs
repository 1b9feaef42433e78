//! Syslog (RFC 5424): the log's own bytes as the message, what is registered for all syslog messages as structured data.
//!
//! The message has no byte order mark before it, so that it is these bytes and nothing else; by RFC 5424, section 6.4, it is
//! then one whose encoding is not declared. It is UTF-8.

use std::fmt::Write as _;

use super::Weight;
use crate::custody::{ClockState, Record};

/// `log audit` of RFC 5424, section 6.2.1.
const FACILITY: u8 = 13;
/// The longest `HOSTNAME` and `MSGID` (section 6).
const LONGEST_HOSTNAME: usize = 255;
const LONGEST_MSGID: usize = 32;
/// `sequenceId` counts up to this and begins again at 1 (section 7.3.1).
const GREATEST_SEQUENCE_ID: u64 = 2_147_483_647;

/// What stands before the structured data of a record's message, with the space after it.
pub fn syslog_header(record: &Record) -> String {
    let severity = match Weight::of(record) {
        Weight::Alarming => 2,
        Weight::Failed => 3,
        Weight::Refused => 4,
        Weight::Usual => 6,
    };
    format!(
        "<{}>1 {} {} claviger - {} ",
        FACILITY * 8 + severity,
        record.time_as_written(),
        printable(&record.node, LONGEST_HOSTNAME),
        printable(record.event.as_str(), LONGEST_MSGID),
    )
}

/// The header of a message whose record can't be read: it was changed by hand, which is critical.
pub fn syslog_header_of_unreadable() -> String {
    format!("<{}>1 - - claviger - - ", FACILITY * 8 + 2)
}

pub(super) fn line(record: &Record, bytes: &[u8]) -> String {
    let mut line = syslog_header(record);
    if let Some(clock) = record.clock {
        let synchronised = clock.state == ClockState::Synchronised;
        let _ = write!(
            line,
            "[timeQuality tzKnown=\"1\" isSynced=\"{}\"",
            u8::from(synchronised)
        );
        if let Some(accuracy) = clock.max_error_us.filter(|_| synchronised) {
            let _ = write!(line, " syncAccuracy=\"{accuracy}\"");
        }
        line.push(']');
    }
    let _ = write!(
        line,
        "[origin software=\"claviger\" swVersion=\"{}\"][meta sequenceId=\"{}\"] {}",
        parameter(&record.server_version),
        record.sequence % GREATEST_SEQUENCE_ID + 1,
        String::from_utf8_lossy(bytes),
    );
    line
}

/// What a header may have: printable ASCII, not too long; `-` where nothing is left.
fn printable(text: &str, longest: usize) -> String {
    let kept: String = text
        .chars()
        .filter(char::is_ascii_graphic)
        .take(longest)
        .collect();
    if kept.is_empty() { "-".to_owned() } else { kept }
}

/// A parameter's value: `"`, `\` and `]` with a backslash before them. A version has at most 32 characters.
fn parameter(text: &str) -> String {
    let mut value = String::new();
    for character in text.chars().take(32) {
        if matches!(character, '"' | '\\' | ']') {
            value.push('\\');
        }
        value.push(character);
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::custody::EventName;

    #[test]
    fn every_event_is_named_whole() {
        for event in EventName::ALL {
            assert_eq!(printable(event.as_str(), LONGEST_MSGID), event.as_str());
        }
    }
}
