//! Key wrapping on Get (KMIP 1.4, sections 2.1.5, 2.1.6 and 4.11): which key wraps, and whether it may.
//!
//! The device does the wrapping, with both keys opened there. What it can wrap is a key's value, so the Encoding Option
//! is No Encoding: with TTLV Encoding the Key Value structure would be wrapped, and whoever writes that has the key in
//! the clear.

use super::item::Item;
use super::make;
use super::refusal::Refusal;
use crate::kmip::attribute::CryptographicParameters;
use crate::kmip::enumeration::{BlockCipherMode, EncodingOption, State, WrappingMethod};
use crate::kmip::mask::CryptographicUsageMask;
use crate::kmip::object::{KeyInformation, KeyWrappingData, KeyWrappingSpecification};
use crate::root_key::{CLIENT_RELEASE_PROFILE, KeptKey, KeyWrap};
use crate::store::{KeyRow, WrappedUnder};

/// A wrapping that may be done: by which key, and how the answer tells it.
pub(super) struct Wrapping {
    under: KeyRow,
    key_wrap: KeyWrap,
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
    if specification.encoding_option != Some(EncodingOption::NoEncoding)
        || !specification.attribute_names.is_empty()
    {
        return Err(Refusal::encoding_option());
    }
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
        data: KeyWrappingData {
            wrapping_method: WrappingMethod::Encrypt,
            encryption_key_information: Some(KeyInformation {
                unique_identifier,
                cryptographic_parameters: information.cryptographic_parameters.clone(),
            }),
            mac_signature_key_information: None,
            mac_signature: None,
            iv_counter_nonce: None,
            encoding_option: Some(EncodingOption::NoEncoding),
        },
    })
}

fn may_wrap(item: &Item<'_>, row: &KeyRow) -> Result<(), Refusal> {
    let key = &row.object;
    let Some(usage) = key.usage_mask() else {
        return Err(Refusal::wrapping_object_is_no_key());
    };
    let able = key.is_aes()
        && usage.contains(CryptographicUsageMask::WRAP_KEY)
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
fn key_wrap(row: &KeyRow, asked: Option<&CryptographicParameters>) -> Result<KeyWrap, Refusal> {
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

/// Has the device wrap the key, and tells the record how it leaves.
pub(super) async fn release(
    item: &mut Item<'_>,
    row: &KeyRow,
    wrapped: &WrappedUnder,
    wrapping: &Wrapping,
) -> Result<Vec<u8>, Refusal> {
    let wrapping_row = &wrapping.under;
    let wrapping_kek = wrapping_row
        .wrapped
        .as_ref()
        .ok_or_else(Refusal::wrapping_key_unusable)?;
    let services = item.services;
    let root_key = services.root_key_at(wrapped.root_key, wrapped.version).await?;
    let wrapping_root = services
        .root_key_at(wrapping_kek.root_key, wrapping_kek.version)
        .await?;
    item.uses(&root_key, wrapped.version, Some(wrapped.kek.profile));
    if root_key.backend != wrapping_root.backend {
        return Err(Refusal::wrapping_key_elsewhere());
    }
    let specification = make::specification(&row.object)?;
    let wrapping_specification = make::specification(&wrapping_row.object)?;
    if specification.bytes() < 16 || !specification.bytes().is_multiple_of(8) {
        return Err(Refusal::not_wrappable());
    }
    let backend = item.services.root_keys.for_root(&root_key);
    let released = backend
        .map_err(|error| Refusal::not_released(&error))?
        .release_under(
            KeptKey {
                root_key: &root_key,
                specification,
                wrapped: &wrapped.kek,
            },
            KeptKey {
                root_key: &wrapping_root,
                specification: wrapping_specification,
                wrapped: &wrapping_kek.kek,
            },
            wrapping.key_wrap,
        )
        .await
        .map_err(|error| Refusal::not_wrapped(&error, wrapping.key_wrap))?;
    item.leaves_by(CLIENT_RELEASE_PROFILE);
    Ok(released)
}
