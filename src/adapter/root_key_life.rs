//! The life of a root key and of its versions: what may be done with it, and how far its destruction is.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Who asked for something: a user of the server's machine, as the kernel knew them, or the holder of a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Administrator {
    /// The user's number on the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// The user's name at that time; the subject of the certificate.
    pub user: String,
    /// SHA-256 of the certificate's DER, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
}

impl Administrator {
    /// Whether this is the same person as `other`, as far as it can be known: the same user, the same certificate, or a
    /// certificate of the same subject. That a user of the machine also holds a certificate can't be.
    pub fn is_same_as(&self, other: &Self) -> bool {
        match (&self.certificate, &other.certificate) {
            (Some(own), Some(others)) => own == others || self.user == other.user,
            (None, None) => self.uid == other.uid,
            _ => false,
        }
    }
}

/// Whether a root key may be used, and how far its destruction is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum RootKeyState {
    /// Keys under it are made, released and wrapped anew.
    #[default]
    Enabled,
    /// Nothing is made, released or wrapped anew under it until it is enabled again.
    Disabled,
    /// As disabled; it is destroyed once its time has come and a second administrator has approved.
    Scheduled(Destruction),
    /// Its destruction has begun and can't be stopped. The present version holds the seal key alone.
    Destroying,
    /// Every version that ever wrapped a key is gone from the token. The present version holds the seal key alone.
    Destroyed {
        /// Since when; a store keeps it to the microsecond.
        #[serde(with = "time::serde::rfc3339")]
        at: OffsetDateTime,
    },
}

impl RootKeyState {
    /// Whether keys under it may be made, released and wrapped anew.
    pub fn is_enabled(&self) -> bool {
        *self == Self::Enabled
    }

    /// Whether the keys under it can't be read any more, or soon won't be, whatever anybody does.
    pub fn is_beyond_recall(&self) -> bool {
        matches!(self, Self::Destroying | Self::Destroyed { .. })
    }

    /// One word for it, as `scheduled`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
            Self::Scheduled(_) => "scheduled",
            Self::Destroying => "destroying",
            Self::Destroyed { .. } => "destroyed",
        }
    }
}

/// A destruction that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Destruction {
    /// When it was asked for.
    #[serde(with = "time::serde::rfc3339")]
    pub requested_at: OffsetDateTime,
    /// Not before this time.
    #[serde(with = "time::serde::rfc3339")]
    pub due_at: OffsetDateTime,
    /// Who asked for it.
    pub requested_by: Administrator,
    /// The other administrator who approved of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<Administrator>,
}

impl Destruction {
    /// Whether it is to be carried out now.
    pub fn is_due(&self, now: OffsetDateTime) -> bool {
        self.approved_by.is_some() && now >= self.due_at
    }
}

/// Whether an earlier version of a root key is still on its token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum VersionState {
    /// It is there, for the keys that are still under it.
    #[default]
    Kept,
    /// Its destruction has begun and can't be stopped; no key is or comes under it.
    Destroying,
    /// It was destroyed on the token and looked for in vain.
    Destroyed {
        /// Since when; a store keeps it to the microsecond.
        #[serde(with = "time::serde::rfc3339")]
        at: OffsetDateTime,
    },
}

/// How a root key came to be on its token, or in its key manager.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RootKeyOrigin {
    /// It was made there and was never anywhere else.
    #[default]
    Generated,
    /// It was brought there, wrapped: somebody has, or had, another copy.
    Imported,
    /// It was there before it was a root key here: who made it, and where, is for its backend to tell.
    Adopted,
}

impl RootKeyOrigin {
    /// One word for it: `generated`, `imported` or `adopted`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Generated => "generated",
            Self::Imported => "imported",
            Self::Adopted => "adopted",
        }
    }
}
