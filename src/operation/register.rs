//! Register (KMIP 1.4, section 4.3): a symmetric key that the client brings, or a template.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::item::Item;
use super::refusal::Refusal;
use super::shaping;
use super::{make, names};
use crate::key::{KeyDraft, ManagedObject, Origin};
use crate::kmip::attribute::Attribute;
use crate::kmip::enumeration::{KeyFormatType, ObjectType};
use crate::kmip::object::{KeyBlock, KeyValue, Object, TemplateAttribute};
use crate::kmip::payload::{RegisterRequest, RegisterResponse};
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::ItemType;

pub(super) async fn perform(
    item: &mut Item<'_>,
    request: RegisterRequest<'_>,
) -> Result<RegisterResponse, Refusal> {
    if !matches!(
        request.object_type,
        ObjectType::SymmetricKey | ObjectType::Template
    ) {
        return Err(Refusal::object_type(request.object_type));
    }
    shaping::require_storage(request.protection_storage_masks.as_ref())?;
    let object = request.object.ok_or_else(Refusal::no_object)?;
    if object.object_type() != request.object_type {
        return Err(Refusal::other_object_type());
    }
    let id = match object {
        Object::SymmetricKey(block) => key(item, request.template_attribute, block).await?,
        Object::Template(lent) => template(item, request.template_attribute, lent).await?,
        Object::SecretData(_) | Object::OpaqueObject(_) | Object::Other(_) => {
            return Err(Refusal::object_type(request.object_type));
        }
    };
    Ok(RegisterResponse {
        unique_identifier: id.hyphenated().to_string(),
        template_attribute: None,
    })
}

/// Takes a key in: the device wraps it, and of its bytes nothing else is kept but their digest.
async fn key(item: &mut Item<'_>, request: TemplateAttribute, block: KeyBlock<'_>) -> Result<Uuid, Refusal> {
    let format = block.key_format_type;
    if !matches!(
        format,
        KeyFormatType::Raw | KeyFormatType::TransparentSymmetricKey
    ) {
        return Err(Refusal::key_format(format));
    }
    if block.key_compression_type.is_some() {
        return Err(Refusal::key_compression());
    }
    if block.key_wrapping_data.is_some() {
        return Err(Refusal::key_wrapping());
    }
    let (material, inner) = match block.key_value {
        Some(KeyValue::Structure { material, attributes }) => (material, attributes),
        Some(KeyValue::Bytes(_)) => return Err(Refusal::key_wrapping()),
        None => return Err(Refusal::no_key_value()),
    };
    let material = material.as_bytes().ok_or_else(Refusal::no_key_value)?;

    let mut attributes = make::attributes(item, request).await?;
    attributes.extend(inner.0);
    let attributes = crate::key::merge(Vec::new(), attributes).map_err(|error| make::of_attribute(&error))?;
    let adapter = item.caller.adapter;
    let origin = Origin::Registered {
        format,
        algorithm: block.cryptographic_algorithm,
        length: block.cryptographic_length,
        bytes: material.len(),
    };
    let draft = KeyDraft::new(Uuid::now_v7(), adapter.uuid(), origin, attributes, item.now())
        .map_err(|error| make::of_attribute(&error))?;

    let names = draft.names();
    let services = item.services;
    let _held = names::hold(item, &names).await;
    make::require_free(item, &names).await?;

    let root_key = make::root_key(item).await?;
    let made = services
        .root_keys
        .for_root(&root_key)
        .map_err(|error| Refusal::not_made(&error))?
        .import(&root_key, make::specification(draft.object())?, material)
        .await
        .map_err(|error| Refusal::not_made(&error))?;
    let sha256 = match format {
        KeyFormatType::TransparentSymmetricKey => digest_of_structure(material),
        _ => made.sha256,
    };
    make::keep(item, draft, sha256, &root_key, made.wrapped).await
}

/// Keeps a template.
async fn template(
    item: &mut Item<'_>,
    request: TemplateAttribute,
    lent: Vec<Attribute>,
) -> Result<Uuid, Refusal> {
    let own = make::attributes(item, request).await?;
    let adapter = item.caller.adapter;
    let object = ManagedObject::template(Uuid::now_v7(), adapter.uuid(), own, lent, item.now())
        .map_err(|error| make::of_attribute(&error))?;
    let names = object.names();
    let _held = names::hold(item, &names).await;
    make::require_free(item, &names).await?;
    make::keep_object(item, object, None).await
}

/// The digest of a key that came as Transparent Symmetric Key: that of its Key Material, encoded (section 3.17).
fn digest_of_structure(key: &[u8]) -> [u8; 32] {
    let padding = key.len().next_multiple_of(8) - key.len();
    let header = |tag: Tag, item_type: ItemType, length: usize| {
        let length = u32::try_from(length).expect("a key that was kept is shorter than 4 GiB");
        let mut bytes = [0; 8];
        bytes[..3].copy_from_slice(&tag.to_bytes());
        bytes[3] = item_type.code();
        bytes[4..].copy_from_slice(&length.to_be_bytes());
        bytes
    };
    let mut hash = Sha256::new();
    hash.update(header(
        Tag::KEY_MATERIAL,
        ItemType::Structure,
        8 + key.len() + padding,
    ));
    hash.update(header(Tag::KEY, ItemType::ByteString, key.len()));
    hash.update(key);
    hash.update(&[0; 8][..padding]);
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_of_a_transparent_key_is_that_of_its_structure() {
        let key = hex::decode("0000111122223333444455556666777788889999aaaabbbbccccddddeeeeffff").unwrap();
        assert_eq!(
            hex::encode(digest_of_structure(&key)),
            "499ce96ff6f5e19fe9fe7a2fe4c3e92b88db0001a4e8df28d9966856b6c4b87c"
        );
    }
}
