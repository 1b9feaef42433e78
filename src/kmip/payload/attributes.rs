//! Get Attributes, Get Attribute List, Add, Modify and Delete Attribute (KMIP 1.4, sections 4.12 to 4.16).

use crate::kmip::attribute::{Attribute, AttributeName, read_index};
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::{DecodeError, Field, Reader, Writer, structure_fields};

/// Tell attributes of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GetAttributesRequest<'a> {
    /// Which object; absent means the one of the ID Placeholder.
    pub unique_identifier: Option<&'a str>,
    /// Which attributes; empty means all.
    pub attribute_names: Vec<AttributeName>,
}

/// The attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetAttributesResponse {
    /// The object's Unique Identifier.
    pub unique_identifier: String,
    /// Those of the attributes asked for that the object has, every instance.
    pub attributes: Vec<Attribute>,
}

/// Tell which attributes an object has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GetAttributeListRequest<'a> {
    /// Which object; absent means the one of the ID Placeholder.
    pub unique_identifier: Option<&'a str>,
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
    pub unique_identifier: Option<&'a str>,
    /// What to add. It is to have no index.
    pub attribute: Attribute,
}

/// The instance that was added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddAttributeResponse {
    /// The object's Unique Identifier.
    pub unique_identifier: String,
    /// What was added, with the index that it got.
    pub attribute: Attribute,
}

/// Change an instance of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModifyAttributeRequest<'a> {
    /// Which object; absent means the one of the ID Placeholder.
    pub unique_identifier: Option<&'a str>,
    /// The new value. No index means 0.
    pub attribute: Attribute,
}

/// The instance that was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModifyAttributeResponse {
    /// The object's Unique Identifier.
    pub unique_identifier: String,
    /// The new value.
    pub attribute: Attribute,
}

/// Delete an instance of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteAttributeRequest<'a> {
    /// Which object; absent means the one of the ID Placeholder.
    pub unique_identifier: Option<&'a str>,
    /// Which attribute.
    pub attribute_name: AttributeName,
    /// Which instance. None means 0.
    pub attribute_index: Option<u32>,
}

/// The instance that was deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteAttributeResponse {
    /// The object's Unique Identifier.
    pub unique_identifier: String,
    /// The value that it had.
    pub attribute: Attribute,
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
structure_fields!(AddAttributeResponse {
    unique_identifier: UNIQUE_IDENTIFIER,
    attribute: ATTRIBUTE,
});
structure_fields!(ModifyAttributeRequest<'a> { unique_identifier: UNIQUE_IDENTIFIER, attribute: ATTRIBUTE, });
structure_fields!(ModifyAttributeResponse {
    unique_identifier: UNIQUE_IDENTIFIER,
    attribute: ATTRIBUTE,
});
structure_fields!(DeleteAttributeResponse {
    unique_identifier: UNIQUE_IDENTIFIER,
    attribute: ATTRIBUTE,
});

impl<'a> Field<'a> for DeleteAttributeRequest<'a> {
    fn read(reader: &mut Reader<'a, '_>, tag: Tag) -> Result<Self, DecodeError> {
        reader.structure(tag, |inner| {
            Ok(Self {
                unique_identifier: Field::read(inner, Tag::UNIQUE_IDENTIFIER)?,
                attribute_name: Field::read(inner, Tag::ATTRIBUTE_NAME)?,
                attribute_index: read_index(inner)?,
            })
        })
    }

    fn write(&self, writer: &mut Writer<'_>, tag: Tag) {
        writer.structure(tag, |inner| {
            inner.field(Tag::UNIQUE_IDENTIFIER, &self.unique_identifier);
            inner.field(Tag::ATTRIBUTE_NAME, &self.attribute_name);
            if let Some(index) = self.attribute_index {
                inner.unsigned(Tag::ATTRIBUTE_INDEX, index);
            }
        });
    }
}
