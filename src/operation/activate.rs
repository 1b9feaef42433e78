//! Activate (KMIP 1.4, section 4.19).

use super::item::Item;
use super::refusal::Refusal;
use crate::kmip::enumeration::Operation;
use crate::kmip::payload::{ActivateRequest, ActivateResponse};

pub(super) async fn perform(
    item: &mut Item<'_>,
    request: ActivateRequest<'_>,
) -> Result<ActivateResponse, Refusal> {
    let (id, _) = item
        .change(request.unique_identifier, |row, now| {
            row.object
                .activate(now)
                .map_err(|error| Refusal::of_life_cycle(error, Operation::Activate))
        })
        .await?;
    Ok(ActivateResponse {
        unique_identifier: id.hyphenated().to_string(),
    })
}
