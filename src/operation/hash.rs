//! Hash (KMIP 1.4, section 4.37): here, since it takes no key.

use super::item::Item;
use super::refusal::Refusal;
use super::streams::{Part, Stream};
use crate::cryptography::HashStream;
use crate::kmip::enumeration::Operation;
use crate::kmip::payload::{HashRequest, HashResponse};

pub(super) async fn perform(item: &mut Item<'_>, request: HashRequest<'_>) -> Result<HashResponse, Refusal> {
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
    item.detail("data-bytes", data.len().to_string());
    item.detail("part", part.name());
    let mut stream = if let Part::Later(correlation, _) = part {
        match item.services.streams.take(item, Operation::Hash, correlation)? {
            Stream::Hash(stream) => stream,
            _ => return Err(Refusal::no_such_stream()),
        }
    } else {
        let algorithm = request
            .cryptographic_parameters
            .and_then(|parameters| parameters.hashing_algorithm)
            .ok_or_else(Refusal::no_hashing_algorithm)?;
        item.detail("hash", algorithm.to_string());
        HashStream::new(algorithm).map_err(|error| Refusal::of_cryptography(&error))?
    };
    let failed = |error| Refusal::of_cryptography(&error);
    stream.update(data).map_err(failed)?;
    let response = if part.is_last() {
        HashResponse {
            data: Some(stream.finish().map_err(failed)?.into()),
            correlation_value: None,
        }
    } else {
        let streams = &item.services.streams;
        let correlation = streams.keep(item, Operation::Hash, part, Stream::Hash(stream))?;
        HashResponse {
            data: None,
            correlation_value: Some(correlation),
        }
    };
    item.record().await?;
    Ok(response)
}
