//! `/v1/key-lists`.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::custody::Hash;
use crate::job::{End, KeyListLine, KeyOrder};

/// What is done to the keys of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum KeyEnd {
    /// They protect nothing new.
    Revoke,
    /// Their bytes are gone for good.
    Destroy,
}

/// A key on a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListedKey {
    /// The name of its adapter.
    pub adapter: String,
    /// Its KMIP Unique Identifier.
    pub key: Uuid,
    /// How many records the custody log had when the list was made, as a list of unused keys tells it. Without it, the key is
    /// refused unless it is forced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<u64>,
}

/// `POST /v1/key-lists`: revokes or destroys the keys of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewKeyList {
    /// What is to be done.
    pub end: KeyEnd,
    /// Only to know what would be done.
    #[serde(default)]
    pub dry_run: bool,
    /// Also to keys that were fetched since the list was made, and for a destruction to those that are active.
    #[serde(default)]
    pub force: bool,
    /// The keys, 100,000 at most.
    pub keys: Vec<ListedKey>,
}

impl NewKeyList {
    /// What it is known by and approved of: the same for both ends of the interface.
    pub fn digest(&self) -> Hash {
        self.clone().order().digest()
    }

    /// The order that it is.
    pub fn order(self) -> KeyOrder {
        let lines = self.keys.into_iter().map(|listed| KeyListLine {
            adapter: listed.adapter,
            key: listed.key,
            as_of: listed.as_of,
        });
        KeyOrder {
            end: match self.end {
                KeyEnd::Revoke => End::Revoke,
                KeyEnd::Destroy => End::Destroy,
            },
            dry_run: self.dry_run,
            force: self.force,
            lines: lines.collect(),
        }
    }
}

/// A list and how far it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KeyList {
    /// SHA-256 over all that is asked for, in hexadecimal: what is approved of is this.
    #[schema(value_type = String)]
    pub sha256: Hash,
    /// What is done.
    pub end: KeyEnd,
    /// Only to know what would be done.
    pub dry_run: bool,
    /// Whether it is done to keys that were fetched since, or are active, as well.
    pub force: bool,
    /// How many lines there are.
    pub keys: u64,
    /// Who asked for it.
    pub asked_by: String,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub asked_at: OffsetDateTime,
    /// Whether it waits for another administrator.
    pub waits_for_approval: bool,
    /// Lines that are done, or would be.
    pub done: u64,
    /// Lines of which the key is left as it was.
    pub refused: u64,
    /// Lines that failed.
    pub failed: u64,
    /// When it ended; absent before that.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "time::serde::rfc3339::option"
    )]
    pub ended_at: Option<OffsetDateTime>,
    /// Why it broke off, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// A line of a list and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KeyListResult {
    /// The name of the key's adapter.
    pub adapter: String,
    /// The key's KMIP Unique Identifier.
    pub key: Uuid,
    /// `done`, or in a dry run `would`; `refused` where the key is left as it was, `failed` where it did not work.
    pub result: String,
    /// Why, for the last two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}
