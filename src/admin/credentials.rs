//! `/v1/adapters/{adapter}/credentials`: users whose passwords an adapter's clients show beside their certificates.
//!
//! | request | reply |
//! |---|---|
//! | `GET /v1/adapters/{name or id}/credentials` | the users, and whether one has to be shown |
//! | `POST …` with [`NewCredential`] | 201 and the user; 409 `taken` where there is one of the name |
//! | `DELETE …/{username}` | 204; 409 `in_use` for the last one while one has to be shown |
//! | `POST /v1/adapters/{name or id}/credential-policy` with [`CredentialPolicy`] | the users, and whether one has to be shown |
//!
//! A change works at once, on every node within a second.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{delete, get, post};
use axum::{Extension, Json, Router};
use zeroize::Zeroizing;

use super::Caller;
use super::administration::{Administration, now};
use super::api::{self, CredentialMade, CredentialPolicy, NewCredential};
use super::extract::{Body, Segments};
use super::refusal::{Kind, Refusal};
use super::secret;
use crate::adapter::{self, Adapter, Credentials, PasswordUser, USERS_AT_MOST};
use crate::cryptography::Argon2id;
use crate::custody::{Event, EventName};
use crate::operation::hash_password;
use crate::store::{Change, SettingKind};

/// The bytes of chance in a password that the server makes.
const CHANCE: usize = 24;

pub(super) fn routes() -> Router<Arc<Administration>> {
    Router::new()
        .route("/v1/adapters/{adapter}/credentials", get(list).post(add))
        .route("/v1/adapters/{adapter}/credentials/{username}", delete(remove))
        .route("/v1/adapters/{adapter}/credential-policy", post(demand))
}

/// The users of an adapter, with the document that they were read from.
struct Found {
    adapter: Adapter,
    document: Option<Vec<u8>>,
    credentials: Credentials,
}

impl Found {
    async fn read(administration: &Administration, name: &str) -> Result<Self, Refusal> {
        let adapter = administration.adapter(name).await?;
        let document = administration.store().settings(adapter.id).await?.credentials;
        let credentials =
            Credentials::from_document(document.as_deref()).map_err(|error| unreadable(&error))?;
        Ok(Self {
            adapter,
            document,
            credentials,
        })
    }

    /// Writes what was made of them, unless another node has changed them since.
    async fn write(self, administration: &Administration, event: Event) -> Result<Credentials, Refusal> {
        let change = Change::ReplaceForAdapter {
            adapter: self.adapter.id,
            kind: SettingKind::Credentials,
            from: self.document,
            to: self
                .credentials
                .to_document()
                .map_err(|error| unreadable(&error))?,
        };
        administration.commit(vec![change], event).await?;
        Ok(self.credentials)
    }
}

async fn list(
    State(administration): State<Arc<Administration>>,
    Segments(name): Segments<String>,
) -> Result<Json<api::Credentials>, Refusal> {
    let found = Found::read(&administration, &name).await?;
    Ok(Json(resource(&found.credentials)))
}

async fn add(
    State(administration): State<Arc<Administration>>,
    Extension(caller): Extension<Caller>,
    Segments(name): Segments<String>,
    Body(new): Body<NewCredential>,
) -> Result<(StatusCode, Json<CredentialMade>), Refusal> {
    let event = caller
        .event(EventName::CredentialAdd)
        .detail("username", shown(&new.username));
    let event = administration.about_adapter(event, &name).await;
    let added_by = caller.name();
    let added = administration.carry_out(event, async move |administration, event| {
        let mut found = Found::read(&administration, &name).await?;
        let username = adapter::username(&new.username)?;
        let users = &mut found.credentials.users;
        if users.iter().any(|user| user.username == username) {
            let message = format!("adapter {:?} has a user {username:?} already", found.adapter.name);
            return Err(Refusal::new(Kind::Taken, message).remedy(
                "for another password, add another user, give that to the clients, and remove this one then",
            ));
        }
        if users.len() >= USERS_AT_MOST {
            let message = format!("an adapter has {USERS_AT_MOST} users at most");
            return Err(Refusal::new(Kind::Invalid, message));
        }
        let is_made = new.password.is_none();
        let password = match new.password {
            Some(password) => Zeroizing::new(password),
            None => secret::made_of::<CHANCE>()?,
        };
        adapter::check_password(&password)?;
        let given = Zeroizing::new(password.to_string());
        let hashed = tokio::task::spawn_blocking(move || hash_password(&given, Argon2id::USUAL)).await;
        let hashed = hashed
            .map_err(|error| error.to_string())
            .and_then(|hashed| hashed.map_err(|error| error.to_string()))
            .map_err(|error| {
                Refusal::new(Kind::Internal, format!("the password can't be hashed: {error}"))
            })?;
        let user = PasswordUser {
            username,
            password: hashed,
            added_at: now(),
            added_by,
        };
        let made = CredentialMade {
            credential: one(&user),
            password: is_made.then(|| password.to_string()),
        };
        users.push(user);
        let event = event.detail("password", if is_made { "made here" } else { "brought" });
        found.write(&administration, event).await?;
        Ok(made)
    });
    Ok((StatusCode::CREATED, Json(added.await?)))
}

async fn remove(
    State(administration): State<Arc<Administration>>,
    Extension(caller): Extension<Caller>,
    Segments((name, username)): Segments<(String, String)>,
) -> Result<StatusCode, Refusal> {
    let event = caller
        .event(EventName::CredentialRemove)
        .detail("username", shown(&username));
    let event = administration.about_adapter(event, &name).await;
    let done = administration.carry_out(event, async move |administration, event| {
        let mut found = Found::read(&administration, &name).await?;
        if found.credentials.user(&username).is_none() {
            return Err(
                Refusal::not_found("user of this adapter", &username).remedy(format!(
                    "`claviger adapter credential list {name}` shows those that there are"
                )),
            );
        }
        if found.credentials.required && found.credentials.users.len() == 1 {
            let message = format!("{username:?} is the last user, and the adapter refuses who shows none");
            return Err(Refusal::new(Kind::InUse, message).remedy(format!(
                "add another one, or `claviger adapter credential policy {name} optional`"
            )));
        }
        found.credentials.users.retain(|user| user.username != username);
        found.write(&administration, event).await
    });
    done.await.map(|_| StatusCode::NO_CONTENT)
}

async fn demand(
    State(administration): State<Arc<Administration>>,
    Extension(caller): Extension<Caller>,
    Segments(name): Segments<String>,
    Body(policy): Body<CredentialPolicy>,
) -> Result<Json<api::Credentials>, Refusal> {
    let event = caller
        .event(EventName::CredentialPolicy)
        .detail("required", policy.required.to_string());
    let event = administration.about_adapter(event, &name).await;
    let done = administration.carry_out(event, async move |administration, event| {
        let mut found = Found::read(&administration, &name).await?;
        if policy.required && found.credentials.users.is_empty() {
            let message = format!(
                "adapter {:?} has no user, and so nobody could be let in",
                found.adapter.name
            );
            return Err(Refusal::new(Kind::WrongState, message).remedy(format!(
                "add one with `claviger adapter credential add {name} USER`"
            )));
        }
        found.credentials.required = policy.required;
        found.write(&administration, event).await
    });
    done.await.map(|credentials| Json(resource(&credentials)))
}

fn unreadable(error: &serde_json::Error) -> Refusal {
    let message = format!("the users of the adapter can't be read or written: {error}");
    Refusal::new(Kind::Internal, message).remedy("a newer version of this program may have written them")
}

/// A name as a record has it, whatever came for one.
fn shown(username: &str) -> String {
    username.chars().take(adapter::USERNAME_LONGEST).collect()
}

fn one(user: &PasswordUser) -> api::Credential {
    api::Credential {
        username: user.username.clone(),
        added_at: user.added_at,
        added_by: user.added_by.clone(),
    }
}

fn resource(credentials: &Credentials) -> api::Credentials {
    api::Credentials {
        required: credentials.required,
        users: credentials.users.iter().map(one).collect(),
    }
}
