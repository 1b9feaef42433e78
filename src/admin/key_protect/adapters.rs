//! Adapters.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::administration::Administration;
use super::super::api::NewAdapter;
use super::super::extract::{Body, Parameters, Segments};
use super::super::refusal::{Kind, Refusal};
use super::super::{Caller, adapters};
use super::envelope::{Asked, Collection, New};
use crate::adapter::{self, ClientCertificate};

const TYPE: &str = "application/vnd.ibm.kms.kmip_adapter+json";

/// The one profile that there is.
const PROFILE: &str = "native_1.0";

/// The most on a page.
const MOST: usize = 200;

/// An adapter.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = KmipAdapter)]
pub(in crate::admin) struct Adapter {
    id: Uuid,
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    profile: &'static str,
    profile_data: ProfileData,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    created_by: String,
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
    updated_by: String,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = KmipProfileData)]
pub(in crate::admin) struct ProfileData {
    crk_id: String,
}

/// An adapter that is to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewKmipAdapter)]
pub(in crate::admin) struct ToMake {
    profile: String,
    #[serde(default)]
    profile_data: Option<ProfileData>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    description: Option<String>,
}

pub(super) async fn list(
    State(administration): State<Arc<Administration>>,
    Extension(caller): Extension<Caller>,
    Parameters(asked): Parameters<Asked>,
) -> Result<Json<Collection<Adapter>>, Refusal> {
    let page = asked.page(MOST)?;
    let found = administration.store().adapters().await?;
    let (rows, _) = administration.trusted(found, &caller).await?;
    let certificates = administration.store().certificates(None).await?.rows;
    let root_key = match &asked.crk_id {
        None => None,
        Some(name) => match administration.root_key(name).await {
            Ok(root_key) => Some(root_key.id),
            Err(refusal) if refusal.kind() == Kind::NotFound => {
                return Ok(Json(Collection::page(TYPE, Vec::new(), &page)));
            }
            Err(refusal) => return Err(refusal),
        },
    };
    let adapters = rows.into_iter().filter(|adapter| {
        caller.adapters().is_none_or(|own| own.contains(&adapter.id))
            && root_key.is_none_or(|root_key| adapter.root_key == root_key)
    });
    let resources = adapters.map(|adapter| resource(adapter, &certificates)).collect();
    Ok(Json(Collection::page(TYPE, resources, &page)))
}

pub(super) async fn show(
    State(administration): State<Arc<Administration>>,
    Segments(name): Segments<String>,
) -> Result<Json<Collection<Adapter>>, Refusal> {
    let adapter = administration.adapter(&name).await?;
    let certificates = administration.store().certificates(Some(adapter.id)).await?.rows;
    Ok(Json(Collection::new(
        TYPE,
        vec![resource(adapter, &certificates)],
    )))
}

pub(super) async fn create(
    State(administration): State<Arc<Administration>>,
    Extension(caller): Extension<Caller>,
    Body(new): Body<New<ToMake>>,
) -> Result<(StatusCode, Json<Collection<Adapter>>), Refusal> {
    let ToMake {
        profile,
        profile_data,
        name,
        description,
    } = new.only(TYPE)?;
    if profile != PROFILE {
        let message = format!("profile is {PROFILE:?}, and {profile:?} came");
        return Err(Refusal::new(Kind::Invalid, message));
    }
    let Some(ProfileData { crk_id }) = profile_data else {
        let message = format!("profile_data.crk_id is missing, which the profile {PROFILE:?} needs");
        return Err(Refusal::new(Kind::Invalid, message));
    };
    administration
        .root_key(&crk_id)
        .await
        .map_err(|refusal| refusal.key_protect_if(Kind::NotFound, "NATIVE_CRK_ID_NOT_FOUND_ERR"))?;
    let new = NewAdapter {
        name: name.unwrap_or_else(|| random_name("kmip_adapter")),
        description: description.unwrap_or_default(),
        root_key: Some(crk_id),
    };
    let made = adapters::make(&administration, &caller, new).await;
    let made = made.map_err(|refusal| {
        refusal
            .key_protect_if(Kind::Taken, "KMIP_ADAPTER_DUPLICATE_NAME_ERR")
            .key_protect_if(Kind::WrongState, "NATIVE_INVALID_CRK_ERR")
    })?;
    let resources = vec![resource(made, &[])];
    Ok((StatusCode::CREATED, Json(Collection::new(TYPE, resources))))
}

pub(super) async fn remove(
    State(administration): State<Arc<Administration>>,
    Extension(caller): Extension<Caller>,
    Segments(name): Segments<String>,
) -> Result<StatusCode, Refusal> {
    adapters::delete(&administration, &caller, name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A name for what the client gave none.
pub(super) fn random_name(kind: &str) -> String {
    let random = Uuid::new_v4().simple().to_string();
    format!("{kind}_{}", &random[..12])
}

/// It counts as changed when it was made, or when the last of its certificates was added.
fn resource(adapter: adapter::Adapter, certificates: &[ClientCertificate]) -> Adapter {
    let last = certificates
        .iter()
        .filter(|certificate| certificate.adapter == adapter.id)
        .max_by_key(|certificate| certificate.added_at);
    let created_by = adapter.created_by.unwrap_or_default();
    let (updated_at, updated_by) = match last {
        Some(certificate) => (
            certificate.added_at,
            certificate.added_by.clone().unwrap_or_default(),
        ),
        None => (adapter.created_at, created_by.clone()),
    };
    Adapter {
        id: adapter.id.uuid(),
        name: adapter.name,
        description: adapter.description,
        profile: PROFILE,
        profile_data: ProfileData {
            crk_id: adapter.root_key.to_string(),
        },
        created_at: adapter.created_at,
        created_by,
        updated_at,
        updated_by,
    }
}
