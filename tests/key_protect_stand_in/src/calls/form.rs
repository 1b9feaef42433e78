//! The JSON forms of what the service answers.

use serde_json::{Map, Value, json};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::calls::request::Request;
use crate::model::{KEPT, Key, Policy, RESTORABLE, State, Version};
use crate::service::Service;

/// The type of a key.
pub(crate) const KEY: &str = "application/vnd.ibm.kms.key+json";

/// The envelope around resources.
pub(crate) fn collection(kind: &str, resources: Vec<Value>) -> Value {
    let total = resources.len();
    json!({
        "metadata": {"collectionType": kind, "collectionTotal": total},
        "resources": Value::Array(resources),
    })
}

/// The same of keys.
pub(crate) fn keys(resources: Vec<Value>) -> Value {
    collection(KEY, resources)
}

/// What a client gets back that asked for no more than an identifier.
pub(crate) fn identifier(key: &Key) -> Value {
    keys(vec![json!({"id": key.id})])
}

/// The same page of any list; with `totalCount` where the client asks for it.
pub(crate) fn page(
    request: &Request,
    kind: &str,
    limit: usize,
    all: Vec<Value>,
) -> Result<Value, crate::refusal::Refusal> {
    let limit = request.number("limit", limit, crate::MOST_OF_A_LIST)?;
    let offset = request.number("offset", 0, usize::MAX)?;
    let total = all.len();
    let page = all.into_iter().skip(offset).take(limit).collect();
    let mut collection = collection(kind, page);
    if request.is_set("totalCount")? {
        collection["metadata"]["totalCount"] = total.into();
    }
    Ok(collection)
}

/// A time as the service writes it, to the second.
pub(crate) fn date(at: OffsetDateTime) -> Value {
    let at = at.replace_nanosecond(0).unwrap_or(at);
    at.format(&Rfc3339).map_or(Value::Null, Value::from)
}

pub(crate) fn version(version: &Version) -> Value {
    json!({"id": version.id, "creationDate": date(version.created)})
}

/// A key without its material.
pub(crate) fn key(service: &Service, key: &Key, now: OffsetDateTime) -> Value {
    let state = key.state(now);
    let mut form = json!({
        "type": KEY,
        "id": key.id,
        "name": key.name,
        "aliases": key.aliases.iter().map(|alias| &alias.alias).collect::<Vec<_>>(),
        "state": state.number(),
        "extractable": key.extractable(),
        "crn": service.crn("key", key.id),
        "imported": key.imported,
        "keyRingID": key.key_ring,
        "creationDate": date(key.created.at),
        "createdBy": key.created.by,
        "algorithmType": "AES",
        "algorithmMetadata": {"bitLength": "256", "mode": "CBC_PAD"},
        "algorithmBitSize": 256,
        "algorithmMode": "CBC_PAD",
        "lastUpdateDate": date(key.updated),
        "keyVersion": version(key.latest()),
        "dualAuthDelete": dual_auth(key, now),
        "deleted": state == State::Destroyed,
    });
    let fields = form.as_object_mut().expect("an object was made");
    let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    if let Some(description) = &key.description {
        put("description", description.as_str().into());
    }
    if !key.tags.is_empty() {
        put("tags", key.tags.clone().into());
    }
    if let Some(rotated) = key.rotated {
        put("lastRotateDate", date(rotated));
    }
    if let Some(expires) = key.expires {
        put("expirationDate", date(expires));
    }
    if let Some(rotation) = &key.rotation {
        put("rotation", rotation_of(rotation));
    }
    if matches!(state, State::Suspended | State::Deactivated | State::Destroyed) {
        put("nonactiveStateReason", reason(state).into());
    }
    if let Some(deletion) = &key.deletion {
        let at = deletion.at;
        let purge_from = at + Duration::try_from(service.waits.purge).unwrap_or(Duration::ZERO);
        put("deletionDate", date(at));
        put("deletedBy", deletion.by.as_str().into());
        put("restoreExpirationDate", date(at + RESTORABLE));
        put("restoreAllowed", (now < at + RESTORABLE).into());
        put("purgeAllowed", (now >= purge_from).into());
        put("purgeAllowedFrom", date(purge_from));
        put("purgeScheduledOn", date(at + KEPT));
    }
    form
}

/// The service's codes for why a key is not active.
fn reason(state: State) -> u8 {
    match state {
        State::Suspended => 10,
        State::Deactivated => 22,
        _ => 24,
    }
}

fn dual_auth(key: &Key, now: OffsetDateTime) -> Value {
    let mut form = Map::new();
    form.insert("enabled".to_owned(), key.needs_two().into());
    if key.needs_two() {
        let set = key.set_for_deletion.as_ref().filter(|set| set.until > now);
        form.insert("keySetForDeletion".to_owned(), set.is_some().into());
        if let Some(set) = set {
            form.insert("authExpiration".to_owned(), date(set.until));
        }
    }
    form.into()
}

/// What a rotation policy says.
pub(crate) fn rotation_of(policy: &Policy) -> Value {
    let mut form = Map::new();
    form.insert("enabled".to_owned(), policy.enabled.into());
    if let Some(interval) = policy.interval_month {
        form.insert("interval_month".to_owned(), interval.into());
    }
    form.into()
}
