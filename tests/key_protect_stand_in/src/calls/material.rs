//! Key material that clients bring, and versions made of it.

use time::OffsetDateTime;
use uuid::Uuid;

use crate::calls::body::{Material, base64};
use crate::calls::import_token;
use crate::calls::request::Request;
use crate::model::Version;
use crate::refusal::Refusal;
use crate::service::Service;

/// The longest material of a standard key, in bytes.
pub(super) const LONGEST: usize = 7500;

/// The material in a body; opened, where it came under an import token's key.
pub(super) fn of(service: &Service, request: &Request, body: &Material) -> Result<Option<Vec<u8>>, Refusal> {
    let Some(payload) = &body.payload else {
        return Ok(None);
    };
    let payload = base64("payload", payload)?;
    if body.encrypted_nonce.is_some() {
        return import_token::open(service, request, body, &payload).map(Some);
    }
    Ok(Some(payload))
}

/// Refuses material that is no AES key.
pub(super) fn must_fit_a_root_key(material: &[u8]) -> Result<(), Refusal> {
    match material.len() {
        16 | 24 | 32 => Ok(()),
        _ => Err(Refusal::invalid_field(
            "payload",
            "a root key has 16, 24 or 32 bytes",
        )),
    }
}

/// A version of a root key on the token: of this material, or made there.
pub(super) async fn new_version(
    service: &Service,
    material: Option<&[u8]>,
    now: OffsetDateTime,
) -> Result<Version, Refusal> {
    let id = Uuid::new_v4();
    match material {
        Some(material) => service.vault.import(id, material).await?,
        None => service.vault.create(id).await?,
    }
    Ok(Version {
        id,
        created: now,
        material_tag: material.map(|material| tag(service, material)),
    })
}

/// Tells material from other material.
pub(super) fn tag(service: &Service, material: &[u8]) -> [u8; 32] {
    service.vault.seal().tag("material", material)
}
