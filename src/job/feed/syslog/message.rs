//! One record as a message of syslog.

use std::io::Write as _;

use crate::custody::export::{syslog_header, syslog_header_of_unreadable};
use crate::custody::{Record, StoredRecord};

/// Appends the record to `frames`: its length, a space, and the message (RFC 5425, section 4.3). The message's text is the
/// record's exact bytes, so that a receiver that keeps them keeps what the log proves.
pub(super) fn frame(record: &StoredRecord, frames: &mut Vec<u8>) {
    let mut header = Record::from_bytes(&record.bytes)
        .map_or_else(|_| syslog_header_of_unreadable(), |read| syslog_header(&read));
    // No structured data: the text has all of it.
    header.push_str("- ");
    let length = header.len() + record.bytes.len();
    // Writing to memory does not fail.
    let _ = write!(frames, "{length} {header}");
    frames.extend_from_slice(&record.bytes);
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
}
