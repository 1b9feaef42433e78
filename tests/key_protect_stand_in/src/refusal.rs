//! What a client is refused, in the form of the service's errors.
//!
//! Source: Key Protect's documentation, "Error messages": reason codes, their HTTP statuses and messages.

use hyper::StatusCode;
use serde_json::{Value, json};

/// A refusal: one of the service's reasons.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    code: &'static str,
    message: String,
}

/// Makes a function for each reason that has one message.
macro_rules! reasons {
    ($($(#[$about:meta])* $name:ident: $status:ident $code:literal $message:literal;)*) => {
        impl Refusal {
            $($(#[$about])* pub(crate) fn $name() -> Self {
                Self::new(StatusCode::$status, $code, $message)
            })*
        }
    };
}

reasons! {
    key_not_found: NOT_FOUND "KEY_NOT_FOUND_ERR" "Key does not exist";
    key_ring_not_found: NOT_FOUND "KEY_RING_NOT_FOUND_ERR" "Key ring does not exist";
    alias_not_found: NOT_FOUND "KEY_ALIAS_NOT_FOUND_ERR" "Alias does not exist for this key";
    import_token_not_found: NOT_FOUND "IMPORT_TOKEN_NOT_FOUND_ERR" "There is no import token";
    no_such_path: NOT_FOUND "NOT_FOUND_ERR" "There is no such resource";
    unauthorized: UNAUTHORIZED "UNAUTHORIZED_ERR"
        "Unauthorized: The user does not have access to the specified resource";
    forbidden: FORBIDDEN "UNAUTHORIZED_ERR" "Unauthorized: The user does not have access to the specified resource";
    no_body: BAD_REQUEST "NO_BODY_ERR" "Missing body in request";
    root_key_required: BAD_REQUEST "KEY_ROOT_REQ_ERR" "Requested action can only be completed with a root key";
    expired: BAD_REQUEST "KEY_EXPIRED_ERR" "The action could not be performed on the key because the key is expired";
    payload_required: BAD_REQUEST "KEY_PAYLOAD_REQ_ERR"
        "This root key was created with user-supplied key material: Key material is required to perform a \
         'rotate' action";
    restore_expired: BAD_REQUEST "KEY_RESTORE_EXPIRED" "Key restoration has expired";
    collection_total: BAD_REQUEST "COLLECTION_TOTAL_MISMATCH_ERR"
        "Collection total does not match number of resources";
    body_query_mismatch: BAD_REQUEST "BODY_QUERY_PARAM_MISMATCH_ERR"
        "Data in body does not match data required by query parameter";
    incorrect_nonce: BAD_REQUEST "INCORRECT_NONCE_ERR"
        "The encrypted nonce given does not match existing record: Please ensure the correct nonce was given in \
         the request";
    incorrect_nonce_iv: BAD_REQUEST "INCORRECT_NONCE_IV_ERR"
        "The provided encrypted nonce was not encrypted with the key material given OR the provided IV does not \
         match the encrypted nonce";
    import_token_expired: CONFLICT "IMPORT_TOKEN_EXPIRED_ERR" "The import token has expired";
    invalid_state: CONFLICT "KEY_ACTION_INVALID_STATE_ERR" "Key is not in a valid state";
    protected_resource: CONFLICT "PROTECTED_RESOURCE_ERR" "Key is protecting one or more cloud resources";
    retention_policy: CONFLICT "PREV_KEY_DEL_ERR"
        "The key cannot be deleted because it's protecting a cloud resource that has a retention policy: Before \
         you delete this key, contact an account owner to remove the retention policy on each resource that is \
         associated with the key";
    authorizations_not_met: CONFLICT "AUTHORIZATIONS_NOT_MET"
        "Number of authorizations required to delete is not met";
    not_dual_auth: CONFLICT "NOT_DUAL_AUTH_ERR" "The key is not dual auth enabled and cannot be set for deletion";
    rotated_lately: CONFLICT "KEY_ROTATION_NOT_PERMITTED"
        "This root key has been rotated within the last hour: Only one 'rotate' action per hour is permitted";
    too_early: CONFLICT "REQ_TOO_EARLY_ERR" "The key was updated recently: Please wait and try again";
    create_import_access: CONFLICT "KEY_CREATE_IMPORT_ACCESS_ERR"
        "KeyCreateImportAccess instance policy does not allow this action";
    alias_not_unique: CONFLICT "KEY_ALIAS_NOT_UNIQUE_ERR"
        "One or more aliases are already associated with a key in the instance";
    key_ring_exists: CONFLICT "KEY_RING_NOT_UNIQUE_ERR" "A key ring with this ID exists already";
    key_ring_not_empty: CONFLICT "KEY_RING_NOT_EMPTY_ERR" "The key ring contains keys";
    key_ring_reserved: BAD_REQUEST "KEY_RING_RESERVED_ERR"
        "The key ring 'default' can be neither created nor deleted";
    too_many_aliases: BAD_REQUEST "KEY_ALIAS_QUOTA_ERR" "A key can have at most five aliases";
    deleted: GONE "KEY_DELETED_ERR" "Key has already been deleted: Please delete references to this key";
    ciphertext: UNPROCESSABLE_ENTITY "UNPROCESSABLE_CIPHERTEXT_ERR" "The provided ciphertext is invalid or corrupted";
    search_too_broad: BAD_REQUEST "KEY_SEARCH_TOO_BROAD" "More than 5000 keys would have to be searched";
}

impl Refusal {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            status,
            code,
            message,
        }
    }

    /// `BAD_BODY_ERR`, with what is wrong.
    pub(crate) fn bad_body(what: impl std::fmt::Display) -> Self {
        let message = format!(
            "Invalid body data was passed: Please ensure the data passed had valid formatting with no invalid characters: {what}"
        );
        Self::new(StatusCode::BAD_REQUEST, "BAD_BODY_ERR", message)
    }

    /// `INVALID_FIELD_ERR`, with what is wrong.
    pub(crate) fn invalid_field(field: &str, what: impl std::fmt::Display) -> Self {
        let message = format!("The field `{field}` is invalid: {what}");
        Self::new(StatusCode::BAD_REQUEST, "INVALID_FIELD_ERR", message)
    }

    /// The stand-in itself failed, such as its token or its disk.
    pub(crate) fn internal(what: impl std::fmt::Display) -> Self {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Self::new(
            status,
            "INTERNAL_SERVER_ERR",
            format!("Internal Server Error: {what}"),
        )
    }

    /// One that a fault asks for.
    pub(crate) fn of_a_fault(status: StatusCode) -> Self {
        Self::new(status, "SERVICE_FAULT_ERR", "The stand-in was told to answer so")
    }

    /// The body, saying what could not be done, such as "Key could not be created".
    pub(crate) fn body(&self, what: &str) -> Value {
        let reason = self.status.canonical_reason().unwrap_or("Error");
        let Self {
            status,
            code,
            message,
        } = self;
        json!({
            "metadata": {"collectionType": "application/vnd.ibm.kms.error+json", "collectionTotal": 1},
            "resources": [{
                "errorMsg": format!("{reason}: {what}: Please see `reasons` for more details ({code})"),
                "reasons": [{
                    "code": code,
                    "message": message,
                    "status": status.as_u16(),
                    "moreInfo": "https://cloud.ibm.com/apidocs/key-protect",
                }],
            }],
        })
    }
}

impl From<claviger_hsm::Error> for Refusal {
    fn from(error: claviger_hsm::Error) -> Self {
        match error {
            claviger_hsm::Error::WrappedKeyRefused => Self::ciphertext(),
            error => Self::internal(error),
        }
    }
}
