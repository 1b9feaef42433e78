//! `/v1/adapters/{adapter}/certificates`: the clients that an adapter lets in. A change works at once.
//!
//! | request | reply |
//! |---|---|
//! | `GET /v1/certificates` | those of all adapters, by name |
//! | `GET /v1/adapters/{name or id}/certificates` | those of one |
//! | `POST …` with [`NewCertificate`] | 201 and the certificate; 409 `taken` where an adapter has it already |
//! | `DELETE …/{fingerprint}` | 204 |

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{delete, get};
use axum::{Extension, Json, Router};

use super::Caller;
use super::administration::{Administration, now};
use super::api::{self, List, NewCertificate};
use super::extract::{Body, Segments};
use super::refusal::{Kind, Refusal};
use crate::adapter::{Adapter, AdapterId, ClientCertificate, Fingerprint, certificate_name};
use crate::custody::{CertificateFacts, Event, EventName};
use crate::store::Change;

pub(super) fn routes() -> Router<Arc<Administration>> {
    Router::new()
        .route("/v1/certificates", get(list_all))
        .route("/v1/adapters/{adapter}/certificates", get(list).post(add))
        .route(
            "/v1/adapters/{adapter}/certificates/{fingerprint}",
            delete(remove),
        )
}

async fn list_all(
    State(administration): State<Arc<Administration>>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<List<api::Certificate>>, Refusal> {
    let adapters = administration.store().adapters().await?.rows;
    listing(&administration, None, &caller, |id| {
        adapters
            .iter()
            .find(|adapter| adapter.id == id)
            .map(|adapter| adapter.name.clone())
    })
    .await
}

async fn list(
    State(administration): State<Arc<Administration>>,
    Extension(caller): Extension<Caller>,
    Segments(name): Segments<String>,
) -> Result<Json<List<api::Certificate>>, Refusal> {
    let adapter = administration.adapter(&name).await?;
    listing(&administration, Some(adapter.id), &caller, |_| {
        Some(adapter.name.clone())
    })
    .await
}

async fn listing(
    administration: &Administration,
    adapter: Option<AdapterId>,
    caller: &Caller,
    name: impl Fn(AdapterId) -> Option<String>,
) -> Result<Json<List<api::Certificate>>, Refusal> {
    let found = administration.store().certificates(adapter).await?;
    let (rows, tampered) = administration.trusted(found, caller).await?;
    let items = rows.into_iter().map(|row| {
        let adapter = name(row.adapter).unwrap_or_else(|| row.adapter.to_string());
        resource(row, adapter)
    });
    Ok(Json(List {
        items: items.collect(),
        next: None,
        tampered,
    }))
}

async fn add(
    State(administration): State<Arc<Administration>>,
    Extension(caller): Extension<Caller>,
    Segments(name): Segments<String>,
    Body(new): Body<NewCertificate>,
) -> Result<(StatusCode, Json<api::Certificate>), Refusal> {
    let (certificate, adapter) = let_in(&administration, &caller, name, new).await?;
    Ok((StatusCode::CREATED, Json(resource(certificate, adapter.name))))
}

/// Lets a certificate in to an adapter.
pub(super) async fn let_in(
    administration: &Arc<Administration>,
    caller: &Caller,
    name: String,
    new: NewCertificate,
) -> Result<(ClientCertificate, Adapter), Refusal> {
    let event = caller.event(EventName::CertificateAdd);
    let event = administration.about_adapter(event, &name).await;
    let added_by = Some(caller.name());
    let added = administration.carry_out(event, async move |administration, event| {
        let adapter = administration.adapter(&name).await?;
        let certificate = ClientCertificate {
            added_by,
            ..read(&administration, &adapter, new).await?
        };
        let event = Event {
            certificate: Some(facts(&certificate)),
            ..event
        };
        administration
            .commit(vec![Change::AddCertificate(certificate.clone())], event)
            .await?;
        administration.reload_identities().await?;
        Ok((certificate, adapter))
    });
    added.await
}

async fn remove(
    State(administration): State<Arc<Administration>>,
    Extension(caller): Extension<Caller>,
    Segments((name, fingerprint)): Segments<(String, String)>,
) -> Result<StatusCode, Refusal> {
    take_out(&administration, &caller, name, fingerprint).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lets a certificate in no more.
pub(super) async fn take_out(
    administration: &Arc<Administration>,
    caller: &Caller,
    name: String,
    fingerprint: String,
) -> Result<(), Refusal> {
    let event = caller
        .event(EventName::CertificateRemove)
        .detail("fingerprint", fingerprint.clone());
    let event = administration.about_adapter(event, &name).await;
    let done = administration.carry_out(event, async move |administration, event| {
        let adapter = administration.adapter(&name).await?;
        let fingerprint: Fingerprint = fingerprint.parse()?;
        let certificate = administration.store().certificate(fingerprint).await?;
        let Some(certificate) = certificate.filter(|certificate| certificate.adapter == adapter.id) else {
            return Err(Refusal::not_found(
                "certificate of this adapter",
                &fingerprint.to_string(),
            ));
        };
        let event = Event {
            certificate: Some(facts(&certificate)),
            ..event
        };
        administration
            .commit(vec![Change::RemoveCertificate(fingerprint)], event)
            .await?;
        administration.reload_identities().await
    });
    done.await
}

/// The certificate of the request, if it is nobody's yet.
async fn read(
    administration: &Administration,
    adapter: &Adapter,
    new: NewCertificate,
) -> Result<ClientCertificate, Refusal> {
    let wanted = new.name.map(|name| certificate_name(&name)).transpose()?;
    let of_adapter = administration.store().certificates(Some(adapter.id)).await?.rows;
    let is_free = |name: &str| of_adapter.iter().all(|other| other.name != name);
    // Any name will do to read it; its own is known afterwards.
    let placeholder = wanted.as_deref().unwrap_or("certificate");
    let mut certificate = ClientCertificate::from_pem(adapter.id, placeholder, new.pem.as_bytes(), now())?;
    if let Some(there) = administration
        .store()
        .certificate(certificate.fingerprint)
        .await?
    {
        return Err(taken(administration, &there).await?);
    }
    match wanted {
        Some(name) if !is_free(&name) => {
            return Err(Refusal::new(
                Kind::Taken,
                format!(
                    "adapter {:?} has another certificate of the name {name:?}",
                    adapter.name
                ),
            ));
        }
        Some(_) => {}
        None => certificate.name = own_name(&certificate, is_free),
    }
    Ok(certificate)
}

async fn taken(administration: &Administration, there: &ClientCertificate) -> Result<Refusal, Refusal> {
    let owner = administration.store().adapter(there.adapter).await?;
    let owner = owner.map_or_else(|| there.adapter.to_string(), |adapter| adapter.name);
    Ok(Refusal::new(
        Kind::Taken,
        format!(
            "the certificate {} belongs to adapter {owner:?} already, as {:?}",
            there.fingerprint, there.name
        ),
    )
    .remedy(format!(
        "`claviger certificate remove {owner} {}` takes it from there",
        there.fingerprint
    )))
}

/// The subject's common name where that can be a name and is free; else what its fingerprint begins with.
fn own_name(certificate: &ClientCertificate, is_free: impl Fn(&str) -> bool) -> String {
    certificate
        .subject
        .split(',')
        .filter_map(|part| part.trim().strip_prefix("CN="))
        .filter_map(|common| certificate_name(common).ok())
        .find(|name| is_free(name))
        .unwrap_or_else(|| format!("cert-{}", &certificate.fingerprint.to_string()[..16]))
}

fn resource(certificate: ClientCertificate, adapter: String) -> api::Certificate {
    api::Certificate {
        fingerprint: certificate.fingerprint.to_string(),
        name: certificate.name,
        adapter,
        subject: certificate.subject,
        issuer: certificate.issuer,
        serial: certificate.serial,
        not_before: certificate.not_before,
        not_after: certificate.not_after,
        added_at: certificate.added_at,
    }
}

/// What a record says of a certificate.
pub(super) fn facts(certificate: &ClientCertificate) -> CertificateFacts {
    CertificateFacts {
        fingerprint: certificate.fingerprint.to_string(),
        name: Some(certificate.name.clone()),
        subject: certificate.subject.clone(),
        issuer: certificate.issuer.clone(),
        serial: certificate.serial.clone(),
    }
}
