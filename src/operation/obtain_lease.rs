//! Obtain Lease (KMIP 1.4, section 4.17). A lease is not kept and has no end: whoever wants to know whether an object may
//! still be used asks again, and is refused once it is not.

use super::item::Item;
use super::refusal::Refusal;
use crate::kmip::attribute::{AttributeKind, AttributeValue};
use crate::kmip::payload::{ObtainLeaseRequest, ObtainLeaseResponse};

pub(super) async fn perform(
    item: &mut Item<'_>,
    request: ObtainLeaseRequest<'_>,
) -> Result<ObtainLeaseResponse, Refusal> {
    let row = item.object(request.unique_identifier).await?;
    let now = item.now();
    let lease_time = row.object.lease(now).map_err(Refusal::of_allocation)?;
    let changed = row.object.instances(&AttributeKind::LastChangeDate.into(), now);
    let last_change_date = changed
        .iter()
        .find_map(|attribute| match attribute.value {
            AttributeValue::LastChangeDate(moment) => Some(moment),
            _ => None,
        })
        .unwrap_or(now);
    item.record().await?;
    Ok(ObtainLeaseResponse {
        unique_identifier: row.object.id().hyphenated().to_string(),
        lease_time,
        last_change_date,
    })
}
