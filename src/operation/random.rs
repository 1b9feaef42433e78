//! RNG Retrieve and RNG Seed (KMIP 1.4, sections 4.35 and 4.36): the device's generator of random numbers.

use super::item::Item;
use super::refusal::Refusal;
use super::services::RandomSeed;
use crate::kmip::payload::{RngRetrieveRequest, RngRetrieveResponse, RngSeedRequest, RngSeedResponse};

pub(super) async fn retrieve(
    item: &mut Item<'_>,
    request: RngRetrieveRequest,
) -> Result<RngRetrieveResponse, Refusal> {
    let length = usize::try_from(request.data_length)
        .ok()
        .filter(|length| (1..=usize::from(u16::MAX)).contains(length))
        .ok_or_else(Refusal::random_length)?;
    let data = from_device(item, length).await?;
    item.detail("data-bytes", length.to_string());
    item.record().await?;
    Ok(RngRetrieveResponse { data: data.into() })
}

/// Random bytes of the device of the caller's adapter.
pub(super) async fn from_device(item: &mut Item<'_>, length: usize) -> Result<Vec<u8>, Refusal> {
    let services = item.services;
    let root_key = services.root_key_of(item.caller.adapter).await?;
    let length = u16::try_from(length).map_err(|_| Refusal::random_length())?;
    services
        .root_keys
        .for_root(&root_key)
        .map_err(|error| Refusal::no_random(&error))?
        .random(length)
        .await
        .map_err(|error| Refusal::no_random(&error))
}

pub(super) async fn seed(
    item: &mut Item<'_>,
    request: RngSeedRequest<'_>,
) -> Result<RngSeedResponse, Refusal> {
    let data = item.data(request.data)?;
    let most = match item.services.limits.random_seed {
        RandomSeed::All => data.len(),
        RandomSeed::AtMost(most) => most.min(data.len()),
        RandomSeed::Refuse => return Err(Refusal::seed()),
    };
    let mut taken = 0;
    if most > 0 {
        let services = item.services;
        let root_key = services.root_key_of(item.caller.adapter).await?;
        let backend = services.root_keys.for_root(&root_key);
        let is_taken = backend
            .map_err(|error| Refusal::no_random(&error))?
            .seed_random(&data[..most])
            .await
            .map_err(|error| Refusal::no_random(&error))?;
        taken = if is_taken { most } else { 0 };
    }
    item.detail("data-bytes", data.len().to_string());
    item.detail("seeded-bytes", taken.to_string());
    item.record().await?;
    Ok(RngSeedResponse {
        data_length: i32::try_from(taken).unwrap_or(i32::MAX),
    })
}
