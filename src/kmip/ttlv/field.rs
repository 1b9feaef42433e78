//! How a Rust type is read and written as a field of a structure.

use super::{DateTime, DecodeError, ItemType, Reader, Value, Writer};
use crate::kmip::mask::{CryptographicUsageMask, ProtectionStorageMask, StorageStatusMask};
use crate::kmip::tag::Tag;
use crate::kmip::version::ProtocolVersion;

/// A field of a structure.
///
/// `Option` and `Vec` make fields that may be absent and that may repeat.
pub(crate) trait Field<'a>: Sized {
    /// The type of the item.
    const ITEM_TYPE: ItemType = ItemType::Structure;

    /// The tag that the field has in a version, where that is not the same in all of them.
    fn tag_in(_version: ProtocolVersion, tag: Tag) -> Tag {
        tag
    }

    /// Reads the field of this tag.
    fn read(reader: &mut Reader<'a, '_>, tag: Tag) -> Result<Self, DecodeError>;

    /// Writes the field under this tag.
    fn write(&self, writer: &mut Writer<'_>, tag: Tag);

    /// Whether a reader of this version knows the value.
    fn is_known_in(&self, _version: ProtocolVersion) -> bool {
        true
    }
}

macro_rules! primitive_fields {
    ($($type:ty: $item_type:ident $method:ident, $self:ident => $written:expr;)*) => {
        $(impl<'a> Field<'a> for $type {
            const ITEM_TYPE: ItemType = ItemType::$item_type;

            #[inline]
            fn read(reader: &mut Reader<'a, '_>, tag: Tag) -> Result<Self, DecodeError> {
                reader.$method(tag).map(Self::from)
            }

            fn write(&$self, writer: &mut Writer<'_>, tag: Tag) {
                writer.$method(tag, $written);
            }
        })*
    };
}

primitive_fields! {
    i32: Integer integer, self => *self;
    i64: LongInteger long_integer, self => *self;
    u32: Interval interval, self => *self;
    bool: Boolean boolean, self => *self;
    DateTime: DateTime date_time, self => *self;
    String: TextString text, self => self;
    &'a str: TextString text, self => self;
    Vec<u8>: ByteString bytes, self => self;
    &'a [u8]: ByteString bytes, self => self;
}

macro_rules! mask_fields {
    ($($type:ty),*) => {
        $(impl<'a> Field<'a> for $type {
            const ITEM_TYPE: ItemType = ItemType::Integer;

            fn read(reader: &mut Reader<'a, '_>, tag: Tag) -> Result<Self, DecodeError> {
                reader.integer(tag).map(|bits| Self::from_bits(bits.cast_unsigned()))
            }

            fn write(&self, writer: &mut Writer<'_>, tag: Tag) {
                writer.integer(tag, self.bits().cast_signed());
            }
        })*
    };
}

mask_fields!(CryptographicUsageMask, ProtectionStorageMask, StorageStatusMask);

impl<'a> Field<'a> for ProtocolVersion {
    fn read(reader: &mut Reader<'a, '_>, tag: Tag) -> Result<Self, DecodeError> {
        reader.structure(tag, |inner| {
            Ok(Self {
                major: inner.unsigned(Tag::PROTOCOL_VERSION_MAJOR)?,
                minor: inner.unsigned(Tag::PROTOCOL_VERSION_MINOR)?,
            })
        })
    }

    fn write(&self, writer: &mut Writer<'_>, tag: Tag) {
        writer.structure(tag, |inner| {
            inner.unsigned(Tag::PROTOCOL_VERSION_MAJOR, self.major);
            inner.unsigned(Tag::PROTOCOL_VERSION_MINOR, self.minor);
        });
    }
}

impl<'a> Field<'a> for Value {
    fn read(reader: &mut Reader<'a, '_>, tag: Tag) -> Result<Self, DecodeError> {
        reader.tree(tag)
    }

    fn write(&self, writer: &mut Writer<'_>, tag: Tag) {
        writer.tree(tag, self);
    }
}

impl<'a, T: Field<'a>> Field<'a> for Box<T> {
    const ITEM_TYPE: ItemType = T::ITEM_TYPE;

    fn read(reader: &mut Reader<'a, '_>, tag: Tag) -> Result<Self, DecodeError> {
        T::read(reader, tag).map(Self::new)
    }

    fn write(&self, writer: &mut Writer<'_>, tag: Tag) {
        T::write(self, writer, tag);
    }

    fn tag_in(version: ProtocolVersion, tag: Tag) -> Tag {
        T::tag_in(version, tag)
    }

    fn is_known_in(&self, version: ProtocolVersion) -> bool {
        T::is_known_in(self, version)
    }
}

impl<'a, T: Field<'a>> Field<'a> for Option<T> {
    #[inline]
    fn read(reader: &mut Reader<'a, '_>, tag: Tag) -> Result<Self, DecodeError> {
        reader.optional(T::tag_in(reader.version(), tag), |reader| T::read(reader, tag))
    }

    fn tag_in(version: ProtocolVersion, tag: Tag) -> Tag {
        T::tag_in(version, tag)
    }

    fn write(&self, writer: &mut Writer<'_>, tag: Tag) {
        if let Some(value) = self.as_ref().filter(|value| value.is_known_in(writer.version())) {
            value.write(writer, tag);
        }
    }
}

impl<'a, T: Field<'a>> Field<'a> for Vec<T> {
    fn read(reader: &mut Reader<'a, '_>, tag: Tag) -> Result<Self, DecodeError> {
        let mut all = Vec::new();
        let written = T::tag_in(reader.version(), tag);
        while reader.is_next(written) {
            let position = all.len();
            all.push(T::read(reader, tag).map_err(|error| error.at_position(written, position))?);
        }
        Ok(all)
    }

    fn tag_in(version: ProtocolVersion, tag: Tag) -> Tag {
        T::tag_in(version, tag)
    }

    fn write(&self, writer: &mut Writer<'_>, tag: Tag) {
        let version = writer.version();
        for value in self.iter().filter(|value| value.is_known_in(version)) {
            value.write(writer, tag);
        }
    }
}

/// Makes a struct a [`Field`]: a structure whose items are its fields, in the order given.
///
/// A field is written to readers of the version that its tag came with, or of a later one where `since` says so.
macro_rules! structure_fields {
    ($name:ident $(<$life:lifetime>)? { $($field:ident: $tag:ident $(since $since:ident)?),* $(,)? }) => {
        $crate::kmip::ttlv::structure_fields!(@impl $name, [$($life)?], { $($field: $tag $(since $since)?,)* });
    };
    (@impl $name:ident, [], $fields:tt) => {
        $crate::kmip::ttlv::structure_fields!(@body $name, 'a, $fields);
    };
    (@impl $name:ident, [$life:lifetime], $fields:tt) => {
        $crate::kmip::ttlv::structure_fields!(@body $name<$life>, $life, $fields);
    };
    (@body $name:ty, $life:lifetime, { $($field:ident: $tag:ident $(since $since:ident)?,)* }) => {
        impl<$life> $crate::kmip::ttlv::Field<$life> for $name {
            fn read(
                reader: &mut $crate::kmip::ttlv::Reader<$life, '_>,
                tag: $crate::kmip::tag::Tag,
            ) -> Result<Self, $crate::kmip::ttlv::DecodeError> {
                reader.structure(tag, |inner| {
                    Ok(Self {
                        $($field: $crate::kmip::ttlv::Field::read(inner, $crate::kmip::tag::Tag::$tag)?,)*
                    })
                })
            }

            fn write(&self, writer: &mut $crate::kmip::ttlv::Writer<'_>, tag: $crate::kmip::tag::Tag) {
                writer.structure(tag, |inner| {
                    $(
                        $(if inner.version() >= $crate::kmip::version::$since)? {
                            inner.field($crate::kmip::tag::Tag::$tag, &self.$field);
                        }
                    )*
                });
            }

            fn is_known_in(&self, version: $crate::kmip::version::ProtocolVersion) -> bool {
                true $(&& $crate::kmip::ttlv::Field::is_known_in(&self.$field, version))*
            }
        }
    };
}
pub(crate) use structure_fields;
