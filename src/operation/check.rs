//! Check (KMIP 1.4, section 4.10): may the client use the object as it says?

use super::item::Item;
use super::refusal::Refusal;
use crate::kmip::payload::{CheckRequest, CheckResponse};

pub(super) async fn perform(
    item: &mut Item<'_>,
    request: CheckRequest<'_>,
) -> Result<CheckResponse, Refusal> {
    let row = item.object(request.unique_identifier).await?;
    let object = &row.object;
    let (Some(usage_mask), Some(lease_time), false) =
        (object.usage_mask(), object.lease_time(), object.is_destroyed())
    else {
        return Err(Refusal::not_checkable());
    };
    let against = CheckResponse {
        unique_identifier: None,
        usage_limits_count: request
            .usage_limits_count
            .filter(|count| object.usage_left().is_some_and(|left| *count > left)),
        cryptographic_usage_mask: request
            .cryptographic_usage_mask
            .filter(|wanted| !usage_mask.contains(*wanted)),
        lease_time: request.lease_time.filter(|wanted| *wanted > lease_time),
    };
    if against != CheckResponse::default() {
        item.placeholder.empty();
        return Err(Refusal::checked(against));
    }
    item.record().await?;
    Ok(CheckResponse {
        unique_identifier: Some(object.id().hyphenated().to_string()),
        ..CheckResponse::default()
    })
}
