//! One record as a message of syslog.

use std::io::Write as _;

use time::OffsetDateTime;
use time::macros::format_description;

use crate::custody::{Outcome, Record, StoredRecord};

/// `log audit` of RFC 5424, section 6.2.1.
const FACILITY: u8 = 13;
/// The longest `HOSTNAME` and `MSGID` of RFC 5424.
const LONGEST: (usize, usize) = (255, 32);

/// Appends the record to `frames`: its length, a space, and the message (RFC 5425, section 4.3). The message's text is the
/// record's exact bytes, so that a receiver that keeps them keeps what the log proves.
pub(super) fn frame(record: &StoredRecord, frames: &mut Vec<u8>) {
    let header = match Record::from_bytes(&record.bytes) {
        Ok(read) => header(&read),
        // It was changed by hand; the receiver sees what is there.
        Err(_) => format!("<{}>1 - - claviger - - - ", FACILITY * 8 + 2),
    };
    let length = header.len() + record.bytes.len();
    // Writing to memory does not fail.
    let _ = write!(frames, "{length} {header}");
    frames.extend_from_slice(&record.bytes);
}

fn header(record: &Record) -> String {
    let severity = match record.outcome {
        Outcome::Success => 6,
        Outcome::Refused => 4,
        Outcome::Failed => 3,
    };
    format!(
        "<{}>1 {} {} claviger - {} - ",
        FACILITY * 8 + severity,
        timestamp(record.time),
        field(&record.node, LONGEST.0),
        field(record.event.as_str(), LONGEST.1),
    )
}

fn timestamp(time: OffsetDateTime) -> String {
    let form = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");
    time.to_offset(time::UtcOffset::UTC)
        .format(form)
        .unwrap_or_else(|_| "-".into())
}

/// Printable ASCII without spaces, not too long; `-` for nothing.
fn field(text: &str, longest: usize) -> String {
    let printed: String = text
        .chars()
        .filter(char::is_ascii_graphic)
        .take(longest)
        .collect();
    if printed.is_empty() { "-".into() } else { printed }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;
    use uuid::Uuid;

    use super::*;
    use crate::custody::{Actor, Event, EventName, leaf_hash};

    fn framed(event: Event) -> (String, String) {
        let time = datetime!(2026-11-24 08:00:00.000001 UTC);
        let bytes = Record::new(7, Uuid::nil(), time, "node-1", "0.1.0", event).to_bytes();
        let record = StoredRecord {
            sequence: 7,
            leaf: leaf_hash(&bytes),
            bytes: bytes.clone(),
        };
        let mut frames = Vec::new();
        frame(&record, &mut frames);
        (
            String::from_utf8(frames).unwrap(),
            String::from_utf8(bytes).unwrap(),
        )
    }

    #[test]
    fn a_release_is_a_message_of_the_audit_facility_with_the_records_exact_bytes() {
        let (frame, json) = framed(Event::new(EventName::KmipGet, Actor::Server));
        let (length, message) = frame.split_once(' ').unwrap();
        assert_eq!(length.parse(), Ok(message.len()));
        let header = "<110>1 2026-11-24T08:00:00.000001Z node-1 claviger - kmip.get - ";
        assert_eq!(message, format!("{header}{json}"));
    }

    #[test]
    fn what_was_refused_is_more_severe_than_what_was_done() {
        let (frame, _) = framed(Event::new(EventName::KmipGet, Actor::Server).refused("no"));
        assert!(frame.contains(" <108>1 "), "{frame}");
    }

    #[test]
    fn every_event_is_named_whole() {
        for event in EventName::ALL {
            assert_eq!(field(event.as_str(), LONGEST.1), event.as_str());
        }
    }
}
