//! Key rings: keys in groups, to which access is granted.

use hyper::StatusCode;
use serde_json::{Value, json};

use crate::DEFAULT_KEY_RING;
use crate::calls::request::Request;
use crate::calls::{Reply, form};
use crate::model::{Key, KeyRing, State, Touched};
use crate::refusal::Refusal;
use crate::service::Service;

/// So many where the client says no number.
const LIMIT: usize = 100;

pub(super) fn list(service: &Service, request: &Request) -> Result<Reply, Refusal> {
    let form = |ring: &KeyRing| {
        json!({
            "id": ring.id,
            "creationDate": form::date(ring.created.at),
            "createdBy": ring.created.by,
        })
    };
    let first = json!({"id": DEFAULT_KEY_RING});
    let rings = service.store.read(|state| {
        let made = state.key_rings().map(form);
        std::iter::once(first).chain(made).collect()
    });
    let kind = "application/vnd.ibm.kms.key_ring+json";
    Ok(Reply::ok(form::page(request, kind, LIMIT, rings)?))
}

pub(super) async fn create(service: &Service, request: &Request) -> Result<Reply, Refusal> {
    let id = &request.target.id;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if id == DEFAULT_KEY_RING {
        return Err(Refusal::key_ring_reserved());
    }
    if !(2..=100).contains(&id.len()) || !id.chars().all(plain) {
        let expected = "2 to 100 letters, digits, '-' and '_' are expected";
        return Err(Refusal::invalid_field("key-ring-id", expected));
    }
    let created = service.store.change(|state| {
        if state.has_key_ring(id) {
            return Err(Refusal::key_ring_exists());
        }
        state.put_key_ring(KeyRing {
            id: id.clone(),
            created: Touched {
                at: request.now,
                by: request.identity.id.clone(),
            },
        });
        Ok(())
    });
    created.await?;
    let mut reply = Reply::new(StatusCode::CREATED, Value::Null);
    reply.body = None;
    Ok(reply)
}

/// Deleted keys that are in it move to the default ring, where `force` allows it; others are in the way.
pub(super) async fn delete(service: &Service, request: &Request) -> Result<Reply, Refusal> {
    let id = &request.target.id;
    let force = request.is_set("force")?;
    if id == DEFAULT_KEY_RING {
        return Err(Refusal::key_ring_reserved());
    }
    let deleted = service.store.change(|state| {
        if !state.has_key_ring(id) {
            return Err(Refusal::key_ring_not_found());
        }
        let inside: Vec<_> = state.keys().filter(|key| key.key_ring == *id).cloned().collect();
        let living = inside.iter().any(|key| key.state != State::Destroyed);
        if living || (!inside.is_empty() && !force) {
            return Err(Refusal::key_ring_not_empty());
        }
        for key in inside {
            let mut key = Key::clone(&key);
            DEFAULT_KEY_RING.clone_into(&mut key.key_ring);
            state.put_key(key);
        }
        state.remove_key_ring(id);
        Ok(())
    });
    deleted.await?;
    Ok(Reply::no_content())
}
