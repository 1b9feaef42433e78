//! Backups in the status.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::custody::Hash;

/// The last backup that this server made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LastBackup {
    /// When it was begun.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// How many records of the custody log it has.
    pub records: u64,
    /// Its length in bytes.
    pub bytes: u64,
    /// SHA-256 of the file, in hexadecimal.
    #[schema(value_type = String)]
    pub sha256: Hash,
}
