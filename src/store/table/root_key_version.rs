//! The table of the earlier versions of root keys, sealed under the seal key of their root key.

use sqlx::FromRow;

use super::life::{known_origin, later, life, origin, state};
use super::{Sealed, microseconds, moment, number, shown, uuid};
use crate::adapter::RootKeyVersion;
use crate::store::Error;
use crate::store::seal::Columns;

#[derive(FromRow)]
pub(in crate::store) struct RootKeyVersionColumns {
    pub(in crate::store) id: Vec<u8>,
    pub(in crate::store) version: i64,
    pub(in crate::store) label: String,
    pub(in crate::store) check_value: Vec<u8>,
    pub(in crate::store) superseded_at: i64,
    pub(in crate::store) life: Option<String>,
    pub(in crate::store) origin: Option<String>,
    pub(in crate::store) seal: Vec<u8>,
}

impl RootKeyVersionColumns {
    pub(in crate::store) fn of(version: &RootKeyVersion) -> Result<Self, Error> {
        Ok(Self {
            id: version.root_key.uuid().as_bytes().to_vec(),
            version: version.version.into(),
            label: version.label.clone(),
            check_value: version.check_value.clone(),
            superseded_at: microseconds(version.superseded_at)?,
            life: life(&version.state)?,
            origin: origin(version.origin),
            seal: Vec::new(),
        })
    }
}

impl Sealed for RootKeyVersionColumns {
    const TABLE: &'static str = "root_key_version";
    type Value = RootKeyVersion;

    fn shown_id(&self) -> String {
        format!("{} version {}", shown(&self.id), self.version)
    }

    fn sealed_by(&self) -> &[u8] {
        &self.id
    }

    fn columns(&self) -> Columns {
        let columns = Columns::of(Self::TABLE)
            .blob(&self.id)
            .integer(self.version)
            .text(&self.label)
            .blob(&self.check_value)
            .integer(self.superseded_at);
        later(columns, self.life.as_deref(), self.origin.as_deref())
    }

    fn seal(&self) -> &[u8] {
        &self.seal
    }

    fn value(self, _: &Columns) -> Result<RootKeyVersion, String> {
        Ok(RootKeyVersion {
            root_key: uuid(&self.id, "the identifier")?.into(),
            version: number(self.version, "the version")?,
            label: self.label,
            check_value: self.check_value,
            superseded_at: moment(self.superseded_at)?,
            state: state(self.life.as_deref())?,
            origin: known_origin(self.origin.as_deref())?,
        })
    }
}
