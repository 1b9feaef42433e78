//! `GET /v1/status`: how the server is, and `GET /v1/readiness`: whether it can do its work, 200 or 503.
//!
//! That a root key works is found by trying, in the background: see [`Readiness`](crate::job::Readiness). Nobody who asks
//! here waits for a device.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Extension, Json, Router};

use super::administration::Administration;
use super::api::{self, BackendStatus};
use super::refusal::Refusal;
use super::{Caller, quota, root_key_resource};
use crate::adapter::RootKey;
use crate::custody::Actor;
use crate::root_key::{BackendDescription, BackendKind};
use crate::store::{self, Listing};

pub(super) fn routes() -> Router<Arc<Administration>> {
    Router::new()
        .route("/v1/status", get(show))
        .route("/v1/readiness", get(ready))
}

async fn ready(
    State(administration): State<Arc<Administration>>,
    Extension(caller): Extension<Caller>,
) -> Result<(StatusCode, Json<api::Readiness>), Refusal> {
    let root_keys = of_open(administration.store().root_keys().await?);
    let (root_keys, mut problems) = administration.trusted(root_keys, &caller).await?;
    problems.extend(obstacles(&administration, &root_keys).await);
    let ready = problems.is_empty();
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    Ok((status, Json(api::Readiness { ready, problems })))
}

/// The same judgement, for whoever may know no more than that; their asking leaves no record.
pub(super) async fn is_ready(administration: &Administration) -> bool {
    let Ok(listing) = administration.store().root_keys().await else {
        return false;
    };
    let listing = of_open(listing);
    listing.refused.is_empty() && obstacles(administration, &listing.rows).await.is_empty()
}

/// What stands against the making and the release of keys, where the rows of the root keys are in order.
async fn obstacles(administration: &Administration, root_keys: &[RootKey]) -> Vec<String> {
    let mut problems = closed_problems(administration);
    administration.readiness().settled(root_keys).await;
    problems.extend(
        root_keys
            .iter()
            .filter_map(|root_key| problem(administration, root_key)),
    );
    problems.extend(recorder_problem(administration));
    problems
}

async fn show(
    State(administration): State<Arc<Administration>>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<api::Status>, Refusal> {
    status(&administration, &caller.actor()).await.map(Json)
}

/// How the server is. Rows that are found changed by another hand are recorded as found by the actor.
pub(super) async fn status(administration: &Administration, actor: &Actor) -> Result<api::Status, Refusal> {
    let store = administration.store();
    let (root_keys, mut problems) = administration
        .trusted_by(of_open(store.root_keys().await?), actor)
        .await?;
    problems.extend(closed_problems(administration));
    let (adapters, tampered) = administration
        .trusted_by(of_open(store.adapters().await?), actor)
        .await?;
    problems.extend(tampered);
    let (certificates, tampered) = administration
        .trusted_by(of_open(store.certificates(None).await?), actor)
        .await?;
    problems.extend(tampered);
    let counts = store.key_counts().await?;
    let keys = counts.values().map(|count| count.objects).sum();
    let near_quota = quota::near(&adapters, &quota::all(administration).await?, &counts);

    administration.readiness().settled(&root_keys).await;
    let mut backends = Vec::new();
    for name in administration.root_keys().names() {
        let (backend, found) = backend(administration, name, &root_keys);
        backends.push(backend);
        problems.extend(found);
    }
    for root_key in &root_keys {
        if !backends.iter().any(|backend| backend.name == root_key.backend) {
            problems.push(format!(
                "root key {} is held by {:?}, which the configuration does not have",
                root_key.name, root_key.backend
            ));
        }
    }
    problems.extend(recorder_problem(administration));
    problems.extend(super::comparison::problems(administration));
    let number = root_keys.len() as u64;
    let mut root_keys_in_change = Vec::new();
    for root_key in root_keys {
        let shown = root_key_resource::resource(administration, root_key, &adapters).await?;
        if let Some(problem) = &shown.problem {
            problems.push(format!(
                "a destruction of root key {}, or of a version of it, is not at its end: {problem}",
                shown.name
            ));
        }
        if shown.rotation.is_some() || shown.state != "enabled" {
            root_keys_in_change.push(shown);
        }
    }
    let custody = super::custody::current_head(administration).await?;
    let signing = super::custody::signing(administration, custody.size);
    problems.extend(signing_problem(&signing));
    problems.extend(witness_problems(&signing));
    let (feeds, found) = super::feeds::shown(administration, custody.size);
    problems.extend(found);
    let server = administration.server();
    Ok(api::Status {
        healthy: problems.is_empty(),
        problems,
        expiring: super::expiry::told(administration, &certificates).await,
        near_quota,
        needs_restart: server.needs_restart.names(),
        version: server.version.clone(),
        process: std::process::id(),
        started_at: server.started_at,
        kmip_addresses: server.kmip_addresses.clone(),
        backends,
        root_keys: number,
        root_keys_in_change,
        adapters: adapters.len() as u64,
        certificates: certificates.len() as u64,
        keys,
        custody,
        signing,
        key_scan: super::key_scan::summary(administration),
        feeds,
        row_comparison: super::comparison::summary(administration),
        last_backup: super::backup::last(administration),
    })
}

/// How one backend is, and what is wrong with it.
fn backend(
    administration: &Administration,
    name: &str,
    root_keys: &[RootKey],
) -> (BackendStatus, Vec<String>) {
    let mut problems = Vec::new();
    let backend = administration.root_keys().backend(name).ok();
    let noun = backend.as_ref().map_or("device", |backend| backend.kind().noun());
    let mut facts = BTreeMap::new();
    match administration.readiness().backend(name) {
        Ok(description) => {
            facts = described(&description);
            problems.extend(description.members.into_iter().filter_map(|member| {
                let trouble = member.trouble?;
                Some(format!("member {} of mirror {name}: {trouble}", member.name))
            }));
        }
        Err(reason) => problems.push(format!("{noun} {name}: {reason}")),
    }
    let its_own = root_keys.iter().filter(|root_key| root_key.backend == name);
    problems.extend(its_own.filter_map(|root_key| problem(administration, root_key)));
    let status = BackendStatus {
        name: name.to_owned(),
        healthy: problems.is_empty(),
        facts,
        healing: backend.and_then(|backend| backend.healing()),
    };
    (status, problems)
}

/// The listing without what depends on a root key that is not open: that is told once, of the root key.
fn of_open<T>(mut listing: Listing<T>) -> Listing<T> {
    listing
        .refused
        .retain(|error| !matches!(error, store::Error::SealKeyMissing { .. }));
    listing
}

/// Why root keys are not open.
fn closed_problems(administration: &Administration) -> Vec<String> {
    let closed = administration.jobs().closed.told().into_iter();
    closed
        .filter(|(root_key, _)| !administration.seal_keys().contains(root_key.id))
        .map(|(root_key, reason)| told(administration, &root_key, &reason))
        .collect()
}

/// Why a root key can't be used now, where that is so.
fn problem(administration: &Administration, root_key: &RootKey) -> Option<String> {
    let reason = administration.readiness().root_key(root_key).err()?;
    Some(told(administration, root_key, &reason))
}

fn told(administration: &Administration, root_key: &RootKey, reason: &str) -> String {
    let backend = administration.root_keys().for_root(root_key);
    let place = match backend.map_or(BackendKind::Pkcs11, |backend| backend.kind()) {
        BackendKind::Pkcs11 => "on device",
        BackendKind::KeyProtect => "in key manager",
    };
    format!(
        "root key {} {place} {}: {reason}",
        root_key.name, root_key.backend
    )
}

fn recorder_problem(administration: &Administration) -> Option<String> {
    if let Some(rollback) = administration.recorder().held() {
        return Some(format!(
            "the custody log is not the one that was written last, so nothing is released: {rollback}; put the right \
             database back, or open a new epoch (`claviger custody epoch`)"
        ));
    }
    let failure = administration.recorder().status().failure?;
    Some(format!(
        "the custody log could not be written, so nothing is released: {failure}"
    ))
}

/// Why the log is not signed. Requests go on: what they did is signed when it can be.
fn signing_problem(signing: &api::Signing) -> Option<String> {
    let failure = signing.failure.as_ref()?;
    Some(format!(
        "the custody log could not be signed, and {} records are under no checkpoint: {failure}",
        signing.lag
    ))
}

fn witness_problems(signing: &api::Signing) -> impl Iterator<Item = String> {
    signing.witnesses.iter().filter_map(|witness| {
        let trouble = witness.trouble.as_ref()?;
        Some(format!(
            "the witness {} did not cosign the custody log's last checkpoint: {trouble}",
            witness.name
        ))
    })
}

fn described(description: &BackendDescription) -> BTreeMap<String, String> {
    let workers: Vec<_> = description.worker_pids.iter().map(ToString::to_string).collect();
    let facts = [
        ("kind", description.kind.to_owned()),
        ("token", description.token_label.clone()),
        ("serial", description.token_serial.clone()),
        ("manufacturer", description.manufacturer.clone()),
        ("model", description.model.clone()),
        ("firmware", description.firmware.clone()),
        ("wrap profile", description.wrap_profile.clone()),
        ("release profile", description.release_profile.to_owned()),
        ("worker processes", workers.join(" ")),
    ];
    let members = description.members.iter().map(|member| {
        let state = if member.trouble.is_none() {
            "serves"
        } else {
            "away"
        };
        let state = format!("{state}, serial {}", member.token_serial);
        (format!("member {}", member.name), state)
    });
    facts
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .chain(members)
        .collect()
}
