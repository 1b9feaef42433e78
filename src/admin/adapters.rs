//! `/v1/adapters` and `/v1/adapters/{adapter}`: the tenants of the KMIP endpoint.
//!
//! | request | reply |
//! |---|---|
//! | `GET /v1/adapters` | all, by name |
//! | `POST /v1/adapters` with [`NewAdapter`] | 201 and the adapter |
//! | `GET /v1/adapters/{name or id}` | the adapter |
//! | `POST /v1/adapters/{name or id}/move` with [`MoveAdapter`] | the adapter, under the other root key; its keys follow |
//! | `DELETE /v1/adapters/{name or id}` | 204; 409 `in_use` while one of its objects still has a key |

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Extension, Json, Router};

use super::Caller;
use super::administration::{Administration, now};
use super::api::{self, List, MoveAdapter, NewAdapter, RootKeyReference};
use super::extract::{Body, Segments};
use super::quota;
use super::refusal::{Kind, Refusal};
use super::root_key_resource::{progress_of, require_enabled};
use crate::adapter::{Adapter, AdapterId, Quota, RootKey, RootKeyId};
use crate::custody::{AdapterFacts, Event, EventName};
use crate::recorder::root_key_facts;
use crate::store::{Change, KeyCounts};

pub(super) fn routes() -> Router<Arc<Administration>> {
    Router::new()
        .route("/v1/adapters", get(list).post(create))
        .route("/v1/adapters/{adapter}", get(show).delete(remove))
        .route("/v1/adapters/{adapter}/move", post(relocate))
}

async fn list(
    State(administration): State<Arc<Administration>>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<List<api::Adapter>>, Refusal> {
    let (adapters, tampered) = administration
        .trusted(administration.store().adapters().await?, &caller)
        .await?;
    let surroundings = Surroundings::read(&administration).await?;
    let items = adapters
        .into_iter()
        .map(|adapter| surroundings.resource(adapter))
        .collect();
    Ok(Json(List {
        items,
        next: None,
        tampered,
    }))
}

async fn show(
    State(administration): State<Arc<Administration>>,
    Segments(name): Segments<String>,
) -> Result<Json<api::Adapter>, Refusal> {
    let adapter = administration.adapter(&name).await?;
    resource(&administration, adapter).await.map(Json)
}

async fn create(
    State(administration): State<Arc<Administration>>,
    Extension(caller): Extension<Caller>,
    Body(new): Body<NewAdapter>,
) -> Result<(StatusCode, Json<api::Adapter>), Refusal> {
    let adapter = make(&administration, &caller, new).await?;
    Ok((
        StatusCode::CREATED,
        Json(resource(&administration, adapter).await?),
    ))
}

/// Makes an adapter.
pub(super) async fn make(
    administration: &Arc<Administration>,
    caller: &Caller,
    new: NewAdapter,
) -> Result<Adapter, Refusal> {
    let event = caller
        .event(EventName::AdapterCreate)
        .detail("name", new.name.clone());
    let created_by = Some(caller.name());
    let made = administration.carry_out(event, async move |administration, event| {
        let root_key = chosen_root_key(&administration, new.root_key.as_deref()).await?;
        let adapter = Adapter {
            created_by,
            ..Adapter::new(&new.name, &new.description, root_key.id, now())?
        };
        if administration
            .store()
            .adapter_named(&adapter.name)
            .await?
            .is_some()
        {
            return Err(Refusal::new(
                Kind::Taken,
                format!("there is an adapter {:?} already", adapter.name),
            ));
        }
        let event = Event {
            adapter: Some(facts(&adapter)),
            root_key: Some(root_key_facts(&root_key)),
            ..event
        };
        administration
            .commit(vec![Change::CreateAdapter(adapter.clone())], event)
            .await?;
        administration.reload_identities().await?;
        Ok(adapter)
    });
    made.await
}

/// Puts an adapter under another root key. New keys go under it from the commit on; the others follow in the background.
async fn relocate(
    State(administration): State<Arc<Administration>>,
    Extension(caller): Extension<Caller>,
    Segments(name): Segments<String>,
    Body(asked): Body<MoveAdapter>,
) -> Result<Json<api::Adapter>, Refusal> {
    let event = caller
        .event(EventName::AdapterMove)
        .detail("to", asked.root_key.clone());
    let event = administration.about_adapter(event, &name).await;
    let done = administration.carry_out(event, async move |administration, event| {
        let adapter = administration.adapter(&name).await?;
        let to = administration.root_key(&asked.root_key).await?;
        if to.id == adapter.root_key {
            let message = format!(
                "adapter {:?} is under root key {:?} already",
                adapter.name, to.name
            );
            return Err(Refusal::new(Kind::Invalid, message));
        }
        let from = administration.root_key(&adapter.root_key.to_string()).await?;
        require_enabled(&from)?;
        require_enabled(&to)?;
        // A backend that can't take part in it is known now, and not key by key.
        let carrier = administration.root_keys().carrier(&from, &to)?;
        let event = Event {
            root_key: Some(root_key_facts(&to)),
            ..event.detail("from", from.name).detail("by", carrier.name())
        };
        let change = Change::MoveAdapter {
            adapter: adapter.id,
            to: to.id,
        };
        administration.commit(vec![change], event).await?;
        administration.reload_identities().await?;
        let moved = Adapter {
            root_key: to.id,
            ..adapter
        };
        resource(&administration, moved).await
    });
    done.await.map(Json)
}

async fn remove(
    State(administration): State<Arc<Administration>>,
    Extension(caller): Extension<Caller>,
    Segments(name): Segments<String>,
) -> Result<StatusCode, Refusal> {
    delete(&administration, &caller, name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes an adapter out, if none of its objects has a key any more.
pub(super) async fn delete(
    administration: &Arc<Administration>,
    caller: &Caller,
    name: String,
) -> Result<(), Refusal> {
    let event = caller.event(EventName::AdapterDelete);
    let event = administration.about_adapter(event, &name).await;
    let done = administration.carry_out(event, async move |administration, event| {
        let adapter = administration.adapter(&name).await?;
        let counts = administration.store().key_counts().await?;
        let with_key = counts.get(&adapter.id).map_or(0, |count| count.with_key);
        if with_key > 0 {
            return Err(Refusal::new(
                Kind::InUse,
                format!(
                    "adapter {:?} still has {with_key} keys that are not destroyed",
                    adapter.name
                ),
            )
            .remedy("revoke and destroy its keys first, as a client of the adapter"));
        }
        administration
            .commit(vec![Change::DeleteAdapter(adapter.id)], event)
            .await?;
        administration.reload_identities().await
    });
    done.await
}

/// The root key that is meant: the named one, or the only one.
async fn chosen_root_key(administration: &Administration, named: Option<&str>) -> Result<RootKey, Refusal> {
    if let Some(name) = named {
        return administration.root_key(name).await;
    }
    let mut root_keys = administration.store().root_keys().await?.rows;
    match root_keys.len() {
        1 => Ok(root_keys.remove(0)),
        0 => Err(
            Refusal::new(Kind::Invalid, "an adapter needs a root key, and there is none")
                .remedy("make one with `claviger root-key create NAME`"),
        ),
        several => Err(Refusal::new(
            Kind::Invalid,
            format!("there are {several} root keys, and the request names none of them"),
        )
        .remedy("name one with --root-key")),
    }
}

/// What a resource tells of an adapter beyond its own row, read once for a whole list.
struct Surroundings {
    root_keys: HashMap<RootKeyId, String>,
    certificates: HashMap<AdapterId, u64>,
    keys: KeyCounts,
    quotas: HashMap<AdapterId, Quota>,
}

impl Surroundings {
    async fn read(administration: &Administration) -> Result<Self, Refusal> {
        let store = administration.store();
        let root_keys = store.root_keys().await?.rows;
        let mut certificates = HashMap::new();
        for certificate in store.certificates(None).await?.rows {
            *certificates.entry(certificate.adapter).or_default() += 1;
        }
        Ok(Self {
            root_keys: root_keys
                .into_iter()
                .map(|root_key| (root_key.id, root_key.name))
                .collect(),
            certificates,
            keys: store.key_counts().await?,
            quotas: quota::all(administration).await?,
        })
    }

    fn resource(&self, adapter: Adapter) -> api::Adapter {
        let root_key = RootKeyReference {
            id: adapter.root_key.uuid(),
            name: self.root_keys.get(&adapter.root_key).cloned().unwrap_or_default(),
        };
        api::Adapter {
            id: adapter.id.uuid(),
            name: adapter.name,
            description: adapter.description,
            root_key,
            created_at: adapter.created_at,
            certificates: self.certificates.get(&adapter.id).copied().unwrap_or_default(),
            keys: self.keys.get(&adapter.id).map_or(0, |count| count.objects),
            quota: self.quotas.get(&adapter.id).map(quota::shown),
            relocation: None,
        }
    }
}

pub(super) async fn resource(
    administration: &Administration,
    adapter: Adapter,
) -> Result<api::Adapter, Refusal> {
    let left = administration
        .store()
        .number_to_move(adapter.id, adapter.root_key)
        .await?;
    let progress = administration.jobs().progress.of(adapter.id.uuid());
    Ok(api::Adapter {
        relocation: progress_of(left, progress),
        ..Surroundings::read(administration).await?.resource(adapter)
    })
}

fn facts(adapter: &Adapter) -> AdapterFacts {
    AdapterFacts {
        id: adapter.id.uuid(),
        name: adapter.name.clone(),
    }
}
