//! Adapters, their root keys and client certificates, and the caller that a certificate stands for.
//!
//! Pure facts and the rules of their form: nothing here reads a store, opens a socket or asks a device.
//! Whether an expired certificate is let in is the endpoint's policy; here it is only a fact with dates.
//! Imports nothing else of the house.

mod authority;
mod caller;
mod certificate;
mod credential;
mod error;
mod id;
mod name;
mod quota;
mod root_key;
mod root_key_life;
mod token;

pub use authority::{AUTHORITIES_AT_MOST, Authority, Only, Trust};
pub use caller::{Caller, Origin};
pub use certificate::{ClientCertificate, Expiry, Fingerprint};
pub use credential::{
    Credentials, PASSWORD_LONGEST, PASSWORD_SHORTEST, PasswordHash, PasswordUser, USERNAME_LONGEST,
    USERS_AT_MOST, check_password, username,
};
pub use error::Error;
pub use id::{AdapterId, RootKeyId};
pub use name::{
    DESCRIPTION_LONGEST, NAME_LONGEST, NAME_SHORTEST, certificate_name, description, name, root_key_name,
    token_name,
};
pub use quota::Quota;
pub use root_key::{RootKey, RootKeyVersion, WrappedBytes};
pub use root_key_life::{Administrator, Destruction, RootKeyOrigin, RootKeyState, VersionState};
use time::OffsetDateTime;
pub use token::{AccessToken, Role, SecretDigest};

/// One tenant of the KMIP endpoint: a root key, its client certificates, its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adapter {
    /// What keys and certificates refer to; never changes.
    pub id: AdapterId,
    /// How an administrator calls it; unique in a store, see [`name()`].
    pub name: String,
    /// Free text of at most [`DESCRIPTION_LONGEST`] characters; may be empty.
    pub description: String,
    /// The root key under which its keys are wrapped.
    pub root_key: RootKeyId,
    /// When it was made; a store keeps it to the microsecond.
    pub created_at: OffsetDateTime,
    /// Who made it; none where that was not kept.
    pub created_by: Option<String>,
}

impl Adapter {
    /// A new adapter with an identifier of its own.
    ///
    /// Fails where the name or the description breaks its rule.
    pub fn new(
        name: &str,
        description: &str,
        root_key: RootKeyId,
        created_at: OffsetDateTime,
    ) -> Result<Self, Error> {
        Ok(Self {
            id: AdapterId::new(),
            name: name::name(name)?,
            description: name::description(description)?,
            root_key,
            created_at,
            created_by: None,
        })
    }
}
