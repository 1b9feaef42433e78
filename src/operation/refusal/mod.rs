//! Why a request is not carried out, in the words of KMIP 1.4, section 11, and of KMIP 2.1, sections 6 and 11.46.
//!
//! Result Reasons and their wording are chosen here and nowhere else. What a client reads names no object of another
//! adapter, and nothing of the store or the device behind this server; what it does not read is kept for the
//! custody record.

mod behind;
mod import;
mod object;
mod replacement;
mod session;
mod usage;

use std::borrow::Cow;

use crate::custody::{DeviceFault, Outcome};
use crate::kmip::enumeration::{Enumeration, Operation, ResultReason};
use crate::kmip::payload::CheckResponse;
use crate::kmip::ttlv::DecodeError;
use crate::kmip::version::ProtocolVersion;
use crate::recorder::Deletion;
use crate::store;

/// A request that is not carried out.
#[derive(Debug)]
pub(in crate::operation) struct Refusal {
    reason: ResultReason,
    /// The reason from 2.0 on, where it is not the one that 1.x has, or its successor.
    reason_since_2: Option<ResultReason>,
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
    /// The key that was found deleted in the key manager. For a record of its own.
    deletion: Option<Deletion>,
    /// Whether nobody knows if it was carried out.
    is_unknown: bool,
    /// The row that was found changed by another hand. For a record of its own.
    tampered: Option<Tampered>,
    /// What a failed Check answers.
    check: Option<CheckResponse>,
}

/// A row that another hand changed.
#[derive(Clone, Debug)]
pub(in crate::operation) struct Tampered {
    pub(in crate::operation) table: String,
    pub(in crate::operation) id: String,
    pub(in crate::operation) what: String,
}

impl Tampered {
    /// The row that a store's error tells of, if it tells of one.
    pub(in crate::operation) fn of(error: &store::Error) -> Option<Self> {
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
pub(in crate::operation) enum AttributeUse {
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
    /// Set Attribute and Adjust Attribute (KMIP 2.1, sections 6.1.51.1 and 6.1.3.1).
    Setting,
}

impl Refusal {
    fn new(reason: ResultReason, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            reason,
            reason_since_2: None,
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

    /// The same, with this reason for clients of 2.0 and later.
    fn since_2(self, reason: ResultReason) -> Self {
        Self {
            reason_since_2: Some(reason),
            ..self
        }
    }

    // Of any request.

    /// There is no such object in this adapter, whoever else may have one.
    pub(in crate::operation) fn not_found() -> Self {
        Self::new(
            ResultReason::ItemNotFound,
            "There is no object with this Unique Identifier",
        )
    }

    /// Neither the request nor the batch before it says which object is meant.
    pub(in crate::operation) fn no_identifier() -> Self {
        Self::new(
            ResultReason::ItemNotFound,
            "No Unique Identifier came, and the ID Placeholder is empty",
        )
    }

    /// What is referred to is several objects.
    pub(in crate::operation) fn several_identifiers() -> Self {
        Self::new(
            ResultReason::InvalidField,
            "The operation that is referred to answered with several Unique Identifiers; name one",
        )
    }

    /// The message, or a payload in it, cannot be read.
    pub(in crate::operation) fn unreadable(error: &DecodeError) -> Self {
        Self::new(error.result_reason(), error.to_string())
    }

    /// The version is not spoken here.
    pub(in crate::operation) fn version(version: ProtocolVersion) -> Self {
        Self::new(
            ResultReason::InvalidMessage,
            format!("KMIP {version} is not supported; 1.0 to 2.1 are"),
        )
    }

    /// The operation is not done here.
    pub(in crate::operation) fn operation(operation: Operation) -> Self {
        Self::new(
            ResultReason::OperationNotSupported,
            format!("{operation} is not supported"),
        )
    }

    /// A critical extension came (section 6.16).
    pub(in crate::operation) fn critical_extension(vendor: &str) -> Self {
        Self::new(
            ResultReason::FeatureNotSupported,
            format!("The critical Message Extension of {vendor:?} is not understood"),
        )
    }

    /// Items of a batch cannot be told apart (section 7.2).
    pub(in crate::operation) fn batch_item_id() -> Self {
        Self::new(
            ResultReason::InvalidMessage,
            "A batch of several items needs a Unique Batch Item ID in each",
        )
    }

    /// The batch is longer than any that is worked on.
    pub(in crate::operation) fn batch_too_long(limit: usize) -> Self {
        Self::new(
            ResultReason::InvalidMessage,
            format!("A batch may have at most {limit} items"),
        )
    }

    /// The answer is larger than the client takes (section 6.3).
    pub(in crate::operation) fn response_too_large(size: usize, limit: usize) -> Self {
        Self::new(
            ResultReason::ResponseTooLarge,
            format!("The response has {size} bytes, and the Maximum Response Size is {limit}"),
        )
    }

    /// A message for the log is longer than any that is written down.
    pub(in crate::operation) fn log_message(limit: usize) -> Self {
        Self::invalid_field(format!("A Log Message may have at most {limit} bytes"))
    }

    /// Defaults or constraints are more than are kept.
    pub(in crate::operation) fn shapes_too_large(limit: usize) -> Self {
        Self::invalid_field(format!("They may have at most {limit} bytes as they are kept"))
    }

    /// A field has a value that it cannot have.
    pub(in crate::operation) fn invalid_field(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ResultReason::InvalidField, message)
    }

    // What becomes of it.

    /// The Result Reason in a version. Reasons that came later have one that was there before them.
    pub(in crate::operation) fn reason(&self, version: ProtocolVersion) -> ResultReason {
        if version.tags_attributes() {
            return self.reason_since_2.unwrap_or_else(|| since_2(self.reason));
        }
        if self.reason.is_known_in(version) {
            self.reason
        } else {
            ResultReason::PermissionDenied
        }
    }

    /// What the client reads.
    pub(in crate::operation) fn message(&self) -> &str {
        &self.message
    }

    /// What the record reads.
    pub(in crate::operation) fn for_the_record(&self) -> String {
        match &self.more.cause {
            None => format!("{}: {}", self.reason, self.message),
            Some(cause) => format!("{}: {} ({cause})", self.reason, self.message),
        }
    }

    /// Whether it was refused, or failed.
    pub(in crate::operation) const fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// The device's own error.
    pub(in crate::operation) const fn device(&self) -> Option<&DeviceFault> {
        self.more.device.as_ref()
    }

    /// The row that another hand changed, if that is why.
    pub(in crate::operation) const fn tampered(&self) -> Option<&Tampered> {
        self.more.tampered.as_ref()
    }

    /// The key that was found deleted in the key manager, if that is why.
    pub(in crate::operation) const fn deletion(&self) -> Option<&Deletion> {
        self.more.deletion.as_ref()
    }

    /// Whether nobody knows if what was asked for was carried out.
    pub(in crate::operation) const fn is_unknown(&self) -> bool {
        self.more.is_unknown
    }

    /// What a failed Check answers.
    pub(in crate::operation) fn into_check(self) -> Option<CheckResponse> {
        self.more.check
    }
}

/// The reason that took the place of one of 1.x (KMIP 2.1, section 11.46).
const fn since_2(reason: ResultReason) -> ResultReason {
    match reason {
        ResultReason::ItemNotFound => ResultReason::ObjectNotFound,
        ResultReason::IllegalOperation => ResultReason::PermissionDenied,
        ResultReason::IndexOutOfBounds => ResultReason::ServerLimitExceeded,
        reason => reason,
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
