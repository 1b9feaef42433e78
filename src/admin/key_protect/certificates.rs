//! Client certificates of an adapter.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use openssl::x509::X509;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::administration::Administration;
use super::super::api::NewCertificate;
use super::super::extract::{Body, Parameters, Segments};
use super::super::refusal::{Kind, Refusal};
use super::super::{Caller, certificates};
use super::adapters::random_name;
use super::envelope::{Asked, Collection, New};
use crate::adapter::{ClientCertificate, Fingerprint};

const TYPE: &str = "application/vnd.ibm.kms.kmip_client_certificate+json";

/// The most on a page.
const MOST: usize = 200;

/// A certificate. In a list without the certificate itself.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = KmipCertificate)]
#[allow(clippy::struct_field_names, reason = "Key Protect's name of the member")]
pub(in crate::admin) struct Certificate {
    id: Uuid,
    name: String,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    created_by: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<String>,
}

/// A certificate that is to be let in.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewKmipCertificate)]
pub(in crate::admin) struct ToAdd {
    certificate: String,
    #[serde(default)]
    name: Option<String>,
}

pub(super) async fn list(
    State(administration): State<Arc<Administration>>,
    Extension(caller): Extension<Caller>,
    Segments(name): Segments<String>,
    Parameters(asked): Parameters<Asked>,
) -> Result<Json<Collection<Certificate>>, Refusal> {
    let page = asked.page(MOST)?;
    let adapter = administration.adapter(&name).await?;
    let found = administration.store().certificates(Some(adapter.id)).await?;
    let (rows, _) = administration.trusted(found, &caller).await?;
    let resources = rows.into_iter().map(partial).collect();
    Ok(Json(Collection::page(TYPE, resources, &page)))
}

pub(super) async fn show(
    State(administration): State<Arc<Administration>>,
    Segments((name, certificate)): Segments<(String, String)>,
) -> Result<Json<Collection<Certificate>>, Refusal> {
    let found = meant(&administration, &name, &certificate).await?;
    Ok(Json(Collection::new(TYPE, vec![whole(found)?])))
}

pub(super) async fn add(
    State(administration): State<Arc<Administration>>,
    Extension(caller): Extension<Caller>,
    Segments(name): Segments<String>,
    Body(new): Body<New<ToAdd>>,
) -> Result<(StatusCode, Json<Collection<Certificate>>), Refusal> {
    let new = new.only(TYPE)?;
    let new = NewCertificate {
        name: Some(new.name.unwrap_or_else(|| random_name("kmip_cert"))),
        pem: new.certificate,
    };
    let (added, _) = certificates::let_in(&administration, &caller, name, new).await?;
    let resources = vec![whole(added)?];
    Ok((StatusCode::CREATED, Json(Collection::new(TYPE, resources))))
}

pub(super) async fn remove(
    State(administration): State<Arc<Administration>>,
    Extension(caller): Extension<Caller>,
    Segments((name, certificate)): Segments<(String, String)>,
) -> Result<StatusCode, Refusal> {
    let found = meant(&administration, &name, &certificate).await?;
    let fingerprint = found.fingerprint.to_string();
    certificates::take_out(&administration, &caller, name, fingerprint).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The certificate of this identifier or name.
async fn meant(
    administration: &Administration,
    adapter: &str,
    certificate: &str,
) -> Result<ClientCertificate, Refusal> {
    let adapter = administration.adapter(adapter).await?;
    let rows = administration.store().certificates(Some(adapter.id)).await?.rows;
    let id = Uuid::parse_str(certificate).ok();
    let found = rows
        .into_iter()
        .find(|row| row.name == certificate || id == Some(identifier(row.fingerprint)));
    found.ok_or_else(|| Refusal::not_found("certificate of this adapter", certificate))
}

/// What a certificate is called by in this API: a UUID of the form of version 4, made of its fingerprint's first half.
pub(super) fn identifier(fingerprint: Fingerprint) -> Uuid {
    let [half, _] = fingerprint.0.as_chunks::<16>().0 else {
        return Uuid::nil();
    };
    uuid::Builder::from_random_bytes(*half).into_uuid()
}

fn partial(certificate: ClientCertificate) -> Certificate {
    Certificate {
        id: identifier(certificate.fingerprint),
        name: certificate.name,
        created_at: certificate.added_at,
        created_by: certificate.added_by.unwrap_or_default(),
        certificate: None,
    }
}

fn whole(certificate: ClientCertificate) -> Result<Certificate, Refusal> {
    let pem = X509::from_der(&certificate.der)
        .and_then(|certificate| certificate.to_pem())
        .map_err(|error| {
            Refusal::new(
                Kind::Internal,
                format!("the certificate can't be written as PEM: {error}"),
            )
        })?;
    Ok(Certificate {
        certificate: Some(String::from_utf8_lossy(&pem).into_owned()),
        ..partial(certificate)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_certificate_has_the_same_identifier_and_another_one_another() {
        let (one, other) = (Fingerprint([1; 32]), Fingerprint([2; 32]));
        assert_eq!(identifier(one), identifier(one));
        assert_ne!(identifier(one), identifier(other));
        assert_eq!(identifier(one).get_version_num(), 4);
    }
}
