//! The table of access tokens.

use sqlx::FromRow;
use uuid::Uuid;

use super::{Sealed, microseconds, moment, shown, uuid};
use crate::adapter::{AccessToken, AdapterId, SecretDigest};
use crate::store::Error;
use crate::store::seal::Columns;

/// The bytes of an identifier.
const IDENTIFIER: usize = 16;

#[derive(FromRow)]
pub(in crate::store) struct TokenColumns {
    pub(in crate::store) id: Vec<u8>,
    pub(in crate::store) name: String,
    pub(in crate::store) secret_sha256: Vec<u8>,
    pub(in crate::store) role: String,
    pub(in crate::store) adapters: Option<Vec<u8>>,
    pub(in crate::store) created_at: i64,
    pub(in crate::store) created_by: String,
    pub(in crate::store) expires_at: i64,
    pub(in crate::store) sealed_by: Vec<u8>,
    pub(in crate::store) seal: Vec<u8>,
}

impl TokenColumns {
    pub(in crate::store) fn of(token: &AccessToken) -> Result<Self, Error> {
        let bytes = |adapters: &Vec<AdapterId>| {
            let adapters = adapters.iter();
            adapters.flat_map(|adapter| adapter.uuid().into_bytes()).collect()
        };
        Ok(Self {
            id: token.id.as_bytes().to_vec(),
            name: token.name.clone(),
            secret_sha256: token.secret.0.to_vec(),
            role: token.role.name().to_owned(),
            adapters: token.adapters.as_ref().map(bytes),
            created_at: microseconds(token.created_at)?,
            created_by: token.created_by.clone(),
            expires_at: microseconds(token.expires_at)?,
            sealed_by: token.sealed_by.uuid().as_bytes().to_vec(),
            seal: Vec::new(),
        })
    }
}

impl Sealed for TokenColumns {
    const TABLE: &'static str = "access_token";
    type Value = AccessToken;

    fn shown_id(&self) -> String {
        shown(&self.id)
    }

    fn sealed_by(&self) -> &[u8] {
        &self.sealed_by
    }

    fn columns(&self) -> Columns {
        Columns::of(Self::TABLE)
            .blob(&self.id)
            .text(&self.name)
            .blob(&self.secret_sha256)
            .text(&self.role)
            .optional(self.adapters.as_deref(), Columns::blob)
            .integer(self.created_at)
            .text(&self.created_by)
            .integer(self.expires_at)
            .blob(&self.sealed_by)
    }

    fn seal(&self) -> &[u8] {
        &self.seal
    }

    fn value(self, _: &Columns) -> Result<AccessToken, String> {
        let secret = <[u8; 32]>::try_from(self.secret_sha256.as_slice())
            .map_err(|_| format!("the digest has {} bytes and not 32", self.secret_sha256.len()))?;
        Ok(AccessToken {
            id: uuid(&self.id, "the identifier")?,
            name: self.name,
            secret: SecretDigest(secret),
            role: self
                .role
                .parse()
                .map_err(|error: crate::adapter::Error| error.to_string())?,
            adapters: self.adapters.as_deref().map(adapters).transpose()?,
            created_at: moment(self.created_at)?,
            created_by: self.created_by,
            expires_at: moment(self.expires_at)?,
            sealed_by: uuid(&self.sealed_by, "the root key")?.into(),
        })
    }
}

fn adapters(bytes: &[u8]) -> Result<Vec<AdapterId>, String> {
    let (identifiers, rest) = bytes.as_chunks::<IDENTIFIER>();
    if rest.is_empty() {
        let identifiers = identifiers.iter();
        Ok(identifiers.map(|id| Uuid::from_bytes(*id).into()).collect())
    } else {
        Err(format!("its adapters have {} bytes", bytes.len()))
    }
}
