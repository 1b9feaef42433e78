//! The bodies that clients send. Fields that are not known are refused where the service refuses them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use time::OffsetDateTime;

use crate::refusal::Refusal;

/// The envelope around resources.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Collection<T> {
    metadata: Metadata,
    resources: Vec<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    collection_type: Option<String>,
    collection_total: Option<u64>,
}

impl<T> Collection<T> {
    /// The resources, where their number is the one that the metadata say.
    pub(crate) fn into_resources(self) -> Result<Vec<T>, Refusal> {
        if self.metadata.collection_type.is_none() {
            return Err(Refusal::bad_body("CollectionMetadata is empty"));
        }
        if self.metadata.collection_total != u64::try_from(self.resources.len()).ok() {
            return Err(Refusal::collection_total());
        }
        Ok(self.resources)
    }
}

/// A key that is to be made.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct NewKey {
    #[serde(rename = "type")]
    pub(crate) _type: Option<String>,
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) aliases: Vec<String>,
    pub(crate) description: Option<String>,
    #[serde(default)]
    pub(crate) tags: Vec<String>,
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub(crate) expiration_date: Option<OffsetDateTime>,
    #[serde(default = "yes")]
    pub(crate) extractable: bool,
    pub(crate) payload: Option<String>,
    pub(crate) encrypted_nonce: Option<String>,
    pub(crate) iv: Option<String>,
    pub(crate) encryption_algorithm: Option<String>,
    pub(crate) rotation: Option<NewRotation>,
    pub(crate) dual_auth_delete: Option<NewDualAuth>,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRotation {
    pub(crate) enabled: Option<bool>,
    pub(crate) interval_month: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewDualAuth {
    pub(crate) enabled: bool,
}

/// Of wrap, unwrap and rewrap.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Action {
    pub(crate) plaintext: Option<String>,
    pub(crate) ciphertext: Option<String>,
    pub(crate) aad: Option<Vec<String>>,
}

/// Of rotate and restore: key material for an imported key, in the clear or under an import token's key.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Material {
    pub(crate) payload: Option<String>,
    pub(crate) encrypted_nonce: Option<String>,
    pub(crate) iv: Option<String>,
    pub(crate) encryption_algorithm: Option<String>,
}

/// What base64 of a field says.
pub(crate) fn base64(field: &str, text: &str) -> Result<Vec<u8>, Refusal> {
    STANDARD
        .decode(text)
        .map_err(|_| Refusal::invalid_field(field, "base64 is expected"))
}
