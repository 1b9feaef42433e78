//! Encrypt and Decrypt (KMIP 1.4, sections 4.29 and 4.30): on the device, or here where it can't and the operator allowed it.

use zeroize::Zeroizing;

use super::cipher_method::Method;
use super::cipher_parts::CipherParts;
use super::item::Item;
use super::refusal::Refusal;
use super::streams::{Part, Stream};
use super::use_of_key::{self, Cost, Purpose};
use crate::cryptography::Direction;
use crate::kmip::enumeration::Operation;
use crate::kmip::payload::{
    DecryptRequest, DecryptResponse, EncryptRequest, EncryptResponse, ProducedData, UniqueIdentifier,
};

pub(super) async fn encrypt(
    item: &mut Item<'_>,
    request: EncryptRequest<'_>,
) -> Result<EncryptResponse, Refusal> {
    let as_decrypt = DecryptRequest {
        unique_identifier: request.unique_identifier,
        cryptographic_parameters: request.cryptographic_parameters,
        data: request.data,
        iv_counter_nonce: request.iv_counter_nonce,
        correlation_value: request.correlation_value,
        init_indicator: request.init_indicator,
        final_indicator: request.final_indicator,
        authenticated_encryption_additional_data: request.authenticated_encryption_additional_data,
        authenticated_encryption_tag: None,
    };
    let done = perform(item, Direction::Encrypt, &as_decrypt).await?;
    Ok(EncryptResponse {
        unique_identifier: done.unique_identifier,
        data: done.data,
        iv_counter_nonce: done.random_iv,
        correlation_value: done.correlation_value,
        authenticated_encryption_tag: done.tag,
    })
}

pub(super) async fn decrypt(
    item: &mut Item<'_>,
    request: DecryptRequest<'_>,
) -> Result<DecryptResponse, Refusal> {
    let done = perform(item, Direction::Decrypt, &request).await?;
    Ok(DecryptResponse {
        unique_identifier: done.unique_identifier,
        data: done.data,
        correlation_value: done.correlation_value,
    })
}

/// What either answers.
struct Done {
    unique_identifier: String,
    data: Option<ProducedData>,
    random_iv: Option<Vec<u8>>,
    correlation_value: Option<Vec<u8>>,
    tag: Option<Vec<u8>>,
}

async fn perform(
    item: &mut Item<'_>,
    direction: Direction,
    request: &DecryptRequest<'_>,
) -> Result<Done, Refusal> {
    let (operation, purpose) = match direction {
        Direction::Encrypt => (Operation::Encrypt, Purpose::ENCRYPT),
        Direction::Decrypt => (Operation::Decrypt, Purpose::DECRYPT),
    };
    let part = Part::of(
        request.correlation_value,
        request.init_indicator,
        request.final_indicator,
    )?;
    let data = match request.data {
        Some(data) => item.data(data)?,
        None if part == Part::Only => return Err(Refusal::no_data()),
        None => &[],
    };
    // What processes protected data takes nothing off the Usage Limits.
    let cost = match direction {
        Direction::Encrypt => Cost {
            bytes: data.len(),
            objects: u32::from(part.is_first()),
        },
        Direction::Decrypt => Cost::default(),
    };
    item.detail("data-bytes", data.len().to_string());
    item.detail("part", part.name());
    let mut random_iv = None;
    let (row, mut parts) = if let Part::Later(correlation, _) = part {
        let Stream::Cipher(id, parts) = item.services.streams.take(item, operation, correlation)? else {
            return Err(Refusal::no_such_stream());
        };
        item.is_key_of_stream(request.unique_identifier, &id)?;
        let row = use_of_key::find(item, Some(UniqueIdentifier::Text(&id)), purpose, cost).await?;
        (row, parts)
    } else {
        let row = use_of_key::find(item, request.unique_identifier, purpose, cost).await?;
        let method = Method::of(
            item,
            direction,
            &row.object,
            request.cryptographic_parameters.as_deref(),
            request.iv_counter_nonce,
            request.authenticated_encryption_additional_data,
        )
        .await?;
        random_iv = method.iv_is_random.then(|| method.iv.clone());
        (row, CipherParts::new(direction, method))
    };
    item.detail("cipher", parts.name());
    let tag = request.authenticated_encryption_tag;
    let given = parts.step(item, &row, data, part.is_last(), tag).await?;
    let unique_identifier = row.object.id().hyphenated().to_string();
    let correlation_value = if part.is_last() {
        None
    } else {
        let stream = Stream::Cipher(unique_identifier.clone(), parts);
        Some(item.services.streams.keep(item, operation, part, stream)?)
    };
    use_of_key::record(item, row, purpose, cost).await?;
    Ok(Done {
        unique_identifier,
        data: given_out(part, given.data),
        random_iv,
        correlation_value,
        tag: given.tag,
    })
}

/// What is given out: of several parts only where there is something.
fn given_out(part: Part<'_>, data: Zeroizing<Vec<u8>>) -> Option<ProducedData> {
    (part == Part::Only || !data.is_empty()).then(|| data.into())
}
