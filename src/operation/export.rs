//! Export (KMIP 1.4, section 4.40; KMIP 2.1, section 6.1.18): the object as Get hands it out, by the same rules and after
//! the same record, with all of its attributes. Of a destroyed object the attributes come alone.

use super::get;
use super::item::Item;
use super::refusal::Refusal;
use crate::kmip::attribute::Attributes;
use crate::kmip::payload::{ExportRequest, ExportResponse};

pub(super) async fn perform(
    item: &mut Item<'_>,
    request: ExportRequest<'_>,
) -> Result<ExportResponse<'static>, Refusal> {
    let row = item.object(request.unique_identifier).await?;
    let (served, object) = if row.object.is_destroyed() {
        item.record().await?;
        let object = get::without_value(&row.object);
        (row.object, object)
    } else {
        get::hand_out(item, &request).await?
    };
    let now = item.now();
    let attributes: Attributes = served
        .attribute_names(now)
        .iter()
        .flat_map(|name| served.instances(name, now))
        .collect();
    item.placeholder.fill(served.id());
    Ok(ExportResponse {
        unique_identifier: served.id().hyphenated().to_string(),
        attributes,
        object,
    })
}
