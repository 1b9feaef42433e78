//! `/v1/adapters/{adapter}/authorities`: authorities whose certificates an adapter lets in. A change works at once.
//!
//! | request | reply |
//! |---|---|
//! | `GET /v1/adapters/{name or id}/authorities` | those of one |
//! | `POST …` with [`NewAuthority`] | 201 and the authority; 409 `taken` where another adapter trusts it for the same names |
//! | `DELETE …/{name}` | 204 |

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{delete, get};
use axum::{Extension, Json, Router};

use super::Caller;
use super::administration::{Administration, now};
use super::api::{self, List, NewAuthority};
use super::certificates::facts;
use super::extract::{Body, Segments};
use super::refusal::{Kind, Refusal};
use crate::adapter::{AUTHORITIES_AT_MOST, Adapter, Authority, ClientCertificate, Only, Trust};
use crate::custody::{Event, EventName};
use crate::store::{Change, SettingKind};

pub(super) fn routes() -> Router<Arc<Administration>> {
    Router::new()
        .route("/v1/adapters/{adapter}/authorities", get(list).post(add))
        .route("/v1/adapters/{adapter}/authorities/{authority}", delete(remove))
}

/// What an adapter trusts, with the document that it was read from.
struct Found {
    adapter: Adapter,
    document: Option<Vec<u8>>,
    trust: Trust,
}

impl Found {
    async fn read(administration: &Administration, name: &str) -> Result<Self, Refusal> {
        let adapter = administration.adapter(name).await?;
        let document = administration.store().settings(adapter.id).await?.trust;
        let trust = Trust::from_document(document.as_deref()).map_err(|error| unreadable(&error))?;
        Ok(Self {
            adapter,
            document,
            trust,
        })
    }

    /// Writes what was made of it, unless another node has changed it since, and has the endpoint judge by it.
    async fn write(self, administration: &Administration, event: Event) -> Result<(), Refusal> {
        let change = Change::ReplaceForAdapter {
            adapter: self.adapter.id,
            kind: SettingKind::Trust,
            from: self.document,
            to: self.trust.to_document().map_err(|error| unreadable(&error))?,
        };
        administration.commit(vec![change], event).await?;
        administration.reload_identities().await
    }
}

async fn list(
    State(administration): State<Arc<Administration>>,
    Segments(name): Segments<String>,
) -> Result<Json<List<api::Authority>>, Refusal> {
    let found = Found::read(&administration, &name).await?;
    let items = found.trust.authorities.iter().map(|authority| {
        let certificate = authority.read(found.adapter.id)?;
        Ok::<_, Refusal>(resource(authority, &certificate, &found.adapter))
    });
    Ok(Json(List {
        items: items.collect::<Result<_, Refusal>>()?,
        next: None,
        tampered: Vec::new(),
    }))
}

async fn add(
    State(administration): State<Arc<Administration>>,
    Extension(caller): Extension<Caller>,
    Segments(name): Segments<String>,
    Body(new): Body<NewAuthority>,
) -> Result<(StatusCode, Json<api::Authority>), Refusal> {
    let event = caller
        .event(EventName::AuthorityAdd)
        .detail("name", new.name.chars().take(64).collect::<String>());
    let event = administration.about_adapter(event, &name).await;
    let added_by = caller.name();
    let added = administration.carry_out(event, async move |administration, event| {
        let mut found = Found::read(&administration, &name).await?;
        let only = Only {
            subject: new.subject_parts,
            dns_names: new.dns_names,
        };
        let (authority, certificate) = Authority::from_pem(
            found.adapter.id,
            &new.name,
            new.pem.as_bytes(),
            only,
            now(),
            added_by,
        )?;
        let there = &found.trust.authorities;
        if there.iter().any(|other| other.name == authority.name) {
            let message = format!(
                "adapter {:?} has another authority of the name {:?}",
                found.adapter.name, authority.name
            );
            return Err(Refusal::new(Kind::Taken, message));
        }
        if there.len() >= AUTHORITIES_AT_MOST {
            let message = format!("an adapter trusts {AUTHORITIES_AT_MOST} authorities at most");
            return Err(Refusal::new(Kind::Invalid, message));
        }
        if certificate.not_after < now() {
            let message = format!(
                "the authority's certificate expired on {}",
                certificate.not_after.date()
            );
            return Err(Refusal::new(Kind::Invalid, message).remedy("add the one that took its place"));
        }
        require_told_apart(&administration, &found.adapter, &authority).await?;
        let mut event = Event {
            certificate: Some(facts(&certificate)),
            ..event
        };
        for (what, named) in [
            ("subject_parts", &authority.only.subject),
            ("dns_names", &authority.only.dns_names),
        ] {
            if !named.is_empty() {
                event = event.detail(what, named.join(" "));
            }
        }
        let made = resource(&authority, &certificate, &found.adapter);
        found.trust.authorities.push(authority);
        found.write(&administration, event).await?;
        Ok(made)
    });
    Ok((StatusCode::CREATED, Json(added.await?)))
}

async fn remove(
    State(administration): State<Arc<Administration>>,
    Extension(caller): Extension<Caller>,
    Segments((name, authority)): Segments<(String, String)>,
) -> Result<StatusCode, Refusal> {
    let event = caller
        .event(EventName::AuthorityRemove)
        .detail("name", authority.chars().take(64).collect::<String>());
    let event = administration.about_adapter(event, &name).await;
    let done = administration.carry_out(event, async move |administration, event| {
        let mut found = Found::read(&administration, &name).await?;
        let place = found
            .trust
            .authorities
            .iter()
            .position(|other| other.name == authority)
            .ok_or_else(|| {
                Refusal::not_found("authority of this adapter", &authority).remedy(format!(
                    "`claviger adapter trust list {name}` shows those that there are"
                ))
            })?;
        let gone = found.trust.authorities.remove(place);
        let event = Event {
            certificate: gone
                .read(found.adapter.id)
                .ok()
                .map(|certificate| facts(&certificate)),
            ..event
        };
        found.write(&administration, event).await
    });
    done.await.map(|()| StatusCode::NO_CONTENT)
}

/// Refuses an authority that another adapter trusts as well, where one of the two takes all of its certificates: a client of
/// both could not be told to be of one.
async fn require_told_apart(
    administration: &Administration,
    adapter: &Adapter,
    authority: &Authority,
) -> Result<(), Refusal> {
    let trusted = administration.store().settings_of(SettingKind::Trust).await?.rows;
    for setting in trusted
        .into_iter()
        .filter(|setting| setting.adapter != adapter.id)
    {
        let others = Trust::from_document(Some(&setting.document)).map_err(|error| unreadable(&error))?;
        let same = others.authorities.into_iter().find(|other| {
            other.certificate == authority.certificate
                && (other.only.is_anything() || authority.only.is_anything() || other.only == authority.only)
        });
        if let Some(same) = same {
            let owner = administration.store().adapter(setting.adapter).await?;
            let owner = owner.map_or_else(|| setting.adapter.to_string(), |adapter| adapter.name);
            let message = format!(
                "adapter {owner:?} trusts this authority as {:?}, and a client of both would be let in to neither",
                same.name
            );
            return Err(Refusal::new(Kind::Taken, message)
                .remedy("say with --subject or --dns-name which clients are whose, for both adapters"));
        }
    }
    Ok(())
}

fn unreadable(error: &serde_json::Error) -> Refusal {
    let message = format!("the authorities of an adapter can't be read or written: {error}");
    Refusal::new(Kind::Internal, message).remedy("a newer version of this program may have written them")
}

fn resource(authority: &Authority, certificate: &ClientCertificate, adapter: &Adapter) -> api::Authority {
    api::Authority {
        name: authority.name.clone(),
        adapter: adapter.name.clone(),
        fingerprint: certificate.fingerprint.to_string(),
        subject: certificate.subject.clone(),
        not_before: certificate.not_before,
        not_after: certificate.not_after,
        subject_parts: authority.only.subject.clone(),
        dns_names: authority.only.dns_names.clone(),
        added_at: authority.added_at,
        added_by: authority.added_by.clone(),
    }
}
