//! Root keys, their versions and their end.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

/// A customer root key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RootKey {
    /// Its identifier.
    pub id: Uuid,
    /// Its name, which no other root key has.
    pub name: String,
    /// The backend that holds it.
    pub backend: String,
    /// What that is: `pkcs11` or `key-protect`.
    #[serde(default)]
    pub kind: String,
    /// The label of the token that it lives in; in a key manager the key ring, or empty.
    pub token_label: String,
    /// The serial number of that token; in a key manager the instance.
    pub token_serial: String,
    /// Its label on the token (`CKA_LABEL`), or its name in the key manager.
    pub label: String,
    /// Its version.
    pub version: u32,
    /// Its check value.
    pub check_value: String,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// How many adapters use it.
    pub adapters: u64,
    /// Its versions that are still known, the present one last.
    #[serde(default)]
    pub versions: Vec<RootKeyVersion>,
    /// `enabled`, `disabled`, `scheduled` for destruction, `destroying` or `destroyed`.
    #[serde(default)]
    pub state: String,
    /// How its present version came to be: `generated`, `imported` or `adopted`.
    #[serde(default)]
    pub origin: String,
    /// The destruction that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destruction: Option<Destruction>,
    /// Since when it is destroyed.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "time::serde::rfc3339::option"
    )]
    pub destroyed_at: Option<OffsetDateTime>,
    /// How the re-wrapping of its keys does; absent where no key waits for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation: Option<Rotation>,
    /// What depends on it; for one root key, not in a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dependents: Option<Dependents>,
    /// Why a destruction that has begun is not at its end yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// A destruction of a root key that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Destruction {
    /// When it was asked for.
    #[serde(with = "time::serde::rfc3339")]
    pub requested_at: OffsetDateTime,
    /// Who asked for it.
    pub requested_by: String,
    /// The other administrator who approved of it; absent as long as nobody has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<String>,
    /// It is carried out at this time, or when it is approved, whichever is later.
    #[serde(with = "time::serde::rfc3339")]
    pub due_at: OffsetDateTime,
}

/// How the re-wrapping of keys under a root key does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Rotation {
    /// Keys that are still to be wrapped anew.
    pub keys_left: u64,
    /// Keys that were since the job began.
    pub rewrapped: u64,
    /// Tries that failed since then; each is made again.
    pub failed: u64,
    /// Keys a second, rounded; absent before the first key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys_per_second: Option<u64>,
    /// How long it still takes at that rate, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds_left: Option<u64>,
}

/// What depends on a root key, and is unreadable once it is destroyed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Dependents {
    /// The names of the adapters whose keys are made under it.
    pub adapters: Vec<String>,
    /// How many keys are under it, by their KMIP State.
    pub keys: BTreeMap<String, u64>,
}

/// `POST /v1/root-keys/{root key}/schedule-destruction`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleDestruction {
    /// How long to wait, in seconds; the configuration's `admin.destruction_waiting_time` where left out, and no less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_seconds: Option<u64>,
}

/// A version of a root key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RootKeyVersion {
    /// Which version.
    pub version: u32,
    /// Its label on the token (`CKA_LABEL`).
    pub label: String,
    /// Its check value.
    pub check_value: String,
    /// When the next version took its place; absent for the present one.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "time::serde::rfc3339::option"
    )]
    pub superseded_at: Option<OffsetDateTime>,
    /// `present`, `kept`, `destroying` or `destroyed`.
    #[serde(default)]
    pub state: String,
    /// Since when it is destroyed.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "time::serde::rfc3339::option"
    )]
    pub destroyed_at: Option<OffsetDateTime>,
    /// `generated`, `imported` or `adopted`.
    #[serde(default)]
    pub origin: String,
    /// How many keys are wrapped under it. Those of an earlier version are what a rotation still has to do.
    pub keys: u64,
}

/// `POST /v1/root-keys`: makes a root key in a backend, or takes up one that is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRootKey {
    /// 2 to 40 letters, digits, `-` and `_`; not a UUID; not taken.
    pub name: String,
    /// The backend; may be left out where the configuration has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<String>,
    /// The identifier or alias of a root key that is in a key manager already, which is taken up in place of making one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub existing: Option<String>,
}

/// `POST /v1/root-key-offers`: has a device make an RSA key, under which a root key can be brought there once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OfferImport {
    /// The name that the root key will have, as in [`NewRootKey`].
    pub name: String,
    /// The backend; may be left out where the configuration has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<String>,
}

/// What a root key is to be wrapped under.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportOffer {
    /// The name that the root key will have.
    pub name: String,
    /// The backend that made the key.
    pub backend: String,
    /// The RSA public key, as PEM.
    pub public_key: String,
}

/// `POST /v1/root-key-imports`: takes a root key in, as a new root key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportRootKey {
    /// The name that it was offered under.
    pub name: String,
    /// The backend; may be left out where the configuration has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<String>,
    /// The AES-256 key under the RSA public key, by RSA-OAEP, in hexadecimal.
    pub wrapped: String,
}

/// A root key, as another resource names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RootKeyReference {
    /// Its identifier.
    pub id: Uuid,
    /// Its name.
    pub name: String,
}
