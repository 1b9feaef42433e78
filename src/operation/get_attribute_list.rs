//! Get Attribute List (KMIP 1.4, section 4.13).

use super::item::Item;
use super::refusal::Refusal;
use crate::kmip::payload::{GetAttributeListRequest, GetAttributeListResponse};

pub(super) async fn perform(
    item: &mut Item<'_>,
    request: GetAttributeListRequest<'_>,
) -> Result<GetAttributeListResponse, Refusal> {
    let row = item.object_wherever(request.unique_identifier).await?;
    item.record().await?;
    Ok(GetAttributeListResponse {
        unique_identifier: row.object.id().hyphenated().to_string(),
        attribute_names: row.object.attribute_names(item.now()),
    })
}
