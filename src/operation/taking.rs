//! What Register and Import take in: an object with its value, in the clear or wrapped, or without one (KMIP 1.4,
//! sections 2.1.3, 2.2, 4.3 and 4.41).
//!
//! First everything is checked that can be without a device; then the device seals the value. Of a value that came in the
//! clear nothing else is kept; one that came wrapped is kept as it came as well, and sealed where the wrapping key is
//! known here.

use openssl::sha::Sha256;
use uuid::Uuid;

use super::item::Item;
use super::key_unwrapping;
use super::make;
use super::refusal::Refusal;
use crate::adapter::{AdapterId, RootKey};
use crate::key::{Carried, KeyDraft, ManagedObject, Origin, RegisteredWrapped, WrappedKek};
use crate::kmip::attribute::{Attribute, Name};
use crate::kmip::enumeration::KeyFormatType;
use crate::kmip::object::{KeyBlock, KeyMaterial, KeyValue, Object, SecretData};
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::{DateTime, ItemType};
use crate::root_key::{MadeKey, Pieces};
use crate::store::WrappedUnder;

/// Whose a new object is, and when it came.
#[derive(Clone, Copy)]
pub(super) struct Identity {
    pub(super) id: Uuid,
    pub(super) adapter: AdapterId,
    pub(super) now: DateTime,
}

/// An object that came and is right as far as that can be seen without a device.
pub(super) enum Arrived<'r> {
    /// It is complete.
    Template(ManagedObject),
    /// Its value is to be sealed.
    Valued(KeyDraft, Value<'r>),
}

/// A value as it came.
pub(super) enum Value<'r> {
    Clear(KeyMaterial<'r>),
    Wrapped(RegisteredWrapped),
    /// Wrapped, and to be kept only as it is without that.
    ToBeUnwrapped(RegisteredWrapped),
    /// It is kept by somebody else.
    Elsewhere,
}

impl<'r> Arrived<'r> {
    /// Checks what came, which is to have these attributes.
    pub(super) fn new(
        identity: Identity,
        object: Object<'r>,
        attributes: Vec<Attribute>,
    ) -> Result<Self, Refusal> {
        let Identity { id, adapter, now } = identity;
        let adapter = adapter.uuid();
        let of_attribute = |error| make::of_attribute(&error);
        match object {
            Object::SymmetricKey(block) => {
                let formats = [KeyFormatType::Raw, KeyFormatType::TransparentSymmetricKey];
                let (origin, value, attributes) = read(block, &formats, attributes)?;
                let draft = KeyDraft::new(id, adapter, origin, attributes, now).map_err(of_attribute)?;
                Ok(Self::Valued(draft, value))
            }
            Object::SecretData(SecretData { data_type, key_block }) => {
                let formats = [KeyFormatType::Raw, KeyFormatType::Opaque];
                let (origin, value, attributes) = read(key_block, &formats, attributes)?;
                let draft = KeyDraft::secret_data(id, adapter, data_type, origin, attributes, now);
                Ok(Self::Valued(draft.map_err(of_attribute)?, value))
            }
            Object::OpaqueObject(opaque) => {
                let bytes = opaque.value.len();
                let draft = KeyDraft::opaque_object(id, adapter, opaque.data_type, bytes, attributes, now);
                Ok(Self::Valued(
                    draft.map_err(of_attribute)?,
                    Value::Clear(opaque.value),
                ))
            }
            Object::Template(lent) => ManagedObject::template(id, adapter, attributes, lent, now)
                .map(Self::Template)
                .map_err(of_attribute),
            Object::Other(_) => Err(Refusal::object_type(object.object_type())),
        }
    }

    /// The object's names.
    pub(super) fn names(&self) -> Vec<Name> {
        match self {
            Self::Template(object) => object.names(),
            Self::Valued(draft, _) => draft.names(),
        }
    }

    /// Puts on the object what an import carries.
    pub(super) fn carry(self, carried: &Carried, now: DateTime) -> Result<Self, Refusal> {
        let carried = match self {
            Self::Template(mut object) => carried.put_on(&mut object, now).map(|()| Self::Template(object)),
            Self::Valued(draft, value) => draft.carry(carried, now).map(|draft| Self::Valued(draft, value)),
        };
        carried.map_err(|error| make::of_attribute(&error))
    }

    /// A value that came wrapped is to be kept unwrapped, and not as it came.
    pub(super) fn unwrapping(self) -> Self {
        match self {
            Self::Valued(draft, Value::Wrapped(came)) => Self::Valued(draft, Value::ToBeUnwrapped(came)),
            other => other,
        }
    }

    /// Has the device seal the value under the adapter's root key. The object is as it is to be written.
    pub(super) async fn seal(
        self,
        item: &mut Item<'_>,
    ) -> Result<(ManagedObject, Option<WrappedUnder>), Refusal> {
        let (draft, value) = match self {
            Self::Template(object) => return Ok((object, None)),
            Self::Valued(draft, value) if draft.object().is_destroyed() => {
                return if value.is_absent() {
                    Ok((draft.closed(), None))
                } else {
                    Err(Refusal::value_of_destroyed())
                };
            }
            Self::Valued(draft, Value::Elsewhere) => return Ok((draft.elsewhere(), None)),
            Self::Valued(draft, value) => (draft, value),
        };
        let root_key = make::root_key(item).await?;
        match value {
            Value::Clear(material) => {
                let bytes = material.as_bytes().ok_or_else(Refusal::no_object)?;
                let made = seal(item, &root_key, draft.object(), bytes).await?;
                let wrapped = under(item, &root_key, made.wrapped);
                Ok((draft.finish(made.sha256), Some(wrapped)))
            }
            Value::Wrapped(came) => {
                let opened = key_unwrapping::open(item, &came, draft.object(), &root_key).await?;
                let draft = draft.registered_as(came, opened.wrapping_key);
                match opened.made {
                    Some(made) => {
                        let wrapped = under(item, &root_key, made.wrapped);
                        Ok((draft.finish(made.sha256), Some(wrapped)))
                    }
                    None => Ok((draft.closed(), None)),
                }
            }
            Value::ToBeUnwrapped(came) => {
                let opened = key_unwrapping::open(item, &came, draft.object(), &root_key).await?;
                let made = opened.made.ok_or_else(Refusal::not_unwrapped)?;
                let wrapped = under(item, &root_key, made.wrapped);
                Ok((draft.finish(made.sha256), Some(wrapped)))
            }
            Value::Elsewhere => Ok((draft.elsewhere(), None)),
        }
    }
}

impl Value<'_> {
    /// Whether none came; an opaque object cannot be without one, so that it has an empty one.
    fn is_absent(&self) -> bool {
        match self {
            Self::Elsewhere => true,
            Self::Clear(material) => material.is_empty(),
            Self::Wrapped(_) | Self::ToBeUnwrapped(_) => false,
        }
    }
}

/// What a Key Block says, and the attributes of the request with those that it brings.
fn read<'r>(
    block: KeyBlock<'r>,
    formats: &[KeyFormatType],
    mut attributes: Vec<Attribute>,
) -> Result<(Origin, Value<'r>, Vec<Attribute>), Refusal> {
    let format = block.key_format_type;
    if !formats.contains(&format) {
        return Err(Refusal::key_format(format));
    }
    if block.key_compression_type.is_some() {
        return Err(Refusal::key_compression());
    }
    let (algorithm, length) = (block.cryptographic_algorithm, block.cryptographic_length);
    let absent = Origin::Absent {
        format,
        algorithm,
        length,
    };
    let Some(key_value) = block.key_value else {
        return match block.key_wrapping_data {
            Some(_) => Err(Refusal::no_object()),
            None => Ok((absent, Value::Elsewhere, attributes)),
        };
    };
    let (material, in_structure) = match key_value {
        KeyValue::Structure {
            material,
            attributes: inner,
        } => {
            attributes.extend(inner.0);
            (material, true)
        }
        KeyValue::Bytes(material) => (material, false),
    };
    let attributes = crate::key::merge(Vec::new(), attributes).map_err(|error| make::of_attribute(&error))?;
    let Some(data) = block.key_wrapping_data else {
        let origin = Origin::Registered {
            format,
            algorithm,
            length,
            bytes: material.len(),
        };
        return Ok((origin, Value::Clear(material), attributes));
    };
    let value = material.as_bytes().ok_or_else(Refusal::no_object)?.to_vec();
    let came = RegisteredWrapped {
        data: *data,
        value,
        in_structure,
    };
    let origin = Origin::Absent {
        format,
        algorithm,
        length: length.or_else(|| key_unwrapping::told_length(&came)),
    };
    Ok((origin, Value::Wrapped(came), attributes))
}

/// Has the device take in a value in the clear. The digest is that of its Key Material.
pub(super) async fn seal(
    item: &mut Item<'_>,
    root_key: &RootKey,
    object: &ManagedObject,
    bytes: &[u8],
) -> Result<MadeKey, Refusal> {
    let pieces = Pieces::of(object).ok_or_else(Refusal::no_object)?;
    let backend = item
        .services
        .root_keys
        .for_root(root_key)
        .map_err(|error| Refusal::not_made(&error))?;
    let mut made = pieces
        .import(&*backend, root_key, bytes)
        .await
        .map_err(|error| Refusal::not_made(&error))?;
    item.made(root_key, pieces, &made.wrapped);
    if object.format() == Some(KeyFormatType::TransparentSymmetricKey) {
        made.sha256 = digest_of_structure(bytes);
    }
    Ok(made)
}

fn under(item: &mut Item<'_>, root_key: &RootKey, kek: WrappedKek) -> WrappedUnder {
    item.uses(root_key, root_key.version, Some(kek.profile));
    WrappedUnder {
        root_key: root_key.id,
        version: root_key.version,
        kek,
    }
}

/// The digest of a key that came as Transparent Symmetric Key: that of its Key Material, encoded (section 3.17). OpenSSL's
/// hash leaves nothing of the key on the stack.
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
    hash.update(&header(
        Tag::KEY_MATERIAL,
        ItemType::Structure,
        8 + key.len() + padding,
    ));
    hash.update(&header(Tag::KEY, ItemType::ByteString, key.len()));
    hash.update(key);
    hash.update(&[0; 8][..padding]);
    hash.finish()
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
