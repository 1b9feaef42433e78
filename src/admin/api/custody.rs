//! The custody log, its comparison with the rows, and its epochs.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

/// `GET` and `POST /v1/custody/comparison`: the rows of all keys, compared with the custody log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RowComparison {
    /// When it began.
    #[serde(with = "time::serde::rfc3339")]
    pub began_at: OffsetDateTime,
    /// When it ended.
    #[serde(with = "time::serde::rfc3339")]
    pub ended_at: OffsetDateTime,
    /// Records that were read.
    pub records: u64,
    /// Rows that were compared.
    pub rows: u64,
    /// Rows that could not be judged: their root key is closed, their seal is wrong, or no record says how they have to be.
    pub not_judged: u64,
    /// Keys whose row is not as the log says.
    pub wrong: u64,
    /// Those keys, up to a thousand.
    pub findings: Vec<WrongRow>,
    /// The adapters, client certificates, root keys and access tokens whose row is not as the log says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identities: Vec<WrongIdentity>,
}

/// An adapter, a client certificate, a root key or an access token whose row is not as the custody log says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WrongIdentity {
    /// Which one, in words.
    pub row: String,
    /// What is wrong, in words.
    pub what: String,
}

/// `/v1/custody/epoch`: whether the server goes on with the custody log of its database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Epoch {
    /// Whether it does not: the log is not the one that was written last.
    pub held: bool,
    /// Why, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// How many records the log had when it was written last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_size: Option<u64>,
    /// The root over them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_root: Option<String>,
    /// The last checkpoint that was signed by then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_checkpoint: Option<String>,
    /// How many records the database has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found_size: Option<u64>,
    /// The root over them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found_root: Option<String>,
    /// Who has asked for a new epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<EpochAsked>,
}

/// That an administrator asked for a new epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EpochAsked {
    /// The user.
    pub by: String,
    /// The user's number on the server's machine; absent for the holder of a certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// Why.
    pub reason: String,
}

/// `POST /v1/custody/epoch`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenEpoch {
    /// Why the log is to go on from what the database has.
    pub reason: String,
}

/// A key whose row is not as the custody log says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WrongRow {
    /// Its adapter, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapter: Option<Uuid>,
    /// The key.
    pub key: Uuid,
    /// What is wrong, in words.
    pub what: String,
}

/// `GET /v1/custody/head`: how long the custody log is, and the root of its tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CustodyHead {
    /// The number of records.
    pub size: u64,
    /// The RFC 6962 root hash of the tree over them.
    pub root: String,
    /// The number of the first record that was not pruned.
    #[serde(default)]
    pub kept_from: u64,
}

/// A record of the custody log, as it is stored.
///
/// `GET /v1/custody/records?from=0&limit=1000` lists them in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CustodyRecord {
    /// Its place in the log; the first is 0.
    pub sequence: u64,
    /// The hash of its leaf, as it was stored beside it.
    pub leaf: String,
    /// Base64 of its exact stored bytes.
    pub bytes: String,
}

/// A checkpoint of the custody log, as it is stored.
///
/// `GET /v1/custody/checkpoints?from=0&limit=1000` lists them by size; `GET /v1/custody/checkpoint` gives the latest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CustodyCheckpoint {
    /// How many records it covers.
    pub size: u64,
    /// When it was signed.
    #[serde(with = "time::serde::rfc3339")]
    pub time: OffsetDateTime,
    /// The signed note.
    pub note: String,
}
