//! What shapes objects whose makers leave something out or ask for what is not allowed: defaults, constraints, protection
//! storage masks (KMIP 2.1, sections 7.6, 7.7, 7.11, 7.22 to 7.24 and 7.33).

use crate::kmip::attribute::Attributes;
use crate::kmip::enumeration::ObjectType;
use crate::kmip::mask::ProtectionStorageMask;
use crate::kmip::output::ZeroizingOutput;
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::{Context, DecodeError, Field, Limits, Reader, Writer, structure_fields};
use crate::kmip::version::V2_1;

/// Groups of objects. Since 2.1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectGroups {
    /// Their names.
    pub object_groups: Vec<String>,
}

/// Types of objects. Since 2.1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectTypes {
    /// The types.
    pub object_types: Vec<ObjectType>,
}

/// Alternatives of how an object may be kept, each a mask. Since 2.0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProtectionStorageMasks {
    /// The alternatives.
    pub masks: Vec<ProtectionStorageMask>,
}

/// What an object that is made must be. Since 2.1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Constraint {
    /// For objects of which types; absent means all.
    pub object_types: Option<ObjectTypes>,
    /// For objects in which groups; absent means all.
    pub object_groups: Option<ObjectGroups>,
    /// What they must have.
    pub attributes: Option<Attributes>,
}

/// Constraints together. Since 2.1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Constraints {
    /// Each of them.
    pub constraints: Vec<Constraint>,
}

/// What the server gives objects whose makers leave it out. Since 2.0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DefaultsInformation {
    /// For each type of object.
    pub object_defaults: Vec<ObjectDefaults>,
}

/// What the server gives objects of some types. Since 2.0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectDefaults {
    /// The types of the objects. One stands for itself, several stand in a structure, since 2.1.
    pub object_types: ObjectTypes,
    /// What they are given.
    pub attributes: Attributes,
    /// For objects in which groups; absent means all. Since 2.1.
    pub object_groups: Option<ObjectGroups>,
}

structure_fields!(ObjectGroups {
    object_groups: OBJECT_GROUP,
});

structure_fields!(ObjectTypes {
    object_types: OBJECT_TYPE,
});

structure_fields!(ProtectionStorageMasks {
    masks: PROTECTION_STORAGE_MASK,
});

structure_fields!(Constraint {
    object_types: OBJECT_TYPES,
    object_groups: OBJECT_GROUPS,
    attributes: ATTRIBUTES,
});

structure_fields!(Constraints {
    constraints: CONSTRAINT,
});

structure_fields!(DefaultsInformation {
    object_defaults: OBJECT_DEFAULTS,
});

impl<'a> Field<'a> for ObjectDefaults {
    fn read(reader: &mut Reader<'a, '_>, tag: Tag) -> Result<Self, DecodeError> {
        reader.structure(tag, |inner| {
            let object_types = if inner.is_next(Tag::OBJECT_TYPES) {
                Field::read(inner, Tag::OBJECT_TYPES)?
            } else {
                ObjectTypes {
                    object_types: vec![Field::read(inner, Tag::OBJECT_TYPE)?],
                }
            };
            Ok(Self {
                object_types,
                attributes: Field::read(inner, Tag::ATTRIBUTES)?,
                object_groups: Field::read(inner, Tag::OBJECT_GROUPS)?,
            })
        })
    }

    /// Writes them: to a reader that knows no list of types, once for each type.
    fn write(&self, writer: &mut Writer<'_>, tag: Tag) {
        let knows_lists = writer.knows(Tag::OBJECT_TYPES);
        let mut write = |write_types: &dyn Fn(&mut Writer<'_>)| {
            writer.structure(tag, |inner| {
                write_types(inner);
                inner.field(Tag::ATTRIBUTES, &self.attributes);
                inner.field(Tag::OBJECT_GROUPS, &self.object_groups);
            });
        };
        match self.object_types.object_types.as_slice() {
            types if types.len() == 1 || !knows_lists => {
                for one in types {
                    write(&|inner| inner.field(Tag::OBJECT_TYPE, one));
                }
            }
            _ => write(&|inner| inner.field(Tag::OBJECT_TYPES, &self.object_types)),
        }
    }
}

/// Set Defaults: begin to use these defaults (KMIP 2.1, section 6.1.53). Its answer is empty. Since 2.1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetDefaultsRequest {
    /// The defaults; absent takes all away.
    pub defaults_information: Option<DefaultsInformation>,
}

/// Set Constraints: begin to apply these constraints (KMIP 2.1, section 6.1.52). Its answer is empty. Since 2.1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetConstraintsRequest {
    /// The constraints; absent takes all away.
    pub constraints: Option<Constraints>,
}

/// Get Constraints: the constraints that are applied (KMIP 2.1, section 6.1.22). Its request is empty. Since 2.1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GetConstraintsResponse {
    /// The constraints.
    pub constraints: Constraints,
}

structure_fields!(SetDefaultsRequest {
    defaults_information: DEFAULTS_INFORMATION,
});
structure_fields!(SetConstraintsRequest {
    constraints: CONSTRAINTS,
});
structure_fields!(GetConstraintsResponse {
    constraints: CONSTRAINTS,
});

macro_rules! kept {
    ($($name:ident as $tag:ident),*) => {
        $(impl $name {
            /// The form in which it is kept: an item of 2.1.
            pub fn to_bytes(&self) -> Vec<u8> {
                let mut out = ZeroizingOutput::new();
                self.write(&mut Writer::new(&mut out, V2_1), Tag::$tag);
                out.as_slice().to_vec()
            }

            /// Reads what [`to_bytes`](Self::to_bytes) wrote.
            pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
                let context = Context::strict(Limits::default());
                context.set_version(V2_1);
                Self::read(&mut Reader::new(bytes, &context)?, Tag::$tag)
            }
        })*
    };
}

kept!(
    Constraints as CONSTRAINTS,
    DefaultsInformation as DEFAULTS_INFORMATION
);
