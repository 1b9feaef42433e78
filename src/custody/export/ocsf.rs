//! Open Cybersecurity Schema Framework, version 1.8.0: API Activity for what was asked for, Application Lifecycle for the
//! server's own start and stop.

use serde_json::{Map, Value, json};

use super::Weight;
use crate::custody::{Actor, EventName, Outcome, Record};

/// The version of the schema.
const VERSION: &str = "1.8.0";
/// The category Application Activity.
const CATEGORY: u32 = 6;
const APPLICATION_LIFECYCLE: u32 = 6002;
const API_ACTIVITY: u32 = 6003;

pub(super) fn event(record: &Record, bytes: &[u8]) -> Value {
    let lifecycle = matches!(record.event, EventName::ServerStart | EventName::ServerStop);
    let (class, activity) = match record.event {
        EventName::ServerStart => (APPLICATION_LIFECYCLE, 3),
        EventName::ServerStop => (APPLICATION_LIFECYCLE, 4),
        other => (API_ACTIVITY, activity(other)),
    };
    let product = json!({ "name": "Claviger", "vendor_name": "Claviger", "version": record.server_version });
    let mut event = Map::new();
    let mut set = |name: &str, value: Value| event.insert(name.to_owned(), value);
    set("category_uid", CATEGORY.into());
    set("class_uid", class.into());
    set("activity_id", activity.into());
    set("type_uid", (class * 100 + activity).into());
    set("time", milliseconds(record).into());
    set("timezone_offset", 0.into());
    let severity = match Weight::of(record) {
        Weight::Usual => 1,
        Weight::Refused | Weight::Failed => 3,
        Weight::Alarming => 5,
    };
    set("severity_id", severity.into());
    set(
        "status_id",
        if record.outcome == Outcome::Success { 1 } else { 2 }.into(),
    );
    if let Some(reason) = &record.reason {
        set("status_detail", reason.as_str().into());
    }
    if let Some(device) = &record.device {
        set("status_code", device.name.as_str().into());
    }
    set("message", record.sentence().into());
    set(
        "metadata",
        json!({
            "version": VERSION,
            "product": product,
            "uid": record.id,
            "sequence": record.sequence,
            "event_code": record.event,
            "log_name": "custody",
            "original_time": record.time_as_written(),
        }),
    );
    set("raw_data", String::from_utf8_lossy(bytes).into());
    if lifecycle {
        set("app", product);
    } else {
        set("actor", actor(record));
        set("api", api(record));
        set("src_endpoint", source(record));
        let resources = resources(record);
        if !resources.is_empty() {
            set("resources", resources.into());
        }
    }
    Value::Object(event)
}

/// Create, Read, Update, Delete or Other.
fn activity(event: EventName) -> u32 {
    use EventName as E;
    match event {
        E::KmipCreate
        | E::KmipRegister
        | E::KmipImport
        | E::KmipReKey
        | E::KmipDeriveKey
        | E::RootKeyCreate
        | E::RootKeyImport
        | E::RootKeyAdopt
        | E::AdapterCreate
        | E::TokenCreate
        | E::CertificateAdd
        | E::AuthorityAdd
        | E::CredentialAdd => 1,
        E::KmipGet
        | E::KmipExport
        | E::KmipGetAttributes
        | E::KmipGetAttributeList
        | E::KmipLocate
        | E::KmipCheck
        | E::KmipQuery
        | E::KmipDiscoverVersions
        | E::AdministratorRead
        | E::RootKeyVerify => 2,
        E::KmipAddAttribute
        | E::KmipModifyAttribute
        | E::KmipSetAttribute
        | E::KmipAdjustAttribute
        | E::KmipDeleteAttribute
        | E::KmipActivate
        | E::KmipRevoke
        | E::KmipArchive
        | E::KmipRecover
        | E::KeyRewrap
        | E::KeyMove
        | E::KeyRevoke
        | E::AdapterMove
        | E::AdapterSetQuota
        | E::CredentialPolicy
        | E::RootKeyRotate
        | E::RootKeyDisable
        | E::RootKeyEnable => 3,
        E::KmipDestroy
        | E::KeyDestroy
        | E::KeyDelete
        | E::TokenRevoke
        | E::AdapterDelete
        | E::CertificateRemove
        | E::AuthorityRemove
        | E::CredentialRemove
        | E::RootKeyDestroy
        | E::RootKeyDestroyed
        | E::RootKeyDestroyVersion
        | E::RootKeyVersionDestroyed => 4,
        _ => 99,
    }
}

fn actor(record: &Record) -> Value {
    let name = record.actor.name();
    // Type: 0 unknown, 2 administrator, 3 system, 4 service.
    let user = match &record.actor {
        Actor::Administrator { uid, .. } => json!({ "name": name, "uid": uid.to_string(), "type_id": 2 }),
        Actor::RemoteAdministrator { certificate, .. } => {
            json!({ "name": name, "uid": certificate, "credential_uid": certificate, "type_id": 2 })
        }
        Actor::Token { id, .. } => json!({ "name": name, "uid": id, "credential_uid": id, "type_id": 4 }),
        Actor::Server => json!({ "name": record.node, "type_id": 3 }),
        Actor::Unknown => json!({ "name": name, "type_id": 0 }),
        other => {
            json!({ "name": name, "uid": other.certificate(), "credential_uid": other.certificate(), "type_id": 4 })
        }
    };
    json!({ "user": user })
}

fn api(record: &Record) -> Value {
    let request = record.request.as_ref();
    let operation = request.map_or(record.event.as_str(), |request| &request.operation);
    let mut api = json!({
        "operation": operation,
        "service": { "name": "claviger" },
        "request": { "uid": record.id },
    });
    if let Some(request) = request {
        api["version"] = request.protocol_version.as_str().into();
    }
    api
}

/// Where it came from: the client's address, or this node.
fn source(record: &Record) -> Value {
    match &record.origin {
        Some(origin) => json!({ "ip": origin.address, "port": origin.port }),
        None => json!({ "name": record.node }),
    }
}

fn resources(record: &Record) -> Vec<Value> {
    let mut resources = Vec::new();
    if let Some(object) = &record.object {
        let mut resource = json!({
            "uid": object.identifier,
            "type": object.object_type.as_deref().unwrap_or("Object"),
            "role_id": 1,
        });
        if let Some(name) = object.attributes.get("x-Name") {
            resource["name"] = name.as_str().into();
        }
        if let Some(adapter) = &record.adapter {
            resource["namespace"] = adapter.name.as_str().into();
        }
        resources.push(resource);
    }
    if let Some(certificate) = &record.certificate {
        resources.push(json!({
            "uid": certificate.fingerprint, "name": certificate.subject, "type": "Certificate", "role_id": 1,
        }));
    }
    if let Some(root_key) = &record.root_key {
        let role = if resources.is_empty() { 1 } else { 4 };
        resources.push(json!({
            "uid": root_key.id,
            "name": root_key.label,
            "type": "RootKey",
            "version": root_key.version.to_string(),
            "role_id": role,
        }));
    }
    resources
}

fn milliseconds(record: &Record) -> i64 {
    i64::try_from(record.time.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)
}
