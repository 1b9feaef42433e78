//! Users of an adapter, known by their passwords.

use std::fmt;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

/// The users of an adapter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Credentials {
    /// Whether a request that shows none of them is refused.
    pub required: bool,
    /// The users, in the order in which they were added.
    pub users: Vec<Credential>,
}

/// A user, without the password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Credential {
    /// The user's name, which no other user of the adapter has.
    pub username: String,
    /// When it was added.
    #[serde(with = "time::serde::rfc3339")]
    pub added_at: OffsetDateTime,
    /// Who added it.
    pub added_by: String,
}

/// `POST /v1/adapters/{adapter}/credentials`: adds a user.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCredential {
    /// 1 to 255 characters, none of them a control character; not taken.
    pub username: String,
    /// 12 to 255 characters, none of them a control character; made by the server where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}

/// A user that was added, with the password where the server made it, which is told this once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CredentialMade {
    /// The user.
    #[serde(flatten)]
    pub credential: Credential,
    /// What the client shows; absent where it was brought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}

/// `POST /v1/adapters/{adapter}/credential-policy`: says whether a user has to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CredentialPolicy {
    /// Whether a request that shows none is refused.
    pub required: bool,
}

impl fmt::Debug for NewCredential {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewCredential")
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}
