//! `/v1/root-keys` and `/v1/root-keys/{root key}`: the customer root keys.
//!
//! | request | reply |
//! |---|---|
//! | `GET /v1/root-keys` | all, by name |
//! | `POST /v1/root-keys` with [`NewRootKey`] | 201 and the root key |
//! | `GET /v1/root-keys/{name or id}` | the root key |
//!
//! # A creation that does not reach its end
//!
//! The key is made on the device first and entered here last, so a failure between the two leaves a key on
//! the device that nothing here knows. It protects nothing yet. It is never taken up by a later creation: a
//! key that this server cannot prove to have made may be known to somebody. The failure names its label, a
//! creation under the same name is refused as long as it is there, and both say how to remove it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Extension, Json, Router};

use super::Peer;
use super::administration::{Administration, actor, now};
use super::api::{self, List, NewRootKey};
use super::extract::{Body, Segments};
use super::refusal::{Kind, Refusal};
use crate::adapter::{Adapter, RootKey, RootKeyId, WrappedBytes, root_key_name};
use crate::custody::{Event, EventName, RootKeyFacts};
use crate::root_key::{self, RootKeyBackend};
use crate::store::{Change, SealKey};

pub(super) fn routes() -> Router<Arc<Administration>> {
    Router::new()
        .route("/v1/root-keys", get(list).post(create))
        .route("/v1/root-keys/{root_key}", get(show))
}

async fn list(
    State(administration): State<Arc<Administration>>,
    Extension(peer): Extension<Peer>,
) -> Result<Json<List<api::RootKey>>, Refusal> {
    let found = administration.store().root_keys().await?;
    let (rows, tampered) = administration.trusted(found, &peer).await?;
    let adapters = administration.store().adapters().await?.rows;
    let items = rows.into_iter().map(|row| resource(row, &adapters)).collect();
    Ok(Json(List {
        items,
        next: None,
        tampered,
    }))
}

async fn show(
    State(administration): State<Arc<Administration>>,
    Segments(name): Segments<String>,
) -> Result<Json<api::RootKey>, Refusal> {
    let root_key = administration.root_key(&name).await?;
    let adapters = administration.store().adapters().await?.rows;
    Ok(Json(resource(root_key, &adapters)))
}

async fn create(
    State(administration): State<Arc<Administration>>,
    Extension(peer): Extension<Peer>,
    Body(new): Body<NewRootKey>,
) -> Result<(StatusCode, Json<api::RootKey>), Refusal> {
    let event = Event::new(EventName::RootKeyCreate, actor(&peer)).detail("name", new.name.clone());
    let made = administration.carry_out(event, async move |administration, event| {
        let name = root_key_name(&new.name)?;
        if administration.store().root_key_named(&name).await?.is_some() {
            return Err(Refusal::new(
                Kind::Taken,
                format!("there is a root key {name:?} already"),
            ));
        }
        let (backend_name, backend) = chosen_backend(&administration, new.backend.as_deref())?;
        let root_key = make(&*backend, backend_name, name).await?;
        enter(&administration, root_key, event).await
    });
    Ok((StatusCode::CREATED, Json(made.await?)))
}

/// The backend that is meant: the named one, or the only one.
fn chosen_backend(
    administration: &Administration,
    wanted: Option<&str>,
) -> Result<(String, Arc<dyn RootKeyBackend>), Refusal> {
    let root_keys = administration.root_keys();
    let names: Vec<_> = root_keys.names().collect();
    let name = match (wanted, &names[..]) {
        (Some(name), _) => name.to_owned(),
        (None, [only]) => (*only).to_owned(),
        (None, _) => {
            let message = format!(
                "the configuration has the devices {}, and none is named",
                names.join(", ")
            );
            return Err(Refusal::new(Kind::Invalid, message).remedy("name one with --device"));
        }
    };
    match root_keys.backend(&name) {
        Ok(backend) => Ok((name, backend)),
        Err(_) => Err(Refusal::new(
            Kind::Invalid,
            format!(
                "the configuration has no device {name:?}; it has {}",
                names.join(", ")
            ),
        )),
    }
}

/// Makes the key on the device. A device that does not answer in time may have made it all the same: then the
/// next creation finds it there.
async fn make(backend: &dyn RootKeyBackend, backend_name: String, name: String) -> Result<RootKey, Refusal> {
    let version = 1;
    // A name has no full stop, so no two names and versions give the same label.
    let label = format!("claviger.{name}.v{version}");
    let mut root_key = RootKey {
        id: RootKeyId::new(),
        name,
        backend: backend_name,
        token_label: String::new(),
        token_serial: String::new(),
        label,
        version,
        check_value: Vec::new(),
        seal_key: WrappedBytes {
            profile: String::new(),
            bytes: Vec::new(),
        },
        created_at: now(),
    };
    let created = backend.create(&root_key).await.map_err(|error| match error {
        root_key::Error::Device {
            source: claviger_hsm::Error::RootKeyExists { .. },
            ..
        } => {
            let message = format!(
                "the token already has a key with the label {}, and no root key here uses it; it may be left \
                 from a creation that did not reach its end",
                root_key.label
            );
            Refusal::new(Kind::Taken, message).remedy(removal(&root_key.label))
        }
        error => error.into(),
    })?;
    root_key.check_value = created.check_value;
    root_key.token_label = created.token_label;
    root_key.token_serial = created.token_serial;
    Ok(root_key)
}

/// Makes the seal key under the root key, and enters and records both.
async fn enter(
    administration: &Administration,
    mut root_key: RootKey,
    event: Event,
) -> Result<api::RootKey, Refusal> {
    let seal_key = match make_seal_key(administration, &mut root_key).await {
        Ok(seal_key) => seal_key,
        Err(error) => return Err(left_behind(&root_key, error.into())),
    };
    let event = Event {
        root_key: Some(facts(&root_key)),
        ..event
    };
    administration.seal_keys().insert(root_key.id, seal_key);
    let entered = administration
        .commit(vec![Change::CreateRootKey(root_key.clone())], event)
        .await;
    if let Err(refusal) = entered {
        administration.seal_keys().remove(root_key.id);
        return Err(left_behind(&root_key, refusal));
    }
    // Nothing uses it yet.
    Ok(resource(root_key, &[]))
}

/// Makes the seal key, keeps it wrapped in `root_key`, and opens it into its final place.
async fn make_seal_key(
    administration: &Administration,
    root_key: &mut RootKey,
) -> Result<SealKey, root_key::Error> {
    let root_keys = administration.root_keys();
    root_key.seal_key = root_keys.make_seal_key(root_key).await?;
    let material = root_keys.release_seal_key(root_key).await?;
    SealKey::filled_by(|place| material.open_into(place))
}

/// The refusal of a creation that has left a key on the device.
fn left_behind(root_key: &RootKey, refusal: Refusal) -> Refusal {
    let more = format!(
        "the key {} was made on the token {:?} and is not entered here: it protects nothing",
        root_key.label, root_key.token_label,
    );
    refusal.and(&more).remedy(removal(&root_key.label))
}

/// How an operator removes a key that nothing uses. The PIN is asked for by the tool.
fn removal(label: &str) -> String {
    format!(
        "remove it from the token, once it is certain that nothing else uses it (with OpenSC: `pkcs11-tool \
         --module MODULE --login --delete-object --type secrkey --label {label}`), or choose another name"
    )
}

fn resource(root_key: RootKey, adapters: &[Adapter]) -> api::RootKey {
    let users = adapters
        .iter()
        .filter(|adapter| adapter.root_key == root_key.id)
        .count();
    api::RootKey {
        id: root_key.id.uuid(),
        name: root_key.name,
        backend: root_key.backend,
        token_label: root_key.token_label,
        token_serial: root_key.token_serial,
        label: root_key.label,
        version: root_key.version,
        check_value: hex::encode(root_key.check_value),
        created_at: root_key.created_at,
        adapters: users as u64,
    }
}

pub(super) fn facts(root_key: &RootKey) -> RootKeyFacts {
    RootKeyFacts {
        id: root_key.id.uuid(),
        backend: root_key.backend.clone(),
        token_serial: root_key.token_serial.clone(),
        label: root_key.label.clone(),
        version: root_key.version,
        wrap_profile: None,
        release_profile: None,
    }
}
