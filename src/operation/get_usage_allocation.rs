//! Get Usage Allocation (KMIP 1.4, section 4.18). What is allocated is taken off the Usage Limits and recorded in one
//! commit, before the client hears: it is never given twice, whatever fails.

use super::item::Item;
use super::refusal::Refusal;
use crate::kmip::payload::{GetUsageAllocationRequest, GetUsageAllocationResponse};

pub(super) async fn perform(
    item: &mut Item<'_>,
    request: GetUsageAllocationRequest<'_>,
) -> Result<GetUsageAllocationResponse, Refusal> {
    let count = request.usage_limits_count;
    item.event
        .details
        .insert("usage-limits-count".into(), count.to_string());
    let (id, ()) = item
        .change(request.unique_identifier, |row, now| {
            row.object.allocate(count, now).map_err(Refusal::of_allocation)
        })
        .await?;
    Ok(GetUsageAllocationResponse {
        unique_identifier: id.hyphenated().to_string(),
    })
}
