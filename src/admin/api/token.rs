//! Access tokens.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

/// An access token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Token {
    /// Its identifier.
    pub id: Uuid,
    /// Its name, which no other token has.
    pub name: String,
    /// What its bearer may do: `auditor`, `operator` or `administrator`.
    pub role: String,
    /// The names of the adapters that it is for; absent where it is for all, and for what is of no adapter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapters: Option<Vec<String>>,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// Who made it.
    pub created_by: String,
    /// It lets nobody in from then on.
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
    /// Whether that is past.
    pub expired: bool,
}

/// `POST /v1/tokens`: makes an access token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// 2 to 40 letters, digits, `-` and `_`; not a UUID; not taken.
    pub name: String,
    /// `auditor`, `operator` or `administrator`.
    pub role: String,
    /// The names or identifiers of the adapters that it is to be for; for all, and for what is of no adapter, where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapters: Option<Vec<String>>,
    /// How long it is to let in, in seconds: at most a year.
    pub valid_for_seconds: u64,
}

/// An access token that was made, with its secret, which is told this once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TokenMade {
    /// The token.
    #[serde(flatten)]
    pub token: Token,
    /// What its bearer shows.
    pub secret: String,
}
