//! One record of the log, and its JSON form.
//!
//! The form of version 1: one JSON object without white space, its fields in the order of [`Record`]'s, absent
//! ones left out. Times are RFC 3339 in UTC with six decimals; hashes are lower-case hexadecimal. A reader
//! refuses fields that it does not know: a change of the form is a new version.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{OffsetDateTime, UtcOffset};
use uuid::Uuid;

use super::{
    Actor, AdapterFacts, Approver, CertificateFacts, ClockFacts, DeviceFault, Event, EventName, Hash,
    ObjectFacts, Origin, Outcome, RequestFacts, RootKeyFacts, RowFacts,
};

/// The version of the form that is written.
pub const RECORD_VERSION: u32 = 1;

/// One record of the custody log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The version of this form: [`RECORD_VERSION`].
    pub version: u32,
    /// Its place in the log, from 0, without gaps.
    pub sequence: u64,
    /// A UUID of version 7 made from `time`.
    pub id: Uuid,
    /// When it was written. Never before the record in front of it: where the clock was set back, the log's
    /// time stands still until the clock has caught up.
    #[serde(serialize_with = "write_time", deserialize_with = "read_time")]
    pub time: OffsetDateTime,
    /// How good the clock was that gave `time`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<ClockFacts>,
    /// The server that wrote it.
    pub node: String,
    /// The version of that server's program.
    pub server_version: String,
    /// SHA-256 of that server's configuration file, as it was read last; the record of that reading itself has the one before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration_sha256: Option<Hash>,
    /// What happened.
    pub event: EventName,
    /// Whether it did.
    pub outcome: Outcome,
    /// Why it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who asked for it.
    pub actor: Actor,
    /// Over which connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// In which adapter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapter: Option<AdapterFacts>,
    /// To which object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectFacts>,
    /// With which root key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_key: Option<RootKeyFacts>,
    /// Approved of by whom, beside the actor.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvers: Vec<Approver>,
    /// About which client certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CertificateFacts>,
    /// Which rows of keys its commit wrote.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<RowFacts>,
    /// In which request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestFacts>,
    /// The device's own error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceFault>,
    /// What else belongs to it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub details: BTreeMap<String, String>,
}

impl Record {
    /// The record of an event at this place of the log, which says nothing of the clock and the configuration.
    pub fn new(
        sequence: u64,
        id: Uuid,
        time: OffsetDateTime,
        node: &str,
        server_version: &str,
        event: Event,
    ) -> Self {
        Self {
            version: RECORD_VERSION,
            sequence,
            id,
            time,
            clock: None,
            node: node.to_owned(),
            server_version: server_version.to_owned(),
            configuration_sha256: None,
            event: event.name,
            outcome: event.outcome,
            reason: event.reason,
            actor: event.actor,
            origin: event.origin,
            adapter: event.adapter,
            object: event.object,
            root_key: event.root_key,
            approvers: event.approvers,
            certificate: event.certificate,
            rows: event.rows,
            request: event.request,
            device: event.device,
            details: event.details,
        }
    }

    /// The bytes that are stored and hashed. Made once, when the record is written; nobody makes them again.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(1024);
        serde_json::to_writer(&mut bytes, self).expect("a record has no map with keys that are not text");
        bytes
    }

    /// The time as the record's JSON has it.
    pub fn time_as_written(&self) -> String {
        written(self.time).unwrap_or_else(|_| self.time.to_string())
    }

    /// The time of stored bytes, also of a record of a later version of this form: servers of two versions write one log while
    /// they are replaced one after another.
    pub fn time_of(bytes: &[u8]) -> Result<OffsetDateTime, serde_json::Error> {
        #[derive(Deserialize)]
        struct Timed {
            #[serde(deserialize_with = "read_time")]
            time: OffsetDateTime,
        }
        serde_json::from_slice(bytes).map(|Timed { time }| time)
    }

    /// Reads stored bytes. An error says what was wrong, in serde's words.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }
}

fn write_time<S: Serializer>(time: &OffsetDateTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&written(*time).map_err(serde::ser::Error::custom)?)
}

fn written(time: OffsetDateTime) -> Result<String, time::error::Format> {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");
    time.to_offset(UtcOffset::UTC).format(&format)
}

fn read_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<OffsetDateTime, D::Error> {
    let text = String::deserialize(deserializer)?;
    OffsetDateTime::parse(&text, &Rfc3339).map_err(de::Error::custom)
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use time::macros::datetime;

    use super::super::ClockState;
    use super::*;

    fn get() -> Event {
        let actor = Actor::Client {
            certificate: "ab".repeat(32),
            subject: "CN=kmipClient20261124080000".into(),
            issuer: "CN=kmipClient20261124080000".into(),
            serial: "01:a2".into(),
            user: None,
        };
        let mut event = Event::new(EventName::KmipGet, actor).detail("note", "gr\u{fc}n");
        event.origin = Some(Origin {
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 40000,
            tls_version: Some("TLSv1.3".into()),
        });
        let id = Uuid::from_u128(1);
        event.adapter = Some(AdapterFacts {
            id,
            name: "east".into(),
        });
        event.object = Some(ObjectFacts {
            identifier: id.to_string(),
            object_type: Some("SymmetricKey".into()),
            algorithm: Some("AES".into()),
            length: Some(256),
            state_before: Some("Active".into()),
            state_after: Some("Active".into()),
            attributes: BTreeMap::from([("x-Name".into(), "vm \"1\"".into())]),
            row_sha256: Some(Hash([0xcd; 32])),
        });
        event.root_key = Some(RootKeyFacts {
            id,
            backend: "hsm".into(),
            token_serial: "0123".into(),
            label: "claviger east".into(),
            version: 1,
            wrap_profile: Some("aes-kw".into()),
            release_profile: Some("transport".into()),
        });
        event.request = Some(RequestFacts {
            operation: "Get".into(),
            protocol_version: "1.1".into(),
            batch_position: 1,
            batch_count: 1,
            batch_item_id: None,
            client_correlation: None,
            server_correlation: None,
        });
        event
    }

    fn record(event: Event) -> Record {
        let time = datetime!(2026-11-24 08:00:00.000123 UTC);
        let id = Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0001);
        Record::new(41, id, time, "node-1", "0.1.0", event)
    }

    /// The log of an installation outlives every version of this program: what was written must be read for ever.
    #[test]
    fn the_form_of_a_release_stays_as_it_was() {
        let cd = "cd".repeat(32);
        let ab = "ab".repeat(32);
        let expected = format!(
            concat!(
                r#"{{"version":1,"sequence":41,"id":"01980000-0000-7000-8000-000000000001","#,
                r#""time":"2026-11-24T08:00:00.000123Z","node":"node-1","server_version":"0.1.0","event":"kmip.get","#,
                r#""outcome":"success","actor":{{"kind":"client","certificate":"{ab}","#,
                r#""subject":"CN=kmipClient20261124080000","issuer":"CN=kmipClient20261124080000","serial":"01:a2"}},"#,
                r#""origin":{{"address":"127.0.0.1","port":40000,"tls_version":"TLSv1.3"}},"#,
                r#""adapter":{{"id":"00000000-0000-0000-0000-000000000001","name":"east"}},"#,
                r#""object":{{"identifier":"00000000-0000-0000-0000-000000000001","object_type":"SymmetricKey","#,
                r#""algorithm":"AES","length":256,"state_before":"Active","state_after":"Active","#,
                r#""attributes":{{"x-Name":"vm \"1\""}},"row_sha256":"{cd}"}},"#,
                r#""root_key":{{"id":"00000000-0000-0000-0000-000000000001","backend":"hsm","token_serial":"0123","#,
                r#""label":"claviger east","version":1,"wrap_profile":"aes-kw","release_profile":"transport"}},"#,
                r#""request":{{"operation":"Get","protocol_version":"1.1","batch_position":1,"batch_count":1}},"#,
                r#""details":{{"note":"grün"}}}}"#
            ),
            ab = ab,
            cd = cd
        );
        assert_eq!(String::from_utf8(record(get()).to_bytes()).unwrap(), expected);
    }

    /// What joined the form after the first records were written is left out where nothing is known of it, so that the
    /// record above is still written as it was; where it is known, it stands here.
    #[test]
    fn what_joined_the_form_later_has_its_place_too() {
        let mut event = get();
        if let Actor::Client { user, .. } = &mut event.actor {
            *user = Some("user Fred".into());
        }
        event.approvers = vec![Approver {
            uid: Some(1001),
            user: "otto".into(),
            certificate: None,
        }];
        if let Some(request) = &mut event.request {
            request.batch_item_id = Some("01".into());
            request.server_correlation = Some("s".into());
        }
        let record = Record {
            clock: Some(ClockFacts {
                state: ClockState::Synchronised,
                max_error_us: Some(1500),
                behind_us: Some(7),
            }),
            configuration_sha256: Some(Hash([0xee; 32])),
            ..record(event)
        };
        let text = String::from_utf8(record.to_bytes()).unwrap();
        let configuration = format!(
            r#""server_version":"0.1.0","configuration_sha256":"{}","event":"#,
            "ee".repeat(32)
        );
        for part in [
            r#"Z","clock":{"state":"synchronised","max_error_us":1500,"behind_us":7},"node":"#,
            &configuration,
            r#""serial":"01:a2","user":"user Fred"},"origin":"#,
            r#""release_profile":"transport"},"approvers":[{"uid":1001,"user":"otto"}],"request":"#,
            r#""batch_count":1,"batch_item_id":"01","server_correlation":"s"},"details":"#,
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert_eq!(Record::from_bytes(text.as_bytes()).unwrap(), record);
    }

    #[test]
    fn every_part_of_a_record_is_read_back() {
        let mut full = get().failed("the device does not answer");
        full.actor = Actor::Administrator {
            uid: 0,
            user: "root".into(),
        };
        full.certificate = Some(CertificateFacts {
            fingerprint: "ab".repeat(32),
            name: Some("vcenter".into()),
            subject: "CN=a".into(),
            issuer: "CN=b".into(),
            serial: "02".into(),
        });
        full.rows = vec![RowFacts {
            identifier: Uuid::from_u128(2),
            revision: 3,
            sha256: Hash([0xef; 32]),
        }];
        full.device = Some(DeviceFault {
            function: "C_UnwrapKey".into(),
            code: 0x30,
            name: "CKR_DEVICE_ERROR".into(),
        });
        for event in [
            full,
            Event::new(EventName::ServerStart, Actor::Server),
            Event::new(EventName::CertificateRefused, Actor::Unknown).refused("not let in"),
            Event::new(
                EventName::AdapterCreate,
                Actor::RemoteAdministrator {
                    role: "operator".into(),
                    certificate: "ab".repeat(32),
                    subject: "CN=Olivia".into(),
                    issuer: "CN=Olivia".into(),
                    serial: "02".into(),
                },
            ),
            Event::new(
                EventName::CertificateAdd,
                Actor::Token {
                    id: Uuid::from_u128(3),
                    name: "terraform".into(),
                    role: "operator".into(),
                },
            ),
        ] {
            let record = record(event);
            assert_eq!(Record::from_bytes(&record.to_bytes()).unwrap(), record);
        }
    }

    #[test]
    fn what_is_no_part_of_the_form_is_not_read_over() {
        let text = String::from_utf8(record(get()).to_bytes()).unwrap();
        for (from, to) in [
            (r#""sequence":41"#, r#""sequence":41,"hidden":true"#),
            (r#""port":40000"#, r#""port":40000,"hidden":true"#),
            ("kmip.get", "kmip.gets"),
            ("\"kind\":\"client\"", "\"kind\":\"nobody\""),
        ] {
            assert!(text.contains(from));
            assert!(
                Record::from_bytes(text.replacen(from, to, 1).as_bytes()).is_err(),
                "{to}"
            );
        }
    }
}
