//! Key wrapping on Get (KMIP 1.4, sections 2.1.5, 2.1.6 and 4.11): which key wraps, and whether it may.
//!
//! The device does the wrapping, with the wrapping key opened there. With No Encoding the value is opened there too, and is
//! in the clear nowhere else. With TTLV Encoding, which is what is meant where nothing is said, the Key Value structure is
//! wrapped, with the attributes that are asked for. No device writes that: the value is opened in locked memory here, the
//! structure is written around it, and the device takes it in and wraps it. The record tells the two apart.

use claviger_hsm::memory::LockedBuffer;

use super::get::Released;
use super::item::Item;
use super::make;
use super::refusal::Refusal;
use crate::key::LONGEST_SECRET;
use crate::kmip::ProtocolVersion;
use crate::kmip::attribute::{Attributes, CryptographicParameters};
use crate::kmip::enumeration::{
    BlockCipherMode, EncodingOption, KeyFormatType, ObjectType, State, WrappingMethod,
};
use crate::kmip::mask::CryptographicUsageMask;
use crate::kmip::object::{KeyInformation, KeyMaterial, KeyValue, KeyWrappingData, KeyWrappingSpecification};
use crate::root_key::{
    self, CLIENT_RELEASE_PROFILE, ENCODED_RELEASE_PROFILE, KeptKey, KeyKind, KeySpecification, KeyWrap,
};
use crate::store::{KeyRow, WrappedUnder};

/// A wrapping that may be done: by which key, and how the answer tells it.
pub(super) struct Wrapping {
    under: KeyRow,
    key_wrap: KeyWrap,
    /// What goes into the structure besides the value; none where the value alone is wrapped.
    encoded: Option<Attributes>,
    /// For the answer's key block.
    pub(super) data: KeyWrappingData,
}

/// Finds out whether a key may be wrapped as a client asks.
pub(super) async fn permit(
    item: &mut Item<'_>,
    key: &KeyRow,
    specification: &KeyWrappingSpecification,
) -> Result<Wrapping, Refusal> {
    if specification.wrapping_method != WrappingMethod::Encrypt
        || specification.mac_signature_key_information.is_some()
    {
        return Err(Refusal::key_wrapping());
    }
    let information = specification
        .encryption_key_information
        .as_ref()
        .ok_or_else(Refusal::no_wrapping_key_named)?;
    let encoded = match specification.encoding_option {
        Some(EncodingOption::NoEncoding) if specification.attribute_names.is_empty() => None,
        None | Some(EncodingOption::TTLVEncoding) => {
            let now = item.now();
            let names = specification.attribute_names.iter();
            let instances = names.flat_map(|name| key.object.instances(name, now));
            Some(Attributes(instances.collect()))
        }
        Some(_) => return Err(Refusal::encoding_option()),
    };
    let wrapping_key = item
        .another(&information.unique_identifier)
        .await?
        .ok_or_else(Refusal::no_wrapping_key)?;
    may_wrap(item, &wrapping_key)?;
    // A key under itself tells of itself more than a key under another does.
    if wrapping_key.object.id() == key.object.id() {
        return Err(Refusal::wrapping_key_unusable());
    }
    let key_wrap = key_wrap(&wrapping_key, information.cryptographic_parameters.as_deref())?;
    let unique_identifier = wrapping_key.object.id().hyphenated().to_string();
    let details = &mut item.event.details;
    details.insert("wrapping_key".to_owned(), unique_identifier.clone());
    Ok(Wrapping {
        under: wrapping_key,
        key_wrap,
        encoded,
        data: KeyWrappingData {
            wrapping_method: WrappingMethod::Encrypt,
            encryption_key_information: Some(KeyInformation {
                unique_identifier,
                cryptographic_parameters: information.cryptographic_parameters.clone(),
            }),
            mac_signature_key_information: None,
            mac_signature: None,
            iv_counter_nonce: None,
            encoding_option: specification.encoding_option,
        },
    })
}

fn may_wrap(item: &Item<'_>, row: &KeyRow) -> Result<(), Refusal> {
    let key = &row.object;
    if key.object_type() != ObjectType::SymmetricKey {
        return Err(Refusal::wrapping_object_is_no_key());
    }
    let able = key.is_aes()
        && key
            .usage_mask()
            .is_some_and(|usage| usage.contains(CryptographicUsageMask::WRAP_KEY))
        && key.state(item.now()) == Some(State::Active);
    if able {
        Ok(())
    } else {
        Err(Refusal::wrapping_key_unusable())
    }
}

/// By which AES key wrap the key is wrapped, as the request and the wrapping key's own Cryptographic Parameters say.
///
/// A key that has none wraps as the request says: the specification has that refused, and the standard's own cases have
/// it work.
pub(super) fn key_wrap(row: &KeyRow, asked: Option<&CryptographicParameters>) -> Result<KeyWrap, Refusal> {
    let own = row.object.cryptographic_parameters();
    let mode = match asked {
        Some(asked) => {
            let matches = |own: &&CryptographicParameters| own.block_cipher_mode == asked.block_cipher_mode;
            if !own.is_empty() && !own.iter().any(matches) {
                return Err(Refusal::no_wrapping_parameters());
            }
            asked.block_cipher_mode
        }
        None => {
            own.first()
                .ok_or_else(Refusal::no_wrapping_parameters)?
                .block_cipher_mode
        }
    };
    match mode {
        Some(BlockCipherMode::NISTKeyWrap) => Ok(KeyWrap::Nist),
        Some(BlockCipherMode::AESKeyWrapPadding) => Ok(KeyWrap::Padded),
        Some(_) => Err(Refusal::key_wrapping()),
        None => Err(Refusal::no_wrapping_parameters()),
    }
}

/// Has the device wrap the value, and tells the record how it leaves.
pub(super) async fn release(
    item: &mut Item<'_>,
    row: &KeyRow,
    (format, wrapped): (KeyFormatType, &WrappedUnder),
    wrapping: &Wrapping,
) -> Result<Vec<u8>, Refusal> {
    let wrapping_row = &wrapping.under;
    let under = wrapping_row
        .wrapped
        .as_ref()
        .ok_or_else(Refusal::wrapping_key_unusable)?;
    let services = item.services;
    let root_key = services.root_key_at(wrapped.root_key, wrapped.version).await?;
    let wrapping_root = services.root_key_at(under.root_key, under.version).await?;
    item.uses(&root_key, wrapped.version, Some(wrapped.kek.profile));
    if root_key.backend != wrapping_root.backend {
        return Err(Refusal::wrapping_key_elsewhere());
    }
    let specification = make::specification(&row.object)?;
    let backend = services.root_keys.for_root(&root_key);
    let backend = backend.map_err(|error| Refusal::not_released(&error))?;
    let wrapping_key = KeptKey {
        root_key: &wrapping_root,
        specification: make::specification(&wrapping_row.object)?,
        wrapped: &under.kek,
    };
    let structure;
    let (key, profile) = match &wrapping.encoded {
        None if specification.bytes() < 16 || !specification.bytes().is_multiple_of(8) => {
            return Err(Refusal::not_wrappable());
        }
        None if format == KeyFormatType::TransparentSymmetricKey => {
            return Err(Refusal::key_format(format));
        }
        None => {
            let key = KeptKey {
                root_key: &root_key,
                specification,
                wrapped: &wrapped.kek,
            };
            (key, CLIENT_RELEASE_PROFILE)
        }
        Some(attributes) => {
            let material = backend.release(&root_key, specification, &wrapped.kek).await;
            let material = material.map_err(|error| Refusal::not_released(&error))?;
            let encoded = encode(material, attributes.clone(), format, item.version)?;
            let specification = u16::try_from(encoded.len())
                .ok()
                .filter(|bytes| usize::from(*bytes) <= LONGEST_SECRET)
                .map(|bytes| KeySpecification::new(KeyKind::Generic { bytes }, &row.object))
                .ok_or_else(|| Refusal::too_long_to_wrap(LONGEST_SECRET))?;
            let made = backend.import(&root_key, specification, encoded.as_slice()).await;
            structure = made.map_err(|error| Refusal::not_released(&error))?.wrapped;
            item.made(&root_key, specification, &structure);
            let key = KeptKey {
                root_key: &root_key,
                specification,
                wrapped: &structure,
            };
            (key, ENCODED_RELEASE_PROFILE)
        }
    };
    let released = backend
        .release_under(key, wrapping_key, wrapping.key_wrap)
        .await
        .map_err(|error| Refusal::not_wrapped(&error, wrapping.key_wrap))?;
    // The structure is kept nowhere.
    item.loose.give_up_made().await;
    item.leaves_by(profile);
    Ok(released)
}

/// The Key Value structure, in the clear.
fn encode(
    material: root_key::Material,
    attributes: Attributes,
    format: KeyFormatType,
    version: ProtocolVersion,
) -> Result<LockedBuffer, Refusal> {
    let value = KeyValue::Structure {
        material: KeyMaterial::Closed(Box::new(Released(material))),
        attributes,
    };
    let mut encoded = LockedBuffer::with_capacity(LONGEST_SECRET);
    value
        .encode(format, version, &mut encoded)
        .map_err(|error| Refusal::not_written(&error.to_string()))?;
    Ok(encoded)
}
