//! Managed objects as they travel (KMIP 1.4, section 2.2), and what they are made of.

mod data;
mod key_block;
mod wrapping;

pub use data::{OpaqueObject, SecretData};
pub use key_block::{KeyBlock, KeyMaterial, KeyValue};
pub use wrapping::{KeyInformation, KeyWrappingData, KeyWrappingSpecification};

use std::fmt;

use super::attribute::{self, Attribute, Name};
use super::enumeration::ObjectType;
use super::tag::Tag;
use super::ttlv::{DecodeError, Field, Reader, Writer};
use super::version::ProtocolVersion;

/// An object with its value, in Register requests and Get responses.
#[derive(Debug)]
pub enum Object<'a> {
    /// A symmetric key (section 2.2.2).
    SymmetricKey(KeyBlock<'a>),
    /// A template (section 2.2.6). Deprecated since 1.3.
    Template(Vec<Attribute>),
    /// Secret data (section 2.2.7).
    SecretData(SecretData<'a>),
    /// An opaque object (section 2.2.8).
    OpaqueObject(OpaqueObject<'a>),
    /// An object of a type that this service does not keep. Its content was not looked at.
    Other(OtherObject<'a>),
}

/// An object whose content was not looked at.
pub struct OtherObject<'a> {
    object_type: ObjectType,
    items: &'a [u8],
}

/// The tag of each object type.
const TAGS: [(ObjectType, Tag); 9] = [
    (ObjectType::Certificate, Tag::CERTIFICATE),
    (ObjectType::SymmetricKey, Tag::SYMMETRIC_KEY),
    (ObjectType::PublicKey, Tag::PUBLIC_KEY),
    (ObjectType::PrivateKey, Tag::PRIVATE_KEY),
    (ObjectType::SplitKey, Tag::SPLIT_KEY),
    (ObjectType::Template, Tag::TEMPLATE),
    (ObjectType::SecretData, Tag::SECRET_DATA),
    (ObjectType::OpaqueObject, Tag::OPAQUE_OBJECT),
    (ObjectType::PGPKey, Tag::PGP_KEY),
];

impl<'a> Object<'a> {
    /// The object's type.
    pub fn object_type(&self) -> ObjectType {
        match self {
            Self::SymmetricKey(_) => ObjectType::SymmetricKey,
            Self::Template(_) => ObjectType::Template,
            Self::SecretData(_) => ObjectType::SecretData,
            Self::OpaqueObject(_) => ObjectType::OpaqueObject,
            Self::Other(other) => other.object_type,
        }
    }

    fn tag(&self) -> Tag {
        let object_type = self.object_type();
        TAGS.iter()
            .find(|(known, _)| *known == object_type)
            .map(|(_, tag)| *tag)
            .expect("an object is of a type that has a tag")
    }

    /// Reads the next item where it is an object.
    pub(crate) fn read_if_next(reader: &mut Reader<'a, '_>) -> Result<Option<Self>, DecodeError> {
        let next = reader.peek();
        let Some((object_type, tag)) = TAGS.iter().copied().find(|(_, tag)| Some(*tag) == next) else {
            return Ok(None);
        };
        Ok(Some(match object_type {
            ObjectType::SymmetricKey => {
                Self::SymmetricKey(reader.structure(tag, |inner| KeyBlock::read(inner, Tag::KEY_BLOCK))?)
            }
            ObjectType::Template => {
                Self::Template(reader.structure(tag, |inner| Field::read(inner, Tag::ATTRIBUTE))?)
            }
            ObjectType::SecretData => Self::SecretData(Field::read(reader, tag)?),
            ObjectType::OpaqueObject => Self::OpaqueObject(Field::read(reader, tag)?),
            object_type => {
                let items = reader.raw_structure(tag)?;
                Self::Other(OtherObject { object_type, items })
            }
        }))
    }

    pub(crate) fn write(&self, writer: &mut Writer<'_>) {
        let tag = self.tag();
        match self {
            Self::SymmetricKey(block) => writer.structure(tag, |inner| block.write(inner, Tag::KEY_BLOCK)),
            Self::Template(attributes) => writer.structure(tag, |inner| {
                attributes.write(inner, Tag::ATTRIBUTE);
            }),
            Self::SecretData(secret) => secret.write(writer, tag),
            Self::OpaqueObject(opaque) => opaque.write(writer, tag),
            Self::Other(other) => writer.raw_structure(tag, other.items),
        }
    }
}

impl fmt::Debug for OtherObject<'_> {
    /// Without the content, which may be a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OtherObject")
            .field("object_type", &self.object_type)
            .finish_non_exhaustive()
    }
}

/// Names of templates and attributes (section 2.1.8). From 2.0 on there are no templates, and this is a structure of
/// attributes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TemplateAttribute {
    /// Names of templates whose attributes are meant. Deprecated since 1.3.
    pub names: Vec<Name>,
    /// Attributes.
    pub attributes: Vec<Attribute>,
}

impl<'a> Field<'a> for TemplateAttribute {
    fn tag_in(version: ProtocolVersion, tag: Tag) -> Tag {
        match tag {
            Tag::TEMPLATE_ATTRIBUTE if version.tags_attributes() => Tag::ATTRIBUTES,
            tag => tag,
        }
    }

    fn read(reader: &mut Reader<'a, '_>, tag: Tag) -> Result<Self, DecodeError> {
        let tag = Self::tag_in(reader.version(), tag);
        if reader.version().tags_attributes() {
            return reader.structure(tag, attribute::read_all).map(Self::from);
        }
        reader.structure(tag, |inner| {
            Ok(Self {
                names: Field::read(inner, Tag::NAME)?,
                attributes: Field::read(inner, Tag::ATTRIBUTE)?,
            })
        })
    }

    fn write(&self, writer: &mut Writer<'_>, tag: Tag) {
        let tag = Self::tag_in(writer.version(), tag);
        writer.structure(tag, |inner| {
            if inner.version().tags_attributes() {
                attribute::write_all(&self.attributes, inner);
            } else {
                inner.field(Tag::NAME, &self.names);
                inner.field(Tag::ATTRIBUTE, &self.attributes);
            }
        });
    }
}

impl From<Vec<Attribute>> for TemplateAttribute {
    fn from(attributes: Vec<Attribute>) -> Self {
        Self {
            names: Vec::new(),
            attributes,
        }
    }
}
