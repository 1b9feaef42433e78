//! How the server is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::{CustodyHead, LastBackup, RootKey};
use crate::root_key::Healing;

/// `GET /v1/status`: how the server is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// Whether the server can do its work: no problem below.
    pub healthy: bool,
    /// What is not well, a sentence each.
    pub problems: Vec<String>,
    /// Certificates that are about to expire, or have, a sentence each: `kmip.warn_before_expiry` ahead.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expiring: Vec<String>,
    /// Adapters that have nearly all of the keys that they may have, a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub near_quota: Vec<String>,
    /// Sections and keys of the configuration that changed since the start and work only after a restart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs_restart: Vec<String>,
    /// The server's version.
    pub version: String,
    /// The server's process identifier.
    pub process: u32,
    /// When it started.
    #[serde(with = "time::serde::rfc3339")]
    pub started_at: OffsetDateTime,
    /// Where it speaks KMIP.
    pub kmip_addresses: Vec<String>,
    /// The root-key backends of the configuration.
    pub backends: Vec<BackendStatus>,
    /// Root keys whose keys are being wrapped anew, or that are not enabled, as a list shows them.
    #[serde(default)]
    pub root_keys_in_change: Vec<RootKey>,
    /// How many root keys there are.
    pub root_keys: u64,
    /// How many adapters there are.
    pub adapters: u64,
    /// How many client certificates there are.
    pub certificates: u64,
    /// How many managed objects there are, those destroyed included.
    pub keys: u64,
    /// The head of the custody log.
    pub custody: CustodyHead,
    /// How far the custody log is signed.
    pub signing: Signing,
    /// What the last scan of the wrapped keys in key managers found; absent where none lies there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_scan: Option<KeyScanSummary>,
    /// The live feeds of the custody log.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub feeds: Vec<Feed>,
    /// The last comparison of the keys' rows with the custody log; absent before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row_comparison: Option<RowComparisonSummary>,
    /// The last backup that this server made; absent before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_backup: Option<LastBackup>,
}

/// A live feed of the custody log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Feed {
    /// Its name.
    pub name: String,
    /// The number of the first record of which it is not known that the receiver has it.
    pub next: u64,
    /// How many records there are from there on.
    pub behind: u64,
    /// Why it stands still; absent where it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// The last comparison of the keys' rows with the custody log, in numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RowComparisonSummary {
    /// When it ended.
    #[serde(with = "time::serde::rfc3339")]
    pub ended_at: OffsetDateTime,
    /// Rows that were compared.
    pub rows: u64,
    /// Rows that could not be judged.
    pub not_judged: u64,
    /// Keys whose row is not as the log says.
    pub wrong: u64,
}

/// How far the custody log is signed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Signing {
    /// What checkpoints are verified with, NAME+HASH+KEY; absent where nothing signs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// How many records the latest checkpoint covers.
    pub size: u64,
    /// When it was signed; absent where there is none.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "time::serde::rfc3339::option"
    )]
    pub signed_at: Option<OffsetDateTime>,
    /// How many records are under no checkpoint yet.
    pub lag: u64,
    /// Why the last attempt made none; absent where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// Since when none could be made.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "time::serde::rfc3339::option"
    )]
    pub failing_since: Option<OffsetDateTime>,
    /// The most records that enough witnesses have cosigned; absent where none have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cosigned: Option<u64>,
    /// How each witness did when it was asked last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub witnesses: Vec<Witness>,
}

/// How a witness did when it was asked last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Witness {
    /// The name of its key.
    pub name: String,
    /// Why it did not cosign; absent where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// The last scan of the wrapped keys in key managers, in numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KeyScanSummary {
    /// When it ended.
    #[serde(with = "time::serde::rfc3339")]
    pub ended_at: OffsetDateTime,
    /// Keys here of which the wrapped form lies in a key manager.
    pub keys: u64,
    /// Wrapped keys there that no key here has.
    pub only_there: u64,
    /// Keys that were deleted there, and are destroyed since this scan.
    pub destroyed: u64,
    /// What could not be found out.
    pub troubles: u64,
}

/// A root-key backend and how it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BackendStatus {
    /// The name that the configuration gives it.
    pub name: String,
    /// Whether a real wrap under each of its root keys succeeded, a moment ago or sooner.
    pub healthy: bool,
    /// What it says of itself: token label, serial number, model.
    pub facts: BTreeMap<String, String>,
    /// How often each step of healing was needed since the start; none where there is nothing that can be healed.
    #[schema(value_type = Option<BTreeMap<String, u64>>)]
    pub healing: Option<Healing>,
}

/// Whether the server can do its work now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Readiness {
    /// Whether keys can be made and released under each root key.
    pub ready: bool,
    /// Why not, a sentence each.
    pub problems: Vec<String>,
}
