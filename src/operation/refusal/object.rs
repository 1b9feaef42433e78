//! Why a request about an object, or about its attributes, is not carried out.

use super::{AttributeUse, Refusal, sentence};
use crate::key::{AttributeError, LifeCycleError};
use crate::kmip::attribute::{AttributeName, Name};
use crate::kmip::enumeration::{KeyFormatType, ObjectType, Operation, ResultReason};
use crate::kmip::payload::CheckResponse;
use crate::root_key::{self, KeyWrap};

impl Refusal {
    /// The object is another user's of the same adapter.
    pub(in crate::operation) fn not_the_owner() -> Self {
        Self::new(
            ResultReason::PermissionDenied,
            "The object was made for another user, with the Operation Policy Name default",
        )
    }

    /// The object has been destroyed.
    pub(in crate::operation) fn destroyed() -> Self {
        Self::new(ResultReason::PermissionDenied, "The object has been destroyed")
            .since_2(ResultReason::ObjectDestroyed)
    }

    /// Nothing but attributes is left of the object. Before 2.0 there is no reason that says so.
    pub(in crate::operation) fn value_destroyed() -> Self {
        Self::new(ResultReason::ItemNotFound, "The object has been destroyed")
            .since_2(ResultReason::ObjectDestroyed)
    }

    /// The same of the key that wraps.
    pub(in crate::operation) fn wrapping_key_destroyed() -> Self {
        Self::new(ResultReason::ItemNotFound, "The wrapping key has been destroyed")
            .since_2(ResultReason::WrappingObjectDestroyed)
    }

    /// Objects of this type are not kept here.
    pub(in crate::operation) fn object_type(object_type: ObjectType) -> Self {
        Self::invalid_field(format!("Objects of type {object_type} are not supported"))
            .since_2(ResultReason::InvalidObjectType)
    }

    /// The object came with another type than the request says.
    pub(in crate::operation) fn other_object_type() -> Self {
        Self::invalid_field("The object is not of the Object Type of the request")
            .since_2(ResultReason::InvalidObjectType)
    }

    /// The object did not come.
    pub(in crate::operation) fn no_object() -> Self {
        Self::invalid_field("The object to be registered is missing")
    }

    /// Of the object there are only attributes: its value is kept elsewhere (section 11.12).
    pub(in crate::operation) fn value_elsewhere() -> Self {
        Self::new(
            ResultReason::IllegalOperation,
            "The object's value is kept elsewhere: only its attributes are here",
        )
        .since_2(ResultReason::KeyValueNotPresent)
    }

    /// The value came wrapped, and can be had as it came alone.
    pub(in crate::operation) fn still_wrapped() -> Self {
        Self::new(
            ResultReason::FeatureNotSupported,
            "The key came wrapped under a key that is not held here, or not by this means: it cannot be unwrapped",
        )
    }

    /// What came wrapped is not what the wrapping key wraps.
    pub(in crate::operation) fn does_not_unwrap() -> Self {
        Self::new(
            ResultReason::CryptographicFailure,
            "The Key Value does not unwrap under the key of the Key Wrapping Data to a key as it is described",
        )
    }

    /// The Key Wrapping Data name no key that encrypted (section 2.1.5).
    pub(in crate::operation) fn no_wrapping_key_in_data() -> Self {
        Self::invalid_field("The Key Wrapping Data has no Encryption Key Information")
    }

    /// The key that came wrapped cannot be unwrapped by the key that is named.
    pub(in crate::operation) fn unwrapping_key_unusable() -> Self {
        Self::new(
            ResultReason::PermissionDenied,
            "A key that unwraps is an Active AES key with Unwrap Key or Wrap Key in its Cryptographic Usage Mask",
        )
    }

    /// An opaque object has no Key Block, so that it is neither wrapped nor converted.
    pub(in crate::operation) fn wrapped_opaque_object() -> Self {
        Self::new(
            ResultReason::IllegalOperation,
            "An Opaque Object cannot be wrapped or converted",
        )
    }

    /// The Key Value with its attributes is longer than what is wrapped.
    pub(in crate::operation) fn too_long_to_wrap(limit: usize) -> Self {
        Self::new(
            ResultReason::FeatureNotSupported,
            format!("A Key Value that is wrapped may have {limit} bytes, its attributes among them"),
        )
    }

    /// Key wrapping is not done here.
    pub(in crate::operation) fn key_wrapping() -> Self {
        Self::new(
            ResultReason::FeatureNotSupported,
            "Keys are wrapped by encryption with AES key wrap alone: NISTKeyWrap or AESKeyWrapPadding",
        )
    }

    /// The Key Wrapping Specification names no key to encrypt with (section 2.1.6).
    pub(in crate::operation) fn no_wrapping_key_named() -> Self {
        Self::new(
            ResultReason::InvalidField,
            "The Key Wrapping Specification has no Encryption Key Information",
        )
    }

    /// The wrapping key does not exist (section 11.12).
    pub(in crate::operation) fn no_wrapping_key() -> Self {
        Self::new(
            ResultReason::ItemNotFound,
            "There is no wrapping key with the Unique Identifier of the Encryption Key Information",
        )
        .since_2(ResultReason::WrappingObjectNotFound)
    }

    /// What should wrap is no key (section 11.12).
    pub(in crate::operation) fn wrapping_object_is_no_key() -> Self {
        Self::new(
            ResultReason::IllegalOperation,
            "The object of the Encryption Key Information is not a key",
        )
    }

    /// The wrapping key may not wrap (section 11.12).
    pub(in crate::operation) fn wrapping_key_unusable() -> Self {
        Self::new(
            ResultReason::PermissionDenied,
            "A wrapping key is another key: an Active AES key with Wrap Key in its Cryptographic Usage Mask",
        )
    }

    /// The wrapping key is under a root key of another device, and neither leaves its device in the clear.
    pub(in crate::operation) fn wrapping_key_elsewhere() -> Self {
        Self::new(
            ResultReason::FeatureNotSupported,
            "The key and the wrapping key are held by different devices: neither can be wrapped under the other",
        )
    }

    /// The wrapping key has no such Cryptographic Parameters (section 11.12).
    pub(in crate::operation) fn no_wrapping_parameters() -> Self {
        Self::new(
            ResultReason::ItemNotFound,
            "The wrapping key has no Cryptographic Parameters that fit, and the request names none",
        )
    }

    /// The key cannot be wrapped with this Encoding Option (section 11.12).
    pub(in crate::operation) fn encoding_option() -> Self {
        Self::new(
            ResultReason::EncodingOptionError,
            "No attributes can be wrapped with No Encoding; without it, the encoding is TTLV",
        )
    }

    /// The device did not wrap a key under a client's: it has no such key wrap, or something else was wrong.
    pub(in crate::operation) fn not_wrapped(error: &root_key::Error, key_wrap: KeyWrap) -> Self {
        if !error.is_unknown_wrapping() {
            return Self::not_released(error);
        }
        Self::new(
            ResultReason::FeatureNotSupported,
            match key_wrap {
                KeyWrap::Padded => "Keys are not wrapped here by AESKeyWrapPadding; ask for NISTKeyWrap",
                KeyWrap::Nist => "This server does not wrap keys under a key of the client's",
            },
        )
    }

    /// AES key wrap does not take a key of this length.
    pub(in crate::operation) fn not_wrappable() -> Self {
        Self::new(
            ResultReason::FeatureNotSupported,
            "AES key wrap takes keys of at least 16 bytes whose length is a multiple of 8",
        )
    }

    /// A template has no key to be wrapped.
    pub(in crate::operation) fn wrapped_template() -> Self {
        Self::new(
            ResultReason::IllegalOperation,
            "A Template cannot be wrapped or converted",
        )
    }

    /// A template that the request names does not exist (sections 11.2 and 11.4).
    pub(in crate::operation) fn no_template(name: &Name) -> Self {
        Self::new(
            ResultReason::ItemNotFound,
            format!("There is no Template of the name {:?}", name.value),
        )
    }

    /// The name of a new object is taken (sections 11.2 and 11.4).
    pub(in crate::operation) fn name_of_new_taken(name: &Name) -> Self {
        Self::invalid_field(format!("The name {:?} is in use", name.value))
            .since_2(ResultReason::NonUniqueNameAttribute)
    }

    /// A name to be added or changed is taken (sections 11.15 and 11.16).
    pub(in crate::operation) fn name_taken(name: &Name) -> Self {
        Self::new(
            ResultReason::IllegalOperation,
            format!("The name {:?} is in use", name.value),
        )
        .since_2(ResultReason::NonUniqueNameAttribute)
    }

    /// A new object is to be kept in a way in which nothing is kept here (KMIP 2.1, section 11.46).
    pub(in crate::operation) fn protection_storage() -> Self {
        Self::new(
            ResultReason::FeatureNotSupported,
            "None of the Protection Storage Masks fits: objects are kept by hardware",
        )
        .since_2(ResultReason::ProtectionStorageUnavailable)
    }

    /// A new object is not as the constraints of its adapter have it (KMIP 2.1, section 11.46).
    pub(in crate::operation) fn constraint(name: &AttributeName) -> Self {
        Self::new(
            ResultReason::PermissionDenied,
            format!("The object has not the {name} that the constraints of this server ask for"),
        )
        .since_2(ResultReason::ConstraintViolation)
    }

    /// A new key is to be Quantum Safe and is not (KMIP 2.1, section 4.39).
    pub(in crate::operation) fn not_quantum_safe(bits: i32) -> Self {
        Self::new(
            ResultReason::GeneralFailure,
            format!("A key of fewer than {bits} bits is not Quantum Safe"),
        )
    }

    /// The object may not leave this server.
    pub(in crate::operation) fn not_extractable() -> Self {
        Self::new(ResultReason::NotExtractable, "The object is not Extractable")
    }

    /// The object may leave this server only wrapped.
    pub(in crate::operation) fn sensitive() -> Self {
        Self::new(
            ResultReason::Sensitive,
            "The object is Sensitive and may be handed out only wrapped",
        )
    }

    /// The key cannot be written in this format.
    pub(in crate::operation) fn key_format(format: KeyFormatType) -> Self {
        Self::new(
            ResultReason::KeyFormatTypeNotSupported,
            format!("The key cannot be given as {format}"),
        )
    }

    /// Only points of elliptic curves can be compressed.
    pub(in crate::operation) fn key_compression() -> Self {
        Self::new(
            ResultReason::KeyCompressionTypeNotSupported,
            "A symmetric key cannot be compressed",
        )
    }

    /// The object cannot be checked.
    pub(in crate::operation) fn not_checkable() -> Self {
        Self::new(ResultReason::IllegalOperation, "Check applies to keys that exist")
            .since_2(ResultReason::IllegalObjectType)
    }

    /// The object may not be used as Check asked (section 11.11). The answer tells what stands against it.
    pub(in crate::operation) fn checked(against: CheckResponse) -> Self {
        let mut refusal = Self::new(
            ResultReason::PermissionDenied,
            "The object may not be used in this way",
        )
        .since_2(if against.cryptographic_usage_mask.is_some() {
            ResultReason::IncompatibleCryptographicUsageMask
        } else {
            ResultReason::UsageLimitExceeded
        });
        refusal.more.check = Some(against);
        refusal
    }

    /// An attribute is named twice (section 11.13).
    pub(in crate::operation) fn attribute_named_twice(name: &AttributeName) -> Self {
        Self::new(
            ResultReason::InvalidMessage,
            format!("{name} is named more than once"),
        )
    }

    /// An attribute is refused.
    pub(in crate::operation) fn of_attribute(error: &AttributeError, at: AttributeUse) -> Self {
        use AttributeUse::{Adding, Deleting, Making, Modifying, Setting};
        let reason = match error {
            AttributeError::ApplicationNamespace => ResultReason::ApplicationNamespaceNotSupported,
            AttributeError::TooMany { .. } => ResultReason::IndexOutOfBounds,
            AttributeError::NotModifiable { .. } | AttributeError::NotDeletable { .. } => {
                ResultReason::PermissionDenied
            }
            AttributeError::ReadOnly { .. }
            | AttributeError::NotApplicable { .. }
            | AttributeError::Unknown { .. }
                if at == Adding =>
            {
                ResultReason::PermissionDenied
            }
            AttributeError::Exists { .. } if matches!(at, Adding | Modifying) => {
                ResultReason::IllegalOperation
            }
            AttributeError::NoInstance { .. } | AttributeError::NoSuchValue { .. } => {
                ResultReason::ItemNotFound
            }
            AttributeError::Absent { .. } if at == Deleting => ResultReason::ItemNotFound,
            AttributeError::LifeCycle(LifeCycleError::Order { .. }) => ResultReason::InvalidField,
            AttributeError::LifeCycle(_) if matches!(at, Adding | Modifying) => {
                ResultReason::PermissionDenied
            }
            _ => ResultReason::InvalidField,
        };
        let since_2 = match error {
            AttributeError::ReadOnly { .. } | AttributeError::NotModifiable { .. } if at == Setting => {
                Some(ResultReason::ReadOnlyAttribute)
            }
            AttributeError::ReadOnly { .. }
            | AttributeError::NotModifiable { .. }
            | AttributeError::NotDeletable { .. } => Some(ResultReason::AttributeReadOnly),
            AttributeError::MultiValued { .. } => Some(ResultReason::MultiValuedAttribute),
            AttributeError::NotAdjustable { .. } => Some(ResultReason::InvalidDataType),
            AttributeError::Range { .. } => Some(ResultReason::NumericRange),
            AttributeError::Unknown { .. } | AttributeError::NotApplicable { .. } => {
                Some(ResultReason::InvalidAttribute)
            }
            AttributeError::Exists { .. } | AttributeError::Several { .. } => {
                Some(ResultReason::AttributeSingleValued)
            }
            AttributeError::TooMany { .. } => Some(ResultReason::ServerLimitExceeded),
            AttributeError::NoInstance { .. } | AttributeError::NoSuchValue { .. } => {
                Some(ResultReason::AttributeInstanceNotFound)
            }
            AttributeError::Absent { .. } => Some(ResultReason::AttributeNotFound),
            AttributeError::Invalid { .. } if at != Making => Some(ResultReason::InvalidAttributeValue),
            AttributeError::LifeCycle(LifeCycleError::Order { .. }) => None,
            AttributeError::LifeCycle(_) => Some(ResultReason::WrongKeyLifecycleState),
            _ => None,
        };
        Self {
            reason_since_2: since_2,
            ..Self::new(reason, sentence(&error.to_string()))
        }
    }

    /// Activate, Revoke or Destroy does not fit the object's state.
    pub(in crate::operation) fn of_life_cycle(error: LifeCycleError, operation: Operation) -> Self {
        let reason = match (error, operation) {
            // A template cannot be activated or revoked (sections 11.20 and 11.21). For a state that cannot be left by
            // Revoke there is no row; the request itself is at fault.
            (LifeCycleError::NoLifeCycle, _) | (LifeCycleError::Illegal { .. }, Operation::Revoke) => {
                ResultReason::IllegalOperation
            }
            _ => ResultReason::PermissionDenied,
        };
        let since_2 = match error {
            LifeCycleError::NoLifeCycle => ResultReason::InvalidObjectType,
            _ => ResultReason::WrongKeyLifecycleState,
        };
        Self::new(reason, sentence(&error.to_string())).since_2(since_2)
    }
}
