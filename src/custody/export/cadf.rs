//! Cloud Auditing Data Federation (DMTF DSP0262), as IBM Cloud's Activity Tracker writes it: `action` is
//! `service.object.action`, not one of CADF's own taxonomy, and a request's and an answer's own data stand beside.

use std::net::IpAddr;

use serde_json::{Value, json};
use time::UtcOffset;
use time::macros::format_description;

use super::Weight;
use crate::custody::{Actor, Outcome, Record};

pub(super) fn event(record: &Record) -> Value {
    let time = record.time.to_offset(UtcOffset::UTC);
    let format =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:2]+0000");
    let mut event = json!({
        "typeURI": "http://schemas.dmtf.org/cloud/audit/1.0/event",
        "eventType": "activity",
        "id": record.id,
        "eventTime": time.format(&format).unwrap_or_default(),
        "action": format!("claviger.{}", record.event),
        "outcome": if record.outcome == Outcome::Success { "success" } else { "failure" },
        "severity": match Weight::of(record) {
            Weight::Usual => "normal",
            Weight::Refused | Weight::Failed => "warning",
            Weight::Alarming => "critical",
        },
        "message": format!("Claviger: {}", record.sentence()),
        "reason": reason(record),
        "initiator": initiator(record),
        "target": target(record),
        "observer": {
            "id": record.node,
            "name": record.node,
            "typeURI": "service/security/keymanager",
        },
        "dataEvent": record.event.as_str().starts_with("kmip."),
        "requestData": request_data(record),
        "responseData": response_data(record),
    });
    let request = record.request.as_ref();
    let correlation = request.and_then(|request| {
        let by_server = request.server_correlation.as_ref();
        by_server.or(request.client_correlation.as_ref())
    });
    if let Some(correlation) = correlation {
        event["correlationId"] = correlation.as_str().into();
    }
    event
}

/// The outcome in the codes of HTTP, as the services of IBM Cloud give them.
fn reason(record: &Record) -> Value {
    let (code, kind) = match record.outcome {
        Outcome::Success => (200, "OK"),
        Outcome::Refused => (403, "Forbidden"),
        Outcome::Failed => (500, "Internal Server Error"),
    };
    let mut reason = json!({ "reasonCode": code, "reasonType": kind });
    if let Some(why) = &record.reason {
        reason["reasonForFailure"] = why.as_str().into();
    }
    reason
}

fn initiator(record: &Record) -> Value {
    let name = record.actor.name();
    let mut initiator = match &record.actor {
        Actor::Administrator { uid, .. } => json!({
            "id": format!("uid:{uid}"),
            "name": name,
            "typeURI": "service/security/account/user",
            "credential": { "type": "user" },
        }),
        Actor::Server => {
            json!({ "id": record.node, "name": record.node, "typeURI": "service/security/keymanager" })
        }
        Actor::Token { id, .. } => json!({
            "id": id,
            "name": name,
            "typeURI": "service/security/clientid",
            "credential": { "type": "token" },
        }),
        Actor::Unknown => json!({ "id": "unknown", "name": name, "typeURI": "unknown" }),
        other => json!({
            "id": other.certificate(),
            "name": name,
            "typeURI": "service/security/clientid",
            "credential": { "type": "certificate" },
        }),
    };
    if let Some(origin) = &record.origin {
        let kind = match origin.address {
            IpAddr::V4(_) => "IPv4",
            IpAddr::V6(_) => "IPv6",
        };
        initiator["host"] = json!({ "address": origin.address, "addressType": kind });
    }
    initiator
}

fn target(record: &Record) -> Value {
    let name = record.about();
    if let Some(object) = &record.object {
        return json!({ "id": object.identifier, "name": name, "typeURI": "data/security/key" });
    }
    if let Some(certificate) = &record.certificate {
        return json!({ "id": certificate.fingerprint, "name": certificate.subject, "typeURI": "data/security/credential" });
    }
    if let Some(root_key) = &record.root_key {
        return json!({ "id": root_key.id, "name": root_key.label, "typeURI": "data/security/key" });
    }
    if let Some(adapter) = &record.adapter {
        return json!({ "id": adapter.id, "name": adapter.name, "typeURI": "service/security/keymanager" });
    }
    json!({ "id": record.node, "name": name.unwrap_or_else(|| record.node.clone()), "typeURI": "service/security/keymanager" })
}

/// What was asked, and by which request.
fn request_data(record: &Record) -> Value {
    json!({
        "sequence": record.sequence,
        "request": record.request,
        "adapter": record.adapter,
        "tlsVersion": record.origin.as_ref().and_then(|origin| origin.tls_version.as_ref()),
        "approvers": record.approvers,
        "details": record.details,
    })
}

/// What became of it: states, root key, error of the device.
fn response_data(record: &Record) -> Value {
    let object = record.object.as_ref();
    json!({
        "initialValue": object.and_then(|object| object.state_before.as_ref()),
        "newValue": object.and_then(|object| object.state_after.as_ref()),
        "rootKey": record.root_key,
        "deviceError": record.device,
    })
}
