//! Delete Attribute (KMIP 1.4, section 4.16).

use super::change_attribute;
use super::item::Item;
use super::refusal::{AttributeUse, Refusal};
use crate::kmip::payload::{DeleteAttributeRequest, DeleteAttributeResponse};

pub(super) async fn perform(
    item: &mut Item<'_>,
    request: DeleteAttributeRequest<'_>,
) -> Result<DeleteAttributeResponse, Refusal> {
    let name = request.attribute_name;
    let index = request.attribute_index.unwrap_or(0);
    let (id, attribute) = change_attribute::perform(
        item,
        request.unique_identifier,
        &name,
        &[],
        AttributeUse::Deleting,
        |object, now| object.delete_attribute(&name, index, now),
    )
    .await?;
    Ok(DeleteAttributeResponse {
        unique_identifier: id.hyphenated().to_string(),
        attribute,
    })
}
