//! Adapters.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{RootKeyReference, Rotation};

/// One tenant of the KMIP endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Adapter {
    /// Its identifier.
    pub id: Uuid,
    /// Its name, which no other adapter has.
    pub name: String,
    /// What the administrator wrote of it.
    pub description: String,
    /// The root key under which its keys are wrapped.
    pub root_key: RootKeyReference,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// How many client certificates it admits.
    pub certificates: u64,
    /// How many managed objects it has, those destroyed included.
    pub keys: u64,
    /// What its clients may have and do; absent where nothing is bounded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<AdapterQuota>,
    /// How the move of its keys to its root key does; absent where none has to be moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relocation: Option<Rotation>,
}

/// `PUT /v1/adapters/{adapter}/quota`: what the clients of an adapter may have and do. What is absent has no bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AdapterQuota {
    /// The most keys that are not destroyed, on all servers together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<u64>,
    /// The most items of KMIP requests a second, at each server; 1 at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_second: Option<u32>,
    /// The most connections at a time, at each server; 1 at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connections: Option<u32>,
}

/// `POST /v1/adapters/{adapter}/move`: puts an adapter under another root key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MoveAdapter {
    /// The name or identifier of the root key.
    pub root_key: String,
}

/// `POST /v1/adapters`: makes an adapter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAdapter {
    /// 2 to 40 letters, digits, `-` and `_`; not a UUID; not taken.
    pub name: String,
    /// At most 240 characters.
    #[serde(default)]
    pub description: String,
    /// The name or identifier of a root key; may be left out where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_key: Option<String>,
}
