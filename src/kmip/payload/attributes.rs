//! Get Attributes, Get Attribute List, Add, Modify and Delete Attribute (KMIP 1.4, sections 4.12 to 4.16).

use super::UniqueIdentifier;
use crate::kmip::attribute::{Attribute, AttributeName, Attributes, read_index};
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::{DecodeError, Field, Reader, Writer, structure_fields};

/// Tell attributes of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GetAttributesRequest<'a> {
    /// Which object; absent means the one of the ID Placeholder.
    pub unique_identifier: Option<UniqueIdentifier<'a>>,
    /// Which attributes; empty means all.
    pub attribute_names: Vec<AttributeName>,
}

/// The attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetAttributesResponse {
    /// The object's Unique Identifier.
    pub unique_identifier: String,
    /// Those of the attributes asked for that the object has, every instance.
    pub attributes: Attributes,
}

/// Tell which attributes an object has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GetAttributeListRequest<'a> {
    /// Which object; absent means the one of the ID Placeholder.
    pub unique_identifier: Option<UniqueIdentifier<'a>>,
}

/// The names of the attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetAttributeListResponse {
    /// The object's Unique Identifier.
    pub unique_identifier: String,
    /// Each name once.
    pub attribute_names: Vec<AttributeName>,
}

/// Add an instance of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddAttributeRequest<'a> {
    /// Which object; absent means the one of the ID Placeholder.
    pub unique_identifier: Option<UniqueIdentifier<'a>>,
    /// What to add. It is to have no index.
    pub attribute: Attribute,
}

/// The instance that was added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddAttributeResponse {
    /// The object's Unique Identifier.
    pub unique_identifier: String,
    /// What was added, with the index that it got. Not told from 2.0 on.
    pub attribute: Option<Attribute>,
}

/// Change an instance of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModifyAttributeRequest<'a> {
    /// Which object; absent means the one of the ID Placeholder.
    pub unique_identifier: Option<UniqueIdentifier<'a>>,
    /// The instance that is to have the new value. Since 2.0, where instances have no index.
    pub current_attribute: Option<Attribute>,
    /// The new value. No index means 0.
    pub attribute: Attribute,
}

/// The instance that was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModifyAttributeResponse {
    /// The object's Unique Identifier.
    pub unique_identifier: String,
    /// The new value. Not told from 2.0 on.
    pub attribute: Option<Attribute>,
}

/// Delete an instance of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteAttributeRequest<'a> {
    /// Which object; absent means the one of the ID Placeholder.
    pub unique_identifier: Option<UniqueIdentifier<'a>>,
    /// Which attribute.
    pub attribute: DeletedAttribute,
}

/// What Delete Attribute is to delete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeletedAttribute {
    /// An attribute that is named.
    Named {
        /// Its name.
        name: AttributeName,
        /// Which instance. None means 0 in 1.x; from 2.0 on there is no index, and every instance is meant.
        index: Option<u32>,
    },
    /// The instance that has this value. Since 2.0.
    Current(Attribute),
}

/// The instance that was deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteAttributeResponse {
    /// The object's Unique Identifier.
    pub unique_identifier: String,
    /// The value that it had. Not told from 2.0 on.
    pub attribute: Option<Attribute>,
}

/// Makes fields of answers that tell the attribute until 2.0 came.
macro_rules! told_until_2_0 {
    ($($name:ident),*) => {
        $(impl<'a> Field<'a> for $name {
            fn read(reader: &mut Reader<'a, '_>, tag: Tag) -> Result<Self, DecodeError> {
                reader.structure(tag, |inner| {
                    let unique_identifier = Field::read(inner, Tag::UNIQUE_IDENTIFIER)?;
                    let attribute = if inner.version().tags_attributes() {
                        None
                    } else {
                        Some(Field::read(inner, Tag::ATTRIBUTE)?)
                    };
                    Ok(Self { unique_identifier, attribute })
                })
            }

            fn write(&self, writer: &mut Writer<'_>, tag: Tag) {
                writer.structure(tag, |inner| {
                    inner.field(Tag::UNIQUE_IDENTIFIER, &self.unique_identifier);
                    if let Some(attribute) = self.attribute.as_ref().filter(|_| !inner.version().tags_attributes()) {
                        attribute.write(inner, Tag::ATTRIBUTE);
                    }
                });
            }
        })*
    };
}

structure_fields!(GetAttributesRequest<'a> {
    unique_identifier: UNIQUE_IDENTIFIER,
    attribute_names: ATTRIBUTE_NAME,
});
structure_fields!(GetAttributesResponse {
    unique_identifier: UNIQUE_IDENTIFIER,
    attributes: ATTRIBUTE,
});
structure_fields!(GetAttributeListRequest<'a> { unique_identifier: UNIQUE_IDENTIFIER, });
structure_fields!(GetAttributeListResponse {
    unique_identifier: UNIQUE_IDENTIFIER,
    attribute_names: ATTRIBUTE_NAME,
});
structure_fields!(AddAttributeRequest<'a> { unique_identifier: UNIQUE_IDENTIFIER, attribute: ATTRIBUTE, });
told_until_2_0!(
    AddAttributeResponse,
    ModifyAttributeResponse,
    DeleteAttributeResponse
);

impl<'a> Field<'a> for ModifyAttributeRequest<'a> {
    fn read(reader: &mut Reader<'a, '_>, tag: Tag) -> Result<Self, DecodeError> {
        reader.structure(tag, |inner| {
            Ok(Self {
                unique_identifier: Field::read(inner, Tag::UNIQUE_IDENTIFIER)?,
                current_attribute: Field::read(inner, Tag::CURRENT_ATTRIBUTE)?,
                attribute: Field::read(inner, Tag::ATTRIBUTE)?,
            })
        })
    }

    fn write(&self, writer: &mut Writer<'_>, tag: Tag) {
        writer.structure(tag, |inner| {
            inner.field(Tag::UNIQUE_IDENTIFIER, &self.unique_identifier);
            inner.field(Tag::CURRENT_ATTRIBUTE, &self.current_attribute);
            inner.field(Tag::ATTRIBUTE, &self.attribute);
        });
    }
}

impl<'a> Field<'a> for DeleteAttributeRequest<'a> {
    fn read(reader: &mut Reader<'a, '_>, tag: Tag) -> Result<Self, DecodeError> {
        reader.structure(tag, |inner| {
            let unique_identifier = Field::read(inner, Tag::UNIQUE_IDENTIFIER)?;
            let attribute = if inner.is_next(Tag::CURRENT_ATTRIBUTE) {
                DeletedAttribute::Current(Field::read(inner, Tag::CURRENT_ATTRIBUTE)?)
            } else {
                DeletedAttribute::Named {
                    name: Field::read(inner, Tag::ATTRIBUTE_NAME)?,
                    index: read_index(inner)?,
                }
            };
            Ok(Self {
                unique_identifier,
                attribute,
            })
        })
    }

    fn write(&self, writer: &mut Writer<'_>, tag: Tag) {
        writer.structure(tag, |inner| {
            inner.field(Tag::UNIQUE_IDENTIFIER, &self.unique_identifier);
            match &self.attribute {
                DeletedAttribute::Named { name, index } => {
                    name.write(inner, Tag::ATTRIBUTE_NAME);
                    if let Some(index) = index.filter(|_| !inner.version().tags_attributes()) {
                        inner.unsigned(Tag::ATTRIBUTE_INDEX, index);
                    }
                }
                DeletedAttribute::Current(attribute) => attribute.write(inner, Tag::CURRENT_ATTRIBUTE),
            }
        });
    }
}
