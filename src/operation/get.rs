//! Get (KMIP 1.4, section 4.11): the one operation that lets a key out.
//!
//! The device re-wraps the key under its transport key; the record of the release is made durable; only then is the
//! transport wrap opened, straight into the buffer of the answer, by who writes it. With a Key Wrapping Specification
//! the device wraps it under the client's own key instead, and it is never in the clear here.

use super::item::{Commit, Item};
use super::key_wrapping::{self, Wrapping};
use super::make;
use super::refusal::Refusal;
use crate::kmip::attribute::Attributes;
use crate::kmip::enumeration::{KeyFormatType, KeyWrapType};
use crate::kmip::object::{KeyBlock, KeyMaterial, KeyValue, KeyWrappingData, Object};
use crate::kmip::output::{Material, MaterialError};
use crate::kmip::payload::{GetRequest, GetResponse};
use crate::root_key;
use crate::store::{Change, KeyRow, WrappedUnder};

/// How often a release is recorded anew because somebody else changed the object meanwhile.
const ATTEMPTS: usize = 8;

pub(super) async fn perform(
    item: &mut Item<'_>,
    request: GetRequest<'_>,
) -> Result<GetResponse<'static>, Refusal> {
    // What the device released already, where a commit has to be made anew.
    let mut released: Option<(WrappedUnder, Out)> = None;
    for _ in 0..ATTEMPTS {
        let mut row = item.object(request.unique_identifier).await?;
        let unique_identifier = row.object.id().hyphenated().to_string();
        if let Some(lent) = row.object.lent() {
            if request.key_wrapping_specification.is_some() || request.key_format_type.is_some() {
                return Err(Refusal::wrapped_template());
            }
            item.record().await?;
            return Ok(GetResponse {
                unique_identifier,
                object: Object::Template(lent.clone()),
            });
        }
        let (format, wrapped) = permit(&row, &request)?;
        let wrapping = match &request.key_wrapping_specification {
            Some(specification) => Some(key_wrapping::permit(item, &row, specification).await?),
            None => None,
        };
        let out = match released.take() {
            Some((same, out)) if same == wrapped => out,
            _ => match release(item, &row, &wrapped, wrapping).await {
                Ok(out) => out,
                Err(refusal) => {
                    // It may have been wrapped anew meanwhile, and what it was under before destroyed.
                    if item.object(request.unique_identifier).await?.wrapped == row.wrapped {
                        return Err(refusal);
                    }
                    continue;
                }
            },
        };
        let (algorithm, length) = (row.object.algorithm(), row.object.length());
        // The first time it is served, it is no longer Fresh.
        let mut changes = vec![Change::UseRootKey(wrapped.root_key)];
        if row.object.serve() {
            changes.push(Change::update_key(row));
        }
        if item.commit(changes).await? == Commit::Done {
            let (key_value, key_wrapping_data) = out.into_parts();
            let block = KeyBlock {
                key_format_type: format,
                key_compression_type: None,
                key_value: Some(key_value),
                cryptographic_algorithm: algorithm,
                cryptographic_length: length,
                key_wrapping_data,
            };
            return Ok(GetResponse {
                unique_identifier,
                object: Object::SymmetricKey(block),
            });
        }
        released = Some((wrapped, out));
    }
    Err(Refusal::busy())
}

/// Whether the key may be handed out as it is asked for: in which format, and what is to be unwrapped.
fn permit(row: &KeyRow, request: &GetRequest<'_>) -> Result<(KeyFormatType, WrappedUnder), Refusal> {
    let object = &row.object;
    // Nothing but attributes is left of a destroyed key.
    let wrapped = row.wrapped.clone().ok_or_else(Refusal::not_found)?;
    if !object.is_extractable() {
        return Err(Refusal::not_extractable());
    }
    let to_be_wrapped = request.key_wrapping_specification.is_some();
    if object.is_sensitive() && !to_be_wrapped {
        return Err(Refusal::sensitive());
    }
    if request.key_compression_type.is_some() {
        return Err(Refusal::key_compression());
    }
    match request.key_wrap_type {
        // No key is kept wrapped as it came, so that this is how it was registered.
        None | Some(KeyWrapType::NotWrapped | KeyWrapType::AsRegistered) => {}
        Some(KeyWrapType::Other(_)) => return Err(Refusal::key_wrapping()),
    }
    let format = request
        .key_format_type
        .or_else(|| object.format())
        .unwrap_or(KeyFormatType::Raw);
    match format {
        KeyFormatType::Raw => Ok((format, wrapped)),
        // A wrapped value is a key's bytes, and no structure.
        KeyFormatType::TransparentSymmetricKey if !to_be_wrapped => Ok((format, wrapped)),
        other => Err(Refusal::key_format(other)),
    }
}

/// A key as it leaves the device.
enum Out {
    /// Under the transport key.
    Closed(root_key::Material),
    /// Under a key of the client's.
    Wrapped(Vec<u8>, Box<KeyWrappingData>),
}

impl Out {
    fn into_parts(self) -> (KeyValue<'static>, Option<Box<KeyWrappingData>>) {
        match self {
            Self::Closed(material) => {
                let value = KeyValue::Structure {
                    material: KeyMaterial::Closed(Box::new(Released(material))),
                    attributes: Attributes::default(),
                };
                (value, None)
            }
            Self::Wrapped(bytes, data) => (KeyValue::Bytes(KeyMaterial::Bytes(bytes.into())), Some(data)),
        }
    }
}

/// Has the device release the key, and tells the record how it leaves.
async fn release(
    item: &mut Item<'_>,
    row: &KeyRow,
    wrapped: &WrappedUnder,
    wrapping: Option<Wrapping>,
) -> Result<Out, Refusal> {
    if let Some(wrapping) = wrapping {
        let bytes = key_wrapping::release(item, row, wrapped, &wrapping).await?;
        return Ok(Out::Wrapped(bytes, Box::new(wrapping.data)));
    }
    let specification = make::specification(&row.object)?;
    let root_key = item
        .services
        .root_key_at(wrapped.root_key, wrapped.version)
        .await?;
    item.uses(&root_key, wrapped.version, Some(wrapped.kek.profile));
    let material = item
        .services
        .root_keys
        .for_root(&root_key)
        .map_err(|error| Refusal::not_released(&error))?
        .release(&root_key, specification, &wrapped.kek)
        .await
        .map_err(|error| Refusal::not_released(&error))?;
    item.leaves_by(material.release_profile());
    Ok(Out::Closed(material))
}

/// The key, closed until the answer is written.
struct Released(root_key::Material);

impl Material for Released {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn open_into(&self, out: &mut [u8]) -> Result<(), MaterialError> {
        self.0.open_into(out).map_err(|error| {
            tracing::error!(%error, "a released key could not be opened");
            MaterialError
        })
    }
}
