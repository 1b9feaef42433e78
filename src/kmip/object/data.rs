//! Objects that are no keys: secret data and opaque objects (KMIP 1.4, sections 2.2.7 and 2.2.8).

use super::{KeyBlock, KeyMaterial};
use crate::kmip::enumeration::{OpaqueDataType, SecretDataType};
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::{DecodeError, Field, Reader, Writer};

/// A secret that is no key, such as a password.
#[derive(Debug)]
pub struct SecretData<'a> {
    /// What it is.
    pub data_type: SecretDataType,
    /// Its value, written as a key is.
    pub key_block: KeyBlock<'a>,
}

/// Something that the server does not understand.
#[derive(Debug)]
pub struct OpaqueObject<'a> {
    /// What the client says that it is.
    pub data_type: OpaqueDataType,
    /// Its value, which is shown nowhere, as a key's is not.
    pub value: KeyMaterial<'a>,
}

impl<'a> Field<'a> for SecretData<'a> {
    fn read(reader: &mut Reader<'a, '_>, tag: Tag) -> Result<Self, DecodeError> {
        reader.structure(tag, |inner| {
            Ok(Self {
                data_type: Field::read(inner, Tag::SECRET_DATA_TYPE)?,
                key_block: Field::read(inner, Tag::KEY_BLOCK)?,
            })
        })
    }

    fn write(&self, writer: &mut Writer<'_>, tag: Tag) {
        writer.structure(tag, |inner| {
            self.data_type.write(inner, Tag::SECRET_DATA_TYPE);
            self.key_block.write(inner, Tag::KEY_BLOCK);
        });
    }
}

impl<'a> Field<'a> for OpaqueObject<'a> {
    fn read(reader: &mut Reader<'a, '_>, tag: Tag) -> Result<Self, DecodeError> {
        reader.structure(tag, |inner| {
            Ok(Self {
                data_type: Field::read(inner, Tag::OPAQUE_DATA_TYPE)?,
                value: inner.bytes(Tag::OPAQUE_DATA_VALUE)?.into(),
            })
        })
    }

    fn write(&self, writer: &mut Writer<'_>, tag: Tag) {
        writer.structure(tag, |inner| {
            self.data_type.write(inner, Tag::OPAQUE_DATA_TYPE);
            self.value.write(inner, Tag::OPAQUE_DATA_VALUE);
        });
    }
}
