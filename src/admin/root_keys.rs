//! `/v1/root-keys` and `/v1/root-keys/{root key}`: the customer root keys.
//!
//! | request | reply |
//! |---|---|
//! | `GET /v1/root-keys` | all, by name |
//! | `POST /v1/root-keys` with [`NewRootKey`] | 201 and the root key, made, or taken up where `existing` names one |
//! | `GET /v1/root-keys/{name or id}` | the root key |
//! | `POST /v1/root-keys/{name or id}/rotate` | the root key with its new version |
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
use axum::routing::{get, post};
use axum::{Extension, Json, Router};

use super::Caller;
use super::administration::{Administration, now};
use super::api::{self, List, NewRootKey};
use super::extract::{Body, Segments};
use super::refusal::{Kind, Refusal};
use super::root_key_resource::{require_enabled, resource, whole};
use crate::adapter::{RootKey, RootKeyId, RootKeyOrigin, RootKeyState, WrappedBytes, root_key_name};
use crate::custody::{Event, EventName};
use crate::recorder::root_key_facts;
use crate::root_key::{self, BackendKind, CreatedRootKey, RootKeyBackend};
use crate::store::{Change, SealKey};

pub(super) fn routes() -> Router<Arc<Administration>> {
    Router::new()
        .route("/v1/root-keys", get(list).post(create))
        .route("/v1/root-keys/{root_key}", get(show))
        .route("/v1/root-keys/{root_key}/rotate", post(rotate))
}

async fn list(
    State(administration): State<Arc<Administration>>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<List<api::RootKey>>, Refusal> {
    let found = administration.store().root_keys().await?;
    let (rows, tampered) = administration.trusted(found, &caller).await?;
    let adapters = administration.store().adapters().await?.rows;
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        items.push(resource(&administration, row, &adapters).await?);
    }
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
    whole(&administration, root_key).await.map(Json)
}

async fn create(
    State(administration): State<Arc<Administration>>,
    Extension(caller): Extension<Caller>,
    Body(new): Body<NewRootKey>,
) -> Result<(StatusCode, Json<api::RootKey>), Refusal> {
    let event = match &new.existing {
        None => caller.event(EventName::RootKeyCreate),
        Some(existing) => caller
            .event(EventName::RootKeyAdopt)
            .detail("existing", existing.clone())
            .detail("origin", RootKeyOrigin::Adopted.name()),
    };
    let event = event.detail("name", new.name.clone());
    let made = administration.carry_out(event, async move |administration, event| {
        let name = root_key_name(&new.name)?;
        require_free(&administration, &name).await?;
        let (backend_name, backend) = chosen_backend(&administration, new.backend.as_deref())?;
        let root_key = match &new.existing {
            None => make(&*backend, backend_name, name).await?,
            Some(existing) => adopt(&administration, &*backend, draft(backend_name, name), existing).await?,
        };
        enter(&administration, root_key, event).await
    });
    Ok((StatusCode::CREATED, Json(made.await?)))
}

/// Refuses a name that a root key has.
pub(super) async fn require_free(administration: &Administration, name: &str) -> Result<(), Refusal> {
    match administration.store().root_key_named(name).await? {
        None => Ok(()),
        Some(_) => Err(Refusal::new(
            Kind::Taken,
            format!("there is a root key {name:?} already"),
        )),
    }
}

/// The backend that is meant: the named one, or the only one.
pub(super) fn chosen_backend(
    administration: &Administration,
    wanted: Option<&str>,
) -> Result<(String, Arc<dyn RootKeyBackend>), Refusal> {
    let root_keys = administration.root_keys();
    let names: Vec<_> = root_keys.names().collect();
    let name = match (wanted, &names[..]) {
        (Some(name), _) => name.to_owned(),
        (None, [only]) => (*only).to_owned(),
        (None, _) => {
            let message = format!("the configuration has {}, and none is named", names.join(", "));
            return Err(Refusal::new(Kind::Invalid, message).remedy("name one with --device"));
        }
    };
    match root_keys.backend(&name) {
        Ok(backend) => Ok((name, backend)),
        Err(_) => Err(Refusal::new(
            Kind::Invalid,
            format!(
                "the configuration has no backend {name:?}; it has {}",
                names.join(", ")
            ),
        )),
    }
}

/// Makes the key on the device. A device that does not answer in time may have made it all the same: then the
/// next creation finds it there.
async fn make(backend: &dyn RootKeyBackend, backend_name: String, name: String) -> Result<RootKey, Refusal> {
    let mut root_key = draft(backend_name, name);
    create_on(backend, &mut root_key).await?;
    Ok(root_key)
}

/// Takes up a key that is in the backend already. Who made it, and who else may use it, is not known here.
async fn adopt(
    administration: &Administration,
    backend: &dyn RootKeyBackend,
    mut root_key: RootKey,
    existing: &str,
) -> Result<RootKey, Refusal> {
    let adopted = backend.adopt(&root_key, existing).await;
    let adopted = adopted.map_err(|error| match error {
        root_key::Error::Unsupported { .. } => Refusal::new(
            Kind::Invalid,
            format!(
                "the device {} can't tell who else has the key {existing:?}, so it is not taken up",
                root_key.backend
            ),
        )
        .remedy("make a root key there, or bring one: `claviger root-key import NAME`"),
        error => error.into(),
    })?;
    complete(&mut root_key, adopted);
    for other in administration.store().root_keys().await?.rows {
        if root_key::is_same_key(&other, &root_key) {
            let message = format!("the key {existing:?} is root key {:?} here already", other.name);
            return Err(Refusal::new(Kind::Taken, message)
                .remedy("one key is one root key, or the destruction of one would be that of the other"));
        }
    }
    Ok(root_key)
}

/// The facts of a first version, before the device has told its part.
pub(super) fn draft(backend: String, name: String) -> RootKey {
    let version = 1;
    RootKey {
        id: RootKeyId::new(),
        label: RootKey::label_of(&name, version),
        name,
        backend,
        token_label: String::new(),
        token_serial: String::new(),
        version,
        check_value: Vec::new(),
        seal_key: WrappedBytes {
            profile: String::new(),
            bytes: Vec::new(),
        },
        created_at: now(),
        state: RootKeyState::default(),
        origin: RootKeyOrigin::default(),
    }
}

/// Makes the key of these facts on the device, and completes them by what it tells.
async fn create_on(backend: &dyn RootKeyBackend, root_key: &mut RootKey) -> Result<(), Refusal> {
    let created = backend.create(root_key).await;
    let created = created.map_err(|error| not_made(error, root_key))?;
    complete(root_key, created);
    Ok(())
}

/// Adds what the device told of a key that it has just made, or taken in.
pub(super) fn complete(root_key: &mut RootKey, created: CreatedRootKey) {
    root_key.label = created.label;
    root_key.origin = created.origin;
    root_key.check_value = created.check_value;
    root_key.token_label = created.token_label;
    root_key.token_serial = created.token_serial;
}

/// Why the backend made no key of this label, or took none in.
pub(super) fn not_made(error: root_key::Error, root_key: &RootKey) -> Refusal {
    let label = &root_key.label;
    match error {
        root_key::Error::Device {
            source: claviger_hsm::Error::RootKeyExists { .. },
            ..
        } => {
            let message = format!(
                "the token already has a key with the label {label}, and no root key here uses it; it may be left \
                 from a creation that did not reach its end"
            );
            Refusal::new(Kind::Taken, message).remedy(removal(label, BackendKind::Pkcs11))
        }
        error => error.into(),
    }
}

/// Makes the seal key under the root key, and enters and records both.
pub(super) async fn enter(
    administration: &Administration,
    mut root_key: RootKey,
    event: Event,
) -> Result<api::RootKey, Refusal> {
    let seal_key = match make_seal_key(administration, &mut root_key).await {
        Ok(seal_key) => seal_key,
        Err(error) => return Err(left_behind(administration, &root_key, error.into())),
    };
    let event = Event {
        root_key: Some(root_key_facts(&root_key)),
        ..event
    };
    administration.seal_keys().insert(root_key.id, seal_key);
    let entered = administration
        .commit(vec![Change::CreateRootKey(root_key.clone())], event)
        .await;
    if let Err(refusal) = entered {
        administration.seal_keys().remove(root_key.id);
        return Err(left_behind(administration, &root_key, refusal));
    }
    // Nothing uses it yet.
    resource(administration, root_key, &[]).await
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

/// Makes a new version and puts it in the place of the present one. New keys go under it from the commit on; the others
/// follow in the background.
async fn rotate(
    State(administration): State<Arc<Administration>>,
    Extension(caller): Extension<Caller>,
    Segments(name): Segments<String>,
) -> Result<Json<api::RootKey>, Refusal> {
    let event = caller
        .event(EventName::RootKeyRotate)
        .detail("name", name.clone());
    let done = administration.carry_out(event, async move |administration, event| {
        // So that the new version is not taken for one that somebody else made.
        let _alone = administration.jobs().versions.hold().await;
        let present = administration.root_key(&name).await?;
        require_enabled(&present)?;
        let backend = administration.root_keys().for_root(&present)?;
        let version = present.version.saturating_add(1);
        let mut next = RootKey {
            version,
            label: RootKey::label_of(&present.name, version),
            check_value: Vec::new(),
            origin: RootKeyOrigin::Generated,
            ..present.clone()
        };
        let rotated = backend.rotate(&present, &next).await;
        let rotated = rotated.map_err(|error| not_made(error, &next))?;
        complete(&mut next, rotated);
        if (&next.token_label, &next.token_serial) != (&present.token_label, &present.token_serial) {
            let message = format!(
                "the device has another token now than the one that root key {:?} was made on",
                present.name
            );
            let refusal = Refusal::new(Kind::BackendFailed, message);
            return Err(not_put_in_place(&administration, &present, &next, refusal));
        }
        next.seal_key = match administration.root_keys().rewrap_seal_key(&present, &next).await {
            Ok(seal_key) => seal_key,
            Err(error) => return Err(not_put_in_place(&administration, &present, &next, error.into())),
        };
        let superseded = present.superseded(now());
        let event = Event {
            root_key: Some(root_key_facts(&next)),
            ..event
        };
        let change = Change::RotateRootKey {
            root_key: next.clone(),
            superseded,
            from: present.state.clone(),
        };
        if let Err(refusal) = administration.commit(vec![change], event).await {
            return Err(not_put_in_place(&administration, &present, &next, refusal));
        }
        whole(&administration, next).await
    });
    done.await.map(Json)
}

/// The refusal of a creation that has left a key in the backend.
fn left_behind(administration: &Administration, root_key: &RootKey, refusal: Refusal) -> Refusal {
    if root_key.origin == RootKeyOrigin::Adopted {
        return refusal.and("the key is not taken up, and is what it was");
    }
    let kind = kind_of(administration, root_key);
    let place = match kind {
        BackendKind::Pkcs11 => format!("on the token {:?}", root_key.token_label),
        BackendKind::KeyProtect => format!("in the key manager {}", root_key.backend),
    };
    let more = format!(
        "the key {} was made {place} and is not entered here: it protects nothing",
        root_key.label,
    );
    refusal.and(&more).remedy(removal(&root_key.label, kind))
}

/// The refusal of a rotation that the backend has done its part of. Where the new version is one of the same key, it is taken
/// up by the next try.
fn not_put_in_place(
    administration: &Administration,
    present: &RootKey,
    next: &RootKey,
    refusal: Refusal,
) -> Refusal {
    if next.label != present.label {
        return left_behind(administration, next, refusal);
    }
    refusal
        .and("the root key has a new version in the key manager, which is not entered here")
        .remedy(format!(
            "repeat `claviger root-key rotate {}`, which takes that version up",
            present.name
        ))
}

fn kind_of(administration: &Administration, root_key: &RootKey) -> BackendKind {
    let backend = administration.root_keys().for_root(root_key);
    backend.map_or(BackendKind::Pkcs11, |backend| backend.kind())
}

/// How an operator removes a key that nothing uses. What a secret is needed for is asked by the tool.
fn removal(label: &str, kind: BackendKind) -> String {
    match kind {
        BackendKind::Pkcs11 => format!(
            "remove it from the token, once it is certain that nothing else uses it (with OpenSC: `pkcs11-tool \
             --module MODULE --login --delete-object --type secrkey --label {label}`), or choose another name"
        ),
        BackendKind::KeyProtect => format!(
            "delete the key {label} there, once it is certain that nothing else uses it (in IBM's console, or with \
             `ibmcloud kp key delete ID`), or choose another name"
        ),
    }
}
