//! Access tokens of the administration interface: what their bearers may do, with which adapters, and until when.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{AdapterId, Error, RootKeyId};

/// What somebody may do at the administration interface. Each role may do what the ones before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Reads, and changes nothing.
    Auditor,
    /// Looks after adapters, their certificates and their objects.
    Operator,
    /// Everything: root keys, tokens, the custody log.
    Administrator,
}

impl Role {
    /// All of them, the one that may the least first.
    pub const ALL: [Self; 3] = [Self::Auditor, Self::Operator, Self::Administrator];

    /// The role in one word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auditor => "auditor",
            Self::Operator => "operator",
            Self::Administrator => "administrator",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let found = Self::ALL.into_iter().find(|role| role.name() == text);
        found.ok_or_else(|| Error::NotARole {
            text: text.chars().take(64).collect(),
        })
    }
}

/// The SHA-256 of a token's secret: all that is kept of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SecretDigest(pub [u8; 32]);

impl SecretDigest {
    /// The digest of a secret as its bearer shows it. A secret has 256 bits of chance, so that a plain hash hides it.
    pub fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret).into())
    }
}

impl fmt::Debug for SecretDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretDigest")
    }
}

/// A token that lets its bearer in to the administration interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessToken {
    /// Its identifier.
    pub id: Uuid,
    /// How an administrator calls it; unique.
    pub name: String,
    /// What its secret is known by.
    pub secret: SecretDigest,
    /// What its bearer may do.
    pub role: Role,
    /// The adapters that it is for; none where it is for all, and for what is of no adapter.
    pub adapters: Option<Vec<AdapterId>>,
    /// When it was made; a store keeps it to the microsecond.
    pub created_at: OffsetDateTime,
    /// Who made it.
    pub created_by: String,
    /// It lets nobody in from then on.
    pub expires_at: OffsetDateTime,
    /// The root key whose seal key seals it. A token that this root key's end makes unreadable lets nobody in.
    pub sealed_by: RootKeyId,
}

impl AccessToken {
    /// Whether its bearer may be let in at this time.
    pub fn is_in_force(&self, now: OffsetDateTime) -> bool {
        self.created_at <= now && now < self.expires_at
    }

    /// Whether it is for this adapter.
    pub fn is_for(&self, adapter: AdapterId) -> bool {
        self.adapters
            .as_ref()
            .is_none_or(|adapters| adapters.contains(&adapter))
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_token_lets_in_during_its_time_and_to_its_adapters_alone() {
        let (one, other) = (AdapterId::new(), AdapterId::new());
        let token = AccessToken {
            id: Uuid::now_v7(),
            name: "terraform".into(),
            secret: SecretDigest::of("secret"),
            role: Role::Operator,
            adapters: Some(vec![one]),
            created_at: datetime!(2026-11-01 00:00 UTC),
            created_by: "root".into(),
            expires_at: datetime!(2026-12-01 00:00 UTC),
            sealed_by: RootKeyId::new(),
        };
        assert!(!token.is_in_force(datetime!(2026-10-31 23:59 UTC)));
        assert!(token.is_in_force(datetime!(2026-11-30 23:59 UTC)));
        assert!(!token.is_in_force(datetime!(2026-12-01 00:00 UTC)));
        assert!(token.is_for(one) && !token.is_for(other));
    }

    #[test]
    fn a_role_is_read_by_its_name_alone() {
        for role in Role::ALL {
            assert_eq!(role.name().parse(), Ok(role));
        }
        assert!(Role::Auditor < Role::Operator && Role::Operator < Role::Administrator);
        let said = "root".parse::<Role>().unwrap_err().to_string();
        assert!(said.contains("auditor, operator or administrator"), "{said}");
    }
}
