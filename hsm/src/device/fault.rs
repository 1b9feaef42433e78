//! What an error says about the device, and how `cryptoki`'s errors become ours.

use cryptoki::context::Function;
use cryptoki::error::{Error as Pkcs11Error, Rv, RvError};
use cryptoki_sys as ck;

use crate::Error;

/// What is at fault, from the least to the most: how much has to be made anew before a repetition can succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// The request; a repetition would fail as well.
    Request,
    /// A handle that was remembered.
    Handle,
    /// The session or its login.
    Session,
    /// The token, or the module's connection to it. Some modules say so where the request is at fault.
    Token,
}

impl Fault {
    pub(crate) fn of(error: &Error) -> Self {
        match error.code() {
            Some(
                ck::CKR_OBJECT_HANDLE_INVALID
                | ck::CKR_KEY_HANDLE_INVALID
                | ck::CKR_WRAPPING_KEY_HANDLE_INVALID
                | ck::CKR_UNWRAPPING_KEY_HANDLE_INVALID,
            ) => Self::Handle,
            Some(
                ck::CKR_SESSION_HANDLE_INVALID
                | ck::CKR_SESSION_CLOSED
                | ck::CKR_USER_NOT_LOGGED_IN
                | ck::CKR_OPERATION_ACTIVE
                | ck::CKR_OPERATION_NOT_INITIALIZED,
            ) => Self::Session,
            Some(
                ck::CKR_DEVICE_ERROR
                | ck::CKR_DEVICE_REMOVED
                | ck::CKR_DEVICE_MEMORY
                | ck::CKR_TOKEN_NOT_PRESENT
                | ck::CKR_TOKEN_NOT_RECOGNIZED
                | ck::CKR_CRYPTOKI_NOT_INITIALIZED
                | ck::CKR_GENERAL_ERROR
                | ck::CKR_FUNCTION_FAILED
                | ck::CKR_HOST_MEMORY
                | ck::CKR_SLOT_ID_INVALID
                | ck::CKR_SESSION_COUNT
                | ck::CKR_VENDOR_DEFINED..,
            ) => Self::Token,
            _ => Self::Request,
        }
    }
}

impl From<Pkcs11Error> for Error {
    fn from(error: Pkcs11Error) -> Self {
        match error {
            Pkcs11Error::Pkcs11(value, function) => Self::Function {
                function: format!("C_{function:?}"),
                code: code(value),
                name: name(value),
            },
            Pkcs11Error::NullFunctionPointer => Self::Function {
                function: "a function that the module does not have".to_owned(),
                code: ck::CKR_FUNCTION_NOT_SUPPORTED,
                name: "CKR_FUNCTION_NOT_SUPPORTED".to_owned(),
            },
            other => Self::Module {
                path: String::new(),
                reason: other.to_string(),
            },
        }
    }
}

/// Turns what a function returned into a result.
pub(super) fn result(value: ck::CK_RV, function: Function) -> Result<(), Error> {
    Rv::from(value).into_result(function).map_err(Error::from)
}

/// The number of a return value. `cryptoki` maps numbers to names but not back.
fn code(value: RvError) -> u64 {
    /// All numbers that PKCS#11 3.2 gives to return values lie below.
    const BEHIND_THE_LAST: ck::CK_RV = 0x400;
    match value {
        RvError::VendorDefined(code) | RvError::UnknownErrorCode(code) => code,
        known => (1..BEHIND_THE_LAST)
            .find(|code| Rv::from(*code) == Rv::Error(known))
            .unwrap_or(0),
    }
}

/// The name of a return value as the standard writes it.
fn name(value: RvError) -> String {
    match value {
        RvError::VendorDefined(code) => format!("CKR_VENDOR_DEFINED+0x{:x}", code & !ck::CKR_VENDOR_DEFINED),
        RvError::UnknownErrorCode(_) => "an unknown return value".to_owned(),
        known => {
            let mut name = "CKR".to_owned();
            for letter in format!("{known:?}").chars() {
                if letter.is_ascii_uppercase() {
                    name.push('_');
                }
                name.push(letter.to_ascii_uppercase());
            }
            name
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operator_reads_the_names_and_numbers_of_the_standard() {
        let cases = [
            (ck::CKR_PIN_INCORRECT, "CKR_PIN_INCORRECT"),
            (ck::CKR_DEVICE_ERROR, "CKR_DEVICE_ERROR"),
            (
                ck::CKR_WRAPPING_KEY_HANDLE_INVALID,
                "CKR_WRAPPING_KEY_HANDLE_INVALID",
            ),
            (ck::CKR_VENDOR_DEFINED | 0x12, "CKR_VENDOR_DEFINED+0x12"),
        ];
        for (number, expected) in cases {
            let error = result(number, Function::WrapKey).unwrap_err();
            assert_eq!(error.code(), Some(number));
            assert_eq!(error.to_string(), format!("C_WrapKey: {expected} (0x{number:x})"));
        }
    }

    #[test]
    fn a_token_that_is_gone_is_not_taken_for_a_bad_request() {
        for (number, fault) in [
            (ck::CKR_DEVICE_REMOVED, Fault::Token),
            (ck::CKR_VENDOR_DEFINED | 1, Fault::Token),
            (ck::CKR_SESSION_CLOSED, Fault::Session),
            (ck::CKR_KEY_HANDLE_INVALID, Fault::Handle),
            (ck::CKR_KEY_UNEXTRACTABLE, Fault::Request),
        ] {
            let error = result(number, Function::WrapKey).unwrap_err();
            assert_eq!(Fault::of(&error), fault, "{error}");
            assert_eq!(error.is_retryable(), fault != Fault::Request);
        }
    }
}
