use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use time::macros::datetime;
use uuid::Uuid;

use super::super::{
    Actor, ClockFacts, ClockState, Event, EventName, ObjectFacts, Origin, Record, RootKeyFacts,
};
use super::Format;

/// A release to a client that gave its key a hostile name.
fn record(name: &str) -> Record {
    let mut event = Event::new(
        EventName::KmipGet,
        Actor::Client {
            certificate: "ab".repeat(32),
            subject: "CN=vc|1".into(),
            issuer: "CN=vc".into(),
            serial: "01".into(),
            user: None,
        },
    );
    event.origin = Some(Origin {
        address: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)),
        port: 40000,
        tls_version: Some("TLSv1.3".into()),
    });
    event.object = Some(ObjectFacts {
        identifier: "k1".into(),
        attributes: BTreeMap::from([("x-Name".into(), name.into())]),
        state_before: Some("Active".into()),
        state_after: Some("Active".into()),
        ..ObjectFacts::default()
    });
    event.root_key = Some(RootKeyFacts {
        id: Uuid::from_u128(1),
        backend: "hsm".into(),
        token_serial: "0123".into(),
        label: "claviger.east".into(),
        version: 2,
        wrap_profile: Some("aes-kw".into()),
        release_profile: Some("transport".into()),
    });
    let id = Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0001);
    Record {
        clock: Some(ClockFacts {
            state: ClockState::Synchronised,
            max_error_us: Some(1500),
            behind_us: None,
        }),
        ..Record::new(
            41,
            id,
            datetime!(2026-11-24 08:00:00.000123 UTC),
            "node-1",
            "0.1.0",
            event,
        )
    }
}

fn line(format: Format, name: &str) -> String {
    let record = record(name);
    format.line(&record, &record.to_bytes())
}

#[test]
fn a_record_is_one_line_in_every_format_whatever_a_client_calls_its_key() {
    for format in Format::ALL {
        let line = line(format, "vm \"1\"\n=cmd|'\\ ]\r");
        let plain = line.replace("\"vm \"\"1\"\"\\n", "");
        assert!(!plain.contains(['\n', '\r']), "{format}: {line}");
        assert_eq!(format.as_str().parse(), Ok(format));
    }
}

#[test]
fn a_spreadsheet_is_given_no_formula() {
    let mut record = record("vm");
    record.reason = Some("=HYPERLINK(\"http://example.com\")".into());
    let line = Format::Csv.line(&record, &record.to_bytes());
    assert!(
        line.contains("\"'=HYPERLINK(\"\"http://example.com\"\")\""),
        "{line}"
    );
    let heading = Format::Csv.heading().unwrap();
    assert!(heading.starts_with("sequence,id,time,"));
}

#[test]
fn cef_keeps_a_subject_and_a_name_from_ending_their_fields() {
    let line = line(Format::Cef, "a=b\\c");
    assert!(
        line.starts_with("CEF:0|Claviger|Claviger|0.1.0|kmip.get|KMIP Get|3|rt=1795507200000 "),
        "{line}"
    );
    assert!(line.contains("suser=CN\\=vc|1 "), "{line}");
    assert!(line.contains("k1 (a\\=b\\\\c)"), "{line}");
    assert!(line.contains(" src=192.0.2.7 spt=40000 "), "{line}");
}

#[test]
fn syslog_carries_the_log_s_own_bytes() {
    let record = record("vm 1");
    let line = Format::Syslog.line(&record, &record.to_bytes());
    let head = "<110>1 2026-11-24T08:00:00.000123Z node-1 claviger - kmip.get \
                [timeQuality tzKnown=\"1\" isSynced=\"1\" syncAccuracy=\"1500\"]\
                [origin software=\"claviger\" swVersion=\"0.1.0\"][meta sequenceId=\"42\"] ";
    let message = line.strip_prefix(head).unwrap_or_else(|| panic!("{line}"));
    assert_eq!(message.as_bytes(), record.to_bytes());
}

#[test]
fn cadf_names_the_action_as_activity_tracker_does() {
    let event: serde_json::Value = serde_json::from_str(&line(Format::Cadf, "vm 1")).unwrap();
    assert_eq!(event["action"], "claviger.kmip.get");
    assert_eq!(event["eventTime"], "2026-11-24T08:00:00.00+0000");
    assert_eq!(event["reason"]["reasonCode"], 200);
    assert_eq!(event["initiator"]["host"]["address"], "192.0.2.7");
    assert_eq!(event["target"]["name"], "k1 (vm 1)");
}

#[test]
fn ocsf_says_who_read_which_key() {
    let event: serde_json::Value = serde_json::from_str(&line(Format::Ocsf, "vm 1")).unwrap();
    assert_eq!(event["type_uid"], 600_302);
    assert_eq!(event["actor"]["user"]["uid"], "ab".repeat(32));
    assert_eq!(event["resources"][0]["uid"], "k1");
    assert_eq!(event["time"], 1_795_507_200_000_i64);
}
