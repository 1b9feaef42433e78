//! Get Attributes (KMIP 1.4, section 4.12).

use super::item::Item;
use super::refusal::Refusal;
use crate::kmip::payload::{GetAttributesRequest, GetAttributesResponse};

pub(super) async fn perform(
    item: &mut Item<'_>,
    request: GetAttributesRequest<'_>,
) -> Result<GetAttributesResponse, Refusal> {
    for (position, name) in request.attribute_names.iter().enumerate() {
        if request.attribute_names[..position].contains(name) {
            return Err(Refusal::attribute_named_twice(name));
        }
    }
    let row = item.object_wherever(request.unique_identifier).await?;
    let now = item.now();
    let names = if request.attribute_names.is_empty() {
        row.object.attribute_names(now)
    } else {
        request.attribute_names
    };
    item.record().await?;
    Ok(GetAttributesResponse {
        unique_identifier: row.object.id().hyphenated().to_string(),
        // What the object does not have is no error: the answer is silent about it.
        attributes: names
            .iter()
            .flat_map(|name| row.object.instances(name, now))
            .collect(),
    })
}
