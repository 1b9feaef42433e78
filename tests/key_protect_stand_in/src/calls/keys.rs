//! Keys to look at: one, its versions, and lists.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::StatusCode;
use hyper::header::HeaderValue;
use serde::Deserialize;
use serde_json::Value;

use crate::calls::actions::not_in;
use crate::calls::request::Request;
use crate::calls::{Reply, end, form, listing};
use crate::model::State;
use crate::refusal::Refusal;
use crate::service::Service;

/// So many keys or versions where the client says no number.
const LIMIT: usize = 200;

pub(super) fn get(service: &Service, request: &Request) -> Result<Reply, Refusal> {
    let key = service.store.read(|state| request.key(state))?;
    if key.state == State::Destroyed {
        return Err(not_in(key.state));
    }
    let mut form = form::key(service, &key, request.now);
    if let Some(sealed) = &key.material {
        let material = service.vault.seal().open(b"standard key", sealed);
        let material = material.ok_or_else(|| Refusal::internal("a standard key's material was changed"))?;
        form["payload"] = STANDARD.encode(material).into();
    }
    Ok(Reply::ok(form::keys(vec![form])))
}

pub(super) fn metadata(service: &Service, request: &Request) -> Result<Reply, Refusal> {
    let key = service.store.read(|state| request.key(state))?;
    let form = form::key(service, &key, request.now);
    Ok(Reply::ok(form::keys(vec![form])))
}

pub(super) fn versions(service: &Service, request: &Request) -> Result<Reply, Refusal> {
    let key = service.store.read(|state| request.key(state))?;
    if key.state == State::Destroyed && !request.is_set("allKeyStates")? {
        return Err(not_in(key.state));
    }
    // The latest comes first.
    let versions = key.versions.iter().rev().map(form::version).collect();
    let kind = "application/vnd.ibm.kms.key.version+json";
    Ok(Reply::ok(form::page(request, kind, LIMIT, versions)?))
}

pub(super) fn list(service: &Service, request: &Request) -> Result<Reply, Refusal> {
    let found = service.store.read(|state| listing::find(state, request))?;
    let limit = request.number("limit", LIMIT, crate::MOST_OF_A_LIST)?;
    let offset = request.number("offset", 0, usize::MAX)?;
    let page = found.keys.iter().skip(offset).take(limit);
    let mut list = form::keys(page.map(|key| form::key(service, key, request.now)).collect());
    if let Some(query) = found.query {
        list["metadata"]["searchQuery"] = query;
        list["metadata"]["incompleteSearch"] = false.into();
    }
    Ok(Reply::ok(list))
}

pub(super) fn count(service: &Service, request: &Request) -> Result<Reply, Refusal> {
    let found = service.store.read(|state| listing::find(state, request))?;
    let mut reply = Reply::ok(Value::Null);
    reply.body = None;
    reply.status = StatusCode::OK;
    let total = HeaderValue::from(found.keys.len());
    reply.headers.insert("key-total", total);
    Ok(reply)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Patch {
    #[serde(rename = "keyRingID")]
    key_ring: String,
}

pub(super) async fn patch(service: &Service, request: &Request) -> Result<Reply, Refusal> {
    let patch: Patch = request.body()?;
    if !service.store.read(|state| state.has_key_ring(&patch.key_ring)) {
        return Err(Refusal::key_ring_not_found());
    }
    let key = end::change(service, request, |key| {
        key.key_ring = patch.key_ring;
        key.updated = request.now;
        Ok(())
    });
    let form = form::key(service, &key.await?, request.now);
    Ok(Reply::ok(form::keys(vec![form])))
}
