//! Get (KMIP 1.4, section 4.11): the one operation that lets a value out.
//!
//! The device re-wraps the value under its transport key; the record of the release is made durable; only then is the
//! transport wrap opened, straight into the buffer of the answer, by who writes it. With a Key Wrapping Specification
//! the device wraps it under the client's own key instead, see `key_wrapping`. What was registered wrapped goes out as it
//! came, unless the client wants it unwrapped (Key Wrap Type), or wrapped otherwise.

use super::item::{Commit, Item};
use super::key_wrapping::{self, Wrapping};
use super::refusal::Refusal;
use crate::key::ManagedObject;
use crate::kmip::attribute::Attributes;
use crate::kmip::enumeration::{EncodingOption, KeyFormatType, KeyWrapType};
use crate::kmip::object::{
    KeyBlock, KeyMaterial, KeyValue, KeyWrappingData, Object, OpaqueObject, SecretData,
};
use crate::kmip::output::{Material, MaterialError};
use crate::kmip::payload::{GetRequest, GetResponse};
use crate::root_key::{self, Pieces};
use crate::store::{Change, KeyRow, WrappedUnder};

/// How often a release is recorded anew because somebody else changed the object meanwhile.
const ATTEMPTS: usize = 8;
/// How a value leaves that goes out as it came, for the record.
const AS_REGISTERED: &str = "as-registered";

/// Whether a client says nothing of how the value is to be written.
fn is_plain(request: &GetRequest<'_>) -> bool {
    request.key_format_type.is_none() && request.key_wrapping_specification.is_none()
}

pub(super) async fn perform(
    item: &mut Item<'_>,
    request: GetRequest<'_>,
) -> Result<GetResponse<'static>, Refusal> {
    let (served, object) = hand_out(item, &request).await?;
    Ok(GetResponse {
        unique_identifier: served.id().hyphenated().to_string(),
        object,
    })
}

/// Hands an object out, and records it. Returns what is known of it as well.
pub(super) async fn hand_out(
    item: &mut Item<'_>,
    request: &GetRequest<'_>,
) -> Result<(ManagedObject, Object<'static>), Refusal> {
    // What the device released already, where a commit has to be made anew.
    let mut released: Option<(WrappedUnder, Out)> = None;
    for _ in 0..ATTEMPTS {
        let mut row = item.object(request.unique_identifier).await?;
        if let Some(lent) = row.object.lent() {
            if !is_plain(request) {
                return Err(Refusal::wrapped_template());
            }
            item.record().await?;
            let lent = lent.clone();
            return Ok((row.object, Object::Template(lent)));
        }
        let delivery = permit(&row, request)?;
        let wrapping = match request.key_wrapping_specification.as_deref() {
            Some(specification) => Some(key_wrapping::permit(item, &row, specification).await?),
            None => None,
        };
        let (format, out) = match delivery {
            Delivery::Elsewhere => (row.object.format(), Out::Nothing),
            Delivery::AsRegistered => (row.object.format(), as_registered(item, &row).await?),
            Delivery::Held(format, wrapped) => {
                let out = match released.take() {
                    Some((same, out)) if same == wrapped => out,
                    _ => match release(item, &row, (format, &wrapped), wrapping).await {
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
                (format, out)
            }
        };
        let wrapped = row.wrapped.clone();
        let mut changes: Vec<_> = wrapped
            .iter()
            .map(|wrapped| Change::UseRootKey(wrapped.root_key))
            .collect();
        let renewed = item.renew(&mut row).await;
        let mut served = row.object.clone();
        // The first time it is served, it is no longer Fresh.
        let was_fresh = served.serve();
        if was_fresh || renewed {
            row.object = served.clone();
            changes.push(Change::update_key(row));
        }
        if item.commit(changes).await? == Commit::Done {
            if renewed {
                item.renewal = None;
            }
            let object = written(&served, format, out);
            return Ok((served, object));
        }
        released = wrapped.map(|wrapped| (wrapped, out));
    }
    Err(Refusal::busy())
}

/// How a value is delivered.
enum Delivery {
    /// There is none here.
    Elsewhere,
    /// Wrapped, as it came.
    AsRegistered,
    /// By the device, in this format; an opaque object has none.
    Held(Option<KeyFormatType>, WrappedUnder),
}

/// Whether the object may be handed out as it is asked for.
fn permit(row: &KeyRow, request: &GetRequest<'_>) -> Result<Delivery, Refusal> {
    let object = &row.object;
    // Nothing but attributes is left of a destroyed object.
    if object.is_destroyed() {
        return Err(Refusal::value_destroyed());
    }
    if request.key_compression_type.is_some() {
        return Err(Refusal::key_compression());
    }
    let to_be_wrapped = request.key_wrapping_specification.is_some();
    if object.is_elsewhere() {
        return if to_be_wrapped {
            Err(Refusal::value_elsewhere())
        } else {
            Ok(Delivery::Elsewhere)
        };
    }
    if !object.is_extractable() {
        return Err(Refusal::not_extractable());
    }
    let asked = request.key_format_type;
    let unwrapped = match request.key_wrap_type {
        None | Some(KeyWrapType::AsRegistered) => false,
        Some(KeyWrapType::NotWrapped) => true,
        Some(KeyWrapType::Other(_)) => return Err(Refusal::key_wrapping()),
    };
    if object.registered_wrapped().is_some() && !to_be_wrapped && !unwrapped {
        return match asked {
            Some(format) if Some(format) != object.format() => Err(Refusal::key_format(format)),
            _ => Ok(Delivery::AsRegistered),
        };
    }
    if object.is_sensitive() && !to_be_wrapped {
        return Err(Refusal::sensitive());
    }
    if object.opaque_data_type().is_some() && !is_plain(request) {
        return Err(Refusal::wrapped_opaque_object());
    }
    let wrapped = row.wrapped.clone().ok_or_else(Refusal::still_wrapped)?;
    let of_secret_data = object.secret_data_type().is_some();
    match asked.or_else(|| object.format()) {
        None | Some(KeyFormatType::Raw) => {}
        Some(KeyFormatType::Opaque) if of_secret_data => {}
        Some(KeyFormatType::TransparentSymmetricKey) if !of_secret_data => {}
        Some(other) => return Err(Refusal::key_format(other)),
    }
    Ok(Delivery::Held(asked.or_else(|| object.format()), wrapped))
}

/// A value as it leaves.
enum Out {
    /// There is none.
    Nothing,
    /// Under the transport key.
    Closed(root_key::Material),
    /// Under a key of the client's.
    Wrapped(KeyValue<'static>, Box<KeyWrappingData>),
}

/// What is to be written of an object whose value is gone.
pub(super) fn without_value(object: &ManagedObject) -> Object<'static> {
    written(object, object.format(), Out::Nothing)
}

/// The object with its value, to be written.
fn written(object: &ManagedObject, format: Option<KeyFormatType>, out: Out) -> Object<'static> {
    let closed = |material| KeyMaterial::Closed(Box::new(Released(material)));
    let (key_value, key_wrapping_data) = match (out, object.opaque_data_type()) {
        (Out::Closed(material), Some(data_type)) => {
            return Object::OpaqueObject(OpaqueObject {
                data_type,
                value: closed(material),
            });
        }
        (Out::Closed(material), None) => {
            let value = KeyValue::Structure {
                material: closed(material),
                attributes: Attributes::default(),
            };
            (Some(value), None)
        }
        (Out::Nothing, Some(data_type)) => {
            return Object::OpaqueObject(OpaqueObject {
                data_type,
                value: KeyMaterial::Bytes(Vec::new().into()),
            });
        }
        (Out::Wrapped(value, data), _) => (Some(value), Some(data)),
        (Out::Nothing, None) => (None, None),
    };
    let mut key_block = KeyBlock {
        key_format_type: format.unwrap_or(KeyFormatType::Raw),
        key_compression_type: None,
        key_value,
        cryptographic_algorithm: object.algorithm(),
        cryptographic_length: object.length(),
        key_wrapping_data,
    };
    match object.secret_data_type() {
        Some(data_type) => {
            // Neither belongs to what is no key.
            key_block.cryptographic_algorithm = None;
            key_block.cryptographic_length = None;
            Object::SecretData(SecretData { data_type, key_block })
        }
        None => Object::SymmetricKey(key_block),
    }
}

/// The value as it was registered, wrapped. What the device holds of it as well stands under its root key, which has a say.
async fn as_registered(item: &mut Item<'_>, row: &KeyRow) -> Result<Out, Refusal> {
    let came = row.object.registered_wrapped().ok_or_else(Refusal::not_found)?;
    if let Some(wrapped) = &row.wrapped {
        let root_key = item
            .services
            .root_key_at(wrapped.root_key, wrapped.version)
            .await?;
        item.uses(&root_key, wrapped.version, Some(wrapped.kek.profile));
        item.leaves_by(AS_REGISTERED);
    } else {
        let details = &mut item.event.details;
        details.insert("key_wrap_type".to_owned(), AS_REGISTERED.to_owned());
    }
    let material = KeyMaterial::Bytes(came.value.clone().into());
    let value = wrapped_value(material, came.in_structure);
    Ok(Out::Wrapped(value, Box::new(came.data.clone())))
}

fn wrapped_value(material: KeyMaterial<'static>, in_structure: bool) -> KeyValue<'static> {
    if !in_structure {
        return KeyValue::Bytes(material);
    }
    KeyValue::Structure {
        material,
        attributes: Attributes::default(),
    }
}

/// Has the device release the value, and tells the record how it leaves.
async fn release(
    item: &mut Item<'_>,
    row: &KeyRow,
    (format, wrapped): (Option<KeyFormatType>, &WrappedUnder),
    wrapping: Option<Wrapping>,
) -> Result<Out, Refusal> {
    if let Some(wrapping) = wrapping {
        let format = format.unwrap_or(KeyFormatType::Raw);
        let bytes = key_wrapping::release(item, row, (format, wrapped), &wrapping).await?;
        let material = KeyMaterial::Bytes(bytes.into());
        let came = row.object.registered_wrapped();
        // The standard's cases have both forms: what came as a structure goes as one, unless all of it was wrapped.
        let in_structure = came.is_some_and(|came| came.in_structure)
            && wrapping.data.encoding_option == Some(EncodingOption::NoEncoding);
        return Ok(Out::Wrapped(
            wrapped_value(material, in_structure),
            Box::new(wrapping.data),
        ));
    }
    let pieces = Pieces::of(&row.object).ok_or_else(Refusal::not_found)?;
    let root_key = item
        .services
        .root_key_at(wrapped.root_key, wrapped.version)
        .await?;
    item.uses(&root_key, wrapped.version, Some(wrapped.kek.profile));
    let backend = item.services.root_keys.for_root(&root_key);
    let backend = backend.map_err(|error| Refusal::not_released(&error))?;
    let material = pieces
        .release(&*backend, &root_key, &wrapped.kek)
        .await
        .map_err(|error| Refusal::not_released(&error))?;
    item.leaves_by(material.release_profile());
    item.renews(row, &root_key, &material).await;
    Ok(Out::Closed(material))
}

/// A value, closed until it is written.
pub(super) struct Released(pub(super) root_key::Material);

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
