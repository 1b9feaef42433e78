//! Why an attribute is refused.

use super::life_cycle::LifeCycleError;
use crate::kmip::attribute::AttributeName;
use crate::kmip::enumeration::ObjectType;

/// Why an attribute is not set, changed or deleted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AttributeError {
    /// Neither an attribute of the specification nor a custom one.
    #[error("{name} is not an attribute of KMIP, and custom attributes begin with x-")]
    Unknown {
        /// The name that came.
        name: AttributeName,
    },
    /// A client may not set, change or delete it.
    #[error("{name} cannot be set by a client")]
    ReadOnly {
        /// The attribute.
        name: AttributeName,
    },
    /// It stays as it was set.
    #[error("{name} cannot be changed by a client")]
    NotModifiable {
        /// The attribute.
        name: AttributeName,
    },
    /// Every object has it.
    #[error("{name} cannot be deleted by a client")]
    NotDeletable {
        /// The attribute.
        name: AttributeName,
    },
    /// Objects of this type do not have it.
    #[error("{name} does not apply to an object of type {object_type}")]
    NotApplicable {
        /// The attribute.
        name: AttributeName,
        /// The type of the object.
        object_type: ObjectType,
    },
    /// It has a value, and can have only one; or it has this very value.
    #[error("{name} exists")]
    Exists {
        /// The attribute.
        name: AttributeName,
    },
    /// The object does not have it.
    #[error("the object has no {name}")]
    Absent {
        /// The attribute.
        name: AttributeName,
    },
    /// The object has it, but not this instance.
    #[error("the object has no {name} of index {index}")]
    NoInstance {
        /// The attribute.
        name: AttributeName,
        /// The index that came.
        index: u32,
    },
    /// The object has it, but no instance of this value.
    #[error("the object has no {name} of this value")]
    NoSuchValue {
        /// The attribute.
        name: AttributeName,
    },
    /// The server gives new instances their index.
    #[error("an Attribute Index came for a new instance of {name}")]
    IndexGiven {
        /// The attribute.
        name: AttributeName,
    },
    /// It can have one instance, and several came.
    #[error("{name} can have one value, and several came")]
    Several {
        /// The attribute.
        name: AttributeName,
    },
    /// It has several instances, and is to be set as if it had one.
    #[error("{name} has several instances, and only one can be set or adjusted")]
    MultiValued {
        /// The attribute.
        name: AttributeName,
    },
    /// Its value is of a type that cannot be adjusted in this way, or not by this.
    #[error("the value of {name} is of a type that cannot be adjusted so")]
    NotAdjustable {
        /// The attribute.
        name: AttributeName,
    },
    /// The value would be larger or smaller than its type can hold.
    #[error("the value of {name} would not fit its type")]
    Range {
        /// The attribute.
        name: AttributeName,
    },
    /// There are as many instances as the server keeps.
    #[error("{name} has {limit} instances already, which is the most that are kept")]
    TooMany {
        /// The attribute.
        name: AttributeName,
        /// The most instances.
        limit: usize,
    },
    /// Application Data was left to the server, which makes none for any namespace.
    #[error("Application Data is missing, and the server makes none for this Application Namespace")]
    ApplicationNamespace,
    /// A value is out of range or of a form that is not kept.
    #[error("{name}: {why}")]
    Invalid {
        /// The attribute.
        name: AttributeName,
        /// What is wrong with the value.
        why: &'static str,
    },
    /// An attribute that is needed did not come.
    #[error("{name} is missing")]
    Missing {
        /// The attribute.
        name: AttributeName,
    },
    /// The value is longer than any that is kept.
    #[error("the value has {bytes} bytes, and of an object of type {object_type} at most {limit} are kept")]
    ValueTooLong {
        /// The type of the object.
        object_type: ObjectType,
        /// The bytes that came, or that are to be made.
        bytes: usize,
        /// The most that are kept.
        limit: usize,
    },
    /// A date does not fit the life of the key.
    #[error(transparent)]
    LifeCycle(#[from] LifeCycleError),
}
