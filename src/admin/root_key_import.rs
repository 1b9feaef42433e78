//! Root keys that are brought from elsewhere (BYOK): wrapped under a key of the device, opened there and nowhere else.
//!
//! | request | reply |
//! |---|---|
//! | `POST /v1/root-key-offers` with [`OfferImport`] | [`api::ImportOffer`]: the RSA public key to wrap under |
//! | `POST /v1/root-key-imports` with [`ImportRootKey`] | 201 and the root key |
//!
//! An offer lasts until a root key came under it or another offer of the same name is made; the private key is on the token.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Extension, Json, Router};

use super::Caller;
use super::administration::Administration;
use super::api::{self, ImportOffer, ImportRootKey, OfferImport};
use super::extract::Body;
use super::refusal::{Kind, Refusal};
use super::root_keys::{chosen_backend, complete, draft, enter, not_made, require_free};
use crate::adapter::{RootKey, RootKeyOrigin, root_key_name};
use crate::custody::EventName;
use crate::root_key::{self, WrappedRootKey};

pub(super) fn routes() -> Router<Arc<Administration>> {
    Router::new()
        .route("/v1/root-key-offers", post(offer))
        .route("/v1/root-key-imports", post(import))
}

async fn offer(
    State(administration): State<Arc<Administration>>,
    Extension(caller): Extension<Caller>,
    Body(asked): Body<OfferImport>,
) -> Result<Json<ImportOffer>, Refusal> {
    let event = caller
        .event(EventName::RootKeyOfferImport)
        .detail("name", asked.name.clone());
    let done = administration.carry_out(event, async move |administration, event| {
        let name = root_key_name(&asked.name)?;
        require_free(&administration, &name).await?;
        let (backend_name, backend) = chosen_backend(&administration, asked.backend.as_deref())?;
        // Recorded first: nothing is made on a token that the log does not tell of.
        let event = event.detail("device", backend_name.clone());
        administration.commit(Vec::new(), event).await?;
        let public_key = backend.offer_take_in(&label(&name)).await?;
        let public_key = public_key
            .to_pem()
            .map_err(|error| Refusal::new(Kind::BackendFailed, error.to_string()))?;
        Ok(ImportOffer {
            name,
            backend: backend_name,
            public_key,
        })
    });
    done.await.map(Json)
}

async fn import(
    State(administration): State<Arc<Administration>>,
    Extension(caller): Extension<Caller>,
    Body(asked): Body<ImportRootKey>,
) -> Result<(StatusCode, Json<api::RootKey>), Refusal> {
    let event = caller
        .event(EventName::RootKeyImport)
        .detail("name", asked.name.clone())
        .detail("origin", RootKeyOrigin::Imported.name());
    let made = administration.carry_out(event, async move |administration, event| {
        let name = root_key_name(&asked.name)?;
        require_free(&administration, &name).await?;
        let wrapped = hex::decode(&asked.wrapped)
            .map_err(|_| Refusal::new(Kind::Invalid, "`wrapped` is not hexadecimal"))?;
        let (backend_name, backend) = chosen_backend(&administration, asked.backend.as_deref())?;
        let label = label(&name);
        let mut root_key = draft(backend_name, name);
        let taken_in = backend.take_in(&label, &WrappedRootKey(wrapped), &root_key).await;
        let taken_in = taken_in.map_err(|error| not_taken_in(error, &root_key))?;
        complete(&mut root_key, taken_in);
        enter(&administration, root_key, event).await
    });
    Ok((StatusCode::CREATED, Json(made.await?)))
}

/// The label of the RSA key that the root key of this name comes under.
fn label(name: &str) -> String {
    format!("claviger.{name}.import")
}

fn not_taken_in(error: root_key::Error, root_key: &RootKey) -> Refusal {
    use claviger_hsm::Error as DeviceError;
    let root_key::Error::Device { source, .. } = &error else {
        return error.into();
    };
    match source {
        DeviceError::RootKeyNotFound { .. } => Refusal::new(
            Kind::Invalid,
            "the device has no RSA key for this: none was offered under this name, or it has served",
        )
        .remedy("ask for one first: `claviger root-key import NAME`"),
        DeviceError::WrappedKeyRefused => Refusal::new(
            Kind::Invalid,
            "the device does not open what came: it is not wrapped under the RSA key that was offered last, or not by \
             RSA-OAEP with SHA-256 or SHA-1 (and the same for MGF1), or this device knows SHA-1 alone",
        )
        .remedy("wrap it again, with SHA-1 (`-pkeyopt rsa_oaep_md:sha1`); the RSA key of the last offer is still there"),
        DeviceError::RootKeyUnfit { .. } => Refusal::new(Kind::Invalid, source.to_string()),
        _ => not_made(error, root_key),
    }
}
