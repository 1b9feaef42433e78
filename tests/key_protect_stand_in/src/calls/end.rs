//! States of a key: disabled, enabled, deleted, restored, purged; and the two authorisations of a deletion.

use hyper::StatusCode;
use serde_json::Value;
use time::Duration;

use crate::calls::actions::{must_be_root, not_in};
use crate::calls::body::base64;
use crate::calls::request::Request;
use crate::calls::{Reply, form, material};
use crate::model::{Key, RESTORABLE, SetForDeletion, State, Touched};
use crate::refusal::Refusal;
use crate::service::{Service, waited};

/// How long the first authorisation holds.
const AUTHORISED: Duration = Duration::days(7);

pub(super) async fn disable(service: &Service, request: &Request) -> Result<Reply, Refusal> {
    switch(service, request, State::Active, State::Suspended).await
}

pub(super) async fn enable(service: &Service, request: &Request) -> Result<Reply, Refusal> {
    switch(service, request, State::Suspended, State::Active).await
}

async fn switch(service: &Service, request: &Request, from: State, to: State) -> Result<Reply, Refusal> {
    change(service, request, |key| {
        must_be_root(key)?;
        must_be_in(key, from, request)?;
        if key
            .state_changed
            .is_some_and(|last| !waited(last, service.waits.action, request.now))
        {
            return Err(Refusal::too_early());
        }
        key.enter(to, request.now);
        Ok(())
    })
    .await?;
    Ok(Reply::no_content())
}

pub(super) async fn set_for_deletion(service: &Service, request: &Request) -> Result<Reply, Refusal> {
    change(service, request, |key| {
        must_be_in(key, State::Active, request)?;
        if !key.needs_two() {
            return Err(Refusal::not_dual_auth());
        }
        key.set_for_deletion = Some(SetForDeletion {
            by: request.identity.id.clone(),
            until: request.now + AUTHORISED,
        });
        key.updated = request.now;
        Ok(())
    })
    .await?;
    Ok(Reply::no_content())
}

pub(super) async fn unset_for_deletion(service: &Service, request: &Request) -> Result<Reply, Refusal> {
    change(service, request, |key| {
        must_be_in(key, State::Active, request)?;
        if !key.needs_two() {
            return Err(Refusal::not_dual_auth());
        }
        key.set_for_deletion = None;
        key.updated = request.now;
        Ok(())
    })
    .await?;
    Ok(Reply::no_content())
}

pub(super) async fn delete(service: &Service, request: &Request) -> Result<Reply, Refusal> {
    let force = request.is_set("force")?;
    let key = change(service, request, |key| {
        if key.state == State::Destroyed {
            return Err(Refusal::deleted());
        }
        if key
            .registrations
            .iter()
            .any(|registration| registration.prevent_key_deletion)
        {
            return Err(Refusal::retention_policy());
        }
        if !key.registrations.is_empty() && !force {
            return Err(Refusal::protected_resource());
        }
        let authorised = key
            .set_for_deletion
            .as_ref()
            .is_some_and(|first| first.until > request.now && first.by != request.identity.id);
        if key.needs_two() && !authorised {
            return Err(Refusal::authorizations_not_met());
        }
        key.registrations.clear();
        delete_key(key, &request.identity.id, request.now);
        Ok(())
    });
    Ok(gone(service, request, &key.await?))
}

/// Would tell the resources that the key protects that it has changed. There are none that listen.
pub(super) fn sync(service: &Service, request: &Request) -> Result<Reply, Refusal> {
    let key = service.store.read(|state| request.key(state))?;
    must_be_root(&key)?;
    Ok(Reply::no_content())
}

/// Moves a key to its end.
pub(crate) fn delete_key(key: &mut Key, by: &str, now: time::OffsetDateTime) {
    key.deletion = Some(Touched {
        at: now,
        by: by.to_owned(),
    });
    key.set_for_deletion = None;
    key.enter(State::Destroyed, now);
}

pub(super) async fn purge(service: &Service, request: &Request) -> Result<Reply, Refusal> {
    let key = service.store.change(|state| {
        let key = request.key(state)?;
        let (State::Destroyed, Some(deletion)) = (key.state, &key.deletion) else {
            return Err(Refusal::invalid_state());
        };
        if !waited(deletion.at, service.waits.purge, request.now) {
            return Err(Refusal::too_early());
        }
        state.remove_key(key.id);
        Ok(key)
    });
    let key = key.await?;
    destroy_versions(service, &key).await?;
    Ok(gone(service, request, &key))
}

/// Destroys a root key on the token.
pub(crate) async fn destroy_versions(service: &Service, key: &Key) -> Result<(), Refusal> {
    if key.extractable() {
        return Ok(());
    }
    for version in &key.versions {
        service.vault.destroy(version.id).await?;
    }
    Ok(())
}

pub(super) async fn restore(service: &Service, request: &Request) -> Result<Reply, Refusal> {
    let payload = payload(request)?;
    let tag = payload.map(|payload| material::tag(service, &payload));
    let key = change(service, request, |key| {
        let (State::Destroyed, Some(deletion)) = (key.state, &key.deletion) else {
            return Err(Refusal::invalid_state());
        };
        if request.now >= deletion.at + RESTORABLE {
            return Err(Refusal::restore_expired());
        }
        if !waited(deletion.at, service.waits.action, request.now) {
            return Err(Refusal::too_early());
        }
        if tag.is_some() && key.latest().material_tag != tag {
            return Err(Refusal::invalid_field(
                "payload",
                "it is not the material that the key had",
            ));
        }
        key.deletion = None;
        key.enter(State::Active, request.now);
        Ok(())
    });
    let key = key.await?;
    if request.prefers_minimal() {
        return Ok(Reply::new(StatusCode::CREATED, form::identifier(&key)));
    }
    let form = form::key(service, &key, request.now);
    Ok(Reply::new(StatusCode::CREATED, form::keys(vec![form])))
}

/// The material in the body, in the envelope of a key or without it.
fn payload(request: &Request) -> Result<Option<Vec<u8>>, Refusal> {
    let body: Value = request.optional_body()?;
    let payload = body
        .pointer("/resources/0/payload")
        .or_else(|| body.get("payload"));
    payload
        .and_then(Value::as_str)
        .map(|payload| base64("payload", payload))
        .transpose()
}

fn must_be_in(key: &Key, state: State, request: &Request) -> Result<(), Refusal> {
    match key.state(request.now) {
        now if now == state => Ok(()),
        now => Err(not_in(now)),
    }
}

/// Changes the key that the path names.
pub(super) async fn change(
    service: &Service,
    request: &Request,
    change: impl FnOnce(&mut Key) -> Result<(), Refusal>,
) -> Result<Key, Refusal> {
    let changed = service.store.change(|state| {
        let mut key = Key::clone(&*request.key(state)?);
        change(&mut key)?;
        state.put_key(key.clone());
        Ok(key)
    });
    changed.await
}

/// What is answered after a deletion or a purge.
fn gone(service: &Service, request: &Request, key: &Key) -> Reply {
    if request.prefers_representation() {
        return Reply::ok(form::keys(vec![form::key(service, key, request.now)]));
    }
    if request.prefers_minimal() {
        return Reply::ok(form::identifier(key));
    }
    Reply::no_content()
}
