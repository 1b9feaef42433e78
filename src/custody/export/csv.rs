//! Comma-separated values (RFC 4180): a column a field.
//!
//! Spreadsheets take a cell that begins with `=`, `+`, `-` or `@` for a formula, and names in a record may come from a client.
//! Such a cell is written with `'` before it.

use serde::Serialize;

use crate::custody::{Actor, Record, leaf_hash};

const COLUMNS: [&str; 49] = [
    "sequence",
    "id",
    "time",
    "clock",
    "node",
    "server_version",
    "configuration_sha256",
    "event",
    "outcome",
    "reason",
    "actor_kind",
    "actor",
    "actor_certificate",
    "actor_issuer",
    "actor_serial",
    "actor_uid",
    "user",
    "address",
    "port",
    "tls_version",
    "adapter_id",
    "adapter",
    "object",
    "object_type",
    "algorithm",
    "length",
    "state_before",
    "state_after",
    "attributes",
    "row_sha256",
    "root_key_id",
    "backend",
    "token_serial",
    "root_key",
    "root_key_version",
    "wrap_profile",
    "release_profile",
    "approvers",
    "about_certificate",
    "operation",
    "protocol_version",
    "batch_position",
    "batch_count",
    "batch_item_id",
    "client_correlation",
    "server_correlation",
    "device_error",
    "details",
    "leaf_sha256",
];

pub(super) fn heading() -> String {
    COLUMNS.join(",")
}

pub(super) fn line(record: &Record, bytes: &[u8]) -> String {
    let (issuer, serial, uid, user) = match &record.actor {
        Actor::Client {
            issuer, serial, user, ..
        } => (text(issuer), text(serial), String::new(), given(user.as_ref())),
        Actor::Auditor { issuer, serial, .. } | Actor::RemoteAdministrator { issuer, serial, .. } => {
            (text(issuer), text(serial), String::new(), String::new())
        }
        Actor::Administrator { uid, .. } => (String::new(), String::new(), uid.to_string(), String::new()),
        _ => Default::default(),
    };
    let origin = record.origin.as_ref();
    let adapter = record.adapter.as_ref();
    let object = record.object.as_ref();
    let root_key = record.root_key.as_ref();
    let request = record.request.as_ref();
    let approvers: Vec<_> = record.approvers.iter().map(|each| each.user.as_str()).collect();
    let device = record
        .device
        .as_ref()
        .map(|device| format!("{} {}", device.function, device.name));
    let cells: [String; COLUMNS.len()] = [
        record.sequence.to_string(),
        record.id.to_string(),
        record.time_as_written(),
        record.clock.map(|clock| word(&clock.state)).unwrap_or_default(),
        record.node.clone(),
        record.server_version.clone(),
        given(record.configuration_sha256.as_ref()),
        record.event.to_string(),
        word(&record.outcome),
        given(record.reason.as_ref()),
        record.actor.kind().to_owned(),
        record.actor.name(),
        given(record.actor.certificate()),
        issuer,
        serial,
        uid,
        user,
        given(origin.map(|origin| origin.address)),
        given(origin.map(|origin| origin.port)),
        given(origin.and_then(|origin| origin.tls_version.as_ref())),
        given(adapter.map(|adapter| adapter.id)),
        given(adapter.map(|adapter| &adapter.name)),
        given(object.map(|object| &object.identifier)),
        given(object.and_then(|object| object.object_type.as_ref())),
        given(object.and_then(|object| object.algorithm.as_ref())),
        given(object.and_then(|object| object.length)),
        given(object.and_then(|object| object.state_before.as_ref())),
        given(object.and_then(|object| object.state_after.as_ref())),
        object.map_or_else(String::new, |object| map(&object.attributes)),
        given(object.and_then(|object| object.row_sha256.as_ref())),
        given(root_key.map(|root_key| root_key.id)),
        given(root_key.map(|root_key| &root_key.backend)),
        given(root_key.map(|root_key| &root_key.token_serial)),
        given(root_key.map(|root_key| &root_key.label)),
        given(root_key.map(|root_key| root_key.version)),
        given(root_key.and_then(|root_key| root_key.wrap_profile.as_ref())),
        given(root_key.and_then(|root_key| root_key.release_profile.as_ref())),
        approvers.join(" "),
        given(
            record
                .certificate
                .as_ref()
                .map(|certificate| &certificate.fingerprint),
        ),
        given(request.map(|request| &request.operation)),
        given(request.map(|request| &request.protocol_version)),
        given(request.map(|request| request.batch_position)),
        given(request.map(|request| request.batch_count)),
        given(request.and_then(|request| request.batch_item_id.as_ref())),
        given(request.and_then(|request| request.client_correlation.as_ref())),
        given(request.and_then(|request| request.server_correlation.as_ref())),
        device.unwrap_or_default(),
        map(&record.details),
        leaf_hash(bytes).to_string(),
    ];
    cells.map(|cell| quoted(&cell)).join(",")
}

fn text(text: &str) -> String {
    text.to_owned()
}

fn given(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// A word as the record's JSON has it.
fn word(value: &impl Serialize) -> String {
    serde_json::to_value(value)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}

fn map(map: &std::collections::BTreeMap<String, String>) -> String {
    if map.is_empty() {
        return String::new();
    }
    serde_json::to_string(map).unwrap_or_default()
}

/// A cell as it stands in a line.
pub(super) fn quoted(cell: &str) -> String {
    let harmless = if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    };
    if harmless.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", harmless.replace('"', "\"\""))
    } else {
        harmless
    }
}
