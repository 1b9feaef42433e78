//! Create (KMIP 1.4, section 4.1): a symmetric key or secret data, made and wrapped on the device. Secret data that is made
//! here is a password.

use uuid::Uuid;

use super::item::Item;
use super::refusal::Refusal;
use super::{make, names, shaping};
use crate::key::{KeyDraft, Origin};
use crate::kmip::enumeration::{ObjectType, SecretDataType};
use crate::kmip::payload::{CreateRequest, CreateResponse};

pub(super) async fn perform(item: &mut Item<'_>, request: CreateRequest) -> Result<CreateResponse, Refusal> {
    let object_type = request.object_type;
    if !matches!(object_type, ObjectType::SymmetricKey | ObjectType::SecretData) {
        return Err(Refusal::object_type(object_type));
    }
    shaping::require_storage(request.protection_storage_masks.as_ref())?;
    let mut attributes = make::attributes(item, request.template_attribute).await?;
    shaping::fill_in(item, request.object_type, &mut attributes).await?;
    let adapter = item.caller.adapter;
    let (id, owner, now) = (Uuid::now_v7(), adapter.uuid(), item.now());
    let draft = match object_type {
        ObjectType::SecretData => {
            let data_type = SecretDataType::Password;
            KeyDraft::secret_data(id, owner, data_type, Origin::Created, attributes, now)
        }
        _ => KeyDraft::new(id, owner, Origin::Created, attributes, now),
    }
    .map_err(|error| make::of_attribute(&error))?;

    let names = draft.names();
    let services = item.services;
    let _held = names::hold(item, &names).await;
    make::require_free(item, &names).await?;

    make::require_room(item).await?;
    let root_key = make::root_key(item).await?;
    let specification = make::specification(draft.object())?;
    let made = services
        .root_keys
        .for_root(&root_key)
        .map_err(|error| Refusal::not_made(&error))?
        .generate(&root_key, specification)
        .await
        .map_err(|error| Refusal::not_made(&error))?;
    item.made(&root_key, specification, &made.wrapped);
    let id = make::keep(item, draft, made.sha256, &root_key, made.wrapped).await?;
    Ok(CreateResponse {
        object_type,
        unique_identifier: id.hyphenated().to_string(),
        template_attribute: None,
    })
}
