//! A new version of a root key.

use uuid::Uuid;

use crate::calls::actions::{must_be_root, not_in};
use crate::calls::body::Material;
use crate::calls::request::Request;
use crate::calls::{Reply, material};
use crate::model::{Key, State, Version};
use crate::refusal::Refusal;
use crate::service::{Service, waited};

pub(super) async fn rotate(service: &Service, request: &Request) -> Result<Reply, Refusal> {
    let key = service.store.read(|state| request.key(state))?;
    let may = |key: &Key| {
        must_be_root(key)?;
        match key.state(request.now) {
            State::Active | State::Deactivated => {}
            state => return Err(not_in(state)),
        }
        match key.rotated {
            Some(last) if !waited(last, service.waits.rotation, request.now) => {
                Err(Refusal::rotated_lately())
            }
            _ => Ok(()),
        }
    };
    may(&key)?;
    let body: Material = request.optional_body()?;
    let payload = material::of(service, request, &body)?;
    if key.imported != payload.is_some() {
        return Err(if key.imported {
            Refusal::payload_required()
        } else {
            Refusal::invalid_field("payload", "the service makes the material of this key")
        });
    }
    if let Some(payload) = &payload {
        material::must_fit_a_root_key(payload)?;
    }
    add_version(service, key.id, payload.as_deref(), request.now, may).await?;
    Ok(Reply::no_content())
}

/// Makes the version on the token and then the key's latest, where `may` still lets it.
pub(crate) async fn add_version(
    service: &Service,
    key: Uuid,
    payload: Option<&[u8]>,
    now: time::OffsetDateTime,
    may: impl Fn(&Key) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    let version = material::new_version(service, payload, now).await?;
    let id = version.id;
    let added = service.store.change(|state| {
        let mut key = Key::clone(state.key(key).ok_or_else(Refusal::key_not_found)?);
        may(&key)?;
        add(&mut key, version, now);
        state.put_key(key);
        Ok(())
    });
    let added = added.await;
    if added.is_err() {
        // Nobody has heard of it.
        service.vault.destroy(id).await?;
    }
    added
}

fn add(key: &mut Key, version: Version, now: time::OffsetDateTime) {
    key.versions.push(version);
    key.rotated = Some(now);
    key.updated = now;
}
