//! The bodies of the service's API, version 2, as far as they are used. No plaintext of a key is in one of these types but as
//! the bytes that it came in.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

/// The type of a collection of keys.
pub(super) const KEY: &str = "application/vnd.ibm.kms.key+json";
/// The type of the body of an action on a key.
pub(super) const KEY_ACTION: &str = "application/vnd.ibm.kms.key_action+json";

/// A collection: what keys come and go in.
#[derive(Deserialize)]
pub(super) struct Collection<T> {
    #[serde(default = "Vec::new")]
    pub(super) resources: Vec<T>,
}

/// What a refusal says.
#[derive(Deserialize)]
pub(super) struct ErrorResource {
    #[serde(default)]
    pub(super) reasons: Vec<Reason>,
}

/// Why.
#[derive(Deserialize)]
pub(super) struct Reason {
    #[serde(default)]
    pub(super) code: String,
}

/// The state of a key, after SP 800-57.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "u8")]
pub enum KeyState {
    /// 0.
    PreActive,
    /// 1.
    Active,
    /// 2: disabled.
    Suspended,
    /// 3: its expiration date is over; it unwraps and does not wrap.
    Deactivated,
    /// 5: deleted.
    Destroyed,
    /// Another number.
    Unknown,
}

impl From<u8> for KeyState {
    fn from(number: u8) -> Self {
        match number {
            0 => Self::PreActive,
            1 => Self::Active,
            2 => Self::Suspended,
            3 => Self::Deactivated,
            5 => Self::Destroyed,
            _ => Self::Unknown,
        }
    }
}

/// A key as the service tells of it. The payload of a standard key is not in here.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Key {
    /// Its identifier.
    pub id: Uuid,
    /// Its name, which need not be unique.
    #[serde(default)]
    pub name: String,
    /// Its aliases, each unique in the instance.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// What is said of it.
    #[serde(default)]
    pub description: String,
    /// Its state.
    #[serde(default = "unknown")]
    pub state: KeyState,
    /// Whether it is a standard key, whose value can be had; a root key otherwise.
    #[serde(default)]
    pub extractable: bool,
    /// Whether it was brought there.
    #[serde(default)]
    pub imported: bool,
    /// Whether it was deleted.
    #[serde(default)]
    pub deleted: bool,
    /// The key ring that it is in.
    #[serde(default, rename = "keyRingID")]
    pub key_ring: String,
    /// Its present version.
    #[serde(default)]
    pub key_version: Option<KeyVersion>,
    /// Whether two identities must agree to its deletion, and whether one has.
    #[serde(default)]
    pub dual_auth_delete: Option<DualAuthDelete>,
    /// When it was made.
    #[serde(default)]
    pub creation_date: Option<String>,
}

fn unknown() -> KeyState {
    KeyState::Unknown
}

impl Key {
    /// Whether the key is deleted, and may be restored for some time.
    pub fn is_deleted(&self) -> bool {
        self.deleted || self.state == KeyState::Destroyed
    }
}

/// A version of a key.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct KeyVersion {
    /// Its identifier.
    pub id: Uuid,
}

/// The dual authorization of a key's deletion.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DualAuthDelete {
    /// Whether two identities must agree.
    #[serde(default)]
    pub enabled: bool,
    /// Whether one has set the key for deletion.
    #[serde(default)]
    pub key_set_for_deletion: bool,
}

/// Answer to wrap, unwrap and rewrap.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ActionAnswer<'a> {
    #[serde(borrow, default)]
    pub(super) plaintext: Option<&'a RawValue>,
    #[serde(default)]
    pub(super) ciphertext: Option<String>,
    #[serde(default)]
    pub(super) key_version: Option<KeyVersion>,
    #[serde(default)]
    pub(super) rewrapped_key_version: Option<KeyVersion>,
}

/// A standard key with its payload.
#[derive(Deserialize)]
pub(super) struct Payload<'a> {
    #[serde(borrow, default)]
    pub(super) payload: Option<&'a RawValue>,
}

/// Body of the creation of a key without a payload.
#[derive(Serialize)]
pub(super) struct Creation<'a> {
    pub(super) metadata: Metadata,
    pub(super) resources: [NewKey<'a>; 1],
}

/// How many, of what.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metadata {
    pub(super) collection_type: &'static str,
    pub(super) collection_total: u32,
}

/// A key that is to be made.
#[derive(Serialize)]
pub(super) struct NewKey<'a> {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) name: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) aliases: &'a [&'a str],
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) description: &'a str,
    pub(super) extractable: bool,
}

impl<'a> Creation<'a> {
    pub(super) fn of(key: NewKey<'a>) -> Self {
        Self {
            metadata: Metadata {
                collection_type: KEY,
                collection_total: 1,
            },
            resources: [key],
        }
    }
}

/// Policies of a key.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Policy {
    #[serde(default)]
    pub(super) dual_auth_delete: Option<PolicyState>,
    #[serde(default)]
    pub(super) rotation: Option<RotationPolicy>,
}

/// That the service rotates a key by itself.
#[derive(Deserialize)]
pub(super) struct RotationPolicy {
    /// One that does not say it is.
    #[serde(default = "yes")]
    pub(super) enabled: bool,
    #[serde(default)]
    pub(super) interval_month: u32,
}

fn yes() -> bool {
    true
}

/// Whether a policy holds.
#[derive(Deserialize)]
pub(super) struct PolicyState {
    #[serde(default)]
    pub(super) enabled: bool,
}

/// A resource of the cloud that a root key protects.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Registration {
    /// The resource's name (CRN).
    pub resource_crn: String,
    /// Whether its retention policy keeps the key from being deleted.
    #[serde(default)]
    pub prevent_key_deletion: bool,
}
