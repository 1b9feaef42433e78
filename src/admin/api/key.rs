//! Managed objects, never their keys.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::RootKeyReference;

/// A managed object of an adapter, without its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Key {
    /// Its KMIP Unique Identifier.
    pub id: Uuid,
    /// The name of its adapter.
    pub adapter: String,
    /// Its KMIP Object Type.
    pub object_type: String,
    /// Its KMIP State; absent for an object that has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Its attributes as KMIP names them, in the readable form of each value.
    pub attributes: Vec<Attribute>,
    /// The root key under which it is wrapped; absent once it is destroyed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wrapped_under: Option<WrappedUnder>,
}

/// A KMIP attribute in readable form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// What a key is wrapped under, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WrappedUnder {
    /// The root key.
    pub root_key: RootKeyReference,
    /// The root key's version.
    pub version: u32,
    /// The wrap profile.
    pub profile: String,
}
