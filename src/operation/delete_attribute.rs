//! Delete Attribute (KMIP 1.4, section 4.16).

use super::change_attribute;
use super::item::Item;
use super::refusal::{AttributeUse, Refusal};
use crate::kmip::payload::{DeleteAttributeRequest, DeleteAttributeResponse, DeletedAttribute};

pub(super) async fn perform(
    item: &mut Item<'_>,
    request: DeleteAttributeRequest<'_>,
) -> Result<DeleteAttributeResponse, Refusal> {
    let name = match &request.attribute {
        DeletedAttribute::Named { name, .. } => name.clone(),
        DeletedAttribute::Current(attribute) => attribute.name(),
    };
    let every_instance = item.version.tags_attributes();
    let (id, attribute) = change_attribute::perform(
        item,
        request.unique_identifier,
        &name,
        &[],
        AttributeUse::Deleting,
        |object, now| match &request.attribute {
            DeletedAttribute::Named { .. } if every_instance => object.delete_every_instance(&name, now),
            DeletedAttribute::Named { index, .. } => object.delete_attribute(&name, index.unwrap_or(0), now),
            DeletedAttribute::Current(current) => object.delete_current_attribute(current, now),
        },
    )
    .await?;
    Ok(DeleteAttributeResponse {
        unique_identifier: id.hyphenated().to_string(),
        attribute: Some(attribute),
    })
}
