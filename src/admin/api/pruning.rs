//! `/v1/custody/pruning`.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::custody::Hash;

/// What may go of the custody log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Pruning {
    /// The number of the first record that the log has.
    pub kept_from: u64,
    /// The number of the first record that would go.
    pub from: u64,
    /// The number of the first record that would stay.
    pub below: u64,
    /// What keeps more from going, in words.
    pub because: String,
    /// The time of the first record that would go.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub first: Option<OffsetDateTime>,
    /// The time of the last.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub last: Option<OffsetDateTime>,
    /// How old a record has to be, in seconds.
    pub keep_seconds: u64,
    /// Whether records may go that no bundle has.
    pub without_archive: bool,
    /// Who has asked for it, where it waits for approval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<PruningAsked>,
    /// Whether what was approved is being carried out.
    pub under_way: bool,
    /// Why the last one was not carried out, or is not at its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// That an administrator asked for a pruning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PruningAsked {
    /// The user.
    pub by: String,
    /// The user's number on the server's machine; absent for the holder of a certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// The bundles that have what goes.
    pub archives: Vec<ArchiveNamed>,
}

/// `POST /v1/custody/pruning`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Prune {
    /// Bundles that have the records, each verified.
    pub archives: Vec<ArchiveNamed>,
    /// Only to know what would go.
    #[serde(default)]
    pub dry_run: bool,
}

/// A bundle that was verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ArchiveNamed {
    /// SHA-256 of the file, in hexadecimal.
    #[schema(value_type = String)]
    pub sha256: Hash,
    /// The number of its first record.
    pub from: u64,
    /// How many records the log has by it.
    pub size: u64,
    /// The root over them, in hexadecimal.
    #[schema(value_type = String)]
    pub root: Hash,
}
