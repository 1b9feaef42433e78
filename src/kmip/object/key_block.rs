//! Key blocks (KMIP 1.4, sections 2.1.3, 2.1.4 and 2.1.7.1).

use std::borrow::Cow;
use std::fmt;

use super::KeyWrappingData;
use crate::kmip::attribute::Attributes;
use crate::kmip::enumeration::{CryptographicAlgorithm, KeyCompressionType, KeyFormatType};
use crate::kmip::output::{Material, MaterialError, Output};
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::{Context, DecodeError, DecodeErrorKind, Field, ItemType, Limits, Reader, Writer};
use crate::kmip::version::ProtocolVersion;

/// A key with what belongs closely to it.
#[derive(Debug)]
pub struct KeyBlock<'a> {
    /// How the key is written.
    pub key_format_type: KeyFormatType,
    /// How the point of an elliptic curve is written.
    pub key_compression_type: Option<KeyCompressionType>,
    /// The key. Absent where it is kept elsewhere (since 1.2).
    pub key_value: Option<KeyValue<'a>>,
    /// The algorithm that the key is for.
    pub cryptographic_algorithm: Option<CryptographicAlgorithm>,
    /// The length of the key in the clear, in bits.
    pub cryptographic_length: Option<i32>,
    /// How the key is wrapped. Present exactly where it is.
    pub key_wrapping_data: Option<Box<KeyWrappingData>>,
}

/// A key, in the clear or wrapped.
#[derive(Debug)]
pub enum KeyValue<'a> {
    /// A structure. The key in it is in the clear, unless the block has Key Wrapping Data: then its bytes alone are
    /// wrapped ("No Encoding").
    Structure {
        /// The key. With the format Transparent Symmetric Key this is the field Key of the structure.
        material: KeyMaterial<'a>,
        /// Attributes that travel with it.
        attributes: Attributes,
    },
    /// A byte string, wrapped as the block's Key Wrapping Data says.
    Bytes(KeyMaterial<'a>),
}

/// The bytes of a key. They are never copied into a place that is not told to be zeroised, and never shown.
pub enum KeyMaterial<'a> {
    /// Bytes, which stay where they are, or are owned where they are wrapped.
    Bytes(Cow<'a, [u8]>),
    /// Bytes that are in the clear only once they are written.
    Closed(Box<dyn Material + 'a>),
}

impl KeyMaterial<'_> {
    /// The number of bytes.
    pub fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Closed(material) => material.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes, where they are at hand: in everything that was decoded.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Closed(_) => None,
        }
    }

    pub(super) fn write(&self, writer: &mut Writer<'_>, tag: Tag) {
        match self {
            Self::Bytes(bytes) => writer.bytes(tag, bytes),
            Self::Closed(material) => writer.material(tag, material.as_ref()),
        }
    }
}

impl fmt::Debug for KeyMaterial<'_> {
    /// The length alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{} bytes>", self.len())
    }
}

impl<'a> From<&'a [u8]> for KeyMaterial<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(Cow::Borrowed(bytes))
    }
}

impl KeyBlock<'_> {
    /// Whether the key is wrapped.
    pub fn is_wrapped(&self) -> bool {
        self.key_wrapping_data.is_some()
    }
}

impl<'a> KeyValue<'a> {
    /// Reads a Key Value that was encoded by itself, as it is wrapped with TTLV Encoding.
    pub fn decode(
        bytes: &'a [u8],
        format: KeyFormatType,
        version: ProtocolVersion,
        limits: Limits,
    ) -> Result<Self, DecodeError> {
        let context = Context::strict(limits);
        context.set_version(version);
        let mut reader = Reader::new(bytes, &context)?;
        let value = Self::read(&mut reader, format)?;
        if reader.is_empty() {
            Ok(value)
        } else {
            let count = reader.left();
            Err(reader.error(DecodeErrorKind::TrailingBytes { count }))
        }
    }

    /// Writes it by itself, to be wrapped with TTLV Encoding.
    pub fn encode(
        &self,
        format: KeyFormatType,
        version: ProtocolVersion,
        out: &mut dyn Output,
    ) -> Result<(), MaterialError> {
        let mut writer = Writer::new(out, version);
        self.write(&mut writer, format);
        writer.finish()
    }

    fn read(reader: &mut Reader<'a, '_>, format: KeyFormatType) -> Result<Self, DecodeError> {
        if reader.next_type()? == ItemType::ByteString {
            return reader
                .bytes(Tag::KEY_VALUE)
                .map(|bytes| Self::Bytes(bytes.into()));
        }
        reader.structure(Tag::KEY_VALUE, |inner| {
            let material = match format {
                KeyFormatType::TransparentSymmetricKey => {
                    inner.structure(Tag::KEY_MATERIAL, |material| material.bytes(Tag::KEY))?
                }
                _ => inner.bytes(Tag::KEY_MATERIAL)?,
            };
            let attributes = Field::read(inner, Tag::ATTRIBUTE)?;
            Ok(Self::Structure {
                material: material.into(),
                attributes,
            })
        })
    }

    fn write(&self, writer: &mut Writer<'_>, format: KeyFormatType) {
        match self {
            Self::Bytes(bytes) => bytes.write(writer, Tag::KEY_VALUE),
            Self::Structure { material, attributes } => writer.structure(Tag::KEY_VALUE, |inner| {
                match format {
                    KeyFormatType::TransparentSymmetricKey => {
                        inner.structure(Tag::KEY_MATERIAL, |inner| material.write(inner, Tag::KEY));
                    }
                    _ => material.write(inner, Tag::KEY_MATERIAL),
                }
                if !(attributes.0.is_empty() && inner.version().tags_attributes()) {
                    attributes.write(inner, Tag::ATTRIBUTE);
                }
            }),
        }
    }
}

impl<'a> Field<'a> for KeyBlock<'a> {
    fn read(reader: &mut Reader<'a, '_>, tag: Tag) -> Result<Self, DecodeError> {
        reader.structure(tag, |inner| {
            let key_format_type = Field::read(inner, Tag::KEY_FORMAT_TYPE)?;
            let key_compression_type = Field::read(inner, Tag::KEY_COMPRESSION_TYPE)?;
            let offset = inner.position();
            let key_value = inner.optional(Tag::KEY_VALUE, |inner| KeyValue::read(inner, key_format_type))?;
            let block = Self {
                key_format_type,
                key_compression_type,
                key_value,
                cryptographic_algorithm: Field::read(inner, Tag::CRYPTOGRAPHIC_ALGORITHM)?,
                cryptographic_length: Field::read(inner, Tag::CRYPTOGRAPHIC_LENGTH)?,
                key_wrapping_data: Field::read(inner, Tag::KEY_WRAPPING_DATA)?,
            };
            if matches!(block.key_value, Some(KeyValue::Bytes(_))) && block.key_wrapping_data.is_none() {
                let expected = "Key Wrapping Data beside a Key Value that is a Byte String";
                return Err(DecodeError::new(DecodeErrorKind::BadValue { expected }, offset));
            }
            Ok(block)
        })
    }

    fn write(&self, writer: &mut Writer<'_>, tag: Tag) {
        writer.structure(tag, |inner| {
            inner.field(Tag::KEY_FORMAT_TYPE, &self.key_format_type);
            inner.field(Tag::KEY_COMPRESSION_TYPE, &self.key_compression_type);
            if let Some(value) = &self.key_value {
                value.write(inner, self.key_format_type);
            }
            inner.field(Tag::CRYPTOGRAPHIC_ALGORITHM, &self.cryptographic_algorithm);
            inner.field(Tag::CRYPTOGRAPHIC_LENGTH, &self.cryptographic_length);
            // Whatever the client knows of it: without it, a wrapped key would pass for one in the clear.
            if let Some(data) = &self.key_wrapping_data {
                data.write(inner, Tag::KEY_WRAPPING_DATA);
            }
        });
    }
}
