//! Why a request is not carried out, in the words of KMIP 1.4, section 11.
//!
//! Result Reasons and their wording are chosen here and nowhere else. What a client reads names no object of another
//! adapter, and nothing of the store or the device behind this server; what it does not read is kept for the
//! custody record.

use std::borrow::Cow;

use crate::adapter::RootKeyState;
use crate::custody::{DeviceFault, Outcome};
use crate::key::{AttributeError, LifeCycleError};
use crate::kmip::attribute::{AttributeName, Name};
use crate::kmip::enumeration::{Enumeration, KeyFormatType, ObjectType, Operation, ResultReason};
use crate::kmip::payload::CheckResponse;
use crate::kmip::ttlv::DecodeError;
use crate::kmip::version::ProtocolVersion;
use crate::root_key::KeyWrap;
use crate::{recorder, root_key, store};

/// A request that is not carried out.
#[derive(Debug)]
pub(super) struct Refusal {
    reason: ResultReason,
    message: Cow<'static, str>,
    /// Whether it was not allowed, or was allowed and did not work.
    outcome: Outcome,
    more: Box<More>,
}

/// What few refusals have.
#[derive(Debug, Default)]
struct More {
    /// What happened behind the server. For the record alone.
    cause: Option<String>,
    /// The device's own error. For the record alone.
    device: Option<DeviceFault>,
    /// The row that was found changed by another hand. For a record of its own.
    tampered: Option<Tampered>,
    /// What a failed Check answers.
    check: Option<CheckResponse>,
}

/// A row that another hand changed.
#[derive(Clone, Debug)]
pub(super) struct Tampered {
    pub(super) table: String,
    pub(super) id: String,
    pub(super) what: String,
}

impl Tampered {
    /// The row that a store's error tells of, if it tells of one.
    pub(super) fn of(error: &store::Error) -> Option<Self> {
        match error {
            store::Error::Tampered { table, id, what } => Some(Self {
                table: (*table).to_owned(),
                id: id.clone(),
                what: what.clone(),
            }),
            _ => None,
        }
    }
}

/// What an attribute was refused at: the same fault has another Result Reason in each table of section 11.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AttributeUse {
    /// Create and Register (sections 11.2 and 11.4).
    Making,
    /// Locate (section 11.10).
    Locating,
    /// Add Attribute (section 11.15).
    Adding,
    /// Modify Attribute (section 11.16).
    Modifying,
    /// Delete Attribute (section 11.17).
    Deleting,
}

impl Refusal {
    fn new(reason: ResultReason, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            reason,
            message: message.into(),
            outcome: Outcome::Refused,
            more: Box::default(),
        }
    }

    /// It was allowed, and something behind the server did not work.
    fn failed(reason: ResultReason, message: impl Into<Cow<'static, str>>, cause: String) -> Self {
        let mut refusal = Self::new(reason, message);
        refusal.outcome = Outcome::Failed;
        refusal.more.cause = Some(cause);
        refusal
    }

    // Of any request.

    /// There is no such object in this adapter, whoever else may have one.
    pub(super) fn not_found() -> Self {
        Self::new(
            ResultReason::ItemNotFound,
            "There is no object with this Unique Identifier",
        )
    }

    /// Neither the request nor the batch before it says which object is meant.
    pub(super) fn no_identifier() -> Self {
        Self::new(
            ResultReason::ItemNotFound,
            "No Unique Identifier came, and the ID Placeholder is empty",
        )
    }

    /// The message, or a payload in it, cannot be read.
    pub(super) fn unreadable(error: &DecodeError) -> Self {
        Self::new(error.result_reason(), error.to_string())
    }

    /// The version is not spoken here.
    pub(super) fn version(version: ProtocolVersion) -> Self {
        Self::new(
            ResultReason::InvalidMessage,
            format!("KMIP {version} is not supported; 1.0 to 1.4 are"),
        )
    }

    /// The operation is not done here.
    pub(super) fn operation(operation: Operation) -> Self {
        Self::new(
            ResultReason::OperationNotSupported,
            format!("{operation} is not supported"),
        )
    }

    /// Undo was asked for (section 6.13).
    pub(super) fn undo() -> Self {
        Self::new(
            ResultReason::FeatureNotSupported,
            "The Batch Error Continuation Option Undo is not supported",
        )
    }

    /// A critical extension came (section 6.16).
    pub(super) fn critical_extension(vendor: &str) -> Self {
        Self::new(
            ResultReason::FeatureNotSupported,
            format!("The critical Message Extension of {vendor:?} is not understood"),
        )
    }

    /// Items of a batch cannot be told apart (section 7.2).
    pub(super) fn batch_item_id() -> Self {
        Self::new(
            ResultReason::InvalidMessage,
            "A batch of several items needs a Unique Batch Item ID in each",
        )
    }

    /// The batch is longer than any that is worked on.
    pub(super) fn batch_too_long(limit: usize) -> Self {
        Self::new(
            ResultReason::InvalidMessage,
            format!("A batch may have at most {limit} items"),
        )
    }

    /// The answer is larger than the client takes (section 6.3).
    pub(super) fn response_too_large(size: usize, limit: usize) -> Self {
        Self::new(
            ResultReason::ResponseTooLarge,
            format!("The response has {size} bytes, and the Maximum Response Size is {limit}"),
        )
    }

    /// A field has a value that it cannot have.
    pub(super) fn invalid_field(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ResultReason::InvalidField, message)
    }

    // Of objects.

    /// The object has been destroyed.
    pub(super) fn destroyed() -> Self {
        Self::new(ResultReason::PermissionDenied, "The object has been destroyed")
    }

    /// Objects of this type are not kept here.
    pub(super) fn object_type(object_type: ObjectType) -> Self {
        Self::invalid_field(format!("Objects of type {object_type} are not supported"))
    }

    /// The object came with another type than the request says.
    pub(super) fn other_object_type() -> Self {
        Self::invalid_field("The object is not of the Object Type of the request")
    }

    /// The object did not come.
    pub(super) fn no_object() -> Self {
        Self::invalid_field("The object to be registered is missing")
    }

    /// The key to be registered is missing.
    pub(super) fn no_key_value() -> Self {
        Self::new(
            ResultReason::FeatureNotSupported,
            "Keys whose Key Value is kept elsewhere are not supported",
        )
    }

    /// Key wrapping is not done here.
    pub(super) fn key_wrapping() -> Self {
        Self::new(
            ResultReason::FeatureNotSupported,
            "Keys are wrapped by encryption with AES key wrap alone: NISTKeyWrap or AESKeyWrapPadding",
        )
    }

    /// The Key Wrapping Specification names no key to encrypt with (section 2.1.6).
    pub(super) fn no_wrapping_key_named() -> Self {
        Self::new(
            ResultReason::InvalidField,
            "The Key Wrapping Specification has no Encryption Key Information",
        )
    }

    /// The wrapping key does not exist (section 11.12).
    pub(super) fn no_wrapping_key() -> Self {
        Self::new(
            ResultReason::ItemNotFound,
            "There is no wrapping key with the Unique Identifier of the Encryption Key Information",
        )
    }

    /// What should wrap is no key (section 11.12).
    pub(super) fn wrapping_object_is_no_key() -> Self {
        Self::new(
            ResultReason::IllegalOperation,
            "The object of the Encryption Key Information is not a key",
        )
    }

    /// The wrapping key may not wrap (section 11.12).
    pub(super) fn wrapping_key_unusable() -> Self {
        Self::new(
            ResultReason::PermissionDenied,
            "A wrapping key is another key: an Active AES key with Wrap Key in its Cryptographic Usage Mask",
        )
    }

    /// The wrapping key is under a root key of another device, and neither leaves its device in the clear.
    pub(super) fn wrapping_key_elsewhere() -> Self {
        Self::new(
            ResultReason::FeatureNotSupported,
            "The key and the wrapping key are held by different devices: neither can be wrapped under the other",
        )
    }

    /// The wrapping key has no such Cryptographic Parameters (section 11.12).
    pub(super) fn no_wrapping_parameters() -> Self {
        Self::new(
            ResultReason::ItemNotFound,
            "The wrapping key has no Cryptographic Parameters that fit, and the request names none",
        )
    }

    /// The key cannot be wrapped with this Encoding Option (section 11.12).
    pub(super) fn encoding_option() -> Self {
        Self::new(
            ResultReason::EncodingOptionError,
            "Keys are wrapped with No Encoding, without attributes",
        )
    }

    /// The device did not wrap a key under a client's: it has no such key wrap, or something else was wrong.
    pub(super) fn not_wrapped(error: &root_key::Error, key_wrap: KeyWrap) -> Self {
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
    pub(super) fn not_wrappable() -> Self {
        Self::new(
            ResultReason::FeatureNotSupported,
            "AES key wrap takes keys of at least 16 bytes whose length is a multiple of 8",
        )
    }

    /// A template has no key to be wrapped.
    pub(super) fn wrapped_template() -> Self {
        Self::new(
            ResultReason::IllegalOperation,
            "A Template cannot be wrapped or converted",
        )
    }

    /// A template that the request names does not exist (sections 11.2 and 11.4).
    pub(super) fn no_template(name: &Name) -> Self {
        Self::new(
            ResultReason::ItemNotFound,
            format!("There is no Template of the name {:?}", name.value),
        )
    }

    /// The name of a new object is taken (sections 11.2 and 11.4).
    pub(super) fn name_of_new_taken(name: &Name) -> Self {
        Self::invalid_field(format!("The name {:?} is in use", name.value))
    }

    /// A name to be added or changed is taken (sections 11.15 and 11.16).
    pub(super) fn name_taken(name: &Name) -> Self {
        Self::new(
            ResultReason::IllegalOperation,
            format!("The name {:?} is in use", name.value),
        )
    }

    /// The object may not leave this server.
    pub(super) fn not_extractable() -> Self {
        Self::new(ResultReason::NotExtractable, "The object is not Extractable")
    }

    /// The object may leave this server only wrapped.
    pub(super) fn sensitive() -> Self {
        Self::new(
            ResultReason::Sensitive,
            "The object is Sensitive and may be handed out only wrapped",
        )
    }

    /// The key cannot be written in this format.
    pub(super) fn key_format(format: KeyFormatType) -> Self {
        Self::new(
            ResultReason::KeyFormatTypeNotSupported,
            format!("The key cannot be given as {format}"),
        )
    }

    /// Only points of elliptic curves can be compressed.
    pub(super) fn key_compression() -> Self {
        Self::new(
            ResultReason::KeyCompressionTypeNotSupported,
            "A symmetric key cannot be compressed",
        )
    }

    /// The object cannot be checked.
    pub(super) fn not_checkable() -> Self {
        Self::new(ResultReason::IllegalOperation, "Check applies to keys that exist")
    }

    /// The object may not be used as Check asked (section 11.11). The answer tells what stands against it.
    pub(super) fn checked(against: CheckResponse) -> Self {
        let mut refusal = Self::new(
            ResultReason::PermissionDenied,
            "The object may not be used in this way",
        );
        refusal.more.check = Some(against);
        refusal
    }

    /// An attribute is named twice (section 11.13).
    pub(super) fn attribute_named_twice(name: &AttributeName) -> Self {
        Self::new(
            ResultReason::InvalidMessage,
            format!("{name} is named more than once"),
        )
    }

    /// An attribute is refused.
    pub(super) fn of_attribute(error: &AttributeError, at: AttributeUse) -> Self {
        use AttributeUse::{Adding, Deleting, Modifying};
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
            AttributeError::NoInstance { .. } => ResultReason::ItemNotFound,
            AttributeError::Absent { .. } if at == Deleting => ResultReason::ItemNotFound,
            AttributeError::LifeCycle(LifeCycleError::Order { .. }) => ResultReason::InvalidField,
            AttributeError::LifeCycle(_) if matches!(at, Adding | Modifying) => {
                ResultReason::PermissionDenied
            }
            _ => ResultReason::InvalidField,
        };
        Self::new(reason, sentence(&error.to_string()))
    }

    /// Activate, Revoke or Destroy does not fit the object's state.
    pub(super) fn of_life_cycle(error: LifeCycleError, operation: Operation) -> Self {
        let reason = match (error, operation) {
            // A template cannot be activated or revoked (sections 11.20 and 11.21). For a state that cannot be left by
            // Revoke there is no row; the request itself is at fault.
            (LifeCycleError::NoLifeCycle, _) | (LifeCycleError::Illegal { .. }, Operation::Revoke) => {
                ResultReason::IllegalOperation
            }
            _ => ResultReason::PermissionDenied,
        };
        Self::new(reason, sentence(&error.to_string()))
    }

    // Of what is behind the server.

    /// The store did not give what was asked of it.
    pub(super) fn of_store(error: &store::Error) -> Self {
        let mut refusal = Self::failed(
            ResultReason::GeneralFailure,
            "The request could not be carried out",
            error.to_string(),
        );
        refusal.more.tampered = Tampered::of(error);
        refusal
    }

    /// The root key of the object, or of the adapter, may not be used.
    pub(super) fn root_key_unusable(state: &RootKeyState) -> Self {
        let message = if state.is_beyond_recall() {
            "The root key has been destroyed: its keys cannot be read any more"
        } else {
            "The root key is disabled by an administrator"
        };
        Self::new(ResultReason::PermissionDenied, message)
    }

    /// The recorder did not write.
    pub(super) fn of_recorder(error: &recorder::Error) -> Self {
        match error.store() {
            Some(store::Error::RootKeyUnusable { state, .. }) => return Self::root_key_unusable(state),
            Some(store::Error::VersionGone { .. }) => {
                return Self::failed(
                    ResultReason::GeneralFailure,
                    "The root key was rotated meanwhile; try again",
                    error.to_string(),
                );
            }
            _ => {}
        }
        let message = match error {
            recorder::Error::OutcomeUnknown(_) | recorder::Error::WriterEnded => {
                "It is not known whether the request was carried out"
            }
            _ => "The request was not carried out, since it could not be recorded",
        };
        let mut refusal = Self::failed(ResultReason::GeneralFailure, message, error.to_string());
        refusal.more.tampered = error.store().and_then(Tampered::of);
        refusal
    }

    /// Others changed the object again and again.
    pub(super) fn busy() -> Self {
        Self::failed(
            ResultReason::GeneralFailure,
            "The object is being changed by others; try again",
            "the revision moved each time".into(),
        )
    }

    /// The adapter's own rows do not fit together.
    pub(super) fn incomplete(what: &'static str) -> Self {
        Self::failed(
            ResultReason::GeneralFailure,
            "The request could not be carried out",
            what.into(),
        )
    }

    /// The device did not make or wrap a key (section 11.2).
    pub(super) fn not_made(error: &root_key::Error) -> Self {
        Self::of_device("The key could not be made", error)
    }

    /// The device did not release a key.
    pub(super) fn not_released(error: &root_key::Error) -> Self {
        Self::of_device("The key could not be read", error)
    }

    /// A client that tries again later, or at the next server of its list, must be able to tell that from the reason: what
    /// may work in a moment is a General Failure, and what will not a Cryptographic Failure.
    fn of_device(message: &'static str, error: &root_key::Error) -> Self {
        let cause = error.to_string();
        let mut refusal = if error.is_retryable() {
            let why = if error.is_busy() {
                "the device has too much to do now"
            } else {
                "the device does not answer now"
            };
            let message = format!("{message}: {why}; try again");
            Self::failed(ResultReason::GeneralFailure, message, cause)
        } else {
            Self::failed(ResultReason::CryptographicFailure, message, cause)
        };
        refusal.more.device = error.function().map(|(function, code, name)| DeviceFault {
            function: function.to_owned(),
            code,
            name: name.to_owned(),
        });
        refusal
    }

    /// The answer could not be written.
    pub(super) fn not_written(cause: &str) -> Self {
        Self::failed(
            ResultReason::CryptographicFailure,
            "The key could not be read",
            cause.to_owned(),
        )
    }

    // What becomes of it.

    /// The Result Reason in a version. Reasons that came later have one that was there before them.
    pub(super) fn reason(&self, version: ProtocolVersion) -> ResultReason {
        if self.reason.is_known_in(version) {
            self.reason
        } else {
            ResultReason::PermissionDenied
        }
    }

    /// What the client reads.
    pub(super) fn message(&self) -> &str {
        &self.message
    }

    /// What the record reads.
    pub(super) fn for_the_record(&self) -> String {
        match &self.more.cause {
            None => format!("{}: {}", self.reason, self.message),
            Some(cause) => format!("{}: {} ({cause})", self.reason, self.message),
        }
    }

    /// Whether it was refused, or failed.
    pub(super) const fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// The device's own error.
    pub(super) const fn device(&self) -> Option<&DeviceFault> {
        self.more.device.as_ref()
    }

    /// The row that another hand changed, if that is why.
    pub(super) const fn tampered(&self) -> Option<&Tampered> {
        self.more.tampered.as_ref()
    }

    /// What a failed Check answers.
    pub(super) fn into_check(self) -> Option<CheckResponse> {
        self.more.check
    }
}

/// The text with a capital letter.
fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}
