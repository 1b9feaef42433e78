//! `/v1/tokens`: access tokens, for programs that come over HTTPS without a certificate.
//!
//! | request | reply |
//! |---|---|
//! | `GET /v1/tokens` | all, by name, without their secrets |
//! | `POST /v1/tokens` with [`NewToken`] | 201 and the token with its secret, which is told this once |
//! | `DELETE /v1/tokens/{name or id}` | 204; it lets nobody in from then on, on any node |
//!
//! A token is made by a person: one that made others would outlive its own end.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{delete, get};
use axum::{Extension, Json, Router};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::Caller;
use super::administration::{Administration, now};
use super::api::{List, NewToken, Token, TokenMade};
use super::extract::{Body, Segments};
use super::refusal::{Kind, Refusal};
use super::root_key_life::shown;
use super::secret;
use crate::adapter::{AccessToken, AdapterId, RootKeyId, SecretDigest, token_name};
use crate::custody::EventName;
use crate::store::Change;

/// What a secret begins with, so that one that was left lying about is known for what it is.
const PREFIX: &str = "clv_";

/// The bytes of chance in a secret.
const CHANCE: usize = 32;

/// The longest time that a token is made for.
const LONGEST: Duration = Duration::days(366);

pub(super) fn routes() -> Router<Arc<Administration>> {
    Router::new()
        .route("/v1/tokens", get(list).post(create))
        .route("/v1/tokens/{token}", delete(revoke))
}

async fn list(
    State(administration): State<Arc<Administration>>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<List<Token>>, Refusal> {
    let found = administration.store().access_tokens().await?;
    let (tokens, tampered) = administration.trusted(found, &caller).await?;
    let names = adapter_names(&administration).await?;
    let items = tokens.iter().map(|token| resource(token, &names));
    Ok(Json(List {
        items: items.collect(),
        next: None,
        tampered,
    }))
}

async fn create(
    State(administration): State<Arc<Administration>>,
    Extension(caller): Extension<Caller>,
    Body(new): Body<NewToken>,
) -> Result<(StatusCode, Json<TokenMade>), Refusal> {
    let event = caller
        .event(EventName::TokenCreate)
        .detail("name", new.name.clone())
        .detail("role", new.role.clone());
    let created_by = caller.name();
    let made = administration.carry_out(event, async move |administration, event| {
        caller.person()?;
        let secret = new_secret()?;
        let token = token(&administration, new, &secret, created_by).await?;
        let names = adapter_names(&administration).await?;
        let made = resource(&token, &names);
        let mut event = event
            .detail("id", token.id.to_string())
            .detail("expires_at", shown(token.expires_at));
        if let Some(adapters) = &made.adapters {
            event = event.detail("adapters", adapters.join(" "));
        }
        let change = Change::CreateAccessToken(token);
        administration.commit(vec![change], event).await?;
        Ok(TokenMade {
            token: made,
            secret: secret.to_string(),
        })
    });
    Ok((StatusCode::CREATED, Json(made.await?)))
}

async fn revoke(
    State(administration): State<Arc<Administration>>,
    Extension(caller): Extension<Caller>,
    Segments(name): Segments<String>,
) -> Result<StatusCode, Refusal> {
    let event = caller.event(EventName::TokenRevoke).detail("name", name.clone());
    let done = administration.carry_out(event, async move |administration, event| {
        let tokens = administration.store().access_tokens().await?.rows;
        let is_meant = |token: &&AccessToken| token.name == name || token.id.to_string() == name;
        // One that can't be read any more is known by its identifier alone.
        let (id, event) = match (tokens.iter().find(is_meant), name.parse::<Uuid>()) {
            (Some(token), _) => (token.id, event.detail("name", token.name.clone())),
            (None, Ok(id)) => (id, event),
            (None, Err(_)) => {
                return Err(Refusal::not_found("access token", &name)
                    .remedy("`claviger token list` shows those that there are"));
            }
        };
        let event = event.detail("id", id.to_string());
        administration
            .commit(vec![Change::DeleteAccessToken(id)], event)
            .await
    });
    done.await.map(|()| StatusCode::NO_CONTENT)
}

/// The token that is asked for.
async fn token(
    administration: &Administration,
    new: NewToken,
    secret: &str,
    created_by: String,
) -> Result<AccessToken, Refusal> {
    let created_at = now();
    let valid = i64::try_from(new.valid_for_seconds).map_or(Duration::MAX, Duration::seconds);
    if valid.is_zero() || valid > LONGEST {
        let message = format!(
            "a token is made for 1 s to {} days, and {} s came",
            LONGEST.whole_days(),
            new.valid_for_seconds
        );
        return Err(Refusal::new(Kind::Invalid, message).remedy("make another one before it has expired"));
    }
    let mut adapters = None;
    let mut sealed_by = None;
    if let Some(names) = &new.adapters {
        if names.is_empty() {
            return Err(Refusal::new(
                Kind::Invalid,
                "the token would be for no adapter; name one, or leave `adapters` out for all",
            ));
        }
        let mut ids: Vec<AdapterId> = Vec::new();
        for name in names {
            let adapter = administration.adapter(name).await?;
            sealed_by.get_or_insert(adapter.root_key);
            if !ids.contains(&adapter.id) {
                ids.push(adapter.id);
            }
        }
        adapters = Some(ids);
    }
    let sealed_by = match sealed_by {
        Some(root_key) => root_key,
        None => oldest_root_key(administration).await?,
    };
    Ok(AccessToken {
        id: Uuid::now_v7(),
        name: token_name(&new.name)?,
        secret: SecretDigest::of(secret),
        role: new.role.parse()?,
        adapters,
        created_at,
        created_by,
        expires_at: created_at + valid,
        sealed_by,
    })
}

/// What seals a token that is for no adapter alone.
async fn oldest_root_key(administration: &Administration) -> Result<RootKeyId, Refusal> {
    let root_keys = administration.store().root_keys().await?.rows;
    let enabled = root_keys.iter().filter(|root_key| root_key.state.is_enabled());
    let oldest = enabled.min_by_key(|root_key| root_key.created_at);
    oldest.map(|root_key| root_key.id).ok_or_else(|| {
        let message = "a token is sealed under a root key, and none is enabled";
        Refusal::new(Kind::WrongState, message).remedy("make one with `claviger root-key create NAME`")
    })
}

fn new_secret() -> Result<Zeroizing<String>, Refusal> {
    let secret = secret::made_of::<CHANCE>()?;
    Ok(Zeroizing::new(format!("{PREFIX}{}", secret.as_str())))
}

async fn adapter_names(administration: &Administration) -> Result<HashMap<AdapterId, String>, Refusal> {
    let adapters = administration.store().adapters().await?.rows;
    Ok(adapters
        .into_iter()
        .map(|adapter| (adapter.id, adapter.name))
        .collect())
}

fn resource(token: &AccessToken, names: &HashMap<AdapterId, String>) -> Token {
    // One that was deleted since is shown by its identifier.
    let name = |id: &AdapterId| names.get(id).cloned().unwrap_or_else(|| id.to_string());
    Token {
        id: token.id,
        name: token.name.clone(),
        role: token.role.name().to_owned(),
        adapters: token
            .adapters
            .as_ref()
            .map(|adapters| adapters.iter().map(name).collect()),
        created_at: token.created_at,
        created_by: token.created_by.clone(),
        expires_at: token.expires_at,
        expired: !token.is_in_force(OffsetDateTime::now_utc()),
    }
}
