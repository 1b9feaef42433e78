//! The table of root keys. A row is sealed under the seal key that it has in it, wrapped.

use sqlx::FromRow;

use super::life::{known_origin, later, life, origin, state};
use super::{Sealed, microseconds, moment, number, shown, uuid};
use crate::adapter::{RootKey, WrappedBytes};
use crate::store::seal::Columns;
use crate::store::{Error, UnverifiedRootKey};

#[derive(FromRow)]
pub(in crate::store) struct RootKeyColumns {
    pub(in crate::store) id: Vec<u8>,
    pub(in crate::store) name: String,
    pub(in crate::store) backend: String,
    pub(in crate::store) token_label: String,
    pub(in crate::store) token_serial: String,
    pub(in crate::store) label: String,
    pub(in crate::store) version: i64,
    pub(in crate::store) check_value: Vec<u8>,
    pub(in crate::store) seal_key_profile: String,
    pub(in crate::store) seal_key: Vec<u8>,
    pub(in crate::store) created_at: i64,
    pub(in crate::store) life: Option<String>,
    pub(in crate::store) origin: Option<String>,
    pub(in crate::store) seal: Vec<u8>,
}

impl RootKeyColumns {
    pub(in crate::store) fn of(root_key: &RootKey) -> Result<Self, Error> {
        Ok(Self {
            id: root_key.id.uuid().as_bytes().to_vec(),
            name: root_key.name.clone(),
            backend: root_key.backend.clone(),
            token_label: root_key.token_label.clone(),
            token_serial: root_key.token_serial.clone(),
            label: root_key.label.clone(),
            version: root_key.version.into(),
            check_value: root_key.check_value.clone(),
            seal_key_profile: root_key.seal_key.profile.clone(),
            seal_key: root_key.seal_key.bytes.clone(),
            created_at: microseconds(root_key.created_at)?,
            life: life(&root_key.state)?,
            origin: origin(root_key.origin),
            seal: Vec::new(),
        })
    }

    /// What a start needs of it before the seal key is open.
    pub(in crate::store) fn unverified(self) -> Result<UnverifiedRootKey, Error> {
        let (id, seal) = (self.shown_id(), self.seal.clone());
        let columns = self.columns();
        match self.value(&columns) {
            Ok(claimed) => Ok(UnverifiedRootKey {
                claimed,
                columns,
                seal,
            }),
            Err(what) => Err(Error::Tampered {
                table: Self::TABLE,
                id,
                what,
            }),
        }
    }
}

impl Sealed for RootKeyColumns {
    const TABLE: &'static str = "root_key";
    type Value = RootKey;

    fn shown_id(&self) -> String {
        shown(&self.id)
    }

    fn sealed_by(&self) -> &[u8] {
        &self.id
    }

    fn columns(&self) -> Columns {
        let columns = Columns::of(Self::TABLE)
            .blob(&self.id)
            .text(&self.name)
            .text(&self.backend)
            .text(&self.token_label)
            .text(&self.token_serial)
            .text(&self.label)
            .integer(self.version)
            .blob(&self.check_value)
            .text(&self.seal_key_profile)
            .blob(&self.seal_key)
            .integer(self.created_at);
        later(columns, self.life.as_deref(), self.origin.as_deref())
    }

    fn seal(&self) -> &[u8] {
        &self.seal
    }

    fn value(self, _: &Columns) -> Result<RootKey, String> {
        Ok(RootKey {
            id: uuid(&self.id, "the identifier")?.into(),
            name: self.name,
            backend: self.backend,
            token_label: self.token_label,
            token_serial: self.token_serial,
            label: self.label,
            version: number(self.version, "the version")?,
            check_value: self.check_value,
            seal_key: WrappedBytes {
                profile: self.seal_key_profile,
                bytes: self.seal_key,
            },
            created_at: moment(self.created_at)?,
            state: state(self.life.as_deref())?,
            origin: known_origin(self.origin.as_deref())?,
        })
    }
}
