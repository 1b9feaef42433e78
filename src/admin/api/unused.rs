//! `/v1/unused-keys`.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

/// A key that no client has fetched for the time that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UnusedKey {
    /// The name of its adapter.
    pub adapter: String,
    /// Its KMIP Unique Identifier.
    pub key: Uuid,
    /// How many records the custody log had by which it was judged.
    pub as_of: u64,
    /// Its KMIP State.
    pub state: String,
    /// When it was made or came here.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// When it was fetched last; absent where it never was, or where that is not known.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "time::serde::rfc3339::option"
    )]
    pub fetched_at: Option<OffsetDateTime>,
    /// By whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fetched_by: Option<String>,
    /// Where it was not fetched since then and records of the time before were pruned: the time of the first record that
    /// there is.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "time::serde::rfc3339::option"
    )]
    pub known_since: Option<OffsetDateTime>,
    /// The name of the root key that it is wrapped under.
    pub root_key: String,
    /// The version of that.
    pub root_key_version: u32,
}
