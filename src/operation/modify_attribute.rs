//! Modify Attribute (KMIP 1.4, section 4.15).

use super::change_attribute;
use super::item::Item;
use super::refusal::{AttributeUse, Refusal};
use crate::kmip::payload::{ModifyAttributeRequest, ModifyAttributeResponse};

pub(super) async fn perform(
    item: &mut Item<'_>,
    request: ModifyAttributeRequest<'_>,
) -> Result<ModifyAttributeResponse, Refusal> {
    let name = request.attribute.name();
    let given = change_attribute::names_in(&request.attribute);
    let (id, attribute) = change_attribute::perform(
        item,
        request.unique_identifier,
        &name,
        &given,
        AttributeUse::Modifying,
        |object, now| match &request.current_attribute {
            Some(current) => object.replace_attribute(current, request.attribute.clone(), now),
            None => object.modify_attribute(request.attribute.clone(), now),
        },
    )
    .await?;
    Ok(ModifyAttributeResponse {
        unique_identifier: id.hyphenated().to_string(),
        attribute: Some(attribute),
    })
}
