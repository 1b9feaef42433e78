//! Destroy (KMIP 1.4, section 4.21). The wrapped key goes from the store; what is known of it stays.

use super::item::Item;
use super::refusal::Refusal;
use crate::kmip::enumeration::Operation;
use crate::kmip::payload::{DestroyRequest, DestroyResponse};
use crate::root_key::Pieces;

pub(super) async fn perform(
    item: &mut Item<'_>,
    request: DestroyRequest<'_>,
) -> Result<DestroyResponse, Refusal> {
    let (id, held) = item
        .change(request.unique_identifier, |row, now| {
            row.object
                .destroy(now)
                .map_err(|error| Refusal::of_life_cycle(error, Operation::Destroy))?;
            Ok(Pieces::of(&row.object).zip(row.wrapped.take()))
        })
        .await?;
    item.services.forget(held.as_ref()).await;
    if let Some((pieces, wrapped)) = held {
        item.loose.replaced(item.services, pieces, &wrapped).await;
    }
    Ok(DestroyResponse {
        unique_identifier: id.hyphenated().to_string(),
    })
}
