//! Values that came wrapped under a key of the client's (KMIP 1.4, sections 2.1.5 and 4.3): which key opens them, and
//! whether it may.
//!
//! The device does the unwrapping, and seals what came out under the root key. Where the whole Key Value structure was
//! wrapped (TTLV Encoding), the device gives it out to locked memory here, which is where the value is taken out of it, and
//! takes the value in again. The attributes in it are not the object's: they are for who unwraps it.

use claviger_hsm::memory::LockedBuffer;
use uuid::Uuid;

use super::item::Item;
use super::refusal::Refusal;
use super::taking;
use super::{key_wrapping, make};
use crate::adapter::RootKey;
use crate::key::{ManagedObject, RegisteredWrapped};
use crate::kmip::enumeration::{BlockCipherMode, EncodingOption, KeyFormatType, State, WrappingMethod};
use crate::kmip::mask::CryptographicUsageMask;
use crate::kmip::object::KeyValue;
use crate::root_key::{self, ENCODED_RELEASE_PROFILE, KeptKey, KeyKind, KeySpecification, KeyWrap, MadeKey};
use crate::store::KeyRow;

/// How many bytes AES key wrap adds to whole blocks of eight.
const ADDED: usize = 8;

/// What became of a value that came wrapped.
#[derive(Default)]
pub(super) struct Opened {
    /// The key that wraps it, where it is known here.
    pub(super) wrapping_key: Option<Uuid>,
    /// The value under the root key, where it could be unwrapped.
    pub(super) made: Option<MadeKey>,
}

/// The length of the value in bits, where how it was wrapped tells it.
pub(super) fn told_length(came: &RegisteredWrapped) -> Option<i32> {
    let mode = came.data.encryption_key_information.as_ref()?;
    let mode = mode.cryptographic_parameters.as_ref()?.block_cipher_mode?;
    let plain =
        came.data.encoding_option == Some(EncodingOption::NoEncoding) && mode == BlockCipherMode::NISTKeyWrap;
    let bytes = came.value.len().checked_sub(ADDED).filter(|_| plain)?;
    i32::try_from(bytes * 8).ok()
}

/// Has the device unwrap a value and seal it under the root key, where the wrapping key is known here and the device
/// unwraps by it. A wrapping key that is known and may not unwrap, or that does not open the value, is refused.
pub(super) async fn open(
    item: &mut Item<'_>,
    came: &RegisteredWrapped,
    object: &ManagedObject,
    root_key: &RootKey,
) -> Result<Opened, Refusal> {
    let data = &came.data;
    if data.wrapping_method != WrappingMethod::Encrypt
        || data.mac_signature_key_information.is_some()
        || data.iv_counter_nonce.is_some()
    {
        return Ok(Opened::default());
    }
    let information = data
        .encryption_key_information
        .as_ref()
        .ok_or_else(Refusal::no_wrapping_key_in_data)?;
    let Some(wrapping_key) = item.another(&information.unique_identifier).await? else {
        return Ok(Opened::default());
    };
    let id = wrapping_key.object.id();
    let details = &mut item.event.details;
    details.insert("wrapping_key".to_owned(), id.hyphenated().to_string());
    may_unwrap(item, &wrapping_key)?;
    let asked = information.cryptographic_parameters.as_deref();
    // Wrapped by other means, it stays as it came.
    let Ok(key_wrap) = key_wrapping::key_wrap(&wrapping_key, asked) else {
        return Ok(Opened {
            wrapping_key: Some(id),
            made: None,
        });
    };
    let made = match data.encoding_option {
        Some(EncodingOption::NoEncoding) => {
            let specification = make::specification(object)?;
            unwrap(item, came, &wrapping_key, key_wrap, root_key, specification).await?
        }
        None | Some(EncodingOption::TTLVEncoding) => {
            encoded(item, came, &wrapping_key, key_wrap, (object, root_key)).await?
        }
        Some(EncodingOption::Other(_)) => return Err(Refusal::encoding_option()),
    };
    Ok(Opened {
        wrapping_key: Some(id),
        made,
    })
}

/// A key that may wrap may unwrap here, whatever else its mask says: the standard's own cases have it so. Who registers a
/// wrapped key and reads it back has both keys.
fn may_unwrap(item: &Item<'_>, row: &KeyRow) -> Result<(), Refusal> {
    let key = &row.object;
    let either = [
        CryptographicUsageMask::UNWRAP_KEY,
        CryptographicUsageMask::WRAP_KEY,
    ];
    let able = key.is_aes()
        && key
            .usage_mask()
            .is_some_and(|mask| either.iter().any(|usage| mask.contains(*usage)))
        && key.state(item.now()) == Some(State::Active);
    if able {
        Ok(())
    } else {
        Err(Refusal::unwrapping_key_unusable())
    }
}

/// None where the device does not unwrap like that, or does not hold the wrapping key.
async fn unwrap(
    item: &mut Item<'_>,
    came: &RegisteredWrapped,
    wrapping_row: &KeyRow,
    key_wrap: KeyWrap,
    root_key: &RootKey,
    specification: KeySpecification,
) -> Result<Option<MadeKey>, Refusal> {
    let services = item.services;
    // A device tells nothing of the length of what it unwraps but in whole blocks.
    let whole = specification.bytes() >= 16 && specification.bytes().is_multiple_of(8);
    let Some(under) = wrapping_row.wrapped.as_ref().filter(|_| whole) else {
        return Ok(None);
    };
    let wrapping_root = services.root_key_at(under.root_key, under.version).await?;
    if wrapping_root.backend != root_key.backend {
        return Ok(None);
    }
    let wrapping_key = KeptKey {
        root_key: &wrapping_root,
        specification: make::specification(&wrapping_row.object)?,
        wrapped: &under.kek,
    };
    let backend = services
        .root_keys
        .for_root(root_key)
        .map_err(|error| Refusal::not_made(&error))?;
    let unwrapped = backend
        .unwrap_under(root_key, specification, wrapping_key, key_wrap, &came.value)
        .await;
    match unwrapped {
        Ok(made) => {
            item.made(root_key, specification, &made.wrapped);
            Ok(Some(made))
        }
        Err(error) if error.is_unknown_wrapping() || error.unsupported_what().is_some() => Ok(None),
        Err(error) if error.is_refusal_of_a_foreign_key() || error.length_of_the_key().is_some() => {
            Err(Refusal::does_not_unwrap())
        }
        Err(error) => Err(Refusal::not_made(&error)),
    }
}

/// Unwraps a Key Value structure and takes the value out of it.
async fn encoded(
    item: &mut Item<'_>,
    came: &RegisteredWrapped,
    wrapping_row: &KeyRow,
    key_wrap: KeyWrap,
    (object, root_key): (&ManagedObject, &RootKey),
) -> Result<Option<MadeKey>, Refusal> {
    let length = came.value.len().saturating_sub(ADDED);
    let Some(bytes) = u16::try_from(length).ok().filter(|bytes| *bytes >= 16) else {
        return Err(Refusal::does_not_unwrap());
    };
    let whole = KeySpecification::new(KeyKind::Generic { bytes }, object);
    let Some(sealed) = unwrap(item, came, wrapping_row, key_wrap, root_key, whole).await? else {
        return Ok(None);
    };
    let material = item
        .services
        .root_keys
        .for_root(root_key)
        .map_err(|error| Refusal::not_made(&error))?
        .release(root_key, whole, &sealed.wrapped)
        .await
        .map_err(|error| Refusal::not_made(&error))?;
    // The structure is kept nowhere.
    item.loose.give_up_made().await;
    let details = &mut item.event.details;
    details.insert("unwrapped_by".to_owned(), ENCODED_RELEASE_PROFILE.to_owned());
    let mut structure = LockedBuffer::zeroed(material.len());
    material
        .open_into(structure.as_mut_slice())
        .map_err(|error: root_key::Error| Refusal::not_made(&error))?;
    let format = object.format().unwrap_or(KeyFormatType::Raw);
    let value = KeyValue::decode(
        structure.as_slice(),
        format,
        item.version,
        item.services.limits.message,
    );
    let Ok(KeyValue::Structure { material: value, .. }) = value else {
        return Err(Refusal::does_not_unwrap());
    };
    let value = value.as_bytes().ok_or_else(Refusal::does_not_unwrap)?;
    if object.bytes() != Some(value.len()) {
        return Err(Refusal::does_not_unwrap());
    }
    taking::seal(item, root_key, object, value).await.map(Some)
}
