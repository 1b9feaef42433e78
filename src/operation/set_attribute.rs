//! Set Attribute (KMIP 2.1, section 6.1.51).

use super::change_attribute;
use super::item::Item;
use super::refusal::{AttributeUse, Refusal};
use crate::kmip::payload::{SetAttributeRequest, SetAttributeResponse};

pub(super) async fn perform(
    item: &mut Item<'_>,
    request: SetAttributeRequest<'_>,
) -> Result<SetAttributeResponse, Refusal> {
    let name = request.attribute.name();
    let given = change_attribute::names_in(&request.attribute);
    let (id, _) = change_attribute::perform(
        item,
        request.unique_identifier,
        &name,
        &given,
        AttributeUse::Setting,
        |object, now| object.set_attribute(request.attribute.clone(), now),
    )
    .await?;
    Ok(SetAttributeResponse {
        unique_identifier: id.hyphenated().to_string(),
    })
}
