//! Add Attribute (KMIP 1.4, section 4.14).

use super::change_attribute;
use super::item::Item;
use super::refusal::{AttributeUse, Refusal};
use crate::kmip::payload::{AddAttributeRequest, AddAttributeResponse};

pub(super) async fn perform(
    item: &mut Item<'_>,
    request: AddAttributeRequest<'_>,
) -> Result<AddAttributeResponse, Refusal> {
    let name = request.attribute.name();
    let given = change_attribute::names_in(&request.attribute);
    let (id, attribute) = change_attribute::perform(
        item,
        request.unique_identifier,
        &name,
        &given,
        AttributeUse::Adding,
        |object, now| object.add_attribute(request.attribute.clone(), now),
    )
    .await?;
    Ok(AddAttributeResponse {
        unique_identifier: id.hyphenated().to_string(),
        attribute: Some(attribute),
    })
}
