//! The wrapped keys in key managers, compared with the keys here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

/// `GET` and `POST /v1/key-scan`: the wrapped keys in key managers, compared with the keys here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KeyScan {
    /// When the scan began.
    #[serde(with = "time::serde::rfc3339")]
    pub began_at: OffsetDateTime,
    /// When it ended.
    #[serde(with = "time::serde::rfc3339")]
    pub ended_at: OffsetDateTime,
    /// How many wrapped keys lie in each key manager.
    pub there: BTreeMap<String, u64>,
    /// Keys here of which the wrapped form lies in one.
    pub keys: u64,
    /// Wrapped keys there that no key here has.
    pub only_there: Vec<KeptElsewhere>,
    /// Keys that were deleted there, and are destroyed since this scan.
    pub destroyed: Vec<KeyDeletedElsewhere>,
    /// What could not be found out, a sentence each.
    pub troubles: Vec<String>,
}

/// A wrapped key in a key manager that no key here has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KeptElsewhere {
    /// The key manager, by its name in the configuration.
    pub backend: String,
    /// What the key manager calls it by.
    pub id: String,
    /// Its name there.
    pub name: String,
    /// The adapter that it was put there for, where it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapter: Option<Uuid>,
    /// Since when it is there.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "time::serde::rfc3339::option"
    )]
    pub created_at: Option<OffsetDateTime>,
}

/// A key that was deleted in a key manager, and is destroyed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KeyDeletedElsewhere {
    /// The key manager, by its name in the configuration.
    pub backend: String,
    /// What the key manager called it by.
    pub id: String,
    /// The adapter of the key.
    pub adapter: Uuid,
    /// The key's Unique Identifier.
    pub key: Uuid,
}
