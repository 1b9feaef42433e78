//! Which call of the interface a request is.

use hyper::Method;
use serde::{Deserialize, Serialize};

use crate::iam::Role;

macro_rules! calls {
    ($($(#[$about:meta])* $name:ident $could_not:literal;)*) => {
        /// A call of the interface. Faults and counters name it as it is written in JSON, such as `wrap` or `create_key`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Call {
            $($(#[$about])* $name,)*
        }

        impl Call {
            /// What was not done, as the service's errors begin.
            pub(crate) fn could_not(self) -> &'static str {
                match self {
                    $(Self::$name => $could_not,)*
                }
            }
        }
    };
}

calls! {
    /// `POST /identity/token` and `POST /oidc/token`: IAM.
    Token "Token could not be created";
    /// `POST /keys` and `POST /keys_with_policy_overrides`.
    CreateKey "Key could not be created";
    /// `GET /keys`.
    ListKeys "Keys could not be retrieved";
    /// `HEAD /keys`.
    CountKeys "Keys could not be counted";
    /// `GET /keys/{id}`.
    GetKey "Key could not be retrieved";
    /// `GET /keys/{id}/metadata`.
    GetMetadata "Key metadata could not be retrieved";
    /// `PATCH /keys/{id}`.
    PatchKey "Key could not be updated";
    /// `DELETE /keys/{id}`.
    DeleteKey "Key could not be deleted";
    /// `DELETE /keys/{id}/purge`.
    PurgeKey "Key could not be purged";
    /// `POST /keys/{id}/restore`.
    RestoreKey "Key could not be restored";
    /// `GET /keys/{id}/versions`.
    ListVersions "Key versions could not be retrieved";
    /// `POST /keys/{id}/actions/wrap`.
    Wrap "Key could not be wrapped";
    /// `…/unwrap`.
    Unwrap "Key could not be unwrapped";
    /// `…/rewrap`.
    Rewrap "Key could not be rewrapped";
    /// `…/rotate`.
    Rotate "Key could not be rotated";
    /// `…/disable`.
    Disable "Key could not be disabled";
    /// `…/enable`.
    Enable "Key could not be enabled";
    /// `…/setKeyForDeletion`.
    SetKeyForDeletion "Key could not be set for deletion";
    /// `…/unsetKeyForDeletion`.
    UnsetKeyForDeletion "Key could not be unset for deletion";
    /// `…/sync`.
    Sync "Could not initiate sync requests to associated resources";
    /// `PUT /keys/{id}/policies`.
    PutPolicy "Key policy could not be created";
    /// `GET /keys/{id}/policies`.
    GetPolicy "Key policy could not be retrieved";
    /// `PUT /instance/policies`.
    PutInstancePolicy "Instance policy could not be created";
    /// `GET /instance/policies`.
    GetInstancePolicy "Instance policy could not be retrieved";
    /// `GET /instance/allowed_ip_port`.
    GetAllowedIpPort "Allowed IP port could not be retrieved";
    /// `POST /import_token`.
    CreateImportToken "Import token could not be created";
    /// `GET /import_token`.
    GetImportToken "Import token could not be retrieved";
    /// `GET /keys/{id}/registrations` and `GET /keys/registrations`.
    ListRegistrations "Registrations could not be retrieved";
    /// `POST /keys/{id}/aliases/{alias}`.
    CreateAlias "Alias could not be created";
    /// `DELETE /keys/{id}/aliases/{alias}`.
    DeleteAlias "Alias could not be deleted";
    /// `GET /key_rings`.
    ListKeyRings "Key rings could not be retrieved";
    /// `POST /key_rings/{id}`.
    CreateKeyRing "Key ring could not be created";
    /// `DELETE /key_rings/{id}`.
    DeleteKeyRing "Key ring could not be deleted";
    /// Anything else.
    Unknown "The request could not be served";
}

/// A call, and what its path names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Target {
    /// A key's identifier or alias, or a key ring.
    pub(crate) id: String,
    pub(crate) alias: String,
}

/// Which call it is. `action` is the query's, which the older form of the actions has in the place of the path's.
pub(crate) fn classify(method: &Method, path: &str, action: Option<&str>) -> (Call, Target) {
    let path = path.trim_matches('/');
    let segments: Vec<&str> = path.strip_prefix("api/v2/").unwrap_or(path).split('/').collect();
    let call = match (method.as_str(), segments.as_slice()) {
        ("POST", ["identity" | "oidc", "token"]) => Call::Token,
        ("POST", ["keys" | "keys_with_policy_overrides"]) => Call::CreateKey,
        ("GET", ["keys"]) => Call::ListKeys,
        ("HEAD", ["keys"]) => Call::CountKeys,
        ("GET", ["keys", "registrations"] | ["keys", _, "registrations"]) => Call::ListRegistrations,
        ("GET", ["keys", _]) => Call::GetKey,
        ("PATCH", ["keys", _]) => Call::PatchKey,
        ("DELETE", ["keys", _]) => Call::DeleteKey,
        ("POST", ["keys", _]) => action.map_or(Call::Unknown, of_action),
        ("POST", ["keys", _, "actions", action]) => of_action(action),
        ("GET", ["keys", _, "metadata"]) => Call::GetMetadata,
        ("DELETE", ["keys", _, "purge"]) => Call::PurgeKey,
        ("POST", ["keys", _, "restore"]) => Call::RestoreKey,
        ("GET", ["keys", _, "versions"]) => Call::ListVersions,
        ("PUT", ["keys", _, "policies"]) => Call::PutPolicy,
        ("GET", ["keys", _, "policies"]) => Call::GetPolicy,
        ("POST", ["keys", _, "aliases", _]) => Call::CreateAlias,
        ("DELETE", ["keys", _, "aliases", _]) => Call::DeleteAlias,
        ("PUT", ["instance", "policies"]) => Call::PutInstancePolicy,
        ("GET", ["instance", "policies"]) => Call::GetInstancePolicy,
        ("GET", ["instance", "allowed_ip_port"]) => Call::GetAllowedIpPort,
        ("POST", ["import_token"]) => Call::CreateImportToken,
        ("GET", ["import_token"]) => Call::GetImportToken,
        ("GET", ["key_rings"]) => Call::ListKeyRings,
        ("POST", ["key_rings", _]) => Call::CreateKeyRing,
        ("DELETE", ["key_rings", _]) => Call::DeleteKeyRing,
        _ => Call::Unknown,
    };
    let segment = |place: usize| segments.get(place).copied().unwrap_or_default().to_owned();
    let target = Target {
        id: segment(1),
        alias: segment(3),
    };
    (call, target)
}

fn of_action(action: &str) -> Call {
    match action {
        "wrap" => Call::Wrap,
        "unwrap" => Call::Unwrap,
        "rewrap" => Call::Rewrap,
        "rotate" => Call::Rotate,
        "disable" => Call::Disable,
        "enable" => Call::Enable,
        "setKeyForDeletion" => Call::SetKeyForDeletion,
        "unsetKeyForDeletion" => Call::UnsetKeyForDeletion,
        "sync" => Call::Sync,
        "restore" => Call::RestoreKey,
        _ => Call::Unknown,
    }
}

impl Call {
    /// The least role that it takes.
    pub(crate) fn least_role(self) -> Role {
        match self {
            Self::Token
            | Self::ListKeys
            | Self::CountKeys
            | Self::GetMetadata
            | Self::ListVersions
            | Self::ListRegistrations
            | Self::ListKeyRings
            | Self::Wrap
            | Self::Unwrap
            | Self::Rewrap
            | Self::Unknown => Role::Reader,
            Self::GetKey => Role::ReaderPlus,
            Self::CreateKey
            | Self::Rotate
            | Self::SetKeyForDeletion
            | Self::Sync
            | Self::CreateAlias
            | Self::DeleteAlias
            | Self::CreateKeyRing
            | Self::CreateImportToken
            | Self::GetImportToken => Role::Writer,
            _ => Role::Manager,
        }
    }
}
