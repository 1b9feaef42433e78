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
    Actor, AdapterFacts, CertificateFacts, DeviceFault, Event, EventName, ObjectFacts, Origin, Outcome,
    RequestFacts, RootKeyFacts,
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
    /// The server that wrote it.
    pub node: String,
    /// The version of that server's program.
    pub server_version: String,
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
    /// About which client certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CertificateFacts>,
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
    /// The record of an event at this place of the log.
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
            node: node.to_owned(),
            server_version: server_version.to_owned(),
            event: event.name,
            outcome: event.outcome,
            reason: event.reason,
            actor: event.actor,
            origin: event.origin,
            adapter: event.adapter,
            object: event.object,
            root_key: event.root_key,
            certificate: event.certificate,
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

    /// Reads stored bytes. An error says what was wrong, in serde's words.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }
}

fn write_time<S: Serializer>(time: &OffsetDateTime, serializer: S) -> Result<S::Ok, S::Error> {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");
    let text = time
        .to_offset(UtcOffset::UTC)
        .format(&format)
        .map_err(serde::ser::Error::custom)?;
    serializer.serialize_str(&text)
}

fn read_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<OffsetDateTime, D::Error> {
    let text = String::deserialize(deserializer)?;
    OffsetDateTime::parse(&text, &Rfc3339).map_err(de::Error::custom)
}
