//! Registrations: which resources of the cloud a key protects. Other services make them; here, the control interface does.

use serde_json::{Value, json};

use crate::calls::request::Request;
use crate::calls::{Reply, form};
use crate::model::{Key, Registration};
use crate::refusal::Refusal;
use crate::service::Service;

const KIND: &str = "application/vnd.ibm.kms.registration+json";
/// So many where the client says no number.
const LIMIT: usize = 200;
/// The path of the registrations of all keys has this in the place of a key.
const OF_ALL: &str = "registrations";

pub(super) fn list(service: &Service, request: &Request) -> Result<Reply, Refusal> {
    let prevents = request.boolean("preventKeyDeletion")?;
    let crn = request.parameter("urlEncodedResourceCRNQuery");
    let wanted = |registration: &Registration| {
        prevents.is_none_or(|prevents| prevents == registration.prevent_key_deletion)
            && crn.is_none_or(|query| matches(query, &registration.resource_crn))
    };
    let of = |key: &Key| -> Vec<Value> {
        let wanted = key
            .registrations
            .iter()
            .filter(|registration| wanted(registration));
        wanted.map(|registration| resource(key, registration)).collect()
    };
    let registrations = service.store.read(|state| {
        if request.target.id != OF_ALL {
            return request.key(state).map(|key| of(&key));
        }
        let ring = request.key_ring(state)?;
        let in_ring = |key: &&std::sync::Arc<Key>| ring.is_none_or(|ring| ring == key.key_ring);
        Ok(state.keys().filter(in_ring).flat_map(|key| of(key)).collect())
    })?;
    Ok(Reply::ok(form::page(request, KIND, LIMIT, registrations)?))
}

/// Whether the segments of a CRN are those of the query, in which `*` stands for any, and at the end of the last for any
/// end.
fn matches(query: &str, crn: &str) -> bool {
    let mut segments = crn.split(':');
    for wanted in query.split(':') {
        let Some(segment) = segments.next() else {
            return wanted == "*";
        };
        let fits = match wanted.strip_suffix('*') {
            Some(beginning) => segment.starts_with(beginning),
            None => segment == wanted,
        };
        if !fits {
            return false;
        }
    }
    true
}

fn resource(key: &Key, registration: &Registration) -> Value {
    let version = key
        .versions
        .iter()
        .find(|version| version.id == registration.version);
    json!({
        "keyId": key.id,
        "keyName": key.name,
        "resourceCrn": registration.resource_crn,
        "createdBy": registration.created.by,
        "creationDate": form::date(registration.created.at),
        "updatedBy": registration.created.by,
        "lastUpdated": form::date(registration.created.at),
        "description": registration.description,
        "preventKeyDeletion": registration.prevent_key_deletion,
        "keyVersion": form::version(version.unwrap_or(key.latest())),
    })
}
