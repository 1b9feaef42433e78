//! Why a key is not used for a client: Encrypt, Decrypt, MAC, MAC Verify, Hash, RNG Retrieve, RNG Seed, Derive Key.
//!
//! Where the standard's own cases have another reason than its tables, the cases count.

use super::{Refusal, sentence};
use crate::cryptography;
use crate::key::UsageError;
use crate::kmip::enumeration::{CryptographicAlgorithm, DerivationMethod, ObjectType, ResultReason};
use crate::kmip::mask::CryptographicUsageMask;
use crate::root_key;

impl Refusal {
    /// The state, the dates or the Usage Limits of the object do not allow the use.
    pub(in crate::operation) fn of_usage(error: UsageError) -> Self {
        let since_2 = match error {
            UsageError::Limit => ResultReason::PermissionDenied,
            UsageError::NoLifeCycle => ResultReason::InvalidObjectType,
            _ => ResultReason::WrongKeyLifecycleState,
        };
        Self::new(ResultReason::PermissionDenied, sentence(&error.to_string())).since_2(since_2)
    }

    /// The Cryptographic Usage Mask of the object does not allow the use.
    pub(in crate::operation) fn usage_mask(needed: CryptographicUsageMask) -> Self {
        Self::new(
            ResultReason::PermissionDenied,
            format!("The Cryptographic Usage Mask of the object does not have {needed}"),
        )
        .since_2(ResultReason::IncompatibleCryptographicUsageMask)
    }

    /// Objects of this type are not used so.
    pub(in crate::operation) fn not_usable_type(object_type: ObjectType) -> Self {
        Self::new(
            ResultReason::IllegalOperation,
            format!("An object of type {object_type} cannot be used so"),
        )
        .since_2(ResultReason::InvalidObjectType)
    }

    /// The value of the object is not here.
    pub(in crate::operation) fn value_not_here() -> Self {
        Self::new(
            ResultReason::KeyValueNotPresent,
            "The value of the object is not kept here",
        )
    }

    /// The device can't do it, and it is not done elsewhere.
    pub(in crate::operation) fn device_lacks(what: &str) -> Self {
        Self::new(
            ResultReason::FeatureNotSupported,
            format!(
                "The device does not do this: {what}. It would be done in the server with the setting \
                 `cryptography_in_server` of `[kmip]`"
            ),
        )
    }

    /// The device did not use the key.
    pub(in crate::operation) fn not_used(error: &root_key::Error) -> Self {
        if error.is_refusal_of_the_data() {
            return Self::data_refused();
        }
        if error.is_unusable_data() {
            return Self::new(
                ResultReason::CryptographicFailure,
                "The data has a length that cannot be worked on in this way",
            );
        }
        Self::of_backend("The key could not be used", error)
    }

    /// The software here did not do it.
    pub(in crate::operation) fn of_cryptography(error: &cryptography::Error) -> Self {
        match error {
            cryptography::Error::Unsupported { .. } => {
                Self::new(ResultReason::FeatureNotSupported, sentence(&error.to_string()))
                    .since_2(ResultReason::UnsupportedCryptographicParameters)
            }
            cryptography::Error::Length { .. } => {
                Self::new(ResultReason::CryptographicFailure, sentence(&error.to_string()))
            }
            cryptography::Error::Refused => Self::data_refused(),
            cryptography::Error::Library { .. } => Self::failed(
                ResultReason::CryptographicFailure,
                "The data could not be worked on",
                error.to_string(),
            ),
        }
    }

    /// The tag or the padding is wrong; which of them is not told.
    pub(in crate::operation) fn data_refused() -> Self {
        Self::new(
            ResultReason::CryptographicFailure,
            "The data is not what was encrypted with this key",
        )
    }

    /// The data is no whole number of blocks.
    pub(in crate::operation) fn data_length(bytes: usize) -> Self {
        Self::new(
            ResultReason::CryptographicFailure,
            format!("{bytes} bytes are no whole number of blocks, and there is no padding"),
        )
    }

    /// No data came.
    pub(in crate::operation) fn no_data() -> Self {
        Self::new(ResultReason::InvalidMessage, "The data is missing")
    }

    /// No code to be compared came.
    pub(in crate::operation) fn no_mac_data() -> Self {
        Self::new(ResultReason::InvalidMessage, "The MAC Data is missing")
    }

    /// No Hashing Algorithm came.
    pub(in crate::operation) fn no_hashing_algorithm() -> Self {
        Self::new(
            ResultReason::InvalidMessage,
            "The Cryptographic Parameters have no Hashing Algorithm",
        )
        .since_2(ResultReason::BadCryptographicParameters)
    }

    /// Neither the request nor the key says which mode.
    pub(in crate::operation) fn no_mode() -> Self {
        Self::new(
            ResultReason::InvalidField,
            "Neither the request nor the key has Cryptographic Parameters with a Block Cipher Mode",
        )
        .since_2(ResultReason::BadCryptographicParameters)
    }

    /// The key is for another algorithm.
    pub(in crate::operation) fn other_algorithm(
        own: CryptographicAlgorithm,
        asked: CryptographicAlgorithm,
    ) -> Self {
        Self::new(
            ResultReason::InvalidField,
            format!("A key of {own} is not used for {asked}"),
        )
        .since_2(ResultReason::BadCryptographicParameters)
    }

    /// Nobody here encrypts so.
    pub(in crate::operation) fn no_such_cipher(what: &str) -> Self {
        Self::new(
            ResultReason::FeatureNotSupported,
            format!("Encryption with {what} is not supported"),
        )
        .since_2(ResultReason::UnsupportedCryptographicParameters)
    }

    /// Nobody here authenticates so.
    pub(in crate::operation) fn no_such_mac(what: &str) -> Self {
        Self::new(
            ResultReason::FeatureNotSupported,
            format!("Message authentication codes with {what} are not supported"),
        )
        .since_2(ResultReason::UnsupportedCryptographicParameters)
    }

    /// No vector came, and none is to be made.
    pub(in crate::operation) fn missing_iv() -> Self {
        Self::new(
            ResultReason::InvalidMessage,
            "The IV/Counter/Nonce is missing, and the Cryptographic Parameters do not have Random IV",
        )
    }

    /// The vector has another length.
    pub(in crate::operation) fn iv_length(bytes: usize) -> Self {
        Self::new(
            ResultReason::InvalidField,
            format!("The cipher takes no IV/Counter/Nonce of {bytes} bytes"),
        )
        .since_2(ResultReason::BadCryptographicParameters)
    }

    /// No counter is that long.
    pub(in crate::operation) fn counter_length() -> Self {
        Self::new(
            ResultReason::InvalidField,
            "The Counter Length is to be from 1 to 128 bits",
        )
        .since_2(ResultReason::BadCryptographicParameters)
    }

    /// No tag is that long.
    pub(in crate::operation) fn tag_length() -> Self {
        Self::new(
            ResultReason::GeneralFailure,
            "The Tag Length is to be from 4 to 16 bytes",
        )
    }

    /// No tag came.
    pub(in crate::operation) fn missing_tag() -> Self {
        Self::new(
            ResultReason::InvalidMessage,
            "The Authenticated Encryption Tag is missing",
        )
    }

    /// The version of the message has no field for a tag.
    pub(in crate::operation) fn tag_not_in_version() -> Self {
        Self::new(
            ResultReason::FeatureNotSupported,
            "Authenticated encryption needs KMIP 1.4 or later",
        )
    }

    /// There is additional data, and no mode that authenticates it.
    pub(in crate::operation) fn no_additional_data() -> Self {
        Self::new(
            ResultReason::InvalidField,
            "The cipher does not authenticate additional data",
        )
        .since_2(ResultReason::BadCryptographicParameters)
    }

    // Of streams.

    /// There is no such stream of this client.
    pub(in crate::operation) fn no_such_stream() -> Self {
        Self::new(
            ResultReason::InvalidField,
            "There is nothing under way with this Correlation Value",
        )
        .since_2(ResultReason::InvalidCorrelationValue)
    }

    /// The stream is one of another key.
    pub(in crate::operation) fn key_of_another_stream() -> Self {
        Self::new(
            ResultReason::InvalidField,
            "What is under way with this Correlation Value is so with another key",
        )
        .since_2(ResultReason::InvalidCorrelationValue)
    }

    /// A first part has a Correlation Value.
    pub(in crate::operation) fn stream_begins_twice() -> Self {
        Self::new(
            ResultReason::InvalidMessage,
            "A request has either the Init Indicator or a Correlation Value",
        )
    }

    /// Too much is under way.
    pub(in crate::operation) fn too_many_streams() -> Self {
        Self::new(
            ResultReason::GeneralFailure,
            "Too much is under way in parts, or too much data is held for it",
        )
        .since_2(ResultReason::ServerLimitExceeded)
    }

    /// The data that is referred to was not answered.
    pub(in crate::operation) fn no_such_data() -> Self {
        Self::new(
            ResultReason::InvalidField,
            "No operation before this one answered with the data that is referred to",
        )
    }

    // Of derivation.

    /// The method needs something else.
    pub(in crate::operation) fn derivation(needed: &str) -> Self {
        Self::new(
            ResultReason::InvalidField,
            format!("The Derivation Method needs {needed}"),
        )
        .since_2(ResultReason::BadCryptographicParameters)
    }

    /// Keys are not derived so.
    pub(in crate::operation) fn derivation_method(method: DerivationMethod) -> Self {
        Self::new(
            ResultReason::FeatureNotSupported,
            format!("Keys are not derived by {method}"),
        )
        .since_2(ResultReason::UnsupportedCryptographicParameters)
    }

    // Of random numbers.

    /// So many random bytes are not given at once.
    pub(in crate::operation) fn random_length() -> Self {
        Self::new(
            ResultReason::InvalidField,
            "The Data Length is to be from 1 to 65,535 bytes",
        )
    }

    /// Seeds are not taken.
    pub(in crate::operation) fn seed() -> Self {
        Self::new(
            ResultReason::PermissionDenied,
            "Seeds are not taken, by the server's configuration",
        )
    }

    /// The device did not give random numbers, or take a seed.
    pub(in crate::operation) fn no_random(error: &root_key::Error) -> Self {
        if error.unsupported_what().is_some() {
            return Self::new(
                ResultReason::OperationNotSupported,
                "The device gives no random numbers",
            );
        }
        Self::of_backend("The device's generator of random numbers did not work", error)
    }
}
