//! Register (KMIP 1.4, section 4.3): an object that the client brings.

use uuid::Uuid;

use super::item::Item;
use super::refusal::Refusal;
use super::taking::{Arrived, Identity};
use super::{make, names, shaping};
use crate::kmip::payload::{RegisterRequest, RegisterResponse};

pub(super) async fn perform(
    item: &mut Item<'_>,
    request: RegisterRequest<'_>,
) -> Result<RegisterResponse, Refusal> {
    shaping::require_storage(request.protection_storage_masks.as_ref())?;
    let object = request.object.ok_or_else(Refusal::no_object)?;
    if object.object_type() != request.object_type {
        return Err(Refusal::other_object_type());
    }
    let attributes = make::attributes(item, request.template_attribute).await?;
    let adapter = item.caller.adapter;
    let identity = Identity {
        id: Uuid::now_v7(),
        adapter,
        now: item.now(),
    };
    let arrived = Arrived::new(identity, object, attributes)?;
    let names = arrived.names();
    let _held = names::hold(item, &names).await;
    make::require_free(item, &names).await?;
    let (object, wrapped) = arrived.seal(item).await?;
    let id = make::keep_object(item, object, wrapped).await?;
    Ok(RegisterResponse {
        unique_identifier: id.hyphenated().to_string(),
        template_attribute: None,
    })
}
