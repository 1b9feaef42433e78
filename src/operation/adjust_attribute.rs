//! Adjust Attribute (KMIP 2.1, section 6.1.3).

use super::change_attribute;
use super::item::Item;
use super::refusal::{AttributeUse, Refusal};
use crate::kmip::payload::{AdjustAttributeRequest, AdjustAttributeResponse};

pub(super) async fn perform(
    item: &mut Item<'_>,
    request: AdjustAttributeRequest<'_>,
) -> Result<AdjustAttributeResponse, Refusal> {
    let (name, adjustment) = (&request.attribute_name, request.adjustment_type);
    item.event
        .details
        .insert("adjustment".into(), adjustment.to_string());
    let by = request.adjustment_value.as_ref();
    let (id, _) = change_attribute::perform(
        item,
        request.unique_identifier,
        name,
        &[],
        AttributeUse::Setting,
        |object, now| object.adjust_attribute(name, adjustment, by, now),
    )
    .await?;
    Ok(AdjustAttributeResponse {
        unique_identifier: id.hyphenated().to_string(),
    })
}
