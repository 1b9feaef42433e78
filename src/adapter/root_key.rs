//! The facts of a root key. The key itself never leaves its backend.

use std::fmt;

use time::OffsetDateTime;

use super::{RootKeyId, RootKeyOrigin, RootKeyState, VersionState};

/// A customer root key: where it lives and how it is found again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootKey {
    /// What adapters refer to; the same over all versions.
    pub id: RootKeyId,
    /// How an administrator calls it; unique in a store.
    pub name: String,
    /// The backend that holds it, by its name in the configuration.
    pub backend: String,
    /// Label of the token that it was made on.
    pub token_label: String,
    /// Serial number of that token.
    pub token_serial: String,
    /// `CKA_LABEL` of the key on the token.
    pub label: String,
    /// The version that new keys are wrapped under; the first is 1.
    pub version: u32,
    /// What tells the key from another of the same label (PKCS#11's key check value).
    pub check_value: Vec<u8>,
    /// The seal key of every row that depends on this root key, wrapped under it.
    pub seal_key: WrappedBytes,
    /// When it was made; a store keeps it to the microsecond.
    pub created_at: OffsetDateTime,
    /// Whether it may be used.
    pub state: RootKeyState,
    /// How its present version came to be.
    pub origin: RootKeyOrigin,
}

impl RootKey {
    /// `CKA_LABEL` of a version of a root key. A name has no full stop, so no two names and versions give the same.
    pub fn label_of(name: &str, version: u32) -> String {
        format!("claviger.{name}.v{version}")
    }

    /// `CKA_ID` of this version: the 16 bytes of the identifier, and from the second version on four more, the version.
    pub fn token_id(&self) -> Vec<u8> {
        let mut id = self.id.uuid().as_bytes().to_vec();
        if self.version > 1 {
            id.extend_from_slice(&self.version.to_be_bytes());
        }
        id
    }

    /// What is kept of the present version when another takes its place.
    pub fn superseded(&self, superseded_at: OffsetDateTime) -> RootKeyVersion {
        RootKeyVersion {
            root_key: self.id,
            version: self.version,
            label: self.label.clone(),
            check_value: self.check_value.clone(),
            superseded_at,
            state: VersionState::Kept,
            origin: self.origin,
        }
    }

    /// The root key as it is found at an earlier version. Its seal key is wrapped under the present one, and is not in
    /// what this returns.
    #[must_use]
    pub fn at(&self, earlier: &RootKeyVersion) -> Self {
        Self {
            version: earlier.version,
            label: earlier.label.clone(),
            check_value: earlier.check_value.clone(),
            origin: earlier.origin,
            seal_key: WrappedBytes {
                profile: String::new(),
                bytes: Vec::new(),
            },
            ..self.clone()
        }
    }
}

/// A version of a root key that another has taken the place of. No new key goes under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootKeyVersion {
    /// The root key.
    pub root_key: RootKeyId,
    /// Which version.
    pub version: u32,
    /// `CKA_LABEL` of it on the token.
    pub label: String,
    /// Its check value.
    pub check_value: Vec<u8>,
    /// When the next version took its place; a store keeps it to the microsecond.
    pub superseded_at: OffsetDateTime,
    /// Whether it is still on its token.
    pub state: VersionState,
    /// How it came to be.
    pub origin: RootKeyOrigin,
}

/// Bytes that a device wrapped, and how. Its `Debug` shows the length alone.
#[derive(Clone, PartialEq, Eq)]
pub struct WrappedBytes {
    /// The wrap profile, as `aes-kw`.
    pub profile: String,
    /// The wrapped bytes.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for WrappedBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WrappedBytes")
            .field("profile", &self.profile)
            .field("bytes", &format_args!("[{} wrapped]", self.bytes.len()))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapped_bytes_do_not_reach_a_log() {
        let wrapped = WrappedBytes {
            profile: "aes-kw".into(),
            bytes: vec![0xa5; 40],
        };
        let shown = format!("{wrapped:?}");
        assert!(
            shown.contains("[40 wrapped]") && !shown.contains("165"),
            "{shown}"
        );
    }
}
